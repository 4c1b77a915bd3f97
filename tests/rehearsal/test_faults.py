"""Failures on demand, as a client sees them."""

import json
from typing import Any

import httpx
import pytest

COPILOT = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
REMOVE_COPILOT = {"addLicenses": [], "removeLicenses": [COPILOT]}


async def _arm(control: httpx.AsyncClient, **fault: Any) -> None:
    answer = await control.post("/faults", json=fault)
    assert answer.status_code == 201, answer.text


async def test_throttling_says_when_to_come_back_and_is_used_up(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await _arm(control, kind="throttle", path="/users$", times=2, retry_after=7)

    answers = [await graph.get("/users?$top=1") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["error"]["code"] == "TooManyRequests"


async def test_a_fault_lets_the_first_requests_pass_if_told_so(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await _arm(control, kind="status", status=503, path="/users", after=1)

    answers = [await graph.get("/users?$top=1") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 503, 200]


async def test_a_fault_hits_only_its_method_and_path(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="status", method="POST", path="/assignLicense$")

    reading = await graph.get("/users?$top=1")
    writing = await graph.post("/users/nobody/assignLicense", json=REMOVE_COPILOT)

    assert (reading.status_code, writing.status_code) == (200, 500)


async def test_a_path_may_be_told_by_its_query(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="premium", path="signInActivity")

    plain = await graph.get("/users?$select=id")
    first = await graph.get("/users?$select=id,signInActivity")
    second = await graph.get("/users?$select=id,signInActivity")

    assert (plain.status_code, first.status_code, second.status_code) == (200, 403, 200)
    assert first.json()["error"]["code"] == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


@pytest.mark.parametrize("status", [None, 500])
async def test_a_lost_answer_leaves_the_work_done(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str], status: int | None
) -> None:
    await _arm(control, kind="applied_lost", method="POST", path="/assignLicense", status=status)
    address = f"/users/{ids['Isaiah Langer']}/assignLicense"

    if status is None:
        with pytest.raises(httpx.TransportError):
            await graph.post(address, json=REMOVE_COPILOT)
    else:
        assert (await graph.post(address, json=REMOVE_COPILOT)).status_code == 500

    [write] = (await control.get("/writes")).json()
    again = await graph.post(address, json=REMOVE_COPILOT)
    assert write["kind"] == "license_removed"
    assert again.json()["error"]["message"] == "User does not have a corresponding license."


async def test_half_a_body_breaks_off(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="half_body", path="/users")

    with pytest.raises(httpx.TransportError):
        await graph.get("/users")

    whole = await graph.get("/users")
    assert len(whole.json()["value"]) == 100


async def test_garbage_says_that_it_is_json_and_is_not(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="garbage", path="/users")

    answer = await graph.get("/users")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(ValueError, match="decode"):
        answer.json()


async def test_a_proxys_page_has_another_content_type(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="wrong_type", path="/users")

    answer = await graph.get("/users")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_throttling_may_say_nothing_about_when_to_come_back(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await _arm(control, kind="throttle", path="/users", retry_after=None)

    answer = await graph.get("/users")

    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


async def test_a_server_error_may_say_when_to_come_back_and_bear_another_code(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await _arm(control, kind="status", status=503, path="/users", retry_after=9, code="UnknownError")

    answer = await graph.get("/users")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "9")
    assert answer.json()["error"]["code"] == "UnknownError"


async def test_a_lost_request_leaves_the_work_undone(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await _arm(control, kind="lost", method="POST", path="/assignLicense")

    with pytest.raises(httpx.TransportError):
        await graph.post(f"/users/{ids['Isaiah Langer']}/assignLicense", json=REMOVE_COPILOT)

    assert (await control.get("/writes")).json() == []


async def test_half_a_body_of_a_write_leaves_the_work_done(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await _arm(control, kind="half_body", method="POST", path="/assignLicense")

    with pytest.raises(httpx.TransportError):
        await graph.post(f"/users/{ids['Isaiah Langer']}/assignLicense", json=REMOVE_COPILOT)

    assert [write["kind"] for write in (await control.get("/writes")).json()] == ["license_removed"]


async def test_a_storm_lasts_until_it_is_taken_back(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="throttle", path="/users", times=None)

    during = {(await graph.get("/users?$top=1")).status_code for _ in range(12)}
    [armed] = (await control.get("/faults")).json()
    await control.delete("/faults")

    assert during == {429}
    assert (armed["kind"], armed["times"], armed["hits"]) == ("throttle", None, 12)
    assert (await graph.get("/users?$top=1")).status_code == 200


async def _drawn(graph: httpx.AsyncClient, control: httpx.AsyncClient, seed: int) -> list[int]:
    await control.delete("/faults")
    await _arm(control, kind="premium", path="/users", times=None, percent=40, seed=seed)
    return [(await graph.get("/users?$top=1&$select=id")).status_code for _ in range(40)]


async def test_chance_follows_the_seed(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    first, again, other = (
        await _drawn(graph, control, 1),
        await _drawn(graph, control, 1),
        await _drawn(graph, control, 2),
    )

    assert first == again != other
    assert 6 <= first.count(403) <= 26


async def test_the_first_of_two_faults_goes_first_and_each_has_its_own_route(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await _arm(control, kind="status", status=502, path="/users")
    await _arm(control, kind="status", status=504, path="/users|/groups", times=2)

    answers = [await graph.get(path) for path in ("/users?$top=1", "/users?$top=1", "/groups", "/groups")]

    assert [answer.status_code for answer in answers] == [502, 504, 504, 200]


async def test_a_slow_answer_outlasts_an_impatient_client(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="slow", path="/users", retry_after=30)

    with pytest.raises(httpx.ReadTimeout):
        await graph.get("/users", timeout=0.2)


async def test_the_token_service_can_fail_too(anonymous: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="status", status=503, path="/oauth2/v2.0/token")

    answer = await anonymous.post("/any/oauth2/v2.0/token")

    assert answer.status_code == 503


async def test_faults_can_be_taken_back(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await _arm(control, kind="status", path="/users", times=9)

    await control.delete("/faults")

    assert (await graph.get("/users?$top=1")).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "flood"},
        {"kind": "slow", "path": "("},
        {"kind": "slow", "often": 2},
        {"kind": "slow", "retry_after": -1},
        {"kind": "throttle", "percent": 0},
        {"kind": "throttle", "times": 0},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": "high"},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(control: httpx.AsyncClient, fault: dict[str, Any]) -> None:
    answer = await control.post("/faults", json=fault)

    assert answer.status_code == 400
    assert answer.json()["error"]
