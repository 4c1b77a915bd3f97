from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import GroupId, PersonId, RunId, TenantId
from reclaim.domain.notices import SyncNotice
from reclaim.domain.read_models import SyncView
from reclaim.errors import DeliveryError, DirectoryError, InvalidRequest
from reclaim.ports.directory import Page, PersonRow, SignInRow
from reclaim.services.sync_directory import SyncDirectory
from tests.fakes import Killed
from tests.services.world import LYNNE, MEGAN, VISIO, VISIO_GROUP, World, group, person, seat

TWENTY = [f"p{number:02}" for number in range(20)]
SLOW = DirectoryError("Microsoft does not answer right now.", retry_after=timedelta(seconds=30))
REFUSED = DirectoryError("Reading people is refused. Grant User.Read.All.", permanent=True, status=403)


async def view(world: World, run: RunId) -> SyncView:
    found = await world.sync.view(run)
    assert found is not None
    return found


async def present(world: World) -> set[str]:
    async with world.work.read() as reading:
        people = await reading.people.get_many(PersonId(ref) for ref in [*TWENTY, "lynne", "megan", "allan"])
    return {ref for ref, one in people.items() if one.gone_at is None}


async def test_a_sync_stores_the_tenant_and_what_follows_runs_after_it(world: World) -> None:
    world.hire(TWENTY)
    world.directory.group_facts[VISIO_GROUP] = group(VISIO_GROUP, VISIO)

    run = await world.read(LYNNE)

    seen = await view(world, run)
    assert (seen.state, seen.people, seen.seats, seen.gone_people, seen.error) == ("complete", 23, 20, 0, None)
    assert seen.idle == 20
    assert world.followed == [run]
    async with world.work.read() as reading:
        assert await reading.controls.tenant() == "tenant-contoso"
        assert set(await reading.catalog.groups()) == {VISIO_GROUP}
    assert [one.event.kind for one in await world.events()] == [EventKind.SYNC_COMPLETED]


async def test_streams_are_read_in_the_order_that_later_ones_need(world: World) -> None:
    world.policy = replace(world.policy, admins=frozenset({"lynne", "Role-Group"}))
    world.directory.members[GroupId("role-group")] = [MEGAN]

    await world.read()

    assert [call[0] for call in world.directory.calls] == [
        "changes",  # from here on, before anything is read
        "skus",
        "groups",
        "people",
        "sign_ins",
        "group_members",
        "role_holders",
    ]
    async with world.work.read() as reading:
        assert await reading.people.members(GroupId("role-group")) == {MEGAN}


async def test_a_role_id_that_is_neither_person_nor_group_does_no_harm(world: World) -> None:
    world.policy = replace(world.policy, auditors=frozenset({"left-long-ago"}))

    run = await world.read()

    assert (await view(world, run)).state == "complete"


async def test_asking_twice_is_one_run(world: World) -> None:
    first = await world.sync.request(LYNNE)
    second = await world.sync.request(MEGAN)
    await world.engine.drain()

    assert first == second
    assert len(world.engine.done) == 1


async def test_the_same_job_twice_reads_nothing_twice(world: World) -> None:
    run = await world.read()
    calls = len(world.directory.calls)

    await world.sync.handle(world.engine.done[0])

    assert len(world.directory.calls) == calls
    assert world.followed == [run, run]  # what follows is idempotent, and a crash may have cut it off
    assert len(await world.events()) == 1


async def test_a_killed_run_goes_on_at_the_next_page(world: World) -> None:
    world.hire(TWENTY)
    world.directory.page_size = 10
    world.directory.fail("people", Killed(), after=2)
    await world.sync.request(None)
    with pytest.raises(Killed):
        await world.engine.drain()

    await world.engine.drain()

    assert [call for call in world.directory.calls if call[0] == "people"] == [
        ("people",),
        ("people", "10"),
        ("people", "20"),
        ("people", "20"),
    ]
    newest = await world.sync.view()
    assert newest is not None
    assert (newest.state, newest.people) == ("complete", 23)


async def test_a_passing_error_keeps_the_cursor_and_the_next_request_goes_on(world: World) -> None:
    world.hire(TWENTY)
    world.directory.page_size = 10
    world.directory.fail("people", SLOW, after=1)
    run = await world.read()
    halted = await view(world, run)
    assert (halted.state, halted.error, halted.people) == ("running", "Microsoft does not answer right now.", 10)

    again = await world.read()

    assert again == run
    assert [job.key for job in world.engine.done] == [f"sync:{run}:1", f"sync:{run}:2"]
    seen = await view(world, run)
    assert (seen.state, seen.error, seen.people) == ("complete", None, 23)


