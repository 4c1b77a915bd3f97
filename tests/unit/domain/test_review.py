"""Rules 3 and 4: who may answer what, how an item moves, and what the close makes of it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from reclaim.domain.campaign import CampaignState, Silence
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import AssigneeId, BatchId, GroupId
from reclaim.domain.moves import Move, delegate, give_back, handovers, reassign, take_back
from reclaim.domain.removal import Blocker, Outcome, RemovalPlan
from reclaim.domain.review import (
    Answer,
    AssignedHow,
    Choice,
    KeepReason,
    answer,
    recommend,
    verdict,
)
from reclaim.domain.roles import Actor, Role
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized
from tests.unit.domain.builders import FALLBACK, HOLDER, NOW, REVIEWER, STRANGER, TEAM, actor, campaign, item, person

NAMES: dict[AssigneeId, str] = {REVIEWER: "Megan Bowen", TEAM: "Design owners", STRANGER: "Nora Patel"}
MEMBERS = {TEAM: {REVIEWER, STRANGER, HOLDER}}
HELD = RemovalPlan(blocker=Blocker.LAST_MAILBOX, blocker_ref="e3")
BLOCKED = RemovalPlan(blocker=Blocker.GROUP_DYNAMIC, blocker_ref="team")


def decide(
    choice: Any = Choice.REVOKE,
    *,
    one: Any = None,
    by: Any = REVIEWER,
    camp: Any = None,
    bulk: Any = False,
    who: Any = None,
    **more: Any,
) -> Any:
    return answer(
        one or item(),
        camp or campaign(),
        who or actor(by),
        choice=choice,
        now=NOW,
        batch_id=BatchId("batch"),
        bulk=bulk,
        names=NAMES,
        members=MEMBERS,
        **more,
    )


def answered(choice: Any, one: Any = None, by: Any = REVIEWER) -> Any:
    return replace(one or item(), answer=Answer(choice=choice, by=by, at=NOW, batch_id=BatchId("batch")))


def test_the_assignee_revokes() -> None:
    after = decide()

    assert (after.answer.choice, after.answer.by, after.version) == (Choice.REVOKE, REVIEWER, 4)


def test_a_stranger_is_told_with_whom_it_is() -> None:
    with pytest.raises(NotAuthorized, match=r"This seat is with Megan Bowen now\. Only Megan can answer\."):
        decide(by=STRANGER)


def test_nobody_decides_their_own_seat() -> None:
    with pytest.raises(NotAuthorized, match="your own seat"):
        decide(by=HOLDER, one=item(assignee_id=HOLDER))


def test_the_operator_at_the_command_line_decides_nothing() -> None:
    operator = Actor(id=REVIEWER, channel="console", roles=frozenset({Role.OPERATOR}))

    with pytest.raises(NotAuthorized):
        decide(who=operator)


@pytest.mark.parametrize("state", [s for s in CampaignState if s is not CampaignState.OPEN])
def test_a_decision_outside_the_open_campaign_is_a_conflict(state: Any) -> None:
    with pytest.raises(Conflict):
        decide(camp=campaign(state=state))


def test_keeping_against_the_recommendation_needs_a_reason() -> None:
    with pytest.raises(InvalidRequest, match="pick a reason") as refused:
        decide(Choice.KEEP)
    assert refused.value.field == "reason"


def test_keeping_what_is_not_recommended_is_one_tap() -> None:
    assert decide(Choice.KEEP, one=item(BLOCKED)).answer.choice is Choice.KEEP


def test_another_reason_asks_a_note() -> None:
    with pytest.raises(InvalidRequest, match="one sentence"):
        decide(Choice.KEEP, reason=KeepReason.OTHER, note="  ")


@pytest.mark.parametrize("reason", [KeepReason.SEASONAL, KeepReason.AWAY])
def test_needed_later_asks_until_when(reason: Any) -> None:
    with pytest.raises(InvalidRequest, match="pick a date"):
        decide(Choice.KEEP, reason=reason)


@pytest.mark.parametrize("until", [date(2026, 11, 23), date(2027, 5, 23)])
def test_a_keep_until_date_out_of_bounds_is_refused(until: Any) -> None:
    with pytest.raises(InvalidRequest, match="22 May 2027"):
        decide(Choice.KEEP, reason=KeepReason.SEASONAL, keep_until=until)


def test_a_held_seat_cannot_be_revoked() -> None:
    with pytest.raises(Conflict, match="only mailbox"):
        decide(one=item(HELD))


def test_a_mind_can_change_until_the_close() -> None:
    after = decide(Choice.KEEP, one=answered(Choice.REVOKE), reason=KeepReason.CURRENT_WORK)

    assert after.answer.choice is Choice.KEEP


def test_an_answer_can_be_withdrawn() -> None:
    assert decide(Choice.WITHDRAWN, one=answered(Choice.REVOKE)).answer is None


def test_there_is_nothing_to_withdraw_from_an_open_item() -> None:
    with pytest.raises(Conflict):
        decide(Choice.WITHDRAWN)


def test_not_sure_moves_the_item_once_to_the_fallback_reviewer() -> None:
    after = decide(Choice.NOT_SURE)

    assert (after.assignee_id, after.not_sure_by, after.answer) == (FALLBACK, REVIEWER, None)


def test_not_sure_of_the_fallback_reviewer_stands() -> None:
    moved = item(assignee_id=FALLBACK, not_sure_by=REVIEWER)

    after = decide(Choice.NOT_SURE, one=moved, by=FALLBACK)

    assert (after.assignee_id, after.answer.choice) == (FALLBACK, Choice.NOT_SURE)


def test_not_sure_does_not_move_to_the_holder() -> None:
    after = decide(Choice.NOT_SURE, camp=campaign(fallback_id=HOLDER))

    assert (after.assignee_id, after.answer.choice) == (REVIEWER, Choice.NOT_SURE)


def hand_over(to: Any, one: Any = None, by: Any = REVIEWER, reason: Any = "She leads the project.") -> Any:
    return delegate(one or item(), campaign(), actor(by), to=to, reason=reason, names=NAMES, members=MEMBERS)


def test_trap_22_a_delegation_moves_the_item_and_decides_nothing() -> None:
    after = hand_over(person(STRANGER))

    assert (after.assignee_id, after.assigned_how, after.delegated_by) == (STRANGER, AssignedHow.DELEGATED, REVIEWER)
    assert (after.answer, after.handovers) == (None, 1)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (person(HOLDER), "holds this seat"),
        (person(REVIEWER), "You have this seat already"),
        (person(STRANGER, enabled=False), "account is disabled"),
        (person(STRANGER, gone_at=NOW), "has left"),
        (person(STRANGER, user_type="Guest"), "is a guest"),
    ],
)
def test_trap_22_a_delegation_to_the_wrong_person_is_refused_at_the_field(to: Any, words: Any) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        hand_over(to)
    assert refused.value.field == "who"


def test_a_delegation_needs_a_reason() -> None:
    with pytest.raises(InvalidRequest, match="why this person"):
        hand_over(person(STRANGER), reason=" ")


def test_an_answered_item_is_not_passed_on() -> None:
    with pytest.raises(Conflict, match="Undo the answer first"):
        hand_over(person(STRANGER), answered(Choice.REVOKE))


def test_a_fourth_hand_over_is_refused() -> None:
    with pytest.raises(Conflict, match="passed on three times"):
        hand_over(person(STRANGER), item(handovers=3))


def test_who_passed_it_on_may_take_it_back_while_it_is_open() -> None:
    passed = item(assignee_id=STRANGER, delegated_by=REVIEWER)

    assert take_back(passed, campaign(), actor(), []).assignee_id == REVIEWER
    with pytest.raises(Conflict):
        take_back(answered(Choice.KEEP, passed, by=STRANGER), campaign(), actor(), [])
    with pytest.raises(NotAuthorized):
        take_back(passed, campaign(), actor(FALLBACK), [])


# A group ---------------------------------------------------------------------------------------------------------------

OF_TEAM = item(assignee_id=TEAM, assignee_kind=AssigneeKind.GROUP, assigned_how=AssignedHow.OWNER)


def test_any_member_answers_for_the_group_and_the_item_stays_with_it() -> None:
    after = decide(one=OF_TEAM, by=STRANGER)

    assert (after.assignee_id, after.answer.by) == (TEAM, STRANGER)


def test_the_first_answer_of_a_group_counts_and_only_who_gave_it_changes_it() -> None:
    first = answered(Choice.KEEP, OF_TEAM, by=STRANGER)

    with pytest.raises(Conflict, match=r"Nora Patel has answered: keep\. You see the present state now\."):
        decide(one=first)
    assert decide(Choice.WITHDRAWN, one=first, by=STRANGER).answer is None


def test_who_is_not_in_the_group_may_not_answer_for_it() -> None:
    with pytest.raises(NotAuthorized, match=r"with Design owners now\. Only its members can answer\."):
        decide(one=OF_TEAM, by=FALLBACK)
    with pytest.raises(NotAuthorized, match="Only its members"):
        decide(one=replace(OF_TEAM, assignee_id=GroupId("unread")))


def test_a_member_never_decides_a_seat_of_their_own() -> None:
    with pytest.raises(NotAuthorized, match="This is your own seat"):
        decide(one=OF_TEAM, by=HOLDER)


def test_not_sure_by_a_member_moves_the_item_to_the_fallback_reviewer() -> None:
    after = decide(Choice.NOT_SURE, one=OF_TEAM)

    assert (after.assignee_id, after.assignee_kind, after.not_sure_by) == (FALLBACK, AssigneeKind.PERSON, REVIEWER)


def test_a_delegation_by_a_member_leaves_the_group_and_comes_back_to_it() -> None:
    passed = hand_over(person(FALLBACK), OF_TEAM)
    back = take_back(passed, campaign(), actor(), HISTORY_OF_TEAM)

    assert (passed.assignee_id, passed.assignee_kind, passed.delegated_by) == (FALLBACK, AssigneeKind.PERSON, REVIEWER)
    assert (back.assignee_id, back.assignee_kind, back.delegated_by) == (TEAM, AssigneeKind.GROUP, None)


def move(to: Any, how: Any, by: Any = None, kind: Any = AssigneeKind.PERSON, reason: Any = None) -> Move:
    return Move(assignee_id=to, kind=kind, how=how, by=by, reason=reason, at=NOW)


HISTORY_OF_TEAM = [
    move(TEAM, AssignedHow.OWNER, kind=AssigneeKind.GROUP),
    move(FALLBACK, AssignedHow.DELEGATED, REVIEWER),
]
TWICE = [
    move(REVIEWER, AssignedHow.MANAGER),
    move(STRANGER, AssignedHow.DELEGATED, REVIEWER, reason="She leads it"),
    move(FALLBACK, AssignedHow.DELEGATED, STRANGER, reason="He pays for it"),
]


def give(one: Any, by: Any, history: Any = (), *, can_take: Any = True) -> Any:
    return give_back(one, campaign(), actor(by), history, can_take=can_take, names=NAMES)


def test_back_to_returns_it_and_counts_as_no_further_hand_over() -> None:
    twice = hand_over(person(FALLBACK), hand_over(person(STRANGER)), by=STRANGER)

    once = give(twice, FALLBACK, TWICE)

    assert (once.assignee_id, once.assigned_how, once.moved_by) == (STRANGER, AssignedHow.GIVEN_BACK, FALLBACK)
    assert (once.delegated_by, once.assigned_reason, once.handovers) == (REVIEWER, "She leads it", 2)
    home = give(once, STRANGER, [*TWICE, move(STRANGER, AssignedHow.GIVEN_BACK, FALLBACK)])
    assert (home.assignee_id, home.delegated_by) == (REVIEWER, None)


def test_back_to_is_refused_where_nobody_passed_it_on_or_nobody_could_take_it() -> None:
    with pytest.raises(Conflict, match="Nobody passed this seat on to you"):
        give(item(), REVIEWER)
    with pytest.raises(Conflict, match=r"Megan Bowen can no longer answer"):
        give(hand_over(person(STRANGER)), STRANGER, can_take=False)
    with pytest.raises(Conflict, match="Undo the answer first"):
        give(answered(Choice.KEEP, hand_over(person(STRANGER)), by=STRANGER), STRANGER)
    with pytest.raises(NotAuthorized):
        give(hand_over(person(STRANGER)), REVIEWER)


def test_an_admins_move_and_not_sure_end_all_delegations() -> None:
    assert [one.by for one in handovers(TWICE)] == [REVIEWER, STRANGER]
    assert handovers([*TWICE, move(REVIEWER, AssignedHow.REASSIGNED)]) == ()
    assert handovers([*TWICE, move(REVIEWER, AssignedHow.NOT_SURE)]) == ()
    assert handovers([move(REVIEWER, AssignedHow.MANAGER)]) == ()


# An admin's move -------------------------------------------------------------------------------------------------------


def test_a_reassigned_item_says_from_whom_and_by_whom_and_may_be_passed_on_anew() -> None:
    after = reassign(item(handovers=3), campaign(), to=person(STRANGER), by=FALLBACK)

    assert (after.assignee_id, after.assigned_how) == (STRANGER, AssignedHow.REASSIGNED)
    assert (after.moved_from, after.moved_by, after.delegated_by, after.handovers) == (REVIEWER, FALLBACK, None, 0)
    assert after.answer is None


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (person(HOLDER), "holds this seat"),
        (person(REVIEWER), "has this seat already"),
        (person(STRANGER, enabled=False), "account is disabled"),
    ],
)
def test_a_seat_is_never_moved_to_its_holder_or_to_who_cannot_review(to: Any, words: Any) -> None:
    with pytest.raises(InvalidRequest, match=words):
        reassign(item(), campaign(), to=to, by=FALLBACK)


def test_an_answered_seat_stays_with_who_answered() -> None:
    with pytest.raises(Conflict, match="stays with who answered"):
        reassign(answered(Choice.KEEP), campaign(), to=person(STRANGER), by=FALLBACK)
    with pytest.raises(Conflict, match="only while it is open"):
        reassign(item(), campaign(state=CampaignState.CLOSING), to=person(STRANGER), by=FALLBACK)


@pytest.mark.parametrize(
    ("one", "silence", "delivered", "removes", "outcome", "reason"),
    [
        (answered(Choice.REVOKE), Silence.KEEP, True, True, None, "approved"),
        (answered(Choice.KEEP), Silence.REMOVE, True, False, Outcome.KEPT, "kept_by_reviewer"),
        (answered(Choice.NOT_SURE), Silence.REMOVE, True, False, Outcome.KEPT, "not_sure"),
        (item(not_sure_by=REVIEWER), Silence.REMOVE, True, False, Outcome.KEPT, "not_sure"),
        (item(), Silence.KEEP, True, False, Outcome.KEPT, "no_answer"),
        (item(), Silence.REMOVE, True, True, None, "by_silence"),
        (item(), Silence.RECOMMENDATION, True, True, None, "by_silence"),
        (item(), Silence.REMOVE, False, False, Outcome.KEPT, "no_card_delivered"),
        (item(assignee_id=None), Silence.REMOVE, True, False, Outcome.KEPT, "no_card_delivered"),
        (item(HELD), Silence.REMOVE, True, False, Outcome.KEPT, "needs_a_person"),
        (item(BLOCKED), Silence.RECOMMENDATION, True, False, Outcome.KEPT, "no_answer"),
        (answered(Choice.REVOKE, item(BLOCKED)), Silence.KEEP, True, False, Outcome.NOT_SUPPORTED, "group_dynamic"),
        (answered(Choice.REVOKE, item(HELD)), Silence.KEEP, True, False, Outcome.HELD, "last_mailbox"),
    ],
)
def test_what_the_close_makes_of_an_item(
    one: Any, silence: Any, delivered: Any, removes: Any, outcome: Any, reason: Any
) -> None:
    made = verdict(one, silence, card_delivered=delivered)

    assert (made.remove, made.outcome, made.reason) == (removes, outcome, reason)


def test_only_what_can_be_written_is_recommended() -> None:
    assert recommend(item().plan).value == "revoke"
    assert recommend(HELD).value == "look_closer"


def test_the_last_day_of_a_keep_is_180_days_ahead() -> None:
    last = NOW.date() + timedelta(days=180)

    assert decide(Choice.KEEP, reason=KeepReason.SEASONAL, keep_until=last).answer.keep_until == last
