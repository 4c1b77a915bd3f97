"""Writing: one request per call, and what each answer of Microsoft's catalogue means."""

import ast
import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

import reclaim.connectors.graph
from reclaim.domain.directory import Path as SeatPath
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import DirectoryError, WriteBackError
from reclaim.ports.directory import WriteResult
from tests.contract.graph.support import (
    ADELE,
    E3,
    GROUP,
    NOW,
    REQUEST_ID,
    VISIO,
    WRITE_ID,
    ScriptedGraph,
    assignment,
    error,
    ok,
    user,
)

BAD = "Request_BadRequest"
PLANS = [f"0000000{number}-1111-2222-3333-444455556666" for number in range(3)]


def done(status: int) -> httpx.Response:
    return httpx.Response(status, headers={"request-id": REQUEST_ID})


async def remove(graph: ScriptedGraph) -> WriteResult:
    return await graph.writer.remove_direct(ADELE, VISIO, client_request_id=WRITE_ID)


async def leave(graph: ScriptedGraph) -> WriteResult:
    return await graph.writer.leave_group(ADELE, GROUP, client_request_id=WRITE_ID)


async def failed_removal(graph: ScriptedGraph) -> WriteBackError:
    with pytest.raises(WriteBackError) as raised:
        await remove(graph)
    assert len(graph.requests) <= 2
    return raised.value


async def failed_leave(graph: ScriptedGraph) -> WriteBackError:
    with pytest.raises(WriteBackError) as raised:
        await leave(graph)
    return raised.value


# What is sent


async def test_a_direct_license_goes_with_both_lists_and_the_given_id(graph: ScriptedGraph) -> None:
    graph.will(ok(user()))

    result = await graph.writer.remove_direct(
        PersonId(ADELE.upper()), ProductId(VISIO.upper()), client_request_id=WRITE_ID
    )

    assert graph.asked == [f"POST /users/{ADELE}/assignLicense"]
    assert json.loads(graph.requests[0].content) == {"addLicenses": [], "removeLicenses": [VISIO]}
    assert graph.requests[0].headers["content-type"] == "application/json"
    assert graph.requests[0].headers["client-request-id"] == WRITE_ID
    assert result == WriteResult(status=200, request_id=REQUEST_ID, already_absent=False)


async def test_several_direct_licenses_go_in_one_request(graph: ScriptedGraph) -> None:
    graph.will(ok(user()))

    await graph.writer.remove_direct(ADELE, VISIO, E3, client_request_id=WRITE_ID)

    assert json.loads(graph.requests[0].content) == {"addLicenses": [], "removeLicenses": [VISIO, E3]}


async def test_trap_21_one_of_several_licenses_that_is_not_there_says_nothing_of_the_others(
    graph: ScriptedGraph,
) -> None:
    graph.will(error(400, BAD, "User does not have a corresponding license."))

    with pytest.raises(WriteBackError) as raised:
        await graph.writer.remove_direct(ADELE, VISIO, E3, client_request_id=WRITE_ID)

    assert (raised.value.permanent, raised.value.maybe_applied, raised.value.status) == (True, False, 400)


async def test_a_membership_goes_by_its_reference(graph: ScriptedGraph) -> None:
    graph.will(done(204))

    result = await graph.writer.leave_group(PersonId(ADELE.upper()), GroupId(GROUP.upper()), client_request_id=WRITE_ID)

    assert graph.asked == [f"DELETE /groups/{GROUP}/members/{ADELE}/$ref"]
    assert graph.requests[0].url.raw_path.endswith(b"/$ref")
    assert graph.requests[0].headers["client-request-id"] == WRITE_ID
    assert result == WriteResult(status=204, request_id=REQUEST_ID, already_absent=False)


@pytest.mark.parametrize(
    "address", [f"/groups/{GROUP}/members/{ADELE}", f"/groups/{GROUP}/members/{ADELE}?x=/$ref", f"/users/{ADELE}"]
)
async def test_the_client_deletes_nothing_but_references(graph: ScriptedGraph, address: str) -> None:
    # Without /$ref the request deletes the user (Microsoft Graph docs, api/group-delete-members).
    with pytest.raises(ValueError, match="references"):
        await graph.client.delete_reference(address, client_request_id=WRITE_ID)

    assert graph.requests == []


