"""A running practice tenant, and clients that know its certificate and secrets."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal import PracticeTenant

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
async def tenant(tmp_path: Path) -> AsyncIterator[PracticeTenant]:
    running = await PracticeTenant.start(now=START, directory=tmp_path)
    yield running
    await running.stop()


@pytest.fixture
async def anonymous(tenant: PracticeTenant) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cafile=tenant.ca_file)
    async with httpx.AsyncClient(base_url=tenant.login_url, verify=context) as client:
        yield client


@pytest.fixture
async def token(tenant: PracticeTenant, anonymous: httpx.AsyncClient) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "scope": f"{tenant.login_url}/.default",
    }
    answer = await anonymous.post(f"/{tenant.tenant_id}/oauth2/v2.0/token", data=form)
    return str(answer.json()["access_token"])


@pytest.fixture
async def graph(tenant: PracticeTenant, token: str) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cafile=tenant.ca_file)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=tenant.graph_url, verify=context, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
async def control(tenant: PracticeTenant) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cafile=tenant.ca_file)
    headers = {"X-Control-Key": tenant.control_key}
    async with httpx.AsyncClient(base_url=tenant.control_url, verify=context, headers=headers, timeout=40) as client:
        yield client


@pytest.fixture
async def ids(control: httpx.AsyncClient) -> dict[str, str]:
    """Object ids by display name."""
    return {person["name"]: person["person_id"] for person in (await control.get("/cases")).json()}


@pytest.fixture
async def group_ids(graph: httpx.AsyncClient) -> dict[str, str]:
    """Group ids by display name."""
    return {group["displayName"]: group["id"] for group in (await graph.get("/groups")).json()["value"]}


@pytest.fixture
def states(graph: httpx.AsyncClient) -> Callable[[str], Awaitable[list[dict[str, Any]]]]:
    """Read the licenseAssignmentStates of a person."""

    async def read(person_id: str) -> list[dict[str, Any]]:
        answer = await graph.get(f"/users/{person_id}?$select=id,licenseAssignmentStates")
        found: list[dict[str, Any]] = answer.json()["licenseAssignmentStates"]
        return found

    return read
