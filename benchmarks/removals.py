"""Write-back against a practice tenant that throttles: how much of the write budget is used.

A tenant in a process of its own is read by the real sync. Its seats, of which one for each person is approved, are put
straight into a campaign: how a campaign comes to be is measured elsewhere. From the close on everything is the product as
it serves: jobs, second look, write, read-back, evidence, on one SQLite file. Microsoft asks for slower writes from 80 % of
its limit on, and Reclaim obeys, so that the budget is those 80 %: the tenant warns from there, and refuses beyond 125 %
of the budget, counted over ten seconds.

Twice: 5,000 removals with a budget of 100 writes a second, which ends after a while also where the machine cannot make as
many; and with the budget that an installation has without a setting, 10 a second. While that runs somebody clicks once a
second: a seat is given back that its holder has, one write like any other.
"""

import asyncio
import logging
import ssl
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Container, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import update

from app import Application, compose
from benchmarks.measure import LIMIT, Measure, within
from benchmarks.samples import CAMPAIGN, REVIEWER, campaign, review_item
from benchmarks.serving import percentile
from benchmarks.syncing import Tenant, tenant
from reclaim import log_context
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.campaign import CampaignState, Scope
from reclaim.domain.directory import Seat
from reclaim.domain.exclusions import strongest
from reclaim.domain.ids import BatchId, GroupId, PersonId, ProductId
from reclaim.domain.removal import Outcome, PlanStep, RemovalPlan, StepKind, plan_removal
from reclaim.domain.review import Answer, Choice, ReviewItem
from reclaim.ports.directory import ReadBack, SeatWriter, WriteResult
from reclaim.ports.storage import SyncRun
from reclaim.services.jobs import close_job
from reclaim.services.listing import listed_many
from reclaim.settings import Settings
from storage.engine import plain_url, sync_engine
from storage.migrate import upgrade
from storage.tables import people

BUDGET_WINDOW_S: Final = 150
LIMIT_WINDOW_S: Final = 10
WARNED_FROM: Final = 0.8
# The first burst of the budget is no longer in the window of the tenant, nor is its warning of that heeded any more.
WARM_UP_S: Final = 25.0
# What is left then is the end, in which there are fewer orders than lanes.
STEADY_UNTIL: Final = 0.95
CLICK_EVERY_S: Final = 1.0
CLICK_LIMIT_MS: Final = 1_000.0
_UNUSED_FOR: Final = timedelta(days=300)
_HELD_FOR: Final = timedelta(days=100)


@dataclass(slots=True)
class _Watched:
    """The product's writer, with the time at which each write was answered, whatever the answer was."""

    writer: SeatWriter
    answered: list[float] = field(default_factory=list)

    async def turn(self, *, clicked: bool) -> None:
        await self.writer.turn(clicked=clicked)

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        try:
            return await self.writer.remove_direct(person, *products, client_request_id=client_request_id)
        finally:
            self.answered.append(time.perf_counter())

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return await self.writer.leave_group(person, group, client_request_id=client_request_id)

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        try:
            return await self.writer.assign_direct(person, product, disabled_plans, client_request_id=client_request_id)
        finally:
            self.answered.append(time.perf_counter())

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return await self.writer.join_group(person, group, client_request_id=client_request_id)

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return await self.writer.read_back(person, product)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """What is written back.

    Attributes:
        removals: Approved seats, each of its own person.
        people: In the tenant; enough of them hold a seat that may go.
        per_second: The write budget.
        longest_s: How long to wait for all of them.
    """

    removals: int
    people: int
    per_second: int
    longest_s: float


