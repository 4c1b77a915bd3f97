"""The strings behind the practice tenant: its clock, its log of calls, its cast. For the rehearsal only.

No part of Microsoft Graph looks like this. What belongs here: the form of the practice tenant's control requests. It may
run as a process of its own, so all goes over HTTP, and none of it fills the log of Graph calls.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import DirectoryError

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticePersona:
    """Somebody whom a rehearsal can play. `role` and `group` are words of the practice tenant."""

    id: PersonId
    name: str
    role: str
    group: str
    department: str | None
    reports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSetup:
    """What an installation in this tenant would have as settings.

    Attributes:
        role_groups: admins, license_managers, auditors → group id.
        prices_csv, usage_csv: What somebody would import.
    """

    role_groups: dict[str, str]
    fallback_reviewer: PersonId
    prices_csv: str
    usage_csv: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCall:
    """A request that the tenant answered; `status` None if the connection was cut."""

    seq: int
    method: str
    path: str
    status: int | None


class PracticeControl:
    """Steers the practice tenant. Every method raises DirectoryError if the tenant does not answer as it should."""

    def __init__(self, *, control_url: str, control_key: str, ca_file: Path) -> None:
        self._client = httpx.AsyncClient(
            base_url=control_url,
            headers={"X-Control-Key": control_key},
            verify=ssl.create_default_context(cafile=ca_file),
            timeout=_TIMEOUT_S,
            trust_env=False,  # loopback; a proxy of the machine must not get the key
        )

    async def move_clock(self, now: datetime) -> None:
        """Step the tenant's calendar forward."""
        await self._ask("POST", "/clock", {"now": now.isoformat()})

    async def calls(self, after: int) -> list[PracticeCall]:
        """Return the calls behind that number, at once."""
        found = await self._ask("GET", f"/calls?after={after:d}&wait=0")
        return [
            PracticeCall(seq=call["seq"], method=call["method"], path=call["path"], status=call["status"])
            for call in found
        ]

    async def personas(self) -> tuple[PracticePersona, ...]:
        """Return the cast."""
        found = await self._ask("GET", "/personas")
        return tuple(PracticePersona(**{**each, "id": PersonId(each["id"])}) for each in found)

    async def setup(self) -> PracticeSetup:
        """Return the settings that fit this tenant."""
        found = await self._ask("GET", "/setup")
        return PracticeSetup(
            role_groups=found["role_groups"],
            fallback_reviewer=PersonId(found["fallback_reviewer"]),
            prices_csv=found["prices_csv"],
            usage_csv=found["usage_csv"],
        )

    async def other_holder(self, person: PersonId, of: ProductId | GroupId) -> PersonId:
        """Return somebody else who has this product directly, or is in this group; the person if there is nobody."""
        for seat in await self._ask("GET", "/seats"):
            same = of in seat["paths"] or (of == seat["sku_id"] and "direct" in seat["paths"])
            if same and seat["person_id"] != person:
                return PersonId(seat["person_id"])
        return person

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = await self._client.request(method, path, json=body)
            answer.raise_for_status()
            return await asyncio.to_thread(answer.json)  # a large tenant's list takes a while to parse
        except (httpx.HTTPError, ValueError) as error:
            raise DirectoryError(f"The practice tenant did not answer {method} {path.split('?')[0]}.") from error
