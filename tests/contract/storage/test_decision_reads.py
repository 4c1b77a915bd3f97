"""What a decision is judged by, read for several clicks at once, on both back ends."""

import asyncio
from collections.abc import Iterator

import pytest

from reclaim.domain.directory import Person
from reclaim.domain.ids import ItemId, RunId
from reclaim.domain.review import ReviewItem
from reclaim.ports.directory import PersonRow
from reclaim.ports.storage import SyncRun, ToDecide, Work
from storage.decision_reads import DecisionReads
from storage.engine import Database
from tests.contract.storage.campaign_samples import ALEX, NOW, SPRING, item, store

SOME = [item(number) for number in range(1, 4)]


@pytest.fixture
def reads(database: Database) -> Iterator[DecisionReads]:
    found = DecisionReads(database)
    yield found
    found.close()


async def hire_alex(work: Work) -> None:
    run = RunId("run")
    alex = Person(id=ALEX, name="", upn="alex@contoso.com", enabled=True)
    async with work.write() as unit:
        await unit.syncs.add(SyncRun(id=run, state="complete", started_at=NOW, requested_by=None))
        await unit.syncs.save_people(run, [PersonRow(person=alex, seats=())], now=NOW)
        await unit.commit()


async def test_an_item_comes_with_its_campaign_and_the_name_of_its_assignee(work: Work, reads: DecisionReads) -> None:
    await hire_alex(work)
    await store(work, SOME[0])

    found = await reads.load([SOME[0].id])

    assert found.items == {SOME[0].id: SOME[0]}
    assert found.campaigns[SPRING].name == "Spring clean-up"
    assert found.names == {ALEX: "alex@contoso.com"}  # who has no display name is named by the user principal name


async def test_what_is_not_there_is_left_out(work: Work, reads: DecisionReads) -> None:
    await store(work, SOME[0])

    found = await reads.load([SOME[0].id, ItemId("nowhere")])

    assert list(found.items) == [SOME[0].id]
    assert (await reads.load([])).items == {}


async def test_clicks_at_the_same_time_each_get_their_own_items(work: Work, reads: DecisionReads) -> None:
    await store(work, *SOME)
    wanted: list[list[ReviewItem]] = [[SOME[0]], [SOME[1], SOME[2]], [SOME[2]], []]

    found: list[ToDecide] = await asyncio.gather(*(reads.load([one.id for one in some]) for some in wanted))

    assert [one.items for one in found] == [{each.id: each for each in some} for some in wanted]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_caller_who_gives_up_does_not_take_the_others_down(
    work: Work, database: Database, reads: DecisionReads
) -> None:
    await store(work, *SOME)
    gone = asyncio.create_task(reads.load([SOME[0].id]))
    waiting = asyncio.create_task(reads.load([SOME[1].id]))
    await asyncio.sleep(0)

    gone.cancel()

    assert (await waiting).items == {SOME[1].id: SOME[1]}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_failing_read_is_told_to_who_asked_and_the_next_one_runs(
    work: Work, database: Database, reads: DecisionReads
) -> None:
    await store(work, SOME[0])
    engine, database.read_thread = database.read_thread, None
    asyncs, database.reads = database.reads, None  # type: ignore[assignment]

    with pytest.raises(AttributeError):
        await reads.load([SOME[0].id])
    database.read_thread, database.reads = engine, asyncs

    assert (await reads.load([SOME[0].id])).items == {SOME[0].id: SOME[0]}
