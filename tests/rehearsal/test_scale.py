"""A large tenant, and the tenant as a process of its own."""

import asyncio
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from rehearsal import PracticeTenant
from tests.contract.graph.description import SPEC, check_answer

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


async def _token(client: httpx.AsyncClient, facts: dict[str, str]) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": facts["client_id"],
        "client_secret": facts["client_secret"],
        "scope": f"{facts['login_url']}/.default",
    }
    answer = await client.post(f"{facts['login_url']}/{facts['tenant_id']}/oauth2/v2.0/token", data=form)
    return str(answer.json()["access_token"])


async def _read_all_ids(client: httpx.AsyncClient, address: str, *, sample: int = 0) -> list[str]:
    """Follow every nextLink; every `sample`-th page is held against Microsoft's description where that is at hand."""
    found: list[str] = []
    next_address: str | None = address
    pages = 0
    while next_address is not None:
        answer = await client.get(next_address)
        if sample and pages % sample == 0 and SPEC.exists():
            check_answer(answer.request, answer)
        page = answer.json()
        found += [row["id"] for row in page["value"]]
        next_address = page.get("@odata.nextLink")
        pages += 1
    return found


@asynccontextmanager
async def _large(people: int, directory: Path) -> AsyncIterator[tuple[PracticeTenant, httpx.AsyncClient]]:
    tenant = await PracticeTenant.start(people=people, now=START, directory=directory)
    context = ssl.create_default_context(cafile=tenant.ca_file)
    async with httpx.AsyncClient(verify=context, timeout=120) as client:
        client.headers["Authorization"] = f"Bearer {await _token(client, json.loads(tenant.as_json()))}"
        yield tenant, client
    await tenant.stop()


async def test_a_hundred_thousand_people_page_through_with_distinct_ids(tmp_path: Path) -> None:
    """People, and the members of the largest licensed group: complete and nobody twice."""
    async with _large(100_000, tmp_path) as (tenant, client):
        ids = await _read_all_ids(client, f"{tenant.graph_url}/users?$select=id&$top=999", sample=50)
        groups = (await client.get(f"{tenant.graph_url}/groups?$select=id,displayName")).json()["value"]
        [visio] = [group["id"] for group in groups if group["displayName"] == "Visio Plan 2 users"]
        members = await _read_all_ids(
            client, f"{tenant.graph_url}/groups/{visio}/members/microsoft.graph.user?$select=id&$top=999"
        )

    assert len(ids) == len(set(ids)) == 100_000
    assert len(members) == len(set(members)) > 5_000
    assert set(members) <= set(ids)


async def test_pages_with_managers_or_sign_ins_are_complete_and_meet_nobody_twice(tmp_path: Path) -> None:
    async with _large(1_234, tmp_path) as (tenant, client):
        address = f"{tenant.graph_url}/users?$select=id&$expand=manager($select=id)&$top=999"
        with_managers = await _read_all_ids(client, address, sample=5)
        sign_ins = await _read_all_ids(client, f"{tenant.graph_url}/users?$select=id,signInActivity&$top=500", sample=1)
        ids = await _read_all_ids(client, f"{tenant.graph_url}/users?$select=id&$top=999")

    assert with_managers == sign_ins == ids
    assert len(set(ids)) == 1_234


async def test_graph_goes_on_answering_while_a_long_list_is_told(tmp_path: Path) -> None:
    """The reader of the list has stopped after its first piece: whoever asks Graph then must not wait for it."""
    async with _large(20_000, tmp_path) as (tenant, client):
        headers = {"X-Control-Key": tenant.control_key}
        async with client.stream("GET", f"{tenant.control_url}/cases", headers=headers) as cases:
            pieces = cases.aiter_bytes()
            first = await anext(pieces)
            meanwhile = await client.get(f"{tenant.graph_url}/users?$select=id&$top=1")
            rest = b"".join([piece async for piece in pieces])

    assert meanwhile.status_code == 200
    assert len(first) < len(rest)
    assert len(json.loads(first + rest)) == 20_000


async def test_pages_with_sign_ins_have_at_most_500_rows(tmp_path: Path) -> None:
    async with _large(700, tmp_path) as (tenant, client):
        with_sign_ins = await client.get(f"{tenant.graph_url}/users?$select=id,signInActivity&$top=999")
        without = await client.get(f"{tenant.graph_url}/users?$select=id&$top=999")

    assert (len(with_sign_ins.json()["value"]), len(without.json()["value"])) == (500, 700)


async def test_the_process_tells_how_to_reach_it_and_stops_on_sigterm(tmp_path: Path) -> None:
    command = ["-m", "rehearsal", "--people", "30", "--now", "2026-11-23T09:00:00+00:00", "--directory", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    facts = json.loads(await process.stdout.readline())
    context = ssl.create_default_context(cafile=facts["ca_file"])

    async with httpx.AsyncClient(verify=context) as client:
        headers = {"Authorization": f"Bearer {await _token(client, facts)}"}
        answer = await client.get(f"{facts['graph_url']}/users?$top=999", headers=headers)

    process.send_signal(signal.SIGTERM)
    assert len(answer.json()["value"]) == 30
    assert await process.wait() == 0
