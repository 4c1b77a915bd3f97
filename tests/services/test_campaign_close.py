"""The close: verdicts, silence, limits, dry runs, retry and abandon."""

from dataclasses import replace
from datetime import date

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Limits, Silence, WriteMode
from reclaim.domain.ids import CampaignId
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice, Waiting
from reclaim.errors import Conflict, GuardrailExceeded, NotFound, WriteBackError
from reclaim.services.jobs import close_job
from tests.books import open_books
from tests.fakes import Killed
from tests.services.campaign_world import DUE, HOUR, NORA, POLICY, CampaignWorld, actor
from tests.services.world import ALLAN, E3, LYNNE, MEGAN, PROJECT, VISIO, VISIO_GROUP, seat

REFUSED = WriteBackError("Microsoft refuses.", permanent=True, maybe_applied=False, status=403)


@pytest.mark.parametrize(
    ("silence", "recommended", "look_closer"),
    [
        (Silence.KEEP, Outcome.KEPT, Outcome.KEPT),
        (Silence.RECOMMENDATION, Outcome.REMOVED, Outcome.KEPT),
        (Silence.REMOVE, Outcome.REMOVED, Outcome.KEPT),
    ],
)
async def test_silence_does_what_the_campaign_says_and_never_more(
    campaigns: CampaignWorld, silence: Silence, recommended: Outcome, look_closer: Outcome
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", seat("ben", E3))  # held: the last mailbox

    await campaigns.open(silence=silence)
    await campaigns.close()

    assert await campaigns.outcomes() == {"ada": recommended, "ben sku-e3": look_closer}


async def test_silence_keeps_what_has_no_delivered_card_even_where_the_reviewer_before_had_one(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await campaigns.open(silence=Silence.REMOVE)
    campaigns.messenger.unreachable.add(NORA)

    await campaigns.pass_on("ada", NORA)
    await campaigns.close()

    assert await campaigns.outcomes() == {"ada": Outcome.KEPT, "ben": Outcome.REMOVED}


async def test_silence_keeps_what_somebody_was_not_sure_about(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open(silence=Silence.REMOVE)

    await campaigns.decide(Choice.NOT_SURE, "ada")
    await campaigns.close()

    assert [notice.wave.open_count for notice in campaigns.cards(ALLAN)[:1]] == [1]
    assert await campaigns.outcomes() == {"ada": Outcome.KEPT}


async def test_a_dry_run_never_writes_and_says_what_it_would_have_removed(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open(mode=WriteMode.DRY_RUN)
    await campaigns.revoke("ada")

    await campaigns.close()

    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.DRY_RUN, "would_be_removed")
    assert campaigns.writer.calls == []
    assert await campaigns.state() is CampaignState.CLOSED


async def test_a_live_campaign_on_an_installation_that_has_become_a_dry_run_never_writes(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")

    await campaigns.restart(replace(POLICY, writes=WriteMode.DRY_RUN))
    await campaigns.close()

    assert await campaigns.outcomes() == {"ada": Outcome.DRY_RUN}
    assert campaigns.writer.calls == []


async def test_a_dry_run_stays_one_on_an_installation_that_has_become_live(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.restart(replace(POLICY, writes=WriteMode.DRY_RUN))
    await campaigns.open(mode=WriteMode.LIVE)
    await campaigns.revoke("ada")

    await campaigns.restart(POLICY)
    await campaigns.close()

    assert (await campaigns.campaign()).mode is WriteMode.DRY_RUN
    assert await campaigns.outcomes() == {"ada": Outcome.DRY_RUN}
    assert campaigns.writer.calls == []


async def test_a_close_before_its_time_does_nothing(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()

    await campaigns.closing.handle(close_job(campaigns.campaign_id, 0))

    assert await campaigns.state() is CampaignState.OPEN


@pytest.mark.parametrize("killed_after", range(1, 5))
async def test_a_close_that_dies_anywhere_goes_on_where_it_stopped(campaigns: CampaignWorld, killed_after: int) -> None:
    for ref in ("ada", "ben", "cleo"):
        campaigns.hire(ref)
    await campaigns.open()
    await campaigns.revoke("ada", "ben")
    await campaigns.until(DUE - HOUR)
    campaigns.clock.at = DUE
    await campaigns.due.tick()
    campaigns.fate.passed.clear()
    campaigns.fate.die_at = 2 * killed_after  # right after that commit

    with pytest.raises(Killed):
        await campaigns.engine.drain()
    await campaigns.restart()
    await campaigns.settle()

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.REMOVED, "cleo": Outcome.KEPT}
    assert await campaigns.events(EventKind.CAMPAIGN_CLOSING, EventKind.CAMPAIGN_CLOSED) == [
        EventKind.CAMPAIGN_CLOSING,
        EventKind.CAMPAIGN_CLOSED,
    ]
    assert len(await campaigns.events(EventKind.REMOVAL_PLANNED)) == 2


async def test_a_close_whose_job_died_for_good_is_run_again_by_a_later_tick(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.clock.at = DUE
    await campaigns.due.tick()
    died = campaigns.engine.queued[0]
    campaigns.engine.queued.clear()
    campaigns.engine.done.append(died)

    await campaigns.settle()
    waits = await campaigns.state()
    campaigns.clock.advance(HOUR / 6)
    await campaigns.settle()

    assert died.kind == "close"
    assert waits is CampaignState.OPEN
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_more_approved_removals_than_the_hard_limit_pause_the_campaign_and_write_nothing(
    campaigns: CampaignWorld,
) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    await campaigns.open()
    await campaigns.revoke("ada", "ben")

    await campaigns.restart(replace(POLICY, limits=Limits(hard_seats=1)))
    await campaigns.close()
    await campaigns.wait(3 * HOUR)

    found = await campaigns.campaign()
    assert (found.state, found.pause_reason) == (CampaignState.PAUSED, "guardrail_exceeded")
    assert campaigns.writer.calls == []
    assert [item.waiting for item in await campaigns.items()] == [Waiting.QUEUED, Waiting.QUEUED]


async def test_a_campaign_paused_by_a_limit_goes_on_once_the_limit_allows_it(campaigns: CampaignWorld) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    await campaigns.open()
    await campaigns.revoke("ada", "ben")
    await campaigns.restart(replace(POLICY, limits=Limits(hard_seats=1)))
    await campaigns.close()

    with pytest.raises(GuardrailExceeded) as refused:
        await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.restart(POLICY)
    number = await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert (refused.value.selected, refused.value.limit) == (2, 1)
    assert number == 2
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.REMOVED}


async def test_a_paused_campaign_can_be_abandoned_and_its_seats_stay(campaigns: CampaignWorld) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.close()

    closed = await campaigns.closing.abandon(actor(LYNNE), campaigns.campaign_id)
    await campaigns.resume()
    await campaigns.wait(HOUR)

    assert (closed.state, closed.abandoned_by) == (CampaignState.CLOSED, LYNNE)
    assert await campaigns.outcomes() == {"ada": Outcome.SUPERSEDED, "ben": Outcome.KEPT}
    assert campaigns.writer.calls == []
    with pytest.raises(Conflict, match=r"was abandoned. Start a new campaign"):
        await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)


async def test_each_abandoned_seat_is_attested_with_who_let_it_stay(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.close()

    await campaigns.closing.abandon(actor(LYNNE), campaigns.campaign_id)

    item = await campaigns.item("ada")
    (books,) = await open_books(campaigns.work)
    (ended,) = books.told(EventKind.ITEM_ENDED)
    assert (ended["item"], ended["actor"]) == (item.id, LYNNE)
    assert ended["facts"] == {"outcome": "superseded", "reason": "abandoned"}


async def test_only_a_paused_campaign_can_be_abandoned(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()

    with pytest.raises(Conflict, match="Only a paused campaign can be abandoned"):
        await campaigns.closing.abandon(actor(LYNNE), campaigns.campaign_id)


async def test_a_campaign_with_a_written_seat_that_is_not_checked_yet_cannot_be_abandoned(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    campaigns.writer.group_delay = 2 * HOUR
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.close()
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    with pytest.raises(Conflict, match="Some seats are written and not yet checked"):
        await campaigns.closing.abandon(actor(LYNNE), campaigns.campaign_id)


async def test_a_failed_removal_is_tried_again_by_a_new_attempt(campaigns: CampaignWorld) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    await campaigns.open()
    await campaigns.revoke("ada", "ben")
    campaigns.writer.fail("remove_direct", REFUSED)
    await campaigns.close()
    first = (await campaigns.outcomes(), await campaigns.state())

    number = await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert first == ({"ada": Outcome.FAILED, "ben": Outcome.REMOVED}, CampaignState.CLOSED)
    assert number == 1
    assert (await campaigns.outcomes(), await campaigns.state()) == (
        {"ada": Outcome.REMOVED, "ben": Outcome.REMOVED},
        CampaignState.CLOSED,
    )


async def test_retry_leaves_alone_whoever_is_still_being_worked_on(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", PROJECT), seat("ada", VISIO, VISIO_GROUP))
    campaigns.hire("ben")
    await campaigns.open()
    await campaigns.revoke("ada", "ben")
    await campaigns.revoke("ada", product=PROJECT)
    campaigns.writer.refused = {("ada", PROJECT), ("ben", VISIO)}
    campaigns.writer.busy = {("ada", VISIO_GROUP)}
    await campaigns.close()
    campaigns.writer.refused = set()

    number = await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    with pytest.raises(Conflict, match="are still tried"):
        await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    campaigns.writer.busy = set()
    await campaigns.wait(HOUR)
    first = await campaigns.outcomes()
    await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert number == 1
    assert first == {"ada": Outcome.REMOVED, "ada sku-project": Outcome.FAILED, "ben": Outcome.REMOVED}
    assert set((await campaigns.outcomes()).values()) == {Outcome.REMOVED}


async def test_retry_is_refused_where_there_is_nothing_to_retry(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    with pytest.raises(NotFound):
        await campaigns.closing.retry(actor(LYNNE), CampaignId("no-such"))
    with pytest.raises(Conflict, match="Retry works once removals have been tried"):
        await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.close()

    with pytest.raises(Conflict, match="There is nothing to retry"):
        await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)


async def test_retry_while_removals_are_frozen_is_refused(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.writer.fail("remove_direct", REFUSED)
    await campaigns.close()
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    with pytest.raises(Conflict, match=r"Removals are frozen. Resume them first."):
        await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.resume()
    await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_kept_seat_is_not_asked_about_again_during_the_cooldown(campaigns: CampaignWorld) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    await campaigns.open()
    await campaigns.keep("ada")
    await campaigns.close()

    await campaigns.open(ref="second", due=date(2026, 12, 20))

    assert [item.person_id for item in await campaigns.items()] == ["ben"]
    assert [item.assignee_id for item in await campaigns.items()] == [MEGAN]
