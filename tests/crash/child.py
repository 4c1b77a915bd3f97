"""A process of its own for the crash test: `python -m tests.crash.child STEP CONFIG`, with CONFIG as JSON.

`campaign` reads the practice tenant, opens a campaign over one seat and approves its removal. `apply` lets the closing time
come and works until nothing is left to do; with `"kill": true` the process dies by SIGKILL right after the removal has been
carried out by Graph, before its answer is stored. Each step prints one JSON line at its end.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import app
from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.engine import migrate
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.ids import CampaignId, GroupId, PersonId, ProductId
from reclaim.domain.review import Choice
from reclaim.domain.roles import Actor, Role
from reclaim.ports.directory import ReadBack, SeatWriter, WriteResult
from reclaim.services.start_campaign import CampaignDraft
from reclaim.settings import Settings
from storage.migrate import upgrade

Json = dict[str, Any]
DAYS = 10


@dataclass
class KilledAfterTheCall:
    """Lets Graph carry out the removal; its answer never gets any further."""

    writer: SeatWriter

    async def remove_direct(self, person: PersonId, product: ProductId, *, client_request_id: str) -> WriteResult:
        await self.writer.remove_direct(person, product, client_request_id=client_request_id)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        await self.writer.leave_group(person, group, client_request_id=client_request_id)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return await self.writer.read_back(person, product)


def settings(config: Json) -> Settings:
    return Settings(
        database_url=SecretStr(config["database"]),
        writes="live",
        tenant_id=config["tenant_id"],
        client_id=config["client_id"],
        client_secret=SecretStr(config["client_secret"]),
        login_url=config["login_url"],
        graph_url=config["graph_url"],
        ca_file=Path(config["ca_file"]),
        admins=frozenset({config["admin"]}),
        fallback_reviewer=config["admin"],
    )


async def campaign(config: Json) -> Json:
    """Open a campaign over the one seat and revoke it; Reclaim's own rules find reviewer and plan."""
    clock = SteppingClock(datetime.fromisoformat(config["now"]))
    upgrade(config["database"])
    await asyncio.to_thread(migrate, config["database"])
    async with app.compose(settings(config), clock=clock, tokens=RandomTokens(), polling_interval_s=0.02) as product:
        await product.use.sync.run_to_end(None)
        await product.engine.start()
        admin = Actor(id=config["admin"], channel="web", roles=frozenset({Role.ADMIN, Role.EMPLOYEE}))
        draft = CampaignDraft(
            ref=product.tokens.new_id(),
            name="Crash",
            scope=Scope(days=90, seat_ids=(config["seat"],)),
            strategy=Strategy.MANAGER,
            reviewer_id=None,
            fallback_id=config["admin"],
            due=local_day(clock.now() + timedelta(days=DAYS), "UTC"),
            zone="UTC",
            silence=Silence.KEEP,
            mode=WriteMode.LIVE,
            by=config["admin"],
        )
        await product.use.start.put_draft(admin, draft)
        launched = await product.use.start.launch(admin, draft.ref)
        await product.engine.idle()
        async with product.work.read() as unit:
            (item,) = await unit.items.of_campaign(launched.id)
        assert item.assignee_id is not None
        reviewer = Actor(id=PersonId(item.assignee_id), channel="web")
        await product.use.decide.decide(reviewer, [item.id], Choice.REVOKE, idem_key="click", bulk=False)
        await product.engine.idle()
    return {"campaign": launched.id, "closes_at": launched.closes_at.isoformat()}


async def apply(config: Json) -> Json:
    """Work through the close and everything that follows, or die at the first removal."""
    clock = SteppingClock(datetime.fromisoformat(config["now"]))
    wrap: Callable[[SeatWriter], SeatWriter] = KilledAfterTheCall if config["kill"] else lambda writer: writer
    async with app.compose(
        settings(config), clock=clock, tokens=RandomTokens(), wrap_writer=wrap, polling_interval_s=0.02
    ) as product:
        await product.engine.start()
        for _ in range(40):
            await product.use.due.tick()
            await product.engine.idle()
            async with product.work.read() as unit:
                found = await unit.campaigns.get(CampaignId(config["campaign"]))
            if found is not None and found.state is CampaignState.CLOSED:
                break
            clock.move_to(clock.now() + timedelta(minutes=5))
        async with product.work.read() as unit:
            (item,) = await unit.items.of_campaign(CampaignId(config["campaign"]))
            events = await unit.events.of_campaign(CampaignId(config["campaign"]))
            orders = await unit.orders.of_campaign(CampaignId(config["campaign"]))
    return {
        "state": found.state if found else None,
        "outcome": item.outcome,
        "events": [stored.event.kind for stored in events],
        "steps": [step.state for order in orders for step in order.steps],
    }


if __name__ == "__main__":
    step, given = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(asyncio.run({"campaign": campaign, "apply": apply}[step](given))))  # noqa: T201
