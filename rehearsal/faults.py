"""Failures on demand: what a network or a busy service does to a request, armed by control.

A fault waits for requests that fit, hits some or all of them until it is used up, and does one of the things in `Kind`.
Sources:
concepts/throttling (429 and Retry-After), concepts/errors (5xx may come although the write was done).
"""

import asyncio
import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, assert_never

from aiohttp import web

from rehearsal import errors
from rehearsal.gate import Handler, error_response

_T = TypeVar("_T")
_FIRST_ERROR, _LAST_ERROR = 400, 599
_ALWAYS = 100
_FIELDS = frozenset(
    {"kind", "method", "path", "status", "code", "message", "times", "after", "retry_after", "percent", "seed"}
)
_SERVER_ERRORS = {
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
    409: "Directory_ConcurrencyViolation",
}


class Kind(StrEnum):
    """What a fault does."""

    THROTTLE = "throttle"  # answers 429, with Retry-After unless `retry_after` is null; nothing is done
    STATUS = "status"  # answers with a status; nothing is done
    LOST = "lost"  # cuts the connection; nothing is done
    APPLIED_LOST = "applied_lost"  # does the work, then answers with a status, or cuts the connection if none is given
    GARBAGE = "garbage"  # answers 200 with what says that it is JSON and is not; nothing is done
    WRONG_TYPE = "wrong_type"  # answers 200 with a proxy's page of HTML; nothing is done
    HALF_BODY = "half_body"  # does the work and cuts the connection in the middle of the answer
    SLOW = "slow"  # waits before it does the work
    RESYNC = "resync"  # answers 410 with the Location of a new round of /users/delta; nothing is done
    PREMIUM = "premium"  # answers that the tenant is not premium; nothing is done


_SECONDS = {Kind.THROTTLE: 1, Kind.SLOW: 1}


@dataclass(slots=True)
class Fault:
    """One armed failure.

    Attributes:
        kind: What it does.
        method: HTTP method that it waits for; None for any.
        path: Searched in the path, and in the path with its query.
        status: For `status` (500 if None) and `applied_lost` (cut if None).
        code: Graph's error code beside that status; None for the usual one.
        message: Its words; None for the usual ones.
        times: How many requests it still hits; None for as many as come.
        after: How many fitting requests it still lets pass first.
        retry_after: Seconds: the Retry-After of an answer (None for none), the wait of `slow`.
        chance: Draws whether it hits a fitting request; None if it always does. The same seed draws the same.
        percent: Of 100 fitting requests it hits so many.
        hits: How many requests it has hit.
    """

    kind: Kind
    method: str | None
    path: re.Pattern[str]
    status: int | None
    code: str | None
    message: str | None
    times: int | None
    after: int
    retry_after: float | None
    percent: int
    chance: random.Random
    hits: int = 0

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> "Fault":
        """Read a fault as control receives it.

        Raises:
            ValueError: A field is unknown or of the wrong kind.
        """
        unknown = body.keys() - _FIELDS
        if unknown:
            message = f"a fault has no field {min(unknown)!r}"
            raise ValueError(message)
        kind = Kind(str(body.get("kind")))
        try:
            fault = cls(
                kind=kind,
                method=_optional(body.get("method"), lambda value: str(value).upper()),
                path=re.compile(body.get("path", "")),
                status=_optional(body.get("status"), int),
                code=_optional(body.get("code"), str),
                message=_optional(body.get("message"), str),
                times=_optional(body.get("times", 1), int),
                after=int(body.get("after", 0)),
                retry_after=_optional(body.get("retry_after", _SECONDS.get(kind)), float),
                percent=int(body.get("percent", 100)),
                chance=random.Random(int(body.get("seed", 0))),
            )
        except (re.error, TypeError) as error:
            message = f"not a fault: {error}"
            raise ValueError(message) from error
        fault._check()
        return fault

    def _check(self) -> None:
        if self.status is not None and not _FIRST_ERROR <= self.status <= _LAST_ERROR:
            message = f"'status' is from {_FIRST_ERROR} to {_LAST_ERROR}"
            raise ValueError(message)
        if not 1 <= self.percent <= _ALWAYS:
            message = f"'percent' is from 1 to {_ALWAYS}"
            raise ValueError(message)
        if (self.times is not None and self.times < 1) or self.after < 0 or (self.retry_after or 0) < 0:
            message = "'times' is 1 or more, or null for ever; 'after' and 'retry_after' are 0 or more"
            raise ValueError(message)

    def told(self) -> dict[str, Any]:
        """Return what is left of it, for control."""
        return {
            "kind": self.kind,
            "method": self.method,
            "path": self.path.pattern,
            "status": self.status,
            "times": self.times,
            "after": self.after,
            "percent": self.percent,
            "hits": self.hits,
        }

    def strikes(self, request: web.Request) -> bool:
        """Say whether it hits this request, and count it."""
        if not self.fits(request):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.percent < _ALWAYS and self.chance.randrange(_ALWAYS) >= self.percent:
            return False
        self.hits += 1
        if self.times is not None:
            self.times -= 1
        return True

    def fits(self, request: web.Request) -> bool:
        """Say whether a request is one of those that the fault waits for."""
        if self.method not in {None, request.method}:
            return False
        with_query = f"{request.path}?{request.query_string}"
        return self.path.search(request.path) is not None or self.path.search(with_query) is not None


