"""A process that dies at any point of a write-back: after the restart each seat is removed once, with all its events."""

from pathlib import Path

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.orders import OrderState, StepState
from reclaim.domain.removal import Outcome
from tests.databases import copy_sqlite
from tests.fakes import Killed
from tests.services.campaign_world import HOUR, CampaignWorld, check
from tests.services.world import PROJECT, VISIO, VISIO_GROUP, seat

GROUP_DELAY = 2 * HOUR
_DEADLY = ("close: after", "writeback: after commit", "writeback: after write", "writeback: after read back")


def _tenant(url: str) -> CampaignWorld:
    """Return a process beside a tenant with one direct seat, and one of two paths of which the group's takes two hours."""
    world = CampaignWorld(url)
    world.writer.group_delay = GROUP_DELAY
    world.hire("ada")
    world.hire("ben", seat("ben", VISIO, None, VISIO_GROUP))
    return world


async def _approve_all(url: str) -> CampaignWorld:
    """Bring a campaign in a new database to just before its close."""
    world = _tenant(url)
    await world.start()
    await world.open()
    await world.revoke("ada", "ben")
    await world.settle()
    world.clock.at = (await world.campaign()).may_close_at
    await world.stop()
    return world


def _copied(before: CampaignWorld, folder: Path) -> str:
    folder.mkdir()
    return copy_sqlite(Path(before.url.removeprefix("sqlite:///")), folder)


async def _at_the_close(before: CampaignWorld, folder: Path) -> CampaignWorld:
    """Return a new process on a copy of that database, with the close enqueued."""
    world = _tenant(_copied(before, folder))
    world.clock.at = before.clock.at
    world.tokens.given = before.tokens.given
    world.messenger = before.messenger
    world.campaign_id = before.campaign_id
    await world.start()
    await world.due.tick()
    world.fate.passed.clear()
    return world


async def test_a_process_that_dies_at_any_point_of_the_close_and_the_write_back_removes_each_seat_once(
    sqlite_template: Path, tmp_path: Path
) -> None:
    before = await _approve_all(copy_sqlite(sqlite_template, tmp_path))
    whole = await _at_the_close(before, tmp_path / "whole")
    await whole.engine.drain()
    await whole.stop()
    points = whole.fate.passed
    # Before a commit or a call the world is as it was after the one before, so these are all states that a death can leave.
    deadly = [number for number, name in enumerate(points, start=1) if name.startswith(_DEADLY)]
    names = [points[number - 1] for number in deadly]
    assert names.count("close: after commit") == 3  # closing, orders, applying
    assert names.count("writeback: after write") == 3
    # A claim, 3 intents, 3 answers, an outcome that ends its order, a seat that waits for its check, and its order.
    assert names.count("writeback: after commit") == 10
    assert names.count("writeback: after read back") == 2

    for number, name in zip(deadly, names, strict=True):
        world = await _at_the_close(before, tmp_path / f"dies-{number}")
        world.fate.die_at = number
        with pytest.raises(Killed):
            await world.engine.drain()
        await world.restart()
        await world.wait(5 * HOUR)

        where = f"died {name} ({number})"
        assert await world.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.REMOVED}, where
        assert await world.state() is CampaignState.CLOSED, where
        taken = sorted((write.person, write.method) for write in world.writer.writes if write.took)
        assert taken == [("ada", "remove_direct"), ("ben", "leave_group"), ("ben", "remove_direct")], where
        # A call that was made is never made again: after the restart a read finds it.
        assert len([call for call in world.writer.calls if call[0] != "read_back"]) == 3, where
        assert {step.state for ref in ("ada", "ben") for step in await world.steps(ref)} == {StepState.VERIFIED}, where
        assert {(await world.order(ref)).state for ref in ("ada", "ben")} == {OrderState.DONE}, where
        events = await world.events()
        assert [events.count(kind) for kind in (EventKind.REMOVAL_PLANNED, EventKind.REMOVAL_WRITTEN)] == [3, 3], where
        # An intent without a call is attested as failed before the next intent.
        assert events.count(EventKind.REMOVAL_INTENDED) == 3 + events.count(EventKind.REMOVAL_FAILED), where
        assert events.count(EventKind.REMOVAL_VERIFIED) == 2, where
        assert events.count(EventKind.CAMPAIGN_CLOSED) == 1, where
        await check(world)
        await world.stop()


async def test_a_write_back_whose_job_dies_unexpectedly_is_run_again_by_the_tick_after_an_hour(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.directory.fail("live_person", RuntimeError("a defect"))
    with pytest.raises(RuntimeError):
        await campaigns.close()

    await campaigns.wait(HOUR / 2)
    waits = await campaigns.outcomes()
    await campaigns.wait(HOUR / 2)

    assert waits == {"ada": None}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_verification_whose_job_dies_unexpectedly_is_run_again_by_the_tick(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    campaigns.writer.group_delay = HOUR
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.close()
    campaigns.writer.fail("read_back", RuntimeError("a defect"))
    campaigns.clock.advance(HOUR)
    with pytest.raises(RuntimeError):
        await campaigns.settle()

    campaigns.clock.advance(HOUR)
    await campaigns.settle()

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_job_that_runs_twice_writes_once(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    campaigns.writer.group_delay = HOUR
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.close()
    done = next(job for job in campaigns.engine.done if job.kind == "writeback")
    version = (await campaigns.order("ada")).version

    await campaigns.applying.handle(done)

    assert (await campaigns.order("ada")).version == version
    assert len(campaigns.writer.writes) == 1


async def test_a_process_that_dies_at_any_point_of_one_call_for_two_licenses_takes_each_once(
    sqlite_template: Path, tmp_path: Path
) -> None:
    async def begin(folder: Path) -> CampaignWorld:
        folder.mkdir()  # noqa: ASYNC240 - a test may block
        world = CampaignWorld(copy_sqlite(sqlite_template, folder))
        world.hire("ada", seat("ada", VISIO), seat("ada", PROJECT))
        await world.start()
        await world.open()
        await world.revoke("ada")
        await world.revoke("ada", product=PROJECT)
        await world.settle()
        world.clock.at = (await world.campaign()).may_close_at
        await world.due.tick()
        world.fate.passed.clear()
        return world

    whole = await begin(tmp_path / "whole")
    await whole.engine.drain()
    await whole.stop()
    points = [number for number, name in enumerate(whole.fate.passed, start=1) if name.startswith("writeback: after")]
    assert [whole.fate.passed[number - 1] for number in points].count("writeback: after write") == 1

    for number in points:
        world = await begin(tmp_path / f"dies-{number}")
        world.fate.die_at = number
        with pytest.raises(Killed):
            await world.engine.drain()
        await world.restart()
        await world.wait(5 * HOUR)

        where = f"died {whole.fate.passed[number - 1]} ({number})"
        assert set((await world.outcomes()).values()) == {Outcome.REMOVED}, where
        assert await world.state() is CampaignState.CLOSED, where
        assert sorted(write.ref for write in world.writer.writes) == sorted((VISIO, PROJECT)), where
        await check(world)
        await world.stop()