def test_the_connector_deletes_in_one_place_and_posts_in_three() -> None:
    words = [
        node.value
        for module in Path(reclaim.connectors.graph.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    calls = [
        node.func.attr
        for module in Path(reclaim.connectors.graph.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]

    assert [word for word in words if word.upper() in {"DELETE", "POST", "PUT", "PATCH"}] == [
        "POST",  # writes
        "POST",  # `$batch`, which holds GETs only
        "DELETE",
    ]
    assert not {"delete", "patch", "put"} & set(calls)
    # One of the POSTs installs our own Teams app for a person (`installs.py`), one makes somebody a member of a group.
    assert (calls.count("delete_reference"), calls.count("post"), calls.count("request")) == (1, 3, 1)


@pytest.mark.parametrize("text", ["", "not an id", f"{ADELE}/x", "AdeleV@contoso.com"])
async def test_an_id_that_is_no_guid_is_refused_before_anything_is_sent(graph: ScriptedGraph, text: str) -> None:
    for write in (
        graph.writer.remove_direct(PersonId(text), VISIO, client_request_id=WRITE_ID),
        graph.writer.remove_direct(ADELE, ProductId(text), client_request_id=WRITE_ID),
        graph.writer.leave_group(PersonId(text), GROUP, client_request_id=WRITE_ID),
        graph.writer.leave_group(ADELE, GroupId(text), client_request_id=WRITE_ID),
    ):
        with pytest.raises(WriteBackError) as raised:
            await write
        assert (raised.value.permanent, raised.value.maybe_applied) == (True, False)

    assert graph.requests == []


async def test_a_write_needs_an_id_that_graph_accepts(graph: ScriptedGraph) -> None:
    with pytest.raises(ValueError, match="hex"):
        await graph.writer.remove_direct(ADELE, VISIO, client_request_id="wb:1")

    assert graph.requests == []


# The catalogue


async def test_a_license_that_is_not_there_is_already_absent(graph: ScriptedGraph) -> None:
    graph.will(error(400, BAD, "User does not have a corresponding license."))

    assert await remove(graph) == WriteResult(status=400, request_id=REQUEST_ID, already_absent=True)


async def test_a_person_who_is_gone_is_already_absent(graph: ScriptedGraph) -> None:
    graph.will(error(404, "Request_ResourceNotFound", f"Resource '{ADELE}' does not exist"))

    assert (await remove(graph)).already_absent


async def test_a_membership_that_is_gone_is_already_absent(graph: ScriptedGraph) -> None:
    graph.will(error(404, "Request_ResourceNotFound"))

    assert await leave(graph) == WriteResult(status=404, request_id=REQUEST_ID, already_absent=True)


async def test_a_404_of_something_else_is_never_already_absent(graph: ScriptedGraph) -> None:
    graph.will(httpx.Response(404, text="<html>not found</html>"))

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied) == (True, False)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (
            "User license is inherited from a group membership and it cannot be removed directly from the user.",
            "through a group",
        ),
        ("License assignment failed because service plan a depends on the service plan(s) b", "depends on this one"),
        ("No license changes provided. At least one license to add or remove must be specified.", "needs an admin"),
        (
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. The missing "
            "parameters are: addLicenses.",
            "needs an admin",
        ),
        ("License assignment cannot be done for user with invalid usage location.", "needs an admin"),
        ("Something that Microsoft made up yesterday", "needs an admin"),
        ("", "needs an admin"),
    ],
)
async def test_a_refused_removal_is_final_and_says_why(graph: ScriptedGraph, message: str, says: str) -> None:
    graph.will(error(400, BAD, message))

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied, raised.status, raised.request_id) == (True, False, 400, REQUEST_ID)
    assert says in raised.message


