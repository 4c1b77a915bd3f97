"""How the batcher behaves with many callers, bad rows, other replicas, and at its end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from reclaim.domain.review import Choice
from reclaim.errors import Conflict, PortError
from reclaim.ports.storage import Work
from storage.decisions import BATCH, DecisionBatcher
from storage.engine import Database
from storage.tables import attestation_events, decisions, event_values, review_items
from tests.contract.storage.campaign_samples import (
    NOW,
    SPRING,
    answered,
    decision,
    item,
    store,
    stored,
)
from tests.contract.storage.decision_log import all_rows, record_together, started


@pytest.fixture
async def log(database: Database) -> AsyncIterator[DecisionBatcher]:
    async with started(database) as batcher:
        yield batcher


async def test_a_poison_row_fails_alone(work: Work, database: Database, log: DecisionBatcher) -> None:
    await store(work, *(item(n) for n in range(1, 8)))
    writes = [decision(answered(item(n))) for n in range(1, 8)]
    naive = NOW.replace(tzinfo=None)
    writes[3] = replace(writes[3], at=naive)

    results = await record_together(log, *writes)

    assert [type(result) for result in results[:3] + results[4:]] == [bool] * 6
    assert all(results[:3] + results[4:])
    assert isinstance(results[3], Exception)
    assert "naive" in str(results[3])
    assert await stored(work, item(4)) == item(4)
    assert len(await all_rows(database, decisions)) == 6
    assert len(await all_rows(database, event_values)) == 6


async def test_a_row_that_breaks_a_constraint_fails_alone_and_the_batcher_lives_on(
    work: Work, log: DecisionBatcher
) -> None:
    await store(work, item(1), item(2), item(3))
    twice = [decision(answered(item(n)), event_id="the same event") for n in (1, 2)]

    results = await record_together(log, *twice)

    assert results[0] is True
    assert isinstance(results[1], IntegrityError)
    assert await log.record(decision(answered(item(3)))) is True


async def test_200_decisions_at_once_are_all_durable(work: Work, database: Database, log: DecisionBatcher) -> None:
    items = [item(n) for n in range(200)]
    await store(work, *items)

    results = await record_together(log, *(decision(answered(one)) for one in items))

    assert results == [True] * 200
    async with work.read() as unit:
        assert await unit.items.of_campaign(SPRING) == [answered(one) for one in items]
    assert len(await all_rows(database, decisions)) == 200
    assert len(await all_rows(database, attestation_events)) == 200


async def test_a_bad_row_in_a_queue_longer_than_a_batch_fails_alone(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    items = [item(n) for n in range(BATCH + 2)]
    await store(work, *items)
    writes = [decision(answered(one)) for one in items]
    writes[BATCH] = replace(writes[BATCH], at=NOW.replace(tzinfo=None))

    results = await record_together(log, *writes)

    assert [result is True for result in results] == [True] * BATCH + [False, True]
    assert len(await all_rows(database, decisions)) == BATCH + 1


async def test_two_batchers_on_one_database_let_one_decision_win(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    """Two replicas on PostgreSQL; on SQLite there is one process, but its file must hold even so."""
    items = [item(n) for n in range(30)]
    await store(work, *items)
    second = DecisionBatcher(database)
    await second.start()

    kept, revoked = await asyncio.gather(
        record_together(log, *(decision(answered(one), key=f"a{one.id}") for one in items)),
        record_together(second, *(decision(answered(one, Choice.REVOKE), key=f"b{one.id}") for one in reversed(items))),
    )
    await second.stop()

    assert [{one, other} for one, other in zip(kept, reversed(revoked), strict=True)] == [{True, False}] * 30
    assert len(await all_rows(database, decisions)) == 30


async def test_the_same_key_from_two_replicas_at_once_is_stored_once(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, *(item(n) for n in range(20)))
    second = DecisionBatcher(database)
    await second.start()
    writes = [decision(answered(item(n))) for n in range(20)]

    here, there = await asyncio.gather(record_together(log, *writes), record_together(second, *writes))
    await second.stop()

    assert here == there == [True] * 20
    assert len(await all_rows(database, decisions)) == 20


async def test_a_key_that_another_replica_is_just_storing_is_a_conflict_with_another_content(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item(1), item(2))
    theirs = {
        "item_id": item(2).id,
        "item_version": 2,
        "batch_id": "b2",
        "choice": "keep",
        "by": "alex",
        "at": NOW,
        "idem_key": "k",
        "request_sha256": "other",
        "response": "recorded",
    }

    async with database.writes.begin() as connection:
        await connection.execute(insert(decisions).values(theirs))
        ours = asyncio.create_task(log.record(decision(answered(item(1)), key="k")))
        await asyncio.wait([ours], timeout=0.2)

    with pytest.raises(Conflict, match="sent before with another answer"):
        await ours
    assert await stored(work, item(1)) == item(1)


async def test_a_cancelled_caller_loses_nothing_and_disturbs_nobody(work: Work, log: DecisionBatcher) -> None:
    await store(work, item(1), item(2), item(3))
    tasks = [asyncio.create_task(log.record(decision(answered(item(n))))) for n in (1, 2, 3)]
    await asyncio.sleep(0)

    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [results[0], results[2]] == [True, True]
    assert isinstance(results[1], asyncio.CancelledError)
    await log.stop()
    assert await stored(work, item(2)) == answered(item(2))


async def test_stopping_stores_what_waits_and_takes_no_more(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    items = [item(n) for n in range(150)]
    await store(work, *items)
    waiting = [asyncio.create_task(log.record(decision(answered(one)))) for one in items]
    await asyncio.sleep(0)

    await log.stop()

    with pytest.raises(PortError, match="restarting"):
        await log.record(decision(answered(items[0]), key="too late"))
    assert len(await all_rows(database, decisions)) == 150
    assert await asyncio.gather(*waiting) == [True] * 150


async def test_whoever_gives_up_waiting_for_the_stop_does_not_break_it(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item())
    waiting = asyncio.create_task(log.record(decision(answered(item()))))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(log.stop())
    await asyncio.sleep(0)

    stopping.cancel()
    await log.stop()

    assert await waiting is True
    assert len(await all_rows(database, decisions)) == 1


async def test_nothing_is_taken_before_the_start(database: Database) -> None:
    with pytest.raises(PortError, match="restarting"):
        await DecisionBatcher(database).record(decision(answered(item())))


async def test_what_was_acknowledged_survives_the_loss_of_the_process(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    """No stop and no close: another connection to the same database sees it."""
    await store(work, item())

    assert await log.record(decision(answered(item()))) is True

    again = Database(database.url.render_as_string(hide_password=False))
    async with again.reads.connect() as connection:
        found = await connection.execute(select(review_items.c.choice))
        assert found.scalar_one() == "keep"
    await again.dispose()
