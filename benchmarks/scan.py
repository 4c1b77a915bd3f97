"""The idle scan of 1,000,000 people with two seats each, and what is read from it.

The baseline judges the same seats with one INSERT … SELECT into `findings`, without evidence, exclusions, reasons and
sums, and holds the write lock for all of it. Its table has the index by which findings would be listed; ours are put in
that order too. Both run in processes of their own, on copies of the same file.
"""

import asyncio
import multiprocessing
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from benchmarks.measure import Measure, medians, peak_mb, within
from benchmarks.opening import hold_times
from benchmarks.tenant import NOW, RUN, make, stored
from reclaim.connectors.clock import SteppingClock
from reclaim.domain.exclusions import GUEST, Exclusion, ExclusionId, ExclusionKind
from reclaim.domain.ids import PersonId, ProductId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import SeatFilter
from reclaim.ports.storage import UnitOfWork
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.read_seats import ReadSeats
from reclaim.services.read_spend import ReadSpend
from storage.engine import Database
from storage.unit_of_work import SqlWork

PEOPLE = 1_000_000
RUNS = 3  # each takes over a minute for both
READS = 200
_WINDOWS = (30, 47, 90, 180, 365)
# What `finding_order` holds, as an index.
_BARE_INDEX = """
    CREATE INDEX bare_list ON findings (scan_id, product_id, quiet_since, seat_id, rule, exclusion_id)
"""
_BARE = """
    INSERT INTO findings (scan_id, seat_id, person_id, product_id, rule, quiet_since)
    SELECT 1, id, person_id, product_id, rule, quiet_since FROM (
      SELECT s.id, s.person_id, s.product_id,
             CASE WHEN p.enabled = 0 THEN 'disabled' WHEN seen <> '' THEN 'idle' ELSE 'never_seen' END AS rule,
             CASE WHEN p.enabled = 0 THEN a.assigned_at
                  WHEN seen <> '' OR p.created_at >= '2023-12-01' THEN max(seen, a.assigned_at, p.created_at)
             END AS quiet_since
      FROM seats AS s
      JOIN (SELECT *, max(coalesce(success_at, ''), coalesce(interactive_at, ''), coalesce(background_at, '')) AS seen
            FROM people WHERE gone_at IS NULL) AS p ON p.id = s.person_id
      JOIN (SELECT seat_id, max(updated_at) AS assigned_at FROM seat_paths
            WHERE state IN ('Active', 'ActiveWithError') GROUP BY seat_id) AS a ON a.seat_id = s.id
      WHERE s.gone_at IS NULL
    )
    WHERE quiet_since <= CASE rule WHEN 'disabled' THEN :grace ELSE :window END
"""


def measures() -> list[Measure]:
    """Return the scan's time against the bare statement, its memory and locks, and the time of a reading."""
    with tempfile.TemporaryDirectory() as folder:
        source, ours = Path(folder) / "tenant.db", Path(folder) / "ours.db"
        make(source, people=PEOPLE)
        bare_seconds, seconds, grown, lock_ms = medians(lambda: _both(source, ours), RUNS)
        spend_ms, seats_ms = _alone(_read, ours)
    size = f"{PEOPLE:,} people x 2 seats"
    return [
        Measure(
            name=f"idle scan of {size} on SQLite",
            value=seconds,
            unit="s",
            baseline="one INSERT ... SELECT into findings with a list index, without evidence and exclusions",
            baseline_value=bare_seconds,
            goal=1.5,
            better="lower",
        ),
        within("memory growth of the idle scan", grown, "MB", 50),
        within("longest write lock of the idle scan", lock_ms, "ms", 250),
        within(f"/reclaim spend with {2 * PEOPLE:,} seats, p99", spend_ms, "ms", 300),
        within(f"/reclaim seats with {2 * PEOPLE:,} seats, p99", seats_ms, "ms", 300),
    ]


def _both(source: Path, ours: Path) -> tuple[float, ...]:
    """Return the seconds of the baseline, those of ours, and its memory and lock; `ours` is left behind, scanned."""
    bare = ours.with_name("bare.db")
    _copy(source, bare)
    bare_seconds, bare_rows = _alone(_bare, bare)
    bare.unlink()
    _copy(source, ours)
    seconds, idle, grown, lock_ms = _alone(_scan, ours)
    if idle != bare_rows:
        raise AssertionError(f"the two disagree: {idle} and {bare_rows} idle seats")
    return bare_seconds, seconds, grown, lock_ms


