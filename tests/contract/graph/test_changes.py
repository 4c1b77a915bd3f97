"""Following changes over TLS: what the practice tenant does to people, and what the connector makes of it."""

from datetime import timedelta

import pytest

from reclaim.connectors.graph.client import TRIES
from reclaim.domain.ids import PersonId
from reclaim.errors import DirectoryError
from reclaim.ports.directory import PersonRow, lost_track
from tests.contract.graph.practice import Stage, a_seat
from tests.contract.graph.support import ADELE, BOSS, ScriptedGraph, error, ok, user

PROJECT = "53818b1b-4a27-454b-8896-0dba576410e6"
NOBODY = PersonId("00000000-0000-4000-8000-000000000000")
ROW = {"id": ADELE, "displayName": "Adele Vance"}


async def here(stage: Stage) -> str:
    page = await stage.graph.directory.changes(None)
    assert (page.ids, page.next_cursor) == ((), None)
    assert page.link is not None
    return page.link


async def heard(stage: Stage, link: str) -> tuple[list[PersonId], str]:
    """Follow a link to the end; return the ids and the next link."""
    ids: list[PersonId] = []
    cursor: str | None = link
    while cursor is not None:
        page = await stage.graph.directory.changes(cursor)
        ids += page.ids
        cursor, link = page.next_cursor, page.link or link
    return ids, link


async def now(stage: Stage, person: PersonId) -> PersonRow | None:
    found = await stage.graph.directory.people_now([person])
    assert found.gone == (() if found.rows else (person,))
    return found.rows[0] if found.rows else None


async def some(stage: Stage, number: int) -> list[PersonId]:
    return [row.person.id for row in (await stage.graph.directory.people(None)).rows[:number]]


async def test_every_kind_of_change_is_heard_of_and_read_as_it_is_now(stage: Stage) -> None:
    person, product = await a_seat(stage, "direct")
    other = next(one for one in await some(stage, 5) if one != person)
    link = await here(stage)

    async def after(path: str, body: object = None) -> PersonRow | None:
        nonlocal link
        await stage.control("POST", f"/people/{person}/{path}", body)
        ids, link = await heard(stage, link)
        assert ids == [person]
        return await now(stage, person)

    gained = await after("assign", {"sku_id": PROJECT})
    assert gained is not None
    assert {product, PROJECT} <= {seat.product_id for seat in gained.seats}
    lost = await after("unassign", {"sku_id": product})
    assert lost is not None
    assert product not in {seat.product_id for seat in lost.seats}
    disabled = await after("disable")
    assert disabled is not None
    assert disabled.person.enabled is False
    moved = await after("manager", {"manager": other})
    assert moved is not None
    assert moved.person.manager_id == other
    assert await after("leave") is None  # @removed, reason changed
    restored = await after("restore")
    assert restored is not None
    assert restored.seats == moved.seats
    assert await after("leave", {"purged": True}) is None  # @removed, reason deleted
    assert await heard(stage, link) == ([], (await heard(stage, link))[1])


async def test_what_is_read_now_is_what_a_full_read_gives(stage: Stage) -> None:
    rows = (await stage.graph.directory.people(None)).rows[:20]

    found = await stage.graph.directory.people_now([row.person.id for row in rows])

    assert found.rows == rows
    assert [one.url.rsplit("/", 1)[-1] for one in found.requests] == ["$batch"]


async def test_changes_come_by_pages_and_replays_change_nothing(stage: Stage) -> None:
    people = await some(stage, 7)
    link = await here(stage)
    for person in people:
        await stage.control("POST", f"/people/{person}/disable")
    await stage.control("POST", "/delta", {"page_size": 3})

    once = await heard(stage, link)
    await stage.control("POST", "/delta", {"replays": True})
    again = await heard(stage, once[1])
    twice = await heard(stage, link)

    assert once[0] == people
    assert set(again[0]) <= set(people)
    assert set(twice[0]) == set(people)


@pytest.mark.parametrize("forgotten", [True, False])
async def test_a_link_that_microsoft_no_longer_knows_means_a_full_read(stage: Stage, forgotten: bool) -> None:
    link = await here(stage)
    if forgotten:
        await stage.control("POST", "/delta", {"forget_links": True})
    else:
        await stage.control("POST", "/clock", {"now": "2026-12-01T10:00:00+00:00"})

    with pytest.raises(DirectoryError) as raised:
        await stage.graph.directory.changes(link)

    assert lost_track(raised.value)
    assert raised.value.status == (410 if forgotten else 400)
    assert (
        len([one for one in await stage.control("GET", "/calls") if one["status"] in (410, 400)]) == 1
    )  # not repeated


