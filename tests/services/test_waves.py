"""Lists, reminders and new closing times: who is told what, and when."""

from datetime import date, timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Silence
from reclaim.domain.notices import CampaignOpenNotice, ListGoneNotice
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice
from reclaim.errors import Conflict, DeliveryError
from reclaim.services.jobs import close_job, wave_job
from tests.services.campaign_world import DAY, DUE, HOUR, NORA, CampaignWorld, actor
from tests.services.world import LYNNE, MEGAN, NOW

HALF_WAY = NOW + (DUE - NOW) / 2
TWO_DAYS_BEFORE = DUE - timedelta(days=2)
PASSING = DeliveryError("The channel is down.")


def _reminders(world: CampaignWorld, who: str) -> list[int | None]:
    return [notice.reminder for notice in world.cards(who) if notice.reminder is not None]


async def test_everyone_who_reviews_gets_one_list_and_the_owner_one_card(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", manager=NORA)

    await campaigns.open()

    assert [len(campaigns.cards(who)) for who in (MEGAN, NORA)] == [1, 1]
    owner = campaigns.messenger.to(LYNNE)[-1]
    assert isinstance(owner, CampaignOpenNotice)
    assert (owner.status.items, owner.status.reviewers, owner.status.messages_sent) == (2, 2, 2)


async def test_reminders_go_half_way_and_two_days_before_to_those_with_open_seats_only(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", manager=NORA)
    await campaigns.open()
    await campaigns.keep("ben", by=NORA)

    await campaigns.until(HALF_WAY - HOUR)
    before = _reminders(campaigns, MEGAN)
    await campaigns.until(TWO_DAYS_BEFORE + HOUR)

    assert before == []
    assert _reminders(campaigns, MEGAN) == [1, 2]
    assert _reminders(campaigns, NORA) == []
    assert await campaigns.events(EventKind.REMINDER_SENT) == [EventKind.REMINDER_SENT] * 2


async def test_no_reminder_is_sent_twice_after_a_restart(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.until(HALF_WAY)

    await campaigns.restart()
    await campaigns.wait(HOUR)

    assert _reminders(campaigns, MEGAN) == [1]


async def test_of_reminders_missed_while_down_only_the_newest_is_sent(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()

    campaigns.clock.at = TWO_DAYS_BEFORE + HOUR
    await campaigns.settle()

    assert _reminders(campaigns, MEGAN) == [2]


async def test_a_reminder_that_comes_after_the_last_answer_or_the_close_is_not_sent(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    campaigns.clock.at = HALF_WAY
    await campaigns.due.tick()
    await campaigns.keep("ada")

    await campaigns.engine.drain()

    assert _reminders(campaigns, MEGAN) == []


async def test_a_reminder_that_meets_a_passing_failure_is_tried_again(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    campaigns.messenger.fail(PASSING, times=2)

    await campaigns.until(HALF_WAY)

    assert _reminders(campaigns, MEGAN) == [1]
    assert campaigns.clock.slept == [1.0, 5.0]


async def test_who_loses_the_last_seat_keeps_no_live_list(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.pass_on("ada", NORA)
    await campaigns.settle()
    (item,) = await campaigns.ids("ada")

    await campaigns.delegation.take_back(actor(MEGAN), item, idem_key="back")
    await campaigns.settle()

    assert isinstance(campaigns.messenger.to(NORA)[-1], ListGoneNotice)


async def test_a_list_that_could_not_be_sent_is_sent_by_a_later_tick(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.messenger.fail(PASSING, after=1)  # the owner's card comes first
    with pytest.raises(DeliveryError):
        await campaigns.open()

    await campaigns.settle()
    campaigns.clock.advance(timedelta(minutes=10))
    await campaigns.settle()

    assert [notice.wave.open_count for notice in campaigns.cards(MEGAN)] == [1]


async def test_closing_early_gives_the_grace_and_shows_the_new_time_before_it_counts(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await campaigns.open()
    await campaigns.revoke("ada")

    await campaigns.closing.early(actor(LYNNE), campaigns.campaign_id)
    unshown = await campaigns.campaign()
    await campaigns.settle()
    shown = await campaigns.campaign()
    await campaigns.closing.early(actor(LYNNE), campaigns.campaign_id)
    await campaigns.until(NOW + DAY - HOUR)
    untouched = list(campaigns.writer.writes)
    await campaigns.until(NOW + DAY)

    assert (unshown.closes_at, unshown.shown_close_at, unshown.may_close_at) == (NOW + DAY, DUE, DUE)
    assert shown.shown_close_at == NOW + DAY
    assert campaigns.cards(MEGAN)[1].wave.closes_at == NOW + DAY
    assert untouched == []
    assert [one.at for one in campaigns.writer.writes] == [NOW + DAY]
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.KEPT}


async def test_closing_early_shortly_before_the_due_date_leaves_the_due_date(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.until(DUE - 5 * HOUR)

    closes = (await campaigns.closing.early(actor(LYNNE), campaigns.campaign_id)).closes_at

    assert closes == DUE
    assert await campaigns.events(EventKind.CLOSE_MOVED) == []


async def test_a_closed_campaign_cannot_close_early(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.close()

    with pytest.raises(Conflict, match="only an open campaign can close early"):
        await campaigns.closing.early(actor(LYNNE), campaigns.campaign_id)


@pytest.mark.parametrize("permanent", [True, False])
async def test_a_list_that_cannot_be_redrawn_keeps_the_old_time_for_all_and_the_others_are_told(
    campaigns: CampaignWorld, permanent: bool
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", manager=NORA)
    await campaigns.open()
    await campaigns.revoke("ada")
    if permanent:
        campaigns.messenger.unreachable.add(MEGAN)
    else:
        campaigns.messenger.fail(PASSING)

    await campaigns.closing.early(actor(LYNNE), campaigns.campaign_id)
    await campaigns.engine.drain()
    told = campaigns.cards(NORA)[-1].wave.closes_at
    if permanent:
        await campaigns.until(DUE - HOUR)
        await campaigns.closing.handle(close_job(campaigns.campaign_id, 99))

    assert told == NOW + DAY
    assert (await campaigns.campaign()).shown_close_at == DUE
    assert await campaigns.state() is CampaignState.OPEN
    assert campaigns.writer.writes == []


async def test_a_list_that_is_redrawn_by_a_later_try_lets_the_new_time_count(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    campaigns.messenger.unreachable.add(MEGAN)
    await campaigns.closing.early(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    campaigns.messenger.unreachable.clear()
    campaigns.clock.advance(timedelta(minutes=10))
    await campaigns.settle()

    assert (await campaigns.campaign()).shown_close_at == NOW + DAY


async def test_who_has_passed_everything_on_sees_the_new_time_too(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.pass_on("ada", NORA)
    await campaigns.settle()

    await campaigns.closing.early(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert campaigns.cards(MEGAN)[-1].wave.closes_at == NOW + DAY
    assert (await campaigns.campaign()).shown_close_at == NOW + DAY


async def test_when_all_have_answered_the_close_moves_to_after_the_grace(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.wait(HOUR)
    await campaigns.revoke("ada")

    await campaigns.settle()
    moved = await campaigns.campaign()
    await campaigns.until(NOW + HOUR + DAY)

    assert (moved.closes_at, moved.shown_close_at) == (NOW + HOUR + DAY, NOW + HOUR + DAY)
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_seat_that_somebody_is_not_sure_about_is_still_open_for_the_fallback_reviewer(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    await campaigns.open()

    await campaigns.decide(Choice.NOT_SURE, "ada")
    await campaigns.settle()

    assert (await campaigns.campaign()).closes_at == DUE


async def test_a_reviewer_who_cannot_be_reached_is_named_and_nobody_waits(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.messenger.unreachable.add(MEGAN)

    await campaigns.open(silence=Silence.REMOVE)
    await campaigns.close()

    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.KEPT, "no_card_delivered")


async def test_a_seat_that_arrives_while_a_list_is_drawn_does_not_count_as_shown(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", manager=NORA)
    await campaigns.open()
    late = await campaigns.item("ada")
    campaigns.messenger.during = lambda: campaigns.pass_on("ada", NORA)

    await campaigns.sending.handle_wave(wave_job(campaigns.campaign_id, NORA, "again"))

    async with campaigns.work.read() as work:
        shown = await work.items.delivered_to_assignee([late.id])
    assert late.id not in shown


async def test_a_list_that_is_shown_after_the_close_does_not_count_as_asked(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.messenger.unreachable.add(MEGAN)
    await campaigns.open()
    await campaigns.close()
    campaigns.messenger.unreachable.clear()
    campaigns.messenger.work = None  # so that only the service says what was shown

    await campaigns.sending.handle_wave(wave_job(campaigns.campaign_id, MEGAN, "late"))

    item = await campaigns.item("ada")
    async with campaigns.work.read() as work:
        shown = await work.items.delivered_to_assignee([item.id])
    assert len(campaigns.cards(MEGAN)) == 1
    assert shown == frozenset()


async def test_a_campaign_with_two_due_days_close_together_has_one_reminder(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open(due=date(2026, 11, 24))

    await campaigns.until(NOW + 2 * DAY)

    assert _reminders(campaigns, MEGAN) == [1]


async def test_trap_18_a_seat_that_could_not_be_given_back_is_told_before_it_is_revoked(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    campaigns.change("ben", usage_location="CH")
    await campaigns.open()

    views = {ref: await campaigns.waves.item((await campaigns.item(ref)).id, MEGAN) for ref in ("ada", "ben")}

    assert (views["ada"].no_usage_location, views["ben"].no_usage_location) == (True, False)
