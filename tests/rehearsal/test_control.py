"""Steering the tenant and reading the truth about it."""

import asyncio
from typing import Any

import httpx
import pytest

COPILOT = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"


async def _user(graph: httpx.AsyncClient, person_id: str, select: str) -> dict[str, Any]:
    found: dict[str, Any] = (await graph.get(f"/users/{person_id}?$select={select}")).json()
    return found


async def test_control_needs_its_key(control: httpx.AsyncClient) -> None:
    answer = await control.get("/cases", headers={"X-Control-Key": "guess"})

    assert answer.status_code == 403


async def test_tenant_time_stands_still_until_moved_and_never_goes_back(control: httpx.AsyncClient) -> None:
    moved = await control.post("/clock", json={"now": "2026-11-24T10:00:00+01:00"})
    back = await control.post("/clock", json={"now": "2026-11-24T08:59:59Z"})
    naive = await control.post("/clock", json={"now": "2026-12-24T08:59:59"})

    assert moved.json() == {"now": "2026-11-24T09:00:00Z"}
    assert (back.status_code, naive.status_code) == (400, 400)
    assert (await control.get("/clock")).json() == {"now": "2026-11-24T09:00:00Z"}


async def test_active_people_go_on_signing_in_and_idle_ones_do_not(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    async def last_seen(name: str) -> str:
        user = await _user(graph, ids[name], "signInActivity")
        return str(user["signInActivity"]["lastSuccessfulSignInDateTime"])

    idle_before = await last_seen("Isaiah Langer")
    await control.post("/clock", json={"now": "2027-01-10T09:00:00Z"})

    assert await last_seen("Megan Bowen") > "2027-01-03"
    assert await last_seen("Isaiah Langer") == idle_before


async def test_a_sign_in_counts_now(graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]) -> None:
    await control.post(f"/people/{ids['Lee Gu']}/sign-in")

    user = await _user(graph, ids["Lee Gu"], "signInActivity")

    assert user["signInActivity"]["lastSignInDateTime"] == "2026-11-23T09:00:00Z"
    assert user["signInActivity"]["lastSuccessfulSignInDateTime"] == "2026-11-23T09:00:00Z"