async def test_a_run_that_meets_errors_for_a_day_is_given_up(world: World) -> None:
    world.directory.fail("people", SLOW, times=2)
    run = await world.read()
    world.clock.advance(timedelta(hours=25))

    other = await world.read()

    assert other != run
    assert (await view(world, run)).error == (
        "The sync did not finish within a day. Nothing was marked as gone. Try again: /reclaim sync"
    )


async def test_a_permanent_error_fails_the_run_and_says_what_to_do(world: World) -> None:
    world.directory.fail("people", REFUSED)

    run = await world.read(LYNNE)

    seen = await view(world, run)
    assert (seen.state, seen.error) == (
        "failed",
        "Reading people is refused. Grant User.Read.All. Nothing was marked as gone. Try again: /reclaim sync",
    )
    assert world.followed == []
    assert [notice.sync.state for notice in world.messenger.to(LYNNE) if isinstance(notice, SyncNotice)] == ["failed"]


@pytest.mark.parametrize(("minutes", "again"), [(59, False), (60, True)])
async def test_the_clock_leaves_a_failed_run_alone_for_an_hour(world: World, minutes: int, again: bool) -> None:
    world.directory.fail("people", REFUSED)
    failed = await world.read()
    world.clock.advance(timedelta(minutes=minutes))

    assert (await world.read() != failed) is again


async def test_a_person_may_try_again_at_once(world: World) -> None:
    world.directory.fail("people", REFUSED)
    failed = await world.read()
    world.clock.advance(timedelta(minutes=1))

    assert await world.read(LYNNE) != failed


@pytest.mark.parametrize("stream", ["skus", "groups", "people", "sign_ins"])
async def test_a_failing_last_page_marks_nothing_gone(world: World, stream: str) -> None:
    world.hire(TWENTY)
    await world.read()
    world.clock.advance(timedelta(hours=1))
    world.directory.remove(PersonId("p00"))
    world.directory.fail(stream, DirectoryError("broken page", permanent=True))

    run = await world.read()

    assert (await view(world, run)).state == "failed"
    assert "p00" in await present(world)


async def test_an_unforeseen_error_fails_the_run_and_the_job(world: World) -> None:
    world.directory.fail("people", ZeroDivisionError("ours"))
    run = await world.sync.request(None)
    with pytest.raises(ZeroDivisionError):
        await world.engine.drain()

    seen = await view(world, run)

    assert seen.state == "failed"
    assert seen.error is not None
    assert seen.error.startswith("Something unexpected stopped the sync.")


async def test_who_left_is_gone_after_a_complete_run(world: World) -> None:
    world.hire(TWENTY)
    await world.read()
    world.clock.advance(timedelta(hours=1))
    world.directory.remove(PersonId("p00"))

    run = await world.read()

    assert "p00" not in await present(world)
    seen = await view(world, run)
    assert (seen.gone_people, seen.gone_seats, seen.idle) == (1, 1, 19)


