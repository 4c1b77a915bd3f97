"""Engines to hold to one contract: the one in memory, and DBOS on SQLite and on PostgreSQL."""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from reclaim.connectors.engine import DbosEngine, migrate
from reclaim.ports.engine import Engine, Job
from tests.fakes import InMemoryEngine

DRAIN = timedelta(seconds=5)
POLL_S = 0.02


class AnyEngine(Engine, Protocol):
    """The port, and the enqueue inside a transaction that storage is given."""

    def enqueue_in(self, connection: Connection, job: Job) -> None: ...


class Rig:
    """An engine under test, with what a test does around it.

    Args:
        url: For the engine in memory any database will do: it only gives the transaction.
    """

    def __init__(self, engine: AnyEngine, url: str) -> None:
        self.engine = engine
        driver = "sqlite+aiosqlite" if url.startswith("sqlite") else "postgresql+psycopg"
        self._url = make_url(url).set(drivername=driver)

    async def enqueue_in_transaction(self, *jobs: Job, commit: bool) -> None:
        database = create_async_engine(self._url)
        try:
            async with database.connect() as connection, connection.begin() as transaction:
                for job in jobs:
                    await connection.run_sync(self.engine.enqueue_in, job)
                await (transaction.commit() if commit else transaction.rollback())
        finally:
            await database.dispose()

    async def settle(self) -> None:
        """Return when all is done, whatever failed."""
        with suppress(LookupError):  # the fake tells of a handler's error once all is done
            await asyncio.wait_for(self.engine.idle(), timeout=20)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables, copied for every test: to make them takes longer than most tests."""
    path = tmp_path_factory.mktemp("engine") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "engine.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    name = f"reclaim_engine_{uuid.uuid4().hex}"
    _administer(postgres_url, f"CREATE DATABASE {name}")
    migrate(_named(postgres_url, name))
    yield name
    _administer(postgres_url, f"DROP DATABASE {name}")


@pytest.fixture
def fresh_postgres_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    name = f"reclaim_engine_{uuid.uuid4().hex}"
    _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield _named(postgres_url, name)
    # A process that a test killed may still be on its way out.
    _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _administer(url: str, statement: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "fresh_postgres_url"))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "memory":
        rig = Rig(InMemoryEngine(), f"sqlite:///{tmp_path / 'memory.db'}")
    else:
        url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "fresh_postgres_url")
        rig = Rig(DbosEngine(url, polling_interval_s=POLL_S, worker_concurrency=4), url)
    yield rig
    await rig.engine.stop(DRAIN)


@asynccontextmanager
async def started(engine: DbosEngine) -> AsyncIterator[DbosEngine]:
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop(DRAIN)


@pytest.fixture
def child_environment() -> dict[str, str]:
    """For a process that a test starts: it finds the code where this one does."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
