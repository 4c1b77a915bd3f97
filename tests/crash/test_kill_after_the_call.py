"""kill -9 after Graph has carried out a removal and before its answer is stored; then a restart.

The practice tenant lives in this process and survives; Reclaim runs in processes of its own, on one SQLite file.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rehearsal import PracticeTenant

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
async def tenant(tmp_path: Path) -> AsyncIterator[PracticeTenant]:
    running = await PracticeTenant.start(people=40, seed=7, now=NOW, directory=tmp_path)
    yield running
    await running.stop()


async def control(tenant: PracticeTenant, method: str, path: str, body: Any = None) -> Any:
    connector = aiohttp.TCPConnector(ssl=False)
    async with (
        aiohttp.ClientSession(connector=connector, headers={"X-Control-Key": tenant.control_key}) as http,
        http.request(method, tenant.control_url + path, json=body) as answer,
    ):
        return await answer.json()


async def child(step: str, config: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.child", step, json.dumps(config), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), timeout=120)
    lines = out.decode().strip().splitlines()
    return process.returncode or 0, json.loads(lines[-1]) if lines and process.returncode == 0 else {}


@pytest.mark.parametrize("case", ["idle_direct", "group_seat"])
async def test_a_removal_whose_answer_was_lost_with_the_process_is_made_once(
    tenant: PracticeTenant, tmp_path: Path, case: str
) -> None:
    setup = await control(tenant, "GET", "/setup")
    people = await control(tenant, "GET", "/cases")
    person, seat = next(
        (p, s) for p in people if p["case"] == case for s in p["seats"] if s["idle"] and "removed" in s["allowed"]
    )
    config = {
        "database": f"sqlite:///{tmp_path / 'reclaim.db'}",
        "tenant_id": tenant.tenant_id,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "login_url": tenant.login_url,
        "graph_url": tenant.graph_url,
        "ca_file": str(tenant.ca_file),
        "admin": setup["fallback_reviewer"],
        "seat": f"{person['person_id']}:{seat['sku_id']}",
        "now": NOW.isoformat(),
    }
    code, opened = await child("campaign", config)
    assert code == 0
    later = datetime.fromisoformat(opened["closes_at"]) + timedelta(minutes=1)
    await control(tenant, "POST", "/clock", {"now": later.isoformat()})
    config |= {"campaign": opened["campaign"], "now": later.isoformat()}

    killed, _ = await child("apply", {**config, "kill": True})
    after_kill = await control(tenant, "GET", "/writes")
    moved = later + timedelta(hours=1)
    await control(tenant, "POST", "/clock", {"now": moved.isoformat()})
    code, result = await child("apply", {**config, "kill": False, "now": moved.isoformat()})

    assert killed == -signal.SIGKILL
    assert len(after_kill) == 1
    assert code == 0
    assert (result["state"], result["outcome"], result["steps"]) == ("closed", "removed", ["verified"])
    assert await control(tenant, "GET", "/writes") == after_kill  # one removal in effect, none repeated
    told = [kind for kind in result["events"] if kind.startswith("removal_")]
    assert told == ["removal_planned", "removal_intended", "removal_written", "removal_verified"]
    assert result["events"].count("campaign_closed") == 1
    seats = await control(tenant, "GET", "/seats")
    assert (person["person_id"], seat["sku_id"]) not in {(one["person_id"], one["sku_id"]) for one in seats}
