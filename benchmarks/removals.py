"""Write-back of 5,000 removals against a practice tenant that throttles writes: how much of the write budget is used.

One campaign over a whole practice tenant in a process of its own, approved seat by seat and closed; what is measured begins
with the first removal. The product's engine runs with its real queues on one SQLite file. Settings raise the write budget to
100 a second; Microsoft asks for slower writes above 80 % of its limit, so the tenant refuses beyond 125 a second, counted
over ten seconds.
"""

import asyncio
import logging
import ssl
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
from pydantic import SecretStr

from app import Application, compose
from benchmarks.large import NOW
from benchmarks.measure import Measure
from benchmarks.syncing import Tenant, tenant
from reclaim import log_context
from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.campaign import Campaign, Scope, Silence, Strategy, WriteMode
from reclaim.domain.ids import AssigneeId, CampaignId, GroupId, ItemId, PersonId, ProductId
from reclaim.domain.review import Choice
from reclaim.domain.roles import Actor, Role
from reclaim.ports.directory import ReadBack, SeatWriter, WriteResult
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.settings import Settings
from storage.migrate import upgrade

REMOVALS: Final = 5_000
PEOPLE: Final = 42_000  # of whom somewhat more than 5,000 have a seat that may go
PER_SECOND: Final = 100
WINDOW_S: Final = 10
# The budget's first burst is spent, and every lane is busy.
WARM_UP: Final = 500
_CLICK: Final = 100


@dataclass(slots=True)
class _Watched:
    """The product's writer, with the time at which each write was answered."""

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
        try:
            return await self.writer.leave_group(person, group, client_request_id=client_request_id)
        finally:
            self.answered.append(time.perf_counter())

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        return await self.writer.assign_direct(person, product, disabled_plans, client_request_id=client_request_id)

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return await self.writer.join_group(person, group, client_request_id=client_request_id)

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return await self.writer.read_back(person, product)


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of one campaign."""

    removals: int
    per_second: float
    refused_late: int
    twice: int


def measures() -> list[Measure]:
    """Return removals a second after the warm-up, refusals after it, and removals done twice; over 60 s, so run once."""
    found = _run(PEOPLE, REMOVALS)
    return [
        Measure(
            name=f"write-back of {found.removals:,} removals against a tenant that throttles",
            value=found.per_second,
            unit="removals/s",
            baseline="budget",
            baseline_value=float(PER_SECOND),
            goal=0.95,
            better="higher",
        ),
        _none_of("answers 429 to them after the warm-up", found.refused_late),
        _none_of("removals done twice among them", found.twice),
    ]


def _none_of(name: str, count: int) -> Measure:
    # A ratio to none is not defined, so that the limit is the first one.
    return Measure(name=name, value=count, unit="", baseline="limit", baseline_value=1.0, goal=0.0, better="lower")


def _run(people: int, removals: int) -> _Found:
    log_context.configure(readable=False, level=logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, tenant(people, Path(folder)) as there:
        return asyncio.run(_campaign(there, Path(folder) / "reclaim.db", removals))


async def _campaign(there: Tenant, path: Path, removals: int) -> _Found:
    url = f"sqlite:///{path}"
    upgrade(url)
    await asyncio.to_thread(migrate_engine, url)
    clock = SteppingClock(NOW)
    watched: list[_Watched] = []

    def watch(writer: SeatWriter) -> SeatWriter:
        watched.append(_Watched(writer))
        return watched[0]

    async with (
        _controlled(there) as control,
        compose(_settings(there, url), clock=clock, tokens=RandomTokens(), wrap_writer=watch) as product,
    ):
        await product.use.sync.run_to_end(None)
        await product.engine.start()
        campaign = await _approved(product, removals)
        clock.move_to(campaign.may_close_at)
        await control.post("/clock", json={"now": campaign.may_close_at.isoformat()})
        limit = {"counted": "writes", "calls": WINDOW_S * PER_SECOND * 5 // 4, "window_s": WINDOW_S}
        await control.post("/throttle", json=limit)
        early: int | None = None
        while len(watched[0].answered) < removals:
            await product.scheduler.tick()
            await asyncio.sleep(1.0)
            if early is None and len(watched[0].answered) >= WARM_UP:
                early = await _refused(control)
        late = await _refused(control) - (early or 0)
        writes = (await control.get("/writes", timeout=60)).json()
    done = Counter((one["kind"], one["person_id"], one.get("sku_id") or one["group_id"]) for one in writes)
    answered = watched[0].answered
    steady = answered[WARM_UP:removals]
    return _Found(
        removals=len(answered),
        per_second=(len(steady) - 1) / (steady[-1] - steady[0]),
        refused_late=late,
        twice=sum(times - 1 for times in done.values()),
    )


def _controlled(there: Tenant) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=there.control_url,
        headers={"X-Control-Key": there.control_key},
        verify=ssl.create_default_context(cafile=str(there.ca_file)),
        trust_env=False,
    )


async def _refused(control: httpx.AsyncClient) -> int:
    answer = await control.get("/throttle")
    return int(answer.json()["writes"]["refused"])


def _settings(there: Tenant, url: str) -> Settings:
    return Settings(
        database_url=SecretStr(url),
        writes="live",
        tenant_id=there.tenant_id,
        client_id=there.client_id,
        client_secret=SecretStr(there.client_secret),
        login_url=there.login_url,
        graph_url=there.graph_url,
        ca_file=there.ca_file,
        write_budget=PER_SECOND * 150,
        limit_soft_seats=1_000_000,
        limit_soft_share=100,
        limit_hard_seats=1_000_000,
        limit_hard_share=100,
        limit_hard_per_hour=1_000_000,
    )


async def _approved(product: Application, removals: int) -> Campaign:
    """Open a campaign over all that looks unused, and approve so many seats that a single call frees."""
    app, now = product, product.clock.now()
    async with app.work.read() as unit:
        people = await unit.people.search("Megan Bowen", limit=1)
    admin = Actor(id=people[0].id, channel="bench", roles=frozenset({Role.ADMIN, Role.EMPLOYEE}))
    draft = CampaignDraft(
        ref=app.tokens.new_id(),
        name="Everything that looks unused",
        scope=Scope(),
        strategy=Strategy.MANAGER,
        reviewer_id=None,
        fallback_id=admin.id,
        due=(now + timedelta(days=1)).date(),
        zone=app.settings.zone,
        silence=Silence.KEEP,
        mode=WriteMode.LIVE,
        by=admin.id,
    )
    await app.use.start.put_draft(admin, draft)
    campaign = await app.use.start.launch(admin, draft.ref)
    await app.engine.idle()
    async with app.work.read() as unit:
        items = await unit.items.of_campaign(campaign.id)
    by_reviewer: defaultdict[AssigneeId, list[ItemId]] = defaultdict(list)
    left = removals
    for item in items:
        if item.assignee_id is not None and item.bulk_revocable and len(item.plan.steps) == 1 and left:
            by_reviewer[item.assignee_id].append(item.id)
            left -= 1
    assert not left, f"{left} seats short: the tenant has too few people"
    for reviewer, theirs in by_reviewer.items():
        actor = Actor(id=PersonId(reviewer), channel="bench")
        for first in range(0, len(theirs), _CLICK):
            some = theirs[first : first + _CLICK]
            await app.use.decide.decide(actor, some, Choice.REVOKE, idem_key=app.tokens.new_id(), bulk=True)
    async with app.work.read() as unit:
        stored = await unit.campaigns.get(CampaignId(campaign.id))
    assert stored is not None
    return stored
