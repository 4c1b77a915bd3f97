"""A tenant of 100,000 idle holders under 10,000 managers, and the campaign that asks about all of them.

Straight into the tables: how a tenant comes to be is measured elsewhere.
"""

import asyncio
import itertools
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.engine import DbosEngine
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.domain.campaign import Campaign, CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.ids import CampaignId, PersonId, ProductId, RunId, SeatId, seat_id
from reclaim.domain.policy import Policy
from reclaim.ports.storage import Work
from reclaim.services.chunks import CHUNK
from reclaim.services.find_idle_seats import FindIdleSeats
from storage.engine import Database, plain_url, sync_engine
from storage.migrate import upgrade
from storage.tables import people, prices, products, seat_paths, seats, skus, sync_runs
from storage.unit_of_work import SqlWork

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RUN = "run-1"
VISIO = ProductId("c5928f49-12ba-48f7-ada3-0d743a3601d5")
LARGE = CampaignId("large")
OWNER = PersonId("owner")
ITEMS, REVIEWERS = 100_000, 10_000
_ROWS = 5_000
_LONG_AGO = NOW - timedelta(days=400)


def person_id(number: int) -> PersonId:
    """Return an object id that looks like Entra's: they come in no order, which an index feels."""
    return PersonId(str(uuid.UUID(int=random.Random(number).getrandbits(128), version=4)))


def holder(number: int) -> PersonId:
    """Return the id of a holder; managers have other numbers."""
    return person_id(1_000_000 + number)


def fill(url: str, *, items: int = ITEMS, reviewers: int = REVIEWERS) -> None:
    """Make the tables and the tenant."""
    upgrade(url)
    migrate_engine(url)
    engine = sync_engine(plain_url(url))
    with engine.begin() as connection:
        run = {"id": RUN, "state": "complete", "started_at": NOW, "completed_at": NOW, "sign_ins": "known"}
        connection.execute(insert(sync_runs), [run])
        connection.execute(insert(products), [{"id": VISIO, "kind": "sku", "name": "Visio Plan 2"}])
        pool = {"enabled": 2 * items, "warning": 0, "suspended": 0, "consumed": items}
        sku = {"part_number": "VISIOCLIENT", "assignable": True, "status": "Enabled", "plans": [], "seen_run": RUN}
        connection.execute(insert(skus), [{"id": VISIO, **pool, **sku}])
        price = {"amount_minor": 1500, "currency": "USD", "period": "month", "valid_from": NOW.date()}
        connection.execute(insert(prices), [{"source": "made", "sku": VISIO, "at": NOW, **price}])
        for table, rows in _rows(items, reviewers):
            while some := list(itertools.islice(rows, _ROWS)):
                connection.execute(insert(table), some)
    engine.dispose()
    assert asyncio.run(_scan(url)) == items


async def _scan(url: str) -> int:
    """Judge every seat, as after a sync; return how many are idle."""
    async with opened(Path(url.removeprefix("sqlite:///"))) as there:
        scan = FindIdleSeats(work=there.work, clock=there.clock, policy=Policy())
        await scan.scan(RunId(RUN))
        async with there.work.read() as unit:
            return sum((await unit.findings.tally(days=90, now=NOW)).values())


def _rows(items: int, reviewers: int) -> Iterator[tuple[Table, Iterator[dict[str, Any]]]]:
    managers = [person_id(number) for number in range(reviewers)]
    named = itertools.chain(
        (_person(manager, None, f"Manager {number}") for number, manager in enumerate(managers)),
        (_person(holder(n), managers[n % reviewers], f"Holder {n}") for n in range(items)),
    )
    yield people, named
    yield seats, (_seat(holder(number)) for number in range(items))
    yield seat_paths, (_path(holder(number)) for number in range(items))


def _person(ref: str, manager: str | None, name: str) -> dict[str, Any]:
    upn = f"{name.replace(' ', '').lower()}@contoso.com"
    return {
        "id": ref,
        "name": name,
        "upn": upn,
        "enabled": True,
        "user_type": "Member",
        "department": "Sales",
        "manager_id": manager,
        "success_at": _LONG_AGO,
        "sign_ins_run": RUN,
        "sign_ins_read_at": NOW,
        "folded": f"\n{name.casefold()}\n{upn}\n",
        "since_run": RUN,
        "seen_run": RUN,
    }


def _seat(ref: PersonId) -> dict[str, Any]:
    return {"id": seat_id(ref, VISIO), "person_id": ref, "product_id": VISIO, "since_run": RUN, "seen_run": RUN}


def _path(ref: PersonId) -> dict[str, Any]:
    path = {"via": "direct", "state": "Active", "disabled_plans": [], "updated_at": _LONG_AGO}
    return {"seat_id": seat_id(ref, VISIO), "seen_run": RUN, **path}


def launched(name: CampaignId = LARGE) -> Campaign:
    """Return a launched campaign that waits for its opening."""
    due = NOW + timedelta(days=10)
    return Campaign(
        id=name,
        name="Everybody",
        state=CampaignState.OPENING,
        version=1,
        owner_id=OWNER,
        created_at=NOW,
        zone="UTC",
        due_at=due,
        closes_at=due,
        shown_close_at=due,
        strategy=Strategy.MANAGER,
        reviewer_id=None,
        fallback_id=None,
        silence=Silence.KEEP,
        scope=Scope(),
        mode=WriteMode.LIVE,
    )


async def launch(work: Work, *, items: int = ITEMS) -> None:
    """Freeze the seats of all holders, as a launch does."""
    chosen: list[SeatId] = sorted(seat_id(holder(number), VISIO) for number in range(items))
    async with work.write() as unit:
        await unit.campaigns.add(launched())
        await unit.campaigns.freeze_seats(LARGE, chosen, part=CHUNK)
        await unit.commit()


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database, its units of work, and an engine that only enqueues."""

    database: Database
    work: SqlWork
    clock: SteppingClock


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Opened]:
    """Open a filled database as the product does."""
    url = f"sqlite:///{path}"
    database, engine = Database(url), DbosEngine(url)
    try:
        yield Opened(database, SqlWork(database, engine.enqueue_in), SteppingClock(NOW))
    finally:
        await engine.stop(timedelta(0))
        await database.dispose()
