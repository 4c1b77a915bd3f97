import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from reclaim.domain.ids import PersonId, TenantId
from reclaim.errors import PortError
from reclaim.ports.engine import Job
from storage.engine import Database
from storage.unit_of_work import SqlWork
from tests.databases import store_job, stored_jobs

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ANNA = PersonId("anna")


async def test_what_is_committed_stays(work: SqlWork) -> None:
    async with work.write() as unit:
        await unit.controls.put_draft("form", ANNA, {"days": 90}, at=NOW)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.controls.draft("form") == (ANNA, {"days": 90})


async def test_leaving_without_commit_keeps_nothing(work: SqlWork, database: Database) -> None:
    async with work.write() as unit:
        await unit.controls.put_draft("form", ANNA, {}, at=NOW)
        await unit.enqueue(Job(kind="sync", key="sync:1"))

    async with work.read() as unit:
        assert await unit.controls.draft("form") is None
    assert await stored_jobs(database) == []


async def test_an_error_keeps_nothing_and_comes_through(work: SqlWork, database: Database) -> None:
    async def fail() -> None:
        async with work.write() as unit:
            await unit.controls.put_draft("form", ANNA, {}, at=NOW)
            await unit.enqueue(Job(kind="sync", key="sync:1"))
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()

    async with work.read() as unit:
        assert await unit.controls.draft("form") is None
    assert await stored_jobs(database) == []


async def test_a_job_is_enqueued_with_the_commit(work: SqlWork, database: Database) -> None:
    job = Job(kind="open", key="open:c1", args={"campaign": "c1"})
    async with work.write() as unit:
        await unit.enqueue(job)
        assert await stored_jobs(database) == []
        await unit.commit()

    assert await stored_jobs(database) == [job]


async def test_nothing_can_follow_a_commit(work: SqlWork) -> None:
    async with work.write() as unit:
        await unit.commit()
        with pytest.raises(InvalidRequestError):
            await unit.controls.set_tenant(TenantId("t"))

    async with work.read() as unit:
        assert await unit.controls.tenant() is None


async def test_a_reading_one_refuses_to_commit_and_to_enqueue(work: SqlWork) -> None:
    async with work.read() as unit:
        with pytest.raises(RuntimeError, match="write"):
            await unit.commit()
        with pytest.raises(RuntimeError, match="write"):
            await unit.enqueue(Job(kind="sync", key="sync:1"))


async def test_a_reading_one_cannot_write(work: SqlWork) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        async with work.read() as unit:
            await unit.controls.set_tenant(TenantId("t"))


async def test_a_database_that_stays_locked_is_an_error_that_passes(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    @event.listens_for(database.writes.sync_engine, "connect")
    def wait_shortly(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=50")
        cursor.close()

    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(PortError) as failure:
            async with SqlWork(database, store_job).write():
                pytest.fail("the lock was held by somebody else")
    await database.dispose()

    assert not failure.value.permanent


async def test_a_database_that_is_away_is_an_error_that_passes() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2")

    with pytest.raises(PortError) as failure:
        async with SqlWork(database, store_job).read() as unit:
            await unit.people.count()
    await database.dispose()

    assert not failure.value.permanent


async def test_a_cancelled_unit_of_work_gives_its_connection_back(work: SqlWork) -> None:
    entered = asyncio.Event()

    async def linger() -> None:
        async with work.write() as unit:
            await unit.controls.set_tenant(TenantId("cancelled"))
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(linger())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with asyncio.timeout(5), work.write() as unit:
        assert await unit.controls.tenant() is None
