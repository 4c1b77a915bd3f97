"""The writer's budget against a practice tenant that counts writes: what Microsoft would refuse is never sent."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest

from reclaim.connectors.graph import GraphConnection, Registration, connect
from reclaim.connectors.graph.budget import WriteBudget
from reclaim.connectors.graph.writer import GraphSeatWriter
from reclaim.domain.ids import PersonId, ProductId
from reclaim.errors import WriteBackError
from reclaim.ports.directory import WriteResult
from tests.contract.graph.practice import Stage
from tests.contract.graph.support import CountedTokens, StillClock

VISIO = ProductId("c5928f49-12ba-48f7-ada3-0d743a3601d5")


def paced(stage: Stage, writes: int) -> GraphConnection:
    tenant = stage.tenant
    return connect(
        login_url=tenant.login_url,
        graph_url=tenant.graph_url,
        tenant_id=tenant.tenant_id,
        reader=Registration(client_id=tenant.client_id, credential=tenant.client_secret),
        writes=writes,
        ca_file=tenant.ca_file,
        clock=StillClock(),
        tokens=CountedTokens(),
    )


async def write(graph: GraphConnection, person: PersonId) -> WriteResult:
    """Take away what the person does not have: a write like any other to who counts them."""
    await graph.writer.turn(clicked=False)
    return await graph.writer.remove_direct(person, VISIO, client_request_id=str(uuid4()))


async def test_error_429_stops_the_next_write_before_it_is_sent(stage: Stage) -> None:
    graph = paced(stage, 1_000_000)
    person = (await graph.directory.people(None)).rows[0].person.id
    await stage.control("POST", "/throttle", {"counted": "writes", "calls": 1, "window_s": 300})
    await write(graph, person)

    with pytest.raises(WriteBackError) as refused:
        await write(graph, person)
    with pytest.raises(WriteBackError, match="takes no more changes for now") as held:
        await write(graph, person)

    assert (refused.value.status, refused.value.maybe_applied) == (429, False)
    assert held.value.status is None
    assert timedelta(minutes=4) < (held.value.retry_after or timedelta(0)) <= timedelta(minutes=5)
    assert (await stage.control("GET", "/throttle"))["writes"]["refused"] == 1
    await graph.aclose()


async def test_what_a_header_says_of_the_limit_is_heard(stage: Stage) -> None:
    heard: list[float | None] = []

    class Listening(WriteBudget):
        def heard(self, *, percentage: float | None, refused_for: timedelta | None) -> None:
            heard.append(percentage)

    budget = Listening(1500, now=stage.clock.now, monotonic=time.monotonic, sleep=stage.clock.sleep)
    graph = paced(stage, 1500)
    writer = GraphSeatWriter(graph.client, reads=graph.client, budget=budget)
    person = (await graph.directory.people(None)).rows[0].person.id
    await stage.control("POST", "/throttle", {"counted": "writes", "calls": 5, "window_s": 300})

    for _ in range(5):
        await writer.remove_direct(person, VISIO, client_request_id=str(uuid4()))

    assert heard == [None, None, None, 0.8, 1.0]
    await graph.aclose()
