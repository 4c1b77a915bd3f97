"""Joining and leaving groups: protected ones refuse, and the license follows later."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
States = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def lidia(ids: dict[str, str]) -> str:
    return ids["Lidia Holloway"]


@pytest.fixture
def visio_users(group_ids: dict[str, str]) -> str:
    return group_ids["Visio Plan 2 users"]


def _reference(graph: httpx.AsyncClient, person_id: str) -> dict[str, str]:
    return {"@odata.id": f"{graph.base_url}directoryObjects/{person_id}"}


async def test_leaving_a_group_takes_the_license_only_after_20_minutes(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, states: States, lidia: str, visio_users: str
) -> None:
    answer = await graph.delete(f"/groups/{visio_users}/members/{lidia}/$ref")

    at_once = await states(lidia)
    member_of = (await graph.get(f"/users/{lidia}/memberOf/microsoft.graph.group?$select=id")).json()["value"]
    await control.post("/clock", json={"now": "2026-11-23T09:19:59Z"})
    shortly_before = await states(lidia)
    await control.post("/clock", json={"now": "2026-11-23T09:20:00Z"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert member_of == []
    assert [state["assignedByGroup"] for state in at_once] == [visio_users]
    assert shortly_before == at_once
    assert await states(lidia) == []


async def test_a_group_tells_that_it_is_still_processing(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, lidia: str, visio_users: str
) -> None:
    async def state() -> str:
        answer = await graph.get(f"/groups/{visio_users}?$select=licenseProcessingState")
        return str(answer.json()["licenseProcessingState"]["state"])

    await graph.delete(f"/groups/{visio_users}/members/{lidia}/$ref")

    meanwhile = await state()
    await control.post("/clock", json={"now": "2026-11-23T09:20:00Z"})
    assert (meanwhile, await state()) == ("ProcessingInProgress", "ProcessingComplete")


async def test_coming_back_before_the_delay_is_over_keeps_the_license(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, states: States, lidia: str, visio_users: str
) -> None:
    before = await states(lidia)
    await graph.delete(f"/groups/{visio_users}/members/{lidia}/$ref")

    answer = await graph.post(f"/groups/{visio_users}/members/$ref", json=_reference(graph, lidia))

    await control.post("/clock", json={"now": "2026-11-24T09:00:00Z"})
    assert answer.status_code == 204
    assert await states(lidia) == before


async def test_coming_back_later_gives_the_license_again_after_the_delay(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, states: States, lidia: str, visio_users: str
) -> None:
    await control.post("/group-delay", json={"minutes": 0})
    await graph.delete(f"/groups/{visio_users}/members/{lidia}/$ref")
    gone = await states(lidia)
    await control.post("/group-delay", json={"minutes": 60})

    await graph.post(f"/groups/{visio_users}/members/$ref", json=_reference(graph, lidia))

    at_once = await states(lidia)
    await control.post("/clock", json={"now": "2026-11-23T10:00:00Z"})
    assert (gone, at_once) == ([], [])
    assert [state["lastUpdatedDateTime"] for state in await states(lidia)] == ["2026-11-23T10:00:00Z"]


async def test_a_group_license_without_a_free_seat_is_an_error_and_no_seat(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], states: States, visio_users: str
) -> None:
    await control.post("/group-delay", json={"minutes": 0})
    [visio] = [sku for sku in (await graph.get("/subscribedSkus")).json()["value"] if sku["skuId"] == VISIO]
    seats = (await control.get("/seats")).json()
    holders = {seat["person_id"] for seat in seats if seat["sku_id"] == VISIO}
    others = [person_id for person_id in ids.values() if person_id not in holders]
    free = visio["prepaidUnits"]["enabled"] - visio["consumedUnits"]
    for person_id in others[:free]:
        await control.post(f"/people/{person_id}/assign", json={"sku_id": VISIO})

    await graph.post(f"/groups/{visio_users}/members/$ref", json=_reference(graph, others[free]))

    [state] = [state for state in await states(others[free]) if state["skuId"] == VISIO]
    assigned = (await graph.get(f"/users/{others[free]}?$select=assignedLicenses")).json()["assignedLicenses"]
    assert (state["state"], state["error"]) == ("Error", "CountViolation")
    assert VISIO not in [license_["skuId"] for license_ in assigned]


@pytest.mark.parametrize(
    ("group", "status", "code", "message"),
    [
        (
            "Power BI analysts (dynamic)",
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ),
        (
            "Privileged role holders",
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ),
        (
            "Visio Plan 2 (from Active Directory)",
            400,
            "Request_BadRequest",
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
            "currently undergoing migration.",
        ),
        (
            "Project planners mail list",
            400,
            "Request_BadRequest",
            "Unable to update the specified properties for objects that have originated within an external service.",
        ),
    ],
)
async def test_a_protected_group_refuses_to_let_anybody_go(
    graph: httpx.AsyncClient,
    control: httpx.AsyncClient,
    group_ids: dict[str, str],
    group: str,
    status: int,
    code: str,
    message: str,
) -> None:
    members = (await graph.get(f"/groups/{group_ids[group]}/members?$select=id")).json()["value"]

    answer = await graph.delete(f"/groups/{group_ids[group]}/members/{members[0]['id']}/$ref")

    after = (await graph.get(f"/groups/{group_ids[group]}/members?$select=id")).json()["value"]
    assert answer.status_code == status
    assert (answer.json()["error"]["code"], answer.json()["error"]["message"]) == (code, message)
    assert after == members
    assert (await control.get("/writes")).json() == []


async def test_a_microsoft_365_group_lets_people_go(
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    answer = await graph.delete(f"/groups/{group_ids['Marketing team']}/members/{ids['Isaiah Langer']}/$ref")

    assert answer.status_code == 204


async def test_somebody_who_is_no_member_cannot_leave(graph: httpx.AsyncClient, lidia: str, visio_users: str) -> None:
    await graph.delete(f"/groups/{visio_users}/members/{lidia}/$ref")

    again = await graph.delete(f"/groups/{visio_users}/members/{lidia}/$ref")

    assert (again.status_code, again.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert again.json()["error"]["message"].startswith(f"Resource '{lidia}' does not exist")


async def test_somebody_in_a_nested_group_cannot_leave_the_outer_one(
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    answer = await graph.delete(f"/groups/{group_ids['Company events']}/members/{ids['Joni Sherman']}/$ref")

    assert answer.status_code == 404


async def test_forgetting_ref_is_refused_and_deletes_nobody(
    graph: httpx.AsyncClient, lidia: str, visio_users: str
) -> None:
    answer = await graph.delete(f"/groups/{visio_users}/members/{lidia}")

    still_there = await graph.get(f"/users/{lidia}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert answer.json()["error"]["message"] == "Write requests are only supported on contained entities"
    assert still_there.status_code == 200


async def test_joining_twice_is_refused(graph: httpx.AsyncClient, lidia: str, visio_users: str) -> None:
    answer = await graph.post(f"/groups/{visio_users}/members/$ref", json=_reference(graph, lidia))

    expected = "One or more added object references already exist for the following modified properties: 'members'."
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, expected)


async def test_a_reference_to_nothing_is_refused(graph: httpx.AsyncClient, visio_users: str) -> None:
    answer = await graph.post(f"/groups/{visio_users}/members/$ref", json={"@odata.id": "somebody"})

    assert answer.status_code == 400


async def test_everybody_in_a_group_counts_those_of_the_groups_inside_it(
    graph: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    events = group_ids["Company events"]

    answer = await graph.get(f"/groups/{events}/transitiveMembers/microsoft.graph.user?$select=id&$top=2")
    rest = await graph.get(answer.json()["@odata.nextLink"])

    found = [row["id"] for row in answer.json()["value"] + rest.json()["value"]]
    assert sorted(found) == sorted(ids[name] for name in ("Megan Bowen", "Joni Sherman", "Lee Gu"))


async def test_a_group_is_found_by_its_name_and_no_other_filter_is_understood(
    graph: httpx.AsyncClient, group_ids: dict[str, str]
) -> None:
    found = await graph.get("/groups", params={"$filter": "displayName eq 'company EVENTS'", "$select": "id"})
    none = await graph.get("/groups", params={"$filter": "displayName eq 'Bob''s'"})
    other = await graph.get("/groups", params={"$filter": "startswith(displayName,'C')"})

    assert [row["id"] for row in found.json()["value"]] == [group_ids["Company events"]]
    assert (none.json()["value"], other.status_code) == ([], 400)


async def test_who_may_take_up_a_role_is_told_with_its_permission_and_by_a_tenant_that_has_it(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    address = "/roleManagement/directory/roleEligibilityScheduleInstances"
    found = (await graph.get(address)).json()
    await control.post("/premium", json={"premium": False})
    other = await graph.get(address)
    await control.post("/permissions", json={"granted": ["User.Read.All", "Directory.Read.All"]})
    refused = await graph.get(address)

    assert [row["principalId"] for row in found["value"]] == [ids["Lynne Robbins"]]
    assert (other.status_code, other.json()["error"]["code"]) == (400, "AadPremiumLicenseRequired")
    assert refused.status_code == 403


async def test_admin_roles_are_told_with_their_permission_only_page_by_page(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    address, holders = "/roleManagement/directory/roleAssignments?$top=3", []
    while address:
        page = (await graph.get(address)).json()
        holders += [row["principalId"] for row in page["value"]]
        address = page.get("@odata.nextLink", "")
    await control.post("/permissions", json={"granted": ["User.Read.All", "GroupMember.Read.All"]})
    refused = await graph.get("/roleManagement/directory/roleAssignments")

    people = {ids["Emergency Access"], ids["Directory Synchronization"]}
    assert {group_ids["Privileged role holders"], *people} < set(holders)
    assert len(holders) == 4
    assert refused.status_code == 403
