"""Connector and practice tenant together: every request and every answer of theirs has the form Microsoft describes.

At small sizes all exchanges are held against the description, at 100,000 people a sample of pages.
"""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.directory import GraphDirectory
from reclaim.connectors.graph.intune_use import IntuneUse
from reclaim.connectors.graph.token import MsalTokens, make_session
from reclaim.connectors.graph.writer import GraphSeatWriter
from reclaim.domain.directory import Path as SeatPath
from reclaim.domain.directory import Seat
from reclaim.domain.ids import GroupId, PersonId
from reclaim.errors import DirectoryError, WriteBackError
from rehearsal import PracticeTenant
from tests.contract.graph.description import check_exchange, needs_description
from tests.contract.graph.practice import START
from tests.contract.graph.support import WRITE_ID, CountedTokens, StillClock

pytestmark = needs_description

SMALL, LARGE = 230, 100_000


class Kept(httpx.AsyncBaseTransport):
    """The network, keeping every exchange."""

    def __init__(self, ca_file: Path) -> None:
        self._network = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=ca_file))
        self.exchanges: list[tuple[httpx.Request, httpx.Response]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._network.handle_async_request(request)
        await response.aread()
        self.exchanges.append((request, response))
        return response

    async def aclose(self) -> None:
        await self._network.aclose()


@dataclass(frozen=True)
class Wire:
    """A connector on a practice tenant, and all that passed between them."""

    tenant: PracticeTenant
    client: GraphClient
    kept: Kept
    directory: GraphDirectory = field(init=False)
    writer: GraphSeatWriter = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", GraphDirectory(self.client))
        object.__setattr__(self, "writer", GraphSeatWriter(self.client, reads=self.client))

    def check(self, *, at_least: int) -> set[int]:
        """Hold every exchange against the description; return the statuses that were met."""
        assert len(self.kept.exchanges) >= at_least
        for request, response in self.kept.exchanges:
            check_exchange(request, response)
        return {response.status_code for _, response in self.kept.exchanges}


@asynccontextmanager
async def _wired(tmp_path: Path, people: int) -> AsyncIterator[Wire]:
    tenant = await PracticeTenant.start(people=people, seed=7, now=START, directory=tmp_path)
    access = MsalTokens(
        login_url=tenant.login_url,
        tenant_id=tenant.tenant_id,
        client_id=tenant.client_id,
        credential=tenant.client_secret,
        scope=f"{tenant.login_url}/.default",
        session=make_session(tenant.ca_file),
    )
    kept = Kept(tenant.ca_file)
    client = GraphClient(
        graph_url=tenant.graph_url, access=access, clock=StillClock(), tokens=CountedTokens(), transport=kept
    )
    yield Wire(tenant, client, kept)
    await client.aclose()
    await tenant.stop()


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    async with _wired(tmp_path, SMALL) as wired:
        yield wired


async def test_a_whole_read_of_the_tenant_has_microsofts_form(wire: Wire) -> None:
    await wire.directory.skus()
    for read in (wire.directory.people, wire.directory.sign_ins):
        page = await read(None)
        while page.next_cursor is not None:
            page = await read(page.next_cursor)
    for group in (await wire.directory.groups(None)).rows:
        await wire.directory.group_members(group.id, None)
        await wire.directory.group(group.id)

    assert wire.check(at_least=50) == {200}


async def test_a_read_of_intune_has_microsofts_form(wire: Wire) -> None:
    source = IntuneUse(wire.client)
    await source.check()
    async for batch in source.read("Adobe Acrobat*"):
        assert batch.rows

    assert wire.check(at_least=6) == {200}


async def test_following_changes_has_microsofts_form(wire: Wire) -> None:
    """The reads inside a batch are held against the description as if each had come alone."""
    link = (await wire.directory.changes(None)).link
    people = [row.person.id for row in (await wire.directory.people(None)).rows[:3]]
    async with httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=wire.tenant.ca_file),
        headers={"X-Control-Key": wire.tenant.control_key},
    ) as control:
        await control.post(f"{wire.tenant.control_url}/people/{people[0]}/disable")
        await control.post(f"{wire.tenant.control_url}/people/{people[1]}/leave")
        heard = await wire.directory.changes(link)
        await wire.directory.people_now([*heard.ids, people[2]])
        await control.post(f"{wire.tenant.control_url}/delta", json={"forget_links": True})
    with pytest.raises(DirectoryError):
        await wire.directory.changes(link)

    request, response = next(one for one in wire.kept.exchanges if one[0].url.path.endswith("/$batch"))
    asked = {one["id"]: one["url"] for one in json.loads(request.content)["requests"]}
    for item in response.json()["responses"]:
        bearer = {"Authorization": request.headers["Authorization"]}
        inner = httpx.Request("GET", f"{wire.tenant.graph_url}{asked[item['id']]}", headers=bearer)
        check_exchange(inner, httpx.Response(item["status"], json=item["body"]))
    assert wire.check(at_least=5) == {200, 410}


