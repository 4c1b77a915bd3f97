"""The practice tenant in a process of its own, and the observer who looks at it for longer than a token lives."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from rehearsal import PracticeTenant
from rehearsal.truth import Truth
from tests.rehearsal.conftest import START

LIMIT_S = 60.0  # a paused machine takes long; a tenant that stays would never go


async def test_it_is_the_same_tenant_and_ends_when_told(tmp_path: Path, tenant: PracticeTenant) -> None:
    own = tmp_path / "apart"
    own.mkdir()
    apart = await PracticeTenant.start_apart(now=START, directory=own)
    try:
        async with Truth(apart) as there, Truth(tenant) as here:
            assert await there.seats() == await here.seats()
            assert await there.labels() == await here.labels()
    finally:
        await apart.stop()

    assert not await _answers(apart.login_url)


async def test_one_that_cannot_start_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="did not start"):
        await PracticeTenant.start_apart(people=1, now=START, directory=tmp_path)


async def test_it_goes_with_whoever_started_it(tmp_path: Path) -> None:
    """Nobody has to tell it: a parent that is killed leaves no server behind."""
    told = tmp_path / "port"
    parent = f"""
import asyncio, datetime, pathlib
from rehearsal import PracticeTenant

async def main():
    folder = pathlib.Path({str(tmp_path)!r})
    tenant = await PracticeTenant.start_apart(now=datetime.datetime.fromisoformat({START.isoformat()!r}), directory=folder)
    (folder / "part").write_text(tenant.login_url)
    (folder / "part").rename({str(told)!r})
    await asyncio.sleep({LIMIT_S})

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent)
    until = time.monotonic() + LIMIT_S
    while not told.exists():
        assert time.monotonic() < until, "it did not start"
        await asyncio.sleep(0.05)
    address = told.read_text()
    assert await _answers(address)

    os.kill(process.pid, signal.SIGKILL)
    await process.wait()

    while await _answers(address):
        assert time.monotonic() < until, "it stayed"
        await asyncio.sleep(0.05)


async def test_an_observer_whose_token_has_expired_asks_for_another(
    tenant: PracticeTenant, control: httpx.AsyncClient
) -> None:
    async with Truth(tenant) as truth:
        before = await truth.seats()
        (await control.post("/tokens/expire")).raise_for_status()

        assert await truth.seats() == before


async def _answers(address: str) -> bool:
    url = urlsplit(address)
    try:
        _, writer = await asyncio.open_connection(url.hostname, url.port)
    except OSError:
        return False
    writer.close()
    return True
