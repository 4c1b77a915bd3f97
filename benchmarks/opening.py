"""Opening a campaign of 100,000 items for 10,000 reviewers, against a bare bulk insert of the same rows.

Ours reads the findings, finds each reviewer, freezes the evidence and attests each item, in chunks. The baseline is handed
the finished rows and stores them with `sqlite3.executemany` in one transaction, into a copy of the same file.
"""

import asyncio
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import event

from benchmarks import large
from benchmarks.measure import RUNS, Measure, within
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.policy import Policy
from reclaim.services.jobs import open_job
from reclaim.services.open_campaign import OpenCampaign
from storage.engine import Database

# What one item is, in the order in which the rows refer to each other.
TABLES = ("review_items", "item_assignments", "questions", "attestation_events", "event_values")
LONGEST_LOCK_MS = 250.0


def measures() -> list[Measure]:
    """Return items a second and the longest write lock."""
    seconds, bare, locks = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        large.fill(f"sqlite:///{template}")
        for _ in range(RUNS):
            ours, theirs = (_copy(template, Path(folder) / name) for name in ("ours.db", "bare.db"))
            took, lock_ms = asyncio.run(_open(ours))
            seconds.append(took)
            locks.append(lock_ms)
            bare.append(_insert(ours, theirs))
    print(f"  opening: {spread(seconds)} s; bare: {spread(bare)} s; longest lock: {spread(locks)} ms", flush=True)
    return [
        Measure(
            name="opening a campaign of 100,000 items",
            value=large.ITEMS / statistics.median(seconds),
            unit="items/s",
            baseline="the same rows by sqlite3.executemany in one transaction",
            baseline_value=large.ITEMS / statistics.median(bare),
            goal=0.33,
            better="higher",
        ),
        within("longest write lock while it opens", max(locks), "ms", LONGEST_LOCK_MS),
    ]


def spread(figures: list[float]) -> str:
    """Return smallest, median and largest."""
    return f"{min(figures):.2f} / {statistics.median(figures):.2f} / {max(figures):.2f}"


def hold_times(database: Database) -> list[float]:
    """Return a list that grows by the milliseconds of each write transaction, from the lock to its release."""
    spent: list[float] = []
    begun: dict[int, float] = {}
    engine = database.writes.sync_engine

    def begin(connection: Any) -> None:  # runs after the BEGIN IMMEDIATE of storage.engine, which has the lock
        begun[id(connection.connection.dbapi_connection)] = time.perf_counter()

    def checkin(connection: object, _record: object) -> None:
        if (since := begun.pop(id(connection), None)) is not None:
            spent.append((time.perf_counter() - since) * 1000)

    event.listen(engine, "begin", begin)
    event.listen(engine, "checkin", checkin)
    return spent


def _copy(source: Path, target: Path) -> Path:
    for stale in target.parent.glob(f"{target.name}*"):
        stale.unlink()
    shutil.copy(source, target)
    return target


async def _open(path: Path) -> tuple[float, float]:
    """Open the campaign; return the seconds and the longest write lock in milliseconds."""
    async with large.opened(path) as there:
        await large.launch(there.work)
        held = hold_times(there.database)
        opening = OpenCampaign(work=there.work, clock=there.clock, tokens=RandomTokens(), policy=Policy())
        began = time.perf_counter()
        await opening.handle(open_job(large.LARGE))
        seconds = time.perf_counter() - began
        async with there.work.read() as unit:
            campaign = await unit.campaigns.get(large.LARGE)
            reviewers = await unit.items.reviewers(large.LARGE)
    assert campaign is not None
    assert campaign.opened_at is not None
    assert (sum(one.total for one in reviewers), len(reviewers)) == (large.ITEMS, large.REVIEWERS)
    assert len(held) > large.ITEMS / 1000
    return seconds, max(held)


def _insert(ours: Path, bare: Path) -> float:
    """Store in `bare` what the opening stored in `ours`; return the seconds."""
    with closing(sqlite3.connect(ours)) as source, closing(sqlite3.connect(bare, isolation_level=None)) as target:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            target.execute(f"PRAGMA {pragma}")
        campaign = source.execute("SELECT * FROM campaigns").fetchall()
        target.executemany(f"INSERT INTO campaigns VALUES ({_marks(campaign)})", campaign)  # noqa: S608 - our names
        rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608 - our names
        began = time.perf_counter()
        target.execute("BEGIN IMMEDIATE")
        for table, found in rows.items():
            target.executemany(f"INSERT INTO {table} VALUES ({_marks(found)})", found)  # noqa: S608 - our names
        target.execute("COMMIT")
        seconds = time.perf_counter() - began
        count: Callable[[str], int] = lambda table: target.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: E731, S608
        assert [count(table) for table in TABLES[:3]] == [large.ITEMS] * 3
    return seconds


def _marks(rows: list[Any]) -> str:
    return ", ".join("?" * len(rows[0]))
