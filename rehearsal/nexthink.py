"""A Nexthink instance beside the practice tenant: its login, its NQL API, and the store of its exports.

Sources: docs.nexthink.com/api, "Getting an authentication token", "Export an NQL", "Status of an export", "Execute an
NQL" (addresses, bodies, states). The store takes a request by the signature in its link and refuses one that brings a
token as well, as S3 does ("Only one auth mechanism allowed", 400). One query is known there, for any application: if its
license comes with a group, what the generator says of the members; of a product what follows from the seed.
"""

import asyncio
import base64
import csv
import gzip
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from itertools import islice
from typing import Any

from aiohttp import web

from rehearsal.app_groups import APP_GROUPS
from rehearsal.clock import DAY, text
from rehearsal.directory import Directory
from rehearsal.gate import Handler
from rehearsal.identity import Draws
from rehearsal.traps import NUMBERS

NEXTHINK_ROOT, LOGIN_PATH = "/nexthink", "/nexthink-login/oauth2/default/v1/token"
_STORE = "/nexthink-store"
QUERY = "#reclaim_usage"
COLUMNS = ("user.upn", "last_usage", "device.name")
SCOPE = "service:integration"
TOKEN_LIFE_S = 900
CUT_AT = 1_000  # rows that an executed query gives at most, without a word
_ROWS_AT_ONCE = 200
_UNSEEN = 9  # one of so many holders was on no device that Nexthink sees
_SECOND_DEVICE = 4  # one of so many has two
_NOBODYS = 25  # one of so many devices has no known user
_SEEN_WITHIN = 7  # days: the query is over devices that were active since


class Ending(StrEnum):
    """What becomes of an export."""

    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    STALLED = "STALLED"


@dataclass(slots=True)
class Manners:
    """How exports behave, set by control.

    Attributes:
        ending: What becomes of them.
        polls: How often one is asked for before it is ready.
        expired_links: So many links that are given next are not valid any more.
    """

    ending: Ending = Ending.COMPLETED
    polls: int = 2
    expired_links: int = 0


@dataclass(slots=True)
class _Export:
    application: str
    compression: str
    asked: int = 0


