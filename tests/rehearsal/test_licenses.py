"""assignLicense and what follows from it: refusals word for word, all or nothing, and counts that lag."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

COPILOT = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
PROJECT = "53818b1b-4a27-454b-8896-0dba576410e6"
E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"
TEAMS_PREMIUM = "36a0f3b3-adb5-49ea-bf66-762134cf063a"

States = Callable[[str], Awaitable[list[dict[str, Any]]]]


def _remove(*sku_ids: str) -> dict[str, Any]:
    return {"addLicenses": [], "removeLicenses": list(sku_ids)}


def _add(sku_id: str, *disabled_plans: str) -> dict[str, Any]:
    return {"addLicenses": [{"skuId": sku_id, "disabledPlans": list(disabled_plans)}], "removeLicenses": []}


async def _shown(graph: httpx.AsyncClient, sku_id: str) -> int:
    products = (await graph.get("/subscribedSkus")).json()["value"]
    [count] = [product["consumedUnits"] for product in products if product["skuId"] == sku_id]
    return int(count)


async def test_a_direct_license_is_gone_at_once(graph: httpx.AsyncClient, ids: dict[str, str], states: States) -> None:
    answer = await graph.post(f"/users/{ids['Isaiah Langer']}/assignLicense", json=_remove(COPILOT))

    assert answer.status_code == 200
    assert answer.json()["displayName"] == "Isaiah Langer"
    assert "assignedLicenses" not in answer.json()
    assert await states(ids["Isaiah Langer"]) == []


async def test_the_shown_count_follows_five_minutes_later(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    before = await _shown(graph, COPILOT)
    await graph.post(f"/users/{ids['Isaiah Langer']}/assignLicense", json=_remove(COPILOT))

    at_once = await _shown(graph, COPILOT)
    await control.post("/clock", json={"now": "2026-11-23T09:04:59Z"})
    shortly_before = await _shown(graph, COPILOT)
    await control.post("/clock", json={"now": "2026-11-23T09:05:00Z"})

    assert (at_once, shortly_before, await _shown(graph, COPILOT)) == (before, before, before - 1)


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        (
            "Lidia Holloway",
            _remove(VISIO),
            "User license is inherited from a group membership and it cannot be removed directly from the user.",
        ),
        ("Isaiah Langer", _remove(VISIO), "User does not have a corresponding license."),
        (
            "Isaiah Langer",
            {"removeLicenses": [COPILOT]},
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
            "The missing parameters are: addLicenses.",
        ),
        (
            "Isaiah Langer",
            {},
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
            "The missing parameters are: addLicenses, removeLicenses.",
        ),
        (
            "Isaiah Langer",
            _remove(),
            "No license changes provided. At least one license to add or remove must be specified.",
        ),
        (
            "Isaiah Langer",
            _add(TEAMS_PREMIUM),
            f"Subscription with SKU {TEAMS_PREMIUM} does not have any available licenses.",
        ),
        (
            "Isaiah Langer",
            _add("00000000-0000-0000-0000-000000000000"),
            "License 00000000-0000-0000-0000-000000000000 does not correspond to a valid company License.",
        ),
        (
            "Isaiah Langer",
            _remove("copilot"),
            "Cannot convert a value to target type 'Edm.Guid' because of conversion error.",
        ),
        (
            "Isaiah Langer",
            _remove(COPILOT) | {"force": True},
            "The parameter 'force' in the request payload is not a valid parameter for the operation 'assignLicense'.",
        ),
        (
            "Isaiah Langer",
            _add(VISIO, E3),
            f"Service plan {E3} is not part of the license {VISIO}.",
        ),
    ],
)
async def test_a_refused_change_says_why_and_changes_nothing(
    graph: httpx.AsyncClient,
    control: httpx.AsyncClient,
    ids: dict[str, str],
    states: States,
    name: str,
    body: dict[str, Any],
    message: str,
) -> None:
    before = await states(ids[name])

    answer = await graph.post(f"/users/{ids[name]}/assignLicense", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_BadRequest"
    assert answer.json()["error"]["message"] == message
    assert await states(ids[name]) == before
    assert (await control.get("/writes")).json() == []


async def test_one_impossible_removal_keeps_the_others_too(
    graph: httpx.AsyncClient, ids: dict[str, str], states: States
) -> None:
    before = await states(ids["Raul Razo"])

    answer = await graph.post(f"/users/{ids['Raul Razo']}/assignLicense", json=_remove(E3, VISIO))

    assert answer.status_code == 400
    assert await states(ids["Raul Razo"]) == before


async def test_a_body_that_is_no_json_is_refused(graph: httpx.AsyncClient, ids: dict[str, str]) -> None:
    answer = await graph.post(f"/users/{ids['Lee Gu']}/assignLicense", content=b"{")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_BadRequest")


async def test_somebody_without_a_usage_location_cannot_be_licensed(graph: httpx.AsyncClient) -> None:
    users = (await graph.get("/users?$select=id,usageLocation&$top=999")).json()["value"]
    nowhere = next(user["id"] for user in users if user["usageLocation"] is None)

    answer = await graph.post(f"/users/{nowhere}/assignLicense", json=_add(VISIO))

    expected = "License assignment cannot be done for user with invalid usage location."
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, expected)


async def test_a_license_comes_back_with_its_disabled_plans_and_a_new_date(
    graph: httpx.AsyncClient, ids: dict[str, str], states: States
) -> None:
    [before] = await states(ids["Lee Gu"])
    await graph.post(f"/users/{ids['Lee Gu']}/assignLicense", json=_remove(PROJECT))

    answer = await graph.post(f"/users/{ids['Lee Gu']}/assignLicense", json=_add(PROJECT, *before["disabledPlans"]))

    [after] = await states(ids["Lee Gu"])
    assert answer.status_code == 200
    assert after == before | {"lastUpdatedDateTime": "2026-11-23T09:00:00Z"}


async def test_a_freed_seat_may_be_given_to_somebody_else(graph: httpx.AsyncClient, ids: dict[str, str]) -> None:
    await graph.post(f"/users/{ids['Nestor Wilke']}/assignLicense", json=_remove(TEAMS_PREMIUM))

    answer = await graph.post(f"/users/{ids['Isaiah Langer']}/assignLicense", json=_add(TEAMS_PREMIUM))

    assert answer.status_code == 200


async def test_removing_the_direct_path_beside_a_group_frees_no_seat(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], states: States
) -> None:
    lidia = ids["Lidia Holloway"]
    before = await _shown(graph, VISIO)
    await control.post(f"/people/{lidia}/assign", json={"sku_id": VISIO})

    answer = await graph.post(f"/users/{lidia}/assignLicense", json=_remove(VISIO))

    await control.post("/clock", json={"now": "2026-11-24T09:00:00Z"})
    assert answer.status_code == 200
    assert [state["assignedByGroup"] is None for state in await states(lidia)] == [False]
    assert await _shown(graph, VISIO) == before


async def test_writing_needs_its_permission(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post("/permissions", json={"granted": ["User.Read.All", "LicenseAssignment.Read.All"]})

    answer = await graph.post(f"/users/{ids['Isaiah Langer']}/assignLicense", json=_remove(COPILOT))

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


async def test_somebody_who_left_is_not_found(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post(f"/people/{ids['Isaiah Langer']}/leave")

    answer = await graph.post(f"/users/{ids['Isaiah Langer']}/assignLicense", json=_remove(COPILOT))

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