async def test_an_assignment_by_hand_is_direct_and_new(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post(f"/people/{ids['Isaiah Langer']}/assign", json={"sku_id": VISIO})

    user = await _user(graph, ids["Isaiah Langer"], "licenseAssignmentStates")

    [visio] = [state for state in user["licenseAssignmentStates"] if state["skuId"] == VISIO]
    assert (visio["assignedByGroup"], visio["lastUpdatedDateTime"]) == (None, "2026-11-23T09:00:00Z")
    assert (await control.get("/writes")).json() == []


async def test_a_disabled_account_stops_signing_in(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post(f"/people/{ids['Miriam Graham']}/disable")
    await control.post("/clock", json={"now": "2027-01-10T09:00:00Z"})

    user = await _user(graph, ids["Miriam Graham"], "accountEnabled,signInActivity")

    assert user["accountEnabled"] is False
    assert user["signInActivity"]["lastSuccessfulSignInDateTime"] < "2026-11-23T09:00:01Z"


async def test_somebody_who_leaves_is_nowhere_any_more(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    lidia = ids["Lidia Holloway"]

    await control.post(f"/people/{lidia}/leave")

    users = (await graph.get("/users?$select=id&$top=999")).json()["value"]
    members = (await graph.get(f"/groups/{group_ids['Visio Plan 2 users']}/members?$select=id")).json()["value"]
    seats = (await control.get("/seats")).json()
    assert (await graph.get(f"/users/{lidia}")).status_code == 404
    assert len(users) == 399
    assert lidia not in {user["id"] for user in users} | {member["id"] for member in members}
    assert lidia not in {seat["person_id"] for seat in seats}


async def test_seats_are_told_once_with_all_their_paths(
    control: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    await control.post(f"/people/{ids['Lidia Holloway']}/assign", json={"sku_id": VISIO})

    seats = (await control.get("/seats")).json()

    [visio] = [seat for seat in seats if seat["person_id"] == ids["Lidia Holloway"]]
    assert visio["sku_id"] == VISIO
    assert visio["paths"] == [group_ids["Visio Plan 2 users"], "direct"]


async def test_writes_are_told_with_what_was_written_and_who_asked(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    isaiah, lidia, group = ids["Isaiah Langer"], ids["Lidia Holloway"], group_ids["Visio Plan 2 users"]
    change = {"addLicenses": [{"skuId": VISIO}], "removeLicenses": [COPILOT]}

    await graph.post(f"/users/{isaiah}/assignLicense", json=change, headers={"client-request-id": "one"})
    await graph.delete(f"/groups/{group}/members/{lidia}/$ref", headers={"client-request-id": "two"})

    writes = (await control.get("/writes")).json()
    assert writes == [
        {"seq": 1, "kind": "license_removed", "person_id": isaiah, "sku_id": COPILOT, "client_request_id": "one"},
        {"seq": 2, "kind": "license_added", "person_id": isaiah, "sku_id": VISIO, "client_request_id": "one"},
        {"seq": 3, "kind": "member_removed", "person_id": lidia, "group_id": group, "client_request_id": "two"},
    ]


async def test_calls_are_told_with_their_status_and_control_is_not_among_them(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await control.post("/faults", json={"kind": "applied_lost", "path": "/groups"})
    await graph.get("/users?$select=id&$top=1")
    with pytest.raises(httpx.TransportError):
        await graph.get("/groups")

    calls = (await control.get("/calls")).json()

    assert [(call["method"], call["status"]) for call in calls] == [("POST", 200), ("GET", 200), ("GET", None)]
    assert calls[1]["path"] == "/v1.0/users?$select=id&$top=1"
    assert [call["seq"] for call in calls] == [1, 2, 3]
    assert (await control.get("/calls?after=2")).json() == calls[2:]


async def test_a_reader_of_calls_is_woken_by_the_next_one(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    seen = len((await control.get("/calls")).json())
    waiting = asyncio.create_task(control.get(f"/calls?after={seen}&wait=30"))

    await graph.get("/groups")

    assert [call["path"] for call in (await waiting).json()] == ["/v1.0/groups"]


async def test_a_reader_of_calls_gives_up_when_the_wait_is_over(control: httpx.AsyncClient) -> None:
    answer = await control.get("/calls?after=99&wait=0.05")

    assert answer.json() == []


async def test_the_stage_has_its_personas(control: httpx.AsyncClient, ids: dict[str, str]) -> None:
    personas = (await control.get("/personas")).json()

    assert [(persona["name"], persona["role"], persona["group"], persona["reports"]) for persona in personas] == [
        ("Allan Deyoung", "admin", "run", 0),
        ("Patti Fernandez", "admin", "run", 55),
        ("Lynne Robbins", "license_manager", "run", 0),
        ("Christie Cline", "auditor", "run", 0),
        ("Megan Bowen", "reviewer", "review", 9),
        ("Ben Walters", "reviewer", "review", 7),
        ("Debra Berger", "reviewer", "review", 8),
        ("Adele Vance", "holder", "hold", 0),
        ("Isaiah Langer", "holder", "hold", 0),
    ]
    assert all(persona["id"] == ids[persona["name"]] for persona in personas)


async def test_setup_names_the_role_groups_and_prices(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    setup = (await control.get("/setup")).json()

    admins = (await graph.get(f"/groups/{setup['role_groups']['admins']}/members?$select=id")).json()["value"]
    assert setup["role_groups"] == {
        "admins": group_ids["Reclaim admins"],
        "license_managers": group_ids["Reclaim license managers"],
        "auditors": group_ids["Reclaim auditors"],
    }
    assert [member["id"] for member in admins] == [ids["Allan Deyoung"], ids["Patti Fernandez"]]
    assert setup["fallback_reviewer"] == ids["Lynne Robbins"]
    assert setup["prices_csv"].splitlines()[:2] == [
        "sku,amount,currency,period,renews_on",
        "SPE_E5,57.00,USD,month,2027-03-23",
    ]
    assert "Microsoft_Teams_Premium" not in setup["prices_csv"]


async def test_setup_names_the_groups_of_license_owners(control: httpx.AsyncClient, group_ids: dict[str, str]) -> None:
    setup = (await control.get("/setup")).json()

    assert setup["license_owners"] == {
        VISIO: group_ids["Visio license owners"],
        COPILOT: group_ids["Copilot license owners"],
    }


async def test_a_license_can_be_taken_by_others_and_an_account_unblocked(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post(f"/people/{ids['Isaiah Langer']}/unassign", json={"sku_id": COPILOT})
    await control.post(f"/people/{ids['Alex Wilber']}/enable")

    isaiah = await _user(graph, ids["Isaiah Langer"], "licenseAssignmentStates")
    alex = await _user(graph, ids["Alex Wilber"], "accountEnabled")
    assert isaiah["licenseAssignmentStates"] == []
    assert alex["accountEnabled"] is True
    assert (await control.get("/writes")).json() == []


async def test_deleting_a_group_turns_its_licenses_into_direct_ones(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], group_ids: dict[str, str]
) -> None:
    group = group_ids["Visio Plan 2 users"]
    await control.post(f"/groups/{group}/delete")

    lidia = await _user(graph, ids["Lidia Holloway"], "licenseAssignmentStates")
    both = await _user(graph, ids["Dorothea Ziegler"], "licenseAssignmentStates")

    [visio] = lidia["licenseAssignmentStates"]
    assert (visio["assignedByGroup"], visio["lastUpdatedDateTime"]) == (None, "2026-11-23T09:00:00Z")
    assert len(both["licenseAssignmentStates"]) == 1
    assert (await graph.get(f"/groups/{group}")).status_code == 404


async def _cases(control: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {person["name"]: person for person in (await control.get("/cases")).json()}


async def test_what_happens_to_people_happens_at_its_time_and_not_before(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """Each change is visible in Graph from its instant on, dated with that instant however far the clock is moved."""
    people = await _cases(control)
    named = {name: person for name, person in people.items() if person["happens"] and " Account" not in name}
    by_case = {person["case"]: person for person in reversed(named.values())}

    async def seen(case: str) -> dict[str, Any]:
        select = "accountEnabled,signInActivity,licenseAssignmentStates"
        answer = await graph.get(f"/users/{by_case[case]['person_id']}?$select={select}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    before = {case: await seen(case) for case in by_case}
    await control.post("/clock", json={"now": "2026-12-03T09:00:00Z"})
    after = {case: await seen(case) for case in by_case}

    def paths(user: dict[str, Any]) -> list[tuple[bool, str]]:
        states = user["licenseAssignmentStates"]
        return [(state["assignedByGroup"] is None, state["lastUpdatedDateTime"]) for state in states]

    at = {case: person["happens"]["at"] for case, person in by_case.items()}
    assert by_case.keys() == {
        "returns",
        "back_from_leave",
        "regranted",
        "granted_by_group_too",
        "moved_to_group",
        "group_deleted",
        "leaves",
        "taken_by_others",
    }
    assert after["returns"]["signInActivity"]["lastSuccessfulSignInDateTime"] == at["returns"]
    assert before["returns"]["signInActivity"]["lastSuccessfulSignInDateTime"] < "2026-09"
    assert (before["back_from_leave"]["accountEnabled"], after["back_from_leave"]["accountEnabled"]) == (False, True)
    assert paths(after["regranted"]) == [(True, at["regranted"])]
    assert paths(after["granted_by_group_too"])[1] == (False, at["granted_by_group_too"])
    assert paths(after["moved_to_group"]) == [(False, at["moved_to_group"])]
    assert [direct for direct, _ in paths(before["group_deleted"])] == [False]
    assert paths(after["group_deleted"]) == [(True, at["group_deleted"])]
    assert paths(after["taken_by_others"]) == []
    assert before["leaves"]
    assert after["leaves"] == {}
    assert (await control.get("/writes")).json() == []


async def test_nothing_happens_before_its_time(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    leaver = (await _cases(control))["Leon Forster"]

    await control.post("/clock", json={"now": "2026-11-29T14:16:59Z"})
    shortly_before = await graph.get(f"/users/{leaver['person_id']}")
    await control.post("/clock", json={"now": leaver["happens"]["at"]})

    assert shortly_before.status_code == 200
    assert (await graph.get(f"/users/{leaver['person_id']}")).status_code == 404


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/clock", {"now": 5}),
        ("/clock", {"now": "tomorrow"}),
        ("/clock", []),
        ("/permissions", {}),
        ("/premium", {"premium": "no"}),
        ("/group-delay", {"minutes": -1}),
    ],
)
async def test_a_faulty_control_request_is_refused(control: httpx.AsyncClient, address: str, body: Any) -> None:
    answer = await control.post(address, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]
