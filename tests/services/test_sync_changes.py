"""Runs that read only what has changed: what they conclude, what they leave to a full run, and how they go on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.ids import PersonId, RunId
from reclaim.domain.notices import SyncNotice
from reclaim.domain.read_models import SyncView
from reclaim.domain.syncing import SyncKind
from reclaim.errors import Conflict, DirectoryError
from reclaim.ports.storage import SyncRun
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.sync_directory import SyncDirectory
from tests.fakes import Killed
from tests.services.world import ALLAN, LYNNE, MEGAN, PROJECT, VISIO, World, admin, seat

HOUR = timedelta(hours=1)
GONE = DirectoryError("Gone.", permanent=True, status=410, graph_code="resyncRequired")
LOST = DirectoryError("Sync state not found.", permanent=True, status=400, graph_code="syncStateNotFound")
SLOW = DirectoryError("Microsoft does not answer right now.", retry_after=timedelta(seconds=30))
TWENTY = [f"p{number:02}" for number in range(20)]


@pytest.fixture
def services(world: World) -> SyncDirectory:
    """Sync with what follows changes, too."""
    find = FindIdleSeats(work=world.work, clock=world.clock, policy=world.policy)

    async def follow(run: RunId) -> None:
        world.followed.append(run)

    made = SyncDirectory(
        work=world.work,
        clock=world.clock,
        tokens=world.tokens,
        policy=world.policy,
        directory=world.directory,
        messenger=world.messenger,
        tenant_id=world.tenant,
        after=(find.scan, follow),
        after_changes=(find.after_changes,),
    )
    world.engine.register("sync", made.handle)
    return made


async def read(world: World, services: SyncDirectory, kind: SyncKind, by: PersonId | None = None) -> SyncView:
    world.clock.advance(HOUR)
    run = await services.request(by, kind)
    await world.engine.drain()
    found = await services.view(run)
    assert found is not None
    return found


async def full(world: World, services: SyncDirectory) -> SyncView:
    return await read(world, services, SyncKind.FULL)


async def changes(world: World, services: SyncDirectory, by: PersonId | None = None) -> SyncView:
    return await read(world, services, SyncKind.CHANGES, by)


async def held(world: World, refs: Sequence[str]) -> dict[str, list[str]]:
    """Return who of these is there, with what they hold."""
    async with world.work.read() as reading:
        people = await reading.people.get_many(PersonId(ref) for ref in refs)
        seats = await reading.seats.of_people(people)
    return {
        ref: sorted(one.product_id for one in seats.get(ref, ())) for ref, one in people.items() if one.gone_at is None
    }


async def idle(world: World) -> set[str]:
    async with world.work.read() as reading:
        return {one.person_id for one in await reading.findings.select(days=90, now=world.clock.now())}


async def runs(world: World) -> tuple[SyncRun | None, SyncRun | None]:
    async with world.work.read() as reading:
        return await reading.syncs.newest_complete(), await reading.syncs.newest_read()


async def test_who_changed_is_read_whole_and_nobody_else(world: World, services: SyncDirectory) -> None:
    world.hire(["ada", "ben", "cem", "dee", "eve"])
    await full(world, services)
    tenant = world.directory
    tenant.held[PersonId("ada")] = (*tenant.held[PersonId("ada")], seat("ada", PROJECT))
    tenant.held[PersonId("ben")] = ()
    tenant.everybody[PersonId("cem")] = replace(tenant.everybody[PersonId("cem")], enabled=False, manager_id=ALLAN)
    tenant.remove(PersonId("dee"))
    world.hire(["new"])
    tenant.calls.clear()

    seen = await changes(world, services, LYNNE)

    assert (seen.state, seen.kind, seen.people, seen.gone_people, seen.gone_seats) == (
        "complete", SyncKind.CHANGES, 5, 1, 2,
    )  # fmt: skip
    assert [call[0] for call in tenant.calls] == ["skus", "changes", "people_now"]
    assert set(tenant.calls[-1][1:]) == {"ada", "ben", "cem", "dee", "new"}
    assert await held(world, ["ada", "ben", "cem", "dee", "eve", "new"]) == {
        "ada": [PROJECT, VISIO], "ben": [], "cem": [VISIO], "eve": [VISIO], "new": [VISIO],
    }  # fmt: skip
    async with world.work.read() as reading:
        cem = await reading.people.get(PersonId("cem"))
    assert cem is not None
    assert (cem.enabled, cem.manager_id) == (False, ALLAN)
    assert [notice.sync.kind for notice in world.messenger.to(LYNNE) if isinstance(notice, SyncNotice)] == ["changes"]


async def test_seats_that_come_and_go_are_judged_and_new_people_are_never_idle(
    world: World, services: SyncDirectory
) -> None:
    world.hire(["ada", "ben"])
    await full(world, services)
    assert await idle(world) == {"ada", "ben"}
    world.directory.held[PersonId("ben")] = ()
    world.hire(["new"])  # whose sign-ins nobody has read

    seen = await changes(world, services)

    assert await idle(world) == {"ada"}
    assert seen.idle == 1


async def test_a_run_without_changes_judges_nothing_and_asks_for_nobody(world: World, services: SyncDirectory) -> None:
    world.hire(["ada"])
    await full(world, services)
    async with world.work.read() as reading:
        before = await reading.scans.newest()

    seen = await changes(world, services)

    async with world.work.read() as reading:
        assert await reading.scans.newest() == before
    assert (seen.state, seen.people) == ("complete", 0)
    assert "people_now" not in [call[0] for call in world.directory.calls]


async def test_a_changes_run_is_no_sign_in_sync(world: World, services: SyncDirectory) -> None:
    world.hire(["ada"])
    first = await full(world, services)
    world.directory.held[PersonId("ada")] = ()
    second = await changes(world, services)

    newest, newest_read = await runs(world)

    assert newest is not None
    assert newest_read is not None
    assert (newest.id, newest_read.id) == (first.run_id, second.run_id)
    assert world.followed == [first.run_id]  # what needs sign-ins follows full runs only
    async with world.work.read() as reading:
        ada = await reading.people.get(PersonId("ada"))
    assert ada is not None
    assert ada.sign_ins is not None  # kept, of the full run


async def test_what_changes_during_a_full_read_is_not_missed(world: World, services: SyncDirectory) -> None:
    world.hire(["ada", "ben"])
    world.directory.later(HOUR, lambda: None)
    original = world.directory.sign_ins

    async def meanwhile(cursor: str | None) -> object:
        world.directory.held[PersonId("ada")] = ()  # when her page was read already
        return await original(cursor)

    world.directory.sign_ins = meanwhile  # type: ignore[assignment, method-assign]
    await full(world, services)
    assert await held(world, ["ada"]) == {"ada": [VISIO]}

    await changes(world, services)

    assert await held(world, ["ada"]) == {"ada": []}


async def test_replays_and_duplicates_end_in_the_same_state(world: World, services: SyncDirectory) -> None:
    world.hire(["ada", "ben"])
    await full(world, services)
    world.directory.held[PersonId("ada")] = ()
    await changes(world, services)
    expected = await held(world, ["ada", "ben"])
    world.directory.replays = True

    for _ in range(2):
        assert (await changes(world, services)).state == "complete"

    assert await held(world, ["ada", "ben"]) == expected


async def test_who_was_deleted_and_restored_is_there(world: World, services: SyncDirectory) -> None:
    world.hire(["ada", "ben"])
    await full(world, services)
    kept = world.directory.everybody[PersonId("ada")]
    world.directory.remove(PersonId("ada"))
    await changes(world, services)
    assert await held(world, ["ada"]) == {}
    world.directory.add(kept, seat("ada", VISIO))

    await changes(world, services)

    assert await held(world, ["ada"]) == {"ada": [VISIO]}


@pytest.mark.parametrize("error", [GONE, LOST])
async def test_a_lost_link_is_followed_by_a_full_read_in_the_same_run(
    world: World, services: SyncDirectory, error: DirectoryError
) -> None:
    world.hire(["ada", "ben"])
    await full(world, services)
    world.directory.remove(PersonId("ada"))
    world.directory.fail("changes", error)

    seen = await changes(world, services)

    assert (seen.state, seen.kind, seen.resynced, seen.people) == ("complete", SyncKind.FULL, True, 4)
    assert await held(world, ["ada"]) == {}
    newest, _ = await runs(world)
    assert newest is not None
    assert (newest.id, newest.started_at) == (seen.run_id, world.clock.now())
    world.hire(["new"])
    after = await changes(world, services)  # from the link that the full read has taken
    assert (after.kind, after.people) == (SyncKind.CHANGES, 1)


async def test_a_link_lost_in_the_middle_starts_over(world: World, services: SyncDirectory) -> None:
    world.hire(TWENTY)
    await full(world, services)
    for ref in TWENTY[:3]:
        world.directory.held[PersonId(ref)] = ()
    world.directory.page_size = 2
    world.directory.fail("changes", GONE, after=1)

    seen = await changes(world, services)

    assert (seen.kind, seen.people) == (SyncKind.FULL, 23)
    assert seen.state == "stopped"  # three of twenty seats: also this is for somebody to accept


@pytest.mark.parametrize("error", [Killed(), SLOW])
@pytest.mark.parametrize("method", ["changes", "people_now"])
async def test_a_run_that_was_cut_goes_on_where_it_was(
    world: World, services: SyncDirectory, method: str, error: BaseException
) -> None:
    world.hire([*TWENTY, *(f"q{number:02}" for number in range(20))])
    await full(world, services)
    for one in world.directory.everybody.values():
        world.directory.everybody[one.id] = replace(one, department="Moved")
    world.directory.page_size = 30
    world.directory.calls.clear()
    world.directory.fail(method, error, after=1)
    world.clock.advance(HOUR)
    run = await services.request(None, SyncKind.CHANGES)
    if isinstance(error, Killed):
        with pytest.raises(Killed):
            await world.engine.drain()
    await world.engine.drain()
    await services.request(None, SyncKind.CHANGES)
    await world.engine.drain()

    seen = await services.view(run)

    assert seen is not None
    assert (seen.state, seen.people) == ("complete", 43)
    # The page or batch that was cut was asked for twice, and none before it.
    asked = [call[1:] for call in world.directory.calls if call[0] == method]
    assert len(asked) == len(set(asked)) + 1


async def test_too_many_who_vanish_stop_the_run_for_somebody_to_accept(world: World, services: SyncDirectory) -> None:
    world.hire(TWENTY)
    await full(world, services)
    for ref in TWENTY[:4]:
        world.directory.remove(PersonId(ref))

    stopped = await changes(world, services)
    assert (stopped.state, stopped.gone_people, stopped.gone_seats) == ("stopped", 4, 4)
    assert set(await held(world, TWENTY)) == set(TWENTY)
    accepted = await services.accept(stopped.run_id, admin())
    await world.engine.drain()

    assert (accepted.state, accepted.gone_people) == ("complete", 4)
    assert set(await held(world, TWENTY)) == set(TWENTY[4:])
    assert await idle(world) == set(TWENTY[4:])


async def test_a_full_read_need_not_wait_for_changes_that_stopped(world: World, services: SyncDirectory) -> None:
    world.hire(TWENTY)
    await full(world, services)
    for ref in TWENTY[:4]:
        world.directory.remove(PersonId(ref))
    await changes(world, services)

    assert (await full(world, services)).kind is SyncKind.FULL


async def test_changes_give_way_to_a_full_read(world: World, services: SyncDirectory) -> None:
    world.hire(["ada"])
    await full(world, services)
    world.directory.remove(PersonId("ada"))
    run = await services.request(None, SyncKind.CHANGES)
    world.clock.advance(timedelta(minutes=1))

    again = await services.request(MEGAN)
    await world.engine.drain()

    seen = await services.view(run)
    assert seen is not None
    assert again == run
    assert (seen.state, seen.kind, seen.started_at, seen.resynced) == (
        "complete", SyncKind.FULL, world.clock.now(), False,
    )  # fmt: skip
    assert await held(world, ["ada"]) == {}


async def test_without_a_full_read_there_is_nothing_to_go_on_from(world: World, services: SyncDirectory) -> None:
    with pytest.raises(Conflict, match="Read the whole tenant first: /reclaim sync"):
        await services.request(LYNNE, SyncKind.CHANGES)


async def test_a_tenant_that_tells_no_changes_is_read_in_full(world: World, services: SyncDirectory) -> None:
    world.directory.fail("changes", DirectoryError("Not here.", permanent=True, status=501))

    assert (await full(world, services)).state == "complete"
    with pytest.raises(Conflict):
        await services.request(LYNNE, SyncKind.CHANGES)


async def test_of_two_replicas_that_find_it_due_one_begins(world: World, services: SyncDirectory) -> None:
    known = RunId((await full(world, services)).run_id)
    first = await services.request(None, SyncKind.CHANGES, behind=known)
    await world.engine.drain()

    assert await services.request(None, SyncKind.CHANGES, behind=known) == first
    assert not world.engine.queued