def _write(wire: Wire, seat: Seat, path: SeatPath) -> Awaitable[object]:
    if path.group_id is None:
        return wire.writer.remove_direct(seat.person_id, seat.product_id, client_request_id=WRITE_ID)
    return wire.writer.leave_group(seat.person_id, path.group_id, client_request_id=WRITE_ID)


async def test_every_write_on_every_kind_of_path_has_microsofts_form(wire: Wire) -> None:
    """One seat of every group and state, and of the accounts that refuse: those that go and those that do not."""
    seats: dict[tuple[GroupId | None, str, str | None], Seat] = {}
    page = await wire.directory.people(None)
    for seat in (seat for row in page.rows for seat in row.seats):
        seats.setdefault((seat.paths[0].group_id, seat.paths[0].state, seat.paths[0].error), seat)
    refused = 0
    for seat in seats.values():
        try:
            await _write(wire, seat, seat.paths[0])
        except WriteBackError:
            refused += 1
        await wire.writer.read_back(seat.person_id, seat.product_id)

    assert refused >= 6
    assert {200, 204, 400, 403} <= wire.check(at_least=2 * len(seats))


async def test_what_is_not_there_is_answered_in_microsofts_form(wire: Wire) -> None:
    nobody = PersonId("00000000-0000-4000-8000-000000000000")

    assert await wire.directory.live_person(nobody, with_sign_ins=True) is None
    assert await wire.directory.group(GroupId(nobody)) is None
    await wire.writer.leave_group(nobody, (await wire.directory.groups(None)).rows[0].id, client_request_id=WRITE_ID)

    assert 404 in wire.check(at_least=3)


async def test_failures_on_demand_keep_microsofts_form(wire: Wire) -> None:
    async with httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=wire.tenant.ca_file),
        headers={"X-Control-Key": wire.tenant.control_key},
    ) as control:
        for fault in (
            {"kind": "throttle", "times": 5, "retry_after": 2},
            {"kind": "throttle", "times": 5, "retry_after": None},
            {"kind": "status", "status": 503, "times": 5},
            {"kind": "premium", "times": 5},
        ):
            await control.post(f"{wire.tenant.control_url}/faults", json={**fault, "path": "/users"})
            with pytest.raises(DirectoryError):
                await wire.directory.sign_ins(None)
            await control.delete(f"{wire.tenant.control_url}/faults")

    assert wire.check(at_least=16) == {429, 503, 403}


async def test_a_sample_of_pages_of_a_large_tenant_has_microsofts_form(tmp_path: Path) -> None:
    """The first pages and every group; `tests/rehearsal/test_scale.py` samples pages of every depth."""
    async with _wired(tmp_path, LARGE) as wire:
        await wire.directory.skus()
        for read in (wire.directory.people, wire.directory.sign_ins):
            first = await read(None)
            assert first.next_cursor is not None
            await read(first.next_cursor)
        groups = (await wire.directory.groups(None)).rows
        members = {group.id: await wire.directory.group_members(group.id, None) for group in groups}

        largest = max(members.values(), key=lambda page: len(page.rows))
        assert largest.next_cursor is not None
        assert wire.check(at_least=10) == {200}
