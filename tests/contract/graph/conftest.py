from collections.abc import AsyncIterator

import pytest

from tests.contract.graph.support import ScriptedGraph


@pytest.fixture
async def graph() -> AsyncIterator[ScriptedGraph]:
    scripted = ScriptedGraph()
    yield scripted
    await scripted.client.aclose()
    assert not scripted.answers, "not every scripted answer was asked for"
