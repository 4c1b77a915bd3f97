"""What admins do to a running campaign: move seats, extend, cancel, remind. None of it decides a seat."""

from datetime import date, timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Silence
from reclaim.domain.ids import PersonId
from reclaim.domain.notices import CampaignOpenNotice
from reclaim.domain.read_models import Moved
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice
from reclaim.domain.roles import Actor, Role
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized, NotFound
from reclaim.services.explain_seat import ExplainSeat
from reclaim.services.jobs import open_job
from tests.services.campaign_world import DAY, DUE, HOUR, NORA, CampaignWorld, actor
from tests.services.world import ALLAN, LYNNE, MEGAN, NOW, draft

OPERATOR = Actor(id=PersonId("operator:root"), channel="console", roles=frozenset({Role.OPERATOR}))
LATER = date(2026, 12, 18)
LATER_END = DUE + timedelta(days=14)


async def three(world: CampaignWorld, *, silence: Silence = Silence.KEEP) -> None:
    for ref in ("ada", "ben", "cleo"):
        world.hire(ref)
    await world.open(silence=silence)


def reminders(world: CampaignWorld, who: str) -> list[int | None]:
    return [notice.reminder for notice in world.cards(who) if notice.reminder is not None]


# Reassign --------------------------------------------------------------------------------------------------------------


