"""Every answer against Microsoft's own description of Graph, so that the imitation cannot drift from it."""

from typing import Any

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from tests.contract.graph.description import check_answer, needs_description

pytestmark = needs_description

COPILOT = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
ALL_OF_A_USER = (
    "id,displayName,userPrincipalName,mail,accountEnabled,userType,usageLocation,createdDateTime,employeeType,department,"
    "proxyAddresses,"
    "onPremisesSyncEnabled,assignedLicenses,licenseAssignmentStates,signInActivity"
)
ALL_OF_A_GROUP = (
    "id,displayName,groupTypes,securityEnabled,mailEnabled,onPremisesSyncEnabled,isAssignableToRole,"
    "isManagementRestricted,membershipRule,membershipRuleProcessingState,assignedLicenses,licenseProcessingState"
)


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
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str], address: str
) -> None:
    places = {
        "isaiah": ids["Isaiah Langer"],
        "lidia": ids["Lidia Holloway"],
        "visio": group_ids["Visio Plan 2 users"],
        "events": group_ids["Company events"],
    }

    answer = await graph.get(address.format_map(places))

    assert answer.status_code == 200
    check_answer(answer.request, answer)


async def test_writes_are_answered_as_microsoft_describes_it(
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
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
        check_answer(answer.request, answer)


async def test_refusals_are_as_microsoft_describes_them(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
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
        check_answer(answer.request, answer)


@pytest.mark.parametrize(
    "name",
    [
        "Olivia Ferrari",
        "Matterhorn Room",
        "Info Desk",
        "Selma Hartmann",
        "Anke Errico",
        "Flavio Warner",
        "Dieter Stolz",
        "Neo Zuber",
        "Dorothea Ziegler",
        "Nora Lindgren",
        "Rita Sperber",
        "Frank Graf",
    ],
)
async def test_odd_accounts_are_described_too(graph: httpx.AsyncClient, ids: dict[str, str], name: str) -> None:
    answers = [
        await graph.get(f"/users/{ids[name]}?$select={ALL_OF_A_USER},isManagementRestricted"),
        await graph.get(f"/users/{ids[name]}/licenseDetails"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    for answer in answers:
        check_answer(answer.request, answer)


async def test_a_manager_who_is_a_contact_is_a_directory_object(graph: httpx.AsyncClient, ids: dict[str, str]) -> None:
    single = await graph.get(f"/users/{ids['Kim Exner']}/manager")
    expanded = await graph.get(f"/users/{ids['Kim Exner']}?$select=id&$expand=manager($select=id,accountEnabled)")

    check_answer(single.request, single)
    check_answer(expanded.request, expanded)
    assert single.json()["@odata.type"] == "#microsoft.graph.orgContact"
    assert expanded.json()["manager"] == {"@odata.type": "#microsoft.graph.orgContact", "id": single.json()["id"]}


async def test_the_check_can_fail(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await control.post("/faults", json={"kind": "wrong_type", "path": "/subscribedSkus"})
    answer = await graph.get("/subscribedSkus")

    with pytest.raises(OpenAPIError):
        check_answer(answer.request, answer)
