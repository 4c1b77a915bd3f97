from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rehearsal import PracticeTenant
from tests.contract.graph.practice import PEOPLE, START, Stage, connected
from tests.contract.graph.support import ScriptedGraph, StillClock


@pytest.fixture
async def graph() -> AsyncIterator[ScriptedGraph]:
    scripted = ScriptedGraph()
    yield scripted
    await scripted.client.aclose()
    assert not scripted.answers, "not every scripted answer was asked for"


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    # A customer's environment must not change whom we trust.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    tenant = await PracticeTenant.start(people=PEOPLE, seed=7, now=START, directory=tmp_path)
    clock = StillClock()
    graph = connected(tenant, clock)
    yield Stage(tenant, graph, clock)
    await graph.aclose()
    await tenant.stop()