@pytest.mark.parametrize(
    ("code", "support"),
    [
        ("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "no_premium"),
        ("Authorization_RequestDenied", "no_permission"),
    ],
)
async def test_a_tenant_without_sign_in_data_is_read_and_its_activity_unknown(
    world: World, code: str, support: str
) -> None:
    world.hire(["quiet"])
    world.directory.add(person("off", enabled=False, seen_days=1), seat("off", VISIO))
    await world.read()
    world.clock.advance(timedelta(hours=1))
    world.directory.fail("sign_ins", DirectoryError("refused", permanent=True, status=403, graph_code=code))

    run = await world.read()

    seen = await view(world, run)
    assert (seen.state, seen.sign_ins, seen.idle) == ("complete", support, 1)
    async with world.work.read() as reading:
        quiet = await reading.people.get(PersonId("quiet"))
        assert quiet is not None
        assert quiet.sign_ins is None
        assert (await reading.findings.verdicts())["unknown"] == 1


async def test_progress_is_told_every_ten_pages_in_one_message(world: World) -> None:
    world.hire([f"p{number:03}" for number in range(197)])  # 200 people
    world.directory.page_size = 10

    await world.read(LYNNE)

    told = [one for one in world.messenger.sent if isinstance(one.notice, SyncNotice)]
    assert [(one.notice.sync.state, one.notice.sync.people) for one in told if isinstance(one.notice, SyncNotice)] == [
        ("running", 80),
        ("running", 180),
        ("running", 200),
        ("running", 200),
        ("complete", 200),
    ]
    assert [one.updated for one in told] == [False, True, True, True, True]


async def test_an_unreachable_requester_does_not_fail_the_sync(world: World) -> None:
    world.messenger.fail(DeliveryError("No channel reaches this person.", permanent=True))

    run = await world.read(LYNNE)

    assert (await view(world, run)).state == "complete"


async def test_a_database_of_another_tenant_is_refused_by_both_names(world: World) -> None:
    await world.read()
    world.tenant = TenantId("tenant-fabrikam")

    with pytest.raises(InvalidRequest, match=r"tenant-contoso.*tenant-fabrikam"):
        await world.sync.request(None)


async def test_a_list_that_never_ends_fails_instead_of_running_for_ever(world: World) -> None:
    first = await world.directory.people(None)

    async def people(cursor: str | None) -> Page[PersonRow]:
        return Page(rows=first.rows, next_cursor="again", request=first.request)

    world.directory.people = people  # type: ignore[method-assign]

    run = await world.read()

    seen = await view(world, run)
    assert seen.state == "failed"
    assert seen.error is not None
    assert seen.error.startswith("Microsoft sent the same page twice")


async def test_a_person_whom_microsoft_sends_twice_counts_once(world: World) -> None:
    page = await world.directory.people(None)

    async def people(cursor: str | None) -> Page[PersonRow]:
        return replace(page, rows=(*page.rows, page.rows[0]))

    world.directory.people = people  # type: ignore[method-assign]

    run = await world.read()

    assert (await view(world, run)).people == 3


async def test_the_command_line_syncs_without_an_engine_and_waits_out_a_passing_error(world: World) -> None:
    world.directory.fail("people", SLOW)

    seen = await world.sync.run_to_end(LYNNE)

    assert (seen.state, seen.error) == ("complete", None)
    assert world.clock.slept == [10.0]
    assert list(world.engine.queued) == []


async def test_the_command_line_gives_up_after_five_tries_and_keeps_the_run(world: World) -> None:
    world.directory.fail("people", SLOW, times=5)

    seen = await world.sync.run_to_end(None)

    assert (seen.state, seen.error) == ("running", "Microsoft does not answer right now.")
    assert len(world.clock.slept) == 4


async def test_nothing_was_read_yet(world: World) -> None:
    assert await world.sync.view() is None


async def test_of_two_jobs_on_one_run_one_goes_on_and_the_other_writes_nothing_more(world: World) -> None:
    world.hire(TWENTY)
    world.directory.page_size = 10
    run = await world.sync.request(None)
    job = world.engine.queued.popleft()
    read, overtaken = world.directory.people, False

    async def people(cursor: str | None) -> Page[PersonRow]:
        nonlocal overtaken
        page = await read(cursor)
        if not overtaken:
            overtaken = True
            await world.sync.handle(job)  # the other job reads everything while this one waits for its page
        return page

    world.directory.people = people  # type: ignore[method-assign]

    await world.sync.handle(job)

    seen = await view(world, run)
    assert (seen.state, seen.people, seen.seats) == ("complete", 23, 20)
    assert world.followed == [run]
    assert len(await world.events()) == 1


async def test_a_running_sync_tells_the_time_left_once_it_knows_how_many_people_there_are(world: World) -> None:
    world.directory.slow = True
    world.directory.page_size = 2
    world.hire(["a", "b", "c"])
    left: list[timedelta | None] = []
    sign_ins = world.directory.sign_ins

    async def watched(cursor: str | None) -> Page[SignInRow]:
        view = await world.sync.view()
        left.append(view.left if view else None)
        return await sign_ins(cursor)

    world.directory.sign_ins = watched  # type: ignore[method-assign]
    await world.read()

    # Six people, two a page; the next page is asked for while the last is stored.
    assert left[0] == timedelta(seconds=6)
    assert left == sorted(left, reverse=True)  # type: ignore[type-var]
    assert left[-1] < left[0]  # type: ignore[operator]
    done = await world.sync.view()
    assert done is not None
    assert done.left is None


async def test_a_reading_without_groups_asks_for_none(world: World) -> None:
    world.hire(["a"])
    sync = SyncDirectory(
        work=world.work,
        clock=world.clock,
        tokens=world.tokens,
        policy=world.policy,
        directory=world.directory,
        messenger=world.messenger,
        tenant_id=world.tenant,
        with_groups=False,
    )

    assert (await sync.run_to_end(None)).state == "complete"
    assert {call[0] for call in world.directory.calls} == {"skus", "people", "sign_ins"}
