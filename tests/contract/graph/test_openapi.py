"""Every request of the connector against Microsoft's own description of Graph, and our sample answers too.

The subset has no `/groups/{group-id}/members/microsoft.graph.group`; its schema is added here, made of the sibling for
users in the same file and the page api/group-list-members of the Microsoft Graph docs.
"""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

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

SPEC = Path(__file__).parents[4] / "shared" / "data" / "graph-subset-openapi.yaml"
USERS_OF_GROUP = "/groups/{group-id}/members/microsoft.graph.user"
GROUPS_OF_GROUP = "/groups/{group-id}/members/microsoft.graph.group"

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="the OpenAPI subset of Graph is not beside this checkout (../shared/data)"
)


@cache
def spec() -> OpenAPI:
    with SPEC.open(encoding="utf-8") as text:
        document: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    added = copy.deepcopy(document["paths"][USERS_OF_GROUP])
    added["get"]["operationId"] = "groups.ListMembers.AsGroup"
    added["get"]["responses"]["200"]["content"]["application/json"] = {
        "schema": {"$ref": "#/components/schemas/microsoft.graph.groupCollectionResponse"}
    }
    document["paths"][GROUPS_OF_GROUP] = added
    return OpenAPI.from_dict(document)


class Asked:
    """An httpx request as openapi-core reads it."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self.host_url = "https://graph.microsoft.com"
        self.path = request.url.path
        self.method = request.method.lower()
        self.body = request.content or None
        self.content_type = request.headers.get("content-type", "")
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()),
            header=Headers(list(request.headers.items())),
            cookie=ImmutableMultiDict(),
        )


class Answered:
    """An httpx response as openapi-core reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.content_type = "application/json"
        self.headers: Mapping[str, Any] = dict(response.headers)
        self.data = response.content


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
        spec().validate_request(Asked(request))
        if answer.content:
            spec().validate_response(Asked(request), Answered(answer))


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
