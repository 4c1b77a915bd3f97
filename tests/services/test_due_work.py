"""The tick: what is due is enqueued once, and what died is enqueued again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reclaim.domain.campaign import CampaignState
from reclaim.domain.removal import Outcome
from reclaim.domain.syncing import SyncKind
from reclaim.errors import DirectoryError
from tests.services.campaign_world import DAY, DUE, HOUR, CampaignWorld, actor
from tests.services.world import LYNNE, MEGAN, NOW, VISIO, VISIO_GROUP, draft, seat

NIGHT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 02:00 in Zurich
DOWN = DirectoryError("Microsoft Graph cannot be reached.", status=503)


async def test_a_tick_with_nothing_due_does_nothing(campaigns: CampaignWorld) -> None:
    assert await campaigns.due.tick() == ()
    assert await campaigns.due.next_due(NOW + 100 * DAY) is None
    assert not campaigns.engine.queued


async def test_the_tenant_is_read_every_night_at_the_set_hour_and_not_before(campaigns: CampaignWorld) -> None:
    await campaigns.sync()

    campaigns.clock.at = NIGHT - timedelta(seconds=1)
    early = await campaigns.due.tick()
    campaigns.clock.advance(timedelta(seconds=1))
    told = await campaigns.due.tick()
    again = await campaigns.due.tick()

    assert (early, told, again) == ((), ("The tenant was read again.",), ())
    assert [job.kind for job in campaigns.engine.queued] == ["sync"]


async def test_changes_are_read_between_the_nights_where_that_is_set(campaigns: CampaignWorld) -> None:
    await campaigns.restart(replace(campaigns.policy, changes_every=HOUR))
    await campaigns.sync()
    await campaigns.engine.drain()
    assert await campaigns.due.next_due(NOW + DAY) == NOW + HOUR

    campaigns.clock.advance(HOUR - timedelta(seconds=1))
    early = await campaigns.due.tick()
    campaigns.clock.advance(timedelta(seconds=1))
    told = await campaigns.due.tick()
    again = await campaigns.due.tick()
    await campaigns.engine.drain()
    rested = await campaigns.due.tick()

    assert (early, told, again, rested) == ((), ("Changes were read.",), (), ())
    view = await campaigns.syncing.view()
    assert view is not None
    assert (view.state, view.kind) == ("complete", SyncKind.CHANGES)


async def test_a_night_goes_before_changes(campaigns: CampaignWorld) -> None:
    await campaigns.restart(replace(campaigns.policy, changes_every=HOUR))
    await campaigns.sync()
    campaigns.clock.at = NIGHT

    assert await campaigns.due.tick() == ("The tenant was read again.",)
    await campaigns.engine.drain()

    view = await campaigns.syncing.view()
    assert view is not None
    assert view.kind is SyncKind.FULL


async def test_waiting_removals_are_not_started_by_a_changes_run(campaigns: CampaignWorld) -> None:
    """Rule 5: activity at the write comes from a full run that began after the close."""
    await campaigns.restart(replace(campaigns.policy, changes_every=HOUR, live_reads=0))
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.clock.at = DUE
    await campaigns.due.tick()
    closing = [job for job in campaigns.engine.queued if job.kind == "close"]
    campaigns.engine.queued.clear()
    await campaigns.engine.handlers["close"](closing[0])
    campaigns.engine.queued.clear()
    async with campaigns.work.write() as work:
        running = await work.syncs.running()
        assert running is not None
        await work.syncs.save(replace(running, state="failed"))
        await work.commit()
    campaigns.clock.advance(HOUR)
    await campaigns.syncing.request(LYNNE, SyncKind.CHANGES)
    await campaigns.engine.drain()

    async with campaigns.work.read() as work:
        read = await work.syncs.newest_read()
    assert read is not None
    assert (read.kind, read.state, read.started_at > DUE) == ("changes", "complete", True)
    campaigns.engine.queued.clear()
    await campaigns.due.tick()
    kinds = {job.kind for job in campaigns.engine.queued}
    assert kinds == {"progress", "sync"}  # the full one that they wait for
    assert campaigns.writer.writes == []


async def test_a_sync_that_failed_rests_for_an_hour(campaigns: CampaignWorld) -> None:
    await campaigns.sync()
    campaigns.directory.fail("skus", DirectoryError("Forbidden.", permanent=True, status=403))
    campaigns.clock.advance(DAY)
    first = await campaigns.due.tick()
    await campaigns.engine.drain()

    resting = await campaigns.due.tick()
    campaigns.clock.advance(HOUR)
    later = await campaigns.due.tick()

    assert (first, resting, later) == (("The tenant was read again.",), (), ("The tenant was read again.",))


async def test_a_sync_that_met_a_passing_error_goes_on_at_the_next_tick(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.directory.fail("people", DOWN)
    await campaigns.syncing.request(None)
    await campaigns.engine.drain()

    await campaigns.settle()

    view = await campaigns.syncing.view()
    assert view is not None
    assert (view.state, view.seats) == ("complete", 1)


async def test_next_due_names_the_reminders_the_close_and_the_next_read(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()

    found = [await campaigns.due.next_due(DUE)]
    campaigns.clock.at = DUE - timedelta(days=2, minutes=30)
    found.append(await campaigns.due.next_due(DUE))
    campaigns.clock.at = DUE - HOUR
    found.append(await campaigns.due.next_due(DUE))

    assert found == [NIGHT, DUE - timedelta(days=2), DUE]
    assert await campaigns.due.next_due(DUE - timedelta(minutes=30)) is None


async def test_an_opening_whose_job_died_is_run_again(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.sync()
    await campaigns.launching.put_draft(actor(LYNNE), draft())
    campaigns.campaign_id = (await campaigns.launching.launch(actor(LYNNE), "draft-1")).id
    campaigns.engine.queued.clear()

    await campaigns.settle()
    waits = await campaigns.state()
    campaigns.clock.advance(timedelta(minutes=10))
    await campaigns.settle()

    assert waits is CampaignState.OPENING
    assert await campaigns.state() is CampaignState.OPEN
    assert len(campaigns.cards(MEGAN)) == 1


async def test_a_seat_that_is_in_use_again_when_the_opening_goes_on_is_not_asked_about(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await campaigns.sync()
    await campaigns.launching.put_draft(actor(LYNNE), draft())
    campaigns.campaign_id = (await campaigns.launching.launch(actor(LYNNE), "draft-1")).id
    opening = campaigns.engine.queued.popleft()
    campaigns.hire("ben", seen_days=40)  # idle for 30 days, but not for the 90 that the campaign asks

    await campaigns.syncing.request(None)
    await campaigns.engine.drain()
    await campaigns.engine.handlers["open"](opening)

    assert [item.person_id for item in await campaigns.items()] == ["ada"]


async def test_the_tick_says_in_short_what_it_found(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    campaigns.hire("ben")
    campaigns.writer.group_delay = 2 * HOUR
    await campaigns.open()
    await campaigns.revoke("ada")

    campaigns.clock.at = DUE - timedelta(days=2)
    reminded = await campaigns.due.tick()
    await campaigns.settle()
    campaigns.clock.at = DUE
    closed = await campaigns.due.tick()
    await campaigns.settle()
    campaigns.clock.advance(timedelta(minutes=5))
    checked = await campaigns.due.tick()

    assert reminded == ("1 reminder sent.", "The tenant was read again.")
    assert closed == ("Review draft-1 closed.", "The tenant was read again.")
    assert checked == ("1 removal checked again.",)


async def test_two_replicas_that_tick_at_once_do_each_thing_once(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.clock.at = DUE

    await campaigns.due.tick()
    await campaigns.due.tick()
    kinds = [job.kind for job in campaigns.engine.queued]
    await campaigns.settle()

    assert kinds == ["close", "sync"]
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.KEPT}
    assert len(campaigns.writer.writes) == 1


async def test_a_defect_in_one_job_leaves_the_others_to_run(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await campaigns.open()
    await campaigns.revoke("ada", "ben")
    campaigns.directory.fail("live_person", RuntimeError("a defect"))

    with pytest.raises(RuntimeError):
        await campaigns.close()

    assert sorted(str(one) for one in (await campaigns.outcomes()).values()) == ["None", "removed"]
