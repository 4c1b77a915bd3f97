"""What the tests of the decision batcher share."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Table, select

from reclaim.ports.storage import DecisionWrite
from storage.decisions import DecisionBatcher
from storage.engine import Database


@asynccontextmanager
async def started(database: Database) -> AsyncIterator[DecisionBatcher]:
    """Run a batcher, as one replica does."""
    batcher = DecisionBatcher(database)
    await batcher.start()
    yield batcher
    await batcher.stop()


async def all_rows(database: Database, table: Table) -> Sequence[dict[str, Any]]:
    async with database.reads.connect() as connection:
        found = await connection.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row) for row in found.mappings()]


async def record_together(log: DecisionBatcher, *writes: DecisionWrite) -> list[bool | BaseException]:
    """Record in this order, all before the batcher has had a turn: at most `BATCH` of them are one batch."""
    return await asyncio.gather(*(log.record(write) for write in writes), return_exceptions=True)