LARGE: Final = Bulk(removals=5_000, people=11_500, per_second=100, longest_s=150.0)
USUAL: Final = Bulk(removals=600, people=1_500, per_second=10, longest_s=180.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of it."""

    removed: int
    per_second: float
    refused: int
    twice: int
    click_ms: float


def measures() -> Iterator[Measure]:
    """Give removals done, writes a second after the warm-up, refusals after it, and how long a click waited.

    Over 60 s each, so run once.
    """
    for bulk in (LARGE, USUAL):
        found = run(bulk)
        what = f"{bulk.removals:,} removals with {bulk.per_second} writes a second"
        yield Measure(
            name=f"write-back of {what}",
            value=found.per_second,
            unit="writes/s",
            baseline="write budget",
            baseline_value=float(bulk.per_second),
            goal=0.95,
            better="higher",
        )
        yield Measure(
            name=f"done of {what}, within {bulk.longest_s:.0f} s",
            value=found.removed,
            unit="removals",
            baseline="approved",
            baseline_value=float(bulk.removals),
            goal=1.0,
            better="higher",
        )
        yield _none_of(f"answers 429 after the warm-up to {what}", found.refused)
        yield _none_of(f"done twice of {what}", found.twice)
        yield within(f"p95 of a click's write beside {what}", found.click_ms, "ms", CLICK_LIMIT_MS)


def _none_of(name: str, count: int) -> Measure:
    # A ratio to none is not defined, so that the limit is the first one.
    return Measure(name=name, value=count, unit="", baseline=LIMIT, baseline_value=1.0, goal=0.0, better="lower")


def run(bulk: Bulk) -> Found:
    """Make a tenant and write back there."""
    log_context.configure(readable=False, level=logging.ERROR)
    now = SystemClock().now()
    with tempfile.TemporaryDirectory() as folder, tenant(bulk.people, Path(folder), now=now) as there:
        return asyncio.run(_write_back(there, f"sqlite:///{folder}/reclaim.db", bulk))


async def _write_back(there: Tenant, url: str, bulk: Bulk) -> Found:
    upgrade(url)
    await asyncio.to_thread(migrate_engine, url)
    watched: list[_Watched] = []

    def watch(writer: SeatWriter) -> SeatWriter:
        watched.append(_Watched(writer))
        return watched[0]

    settings = _settings(there, url, bulk)
    async with (
        _controlled(there) as control,
        compose(settings, clock=SystemClock(), tokens=RandomTokens(), wrap_writer=watch) as product,
    ):
        newest = await _read(product, url)
        spare = await _approve(product, newest, bulk.removals, ordinary=await _ordinary(control))
        await _throttle(control, bulk.per_second)
        await product.engine.start()
        await product.use.close.handle(close_job(CAMPAIGN, 1))
        began, cpu_s = time.perf_counter(), time.process_time()
        await product.use.verify.after_sync(newest.id)
        async with _clicking(watched[0], spare) as clicks:
            refused_early, answered = await _until_done(product, control, watched[0].answered, bulk)
        took, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
        refused = await _refused(control) - refused_early
        removed = await _removed(product)
        taken = await _taken(control)
    # Where time ran out, some are taken and not yet read back.
    assert removed <= len(taken) <= bulk.removals, f"{len(taken)} seats were taken, {removed} are known to be gone"
    pace = len(answered) / (answered[-1] - answered[0])
    print(
        f"  removals: {removed:,} in {took:.0f} s, {cpu_s:.0f} s of CPU; refused in the first {WARM_UP_S:.0f} s:"
        f" {refused_early}; clicks: {len(clicks)}, the longest {max(clicks):.0f} ms",
        flush=True,
    )
    return Found(
        removed=removed,
        per_second=pace,
        refused=refused,
        twice=sum(taken.values()) - len(taken),
        click_ms=percentile(clicks, 95),
    )


async def _until_done(
    product: Application, control: httpx.AsyncClient, answered: Sequence[float], bulk: Bulk
) -> tuple[int, list[float]]:
    """Wait until every order is settled, or for long enough; return the refusals of the warm-up, and the writes after it."""
    refused_early: int | None = None
    steady: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() < started + bulk.longest_s:
        await asyncio.sleep(0.1)
        if refused_early is None and answered and time.perf_counter() >= answered[0] + WARM_UP_S:
            refused_early = await _refused(control)
        if len(answered) <= STEADY_UNTIL * bulk.removals:
            steady = [at for at in answered if at >= answered[0] + WARM_UP_S]
        elif await _closed(product):
            break
    assert refused_early is not None
    return refused_early, steady


async def _closed(product: Application) -> bool:
    async with product.work.read() as unit:
        stored = await unit.campaigns.get(CAMPAIGN)
    return stored is not None and stored.state is CampaignState.CLOSED


async def _removed(product: Application) -> int:
    """Return how many seats are known to be gone; none has ended otherwise."""
    async with product.work.read() as unit:
        figures = await unit.items.figures(CAMPAIGN)
    outcomes = Counter({figure.outcome: figure.items for figure in figures})
    assert set(outcomes) <= {Outcome.REMOVED, None}, outcomes
    return outcomes[Outcome.REMOVED]


async def _taken(control: httpx.AsyncClient) -> Counter[tuple[str, str]]:
    """Return how often each seat was taken, by the tenant's own log."""
    writes = (await control.get("/writes", timeout=60)).raise_for_status().json()
    return Counter((one["person_id"], one["sku_id"]) for one in writes if one["kind"] == "license_removed")


async def _ordinary(control: httpx.AsyncClient) -> set[PersonId]:
    """Return who has nothing about them that keeps a seat."""
    cases = (await control.get("/cases", timeout=60)).raise_for_status().json()
    return {PersonId(one["person_id"]) for one in cases if one["case"] == "active"}


async def _throttle(control: httpx.AsyncClient, per_second: int) -> None:
    calls = round(LIMIT_WINDOW_S * per_second / WARNED_FROM)
    limit = {"counted": "writes", "calls": calls, "window_s": LIMIT_WINDOW_S}
    (await control.post("/throttle", json=limit)).raise_for_status()


@asynccontextmanager
async def _clicking(writer: SeatWriter, spare: Seat) -> AsyncIterator[list[float]]:
    """Give, beside the block, a seat again that is there; the list grows by the milliseconds that each took."""
    took: list[float] = []

    async def click() -> None:
        while True:
            began = time.perf_counter()
            await writer.turn(clicked=True)
            await writer.assign_direct(spare.person_id, spare.product_id, (), client_request_id=str(uuid4()))
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(CLICK_EVERY_S)

    task = asyncio.create_task(click())
    try:
        yield took
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _controlled(there: Tenant) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=there.control_url,
        headers={"X-Control-Key": there.control_key},
        verify=ssl.create_default_context(cafile=str(there.ca_file)),
        trust_env=False,
    )


