"""Reading users, managers, products and groups: shapes, pages and refusals."""

from typing import Any

import httpx
import pytest

SIGN_IN_SELECT = "id,accountEnabled,signInActivity"


async def _pages(graph: httpx.AsyncClient, address: str) -> list[list[dict[str, Any]]]:
    pages = []
    next_address: str | None = address
    while next_address is not None:
        answer = await graph.get(next_address)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["value"])
        next_address = answer.json().get("@odata.nextLink")
    return pages


async def test_users_come_in_pages_of_100_unless_asked_otherwise(graph: httpx.AsyncClient) -> None:
    pages = await _pages(graph, "/users")

    assert [len(page) for page in pages] == [100, 100, 100, 100]
    assert len({user["id"] for page in pages for user in page}) == 400


async def test_an_expanded_manager_caps_a_page_at_100(graph: httpx.AsyncClient) -> None:
    pages = await _pages(graph, "/users?$select=id&$expand=manager($select=id,displayName)&$top=999")

    assert [len(page) for page in pages] == [100, 100, 100, 100]
    assert pages[0][1]["manager"] == {
        "@odata.type": "#microsoft.graph.user",
        "id": pages[0][0]["id"],
        "displayName": "Irvin Sayers",
    }
    assert "manager" not in pages[0][0]


