"""Rules 1 and 2: unknown is never idle, the latest sign-in counts, the young are left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.activity import NeverSeen, SeenAt, SignInKind, SignIns, Unknown, UnknownWhy, read_activity
from reclaim.domain.idle import Finding, NotIdleWhy, Rule, judge_seat
from tests.unit.domain.builders import NOW, VISIO, ago, path, person, seat


def judge(who: Any = None, held: Any = None, days: Any = 90) -> Any:
    return judge_seat(who or person(), held or seat(), now=NOW, data_as_of=NOW, days=days)


def test_the_latest_of_the_three_fields_counts_and_is_named() -> None:
    known = SignIns(success_at=ago(200), interactive_at=ago(150), background_at=ago(30))

    assert read_activity(known, created_at=ago(900)) == SeenAt(ago(30), SignInKind.BACKGROUND)


def test_on_a_tie_the_stronger_evidence_is_named() -> None:
    known = SignIns(success_at=ago(30), interactive_at=ago(30), background_at=ago(30))

    assert read_activity(known, created_at=ago(900)) == SeenAt(ago(30), SignInKind.SUCCESS)


def test_data_that_was_not_read_is_unknown() -> None:
    assert read_activity(None, created_at=ago(10)) == Unknown(UnknownWhy.NOT_READ)


def test_no_record_of_an_account_older_than_the_records_is_unknown() -> None:
    assert read_activity(SignIns(), created_at=ago(1200)) == Unknown(UnknownWhy.NO_RECORD)


def test_no_record_of_a_younger_account_is_never_seen() -> None:
    assert read_activity(SignIns(), created_at=ago(400)) == NeverSeen()


def test_an_admin_can_vouch_for_older_records() -> None:
    assert read_activity(SignIns(), created_at=ago(1200), never_seen_since=ago(1500)) == NeverSeen()


def test_no_creation_date_is_unknown() -> None:
    assert read_activity(SignIns(), created_at=None) == Unknown(UnknownWhy.NO_CREATION_DATE)


def test_an_idle_seat_is_found_with_its_evidence() -> None:
    found = judge()

    assert isinstance(found, Finding)
    assert (found.rule, found.last_seen_at, found.quiet_since) == (Rule.IDLE, ago(120), ago(120))


def test_a_seat_used_in_the_window_is_in_use() -> None:
    assert judge(person(sign_ins=SignIns(success_at=ago(89)))) is NotIdleWhy.IN_USE


def test_a_seat_idle_for_exactly_the_window_is_idle() -> None:
    assert isinstance(judge(person(sign_ins=SignIns(success_at=ago(90)))), Finding)


def test_unknown_activity_is_never_idle() -> None:
    assert judge(person(sign_ins=None)) is NotIdleWhy.UNKNOWN
    assert judge(person(sign_ins=SignIns(), created_at=ago(1500))) is NotIdleWhy.UNKNOWN


def test_never_seen_is_found_once_account_and_seat_are_old_enough() -> None:
    found = judge(person(sign_ins=SignIns(), created_at=ago(400)))

    assert isinstance(found, Finding)
    assert (found.rule, found.last_seen_at) == (Rule.NEVER_SEEN, None)


def test_a_new_account_is_not_idle() -> None:
    assert judge(person(sign_ins=SignIns(), created_at=ago(10))) is NotIdleWhy.TOO_NEW


def test_a_fresh_assignment_is_not_idle_however_old_the_last_sign_in() -> None:
    assert judge(held=seat(VISIO, path(days=5))) is NotIdleWhy.TOO_NEW


def test_a_seat_without_an_assignment_date_is_unknown() -> None:
    undated = seat()
    undated = replace(undated, paths=(replace(undated.paths[0], updated_at=None),))

    assert judge(held=undated) is NotIdleWhy.UNKNOWN


def test_a_disabled_account_needs_no_activity_but_a_seat_of_14_days() -> None:
    found = judge(person(enabled=False, sign_ins=None))

    assert isinstance(found, Finding)
    assert found.rule is Rule.DISABLED


def test_a_disabled_account_with_a_seat_of_13_days_is_left_alone() -> None:
    assert judge(person(enabled=False), seat(VISIO, path(days=13))) is NotIdleWhy.TOO_NEW


@pytest.mark.parametrize("state", ["Error", "ActiveWithError", "Disabled"])
def test_trap_08_error_states_are_never_savings(state: str) -> None:
    assert judge(held=seat(VISIO, path(state=state))) is NotIdleWhy.ERROR_STATE


def test_a_person_who_is_gone_is_not_judged() -> None:
    assert judge(person(gone_at=NOW)) is NotIdleWhy.GONE


@pytest.mark.parametrize("days", [0, -1])
def test_a_window_must_be_positive(days: Any) -> None:
    with pytest.raises(ValueError, match="positive"):
        judge(days=days)


@given(
    seen=st.none() | st.integers(0, 2000),
    created=st.none() | st.integers(0, 2000),
    assigned=st.integers(0, 2000),
    days=st.integers(1, 730),
)
def test_whoever_is_found_idle_was_quiet_for_the_whole_window(
    seen: Any, created: Any, assigned: Any, days: Any
) -> None:
    who = person(
        sign_ins=SignIns(success_at=None if seen is None else ago(seen)),
        created_at=None if created is None else ago(created),
    )

    found = judge(who, seat(VISIO, path(days=assigned)), days=days)

    if isinstance(found, Finding) and who.sign_ins is not None:
        for at in (who.sign_ins.success_at, who.created_at, found.assigned_at):
            assert at is None or NOW - at >= timedelta(days=days)
        assert seen is not None or created is not None
