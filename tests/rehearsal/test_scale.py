"""A large tenant, and the tenant as a process of its own."""

import asyncio
import json
import signal
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx

from rehearsal import PracticeTenant


async def _token(client: httpx.AsyncClient, facts: dict[str, str]) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": facts["client_id"],
        "client_secret": facts["client_secret"],
        "scope": f"{facts['login_url']}/.default",
    }
    answer = await client.post(f"{facts['login_url']}/{facts['tenant_id']}/oauth2/v2.0/token", data=form)
    return str(answer.json()["access_token"])


async def _read_all_ids(client: httpx.AsyncClient, address: str) -> list[str]:
    found: list[str] = []
    next_address: str | None = address
    while next_address is not None:
        page = (await client.get(next_address)).json()
        found += [user["id"] for user in page["value"]]
        next_address = page.get("@odata.nextLink")
    return found


async def test_a_hundred_thousand_people_page_through_with_distinct_ids(tmp_path: Path) -> None:
    tenant = await PracticeTenant.start(
        people=100_000, now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC), directory=tmp_path
    )
    context = ssl.create_default_context(cafile=tenant.ca_file)
    async with httpx.AsyncClient(verify=context, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {await _token(client, json.loads(tenant.as_json()))}"

        ids = await _read_all_ids(client, f"{tenant.graph_url}/users?$select=id&$top=999")

    await tenant.stop()
    assert len(ids) == len(set(ids)) == 100_000


async def test_pages_with_sign_ins_have_at_most_500_rows(tmp_path: Path) -> None:
    tenant = await PracticeTenant.start(people=700, now=datetime(2026, 11, 23, tzinfo=UTC), directory=tmp_path)
    context = ssl.create_default_context(cafile=tenant.ca_file)
    async with httpx.AsyncClient(verify=context, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {await _token(client, json.loads(tenant.as_json()))}"

        with_sign_ins = await client.get(f"{tenant.graph_url}/users?$select=id,signInActivity&$top=999")
        without = await client.get(f"{tenant.graph_url}/users?$select=id&$top=999")

    await tenant.stop()
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
