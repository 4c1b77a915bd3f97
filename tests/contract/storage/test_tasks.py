from dataclasses import replace

import pytest

from reclaim.domain.directory import DIRECTLY
from reclaim.domain.money import Total
from reclaim.domain.removal import Outcome
from reclaim.domain.tasks import ManualTask, TaskState
from reclaim.errors import Conflict
from storage.unit_of_work import SqlWork
from tests.contract.storage.campaign_samples import ALEX, AUTUMN, HOUR, NOW, SPRING, autumn, campaign, item, store

TASK = ManualTask(
    item_id=item(1).id,
    state=TaskState.STILL_THERE,
    note="Ticket 4711",
    link="https://tickets.example/4711",
    by=ALEX,
    at=NOW,
    attempt=2,
    checked_at=NOW + HOUR,
    via=("group-1", DIRECTLY),
    version=1,
)


async def fill(work: SqlWork) -> None:
    first = replace(item(1), outcome=Outcome.NOT_SUPPORTED, outcome_at=NOW)
    later = replace(item(2), outcome=Outcome.FAILED, outcome_at=NOW + HOUR)
    kept = replace(item(3), outcome=Outcome.KEPT, outcome_at=NOW)
    await store(work, later, first, kept, campaigns=(campaign(), autumn()))


async def test_a_task_comes_back_whole(work: SqlWork) -> None:
    await fill(work)
    async with work.write() as unit:
        await unit.tasks.save(TASK)
        await unit.commit()

    async with work.read() as reading:
        assert await reading.tasks.get_many([TASK.item_id, item(2).id]) == {TASK.item_id: TASK}


async def test_the_second_of_two_who_save_the_same_version_is_refused(work: SqlWork) -> None:
    await fill(work)
    async with work.write() as unit:
        await unit.tasks.save(TASK)
        await unit.tasks.save(replace(TASK, attempt=3, version=2))
        await unit.commit()

    for stale in (TASK, replace(TASK, version=2)):
        with pytest.raises(Conflict):
            async with work.write() as unit:
                await unit.tasks.save(stale)


async def test_open_tasks_are_those_whose_items_need_a_person_the_oldest_first(work: SqlWork) -> None:
    await fill(work)

    async with work.read() as reading:
        everything = await reading.tasks.open(None, offset=0, limit=10)
        second = await reading.tasks.open(SPRING, offset=1, limit=1)
        none = await reading.tasks.open(AUTUMN, offset=0, limit=10)
        counted = await reading.tasks.counted(SPRING)

    assert [one.id for one in everything] == [item(1).id, item(2).id]
    assert ([one.id for one in second], none) == ([item(2).id], [])
    assert counted.by_outcome == {"not_supported": 1, "failed": 1}
    price = item(1).snapshot.monthly
    assert counted.monthly == Total.of([price, price])
