"""Rules 5 and 6: what may be written, and the second look that stops a write."""

from dataclasses import replace
from typing import Any

import pytest

from reclaim.domain.activity import SignIns
from reclaim.domain.directory import LivePerson, MailboxPurpose
from reclaim.domain.idle import Rule
from reclaim.domain.removal import (
    Approved,
    Blocker,
    Outcome,
    PlanStep,
    Proceed,
    RemovalPlan,
    StepKind,
    Stop,
    look_again,
    plan_removal,
)
from tests.unit.domain.builders import (
    DIRECT_PLAN,
    E3,
    E5,
    NOW,
    SKUS,
    TEAM,
    VISIO,
    ago,
    group,
    path,
    person,
    seat,
)

GROUPS = {TEAM: group()}
LEAVE = PlanStep(StepKind.LEAVE_GROUP, TEAM)
DIRECT = PlanStep(StepKind.DIRECT, VISIO)


def plan(one: Any, *others: Any, groups: Any = None) -> Any:
    return plan_removal(one, (one, *others), skus=SKUS, groups=GROUPS if groups is None else groups)


def test_a_direct_seat_is_unassigned() -> None:
    assert plan(seat()) == DIRECT_PLAN


def test_a_seat_through_a_static_group_leaves_the_group() -> None:
    assert plan(seat(VISIO, path(TEAM))).steps == (LEAVE,)


def test_trap_01_a_seat_held_directly_and_by_a_group_is_freed_whole() -> None:
    assert plan(seat(VISIO, path(), path(TEAM))).steps == (DIRECT, LEAVE)


@pytest.mark.parametrize(
    ("changes", "blocker"),
    [
        ({"dynamic": True}, Blocker.GROUP_DYNAMIC),
        ({"synced": True}, Blocker.GROUP_SYNCED),
        ({"mail_enabled": True}, Blocker.GROUP_MAIL_ENABLED),
        ({"role_assignable": True}, Blocker.GROUP_ROLE_ASSIGNABLE),
        ({"restricted": True}, Blocker.GROUP_RESTRICTED),
        ({"has_nested_groups": True}, Blocker.GROUP_NESTED),
        ({"sku_ids": (VISIO, E3)}, Blocker.GROUP_OTHER_SKUS),
        ({"security_enabled": False}, Blocker.GROUP_UNKNOWN),
        ({"synced": None}, Blocker.GROUP_UNKNOWN),
        ({"has_nested_groups": None}, Blocker.GROUP_UNKNOWN),
    ],
)
def test_a_group_that_needs_a_person_blocks(changes: Any, blocker: Any) -> None:
    found = plan(seat(VISIO, path(TEAM)), groups={TEAM: group(**changes)})

    assert (found.blocker, found.steps, found.held) == (blocker, (), False)


def test_a_group_that_nobody_knows_blocks() -> None:
    assert plan(seat(VISIO, path(TEAM)), groups={}).blocker is Blocker.GROUP_UNKNOWN


def test_trap_03_one_path_that_may_not_be_written_blocks_the_whole_seat() -> None:
    found = plan(seat(VISIO, path(), path(TEAM)), groups={TEAM: group(dynamic=True)})

    assert (found.blocker, found.steps) == (Blocker.GROUP_DYNAMIC, ())


@pytest.mark.parametrize("state", ["Error", "ActiveWithError", "Disabled", "a state of tomorrow"])
def test_trap_08_a_path_in_an_error_state_needs_a_person(state: str) -> None:
    assert plan(seat(VISIO, path(state=state))).blocker is Blocker.ERROR_STATE
    assert plan(seat(VISIO, path(), path(TEAM, state=state))).blocker is Blocker.ERROR_STATE


def test_an_unknown_sku_blocks() -> None:
    assert plan_removal(seat(), (), skus={}, groups={}).blocker is Blocker.SKU_UNKNOWN


def test_trap_16_the_only_mailbox_is_held() -> None:
    found = plan(seat(E3), seat(VISIO))

    assert (found.blocker, found.held) == (Blocker.LAST_MAILBOX, True)


def test_a_second_suite_carries_the_mailbox() -> None:
    assert plan(seat(E3), seat(E5)).writable


def test_a_second_suite_with_its_mailbox_plan_off_does_not() -> None:
    assert plan(seat(E3), seat(E5, path(off=("p-mail",)))).blocker is Blocker.LAST_MAILBOX


