"""What every test folder shares. Keep it small: a fixture used by one folder lives in that folder."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL

from storage.engine import Database
from storage.migrate import upgrade
from storage.unit_of_work import SqlWork
from tests.databases import copy_sqlite, empty_postgres, migrate_sqlite_template, postgres_database, store_job

# A deadline is a timed assertion, and so is the complaint of slow data: on a busy machine both fail what is right. The
# gate tries the same examples every time; to look for new ones: pytest --hypothesis-profile=default.
settings.register_profile(
    "reclaim", deadline=None, max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("reclaim")


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The SQLAlchemy URL of a PostgreSQL server on which tests may make databases; a dead one fails the test."""
    url = os.environ.get("RECLAIM_TEST_POSTGRES_URL")
    if not url:
        pytest.skip("RECLAIM_TEST_POSTGRES_URL is not set: tried on SQLite only")
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that nothing has open."""
    return migrate_sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[URL]:
    """A migrated PostgreSQL database that the tests of a session use one after the other."""
    with postgres_database(postgres_url) as url:
        upgrade(url.render_as_string(hide_password=False))
        yield url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An empty, migrated SQLite database."""
    return copy_sqlite(sqlite_template, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty, migrated database of either kind: a test that asks for it runs on both."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    url: URL = request.getfixturevalue("migrated_postgres")
    yield url.render_as_string(hide_password=False)
    empty_postgres(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    opened = Database(database_url)
    yield opened
    await opened.dispose()


@pytest.fixture
def work(database: Database) -> SqlWork:
    """Units of work on it; `tests.databases.stored_jobs` tells what they enqueued."""
    return SqlWork(database, store_job)
