"""Every request of the connector against Microsoft's own description of Graph, and our sample answers too."""

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from tests.contract.graph.description import Asked, check_exchange, needs_description, spec
from tests.contract.graph.support import (
    ADELE,
    E3,
    GRAPH,
    GROUP,
    VISIO,
    WRITE_ID,
    ScriptedGraph,
    assignment,
    group,
    ok,
    page,
    sku,
    user,
)

pytestmark = needs_description


async def test_every_request_and_sample_answer_has_microsofts_form(graph: ScriptedGraph) -> None:
    answers = [
        page(sku()),
        page(user(assignment(VISIO, GROUP)), following=f"{GRAPH}/users?$skiptoken=1"),
        page({"id": ADELE, "signInActivity": {"lastSignInDateTime": "2026-03-02T09:12:00Z"}}),
        page(group()),
        page({"id": GROUP}),
        page({"id": ADELE}),
        ok(user(assignment(E3))),
        page({"id": GROUP}),
        ok(group()),
        page(),
        ok(user()),
        httpx.Response(204),
        ok({"id": ADELE, "licenseAssignmentStates": [assignment()]}),
    ]
    graph.will(*answers)

    await graph.directory.skus()
    await graph.directory.people(None)
    await graph.directory.sign_ins(None)
    await graph.directory.groups(None)
    await graph.directory.group_members(GROUP, None)
    await graph.directory.live_person(ADELE, with_sign_ins=True)
    await graph.directory.group(GROUP)
    await graph.writer.remove_direct(ADELE, VISIO, client_request_id=WRITE_ID)
    await graph.writer.leave_group(ADELE, GROUP, client_request_id=WRITE_ID)
    await graph.writer.read_back(ADELE, VISIO)

    for request, answer in zip(graph.requests, answers, strict=True):
        check_exchange(request, answer)


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("GET", "/users?$select=id,nope", None),
        ("GET", "/users?$top=5000", None),
        ("POST", f"/users/{ADELE}/assignLicense", {"removeLicenses": [VISIO]}),
        ("DELETE", f"/groups/{GROUP}/members/{ADELE}", None),
    ],
)
def test_the_check_can_fail(method: str, address: str, body: object) -> None:
    request = httpx.Request(method, f"{GRAPH}{address}", json=body, headers={"authorization": "Bearer x"})

    with pytest.raises(OpenAPIError):
        spec().validate_request(Asked(request))


def test_a_request_without_a_token_fails_the_check() -> None:
    with pytest.raises(OpenAPIError):
        spec().validate_request(Asked(httpx.Request("GET", f"{GRAPH}/users")))