def _copy(source: Path, target: Path) -> None:
    """Copy, and wait until the disk has it: the first checkpoint of who is measured would wait for that instead."""
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        os.fsync(file.fileno())


def _alone(work: Callable[[Path], tuple[float, ...]], path: Path) -> tuple[float, ...]:
    """Run in a fresh process: memory that an earlier measure has freed would hide this one's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (path,))


def _bare(path: Path) -> tuple[float, ...]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_BARE_INDEX)
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        given = {"grace": stored(NOW - timedelta(days=14)), "window": stored(NOW - timedelta(days=30))}
        rows = connection.execute(_BARE, given).rowcount
        connection.execute("COMMIT")
        return time.perf_counter() - began, rows


def _scan(path: Path) -> tuple[float, ...]:
    return asyncio.run(_scan_in(path))


async def _scan_in(path: Path) -> tuple[float, ...]:
    database = Database(f"sqlite:///{path}")
    work = SqlWork(database, lambda _connection, _job: None)
    async with work.write() as unit:
        await _exclude(unit)
        await unit.commit()
    scan = FindIdleSeats(work=work, clock=SteppingClock(NOW), policy=Policy())
    held = hold_times(database)
    before = peak_mb()
    began = time.perf_counter()
    idle = await scan.scan(RUN)
    seconds = time.perf_counter() - began
    grown = peak_mb() - before
    await database.dispose()
    return seconds, idle, grown, max(held)


async def _exclude(unit: UnitOfWork) -> None:
    """Exclude as a large company would: guests, a department, a product, and a hundred people by name."""
    kinds = [(ExclusionKind.GUESTS, GUEST), (ExclusionKind.DEPARTMENT, "Department 7")]
    kinds += [(ExclusionKind.PRODUCT, "product-03")]
    kinds += [
        (ExclusionKind.PERSON, f"{(number * 2654435761) & 4294967295:08x}-0000-4000-8000-{number:012x}")
        for number in range(0, 100_000, 1_000)
    ]
    for number, (kind, value) in enumerate(kinds):
        await unit.exclusions.add(
            Exclusion(
                id=ExclusionId(f"x{number}"), kind=kind, value=value, reason="benchmark", by=PersonId("admin"), at=NOW
            )
        )


def _read(path: Path) -> tuple[float, ...]:
    return asyncio.run(_read_in(path))


async def _read_in(path: Path) -> tuple[float, ...]:
    """Time `/reclaim spend` and `seats` for windows of every kind, on first pages and on the last."""
    database = Database(f"sqlite:///{path}")
    work = SqlWork(database, lambda _connection, _job: None)
    clock = SteppingClock(NOW + timedelta(hours=7, microseconds=3))
    spend = ReadSpend(work=work, clock=clock, policy=Policy())
    seats = ReadSeats(work=work, clock=clock, policy=Policy())
    everything = await seats.page(SeatFilter(days=30))
    spend_ms = await _p99(lambda turn: spend.report(_WINDOWS[turn % len(_WINDOWS)]))
    of_one = [SeatFilter(product_id=ProductId("product-05"), days=days) for days in _WINDOWS]
    of_all = [SeatFilter(days=days) for days in _WINDOWS]
    places = [*((where, 1) for where in of_one), *((where, 1) for where in of_all)]
    places += [(of_one[0], 1_500), (of_all[0], everything.pages // 2), (of_all[0], everything.pages)]
    seats_ms = await _p99(lambda turn: seats.page(*places[turn % len(places)]))
    await database.dispose()
    return spend_ms, seats_ms


async def _p99(ask: Callable[[int], Awaitable[object]]) -> float:
    """Return the 99th percentile in milliseconds of asking so often."""
    spent = []
    for turn in range(READS):
        began = time.perf_counter()
        await ask(turn)
        spent.append((time.perf_counter() - began) * 1_000)
    return statistics.quantiles(spent, n=100)[98]
