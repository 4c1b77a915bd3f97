"""Every answer against Microsoft's own description of Graph, so that the imitation cannot drift from it.

The description is a subset of msgraph-metadata's OpenAPI document, kept beside the repository. Addresses that it leaves
out are held against the small schema below, after resources/group and group-list-members.
"""

from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

DESCRIPTION = Path(__file__).parents[3] / "shared" / "data" / "graph-subset-openapi.yaml"
COPILOT = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
ALL_OF_A_USER = (
    "id,displayName,userPrincipalName,mail,accountEnabled,userType,usageLocation,createdDateTime,employeeType,department,"
    "onPremisesSyncEnabled,assignedLicenses,licenseAssignmentStates,signInActivity"
)
ALL_OF_A_GROUP = (
    "id,displayName,groupTypes,securityEnabled,mailEnabled,onPremisesSyncEnabled,isAssignableToRole,"
    "isManagementRestricted,membershipRule,membershipRuleProcessingState,assignedLicenses,licenseProcessingState"
)


@pytest.fixture(scope="session")
def description() -> OpenAPI:
    if not DESCRIPTION.exists():
        pytest.skip(f"Microsoft's description is not beside the repository: {DESCRIPTION.name}")
    return OpenAPI.from_file_path(str(DESCRIPTION))


def _validate(description: OpenAPI, answer: httpx.Response) -> None:
    request = MockRequest(
        "https://graph.microsoft.com",
        answer.request.method.lower(),
        answer.request.url.path,
        args=dict(answer.request.url.params),
    )
    content_type = answer.headers.get("Content-Type", "").partition(";")[0]
    response = MockResponse(
        answer.content, status_code=answer.status_code, headers=dict(answer.headers), content_type=content_type
    )
    description.validate_response(request, response)


@pytest.mark.parametrize(
    "address",
    [
        "/users",
        f"/users?$select={ALL_OF_A_USER}&$top=500",
        "/users?$select=id&$expand=manager($select=id,displayName,userPrincipalName,mail,accountEnabled)",
        "/users/{isaiah}",
        f"/users/{{lidia}}?$select={ALL_OF_A_USER}",
        "/users/{isaiah}/manager",
        "/users/{lidia}/memberOf/microsoft.graph.group",
        "/users/{isaiah}/licenseDetails",
        "/subscribedSkus",
        "/groups",
        f"/groups?$select={ALL_OF_A_GROUP}",
        "/groups/{visio}",
        f"/groups/{{visio}}?$select={ALL_OF_A_GROUP}",
        "/groups/{visio}/members",
        "/groups/{visio}/members/microsoft.graph.user",
        "/groups/{events}/transitiveMembers",
    ],
)
async def test_an_answer_is_as_microsoft_describes_it(
    description: OpenAPI, graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str], address: str
) -> None:
    places = {
        "isaiah": ids["Isaiah Langer"],
        "lidia": ids["Lidia Holloway"],
        "visio": group_ids["Visio Plan 2 users"],
        "events": group_ids["Company events"],
    }

    answer = await graph.get(address.format_map(places))

    assert answer.status_code == 200
    _validate(description, answer)


async def test_writes_are_answered_as_microsoft_describes_it(
    description: OpenAPI, graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    isaiah, lidia, group = ids["Isaiah Langer"], ids["Lidia Holloway"], group_ids["Visio Plan 2 users"]
    removal: dict[str, Any] = {"addLicenses": [], "removeLicenses": [COPILOT]}
    reference = {"@odata.id": f"{graph.base_url}directoryObjects/{lidia}"}

    answers = [
        await graph.post(f"/users/{isaiah}/assignLicense", json=removal),
        await graph.post(f"/users/{isaiah}/checkMemberGroups", json={"groupIds": [group]}),
        await graph.delete(f"/groups/{group}/members/{lidia}/$ref"),
        await graph.post(f"/groups/{group}/members/$ref", json=reference),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 204, 204]
    for answer in answers:
        _validate(description, answer)


async def test_refusals_are_as_microsoft_describes_them(
    description: OpenAPI, graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post("/faults", json={"kind": "throttle", "path": "/subscribedSkus"})
    await control.post("/faults", json={"kind": "status", "status": 503, "path": "/licenseDetails"})
    refused: dict[str, Any] = {"addLicenses": [], "removeLicenses": []}

    answers = [
        await graph.post(f"/users/{ids['Lee Gu']}/assignLicense", json=refused),
        await graph.get("/users", headers={"Authorization": "Bearer nonsense"}),
        await graph.get("/users/nobody"),
        await graph.get("/subscribedSkus"),
        await graph.get(f"/users/{ids['Lee Gu']}/licenseDetails"),
    ]

    assert [answer.status_code for answer in answers] == [400, 401, 404, 429, 503]
    for answer in answers:
        _validate(description, answer)


async def test_nested_groups_have_the_shape_of_groups(graph: httpx.AsyncClient, group_ids: dict[str, str]) -> None:
    answer = await graph.get(f"/groups/{group_ids['Company events']}/members/microsoft.graph.group")

    [nested] = answer.json()["value"]
    assert answer.json()["@odata.context"].endswith("$metadata#groups")
    assert {name: type(nested[name]) for name in ("id", "displayName", "groupTypes", "securityEnabled")} == {
        "id": str,
        "displayName": str,
        "groupTypes": list,
        "securityEnabled": bool,
    }
