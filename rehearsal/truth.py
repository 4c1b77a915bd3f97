"""What is really so in the practice tenant, by its own Graph answers and its generator's labels, never by the product."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, Self

import aiohttp

Seat = tuple[str, str]  # person id, sku id


class Access(Protocol):
    """How to reach a practice tenant; `PracticeTenant` has it all."""

    @property
    def login_url(self) -> str:
        """Origin of the login service."""

    @property
    def graph_url(self) -> str:
        """Address of Graph, with its version."""

    @property
    def control_url(self) -> str:
        """Address of the control API."""

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""

    @property
    def tenant_id(self) -> str:
        """The tenant."""

    @property
    def client_id(self) -> str:
        """The application."""

    @property
    def client_secret(self) -> str:
        """Its secret."""

    @property
    def control_key(self) -> str:
        """Key of the control API."""


@dataclass(frozen=True, slots=True)
class Label:
    """What the generator knows of one seat: its case, and how it may end.

    Attributes:
        counts: It takes a bought seat.
        stays: The person still has it, unless the product takes it.
        after: The label once the happening of the case is over; None if nothing happens.
    """

    case: str
    name: str
    allowed: frozenset[str]
    idle: bool
    sku: str
    path: str
    counts: bool
    stays: bool = True
    after: "Label | None" = None

    @property
    def in_the_end(self) -> "Label":
        """The label once everything that was to happen has happened."""
        return self.after or self


@dataclass(frozen=True, slots=True)
class Pool:
    """One SKU's pool."""

    name: str
    purchased: int
    available: int


@dataclass(frozen=True, slots=True)
class Application:
    """An application with its group.

    Attributes:
        use: Person id → unused, used, unknown, outsider.
        ids: Name → person id.
    """

    application: str
    group: str
    group_id: str
    use: dict[str, str]
    ids: dict[str, str]

    @property
    def members(self) -> set[str]:
        """Who is in the group at the start."""
        return {person for person, use in self.use.items() if use != "outsider"}


class Truth:
    """An observer with credentials of its own."""

    def __init__(self, access: Access) -> None:
        self._access = access
        context = ssl.create_default_context(cafile=str(access.ca_file))
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))
        self._token: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def seats(self) -> set[Seat]:
        """Return every seat that Graph shows now; an assignment that failed is none."""
        found: set[Seat] = set()
        url = f"{self._access.graph_url}/users?$select=id,assignedLicenses&$top=999"
        while url:
            page = await self._graph(url)
            for user in page["value"]:
                found |= {(user["id"], license_["skuId"]) for license_ in user["assignedLicenses"]}
            url = page.get("@odata.nextLink", "")
        return found

    async def pools(self) -> dict[str, Pool]:
        """Return the pool of every SKU, by skuId."""
        answer = await self._graph(f"{self._access.graph_url}/subscribedSkus")
        return {
            sku["skuId"]: Pool(
                sku["skuPartNumber"],
                sku["prepaidUnits"]["enabled"],
                sku["prepaidUnits"]["enabled"] + sku["prepaidUnits"]["warning"] - sku["consumedUnits"],
            )
            for sku in answer["value"]
        }

    async def applications(self) -> list["Application"]:
        """Return the applications whose license comes with a group, with the generator's word on their use."""
        found = await self._control("GET", "/setup")
        return [
            Application(
                one["application"],
                one["group"],
                one["group_id"],
                {each["person_id"]: each["use"] for each in one["people"]},
                {each["name"]: each["person_id"] for each in one["people"]},
            )
            for one in found["applications"]
        ]

    async def members(self, group: str) -> set[str]:
        """Return the ids of who is directly in a group now."""
        url = f"{self._access.graph_url}/groups/{group}/members/microsoft.graph.user?$select=id&$top=999"
        found: set[str] = set()
        while url:
            page = await self._graph(url)
            found |= {user["id"] for user in page["value"]}
            url = page.get("@odata.nextLink", "")
        return found

    async def labels(self) -> dict[Seat, Label]:
        """Return the generator's label of every seat as it was at the start."""
        return {
            (person["person_id"], seat["sku_id"]): _label(person, seat)
            for person in await self._control("GET", "/cases")
            for seat in person["seats"]
        }

    async def writes(self) -> list[dict[str, Any]]:
        """Return every effective change that came through Graph."""
        return list(await self._control("GET", "/writes"))

    async def sign_in(self, person: str) -> None:
        """Let a person sign in now."""
        await self._control("POST", f"/people/{person}/sign-in", {})

    async def _graph(self, url: str) -> dict[str, Any]:
        try:
            return await self._get(url)
        except aiohttp.ClientResponseError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
        self._token = None  # a token lives for an hour, and a large tenant is observed for longer
        return await self._get(url)

    async def _get(self, url: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {await self._bearer()}"}
        async with self._http.get(url, headers=headers) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found

    async def _bearer(self) -> str:
        if self._token is None:
            access = self._access
            form = {
                "grant_type": "client_credentials",
                "client_id": access.client_id,
                "client_secret": access.client_secret,
                "scope": f"{access.login_url}/.default",
            }
            url = f"{access.login_url}/{access.tenant_id}/oauth2/v2.0/token"
            async with self._http.post(url, data=form) as answer:
                answer.raise_for_status()
                self._token = str((await answer.json())["access_token"])
        return self._token

    async def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"X-Control-Key": self._access.control_key}
        url = f"{self._access.control_url}{path}"
        async with self._http.request(method, url, headers=headers, json=body) as answer:
            answer.raise_for_status()
            return await answer.json()


def _label(person: Mapping[str, Any], seat: Mapping[str, Any]) -> Label:
    label = Label(
        person["case"],
        person["name"],
        frozenset(seat["allowed"]),
        seat["idle"],
        seat["sku_part_number"],
        seat["path"],
        seat["counts"],
    )
    after = seat["after"]
    if after is None:
        return label
    return replace(
        label,
        after=replace(label, allowed=frozenset(after["allowed"]), idle=after["idle"], stays=after["stays"]),
    )