@pytest.mark.parametrize("state", ["Error", "ActiveWithError"])
def test_a_second_suite_in_an_error_state_does_not(state: str) -> None:
    assert plan(seat(E3), seat(E5, path(state=state))).blocker is Blocker.LAST_MAILBOX


def test_the_only_files_are_held_even_if_the_mailbox_is_elsewhere() -> None:
    assert plan(seat(E3), seat(E5, path(off=("p-files",)))).blocker is Blocker.LAST_FILES


def test_a_suite_with_both_plans_off_carries_nothing() -> None:
    assert plan(seat(E3, path(off=("p-mail", "p-files")))).writable


def test_the_foundation_stub_carries_no_mailbox() -> None:
    assert plan(seat(VISIO)).writable


# The second look -------------------------------------------------------------------------------------------------------


def look(
    approved: Any = None,
    *,
    seats: Any = None,
    who: Any = None,
    groups: Any = None,
    ours: Any = frozenset(),
    member_of: Any = (TEAM,),
) -> Any:
    live = LivePerson(
        person=who or person(), seats=seats if seats is not None else (seat(),), direct_group_ids=member_of
    )
    return look_again(
        approved or approve(),
        live,
        now=NOW,
        data_as_of=NOW,
        skus=SKUS,
        groups=GROUPS if groups is None else groups,
        ours=ours,
    )


def approve(one: Any = None, *, rule: Any = Rule.IDLE, steps: Any = (DIRECT,)) -> Any:
    one = one or seat()
    return Approved(seat_id=one.id, rule=rule, days=90, paths=one.paths, plan=RemovalPlan(steps=steps))


def test_an_unchanged_seat_proceeds() -> None:
    assert look() == Proceed((DIRECT,))


def test_a_person_who_is_gone_has_no_seat_left() -> None:
    found = look_again(approve(), None, now=NOW, data_as_of=NOW, skus=SKUS, groups={})

    assert found == Stop(Outcome.ALREADY_ABSENT, "person_gone")


def test_a_seat_that_is_gone_is_absent() -> None:
    assert look(seats=()) == Stop(Outcome.ALREADY_ABSENT, "seat_gone")


def test_a_newer_assignment_is_a_regrant() -> None:
    assert look(seats=(seat(VISIO, path(days=3)),)) == Stop(Outcome.REGRANTED, "path_newer_than_approval")


def test_a_new_path_is_a_regrant() -> None:
    assert look(seats=(seat(VISIO, path(), path(TEAM)),)) == Stop(Outcome.REGRANTED, "path_newer_than_approval")


def test_a_path_whose_date_vanished_is_a_regrant() -> None:
    undated = replace(path(), updated_at=None)

    assert look(seats=(seat(VISIO, undated),)) == Stop(Outcome.REGRANTED, "path_newer_than_approval")


def test_a_path_that_went_away_is_none() -> None:
    both = seat(VISIO, path(), path(TEAM))

    assert look(approve(both, steps=(DIRECT, LEAVE)), seats=(seat(),)) == Proceed((DIRECT,))


def test_a_person_who_signed_in_keeps_the_seat() -> None:
    assert look(who=person(sign_ins=SignIns(success_at=ago(1)))) == Stop(Outcome.ACTIVE_AGAIN, "in_use")


def test_activity_that_became_unknown_keeps_the_seat() -> None:
    assert look(who=person(sign_ins=None)) == Stop(Outcome.PLAN_CHANGED, "activity_unknown")


def test_an_account_that_was_enabled_again_keeps_the_seat() -> None:
    assert look(approve(rule=Rule.DISABLED)) == Stop(Outcome.ACTIVE_AGAIN, "account_enabled")


def test_an_account_that_is_still_disabled_proceeds_without_activity() -> None:
    assert look(approve(rule=Rule.DISABLED), who=person(enabled=False, sign_ins=None)) == Proceed((DIRECT,))


@pytest.mark.parametrize(
    ("sign_ins", "found"),
    [
        (SignIns(success_at=ago(120)), Proceed((DIRECT,))),
        (SignIns(success_at=ago(2)), Stop(Outcome.ACTIVE_AGAIN, "in_use")),
        (None, Stop(Outcome.PLAN_CHANGED, "activity_unknown")),
    ],
)
def test_an_account_that_was_disabled_after_the_approval_is_judged_by_the_evidence_that_was_approved(
    sign_ins: SignIns | None, found: Proceed | Stop
) -> None:
    assert look(who=person(enabled=False, sign_ins=sign_ins)) == found


