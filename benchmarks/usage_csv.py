"""An import of 200,000 rows of usage from a CSV file: two devices of 100,000 people, of one application.

The baseline reads the same file with the csv module and stores every row in one transaction of one prepared INSERT: it
looks nobody up, judges no cell, and holds the write lock for all of it. Both run in processes of their own, on copies of
the same database.
"""

import asyncio
import csv
import multiprocessing
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from benchmarks.measure import Measure, medians, peak_mb, within
from benchmarks.opening import hold_times
from benchmarks.tenant import NOW, make
from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.tokens import RandomTokens
from reclaim.connectors.usage_csv import UsageFile
from reclaim.services.import_usage import ImportUsage
from storage.engine import Database
from storage.unit_of_work import SqlWork

PEOPLE = 100_000
DEVICES = 2
ROWS = PEOPLE * DEVICES
RUNS = 3
_HEADER = ("who", "application", "last_used", "device", "observed_at")
_BARE_TABLE = """
    CREATE TABLE bare (import_id TEXT, who TEXT, seq INTEGER, device TEXT, last_used TEXT, observed_at TEXT,
                       PRIMARY KEY (import_id, who, seq))
"""


def measures() -> list[Measure]:
    """Return the rows a second against the bare import, the memory and the longest lock."""
    with tempfile.TemporaryDirectory() as folder:
        source, file = Path(folder) / "tenant.db", Path(folder) / "usage.csv"
        make(source, people=PEOPLE)
        _write(file)
        bare, ours, grown, lock_ms = medians(lambda: _both(source, file), RUNS)
    return [
        Measure(
            name=f"import of {ROWS:,} rows of usage into SQLite",
            value=ours,
            unit="rows/s",
            baseline="csv module and one INSERT in one transaction, nobody looked up and no cell judged",
            baseline_value=bare,
            goal=0.33,
            better="higher",
        ),
        within("memory growth of the usage import", grown, "MB", 50),
        within("longest write lock of the usage import", lock_ms, "ms", 250),
    ]


def _write(file: Path) -> None:
    """Write the file; the people are those of `tenant.make`, not in the order of their ids."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADER)
        for device in range(DEVICES):
            for number in range(PEOPLE):
                used = NOW - timedelta(days=number % 200, minutes=number % 1_440)
                name = f"PC-{number:06d}-{device}"
                writer.writerow((f"p{number}@contoso.example", "Miro", used.isoformat(), name, NOW.isoformat()))


def _both(source: Path, file: Path) -> tuple[float, ...]:
    """Return the rows a second of the baseline and of ours, its memory and its lock."""
    target = source.with_name("copy.db")
    shutil.copyfile(source, target)
    (bare,) = _alone(_bare, target, file)
    shutil.copyfile(source, target)
    return bare, *_alone(_take, target, file)


def _alone(work: Callable[[Path, Path], tuple[float, ...]], path: Path, file: Path) -> tuple[float, ...]:
    """Run in a fresh process: memory that an earlier measure has freed would hide this one's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (path, file))


def _bare(path: Path, file: Path) -> tuple[float, ...]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, file.open(newline="") as stream:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_BARE_TABLE)
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        reader = csv.reader(stream)
        next(reader)
        connection.executemany(
            "INSERT INTO bare VALUES ('one', ?, ?, ?, ?, ?)",
            ((who, seq, device, used, seen) for seq, (who, _, used, device, seen) in enumerate(reader)),
        )
        connection.execute("COMMIT")
        seconds = time.perf_counter() - began
        (rows,) = connection.execute("SELECT count(*) FROM bare").fetchone()
    if rows != ROWS:
        raise AssertionError(f"the baseline took {rows} of {ROWS} rows")
    return (ROWS / seconds,)


def _take(path: Path, file: Path) -> tuple[float, ...]:
    return asyncio.run(_take_in(path, file))


async def _take_in(path: Path, file: Path) -> tuple[float, ...]:
    database = Database(f"sqlite:///{path}")
    held = hold_times(database)
    work = SqlWork(database, lambda _connection, _job: None)
    imports = ImportUsage(work=work, clock=SteppingClock(NOW), tokens=RandomTokens())
    async with work.read() as unit:  # connections and statements are there before the memory is looked at
        await unit.usage.newest("csv", "Miro")
    before = peak_mb()
    began = time.perf_counter()
    source = UsageFile(path=file, now=NOW)
    sha256 = await source.digest()
    done = await imports.take("csv", file.name, source.read(), by="operator:bench", sha256=sha256)
    seconds = time.perf_counter() - began
    grown = peak_mb() - before
    await database.dispose()
    if [one.rows for one in done.imports] != [ROWS]:
        raise AssertionError(f"ours took {[one.rows for one in done.imports]} of {ROWS} rows")
    return ROWS / seconds, grown, max(held)