class NexthinkEndpoints:
    """The handlers of login, API and store."""

    def __init__(
        self,
        directory: Directory,
        *,
        origin: str,
        client_id: str,
        client_secret: str,
        seed: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._origin = origin
        self._credentials = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._seed = seed
        self._monotonic = monotonic
        self._ends: dict[str, float] = {}
        self._exports: dict[str, _Export] = {}
        self._links: dict[str, str] = {}
        self.manners = Manners()

    def routes(self) -> list[web.RouteDef]:
        """Return all addresses."""
        api = NEXTHINK_ROOT
        return [
            web.post(LOGIN_PATH, self._token),
            web.post(f"{api}/api/v1/nql/export", self._asked(self._export)),
            web.get(f"{api}/api/v1/nql/status/{{export}}", self._asked(self._status)),
            web.post(f"{api}/api/v2/nql/execute", self._asked(self._execute)),
            web.get(f"{_STORE}/{{link}}.csv", self._results),
        ]

    def set_manners(self, body: dict[str, Any]) -> dict[str, Any]:
        """Set how exports behave; what is left out is as at the start.

        Raises:
            ValueError: There is no such manner.
        """
        ending, polls, expired = body.get("ending", "COMPLETED"), body.get("polls", 2), body.get("expired_links", 0)
        if not isinstance(polls, int) or not isinstance(expired, int) or polls < 0 or expired < 0:
            message = "'polls' and 'expired_links' are 0 or more"
            raise ValueError(message)
        self.manners = Manners(Ending(str(ending)), polls, expired)
        return {"ending": self.manners.ending, "polls": polls, "expired_links": expired}

    def expire_tokens(self) -> None:
        """End every token that was given."""
        self._ends = dict.fromkeys(self._ends, 0.0)

    async def _token(self, request: web.Request) -> web.Response:
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic" or not hmac.compare_digest(credentials.encode(), self._credentials.encode()):
            return web.json_response({"error": "invalid_client", "error_description": "No client."}, status=401)
        form = await request.post()
        if form.get("grant_type") != "client_credentials" or form.get("scope") != SCOPE:
            return web.json_response({"error": "invalid_scope", "error_description": "No such scope."}, status=400)
        token = secrets.token_urlsafe(32)
        self._ends[token] = self._monotonic() + TOKEN_LIFE_S
        return web.json_response(
            {"token_type": "Bearer", "expires_in": TOKEN_LIFE_S, "access_token": token, "scope": SCOPE}
        )

    def _asked(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            """Let nobody in without a living token, and nobody who wants another form than there is."""
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Bearer" or self._ends.get(token, 0.0) <= self._monotonic():
                return _refusal(401, "Authentication failed")
            if request.headers.get("Accept", "*/*") not in {"*/*", "application/json"}:
                return _refusal(406, "Not acceptable")
            return await handler(request)

        return checked

    async def _export(self, request: web.Request) -> web.Response:
        asked = await _query(request)
        if isinstance(asked, web.Response):
            return asked
        compression = str(asked.get("compression", "NONE"))
        if compression not in {"NONE", "GZIP"}:
            return _refusal(400, "Only NONE and GZIP are practised here")
        export_id = secrets.token_hex(16)
        self._exports[export_id] = _Export(str(asked["parameters"]["application"]), compression)
        return web.json_response({"exportId": export_id})

    async def _status(self, request: web.Request) -> web.Response:
        export_id = request.match_info["export"]
        export = self._exports.get(export_id)
        if export is None:
            return _refusal(404, "No such export")
        export.asked += 1
        if self.manners.ending is Ending.ERROR:
            return web.json_response({"status": "ERROR", "errorDescription": "The query takes too long"})
        if export.asked <= self.manners.polls or self.manners.ending is Ending.STALLED:
            return web.json_response({"status": "SUBMITTED" if export.asked == 1 else "IN_PROGRESS"})
        link = secrets.token_urlsafe(24)
        if self.manners.expired_links:
            self.manners.expired_links -= 1
        else:
            self._links[link] = export_id
        url = f"{self._origin}{_STORE}/{link}.csv?X-Amz-Expires=300"
        return web.json_response({"status": "COMPLETED", "resultsFileUrl": url})

    async def _execute(self, request: web.Request) -> web.Response:
        asked = await _query(request)
        if isinstance(asked, web.Response):
            return asked
        rows: list[tuple[str, ...]] = []
        async for some in self._rows(str(asked["parameters"]["application"])):
            rows += some
        data = [dict(zip(COLUMNS, row, strict=True)) for row in rows[:CUT_AT]]
        return web.json_response(
            {
                "queryId": QUERY,
                "executedQuery": "software_metering.events | ...",
                "rows": len(data),
                "executionDateTime": text(self._directory.clock.now),
                "data": data,
            }
        )

    async def _results(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=400, text="<Error><Code>InvalidArgument</Code></Error>")
        export = self._exports.get(self._links.get(request.match_info["link"], ""))
        if export is None:
            return web.Response(status=403, text="<Error><Message>Request has expired</Message></Error>")
        file = StringIO(newline="")
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        async for some in self._rows(export.application):
            writer.writerows(some)
        body = file.getvalue().encode()
        if export.compression == "GZIP":
            body = await asyncio.to_thread(gzip.compress, body)
        return web.Response(body=body, content_type="binary/octet-stream")

    async def _rows(self, application: str) -> AsyncIterator[list[tuple[str, ...]]]:
        """Yield a row for each device of everybody who has this application or product, some at a time."""
        yield self._rows_of_members(application)
        left = iter(self._directory.numbers())
        while numbers := list(islice(left, _ROWS_AT_ONCE)):
            yield [row for number in numbers for row in self._rows_of(number, application)]
            await asyncio.sleep(0)

    def _rows_of_members(self, application: str) -> list[tuple[str, ...]]:
        start, there = self._directory.people.start, set(self._directory.numbers())
        return [
            (self._directory.person(NUMBERS[member.name]).upn, text(start - row.used_days * DAY), row.device)
            for app in APP_GROUPS
            if app.application.lower() == application.lower()
            for member in app.members
            if NUMBERS[member.name] in there
            for row in member.rows
            if row.seen_days <= _SEEN_WITHIN
        ]

    def _rows_of(self, number: int, application: str) -> list[tuple[str, ...]]:
        person = self._directory.person(number)
        if application.upper() not in {sku.part_number for sku in person.held_skus()}:
            return []
        draws = Draws(self._seed, f"nexthink/{number}/{application.upper()}")
        if draws.take(_UNSEEN) == 0:
            return []
        devices = 2 if draws.take(_SECOND_DEVICE) == 0 else 1
        rows: list[tuple[str, ...]] = []
        for device in range(devices):
            used = self._directory.people.start - draws.between(0, 85) * DAY - draws.take(DAY)
            upn = "" if draws.take(_NOBODYS) == 0 else person.upn
            rows.append((upn, text(used), f"PC-{number:05d}-{device + 1}"))
        return rows


async def _query(request: web.Request) -> dict[str, Any] | web.Response:
    """Return what is asked for, or the refusal."""
    try:
        body = json.loads(await request.text())
    except json.JSONDecodeError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("queryId"), str):
        return _refusal(400, "The body has no queryId")
    if body["queryId"] != QUERY:
        return _refusal(404, "No such query")
    parameters = body.get("parameters")
    if not isinstance(parameters, dict) or parameters.keys() != {"application"}:
        return _refusal(400, "The query takes the parameter application")
    return body


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"code": status, "message": message}, status=status)
