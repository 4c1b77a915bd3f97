"""A scripted Graph under the real connector: answers in order, requests kept; the clock stands still, keeps waits."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx

from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.directory import GraphDirectory
from reclaim.connectors.graph.writer import GraphSeatWriter
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import DirectoryError

GRAPH = "https://graph.microsoft.com/v1.0"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ADELE = PersonId("87d349ed-44d7-43e1-9a83-5f2406dee5bd")
BOSS = PersonId("11111111-44d7-43e1-9a83-5f2406dee5bd")
E3 = ProductId("05e9a617-0261-4cee-bb44-138d3ef5d965")
VISIO = ProductId("c5928f49-12ba-48f7-ada3-0d743a3601d5")
GROUP = GroupId("e3a6a7dc-1cbe-4a52-8b3c-6d2a1e36f0a1")
PLAN = "663a804f-1c30-4ff0-9915-9db84f0d1cea"
WRITE_ID = "35d87182-96be-4725-b8f7-466a24000fab"
REQUEST_ID = "c71145f2-8474-487e-b6bf-dc5ce63467e1"

Scripted = httpx.Response | Exception


class StillClock:
    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


class CountedTokens:
    """Ids in order; chance is always its lowest."""

    def __init__(self) -> None:
        self.made = 0

    def new_id(self) -> str:
        self.made += 1
        return f"{self.made:032x}"

    def new_row_id(self) -> str:
        return self.new_id()

    def new_salt(self) -> bytes:
        return bytes(16)


class HandedOut:
    """Access tokens token-1, token-2 ...; `broken` is raised instead."""

    def __init__(self) -> None:
        self.number = 1
        self.broken: DirectoryError | None = None

    async def current(self) -> str:
        if self.broken is not None:
            raise self.broken
        return f"token-{self.number}"

    async def renewed(self, refused: str) -> str:
        assert refused == f"token-{self.number}"
        self.number += 1
        return await self.current()

    async def aclose(self) -> None:
        return None


class ScriptedGraph:
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[Scripted] = []
        self.clock = StillClock()
        self.access = HandedOut()
        self.client = GraphClient(
            graph_url=GRAPH,
            access=self.access,
            clock=self.clock,
            tokens=CountedTokens(),
            transport=httpx.MockTransport(self._answer),
        )
        self.directory = GraphDirectory(self.client)
        self.writer = GraphSeatWriter(self.client, reads=self.client)

    def will(self, *answers: Scripted) -> "ScriptedGraph":
        self.answers += answers
        return self

    @property
    def asked(self) -> list[str]:
        """Method and address below the version of every request."""
        return [f"{one.method} {str(one.url).removeprefix(GRAPH)}" for one in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(body: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body, headers={"request-id": REQUEST_ID})


def page(*rows: object, following: str | None = None) -> httpx.Response:
    body: dict[str, object] = {"value": list(rows)}
    if following is not None:
        body["@odata.nextLink"] = following
    return ok(body)


def batch(*answers: httpx.Response) -> httpx.Response:
    """Answer a batch: its items in the order in which they were asked for."""
    items = [{"id": str(number), "status": one.status_code, "body": one.json()} for number, one in enumerate(answers)]
    return ok({"responses": items})


def in_batch(request: httpx.Request) -> list[str]:
    """Return method and address of every item that a batch asks for."""
    return [f"{one['method']} {one['url']}" for one in json.loads(request.content)["requests"]]


def error(status: int, code: str, message: str = "", **headers: str) -> httpx.Response:
    """Graph's error body, form and date without zone as in the docs, concepts/errors."""
    inner = {"date": "2025-07-14T16:14:05", "request-id": REQUEST_ID, "client-request-id": WRITE_ID}
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers={"request-id": REQUEST_ID, **sent})


def assignment(sku: str = VISIO, group: str | None = None, **changes: object) -> dict[str, object]:
    return {
        "skuId": sku,
        "disabledPlans": [],
        "assignedByGroup": group,
        "state": "Active",
        "error": "None",
        "lastUpdatedDateTime": "2026-01-10T10:00:00Z",
        **changes,
    }


def user(*assignments: object, **changes: object) -> dict[str, object]:
    """A user as in Microsoft Graph docs, api/user-list."""
    return {
        "id": ADELE,
        "displayName": "Adele Vance",
        "userPrincipalName": "AdeleV@contoso.com",
        "mail": "AdeleV@contoso.com",
        "accountEnabled": True,
        "userType": "Member",
        "usageLocation": "CH",
        "createdDateTime": "2023-02-01T08:00:00Z",
        "employeeType": None,
        "department": "Design",
        "licenseAssignmentStates": list(assignments),
        **changes,
    }


def group(skus: Sequence[str] = (VISIO,), **changes: object) -> dict[str, object]:
    """A group as in Microsoft Graph docs, api/group-get: null stands for no."""
    return {
        "id": GROUP,
        "displayName": "LIC-VISIO",
        "groupTypes": [],
        "securityEnabled": True,
        "mailEnabled": False,
        "onPremisesSyncEnabled": None,
        "isAssignableToRole": None,
        "isManagementRestricted": None,
        "assignedLicenses": [{"skuId": sku, "disabledPlans": []} for sku in skus],
        **changes,
    }


def sku(**changes: object) -> dict[str, object]:
    """A SKU as in Microsoft Graph docs, api/subscribedsku-list."""
    return {
        "id": f"48a80680-7326-48cd-9935-b556b81d3a4e_{VISIO}",
        "skuId": VISIO,
        "skuPartNumber": "VISIOCLIENT",
        "capabilityStatus": "Enabled",
        "appliesTo": "User",
        "consumedUnits": 14,
        "prepaidUnits": {"enabled": 25, "lockedOut": 0, "suspended": 2, "warning": 1},
        "servicePlans": [
            {
                "servicePlanId": PLAN.upper(),
                "servicePlanName": "VISIO_CLIENT_SUBSCRIPTION",
                "provisioningStatus": "Success",
                "appliesTo": "User",
            }
        ],
        **changes,
    }


MISSING = object()


def changed(row: dict[str, object], name: str, value: object) -> dict[str, object]:
    """A row with one property changed, or left out where the value is MISSING."""
    rest = {key: kept for key, kept in row.items() if key != name}
    return rest if value is MISSING else {**rest, name: value}
