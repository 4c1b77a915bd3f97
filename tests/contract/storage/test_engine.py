import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from reclaim.errors import InvalidRequest, PortError
from storage.engine import Database, add_unixepoch, plain_url
from storage.tables import drafts, installation


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("sqlite:////data/reclaim.db", "sqlite:////data/reclaim.db"),
        ("sqlite+aiosqlite:///reclaim.db", "sqlite:///reclaim.db"),
        ("postgresql://reclaim@db/reclaim", "postgresql://reclaim@db/reclaim"),
        ("postgresql+psycopg://reclaim@db/reclaim", "postgresql://reclaim@db/reclaim"),
        ("postgresql+asyncpg://reclaim@db/reclaim", "postgresql://reclaim@db/reclaim"),
    ],
)
def test_a_url_is_taken_with_and_without_a_driver(url: str, plain: str) -> None:
    assert plain_url(url).render_as_string() == plain


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root:s3cret@db/reclaim", "s3cret"])
def test_any_other_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        Database(url)

    assert "s3cret" not in refusal.value.message


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
async def test_the_files_are_for_their_owner_alone(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.chmod(0o644)  # noqa: ASYNC240 - nothing else runs in this loop
    database = Database(sqlite_url)
    async with database.writes.begin() as connection:
        await connection.execute(insert(installation).values(key="a", value="b"))

        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("reclaim.db*")}

    await database.dispose()
    assert modes == {"reclaim.db": 0o600, "reclaim.db-wal": 0o600, "reclaim.db-shm": 0o600}


async def test_a_missing_file_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "reclaim.db"

    await Database(f"sqlite:///{path}").dispose()

    assert path.exists()


def test_a_place_that_cannot_be_written_is_a_permanent_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PortError) as failure:
        Database(f"sqlite:///{tmp_path}/file/reclaim.db")

    assert failure.value.permanent


async def test_every_sqlite_connection_is_durable_and_checks_references(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
    found: dict[str, list[object]] = {}
    for name, engine in (("writes", database.writes), ("reads", database.reads)):
        async with engine.connect() as connection:
            found[name] = [(await connection.execute(text(f"PRAGMA {pragma}"))).scalar() for pragma in pragmas]
    assert database.thread is not None
    with database.thread.connect() as direct:
        found["thread"] = [direct.execute(text(f"PRAGMA {pragma}")).scalar() for pragma in pragmas]
    await database.dispose()

    assert found == {
        "writes": ["wal", 2, 1, 30_000, 0],
        "reads": ["wal", 2, 1, 30_000, 1],
        "thread": ["wal", 2, 1, 30_000, 0],
    }


async def test_reads_refuse_to_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        async with database.reads.begin() as connection:
            await connection.execute(insert(installation).values(key="a", value="b"))


async def test_a_read_sees_one_state_and_is_not_held_up_by_a_writer(database: Database) -> None:
    query = select(installation.c.key)
    async with database.reads.connect() as reader:
        before = (await reader.execute(query)).scalars().all()
        async with database.writes.begin() as writer:
            await writer.execute(insert(installation).values(key="a", value="b"))
            during = (await reader.execute(query)).scalars().all()
        after = (await reader.execute(query)).scalars().all()
    async with database.reads.connect() as reader:
        anew = (await reader.execute(query)).scalars().all()

    assert (before, during, after, anew) == ([], [], [], ["a"])


async def test_writers_wait_for_each_other_instead_of_failing(database: Database) -> None:
    async def add(number: int) -> None:
        async with database.writes.begin() as connection:
            seen = (await connection.execute(select(installation.c.key))).all()
            await connection.execute(insert(installation).values(key=str(number), value=str(len(seen))))

    await asyncio.gather(*(add(number) for number in range(20)))

    async with database.reads.connect() as connection:
        assert len((await connection.execute(select(installation))).all()) == 20


async def test_a_write_takes_the_lock_when_it_begins_and_a_read_never(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)) as other:
        async with database.writes.begin():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        async with database.reads.begin() as reader:
            await reader.execute(select(installation))
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
    await database.dispose()


async def test_the_writer_thread_waits_for_the_write_connection(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    assert database.thread is not None
    begun, engine = threading.Event(), database.thread

    def write_in_thread() -> None:
        begun.set()
        with engine.begin() as connection:
            connection.execute(insert(installation).values(key="thread", value="second"))

    async with database.writes.begin() as connection:
        waiting = asyncio.create_task(asyncio.to_thread(write_in_thread))
        await asyncio.to_thread(begun.wait)
        await connection.execute(insert(installation).values(key="loop", value="first"))
        assert not waiting.done()
    await waiting
    async with database.reads.connect() as connection:
        keys = (await connection.execute(select(installation.c.key).order_by(text("rowid")))).scalars().all()
    await database.dispose()

    assert keys == ["loop", "thread"]


async def test_a_naive_instant_is_refused(database: Database) -> None:
    naive = datetime(2026, 11, 22, 9, 30)  # noqa: DTZ001 - the mistake under test

    with pytest.raises(Exception, match="a naive datetime may not be stored"):
        async with database.writes.begin() as connection:
            await connection.execute(insert(drafts).values(ref="r", owner="o", state={}, at=naive))


async def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    local = datetime(2026, 3, 29, 3, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    async with database.writes.begin() as connection:
        await connection.execute(insert(drafts).values(ref="r", owner="o", state={}, at=local))
    async with database.reads.connect() as connection:
        stored = (await connection.execute(select(drafts.c.at))).scalar_one()

    assert (stored, stored.tzinfo) == (datetime(2026, 3, 29, 1, 0, 0, 123456, tzinfo=UTC), UTC)


def test_unixepoch_knows_parts_of_seconds_on_every_sqlite(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'engine.db'}")
    add_unixepoch(engine)
    with engine.connect() as connection:
        at = connection.execute(text("SELECT unixepoch('subsec')")).scalar_one()
    engine.dispose()
    with closing(sqlite3.connect(":memory:")) as plain:
        (seconds,) = plain.execute("SELECT CAST(strftime('%s', 'now') AS INTEGER)").fetchone()

    assert isinstance(at, float)
    assert abs(at - seconds) < 60


async def test_each_statement_takes_one_trip_to_the_connections_thread(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(sqlite_url)
    trips: list[object] = []
    send: Any = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, function: Callable[..., Any], *args: Any) -> Any:
        trips.append(function)
        return await send(self, function, *args)

    async with database.writes.begin() as connection:
        monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
        rows = [{"key": f"key-{number}", "value": "a"} for number in range(3)]
        stored = await connection.execute(insert(installation), rows)
        found = (await connection.execute(select(installation.c.key).order_by(installation.c.key))).all()
        changed = await connection.execute(text("UPDATE installation SET value = 'b' WHERE key <> 'key-0'"))
        with pytest.raises(IntegrityError):
            await connection.execute(insert(installation), rows)
        monkeypatch.undo()

    assert len(trips) == 4
    assert [row.key for row in found] == ["key-0", "key-1", "key-2"]
    assert (stored.rowcount, changed.rowcount) == (3, 2)
    await database.dispose()