class Faults:
    """All armed failures; the one armed first is used first."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Add a failure."""
        self._armed.append(fault)

    def clear(self) -> None:
        """Forget every failure."""
        self._armed.clear()

    def take(self, request: web.Request) -> Fault | None:
        """Return the failure that hits this request, using it up, or None."""
        for fault in self._armed:
            if fault.strikes(request):
                if fault.times == 0:
                    self._armed.remove(fault)
                return fault
        return None

    def told(self) -> list[dict[str, Any]]:
        """Return what is armed, in order."""
        return [fault.told() for fault in self._armed]


async def suffer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request as the fault says."""
    match fault.kind:
        case Kind.THROTTLE:
            return error_response(request, errors.too_many_requests(_whole(fault.retry_after)))
        case Kind.PREMIUM:
            return error_response(request, errors.no_premium())
        case Kind.RESYNC:
            return error_response(request, errors.resync_required(f"{request.url.origin()}/v1.0"))
        case Kind.STATUS:
            return _server_error(request, fault, fault.status or 500)
        case Kind.LOST:
            return cut(request, web.Response(status=500))
        case Kind.GARBAGE:
            return web.Response(body=b'{"value":[{"id":\x00\xff<<', content_type="application/json")
        case Kind.WRONG_TYPE:
            return web.Response(text="<html><body>Please wait ...</body></html>", content_type="text/html")
        case Kind.SLOW:
            await asyncio.sleep(fault.retry_after or 0)
            return await handler(request)
        case Kind.APPLIED_LOST:
            response = await handler(request)
            return cut(request, response) if fault.status is None else _server_error(request, fault, fault.status)
        case Kind.HALF_BODY:
            return await _send_half(request, await handler(request))
        case _:
            assert_never(fault.kind)


def cut(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Cut the connection so that the caller never sees the answer."""
    if request.transport is not None:
        request.transport.abort()
    return response


def was_cut(request: web.Request) -> bool:
    """Say whether the caller was left without a whole answer, by `cut` or by going away."""
    return request.transport is None or request.transport.is_closing()


async def _send_half(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": "application/json"})
    half.content_length = max(len(body), 2)
    await half.prepare(request)
    await half.write(body[: len(body) // 2] or b"{")
    return cut(request, half)


def _server_error(request: web.Request, fault: Fault, status: int) -> web.Response:
    code = fault.code or _SERVER_ERRORS.get(status, "UnknownError")
    message = fault.message or "The service could not answer. Please try again."
    return error_response(request, errors.GraphError(status, code, message, _whole(fault.retry_after)))


def _whole(seconds: float | None) -> int | None:
    """Return seconds as Retry-After has them."""
    return None if seconds is None else math.ceil(seconds)


def _optional(value: Any, read: Callable[[Any], _T]) -> _T | None:
    return None if value is None else read(value)
