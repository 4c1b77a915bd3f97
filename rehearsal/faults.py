"""Failures on demand: what a network or a busy service does to a request, armed by control.

A fault waits for the first request that fits, is used up by it, and does one of the things in `Kind`. Sources:
concepts/throttling (429 and Retry-After), concepts/errors (5xx may come although the write was done).
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from aiohttp import web

from rehearsal import errors
from rehearsal.gate import Handler, error_response

_SERVER_ERRORS = {
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
    409: "Directory_ConcurrencyViolation",
}


class Kind(StrEnum):
    """What a fault does."""

    THROTTLE = "throttle"  # answers 429 with Retry-After; nothing is done
    STATUS = "status"  # answers with a status; nothing is done
    APPLIED_LOST = "applied_lost"  # does the work, then answers with a status, or cuts the connection if none is given
    GARBAGE = "garbage"  # answers 200 with a page that is no JSON; nothing is done
    HALF_BODY = "half_body"  # does the work and cuts the connection in the middle of the answer
    SLOW = "slow"  # waits before it does the work
    PREMIUM = "premium"  # answers that the tenant is not premium; nothing is done


@dataclass(slots=True)
class Fault:
    """One armed failure.

    Attributes:
        kind: What it does.
        method: HTTP method that it waits for; None for any.
        path: Searched in the path, and in the path with its query.
        status: For `status` (500 if None) and `applied_lost` (cut if None).
        times: How many requests it still hits.
        after: How many fitting requests it still lets pass first.
        retry_after: Seconds: the Retry-After of `throttle`, the wait of `slow`.
    """

    kind: Kind
    method: str | None
    path: re.Pattern[str]
    status: int | None
    times: int
    after: int
    retry_after: int

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> "Fault":
        """Read a fault as control receives it.

        Raises:
            ValueError: A field is unknown or of the wrong kind.
        """
        unknown = body.keys() - {"kind", "method", "path", "status", "times", "after", "retry_after"}
        if unknown:
            message = f"a fault has no field {min(unknown)!r}"
            raise ValueError(message)
        method = body.get("method")
        status = body.get("status")
        try:
            return cls(
                kind=Kind(str(body.get("kind"))),
                method=None if method is None else str(method).upper(),
                path=re.compile(body.get("path", "")),
                status=None if status is None else int(status),
                times=int(body.get("times", 1)),
                after=int(body.get("after", 0)),
                retry_after=int(body.get("retry_after", 1)),
            )
        except (re.error, TypeError) as error:
            message = f"not a fault: {error}"
            raise ValueError(message) from error

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
            if not fault.fits(request):
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._armed.remove(fault)
            return fault
        return None


async def suffer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request as the fault says."""
    match fault.kind:
        case Kind.THROTTLE:
            return error_response(request, errors.too_many_requests(fault.retry_after))
        case Kind.PREMIUM:
            return error_response(request, errors.no_premium())
        case Kind.STATUS:
            return _server_error(request, fault.status or 500)
        case Kind.GARBAGE:
            return web.Response(text="<html><body>Please wait ...</body></html>", content_type="text/html")
        case Kind.SLOW:
            await asyncio.sleep(fault.retry_after)
            return await handler(request)
        case Kind.APPLIED_LOST:
            response = await handler(request)
            return cut(request, response) if fault.status is None else _server_error(request, fault.status)
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


def _server_error(request: web.Request, status: int) -> web.Response:
    code = _SERVER_ERRORS.get(status, "UnknownError")
    return error_response(request, errors.GraphError(status, code, "The service could not answer. Please try again."))
