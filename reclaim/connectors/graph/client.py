"""One HTTP client for Microsoft Graph: the token goes to Graph only, reads are repeated, writes never are.

What an answer means for a product is decided in `directory` and `writer`. Sources: Microsoft Graph docs,
concepts/throttling and concepts/best-practices-concept (request ids, Retry-After, opaque nextLinks).
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import httpx
import structlog

from reclaim.connectors.graph.answers import NO_PREMIUM, NOT_FOUND, SYNC_STATE_NOT_FOUND, Answer
from reclaim.connectors.graph.fields import Record
from reclaim.connectors.graph.token import AccessTokens
from reclaim.errors import DirectoryError, InvalidRequest
from reclaim.ports.checks import OPTIONAL
from reclaim.ports.system import Clock, Tokens

TRIES = 5
# The refusal "no premium" comes now and then to tenants that have it (microsoft-graph-docs issues 14118, 14120).
PREMIUM_TRIES = 3
LONGEST_SLEEP_S = 30.0
_TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=30.0, pool=30.0)
# The timeouts above count from byte to byte; this one ends an answer that drips.
_WHOLE_ANSWER_S = 120.0
_PASSING = frozenset({429, 500, 502, 503, 504})

_PRIORITY = "x-ms-throttle-priority"
_log = structlog.get_logger(__name__)


class Priority(StrEnum):
    """Which requests Microsoft throttles first; it raises no limit (Microsoft Graph docs, throttling)."""

    LOW = "Low"
    HIGH = "High"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Where something is kept. `url` lets in whoever has it: it is in no log and no record, `asked` is.

    Attributes:
        asked: The address of Graph that gave it.
    """

    url: httpx.URL = field(repr=False)
    asked: str
    request_id: str
    at: datetime


