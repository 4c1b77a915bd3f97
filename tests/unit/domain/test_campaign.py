"""A campaign's life, its guardrails, its clock; and reviewers, money, events."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.attestation import EventKind, attest, commitment
from reclaim.domain.calendar import end_of_day, parse_day, zone
from reclaim.domain.campaign import (
    CampaignState,
    Limits,
    Strategy,
    WriteMode,
    check_draft,
    reminder_times,
    stricter,
)
from reclaim.domain.directory import AssigneeKind, ProductOwner
from reclaim.domain.ids import EventId
from reclaim.domain.money import Money, Period, Price, Total
from reclaim.domain.review import AssignedHow
from reclaim.domain.reviewers import Candidates, assign
from reclaim.errors import Conflict, GuardrailExceeded, InvalidRequest
from tests.unit.domain.builders import FALLBACK, HOLDER, NOW, REVIEWER, STRANGER, TEAM, VISIO, campaign, person

ALLOWED = {
    ("draft", "opening"),
    ("draft", "cancelled"),
    ("opening", "open"),
    ("opening", "cancelled"),
    ("open", "closing"),
    ("open", "cancelled"),
    ("closing", "applying"),
    ("applying", "paused"),
    ("applying", "closed"),
    ("paused", "applying"),
    ("paused", "closed"),
    ("closed", "applying"),
}


@pytest.mark.parametrize("start", list(CampaignState))
@pytest.mark.parametrize("end", list(CampaignState))
def test_a_campaign_takes_only_the_steps_of_its_life(start: Any, end: Any) -> None:
    one = campaign(state=start)

    if (start.value, end.value) in ALLOWED:
        assert one.to(end).state is end
    else:
        with pytest.raises(Conflict):
            one.to(end)


def test_closing_early_gives_the_grace() -> None:
    assert campaign().close_early(NOW, timedelta(hours=24)).closes_at == NOW + timedelta(hours=24)


def test_closing_early_never_moves_the_close_back() -> None:
    soon = campaign(closes_at=NOW + timedelta(hours=3))

    assert soon.close_early(NOW, timedelta(hours=24)).closes_at == NOW + timedelta(hours=3)


def test_it_may_not_close_before_the_time_last_shown() -> None:
    moved = campaign().close_early(NOW, timedelta(hours=24))

    assert moved.may_close_at == NOW + timedelta(days=10)
    assert moved.shown().may_close_at == NOW + timedelta(hours=24)


def test_reminders_are_half_way_and_two_days_before() -> None:
    one = campaign(opened_at=NOW, closes_at=NOW + timedelta(days=10))

    assert reminder_times(one, timedelta(days=2)) == (NOW + timedelta(days=5), NOW + timedelta(days=8))


def test_a_short_window_reminds_once() -> None:
    one = campaign(opened_at=NOW, closes_at=NOW + timedelta(days=3))

    assert reminder_times(one, timedelta(days=2)) == (NOW + timedelta(days=1, hours=12),)


def test_the_stricter_mode_wins() -> None:
    assert stricter(WriteMode.LIVE, WriteMode.DRY_RUN) is WriteMode.DRY_RUN
    assert stricter(WriteMode.LIVE, WriteMode.LIVE) is WriteMode.LIVE


def test_within_the_limits_nothing_is_said() -> None:
    Limits().check(100, {VISIO: ("Visio Plan 2", 40, 100)}, soft_confirmed=False)


def test_over_the_soft_limit_is_refused_with_both_numbers() -> None:
    with pytest.raises(GuardrailExceeded, match=r"has 101 seats\. The limit is 100") as refused:
        Limits().check(101, {}, soft_confirmed=False)
    assert (refused.value.selected, refused.value.limit, refused.value.hard) == (101, 100, False)


def test_over_the_hard_limit_no_confirmation_helps() -> None:
    with pytest.raises(GuardrailExceeded) as refused:
        Limits().check(501, {}, soft_confirmed=True)
    assert refused.value.hard


def test_a_share_of_a_sku_is_limited_from_twenty_seats_on() -> None:
    Limits().check(19, {VISIO: ("Visio Plan 2", 19, 19)}, soft_confirmed=False)
    with pytest.raises(GuardrailExceeded, match=r"9 of 20 seats of Visio Plan 2. The limit is 40 %, 8 seats"):
        Limits().check(9, {VISIO: ("Visio Plan 2", 9, 20)}, soft_confirmed=False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"due_at": NOW}, "until"),
        ({"days": 29}, "days"),
        ({"days": 731}, "days"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused_at_the_field(changes: Any, field: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_draft(**{"name": "Q4", "due_at": NOW + timedelta(days=1), "now": NOW, "days": 90, **changes})
    assert refused.value.field == field


def test_a_due_day_ends_with_the_local_day() -> None:
    assert end_of_day(date(2026, 12, 4), "Europe/Zurich") == datetime(2026, 12, 4, 23, tzinfo=UTC)


def test_a_day_of_25_hours_ends_when_its_clock_says_so() -> None:
    assert end_of_day(date(2026, 10, 25), "Europe/Zurich") == datetime(2026, 10, 25, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["4/12", "tomorrow", "2026-13-01", ""])
def test_an_unclear_date_is_refused_with_an_example(text: Any) -> None:
    with pytest.raises(InvalidRequest, match="Example: 2026-12-04"):
        parse_day(text)


@pytest.mark.parametrize("name", ["Mars/Base", "../etc/passwd", ""])
def test_an_unknown_zone_is_refused(name: Any) -> None:
    with pytest.raises(InvalidRequest, match="not a time zone"):
        zone(name)


# Extended and cancelled ------------------------------------------------------------------------------------------------


def test_an_extension_moves_due_and_close_and_starts_the_reminders_anew() -> None:
    before = campaign(opened_at=NOW)
    later = before.closes_at + timedelta(days=10)

    after = before.extend(later, NOW + timedelta(days=1))

    assert (after.due_at, after.closes_at, after.may_close_at) == (later, later, later)
    times = reminder_times(after, timedelta(days=2))
    half = NOW + timedelta(days=1) + (later - NOW - timedelta(days=1)) / 2
    assert times == (half, later - timedelta(days=2))


def test_an_extension_is_never_earlier_than_a_card_shows() -> None:
    shown = campaign()
    early = replace(shown, closes_at=NOW + timedelta(days=1))

    with pytest.raises(InvalidRequest, match="Please pick a later day") as refused:
        early.extend(shown.shown_close_at, NOW)
    assert refused.value.field == "until"
    assert replace(early, shown_close_at=early.closes_at).extend(NOW + timedelta(days=3), NOW).due_at == shown.due_at


@pytest.mark.parametrize("state", [CampaignState.OPENING, CampaignState.CLOSING, CampaignState.CLOSED])
def test_only_an_open_campaign_is_extended(state: Any) -> None:
    with pytest.raises(Conflict, match="only an open campaign"):
        campaign(state=state).extend(NOW + timedelta(days=90), NOW)


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.OPENING, CampaignState.OPEN])
def test_a_campaign_is_cancelled_until_it_closes(state: Any) -> None:
    after = campaign(state=state).cancel(FALLBACK, NOW, "wrong list")

    assert (after.state, after.closed_at) == (CampaignState.CANCELLED, NOW)
    assert (after.cancelled_by, after.cancel_reason) == (FALLBACK, "wrong list")


@pytest.mark.parametrize("state", [CampaignState.CLOSING, CampaignState.APPLYING, CampaignState.PAUSED])
def test_a_campaign_that_removes_is_frozen_not_cancelled(state: Any) -> None:
    with pytest.raises(Conflict, match="/reclaim freeze"):
        campaign(state=state).cancel(FALLBACK, NOW, None)


# Reviewers ---------------------------------------------------------------------------------------------------------------


def reviewer_of(holder: Any, *others: Any, strategy: Any = Strategy.MANAGER, named: Any = None) -> Any:
    people = {one.id: one for one in (person(FALLBACK), *others)}
    found = assign(strategy, holder, VISIO, Candidates(people=people, reviewer_id=named, fallback_id=FALLBACK))
    return found.assignee_id, found.how, found.reason


def test_the_manager_reviews() -> None:
    assert reviewer_of(person(), person(REVIEWER)) == (REVIEWER, AssignedHow.MANAGER, None)


@pytest.mark.parametrize(
    ("holder", "manager", "why"),
    [
        (person(manager_id=None), person(REVIEWER), "no_manager"),
        (person(), person(REVIEWER, enabled=False), "manager_disabled"),
        (person(), person(REVIEWER, user_type="Guest"), "manager_disabled"),
        (person(), person(REVIEWER, gone_at=NOW), "manager_disabled"),
        (person(manager_id=HOLDER), person(HOLDER), "own_seat"),
    ],
)
def test_the_fallback_reviewer_stands_in(holder: Any, manager: Any, why: Any) -> None:
    assert reviewer_of(holder, manager) == (FALLBACK, AssignedHow.FALLBACK, why)


def test_nobody_reviews_the_fallback_reviewers_own_seat_without_a_manager() -> None:
    assert reviewer_of(person(FALLBACK, manager_id=None)) == (None, AssignedHow.FALLBACK, "no_manager")


def test_one_person_reviews_all_but_their_own() -> None:
    everyone = {"strategy": Strategy.PERSON, "named": REVIEWER}

    assert reviewer_of(person(), person(REVIEWER), **everyone)[0] == REVIEWER
    assert reviewer_of(person(REVIEWER), person(REVIEWER), **everyone)[0] == FALLBACK


def owned(by: Any, kind: Any = AssigneeKind.PERSON) -> Any:
    return {VISIO: ProductOwner(product_id=VISIO, owner=by, kind=kind, by=STRANGER, at=NOW)}


def owner_of_seat(holder: Any, *others: Any, owners: Any, members: Any = None) -> Any:
    people = {one.id: one for one in (person(FALLBACK), *others)}
    among = Candidates(people=people, fallback_id=FALLBACK, owners=owners, members=members or {})
    found = assign(Strategy.OWNER, holder, VISIO, among)
    return found.assignee_id, found.kind, found.reason


def test_the_license_owner_reviews() -> None:
    assert owner_of_seat(person(), person(STRANGER), owners=owned(STRANGER)) == (STRANGER, AssigneeKind.PERSON, None)


def test_a_group_reviews_as_long_as_a_member_other_than_the_holder_can() -> None:
    owners = owned(TEAM, AssigneeKind.GROUP)

    assert owner_of_seat(person(), owners=owners, members={TEAM: {HOLDER, STRANGER}})[:2] == (TEAM, AssigneeKind.GROUP)
    assert owner_of_seat(person(), owners=owners, members={TEAM: {HOLDER}})[::2] == (FALLBACK, "group_empty")


@pytest.mark.parametrize(
    ("owners", "others", "why"),
    [
        ({}, (), "no_owner"),
        (owned(STRANGER), (), "owner_gone"),
        (owned(STRANGER), (person(STRANGER, gone_at=NOW),), "owner_gone"),
        (owned(STRANGER), (person(STRANGER, enabled=False),), "owner_disabled"),
        (owned(HOLDER), (person(HOLDER),), "own_seat"),
        (owned(TEAM, AssigneeKind.GROUP), (), "group_unread"),
    ],
)
def test_the_fallback_reviewer_stands_in_for_an_owner_with_the_reason(owners: Any, others: Any, why: Any) -> None:
    assert owner_of_seat(person(), *others, owners=owners) == (FALLBACK, AssigneeKind.PERSON, why)


# Money -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minor", "monthly"), [(18000, 1500), (100, 8), (18, 2), (17, 1)])
def test_a_yearly_price_is_divided_by_twelve_and_rounded_half_up(minor: Any, monthly: Any) -> None:
    assert Price(amount=Money(minor, "USD"), period=Period.YEAR).monthly == Money(monthly, "USD")


def test_currencies_are_never_added() -> None:
    with pytest.raises(ValueError, match="never added"):
        Money(1, "USD") + Money(1, "EUR")
    total = Total.of([Money(100, "USD"), Money(5, "EUR"), None, Money(1, "USD")])
    assert (total.amounts, total.unpriced) == ((Money(101, "USD"), Money(5, "EUR")), 1)


@pytest.mark.parametrize("currency", ["usd", "US", "", "U$D1"])
def test_a_currency_is_an_iso_code(currency: Any) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


# Events ------------------------------------------------------------------------------------------------------------------


def event(**more: Any) -> Any:
    return attest(EventKind.DECISION_MADE, event_id=EventId("e1"), at=NOW, actor="a-1", campaign_id="c", **more)


def test_an_event_body_is_canonical_and_holds_no_personal_value() -> None:
    made = event(facts={"choice": "keep"}, personal={"note": "Ärger mit Zoë"}, salts={"note": b"s" * 16})

    body = json.loads(made.body)
    assert made.body == json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")
    assert "Zo" not in made.body.decode()
    assert body["hmac"]["note"] == commitment("Ärger mit Zoë", b"s" * 16)
    assert body["at_ms"] == 1795424400000


@pytest.mark.parametrize("value", ["Megan Bowen", "a@contoso.com", "x" * 129, "é"])
def test_free_text_may_not_enter_a_body(value: Any) -> None:
    with pytest.raises(ValueError, match="only ids"):
        event(facts={"x": value})


def test_a_float_may_not_enter_a_body() -> None:
    with pytest.raises(TypeError):
        event(facts={"x": 1.5})


def test_a_personal_value_needs_a_salt() -> None:
    with pytest.raises(ValueError, match="no salt"):
        event(personal={"note": "x"}, salts={"note": b"short"})


@given(st.text(max_size=40), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_another_salt_gives_another_commitment(value: Any, one: Any, other: Any) -> None:
    assert (commitment(value, one) == commitment(value, other)) is (one == other)