@pytest.mark.parametrize(
    ("named", "needs"),
    [
        pytest.param(f"{PLANS[1]}", {PLANS[1]}, id="one"),
        pytest.param(f"{PLANS[1].upper()},{PLANS[2]}", {PLANS[1], PLANS[2]}, id="one of two"),
        pytest.param("", None, id="none, as it is sometimes written"),
        pytest.param("b", None, id="no id"),
    ],
)
async def test_trap_07_a_refusal_tells_which_service_plan_needs_which(
    graph: ScriptedGraph, named: str, needs: set[str] | None
) -> None:
    message = f"License assignment failed because service plan {PLANS[0]} depends on the service plan(s) {named}"
    graph.will(error(400, BAD, message))

    raised = await failed_removal(graph)

    assert raised.plan_needs == ({} if needs is None else {PLANS[0]: needs})


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
            "currently undergoing migration.",
            "on-premises",
        ),
        (
            "Unable to update the specified properties for objects that have originated within an external service.",
            "Exchange",
        ),
        ("User does not have a corresponding license.", "needs an admin"),
        ("Write requests are only supported on contained entities", "needs an admin"),
    ],
)
async def test_a_refused_leave_is_final_and_says_why(graph: ScriptedGraph, message: str, says: str) -> None:
    graph.will(error(400, BAD, message))

    raised = await failed_leave(graph)

    assert (raised.permanent, raised.maybe_applied, raised.status) == (True, False, 400)
    assert says in raised.message


@pytest.mark.parametrize(
    ("write", "permission"),
    [(failed_removal, "LicenseAssignment.ReadWrite.All"), (failed_leave, "GroupMember.ReadWrite.All")],
)
async def test_a_missing_permission_is_named_with_the_other_causes(
    graph: ScriptedGraph, write: Callable[[ScriptedGraph], Awaitable[WriteBackError]], permission: str
) -> None:
    graph.will(error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))

    raised = await write(graph)

    assert (raised.permanent, raised.maybe_applied) == (True, False)
    for cause in (permission, "dynamic", "role-assignable", "restricted"):
        assert cause in raised.message


async def test_throttling_says_when_to_come_back(graph: ScriptedGraph) -> None:
    graph.will(error(429, "TooManyRequests", Retry_After="120"))

    raised = await failed_removal(graph)

    assert (raised.retry_after, raised.permanent, raised.maybe_applied) == (timedelta(seconds=120), False, False)
    assert graph.clock.waits == []


async def test_a_change_under_way_is_to_be_tried_again(graph: ScriptedGraph) -> None:
    graph.will(error(409, "Directory_ConcurrencyViolation"))

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied) == (False, False)


@pytest.mark.parametrize("content", [b"<html>Please wait ...</html>", b"", b"[]"])
@pytest.mark.parametrize("failed", [failed_removal, failed_leave])
async def test_a_200_that_is_not_of_microsoft_graph_may_have_changed_something(
    graph: ScriptedGraph, failed: Callable[[ScriptedGraph], Awaitable[WriteBackError]], content: bytes
) -> None:
    error = await failed(graph.will(httpx.Response(200, content=content)))

    assert (error.maybe_applied, error.permanent, error.status) == (True, False, 200)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302])
async def test_a_failure_of_the_service_may_have_changed_something(graph: ScriptedGraph, status: int) -> None:
    graph.will(httpx.Response(status, text="<html>", headers={"retry-after": "9"}))

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied, raised.retry_after) == (False, True, timedelta(seconds=9))
    assert len(graph.requests) == 1


@pytest.mark.parametrize("status", [405, 412, 415])
async def test_any_other_refusal_needs_an_admin(graph: ScriptedGraph, status: int) -> None:
    graph.will(httpx.Response(status))

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied, raised.status) == (True, False, status)


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.WriteTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.RemoteProtocolError("half"),
        httpx.DecodingError("not gzip"),
        TimeoutError(),
    ],
)
async def test_a_lost_answer_may_have_changed_something_and_is_not_repeated(
    graph: ScriptedGraph, lost: Exception
) -> None:
    graph.will(lost)

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied, raised.status) == (False, True, None)
    assert len(graph.requests) == 1