class GraphClient:
    """Requests to one Graph address with the tokens of one application.

    Args:
        graph_url: With its version, as https://graph.microsoft.com/v1.0.
        access: Gives the bearer tokens; closed together with the client.
        clock: Dates answers and waits between repeated reads.
        tokens: Makes request ids, and the chance in waiting times.
        ca_file: Certificates to trust instead of the public ones.
        transport: In place of the network, for tests.

    Raises:
        InvalidRequest: `graph_url` is no https address with a version, or `ca_file` cannot be read.
    """

    def __init__(
        self,
        *,
        graph_url: str,
        access: AccessTokens,
        clock: Clock,
        tokens: Tokens,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._root = graph_root(graph_url)
        self._access = access
        self._clock = clock
        self._tokens = tokens
        self._http = httpx.AsyncClient(
            timeout=_TIMEOUT,
            verify=_trust(ca_file),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept": "application/json"},
            transport=transport,
        )

    async def aclose(self) -> None:
        """Close connections, also those of the tokens."""
        await self._http.aclose()
        await self._access.aclose()

    async def token(self, *, anew: bool) -> str:
        """Return the bearer token, for the checkup; `anew`: one that knows what was granted since the last.

        Raises:
            DirectoryError: There is none.
        """
        token = await self._access.current()
        return await self._access.renewed(token) if anew else token

    def within(self, address: str) -> httpx.URL:
        """Return the full URL of a path below the version, or of an absolute address such as a nextLink.

        Raises:
            DirectoryError: It leads out of the configured Graph: no request is made and no token leaves (permanent).
        """
        try:
            url = httpx.URL(f"{self._root}{address}" if address.startswith("/") else address)
        except httpx.InvalidURL as error:
            raise _foreign() from error
        same_origin = (url.scheme, url.host, url.port) == (self._root.scheme, self._root.host, self._root.port)
        below = url.path.startswith(f"{self._root.path}/") and ".." not in url.path.split("/")
        if not same_origin or url.userinfo or not below:
            raise _foreign()
        return url

    async def location(self, address: str, *, needs: str) -> "Elsewhere":
        """Ask for something that Graph keeps elsewhere, and return where; repeats as `get` does.

        Raises:
            DirectoryError: As `get`, or there is no such address, or it is not https.
        """
        answer = await self.get(address, needs=needs, kept_elsewhere=True)
        try:
            url = httpx.URL(answer.headers.get("location", ""))
        except httpx.InvalidURL as error:
            raise _nowhere() from error
        if answer.status != HTTPStatus.FOUND or url.scheme != "https" or not url.host or url.userinfo:
            raise _nowhere()
        return Elsewhere(url=url, asked=answer.url, request_id=answer.request_id, at=answer.at)

    def rows(self, answer: Answer, what: str) -> tuple[list[Record], str | None]:
        """Return the rows of a page, and the address of the next one, which leads on and not away.

        Raises:
            DirectoryError: There are no rows, or the next page is this one or outside of Graph (permanent).
        """
        document = Record(answer.document(), "page")
        following = document.text_or_none("@odata.nextLink")
        if following is not None and str(self.within(following)) == answer.url:
            raise DirectoryError("Microsoft Graph names a page as its own successor.", permanent=True)
        return document.records("value", what), following

    def elsewhere(self, url: httpx.URL) -> AbstractAsyncContextManager[httpx.Response]:
        """Fetch an address that `location` gave, piece by piece. It lets in by itself: the token stays here."""
        return self._http.stream("GET", url, headers={"Accept": "*/*"})

    async def get(
        self, address: str, *, needs: str, may_be_missing: bool = False, kept_elsewhere: bool = False
    ) -> Answer:
        """Read, repeating what may pass: throttling, 5xx, lost and garbled answers.

        Args:
            address: Path below the version with its query, or a nextLink as it came.
            needs: The application permission that this read needs, for the message of a refusal.
            may_be_missing: Return the answer also where Graph says that the object does not exist.
            kept_elsewhere: Return the answer also where Graph points to another address.

        Raises:
            DirectoryError: With `retry_after` where Graph asks for a longer wait than a request may sleep.
        """
        return await self._repeated(
            self.within(address), needs, may_be_missing=may_be_missing, kept_elsewhere=kept_elsewhere
        )

    async def post_reading(self, address: str, body: Mapping[str, object], *, needs: str) -> Answer:
        """Send a POST that changes nothing, such as a batch of GETs, repeating it as `get` does.

        Raises:
            DirectoryError: As `get`.
        """
        return await self._repeated(self.within(address), needs, body=body)

    async def _repeated(
        self,
        url: httpx.URL,
        needs: str,
        *,
        may_be_missing: bool = False,
        kept_elsewhere: bool = False,
        body: Mapping[str, object] | None = None,
    ) -> Answer:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._read(
                    url, needs, may_be_missing=may_be_missing, kept_elsewhere=kept_elsewhere, body=body
                )
            except DirectoryError as error:
                await self.wait([error], tries)

    def may_repeat(self, error: DirectoryError, tries: int) -> bool:
        """Whether a read that met this error, and was tried so often, is to be tried once more; see `wait`."""
        return self._pause(error, tries) is not None

    async def wait(self, failed: Sequence[DirectoryError], tries: int) -> None:
        """Wait before reads are repeated, as long as the most patient of them asks.

        Args:
            failed: What they met, one or more.
            tries: How often they were tried.

        Raises:
            DirectoryError: One of them, where there is to be no further try.
        """
        waits = {self._pause(error, tries): error for error in failed}
        if None in waits:
            raise waits[None]
        longest = max(wait_s for wait_s in waits if wait_s is not None)
        _log.info("graph read will be repeated", reads=len(failed), tries=tries, wait_s=longest)
        await self._clock.sleep(longest)

    async def post(
        self, address: str, body: Mapping[str, object], *, client_request_id: str, priority: Priority | None = None
    ) -> Answer:
        """Send one POST, once.

        Raises:
            DirectoryError: There is no token; nothing was sent.
            httpx.RequestError: No whole answer came.
            TimeoutError: The answer took too long.
        """
        return await self._exchange("POST", self.within(address), client_request_id, body=body, priority=priority)

    def reference_to(self, object_id: str) -> dict[str, object]:
        """Return the body that names a directory object to a `/$ref` address (Microsoft Graph docs, group-post-members)."""
        return {"@odata.id": f"{str(self._root).rstrip('/')}/directoryObjects/{object_id}"}

    async def delete_reference(
        self, address: str, *, client_request_id: str, priority: Priority | None = None
    ) -> Answer:
        """Send one DELETE of a reference, once: the only DELETE there is.

        Without `/$ref` the same address deletes the user (Microsoft Graph docs, api/group-delete-members, caution box).

        Raises:
            ValueError: `address` does not end in `/$ref`. This is a programming error.
            DirectoryError, httpx.RequestError, TimeoutError: As `post`.
        """
        url = self.within(address)
        if not url.path.endswith("/$ref") or url.query:
            raise ValueError("only references are deleted")
        return await self._exchange("DELETE", url, client_request_id, priority=priority)

    async def _read(
        self,
        url: httpx.URL,
        needs: str,
        *,
        may_be_missing: bool,
        kept_elsewhere: bool,
        body: Mapping[str, object] | None,
    ) -> Answer:
        method = "GET" if body is None else "POST"
        try:
            answer = await self._exchange(method, url, str(UUID(self._tokens.new_id())), body=body)
        except (httpx.RequestError, TimeoutError) as error:
            _log.warning("graph did not answer", path=url.path, error=type(error).__name__)
            raise _unreachable(error) from error
        if answer.status == HTTPStatus.FOUND and kept_elsewhere:
            return answer
        if answer.status == HTTPStatus.OK:
            _check_whole(answer)
            return answer
        fault = answer.fault
        if may_be_missing and answer.status == HTTPStatus.NOT_FOUND and fault.code == NOT_FOUND:
            return answer
        # What is not there, or need not be granted, is no trouble of the installation: who asked says what it means.
        expected = answer.status == HTTPStatus.NOT_FOUND or (
            answer.status == HTTPStatus.FORBIDDEN and needs in OPTIONAL
        )
        (_log.info if expected else _log.warning)(
            "graph refused a read",
            path=url.path,
            status=answer.status,
            graph_code=fault.code,
            request_id=answer.request_id,
            client_request_id=answer.client_request_id,
        )
        raise refused(answer, needs)

    async def _exchange(
        self,
        method: str,
        url: httpx.URL,
        client_request_id: str,
        *,
        body: Mapping[str, object] | None = None,
        priority: Priority | None = None,
    ) -> Answer:
        """Send one request; only a 401, which Graph answers before it does anything, is followed by a second one."""
        token = await self._access.current()
        answer = await self._send(method, url, client_request_id, token, body, priority)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        return await self._send(method, url, client_request_id, await self._access.renewed(token), body, priority)

    async def _send(
        self,
        method: str,
        url: httpx.URL,
        client_request_id: str,
        token: str,
        body: Mapping[str, object] | None,
        priority: Priority | None,
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "client-request-id": client_request_id}
        if priority is not None:
            headers[_PRIORITY] = priority.value
        async with asyncio.timeout(_WHOLE_ANSWER_S):
            response = await self._http.request(method, url, headers=headers, json=body)
        return Answer(
            url=str(response.request.url),
            status=response.status_code,
            headers=response.headers,
            content=response.content,
            at=self._clock.now(),
            client_request_id=client_request_id,
        )

    def _pause(self, error: DirectoryError, tries: int) -> float | None:
        """Return how many seconds to wait before the next try; None if there is to be none."""
        premium = error.graph_code == NO_PREMIUM
        if (error.permanent and not premium) or tries >= (PREMIUM_TRIES if premium else TRIES):
            return None
        if error.retry_after is not None:
            wait_s = error.retry_after.total_seconds()
            return wait_s if wait_s <= LONGEST_SLEEP_S else None
        # Full steps with half of them left to chance, so that replicas do not come back together.
        chance = self._tokens.new_salt()[0] / 255
        return min(LONGEST_SLEEP_S, 2.0 ** (tries - 1)) * (0.5 + chance / 2)


def graph_root(graph_url: str) -> httpx.URL:
    """Return the configured address of Graph.

    Raises:
        InvalidRequest: It is no https address with a version.
    """
    try:
        url = httpx.URL(graph_url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise _no_graph_url() from error
    if url.scheme != "https" or not url.host or len(url.path) < 2 or url.query or url.userinfo:
        raise _no_graph_url()
    return url


def _no_graph_url() -> InvalidRequest:
    return InvalidRequest(
        "The address of Microsoft Graph must be https and end in a version, as https://graph.microsoft.com/v1.0.",
        field="RECLAIM_GRAPH_URL",
    )


def _trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError is one
        raise InvalidRequest("The file with trusted certificates cannot be read.", field="RECLAIM_CA_FILE") from error


def _foreign() -> DirectoryError:
    return DirectoryError(
        "Microsoft Graph pointed to an address outside of itself. Reclaim did not follow it.", permanent=True
    )


def _nowhere() -> DirectoryError:
    return DirectoryError(
        "Microsoft Graph did not say where to fetch what was asked for, or pointed to an address that is not https.",
        permanent=True,
    )


def _check_whole(answer: Answer) -> None:
    try:
        answer.document()
    except ValueError as error:
        _log.warning("graph sent no json", status=answer.status, request_id=answer.request_id)
        raise DirectoryError("Microsoft Graph sent half an answer, or a proxy answered for it.", status=200) from error


def _unreachable(error: Exception) -> DirectoryError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return DirectoryError(
            "The certificate of Microsoft Graph is not trusted. If a proxy opens TLS connections here, put its "
            "certificate into RECLAIM_CA_FILE.",
            permanent=True,
        )
    return DirectoryError("Microsoft Graph cannot be reached.")


def refused(answer: Answer, needs: str) -> DirectoryError:
    """Return what an answer to a read, which gave nothing, means."""
    code = answer.fault.code
    retry_after: timedelta | None = None
    permanent = True
    if answer.status in _PASSING:
        message = "Microsoft Graph is busy or out of order."
        retry_after, permanent = answer.retry_after, False
    elif code == NO_PREMIUM:
        message = "This tenant has no Entra ID P1 or P2, so Microsoft gives no sign-in data."
    elif answer.status == HTTPStatus.FORBIDDEN:
        message = (
            f"Microsoft Graph does not let Reclaim read this: the application permission {needs} is missing, or an "
            "admin has not consented to it."
        )
    elif answer.status == HTTPStatus.UNAUTHORIZED:
        message = (
            "Microsoft Graph does not accept the token of the login service. Check that RECLAIM_LOGIN_URL and "
            "RECLAIM_GRAPH_URL belong to the same cloud."
        )
    elif answer.status == HTTPStatus.GONE or code == SYNC_STATE_NOT_FOUND:
        message = "Microsoft Graph no longer knows since when changes were asked for."
    elif answer.status == HTTPStatus.NOT_FOUND:
        message = "Microsoft Graph does not know what Reclaim asked for."
    else:
        message = f"Microsoft Graph refused a read with {answer.status} {code or 'and no reason'}."
    return DirectoryError(message, retry_after=retry_after, permanent=permanent, status=answer.status, graph_code=code)