async def test_all_open_seats_of_a_reviewer_move_and_what_is_answered_stays(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    await campaigns.revoke("ada")

    moved = await campaigns.reassigning.of_reviewer(actor(LYNNE), campaigns.campaign_id, MEGAN, "Nora Example")
    await campaigns.settle()

    assert moved == Moved(seats=2, to_name="Nora Example")
    assert {item.person_id: item.assignee_id for item in await campaigns.items()} == {
        "ada": MEGAN, "ben": NORA, "cleo": NORA,
    }  # fmt: skip
    old, new = campaigns.cards(MEGAN)[-1].wave, campaigns.cards(NORA)[-1].wave
    assert [(row.with_name, row.moved_by_name) for row in old.moved_away] == [("Nora Example", "Lynne Example")] * 2
    assert (old.open_count, len(old.answered), new.open_count) == (0, 1, 2)
    assert await campaigns.events(EventKind.ITEM_REASSIGNED) == [EventKind.ITEM_REASSIGNED] * 2
    with pytest.raises(NotAuthorized, match="with Nora Example now"):
        await campaigns.revoke("ben")
    await campaigns.revoke("ben", by=NORA)


async def test_a_seat_is_never_moved_to_its_holder(campaigns: CampaignWorld) -> None:
    campaigns.hire(NORA, manager=MEGAN)
    await three(campaigns)

    moved = await campaigns.reassigning.of_reviewer(actor(LYNNE), campaigns.campaign_id, MEGAN, NORA)

    assert moved == Moved(seats=3, to_name="Nora Example", stayed=(("holder", 1),))
    assert (await campaigns.item(NORA)).assignee_id == MEGAN
    with pytest.raises(InvalidRequest, match="Nora Example holds this seat"):
        await campaigns.reassigning.of_holder(actor(LYNNE), campaigns.campaign_id, NORA, NORA)


async def test_one_holders_seat_moves_from_the_command_line_too(campaigns: CampaignWorld) -> None:
    await three(campaigns)

    await campaigns.reassigning.of_holder(OPERATOR, campaigns.campaign_id, "ben", "allan")
    await campaigns.settle()

    assert (await campaigns.item("ben")).moved_by == OPERATOR.id
    assert campaigns.cards(ALLAN)[-1].wave.open_count == 1


async def test_moving_says_what_is_wrong(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    move = campaigns.reassigning.of_reviewer

    with pytest.raises(InvalidRequest, match="Nothing is open with “nora”"):
        await move(actor(LYNNE), campaigns.campaign_id, NORA, ALLAN)
    with pytest.raises(InvalidRequest, match="has this seat already"):
        await move(actor(LYNNE), campaigns.campaign_id, MEGAN, MEGAN)
    with pytest.raises(NotFound, match="Did you mean Nora Example"):
        await move(actor(LYNNE), campaigns.campaign_id, MEGAN, "Nora Exmple")
    with pytest.raises(InvalidRequest, match="No seat of Nora Example is open"):
        await campaigns.reassigning.of_holder(actor(LYNNE), campaigns.campaign_id, NORA, ALLAN)
    await campaigns.until(DUE)
    with pytest.raises((Conflict, InvalidRequest)):
        await move(actor(LYNNE), campaigns.campaign_id, MEGAN, NORA)


async def test_a_move_ends_a_delegation_and_lets_the_seat_be_passed_on_anew(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    await campaigns.pass_on("ada", NORA)

    await campaigns.reassigning.of_holder(actor(LYNNE), campaigns.campaign_id, "ada", ALLAN)

    item = await campaigns.item("ada")
    assert (item.delegated_by, item.handovers) == (None, 0)
    with pytest.raises(NotAuthorized, match="Only who passed"):
        await campaigns.delegation.take_back(actor(MEGAN), item.id, idem_key="back")


# Extend ----------------------------------------------------------------------------------------------------------------


async def test_an_extension_moves_the_close_and_every_open_card_shows_it(campaigns: CampaignWorld) -> None:
    await three(campaigns)

    await campaigns.steering.extend(actor(LYNNE), campaigns.campaign_id, LATER)
    await campaigns.settle()

    campaign = await campaigns.campaign()
    assert (campaign.due_at, campaign.closes_at, campaign.shown_close_at) == (LATER_END,) * 3
    assert campaigns.cards(MEGAN)[-1].wave.closes_at == LATER_END
    await campaigns.until(DUE + HOUR)
    assert await campaigns.state() is CampaignState.OPEN
    await campaigns.until(LATER_END)
    assert await campaigns.state() is CampaignState.CLOSED
    assert await campaigns.events(EventKind.CAMPAIGN_EXTENDED) == [EventKind.CAMPAIGN_EXTENDED]


async def test_reminders_follow_an_extension_also_after_both_were_sent(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    await campaigns.until(DUE - DAY)
    assert reminders(campaigns, MEGAN) == [1, 2]

    await campaigns.steering.extend(actor(LYNNE), campaigns.campaign_id, LATER)
    await campaigns.settle()
    assert reminders(campaigns, MEGAN) == [1, 2]
    await campaigns.until(LATER_END - DAY)

    assert reminders(campaigns, MEGAN) == [1, 2, 1, 2]


async def test_an_extension_is_never_earlier_than_shown_and_needs_somebody_to_wait_for(
    campaigns: CampaignWorld,
) -> None:
    await three(campaigns)
    extend = campaigns.steering.extend

    with pytest.raises(InvalidRequest, match="open until 4 Dec 2026 already"):
        await extend(actor(LYNNE), campaigns.campaign_id, date(2026, 12, 4))
    await campaigns.revoke("ada", "ben", "cleo")
    with pytest.raises(Conflict, match="Everybody has answered"):
        await extend(actor(LYNNE), campaigns.campaign_id, LATER)
    assert (await campaigns.campaign()).closes_at == DUE


# Cancel ----------------------------------------------------------------------------------------------------------------


async def test_a_cancelled_campaign_removes_nothing_and_every_card_says_so(campaigns: CampaignWorld) -> None:
    await three(campaigns, silence=Silence.REMOVE)
    await campaigns.revoke("ada")

    await campaigns.steering.cancel(actor(LYNNE), campaigns.campaign_id, "the wrong list")
    await campaigns.settle()
    await campaigns.until(DUE + DAY)

    assert await campaigns.state() is CampaignState.CANCELLED
    assert campaigns.writer.writes == []
    wave = campaigns.cards(MEGAN)[-1].wave
    assert (wave.campaign_state, wave.cancelled_by_name) == (CampaignState.CANCELLED, "Lynne Example")
    owner = campaigns.messenger.to(LYNNE)[-1]
    assert isinstance(owner, CampaignOpenNotice)
    assert (owner.status.cancelled_by_name, owner.status.cancel_reason) == ("Lynne Example", "the wrong list")
    with pytest.raises(Conflict, match="cancelled"):
        await campaigns.revoke("ben")
    with pytest.raises(Conflict, match="can no longer be cancelled"):
        await campaigns.steering.cancel(actor(LYNNE), campaigns.campaign_id, None)
    assert await campaigns.events(EventKind.CAMPAIGN_CANCELLED) == [EventKind.CAMPAIGN_CANCELLED]


async def test_after_a_cancel_the_seats_can_be_asked_about_again(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    await campaigns.steering.cancel(actor(LYNNE), campaigns.campaign_id, None)

    second = await campaigns.open(ref="draft-2")

    assert len(await campaigns.items(second)) == 3


async def test_why_says_that_the_campaign_was_cancelled(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    before = await ExplainSeat(work=campaigns.work, clock=campaigns.clock, policy=campaigns.policy).why("ada")
    await campaigns.steering.cancel(actor(LYNNE), campaigns.campaign_id, None)

    after = await ExplainSeat(work=campaigns.work, clock=campaigns.clock, policy=campaigns.policy).why("ada")

    assert [seat.cancelled for seat in (*before.seats, *after.seats)] == [False, True]


async def test_a_cancel_while_the_campaign_opens_leaves_no_open_question(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.sync()
    await campaigns.launching.put_draft(actor(LYNNE), draft("draft-1"))
    campaigns.campaign_id = (await campaigns.launching.launch(actor(LYNNE), "draft-1")).id

    await campaigns.steering.cancel(actor(LYNNE), campaigns.campaign_id, None)
    await campaigns.opening.handle(open_job(campaigns.campaign_id))
    await campaigns.settle()

    assert await campaigns.state() is CampaignState.CANCELLED
    assert await campaigns.items() == []
    assert campaigns.cards(MEGAN) == []
    assert len(await campaigns.items(await campaigns.open(ref="draft-2"))) == 1


async def test_a_campaign_that_is_closing_is_not_cancelled(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    await campaigns.revoke("ada")
    await campaigns.until(DUE)

    with pytest.raises(Conflict, match="can no longer be cancelled"):
        await campaigns.steering.cancel(actor(LYNNE), campaigns.campaign_id, None)
    assert (await campaigns.outcomes())["ada"] is Outcome.REMOVED


# Nudge -----------------------------------------------------------------------------------------------------------------


async def test_who_has_open_seats_is_reminded_at_most_once_in_24_hours(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", manager=NORA)
    campaigns.hire("cleo", manager=ALLAN)
    await campaigns.open()
    await campaigns.keep("cleo", by=ALLAN)
    nudge = campaigns.nudging.nudge

    first = await nudge(actor(LYNNE), campaigns.campaign_id)
    second = await nudge(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert (first.reminded, first.waiting) == (2, 0)
    assert (second.reminded, second.waiting, second.next_at) == (0, 2, NOW + DAY)
    assert [reminders(campaigns, who) for who in (MEGAN, NORA, ALLAN)] == [[0], [0], []]
    assert campaigns.cards(MEGAN)[-1].asked_by == "Lynne Example"
    assert (await campaigns.status()).nudgeable == 0
    campaigns.clock.at = NOW + DAY
    assert (await nudge(actor(LYNNE), campaigns.campaign_id)).reminded == 2
    assert await campaigns.events(EventKind.NUDGED) == [EventKind.NUDGED] * 2


async def test_an_automatic_reminder_counts_too(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.until(DUE - timedelta(days=2))

    found = await campaigns.nudging.nudge(OPERATOR, campaigns.campaign_id)

    assert (found.reminded, found.next_at) == (0, DUE - timedelta(days=1))


async def test_one_person_is_reminded_and_one_without_an_open_seat_is_not(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", manager=NORA)
    await campaigns.open()

    found = await campaigns.nudging.nudge(OPERATOR, campaigns.campaign_id, "Nora Example")
    await campaigns.settle()

    assert (found.reminded, reminders(campaigns, MEGAN), reminders(campaigns, NORA)) == (1, [], [0])
    assert campaigns.cards(NORA)[-1].asked_by is None
    with pytest.raises(InvalidRequest, match="has no open seat"):
        await campaigns.nudging.nudge(actor(LYNNE), campaigns.campaign_id, ALLAN)


# A reviewer's own moves ------------------------------------------------------------------------------------------------


async def test_a_delegation_takes_the_other_open_seats_along(campaigns: CampaignWorld) -> None:
    campaigns.hire(NORA, manager=MEGAN)
    await three(campaigns)
    await campaigns.keep("cleo")

    moved = await campaigns.delegation.delegate(
        actor(MEGAN), await campaigns.ids("ada"), NORA, "knows the team", idem_key="k", others=True
    )
    await campaigns.settle()

    assert moved == Moved(seats=2, stayed=(("holder", 1),))
    assert {item.person_id: item.assignee_id for item in await campaigns.items()} == {
        "ada": NORA, "ben": NORA, "cleo": MEGAN, NORA: MEGAN,
    }  # fmt: skip
    assert campaigns.cards(NORA)[-1].wave.open_count == 2


async def test_back_to_returns_the_seat_to_who_passed_it_on_and_tells_them(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    await campaigns.pass_on("ada", NORA)
    await campaigns.settle()
    item = await campaigns.item("ada")

    to = await campaigns.delegation.give_back(actor(NORA), item.id, idem_key="k")
    await campaigns.settle()

    back = await campaigns.item("ada")
    assert (to, back.assignee_id, back.handovers, back.delegated_by) == ("Megan Example", MEGAN, 1, None)
    shown = campaigns.cards(MEGAN)[-1].wave
    assert [row.moved_by_name for row in shown.open_rows if row.item.id == item.id] == ["Nora Example"]
    assert await campaigns.events(EventKind.ITEM_GIVEN_BACK) == [EventKind.ITEM_GIVEN_BACK]
    with pytest.raises(NotAuthorized):
        await campaigns.decide(Choice.KEEP, "ada", by=NORA)


async def test_a_seat_goes_back_step_by_step_and_not_to_who_can_no_longer_review(campaigns: CampaignWorld) -> None:
    await three(campaigns)
    await campaigns.pass_on("ada", NORA)
    await campaigns.pass_on("ada", ALLAN, by=NORA)
    item = await campaigns.item("ada")
    await campaigns.delegation.give_back(actor(ALLAN), item.id, idem_key="k1")

    once = await campaigns.item("ada")
    assert (once.assignee_id, once.delegated_by, once.assigned_reason) == (NORA, MEGAN, "knows the team")
    campaigns.change(MEGAN, enabled=False)
    await campaigns.sync()
    with pytest.raises(Conflict, match="Megan Example can no longer answer"):
        await campaigns.delegation.give_back(actor(NORA), item.id, idem_key="k2")