@pytest.mark.parametrize(
    "unsent", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")]
)
async def test_a_request_that_never_left_changed_nothing(graph: ScriptedGraph, unsent: Exception) -> None:
    graph.will(unsent)

    raised = await failed_leave(graph)

    assert (raised.permanent, raised.maybe_applied) == (False, False)


async def test_an_expired_token_is_renewed_once_for_a_write(graph: ScriptedGraph) -> None:
    graph.will(error(401, "InvalidAuthenticationToken"), done(204))

    await leave(graph)

    assert [one.headers["authorization"] for one in graph.requests] == ["Bearer token-1", "Bearer token-2"]
    assert [one.headers["client-request-id"] for one in graph.requests] == [WRITE_ID, WRITE_ID]


async def test_a_second_401_changed_nothing_and_is_final(graph: ScriptedGraph) -> None:
    graph.will(error(401, "InvalidAuthenticationToken"), error(401, "InvalidAuthenticationToken"))

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied, raised.status) == (True, False, 401)


async def test_without_a_token_nothing_is_sent(graph: ScriptedGraph) -> None:
    graph.access.broken = DirectoryError("No access.", permanent=True)

    raised = await failed_removal(graph)

    assert (raised.permanent, raised.maybe_applied, raised.message) == (True, False, "No access.")
    assert graph.requests == []


# Reading back


async def test_a_seat_that_is_still_there_is_read_back_with_its_paths(graph: ScriptedGraph) -> None:
    graph.will(ok({"id": ADELE, "licenseAssignmentStates": [assignment(E3), assignment(VISIO, GROUP)]}))

    found = await graph.writer.read_back(PersonId(ADELE.upper()), ProductId(VISIO.upper()))

    assert graph.asked == [f"GET /users/{ADELE}?$select=id,licenseAssignmentStates"]
    assert found.request_id == REQUEST_ID
    assert found.seat is not None
    assert found.seat.paths == (
        SeatPath(group_id=GROUP, state="Active", updated_at=NOW.replace(month=1, day=10, hour=10)),
    )


@pytest.mark.parametrize(
    "answer",
    [
        ok({"id": ADELE, "licenseAssignmentStates": [assignment(E3)]}),
        error(404, "Request_ResourceNotFound"),
    ],
    ids=["license gone", "person gone"],
)
async def test_a_seat_that_is_gone_is_none(graph: ScriptedGraph, answer: httpx.Response) -> None:
    graph.will(answer)

    found = await graph.writer.read_back(ADELE, VISIO)

    assert (found.seat, found.request_id) == (None, REQUEST_ID)


@pytest.mark.parametrize("body", [{"id": ADELE}, {"id": ADELE, "licenseAssignmentStates": None}, {}])
async def test_an_answer_that_does_not_say_is_no_proof(graph: ScriptedGraph, body: dict[str, object]) -> None:
    graph.will(ok(body))

    with pytest.raises(DirectoryError):
        await graph.writer.read_back(ADELE, VISIO)


async def test_microsoft_is_told_which_writes_a_person_waits_for(graph: ScriptedGraph) -> None:
    graph.will(*(httpx.Response(204) for _ in range(2)), ok({"id": ADELE}))

    async def campaign() -> None:
        await graph.writer.turn(clicked=False)
        await asyncio.sleep(0)  # another task takes its turn meanwhile
        await graph.writer.leave_group(ADELE, GROUP, client_request_id=WRITE_ID)

    async def click() -> None:
        await graph.writer.turn(clicked=True)
        await graph.writer.join_group(ADELE, GROUP, client_request_id=WRITE_ID)

    await asyncio.gather(campaign(), click())
    await graph.writer.remove_direct(ADELE, VISIO, client_request_id=WRITE_ID)

    told = {one.method: one.headers.get("x-ms-throttle-priority") for one in graph.requests[:2]}
    assert told == {"DELETE": "Low", "POST": "High"}
    assert "x-ms-throttle-priority" not in graph.requests[2].headers