async def test_a_next_link_repeats_the_options_verbatim(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/users?$select=id,displayName&$top=7")

    link = answer.json()["@odata.nextLink"]
    assert link.startswith(f"{graph.base_url}users?$select=id,displayName&$top=7&$skiptoken=")
    assert [len(page) for page in await _pages(graph, link)][:2] == [7, 7]
    assert answer.json()["@odata.context"] == f"{graph.base_url}$metadata#users(id,displayName)"


async def test_a_made_up_page_token_is_refused(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/users?$skiptoken=AAAAAAAAAAE")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Directory_ExpiredPageToken")


async def test_a_page_token_of_another_collection_is_refused(graph: httpx.AsyncClient) -> None:
    link = (await graph.get("/users?$top=1")).json()["@odata.nextLink"]

    answer = await graph.get(link.replace("/users?", "/groups?"))

    assert answer.status_code == 400


async def test_without_select_a_user_has_only_the_default_properties(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/users/AdeleV@contoso.example")

    assert answer.json().keys() - {"@odata.context"} == {
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }


async def test_sign_in_activity_has_three_instants_and_is_absent_without_sign_ins(
    graph: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    isaiah = await graph.get(f"/users/{ids['Isaiah Langer']}?$select=id,signInActivity")
    lee = await graph.get(f"/users/{ids['Lee Gu']}?$select=id,signInActivity")

    activity = isaiah.json()["signInActivity"]
    assert activity["lastSignInDateTime"].startswith("2026-07-12T")
    assert activity["lastSuccessfulSignInDateTime"] == activity["lastSignInDateTime"]
    assert activity["lastNonInteractiveSignInDateTime"] < activity["lastSignInDateTime"]
    assert "signInActivity" not in lee.json()


async def test_a_user_name_that_is_nobody_is_not_found(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/users/nobody")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "Request_ResourceNotFound"
    assert answer.json()["error"]["message"].startswith("Resource 'nobody' does not exist or one of its queried")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/users?$skip=10", "'$skip' is not supported by the service."),
        ("/users?$top=1000", "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive."),
        ("/users?$top=0", "Invalid page size specified: '0'. Must be between 1 and 999 inclusive."),
        ("/users?$select=nope", "Could not find a property named 'nope' on type 'microsoft.graph.user'."),
        ("/users?$expand=nope", "Could not find a property named 'nope' on type 'microsoft.graph.user'."),
        ("/groups/nope", "Invalid object identifier 'nope'."),
        (
            "/users/AdeleV@contoso.example?$select=signInActivity",
            "Get By Key only supports UserId and the key has to be a valid Guid",
        ),
    ],
)
async def test_a_faulty_request_says_what_is_wrong(graph: httpx.AsyncClient, address: str, message: str) -> None:
    answer = await graph.get(address)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_BadRequest"
    assert answer.json()["error"]["message"] == message


async def test_an_option_that_is_not_imitated_is_refused_and_not_ignored(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/users?$filter=accountEnabled eq true")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")


async def test_an_address_that_graph_does_not_have_is_refused_in_its_form(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/nonsense")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


async def test_errors_carry_the_ids_of_the_request(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/users/nobody", headers={"client-request-id": "my-own-id"})

    inner = answer.json()["error"]["innerError"]
    assert inner["client-request-id"] == answer.headers["client-request-id"] == "my-own-id"
    assert inner["request-id"] == answer.headers["request-id"]
    assert len(inner["date"]) == len("2026-11-23T09:00:00")


@pytest.mark.parametrize(
    ("granted", "address"),
    [
        (["AuditLog.Read.All"], "/users"),
        (["User.Read.All"], f"/users?$select={SIGN_IN_SELECT}"),
        (["User.Read.All"], "/groups"),
        (["User.Read.All", "LicenseAssignment.ReadWrite.All"], "/subscribedSkus"),
    ],
)
async def test_a_missing_permission_is_refused(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, granted: list[str], address: str
) -> None:
    await control.post("/permissions", json={"granted": granted})

    answer = await graph.get(address)

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Authorization_RequestDenied"
    assert answer.json()["error"]["message"] == "Insufficient privileges to complete the operation."


async def test_without_premium_sign_in_data_is_refused_and_the_rest_is_not(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await control.post("/premium", json={"premium": False})

    refused = await graph.get(f"/users?$select={SIGN_IN_SELECT}")
    answered = await graph.get("/users?$select=id,accountEnabled")

    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    assert answered.status_code == 200


async def test_a_manager_is_an_object_and_none_is_not_found(graph: httpx.AsyncClient, ids: dict[str, str]) -> None:
    manager = await graph.get(f"/users/{ids['Isaiah Langer']}/manager?$select=id,displayName")
    none = await graph.get(f"/users/{ids['Irvin Sayers']}/manager")

    assert manager.json()["displayName"] == "Megan Bowen"
    assert manager.json()["@odata.type"] == "#microsoft.graph.user"
    assert (none.status_code, none.json()["error"]["code"]) == (404, "Request_ResourceNotFound")


async def test_a_manager_who_left_is_no_manager_any_more(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post(f"/people/{ids['Megan Bowen']}/leave")

    answer = await graph.get(f"/users/{ids['Isaiah Langer']}/manager")

    assert answer.status_code == 404


async def test_license_details_name_the_plans_that_are_off(graph: httpx.AsyncClient, ids: dict[str, str]) -> None:
    answer = await graph.get(f"/users/{ids['Lee Gu']}/licenseDetails")

    [details] = answer.json()["value"]
    off = {plan["servicePlanName"] for plan in details["servicePlans"] if plan["provisioningStatus"] == "Disabled"}
    assert details["skuPartNumber"] == "PROJECTPROFESSIONAL"
    assert off == {"SHAREPOINTENTERPRISE", "SHAREPOINTWAC", "SHAREPOINT_PROJECT"}


async def test_products_come_with_their_counts_and_real_plans(graph: httpx.AsyncClient) -> None:
    answer = await graph.get("/subscribedSkus")

    products = {product["skuPartNumber"]: product for product in answer.json()["value"]}
    plans = {plan["servicePlanName"] for plan in products["SPE_E3"]["servicePlans"]}
    spare = {name: product["prepaidUnits"]["enabled"] - product["consumedUnits"] for name, product in products.items()}
    assert {"EXCHANGE_S_ENTERPRISE", "SHAREPOINTENTERPRISE"} <= plans
    assert products["VISIOCLIENT"]["skuId"] == "c5928f49-12ba-48f7-ada3-0d743a3601d5"
    assert [name for name, free in spare.items() if free == 0] == ["Microsoft_Teams_Premium"]
    assert all(free > 0 for name, free in spare.items() if name != "Microsoft_Teams_Premium")


async def test_group_licenses_are_told_only_when_selected(graph: httpx.AsyncClient, group_ids: dict[str, str]) -> None:
    group_id = group_ids["Visio Plan 2 users"]

    plain = await graph.get(f"/groups/{group_id}")
    selected = await graph.get(f"/groups/{group_id}?$select=id,assignedLicenses,licenseProcessingState")

    assert "assignedLicenses" not in plain.json()
    assert selected.json()["assignedLicenses"] == [
        {"disabledPlans": [], "skuId": "c5928f49-12ba-48f7-ada3-0d743a3601d5"}
    ]
    assert selected.json()["licenseProcessingState"] == {"state": "ProcessingComplete"}


async def test_groups_and_members_come_in_pages(graph: httpx.AsyncClient, group_ids: dict[str, str]) -> None:
    groups = await _pages(graph, "/groups?$select=id&$top=5")
    members = await _pages(graph, f"/groups/{group_ids['Visio Plan 2 users']}/members?$select=id&$top=4")

    assert [len(page) for page in groups] == [5, 5, 5, 5, 5]
    assert len({member["id"] for page in members for member in page}) == sum(map(len, members)) > 8


async def test_nested_groups_count_as_members_and_their_people_only_transitively(
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    outer, inner = group_ids["Company events"], group_ids["Company events Zurich"]

    direct = (await graph.get(f"/groups/{outer}/members?$select=id")).json()["value"]
    users = (await graph.get(f"/groups/{outer}/members/microsoft.graph.user?$select=id")).json()["value"]
    nested = (await graph.get(f"/groups/{outer}/members/microsoft.graph.group?$select=id")).json()["value"]
    everyone = (await graph.get(f"/groups/{outer}/transitiveMembers?$select=id")).json()["value"]

    assert [member["id"] for member in direct] == [inner, ids["Megan Bowen"]]
    assert [user["id"] for user in users] == [ids["Megan Bowen"]]
    assert [group["id"] for group in nested] == [inner]
    assert {member["id"] for member in everyone} == {
        inner,
        ids["Megan Bowen"],
        ids["Joni Sherman"],
        ids["Lee Gu"],
    }


async def test_membership_is_direct_in_member_of_and_transitive_in_check_member_groups(
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    outer, inner = group_ids["Company events"], group_ids["Company events Zurich"]
    asked = {"groupIds": [outer, inner, group_ids["Reclaim admins"]]}

    direct = await graph.get(f"/users/{ids['Joni Sherman']}/memberOf/microsoft.graph.group?$select=id")
    checked = await graph.post(f"/users/{ids['Joni Sherman']}/checkMemberGroups", json=asked)

    assert direct.json()["value"] == [{"id": inner}]
    assert checked.json()["value"] == [outer, inner]


async def test_at_most_20_groups_are_checked_at_once(
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    asked = {"groupIds": [group_ids["Reclaim admins"]] * 21}

    answer = await graph.post(f"/users/{ids['Lee Gu']}/checkMemberGroups", json=asked)

    assert answer.status_code == 400
