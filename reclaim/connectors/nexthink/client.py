"""Requests to one Nexthink instance: the token goes to its API only, and what may pass is tried again.

Every request here is a read; an export that is begun twice is a file more there, and nothing else.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import structlog

from reclaim.errors import InvalidRequest, PortError
from reclaim.ports.system import Clock

TRIES: Final = 4
LONGEST_SLEEP_S: Final = 30.0
SCOPE: Final = "service:integration"
_EXPORT, _STATUS, _EXECUTE = "/api/v1/nql/export", "/api/v1/nql/status/", "/api/v2/nql/execute"
_EARLY: Final = timedelta(minutes=1)  # a token is renewed so long before its end
_SHORTEST_LIFE: Final = timedelta(minutes=5)  # where the login does not say how long a token lives
_TIMEOUT: Final = httpx.Timeout(connect=10.0, read=60.0, write=30.0, pool=30.0)
# The timeouts above count from byte to byte; this one ends an answer that drips.
_WHOLE_ANSWER_S: Final = 120.0
_PASSING: Final = frozenset({429, 500, 502, 503, 504})
_SAID: Final = 200  # characters of what Nexthink says itself

_log = structlog.get_logger(__name__)


class ExportState(StrEnum):
    """Nexthink's words."""

    SUBMITTED = "SUBMITTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """How far an export is; `results_url` where it is completed, `error` where Nexthink gave up."""

    state: ExportState
    results_url: str | None = None
    error: str = ""


class LinkExpired(Exception):
    """The link to the results of an export is not valid any more."""


class NexthinkClient:
    """Requests with the API credentials of one instance.

    Args:
        url: Of the API, as https://acme.api.eu.nexthink.cloud.
        login_url: The full address that gives tokens, as https://acme-login.eu.nexthink.cloud/oauth2/default/v1/token.
        clock: Waits between tries, and ends tokens.
        ca_file: Certificates to trust instead of the public ones.
        transport: In place of the network, for tests.

    Raises:
        InvalidRequest: `ca_file` cannot be read.
    """

    def __init__(
        self,
        *,
        url: str,
        login_url: str,
        client_id: str,
        client_secret: str,
        clock: Clock,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._login_url = login_url
        self._credentials = httpx.BasicAuth(client_id, client_secret)
        self._clock = clock
        self._http = httpx.AsyncClient(
            timeout=_TIMEOUT,
            verify=_trust(ca_file),
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._until: datetime | None = None

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    async def begin_export(self, query_id: str, parameters: Mapping[str, str], *, compression: str) -> str:
        """Begin an export and return its id.

        Raises:
            PortError: Nexthink refuses, or does not answer.
        """
        body = {"queryId": query_id, "parameters": dict(parameters), "compression": compression}
        document = await self._ask("POST", _EXPORT, body, missing=_no_query(query_id))
        export_id = document.get("exportId")
        if not isinstance(export_id, str) or not export_id.replace("-", "").isalnum():
            raise _not_understood()
        return export_id

    async def export_status(self, export_id: str) -> ExportStatus:
        """Return how far an export is.

        Raises:
            PortError: As `begin_export`.
        """
        gone = PortError("Nexthink does not know the export any more that Reclaim has begun there.")
        document = await self._ask("GET", f"{_STATUS}{export_id}", None, missing=gone)
        try:
            state = ExportState(str(document.get("status")))
        except ValueError as error:
            raise _not_understood() from error
        url, said = document.get("resultsFileUrl"), document.get("errorDescription")
        return ExportStatus(
            state, url if isinstance(url, str) and url else None, str(said)[:_SAID] if said is not None else ""
        )

    async def execute(self, query_id: str, parameters: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Return the rows of a small query: Nexthink cuts them where there are more than it gives at once.

        Raises:
            PortError: As `begin_export`.
        """
        body = {"queryId": query_id, "parameters": dict(parameters)}
        document = await self._ask("POST", _EXECUTE, body, missing=_no_query(query_id))
        rows = document.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _not_understood()
        return rows

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open the results of an export: their bytes as they were stored.

        The link opens them by itself: no token is sent, as it leads to a store that is not Nexthink's.

        Raises:
            LinkExpired: The store does not take the link any more, or has no such file.
            PortError: The link is no plain https address, or the store does not answer; also while reading.
        """
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise _bad_link() from error
        if address.scheme != "https" or not address.host or address.userinfo:
            raise _bad_link()
        try:
            async with self._http.stream("GET", address, headers={"Accept-Encoding": "identity"}) as response:
                if response.status_code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                    raise LinkExpired
                if response.status_code != HTTPStatus.OK:
                    raise PortError(
                        f"The store of Nexthink's exports answers with {response.status_code}.",
                        permanent=response.status_code not in _PASSING,
                    )
                yield response.aiter_raw()
        except httpx.RequestError as error:
            if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
                raise PortError("The results of a Nexthink export broke off. Nothing of them counts.") from error
            raise _unreachable(error, "The store of Nexthink's exports") from error

    async def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None, *, missing: PortError
    ) -> Mapping[str, Any]:
        """Return a JSON object; `missing` is raised where Nexthink answers 404."""
        tries = 0
        while True:
            tries += 1
            try:
                return await self._once(method, path, body, missing)
            except PortError as error:
                wait_s = _pause(error, tries)
                if wait_s is None or error is missing:
                    raise
                _log.info("nexthink will be asked again", path=path, tries=tries, wait_s=wait_s)
            await self._clock.sleep(wait_s)

    async def _once(
        self, method: str, path: str, body: Mapping[str, object] | None, missing: PortError
    ) -> Mapping[str, Any]:
        token = await self._access(None)
        response = await self._send(method, path, body, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = await self._send(method, path, body, await self._access(token))
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise missing
        if response.status_code != HTTPStatus.OK:
            _log.warning("nexthink refused", path=path, status=response.status_code)
            raise _refused(response, self._clock.now())
        return _document(response)

    async def _send(self, method: str, path: str, body: Mapping[str, object] | None, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        try:
            async with asyncio.timeout(_WHOLE_ANSWER_S):
                return await self._http.request(method, f"{self._url}{path}", headers=headers, json=body)
        except (httpx.RequestError, TimeoutError) as error:
            _log.warning("nexthink did not answer", path=path, error=type(error).__name__)
            raise _unreachable(error, "Nexthink") from error

    async def _access(self, refused: str | None) -> str:
        """Return a token; `refused`: another one than this."""
        async with self._lock:
            now = self._clock.now()
            if self._token is None or self._token == refused or self._until is None or now >= self._until:
                self._token, life = await self._login()
                self._until = now + max(life - _EARLY, timedelta(0))
            return self._token

    async def _login(self) -> tuple[str, timedelta]:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        headers = {"Accept": "application/json"}
        try:
            async with asyncio.timeout(_WHOLE_ANSWER_S):
                response = await self._http.post(self._login_url, data=form, headers=headers, auth=self._credentials)
        except (httpx.RequestError, TimeoutError) as error:
            raise _unreachable(error, "The login of Nexthink") from error
        if response.status_code in _PASSING:
            raise _refused(response, self._clock.now())
        if response.status_code != HTTPStatus.OK:
            raise PortError(
                f"Nexthink gives Reclaim no access ({response.status_code}). Check RECLAIM_NEXTHINK_CLIENT_ID,"
                " RECLAIM_NEXTHINK_CLIENT_SECRET and RECLAIM_NEXTHINK_LOGIN_URL.",
                permanent=True,
            )
        document = _document(response)
        token, life = document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or not token:
            raise _not_understood()
        return token, timedelta(seconds=life) if isinstance(life, int) and life > 0 else _SHORTEST_LIFE


def _trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError is one
        raise InvalidRequest("The file with trusted certificates cannot be read.", field="RECLAIM_CA_FILE") from error


def _pause(error: PortError, tries: int) -> float | None:
    """Return how many seconds to wait before the next try; None if there is to be none."""
    if error.permanent or tries >= TRIES:
        return None
    if error.retry_after is not None:
        wait_s = error.retry_after.total_seconds()
        return wait_s if wait_s <= LONGEST_SLEEP_S else None
    return min(LONGEST_SLEEP_S, 2.0**tries)


def _document(response: httpx.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError as error:
        raise _not_understood() from error
    if not isinstance(document, dict):
        raise _not_understood()
    return document


def _refused(response: httpx.Response, now: datetime) -> PortError:
    status = response.status_code
    if status in _PASSING:
        return PortError(f"Nexthink is busy or out of order ({status}).", retry_after=_retry_after(response, now))
    if status == HTTPStatus.UNAUTHORIZED:
        message = (
            "Nexthink does not accept the token of its login. Check that RECLAIM_NEXTHINK_LOGIN_URL and"
            " RECLAIM_NEXTHINK_URL belong to the same instance."
        )
    elif status == HTTPStatus.FORBIDDEN:
        message = (
            "Nexthink does not let Reclaim run queries. Give the API credentials the permission NQL API in Nexthink ›"
            " Administration › API credentials."
        )
    elif status == HTTPStatus.NOT_ACCEPTABLE:
        message = "Nexthink does not give what Reclaim can read (406). Check RECLAIM_NEXTHINK_URL."
    elif status == HTTPStatus.BAD_REQUEST:
        message = (
            "Nexthink refuses the query (400). It must take a parameter called application: Nexthink › Administration"
            " › NQL API queries."
        )
    else:
        message = f"Nexthink refuses the query with {status}."
    return PortError(message, permanent=True)


def _retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return timedelta(seconds=int(value))
    try:
        # Against the date of the same answer, because our calendar time may be a rehearsal's.
        until, at = (parsedate_to_datetime(text) for text in (value, response.headers.get("date", "")))
        return max(until - at, timedelta(0)) or None
    except (ValueError, TypeError):
        return None


def _unreachable(error: Exception, what: str) -> PortError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return PortError(
            f"{what} has a certificate that is not trusted. If a proxy opens TLS connections here, put its certificate"
            " into RECLAIM_CA_FILE.",
            permanent=True,
        )
    return PortError(
        f"{what} cannot be reached. Check the network, RECLAIM_NEXTHINK_URL and RECLAIM_NEXTHINK_LOGIN_URL."
    )


def _no_query(query_id: str) -> PortError:
    return PortError(
        f"Nexthink has no query {query_id}. Make it in Nexthink › Administration › NQL API queries, or mend"
        " RECLAIM_NEXTHINK_QUERY.",
        permanent=True,
    )


def _not_understood() -> PortError:
    return PortError("Nexthink sent half an answer, or a proxy answered for it.")


def _bad_link() -> PortError:
    return PortError("Nexthink pointed to results outside of https. Reclaim did not follow it.", permanent=True)
