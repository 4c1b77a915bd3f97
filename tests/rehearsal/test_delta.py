"""What /users/delta and /$batch answer, against Microsoft's description where it has one."""

from typing import Any

import httpx
import pytest

from tests.contract.graph.description import check_exchange, needs_description

SELECT = "displayName,accountEnabled,assignedLicenses,usageLocation,manager"
VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
FROM_NOW = f"/users/delta?$select={SELECT}&$deltaToken=latest"


async def link(graph: httpx.AsyncClient) -> str:
    answer = (await graph.get(FROM_NOW)).json()
    assert answer["value"] == []
    return str(answer["@odata.deltaLink"])


async def changes(graph: httpx.AsyncClient, address: str) -> tuple[list[dict[str, Any]], str]:
    """Follow a link to the end of its round; return the rows and the next link."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = (await graph.get(address)).json()
        rows += answer["value"]
        if "@odata.deltaLink" in answer:
            return rows, str(answer["@odata.deltaLink"])
        address = answer["@odata.nextLink"]


async def test_the_round_without_a_token_gives_everybody_and_a_link(graph: httpx.AsyncClient) -> None:
    rows, following = await changes(graph, f"/users/delta?$select={SELECT}")
    everybody = (await graph.get("/users?$select=id&$top=999")).json()["value"]

    assert [row["id"] for row in rows] == [one["id"] for one in everybody]
    assert (await changes(graph, following))[0] == []


async def test_every_kind_of_change_comes_once(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    isaiah, megan, alex, lidia = (
        ids[name] for name in ("Isaiah Langer", "Megan Bowen", "Alex Wilber", "Lidia Holloway")
    )
    first = await link(graph)
    await control.post(f"/people/{isaiah}/unassign", json={"sku_id": VISIO})
    await control.post(f"/people/{isaiah}/disable")
    await control.post(f"/people/{lidia}/manager", json={"manager": isaiah})
    await control.post(f"/people/{alex}/leave")
    await control.post(f"/people/{megan}/leave", json={"purged": True})
    await control.post("/delta", json={"page_size": 3})

    rows, second = await changes(graph, first)

    by_id = {row["id"]: row for row in rows}
    assert len(rows) == len(by_id) == 4
    assert by_id[isaiah]["accountEnabled"] is False
    assert by_id[lidia]["manager@delta"] == [{"@odata.type": "#microsoft.graph.user", "id": isaiah}]
    assert by_id[alex] == {"id": alex, "@removed": {"reason": "changed"}}
    assert by_id[megan] == {"id": megan, "@removed": {"reason": "deleted"}}
    await control.post(f"/people/{alex}/restore")
    assert [row["displayName"] for row in (await changes(graph, second))[0]] == ["Alex Wilber"]
    assert (await control.post(f"/people/{megan}/restore")).status_code == 404


async def test_a_sign_in_is_no_change(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    first = await link(graph)
    await control.post(f"/people/{ids['Isaiah Langer']}/sign-in")

    assert (await changes(graph, first))[0] == []


async def test_changes_come_again_where_replays_are_on(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    await control.post(f"/people/{ids['Megan Bowen']}/disable")
    first = await link(graph)
    await control.post(f"/people/{ids['Isaiah Langer']}/disable")
    await control.post("/delta", json={"replays": True})

    names = [row["displayName"] for row in (await changes(graph, first))[0]]

    assert sorted(names) == ["Isaiah Langer"] * 2 + ["Megan Bowen"] * 2


@pytest.mark.parametrize(
    "option", ["$top=10", "$orderby=displayName", "$expand=manager", "$filter=accountEnabled eq true"]
)
async def test_options_that_delta_lacks_are_refused(graph: httpx.AsyncClient, option: str) -> None:
    assert (await graph.get(f"/users/delta?{option}")).status_code == 400


async def test_links_end_by_age_and_by_being_forgotten(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    first = await link(graph)
    await control.post("/clock", json={"now": "2026-12-01T09:00:00+00:00"})
    expired = await graph.get(first)
    second = await link(graph)
    await control.post("/delta", json={"forget_links": True})
    reset = await graph.get(second)

    assert (expired.status_code, expired.json()["error"]["code"]) == (400, "syncStateNotFound")
    assert reset.status_code == 410
    assert (await changes(graph, reset.headers["Location"]))[0]


async def test_a_batch_answers_every_read_for_itself(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    isaiah, nobody = ids["Isaiah Langer"], "00000000-0000-4000-8000-000000000000"
    await control.post("/faults", json={"kind": "throttle", "path": f"/users/{ids['Alex Wilber']}", "retry_after": 7})
    urls = {"a": f"/users/{isaiah}?$select=id,userPrincipalName", "b": f"/users/{nobody}?$select=id",
            "c": f"/users/{ids['Alex Wilber']}?$select=id"}  # fmt: skip

    answer = await graph.post(
        "/$batch", json={"requests": [{"id": one, "method": "GET", "url": url} for one, url in urls.items()]}
    )

    assert answer.status_code == 200
    items = {one["id"]: one for one in answer.json()["responses"]}
    assert list(items) == ["c", "b", "a"]
    assert {one: item["status"] for one, item in items.items()} == {"a": 200, "b": 404, "c": 429}
    assert items["a"]["body"]["id"] == isaiah
    assert items["c"]["headers"]["Retry-After"] == "7"
    calls = (await control.get("/calls")).json()
    assert [call["status"] for call in calls if "/v1.0/users/" in call["path"]] == [200, 404, 429]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"id": str(number), "method": "GET", "url": "/users"} for number in range(21)],
        [{"id": "a", "method": "GET", "url": "/users"}, {"id": "A", "method": "GET", "url": "/groups"}],
        [{"id": "a", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users"}],
        [{"id": "a", "method": "GET", "url": "/v1.0/users"}],
        [{"id": "a", "method": "DELETE", "url": "/users/x"}],
    ],
)
async def test_a_batch_is_refused_as_a_whole(graph: httpx.AsyncClient, requests: list[dict[str, str]]) -> None:
    assert (await graph.post("/$batch", json={"requests": requests})).status_code == 400


@needs_description
async def test_both_have_microsofts_form(
    graph: httpx.AsyncClient, control: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    first = await link(graph)
    await control.post(f"/people/{ids['Isaiah Langer']}/disable")
    await control.post(f"/people/{ids['Alex Wilber']}/leave")
    answers = [await graph.get(FROM_NOW), await graph.get(first)]
    batch = [{"id": "1", "method": "GET", "url": f"/users/{ids['Isaiah Langer']}?$select=id"}]
    answers.append(await graph.post("/$batch", json={"requests": batch}))

    for answer in answers:
        check_exchange(answer.request, answer)
