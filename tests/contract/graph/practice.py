"""A practice tenant with the real connector over it, as several tests of this folder use it."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from reclaim.connectors.graph import GraphConnection, Registration, connect
from reclaim.domain.ids import PersonId, ProductId
from rehearsal import PracticeTenant
from tests.contract.graph.support import CountedTokens, StillClock

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEOPLE = 230  # three pages of people


@dataclass(frozen=True)
class Stage:
    tenant: PracticeTenant
    graph: GraphConnection
    clock: StillClock

    async def control(self, method: str, path: str, body: object = None) -> Any:
        trust = ssl.create_default_context(cafile=str(self.tenant.ca_file))
        headers = {"X-Control-Key": self.tenant.control_key}
        async with httpx.AsyncClient(verify=trust, headers=headers, trust_env=False) as client:
            answer = await client.request(method, f"{self.tenant.control_url}{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def fail_next(self, **fault: object) -> None:
        await self.control("POST", "/faults", fault)


def connected(tenant: PracticeTenant, clock: StillClock, secret: str | None = None) -> GraphConnection:
    return connect(
        login_url=tenant.login_url,
        graph_url=tenant.graph_url,
        tenant_id=tenant.tenant_id,
        reader=Registration(client_id=tenant.client_id, credential=secret or tenant.client_secret),
        ca_file=tenant.ca_file,
        clock=clock,
        tokens=CountedTokens(),
    )


async def a_seat(stage: Stage, path: str) -> tuple[PersonId, ProductId]:
    """Return a seat that may be removed, on a direct path or through a group."""
    for case in await stage.control("GET", "/cases"):
        for seat in case["seats"]:
            if seat["path"] == path and "removed" in seat["allowed"]:
                return PersonId(case["person_id"]), ProductId(seat["sku_id"])
    raise AssertionError(f"the practice tenant has no {path} seat to remove")


async def held_by(stage: Stage, case: str) -> list[tuple[PersonId, ProductId]]:
    """Return the seats of the first person of a case."""
    people = await stage.control("GET", "/cases")
    person = next(one for one in people if one["case"] == case)
    return [(PersonId(person["person_id"]), ProductId(seat["sku_id"])) for seat in person["seats"]]
