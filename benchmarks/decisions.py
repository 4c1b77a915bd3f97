"""Durable decisions: `RecordDecision` against the same statements in one bare SQLAlchemy + aiosqlite transaction each.

Both write to a file of their own with synchronous=FULL, in turn, within the same run. Ours also reads the item, asks the
domain and makes the attestation event; the baseline is handed finished rows.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import event, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.measure import RUNS, Measure
from benchmarks.samples import campaign, review_item, store_reviewer
from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import BatchId, ItemId, PersonId
from reclaim.domain.policy import Policy
from reclaim.domain.review import Answer, Choice, ReviewItem
from reclaim.domain.roles import Actor
from reclaim.services.attesting import Attestor
from reclaim.services.record_decision import RecordDecision
from storage.decisions import DecisionBatcher
from storage.engine import Database
from storage.migrate import upgrade
from storage.tables import attestation_events, campaigns, decisions, review_items
from storage.unit_of_work import SqlWork

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECONDS = 1.5
ITEMS = 4_000
Decide = Callable[[ReviewItem, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Figures:
    """Decisions a second, and the median time of one in milliseconds."""

    per_second: float
    median_ms: float


def measures() -> list[Measure]:
    """Return throughput at concurrency 32 and latency at concurrency 1."""
    return asyncio.run(_measures())


async def _measures() -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        ours, stop_ours = await _ours(Path(folder) / "ours.db")
        bare, stop_bare = await _bare(Path(folder) / "bare.db")
        items = [review_item(number) for number in range(ITEMS)]
        busy_ours, busy_bare, calm_ours, calm_bare = [], [], [], []
        for _ in range(RUNS):
            busy_ours.append(await _load(ours, items, clients=32))
            busy_bare.append(await _load(bare, items, clients=32))
            calm_ours.append(await _load(ours, items, clients=1))
            calm_bare.append(await _load(bare, items, clients=1))
        await stop_ours()
        await stop_bare()
    baseline = "the same statements in one bare SQLAlchemy + aiosqlite transaction each"
    return [
        Measure(
            name="durable decisions, 32 at a time",
            value=statistics.median(run.per_second for run in busy_ours),
            unit="decisions/s",
            baseline=baseline,
            baseline_value=statistics.median(run.per_second for run in busy_bare),
            goal=5.0,
            better="higher",
        ),
        Measure(
            name="one durable decision, alone",
            value=statistics.median(run.median_ms for run in calm_ours),
            unit="ms",
            baseline=baseline,
            baseline_value=statistics.median(run.median_ms for run in calm_bare),
            goal=1.0,
            better="lower",
        ),
    ]


async def _load(decide: Decide, items: Sequence[ReviewItem], *, clients: int) -> _Figures:
    """Let `clients` decide one after the other for a while, each on items of its own."""
    until = time.perf_counter() + SECONDS
    spent: list[float] = []

    async def client(number: int) -> None:
        mine = itertools.cycle(items[number::clients])
        while (start := time.perf_counter()) < until:
            await decide(next(mine), number)
            spent.append(time.perf_counter() - start)

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    elapsed = time.perf_counter() - began
    return _Figures(per_second=len(spent) / elapsed, median_ms=statistics.median(spent) * 1000)


async def _seeded(path: Path) -> Database:
    upgrade(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    work = SqlWork(database, lambda _connection, _job: None)
    async with work.write() as unit:
        await store_reviewer(unit, NOW)
        await unit.campaigns.add(campaign(NOW))
        await unit.items.add_many([review_item(number) for number in range(ITEMS)], at=NOW)
        await unit.commit()
    return database


async def _ours(path: Path) -> tuple[Decide, Callable[[], Awaitable[None]]]:
    database = await _seeded(path)
    log = DecisionBatcher(database)
    await log.start()
    work = SqlWork(database, lambda _connection, _job: None)
    service = RecordDecision(
        work=work,
        clock=SteppingClock(NOW),
        tokens=RandomTokens(),
        policy=Policy(close_grace=timedelta(hours=24)),
        log=log,
    )
    keys = itertools.count()

    async def decide(item: ReviewItem, _client: int) -> None:
        assert item.assignee_id is not None
        actor = Actor(id=PersonId(item.assignee_id), channel="web")
        await service.decide(actor, [item.id], Choice.REVOKE, idem_key=f"k{next(keys)}", bulk=False)

    async def stop() -> None:
        await log.stop()
        await database.dispose()

    return decide, stop


async def _bare(path: Path) -> tuple[Decide, Callable[[], Awaitable[None]]]:
    database = await _seeded(path)
    await database.dispose()
    engine = _plain_engine(path)
    attest = Attestor(clock=SteppingClock(NOW), tokens=RandomTokens())
    versions: dict[ItemId, int] = {}
    keys = itertools.count()

    async def decide(item: ReviewItem, _client: int) -> None:
        version = versions.get(item.id, item.version)
        key = next(keys)
        answer = Answer(choice=Choice.REVOKE, by=item.person_id, at=NOW, batch_id=BatchId(f"b{key}"))
        made = attest.event(
            EventKind.DECISION_MADE, actor=item.assignee_id or "", campaign=item.campaign_id, item=item.id
        )
        async with engine.begin() as connection:
            await connection.execute(select(campaigns.c.id).where(campaigns.c.id == item.campaign_id))
            await connection.execute(
                select(review_items.c.id, review_items.c.version, review_items.c.assignee_id).where(
                    review_items.c.id == item.id
                )
            )
            await connection.execute(select(decisions.c.idem_key).where(decisions.c.idem_key == f"k{key}"))
            await connection.execute(
                update(review_items)
                .where(review_items.c.id == item.id, review_items.c.version == version)
                .values(
                    version=version + 1,
                    choice=answer.choice.value,
                    answered_by=item.assignee_id,
                    answered_at=answer.at,
                    batch_id=answer.batch_id,
                )
            )
            await connection.execute(
                insert(decisions).values(
                    item_id=item.id,
                    item_version=version + 1,
                    batch_id=answer.batch_id,
                    choice=answer.choice.value,
                    by=item.assignee_id,
                    at=NOW,
                    idem_key=f"k{key}",
                    request_sha256="0" * 64,
                    response="recorded",
                )
            )
            await connection.execute(
                insert(attestation_events).values(
                    id=made.id,
                    kind=made.kind.value,
                    at=made.at,
                    campaign_id=made.campaign_id,
                    item_id=made.item_id,
                    body=made.body,
                )
            )
        versions[item.id] = version + 1

    return decide, engine.dispose


def _plain_engine(path: Path) -> AsyncEngine:
    """An engine as anybody would make it, with the same durability: WAL, synchronous=FULL, BEGIN IMMEDIATE."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0)

    def connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in ("busy_timeout=30000", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", connect)
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
