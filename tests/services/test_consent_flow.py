"""A consent program from the candidate to the receipt: who is asked, what an answer or silence does, and the way back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cards import text as terminal
from cards.consent import appeal_card, removed_card
from reclaim.domain.attestation import EventKind
from reclaim.domain.consent import ApprovedBy, ConsentRequest, NoUse, RequestState, StillUsed
from reclaim.domain.consent_appeal import ConsentAppealState
from reclaim.domain.consent_views import ConsentView
from reclaim.domain.ids import GroupId, PersonId
from reclaim.domain.membership import Result
from reclaim.domain.notices import ConsentAppealNotice, ConsentRunNotice
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized, NotFound
from reclaim.services.usage_of import UseOf
from storage.repositories.consents import SqlConsents
from tests.services.campaign_world import DAY, HOUR, ROSA, CampaignWorld, actor
from tests.services.consent_world import (
    MIRO_GROUP,
    asked,
    changes_of,
    events_of,
    in_group,
    member,
    nested,
    open_program,
    over,
    receipts,
    request_of,
    requests,
    run,
    use,
)
from tests.services.world import ALLAN, LYNNE, MEGAN

MINUTE = timedelta(minutes=1)


class KilledError(BaseException):
    """The process ends here: nothing catches it."""


async def test_who_gives_it_up_leaves_the_group_after_a_grace_and_reads_that_it_is_gone(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    await run(world, program)
    (question,) = asked(world, "ada")
    request = await request_of(world, "ada")

    await world.consent.answer.agree(actor("ada"), request.id)
    await world.settle()
    assert in_group(world, "ada")
    await world.wait(11 * MINUTE)

    assert not in_group(world, "ada")
    ended = await request_of(world, "ada")
    assert (ended.state, ended.approved_by, ended.why) == (RequestState.REMOVED, ApprovedBy.HOLDER, "gone")
    assert question.view.request.no_use.unused_days == 45
    shown = [one for one in world.messenger.sent if one.person == "ada"][-1]
    assert shown.updated
    assert receipts(world, "ada") == []  # their own card says it
    changes = [kind for kind in await events_of(world, program) if kind.value.startswith("change_")]
    assert changes == [
        EventKind.CHANGE_INTENDED,
        EventKind.CHANGE_WRITTEN,
        EventKind.CHANGE_ENDED,
    ]


async def test_undo_within_the_grace_costs_nothing_and_opens_the_question_again(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    request = await request_of(world, "ada")
    await world.consent.answer.agree(actor("ada"), request.id)

    await world.consent.answer.withdraw(actor("ada"), request.id)
    await world.wait(HOUR)

    again = await request_of(world, "ada")
    assert (again.state, again.approved_by) == (RequestState.ASKED, None)
    assert in_group(world, "ada")
    (change,) = await changes_of(world, request.id)
    assert change.result is Result.WITHDRAWN
    await world.consent.answer.agree(actor("ada"), request.id)
    await world.wait(HOUR)
    assert not in_group(world, "ada")


async def test_undo_comes_too_late_once_the_write_is_on_its_way(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    request = await request_of(world, "ada")
    await world.consent.answer.agree(actor("ada"), request.id)
    refused: list[Conflict] = []

    async def undo() -> None:
        with pytest.raises(Conflict) as error:
            await world.consent.answer.withdraw(actor("ada"), request.id)
        refused.append(error.value)

    world.writer.during = undo
    await world.wait(HOUR)

    assert "being removed" in refused[0].message
    assert (await request_of(world, "ada")).state is RequestState.REMOVED


async def test_who_still_uses_it_keeps_it_and_is_not_asked_again_before_the_cooldown_is_over(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, cooldown_days=60)
    await run(world, program)
    request = await request_of(world, "ada")

    view = await world.consent.answer.keep(
        actor("ada"), request.id, reason=StillUsed.OTHER_DEVICE, note="On my tablet."
    )
    world.clock.advance(59 * DAY)
    world.use.newest = world.clock.now()
    await run(world, program)

    assert (view.request.state, view.request.reason) == (RequestState.KEPT, StillUsed.OTHER_DEVICE)
    assert len(asked(world, "ada")) == 1
    world.clock.advance(2 * DAY)
    world.use.newest = world.clock.now()
    await run(world, program)
    assert len(asked(world, "ada")) == 2


async def test_still_used_restarts_the_clock_even_where_the_cooldown_is_shorter(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, cooldown_days=10, unused_days=30)
    await run(world, program)
    await world.consent.answer.keep(actor("ada"), (await request_of(world, "ada")).id, reason=None)

    world.clock.advance(29 * DAY)
    world.use.newest = world.clock.now()
    await run(world, program)

    assert len(asked(world, "ada")) == 1


async def test_later_asks_again_after_a_week_and_only_once(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    request = await request_of(world, "ada")

    await world.consent.answer.later(actor("ada"), request.id)
    await world.wait(6 * DAY)
    assert (await request_of(world, "ada")).state is RequestState.LATER
    await world.wait(2 * DAY)

    again = await request_of(world, "ada")
    assert again.state is RequestState.ASKED
    assert len(asked(world, "ada")) == 2
    with pytest.raises(Conflict, match="once already"):
        await world.consent.answer.later(actor("ada"), request.id)


async def test_the_manager_decides_what_the_holder_wants_to_keep_where_the_program_says_so(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    member(world, "ada")
    member(world, "ben")
    await run(world, await open_program(world, keep_decided_by="manager"))
    for who in ("ada", "ben"):
        await world.consent.answer.keep(actor(who), (await request_of(world, who)).id, reason=StillUsed.USES_IT)
    await world.settle()
    assert len(asked(world, MEGAN)) == 2

    with pytest.raises(NotAuthorized):
        await world.consent.answer.decide(actor("ada"), (await request_of(world, "ada")).id, take=True)
    await world.consent.answer.decide(actor(MEGAN), (await request_of(world, "ada")).id, take=True)
    await world.consent.answer.decide(actor(MEGAN), (await request_of(world, "ben")).id, take=False)
    await world.wait(HOUR)

    assert (in_group(world, "ada"), in_group(world, "ben")) == (False, True)
    assert (await request_of(world, "ada")).approved_by is ApprovedBy.MANAGER
    (receipt,) = receipts(world, "ada")
    assert receipt.view.can_come_back


async def test_a_manager_who_is_silent_takes_nothing_away(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world, on_silence="escalate"))

    await world.wait(9 * DAY)
    assert (await request_of(world, "ada")).manager_id == MEGAN
    await world.wait(9 * DAY)

    ended = await request_of(world, "ada")
    assert (ended.state, ended.why) == (RequestState.EXPIRED, "manager_silent")
    assert in_group(world, "ada")


async def test_without_a_manager_the_fallback_reviewer_decides(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    world.change("ada", manager_id=None)
    await run(world, await open_program(world, keep_decided_by="manager"))

    await world.consent.answer.keep(actor("ada"), (await request_of(world, "ada")).id, reason=None)

    assert (await request_of(world, "ada")).manager_id == ALLAN


@pytest.mark.parametrize(
    ("silence", "state", "stays"),
    [("keep", RequestState.EXPIRED, True), ("remove", RequestState.REMOVED, False)],
)
async def test_silence_does_what_the_program_says(
    campaigns: CampaignWorld, silence: str, state: RequestState, stays: bool
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, on_silence=silence, reminders=2)
    await run(world, program)

    await world.wait(over(program))

    assert (await request_of(world, "ada")).state is state
    assert in_group(world, "ada") is stays
    assert len(asked(world, "ada")) == 3  # the question and two reminders
    assert len({one.matter for one in receipts(world, "ada")}) == (0 if stays else 1)


async def test_silence_removes_nothing_from_whom_no_card_has_reached(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    world.messenger.unreachable.add(PersonId("ada"))
    program = await open_program(world, on_silence="remove")

    await run(world, program)
    await world.wait(over(program))

    ended = await request_of(world, "ada")
    assert (ended.state, ended.why) == (RequestState.UNREACHED, "no_chat")
    assert in_group(world, "ada")


async def test_a_program_that_does_not_ask_takes_it_and_tells_the_holder_how_to_get_it_back(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, ask=False)

    await run(world, program)

    assert not in_group(world, "ada")
    assert asked(world, "ada") == []
    (receipt,) = receipts(world, "ada")
    assert receipt.view.request.approved_by is ApprovedBy.PROGRAM
    await world.consent.answer.give_back(actor("ada"), receipt.view.request.id)
    await world.settle()
    assert in_group(world, "ada")
    assert receipts(world, "ada")[-1].view.restore is not None
    with pytest.raises(Conflict, match="back already"):
        await world.consent.answer.give_back(actor("ada"), receipt.view.request.id)


async def test_what_was_taken_comes_back_only_within_the_window_and_only_for_the_holder_or_who_runs_programs(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    member(world, "ada")
    member(world, "ben")
    await run(world, await open_program(world, ask=False))
    ada, ben = await request_of(world, "ada"), await request_of(world, "ben")

    with pytest.raises(NotAuthorized):
        await world.consent.answer.give_back(actor("ben"), ada.id)
    await world.consent.answer.give_back(actor(ROSA), ada.id)
    await world.wait(31 * DAY)
    with pytest.raises(Conflict, match="more than 30 days ago"):
        await world.consent.answer.give_back(actor("ben"), ben.id)

    assert (in_group(world, "ada"), in_group(world, "ben")) == (True, False)


async def test_an_appeal_goes_to_the_manager_who_gives_it_back(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world, ask=False))
    request = await request_of(world, "ada")
    with pytest.raises(InvalidRequest, match="one sentence"):
        await world.consent.appeals.appeal(actor("ada"), request.id, "  ")
    with pytest.raises(NotAuthorized):
        await world.consent.appeals.appeal(actor(MEGAN), request.id, "She needs it.")

    await world.consent.appeals.appeal(actor("ada"), request.id, "I need it for the plans.")
    await world.settle()
    with pytest.raises(Conflict, match="appealed already"):
        await world.consent.appeals.appeal(actor("ada"), request.id, "Really.")
    (asked_of,) = [one for one in world.messenger.to(MEGAN) if isinstance(one, ConsentAppealNotice)]
    assert asked_of.view.appeal is not None
    with pytest.raises(NotAuthorized):
        await world.consent.appeals.answer(actor("ada"), request.id, give=True)
    await world.consent.appeals.answer(actor(MEGAN), request.id, give=True)
    await world.settle()

    assert in_group(world, "ada")
    with pytest.raises(Conflict):
        await world.consent.appeals.answer(actor(MEGAN), request.id, give=False)


@pytest.mark.parametrize(("answered", "state"), [(True, "refused"), (False, "lapsed")])
async def test_an_appeal_that_is_refused_or_not_answered_leaves_it_removed_and_says_so(
    campaigns: CampaignWorld, answered: bool, state: str
) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world, ask=False))
    request = await request_of(world, "ada")
    await world.consent.appeals.appeal(actor("ada"), request.id, "I need it.")
    if answered:
        await world.consent.appeals.answer(actor(MEGAN), request.id, give=False, reason="Not any more.")

    await world.wait(6 * DAY)

    appeal = receipts(world, "ada")[-1].view.appeal
    assert appeal is not None
    assert appeal.state.value == state
    assert not in_group(world, "ada")


async def appealed(world: CampaignWorld) -> ConsentRequest:
    """Take it from Ada without asking, and let her appeal."""
    member(world, "ada")
    await run(world, await open_program(world, ask=False))
    request = await request_of(world, "ada")
    await world.consent.appeals.appeal(actor("ada"), request.id, "I need it.")
    await world.settle()
    return request


def appeal_to(world: CampaignWorld, who: str) -> ConsentView:
    """Return the appeal as who decides was shown it last."""
    return [one for one in world.messenger.to(who) if isinstance(one, ConsentAppealNotice)][-1].view


async def test_why_an_appeal_is_refused_is_kept_whole_or_refused_never_cut(campaigns: CampaignWorld) -> None:
    world = campaigns
    request = await appealed(world)

    with pytest.raises(InvalidRequest, match="at most 500 characters") as refused:
        await world.consent.appeals.answer(actor(MEGAN), request.id, give=False, reason="x" * 501)
    view = await world.consent.appeals.answer(actor(MEGAN), request.id, give=False, reason="x" * 500)

    assert refused.value.field == "reason"
    assert view.appeal is not None
    assert view.appeal.reason == "x" * 500


@pytest.mark.parametrize("call", ["add_change", "save_appeal"])
async def test_a_kill_while_an_appeal_is_granted_leaves_nothing_half_done_and_nobody_is_told_wrongly(
    campaigns: CampaignWorld, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    world = campaigns
    request = await appealed(world)

    async def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(SqlConsents, call, killed)
        with pytest.raises(KilledError):
            await world.consent.appeals.answer(actor(MEGAN), request.id, give=True)
    await world.settle()
    open_still = appeal_to(world, MEGAN)
    await world.consent.appeals.answer(actor(MEGAN), request.id, give=True)
    await world.wait(6 * DAY)

    assert open_still.appeal is not None
    assert (open_still.appeal.state, open_still.restore) == (ConsentAppealState.OPEN, None)
    assert in_group(world, "ada")
    told = receipts(world, "ada")[-1].view
    assert told.appeal is not None
    assert told.appeal.state is ConsentAppealState.GRANTED
    assert "Miro is back" in terminal.render(removed_card(told, "UTC"))
    assert "You gave it back." in terminal.render(appeal_card(appeal_to(world, MEGAN), "UTC"))


async def test_an_appeal_is_settled_where_the_holder_takes_it_back_meanwhile(campaigns: CampaignWorld) -> None:
    world = campaigns
    request = await appealed(world)

    await world.consent.answer.give_back(actor("ada"), request.id)
    with pytest.raises(Conflict, match="back already, or coming back"):
        await world.consent.appeals.answer(actor(MEGAN), request.id, give=False)
    await world.settle()

    drawn = terminal.render(appeal_card(appeal_to(world, MEGAN), "UTC"))
    assert "It came back in another way." in drawn
    assert "stays removed" not in drawn
    assert (await world.consent.appeals.lapse_due(), in_group(world, "ada")) == (0, True)


async def test_an_appeal_whose_time_is_over_while_it_is_coming_back_does_not_say_that_it_stays_away(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    request = await appealed(world)
    await world.freezing.freeze(actor(LYNNE), "something is odd")
    await world.wait(4 * DAY)
    await world.consent.answer.give_back(actor("ada"), request.id)

    await world.wait(2 * DAY)

    appeal = receipts(world, "ada")[-1].view.appeal
    assert appeal is not None
    assert (appeal.state, in_group(world, "ada")) == (ConsentAppealState.SETTLED, False)


async def test_who_gave_it_up_has_nothing_to_appeal(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    request = await request_of(world, "ada")
    await world.consent.answer.agree(actor("ada"), request.id)
    await world.wait(HOUR)

    with pytest.raises(Conflict, match="nothing to appeal"):
        await world.consent.appeals.appeal(actor("ada"), request.id, "I changed my mind.")


async def test_who_is_in_the_program_for_nothing_is_recorded_with_the_reason(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    member(world, "used", unused=3)
    member(world, "unknown", unused=None)
    member(world, "outsider")
    world.directory.members[MIRO_GROUP].remove(PersonId("outsider"))
    world.hire("deep")
    nested(world, GroupId("inner"), "deep")
    member(world, "deep")
    world.directory.members[MIRO_GROUP].remove(PersonId("deep"))
    world.directory.group_facts[MIRO_GROUP] = replace(world.directory.group_facts[MIRO_GROUP], has_nested_groups=True)
    program = await open_program(world)

    await run(world, program)

    # A group with groups in it is nobody's to change for us: rule 6.
    assert await requests(world, program) == {"ada": "by_hand", "outsider": "not_a_member", "deep": "by_hand"}
    deep = await request_of(world, "deep")
    assert (deep.why, deep.detail) == ("group_nested", "Inner circle")
    (told,) = [one for one in world.messenger.to(LYNNE) if isinstance(one, ConsentRunNotice)]
    assert told.run.run.counts == {"by_hand": 2, "not_a_member": 1, "used": 1, "unknown": 1}
    assert told.run.run.looked_at == 5
    assert asked(world, "ada") == []


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        ({"dynamic": True}, "group_dynamic"),
        ({"synced": True}, "group_synced"),
        ({"mail_enabled": True}, "group_mail_enabled"),
        ({"role_assignable": True}, "group_role_assignable"),
        ({"restricted": True}, "group_restricted"),
    ],
)
async def test_a_group_that_is_not_ours_to_change_makes_a_task_of_each_candidate(
    campaigns: CampaignWorld, fact: dict[str, bool], why: str
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, ask=False)
    world.directory.group_facts[MIRO_GROUP] = replace(world.directory.group_facts[MIRO_GROUP], **fact)  # type: ignore[arg-type]

    await run(world, program)

    assert ((await request_of(world, "ada")).state, (await request_of(world, "ada")).why) == (
        RequestState.BY_HAND,
        why,
    )
    assert in_group(world, "ada")


async def test_a_group_that_becomes_dynamic_between_agreement_and_write_is_left_alone(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)
    world.directory.group_facts[MIRO_GROUP] = replace(world.directory.group_facts[MIRO_GROUP], dynamic=True)

    await world.wait(HOUR)

    assert (await request_of(world, "ada")).state is RequestState.BY_HAND
    assert in_group(world, "ada")


async def test_trap_25_still_a_member_through_another_group_is_said(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)

    async def nest() -> None:
        nested(world, GroupId("inner"), "ada")

    world.writer.during = nest
    await world.wait(HOUR)

    ended = await request_of(world, "ada")
    assert (ended.state, ended.detail) == (RequestState.STILL_THERE, "Inner circle")


async def test_who_uses_it_again_before_an_enforced_write_keeps_it(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, on_silence="remove")
    await run(world, program)
    world.use.rows[PersonId("ada")] = use("ada", 2)

    await world.wait(over(program))

    assert (await request_of(world, "ada")).state is RequestState.USED_AGAIN
    assert in_group(world, "ada")


async def test_who_used_it_again_keeps_it_also_where_the_source_tells_days_only(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, on_silence="remove")
    await run(world, program)
    no_use = NoUse(last_used_at=None, unused_days=3, device=None, source="csv", observed_at=world.clock.now())
    world.use.rows[PersonId("ada")] = UseOf(person_id=PersonId("ada"), no_use=no_use)

    await world.wait(over(program))

    assert (await request_of(world, "ada")).state is RequestState.USED_AGAIN
    assert in_group(world, "ada")


@pytest.mark.parametrize("gone", [True, False], ids=["no row", "rows too old"])
async def test_whose_use_is_not_known_any_more_is_not_removed_without_a_word(
    campaigns: CampaignWorld, gone: bool
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, on_silence="remove")
    await run(world, program)
    if gone:
        del world.use.rows[PersonId("ada")]
    else:
        world.use.rows[PersonId("ada")] = use("ada", None)

    await world.wait(over(program))

    assert (await request_of(world, "ada")).state is RequestState.USE_UNKNOWN
    assert in_group(world, "ada")


async def test_who_agrees_is_removed_whatever_the_source_still_knows(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)
    del world.use.rows[PersonId("ada")]

    await world.wait(HOUR)

    assert (await request_of(world, "ada")).state is RequestState.REMOVED


async def test_who_leaves_in_between_ends_as_left(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)
    world.directory.remove(PersonId("ada"))

    await world.wait(HOUR)

    assert (await request_of(world, "ada")).state is RequestState.LEFT


async def test_only_the_holder_answers_and_nobody_else_sees_the_question(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    request = await request_of(world, "ada")

    with pytest.raises(NotAuthorized):
        await world.consent.answer.agree(actor(MEGAN), request.id)
    with pytest.raises(NotAuthorized):
        await world.consent.answer.keep(actor(LYNNE), request.id, reason=None)
    with pytest.raises(NotFound):
        await world.consent.read.view(request.id, MEGAN)
    assert (await request_of(world, "ada")).state is RequestState.ASKED
