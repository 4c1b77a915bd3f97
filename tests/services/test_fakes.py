"""The fakes keep the promises of their ports that other tests lean on."""

from datetime import timedelta

import pytest

from reclaim.domain.ids import PersonId
from reclaim.errors import WriteBackError
from reclaim.ports.engine import Job
from tests.fakes import FakeWriter, Killed
from tests.services.world import VISIO, VISIO_GROUP, World, group, person, seat

ANNA = PersonId("anna")


def job(key: str) -> Job:
    return Job(kind="note", key=f"note:{key}")


async def test_a_job_is_there_when_its_transaction_commits_and_not_before(world: World) -> None:
    async with world.work.write() as unit:
        await unit.enqueue(job("kept"))
        assert list(world.engine.queued) == []
        await unit.commit()
    async with world.work.write() as unit:
        await unit.enqueue(job("dropped"))

    assert [one.key for one in world.engine.queued] == ["note:kept"]


async def test_a_key_is_one_job_for_ever(world: World) -> None:
    ran: list[str] = []

    async def handler(one: Job) -> None:
        ran.append(one.key)

    world.engine.register("note", handler)
    await world.engine.enqueue(job("a"))
    await world.engine.drain()
    await world.engine.enqueue(job("a"))
    await world.engine.drain()

    assert ran == ["note:a"]


async def test_a_killed_job_runs_again_and_a_failed_one_does_not(world: World) -> None:
    ends: list[BaseException] = [Killed(), ZeroDivisionError("ours")]
    ran: list[str] = []

    async def handler(one: Job) -> None:
        ran.append(one.key)
        if ends:
            raise ends.pop(0)

    world.engine.register("note", handler)
    await world.engine.enqueue(job("a"))
    await world.engine.enqueue(job("b"))

    with pytest.raises(Killed):
        await world.engine.drain()
    with pytest.raises(ZeroDivisionError):
        await world.engine.drain()
    await world.engine.drain()

    assert ran == ["note:a", "note:a", "note:b"]
    assert [one.key for one, _ in world.engine.failed] == ["note:a"]


async def test_a_direct_seat_is_gone_at_once_and_the_second_write_finds_nothing(world: World) -> None:
    world.hire(["anna"])
    writer = FakeWriter(world.directory)

    first = await writer.remove_direct(ANNA, VISIO, client_request_id="1")
    second = await writer.remove_direct(ANNA, VISIO, client_request_id="2")

    assert (first.already_absent, second.already_absent) == (False, True)
    assert (await writer.read_back(ANNA, VISIO)).seat is None


async def test_a_group_seat_goes_when_the_delay_is_over(world: World) -> None:
    world.directory.group_facts[VISIO_GROUP] = group(VISIO_GROUP, VISIO)
    world.directory.add(person("anna"), seat("anna", VISIO, VISIO_GROUP))
    writer = FakeWriter(world.directory, group_delay=timedelta(hours=2))

    await writer.leave_group(ANNA, VISIO_GROUP, client_request_id="1")
    before = (await writer.read_back(ANNA, VISIO)).seat
    world.clock.advance(timedelta(hours=2))

    assert before is not None
    assert (await writer.read_back(ANNA, VISIO)).seat is None


@pytest.mark.parametrize(("maybe_applied", "there"), [(True, False), (False, True)])
async def test_a_lost_answer_may_hide_a_change(world: World, maybe_applied: bool, there: bool) -> None:
    world.hire(["anna"])
    writer = FakeWriter(world.directory)
    writer.fail("remove_direct", WriteBackError("lost", maybe_applied=maybe_applied))

    with pytest.raises(WriteBackError):
        await writer.remove_direct(ANNA, VISIO, client_request_id="1")

    assert ((await writer.read_back(ANNA, VISIO)).seat is not None) is there
