"""Requests: where the token goes, what is repeated and how long is waited."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from reclaim.connectors.graph.answers import NO_PREMIUM
from reclaim.connectors.graph.client import GraphClient
from reclaim.errors import DirectoryError, InvalidRequest
from tests.contract.graph.support import (
    GRAPH,
    NOW,
    REQUEST_ID,
    CountedTokens,
    HandedOut,
    ScriptedGraph,
    StillClock,
    error,
    ok,
    page,
    sku,
)


async def read(graph: ScriptedGraph) -> None:
    await graph.client.get("/users", needs="User.Read.All")


async def failure(graph: ScriptedGraph) -> DirectoryError:
    with pytest.raises(DirectoryError) as raised:
        await read(graph)
    return raised.value


async def test_every_request_carries_the_token_and_a_guid_of_its_own(graph: ScriptedGraph) -> None:
    graph.will(ok({}), ok({}))

    await read(graph)
    await read(graph)

    assert [one.headers["authorization"] for one in graph.requests] == ["Bearer token-1", "Bearer token-1"]
    assert [one.headers["client-request-id"] for one in graph.requests] == [
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-000000000002",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://graph.evil.test/v1.0/users",
        "https://graph.microsoft.com.evil.test/v1.0/users",
        "https://graph.microsoft.com@evil.test/v1.0/users",
        "https://evil.test\\@graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com\\@evil.test/v1.0/users",
        "https://user:password@graph.microsoft.com/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com:8443/v1.0/users",
        "https://graph.microsoft.com/beta/users",
        "https://graph.microsoft.com/v1.0evil/users",
        "https://graph.microsoft.com/v1.0/../beta/users",
        "https://graph.microsoft.com/v1.0/%2e%2e/beta/users",
        "users",
        "https://[",
    ],
)
async def test_an_address_outside_of_graph_is_refused_before_anything_is_sent(
    graph: ScriptedGraph, address: str
) -> None:
    with pytest.raises(DirectoryError) as raised:
        await graph.client.get(address, needs="")

    assert raised.value.permanent
    assert graph.requests == []


async def test_a_foreign_next_link_fails_the_page_that_names_it(graph: ScriptedGraph) -> None:
    graph.will(page(following="https://evil.test/v1.0/users?$skiptoken=1"))

    with pytest.raises(DirectoryError, match="outside of itself"):
        await graph.directory.people(None)

    assert len(graph.requests) == 1


async def test_a_next_link_with_the_default_port_is_graph_all_the_same(graph: ScriptedGraph) -> None:
    graph.will(ok({}))

    await graph.client.get("https://GRAPH.microsoft.com:443/v1.0/users", needs="")

    assert graph.requests[0].url.host == "graph.microsoft.com"


async def test_a_path_that_looks_like_a_host_stays_below_graph(graph: ScriptedGraph) -> None:
    graph.will(ok({}))

    await graph.client.get("//evil.test/users", needs="")

    assert str(graph.requests[0].url) == f"{GRAPH}//evil.test/users"


async def test_a_redirect_is_not_followed(graph: ScriptedGraph) -> None:
    graph.will(httpx.Response(302, headers={"location": "https://evil.test/"}))

    raised = await failure(graph)

    assert raised.permanent
    assert len(graph.requests) == 1


async def test_retry_after_in_seconds_is_obeyed(graph: ScriptedGraph) -> None:
    graph.will(error(429, "TooManyRequests", Retry_After="7"), ok({}))

    await read(graph)

    assert graph.clock.waits == [7.0]


async def test_retry_after_as_a_date_counts_from_the_date_of_the_same_answer(graph: ScriptedGraph) -> None:
    # The calendar of a rehearsal is not that of the server.
    late = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry_After": "Wed, 21 Oct 2015 07:28:12 GMT"}
    graph.will(error(429, "TooManyRequests", **late), ok({}))

    await read(graph)

    assert graph.clock.waits == [12.0]


async def test_retry_after_as_a_date_without_a_date_header_counts_from_our_clock(graph: ScriptedGraph) -> None:
    graph.will(error(503, "Service_Unavailable", Retry_After="Mon, 23 Nov 2026 09:00:20 GMT"), ok({}))

    await read(graph)

    assert graph.clock.waits == [20.0]


@pytest.mark.parametrize("value", ["", "soon", "-3", "Wed, 21 Oct 2015 07:28:00 GMT", "1e3"])
async def test_a_useless_retry_after_gives_the_exponential_wait(graph: ScriptedGraph, value: str) -> None:
    answer = error(429, "TooManyRequests")
    answer.headers.update(httpx.Headers([(b"retry-after", value.encode())]))
    graph.will(answer, ok({}))

    await read(graph)

    assert graph.clock.waits == [0.5]


async def test_waits_double_without_retry_after_and_end_after_five_tries(graph: ScriptedGraph) -> None:
    graph.will(*[error(429, "TooManyRequests") for _ in range(5)])

    raised = await failure(graph)

    assert graph.clock.waits == [0.5, 1.0, 2.0, 4.0]
    assert (raised.status, raised.permanent) == (429, False)


async def test_a_retry_after_longer_than_a_request_may_sleep_goes_to_the_job(graph: ScriptedGraph) -> None:
    graph.will(error(429, "TooManyRequests", Retry_After="31"))

    raised = await failure(graph)

    assert graph.clock.waits == []
    assert (raised.retry_after, raised.permanent) == (timedelta(seconds=31), False)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_failure_of_the_service_is_repeated(graph: ScriptedGraph, status: int) -> None:
    graph.will(httpx.Response(status, text="<html>gateway</html>"), ok({}))

    await read(graph)

    assert len(graph.requests) == 2


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.DecodingError("not gzip"),
        TimeoutError(),
    ],
)
async def test_a_lost_answer_is_asked_for_again(graph: ScriptedGraph, lost: Exception) -> None:
    graph.will(lost, ok({}))

    await read(graph)

    assert len(graph.requests) == 2


async def test_an_unreachable_graph_is_a_failure_that_may_pass(graph: ScriptedGraph) -> None:
    graph.will(*[httpx.ConnectError("refused") for _ in range(5)])

    raised = await failure(graph)

    assert not raised.permanent
    assert raised.status is None


async def test_an_untrusted_certificate_needs_an_admin(graph: ScriptedGraph) -> None:
    graph.will(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))

    raised = await failure(graph)

    assert raised.permanent
    assert "RECLAIM_CA_FILE" in raised.message


@pytest.mark.parametrize(
    "body", [b"", b'{"value": [{"id": "87d3', b"<html>sign in to the proxy</html>", b"[]", b"\xff"]
)
async def test_a_garbled_answer_is_asked_for_again_and_never_empty(graph: ScriptedGraph, body: bytes) -> None:
    graph.will(*[httpx.Response(200, content=body) for _ in range(5)])

    raised = await failure(graph)

    assert not raised.permanent
    assert len(graph.requests) == 5


async def test_a_401_is_followed_by_one_new_token(graph: ScriptedGraph) -> None:
    graph.will(error(401, "InvalidAuthenticationToken"), ok({}))

    await read(graph)

    assert [one.headers["authorization"] for one in graph.requests] == ["Bearer token-1", "Bearer token-2"]


async def test_a_second_401_needs_an_admin(graph: ScriptedGraph) -> None:
    graph.will(error(401, "InvalidAuthenticationToken"), error(401, "InvalidAuthenticationToken"))

    raised = await failure(graph)

    assert (raised.permanent, raised.status) == (True, 401)


async def test_no_premium_is_believed_the_third_time(graph: ScriptedGraph) -> None:
    graph.will(*[error(403, NO_PREMIUM) for _ in range(3)])

    raised = await failure(graph)

    assert (raised.permanent, raised.graph_code) == (True, NO_PREMIUM)


async def test_no_premium_that_passes_is_no_failure(graph: ScriptedGraph) -> None:
    graph.will(error(403, NO_PREMIUM), error(403, NO_PREMIUM), ok({}))

    await read(graph)

    assert len(graph.requests) == 3


async def test_a_missing_permission_is_named_and_not_repeated(graph: ScriptedGraph) -> None:
    graph.will(error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))

    raised = await failure(graph)

    assert raised.permanent
    assert "User.Read.All" in raised.message


async def test_other_refusals_are_final(graph: ScriptedGraph) -> None:
    graph.will(error(400, "Request_BadRequest", "secret of Adele"))

    raised = await failure(graph)

    assert (raised.permanent, raised.status, raised.graph_code) == (True, 400, "Request_BadRequest")
    assert "Adele" not in raised.message


@pytest.mark.parametrize("inner", ["innerError", "innererror"])
async def test_the_request_id_is_read_from_either_spelling(graph: ScriptedGraph, inner: str) -> None:
    missing = {"error": {"code": "Request_ResourceNotFound", inner: {"request-id": REQUEST_ID}}}
    graph.will(httpx.Response(404, json=missing))

    answer = await graph.client.get("/users", needs="", may_be_missing=True)

    assert answer.request_id == REQUEST_ID


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"error": "text"}', b'{"error": {"code": 5, "message": []}}', b""]
)
async def test_an_error_body_of_another_form_is_still_a_refusal(graph: ScriptedGraph, body: bytes) -> None:
    graph.will(httpx.Response(403, content=body))

    raised = await failure(graph)

    assert (raised.status, raised.graph_code) == (403, None)


async def test_a_404_of_a_proxy_is_not_a_person_who_is_gone(graph: ScriptedGraph) -> None:
    graph.will(httpx.Response(404, text="<html>not found</html>"))

    with pytest.raises(DirectoryError):
        await graph.client.get("/users", needs="", may_be_missing=True)


async def test_the_evidence_of_a_page_is_its_request_rows_and_hash(graph: ScriptedGraph) -> None:
    body = b'{"value": []}'
    graph.will(httpx.Response(200, content=body, headers={"request-id": REQUEST_ID}))

    request = (await graph.directory.skus()).request

    assert request.url == f"{GRAPH}/subscribedSkus"
    assert (request.request_id, request.rows, request.at) == (REQUEST_ID, 0, NOW)
    assert request.sha256 == "1f6a584981ab43195e1cf1fe5979fc4c0e3fa2d7aacfd8443ec0e81b9f5a01ad"


async def test_log_lines_carry_ids_and_no_token_query_or_name(graph: ScriptedGraph) -> None:
    graph.will(
        error(429, "TooManyRequests", "Adele", Retry_After="7"),
        httpx.ReadTimeout("Adele"),
        httpx.Response(200, text="Adele"),
        error(403, "Authorization_RequestDenied", "Adele"),
    )

    with capture_logs() as lines, pytest.raises(DirectoryError):
        await graph.client.get("/users?$skiptoken=opaque", needs="User.Read.All")

    assert len(lines) == 7
    assert lines[0] == {
        "event": "graph refused a read",
        "log_level": "warning",
        "path": "/v1.0/users",
        "status": 429,
        "graph_code": "TooManyRequests",
        "request_id": REQUEST_ID,
        "client_request_id": "00000000-0000-0000-0000-000000000001",
    }
    assert not [word for word in ("Adele", "token-1", "opaque") if word in str(lines)]


async def test_no_repr_shows_a_body(graph: ScriptedGraph) -> None:
    graph.will(ok({"value": [sku(skuPartNumber="PERSONAL")]}))

    answer = await graph.client.get("/subscribedSkus", needs="")

    assert "PERSONAL" not in repr(answer)


@pytest.mark.parametrize(
    "graph_url",
    [
        "http://graph.microsoft.com/v1.0",
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "graph.microsoft.com/v1.0",
        "https://graph.microsoft.com:port/v1.0",
        "https://graph.microsoft.com/v1.0?x=1",
    ],
)
def test_a_graph_address_must_be_https_with_a_version(graph_url: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        GraphClient(graph_url=graph_url, access=HandedOut(), clock=StillClock(), tokens=CountedTokens())

    assert raised.value.field == "RECLAIM_GRAPH_URL"


def test_a_missing_file_of_certificates_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as raised:
        GraphClient(
            graph_url=GRAPH,
            access=HandedOut(),
            clock=StillClock(),
            tokens=CountedTokens(),
            ca_file=tmp_path / "absent.pem",
        )

    assert raised.value.field == "RECLAIM_CA_FILE"
