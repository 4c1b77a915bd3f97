"""The service's limits, as a client meets them."""

import httpx
import pytest

from rehearsal.throttle import Counted, Limit

WRITES = {"counted": "writes", "calls": 10, "window_s": 60}


async def write(graph: httpx.AsyncClient) -> httpx.Response:
    """Ask for a change that is refused for itself: Microsoft counts it all the same."""
    person = (await graph.get("/users?$top=1")).json()["value"][0]["id"]
    return await graph.post(f"/users/{person}/assignLicense", json={"addLicenses": [], "removeLicenses": []})


async def test_without_a_limit_everything_is_taken(graph: httpx.AsyncClient) -> None:
    assert {(await write(graph)).status_code for _ in range(12)} == {400}


async def test_writes_beyond_the_limit_are_refused_with_the_time_to_wait(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await control.post("/throttle", json=WRITES)

    answers = [await write(graph) for _ in range(12)]

    assert [answer.status_code for answer in answers] == [400] * 10 + [429] * 2
    refused = answers[-1]
    assert refused.json()["error"]["code"] == "TooManyRequests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert (await control.get("/throttle")).json()["writes"]["refused"] == 2


async def test_above_80_percent_the_answer_says_so(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await control.post("/throttle", json=WRITES)

    used = [(await write(graph)).headers.get("x-ms-throttle-limit-percentage") for _ in range(10)]

    assert used == [None] * 7 + ["0.80", "0.90", "1.00"]


async def test_sign_in_activity_has_a_limit_of_its_own(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await control.post("/throttle", json={"counted": "sign_ins", "calls": 2, "window_s": 60})

    with_activity = [(await graph.get("/users?$select=id,signInActivity&$top=5")).status_code for _ in range(3)]
    without = [(await graph.get("/users?$select=id&$top=5")).status_code for _ in range(3)]

    assert (with_activity, without) == ([200, 200, 429], [200, 200, 200])


async def test_a_limit_can_be_lifted_and_nonsense_is_refused(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    await control.post("/throttle", json={**WRITES, "calls": 1})
    await control.post("/throttle", json={**WRITES, "calls": None})

    assert {(await write(graph)).status_code for _ in range(3)} == {400}
    for nonsense in ({"counted": "breaths", "calls": 1}, {**WRITES, "calls": 0}, {**WRITES, "window_s": 0}):
        assert (await control.post("/throttle", json=nonsense)).status_code == 400


def test_the_wait_is_until_one_more_fits() -> None:
    time = [0.0]
    limit = Limit(Counted.WRITES, 2, 10.0, lambda: time[0])
    found = []
    for at in (0.0, 4.0, 5.0):
        time[0] = at
        found.append(limit.count()[1])

    assert found == [None, None, pytest.approx(9.0)]  # the refused one counts too
    time[0] = 14.1
    assert limit.count()[1] is None
