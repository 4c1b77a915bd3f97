"""Installing the Teams app for a person: every answer of Graph has its meaning."""

import json

import httpx
import pytest

from reclaim.connectors.graph.installs import TeamsInstaller
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError
from tests.contract.graph.support import ADELE, GRAPH, CountedTokens, ScriptedGraph

MANIFEST = "5c0f6f5e-7a37-4f0f-9f3e-0d7c0e7f1a11"
CATALOGUE_ID = "b1c5353a-7aca-41b3-830f-27d5218fe0e5"


def catalogue() -> httpx.Response:
    return httpx.Response(200, json={"value": [{"id": CATALOGUE_ID}]})


def installer(graph: ScriptedGraph) -> TeamsInstaller:
    return TeamsInstaller(graph.client, manifest_id=MANIFEST, tokens=CountedTokens())


async def test_the_app_is_found_in_the_catalogue_once_and_installed_by_reference() -> None:
    graph = ScriptedGraph().will(catalogue(), httpx.Response(201), httpx.Response(409))
    tried = installer(graph)

    assert await tried.install(ADELE)
    assert await tried.install(ADELE)  # 409: it is there already

    looked, first, second = graph.requests
    assert looked.url.path == "/v1.0/appCatalogs/teamsApps"
    assert looked.url.params["$filter"] == f"externalId eq '{MANIFEST}'"
    assert first.url == second.url == f"{GRAPH}/users/{ADELE}/teamwork/installedApps"
    assert json.loads(first.content) == {"teamsApp@odata.bind": f"{GRAPH}/appCatalogs/teamsApps/{CATALOGUE_ID}"}


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_tenant_that_does_not_let_us_is_no_error(status: int) -> None:
    assert not await installer(ScriptedGraph().will(catalogue(), httpx.Response(status))).install(ADELE)


async def test_an_app_that_is_not_in_the_catalogue_is_looked_for_again() -> None:
    graph = ScriptedGraph().will(httpx.Response(200, json={"value": []}), catalogue(), httpx.Response(201))
    tried = installer(graph)

    assert not await tried.install(ADELE)
    assert await tried.install(ADELE)


async def test_a_missing_permission_for_the_catalogue_is_no_error() -> None:
    assert not await installer(
        ScriptedGraph().will(httpx.Response(403, json={"error": {"code": "Forbidden"}}))
    ).install(ADELE)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_graph_may_be_asked_again(status: int) -> None:
    with pytest.raises(DeliveryError) as refused:
        await installer(ScriptedGraph().will(catalogue(), httpx.Response(status))).install(ADELE)
    assert not refused.value.permanent


async def test_an_id_that_is_no_object_id_never_enters_an_address() -> None:
    graph = ScriptedGraph()

    assert not await installer(graph).install(PersonId("../groups"))
    assert graph.requests == []