@pytest.mark.parametrize(
    ("status", "code"), [(401, "InvalidAuthenticationToken"), (403, "Authorization_RequestDenied")]
)
async def test_a_refusal_of_the_caller_is_no_lost_link(stage: Stage, status: int, code: str) -> None:
    link = await here(stage)
    await stage.fail_next(kind="status", path="/users/delta", status=status, code=code, times=None)

    with pytest.raises(DirectoryError) as raised:
        await stage.graph.directory.changes(link)

    assert not lost_track(raised.value)


async def test_items_of_a_batch_that_are_throttled_or_broken_are_asked_again(stage: Stage) -> None:
    people = await some(stage, 4)
    await stage.fail_next(kind="throttle", path=f"/users/{people[0]}", retry_after=3)
    await stage.fail_next(kind="throttle", path=f"/users/{people[1]}", retry_after=9)
    await stage.fail_next(kind="status", path=f"/users/{people[2]}", status=503, times=2)

    found = await stage.graph.directory.people_now([*people, NOBODY])

    assert [row.person.id for row in found.rows] == people
    assert found.gone == (NOBODY,)
    assert stage.clock.waits[0] == 9.0  # the longest that an item asked for
    asked = [one["path"].partition("?")[0] for one in await stage.control("GET", "/calls") if "/users/" in one["path"]]
    assert [asked.count(f"/v1.0/users/{one}") for one in [*people, NOBODY]] == [2, 2, 3, 1, 1]


async def test_an_item_that_stays_throttled_ends_the_read_with_its_own_wait(stage: Stage) -> None:
    people = await some(stage, 2)
    await stage.fail_next(kind="throttle", path=f"/users/{people[1]}", retry_after=120, times=None)

    with pytest.raises(DirectoryError) as raised:
        await stage.graph.directory.people_now(people)

    assert (raised.value.permanent, raised.value.retry_after) == (False, timedelta(seconds=120))


async def test_a_batch_that_is_throttled_as_a_whole_is_repeated(stage: Stage) -> None:
    people = await some(stage, 2)
    await stage.fail_next(kind="throttle", path="batch", retry_after=2, times=TRIES - 1)

    assert [row.person.id for row in (await stage.graph.directory.people_now(people)).rows] == people


async def test_an_item_that_is_refused_is_no_person_who_is_gone(graph: ScriptedGraph) -> None:
    refusal = error(403, "Authorization_RequestDenied").json()
    graph.will(ok({"responses": [{"id": "0", "status": 403, "body": refusal}]}))

    with pytest.raises(DirectoryError, match=r"User\.Read\.All is missing"):
        await graph.directory.people_now([ADELE])


@pytest.mark.parametrize(
    "responses",
    [
        [],
        [{"id": "0", "status": 200, "body": user()}, {"id": "0", "status": 200, "body": user()}],
        [{"id": "7", "status": 200, "body": user()}],
        [{"id": "0", "status": 200, "body": user(id=BOSS)}],
        [{"id": "0", "status": 200, "body": None}],
        [{"id": "0", "status": 404, "body": None}],  # a gateway knows nothing of people
    ],
)
async def test_a_batch_that_does_not_answer_what_was_asked_is_an_error(
    graph: ScriptedGraph, responses: list[object]
) -> None:
    graph.will(ok({"responses": responses}))

    with pytest.raises(DirectoryError):
        await graph.directory.people_now([ADELE])


@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.deltaLink"])
@pytest.mark.parametrize("host", ["https://graph.example.com/v1.0", "http://graph.microsoft.com/v1.0"])
async def test_a_link_to_a_foreign_host_is_not_followed(graph: ScriptedGraph, name: str, host: str) -> None:
    graph.will(ok({"value": [ROW], name: f"{host}/users/delta?$deltatoken=x"}))

    with pytest.raises(DirectoryError, match="outside of itself"):
        await graph.directory.changes(None)

    assert len(graph.requests) == 1


async def test_a_page_without_a_way_on_is_an_error(graph: ScriptedGraph) -> None:
    graph.will(ok({"value": [ROW]}))

    with pytest.raises(DirectoryError, match="how the changes go on"):
        await graph.directory.changes(None)


async def test_a_cursor_of_another_stream_is_refused(graph: ScriptedGraph) -> None:
    with pytest.raises(DirectoryError, match="cursor of another"):
        await graph.directory.changes("people https://graph.microsoft.com/v1.0/users")
