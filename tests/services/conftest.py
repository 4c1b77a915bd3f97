"""Services run on the real SQLite storage: a migrated template, copied for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Database
from storage.unit_of_work import SqlWork
from tests.databases import copy_sqlite, migrate_sqlite_template
from tests.fakes import InMemoryEngine
from tests.services.campaign_world import CampaignWorld, check
from tests.services.world import World


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrate_sqlite_template(tmp_path_factory.mktemp("services-template"))


@pytest.fixture
async def world(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[World]:
    database = Database(copy_sqlite(sqlite_template, tmp_path))
    engine = InMemoryEngine()
    yield World(SqlWork(database, engine.enqueue_in), engine)
    await database.dispose()


@pytest.fixture
async def campaigns(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[CampaignWorld]:
    """A tenant with idle seats and nobody asked yet; what must hold of every campaign is checked after each test."""
    world = CampaignWorld(copy_sqlite(sqlite_template, tmp_path))
    await world.start()
    yield world
    try:
        await check(world)
    finally:
        await world.stop()