def test_a_group_that_became_dynamic_is_not_written() -> None:
    held = seat(VISIO, path(TEAM))

    found = look(approve(held, steps=(LEAVE,)), seats=(held,), groups={TEAM: group(dynamic=True)})

    assert found == Stop(Outcome.NOT_SUPPORTED, "group_dynamic")


def test_a_group_of_which_the_person_is_no_direct_member_is_not_written() -> None:
    held = seat(VISIO, path(TEAM))

    found = look(approve(held, steps=(LEAVE,)), seats=(held,), member_of=())

    assert found == Stop(Outcome.NOT_SUPPORTED, "not_a_direct_member")


def test_a_mailbox_that_became_the_last_is_held() -> None:
    suite = seat(E3)
    approved = approve(suite, steps=(PlanStep(StepKind.DIRECT, E3),))

    assert look(approved, seats=(suite,)) == Stop(Outcome.HELD, "last_mailbox")


def test_a_second_suite_that_is_already_on_its_way_out_saves_no_mailbox() -> None:
    first, second = seat(E3, path(TEAM)), seat(E5)
    approved = approve(second, steps=(PlanStep(StepKind.DIRECT, E5),))

    found = look(approved, seats=(first, second), ours=frozenset({LEAVE}))

    assert found == Stop(Outcome.HELD, "last_mailbox")


def test_what_we_have_left_already_is_not_left_again() -> None:
    held = seat(VISIO, path(TEAM))

    found = look(approve(held, steps=(LEAVE,)), seats=(held,), ours=frozenset({LEAVE}), member_of=())

    assert found == Proceed(())


def test_other_steps_than_the_approved_ones_are_not_made() -> None:
    held = seat(VISIO, path(TEAM))
    approved = Approved(seat_id=held.id, rule=Rule.IDLE, days=90, paths=held.paths, plan=DIRECT_PLAN)

    assert look(approved, seats=(held,)) == Stop(Outcome.PLAN_CHANGED, "steps_differ")


def accepted(blocker: Blocker) -> Any:
    told = approve(seat(E3), steps=(PlanStep(StepKind.DIRECT, E3),))
    return replace(told, accepts_loss=True, plan=replace(told.plan, blocker=blocker, blocker_ref=E3))


@pytest.mark.parametrize(("told", "proceeds"), [(Blocker.LAST_MAILBOX, True), (Blocker.LAST_FILES, False)])
def test_trap_16_only_the_loss_that_was_told_is_accepted(told: Blocker, proceeds: bool) -> None:
    found = look(accepted(told), seats=(seat(E3),))

    assert found == (Proceed((PlanStep(StepKind.DIRECT, E3),)) if proceeds else Stop(Outcome.HELD, "last_mailbox"))


def test_trap_16_who_gives_up_the_mailbox_was_told_of_the_files_too() -> None:
    # The mailbox has another suite by now, the files have not.
    mail_only = seat(E5, path(off=("p-files",)))

    assert isinstance(look(accepted(Blocker.LAST_MAILBOX), seats=(seat(E3), mail_only)), Proceed)


@pytest.mark.parametrize(
    ("purpose", "blocker"),
    [
        (MailboxPurpose.SHARED, Blocker.SHARED_MAILBOX),
        (MailboxPurpose.ROOM, Blocker.ROOM_MAILBOX),
        (MailboxPurpose.EQUIPMENT, Blocker.EQUIPMENT_MAILBOX),
    ],
)
def test_trap_12_a_mailbox_of_no_person_is_held_even_where_another_seat_carries_one(
    purpose: MailboxPurpose, blocker: Blocker
) -> None:
    plan = plan_removal(seat(E3), (seat(E3), seat(E5)), skus=SKUS, groups=GROUPS, purpose=purpose)

    assert (plan.blocker, plan.steps, plan.held) == (blocker, (), True)


@pytest.mark.parametrize("purpose", [None, MailboxPurpose.USER, MailboxPurpose.OTHERS, MailboxPurpose.NONE])
def test_a_mailbox_of_a_person_or_one_that_is_not_known_is_planned_as_ever(purpose: MailboxPurpose | None) -> None:
    assert plan_removal(seat(E3), (seat(E3), seat(E5)), skus=SKUS, groups=GROUPS, purpose=purpose).writable


def test_a_seat_without_a_mailbox_goes_whatever_the_mailbox_of_the_person_is_for() -> None:
    assert plan_removal(seat(), (seat(),), skus=SKUS, groups=GROUPS, purpose=MailboxPurpose.SHARED).writable