async def _refused(control: httpx.AsyncClient) -> int:
    answer = (await control.get("/throttle")).raise_for_status()
    return int(answer.json()["writes"]["refused"])


def _settings(there: Tenant, url: str, bulk: Bulk) -> Settings:
    return Settings(
        database_url=SecretStr(url),
        writes="live",
        tenant_id=there.tenant_id,
        client_id=there.client_id,
        client_secret=SecretStr(there.client_secret),
        login_url=there.login_url,
        graph_url=there.graph_url,
        ca_file=there.ca_file,
        write_budget=bulk.per_second * BUDGET_WINDOW_S,
        limit_soft_seats=1_000_000,
        limit_soft_share=100,
        limit_hard_seats=1_000_000,
        limit_hard_share=100,
        limit_hard_per_hour=1_000_000,
    )


async def _read(product: Application, url: str) -> SyncRun:
    """Read the tenant, in which then nobody has signed in for long."""
    await product.use.sync.run_to_end(None)
    engine = sync_engine(plain_url(url))
    with engine.begin() as connection:
        at = product.clock.now() - _UNUSED_FOR
        connection.execute(update(people).values(success_at=at, interactive_at=at, background_at=at))
    engine.dispose()
    async with product.work.read() as unit:
        newest = await unit.syncs.newest_complete()
    assert newest is not None
    return newest


async def _approve(product: Application, run: SyncRun, removals: int, *, ordinary: Container[PersonId]) -> Seat:
    """Store a campaign that closes, with a seat of so many people approved; return the seat of one more person.

    Args:
        product: What has read the tenant.
        run: The sync that did; the campaign begins to close just before it, so that it need not wait for another one.
        removals: How many.
        ordinary: Whose seats may go.
    """
    now = product.clock.now()
    async with product.work.read() as unit:
        found = [pair async for page in unit.seats.all() for pair in page]
        skus = await unit.catalog.skus()
        counting = await unit.exclusions.counting(now)
        people_ids = list({person.id for person, _ in found})
        lists = await listed_many(unit, people_ids, counting, days=Scope().days, now=now)
    held: dict[PersonId, list[Seat]] = defaultdict(list)
    for person, seat in found:
        held[person.id].append(seat)
    chosen: dict[PersonId, Seat] = {}
    for person, seat in found:
        at = seat.assigned_at
        plan = plan_removal(seat, held[person.id], skus=skus, groups={})
        excluded = strongest(counting, person, seat.product_id, now, lists.get(person.id, frozenset()))
        if person.id in ordinary and plan.writable and excluded is None and at is not None and at < now - _HELD_FOR:
            chosen.setdefault(person.id, seat)
    assert len(chosen) > removals, f"{len(chosen)} people hold a seat that may go"
    *approved, spare = list(chosen.values())[: removals + 1]
    before = run.started_at - timedelta(minutes=1)
    closing = replace(
        campaign(before - timedelta(days=10)),
        state=CampaignState.CLOSING,
        closing_at=before,
        shown_close_at=before,
        closes_at=before,
    )
    async with product.work.write() as unit:
        await unit.campaigns.add(closing)
        await unit.items.add_many([_item(number, seat, now) for number, seat in enumerate(approved)], at=now)
        await unit.commit()
    return spare


def _item(number: int, seat: Seat, now: datetime) -> ReviewItem:
    """Return a seat that its reviewer has revoked."""
    sample = review_item(number)
    return replace(
        sample,
        seat_id=seat.id,
        person_id=seat.person_id,
        product_id=seat.product_id,
        snapshot=replace(sample.snapshot, paths=seat.paths),
        plan=RemovalPlan(steps=(PlanStep(StepKind.DIRECT, seat.product_id),)),
        answer=Answer(choice=Choice.REVOKE, by=REVIEWER, at=now, batch_id=BatchId("batch")),
    )
