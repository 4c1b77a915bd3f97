"""Limits of the service: how many writes, and how many reads of sign-in activity, the tenant takes in a time.

Off until control switches one on, since a rehearsal is to be quick. Counted in real time, per application, over a sliding
window; a rejected call counts as well. Sources: throttling-limits (identity and access: writes; signInActivity), throttling
(Retry-After, x-ms-throttle-scope, x-ms-throttle-information, x-ms-throttle-limit-percentage above 0.8).
"""

import math
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from aiohttp import web

from rehearsal import errors

_NEAR = 0.8


class Counted(StrEnum):
    """What is counted together."""

    WRITES = "writes"
    SIGN_INS = "sign_ins"


_INFORMATION = {Counted.WRITES: "WriteLimitExceeded", Counted.SIGN_INS: "ResourceUnitLimitExceeded"}
_SCOPES = {Counted.WRITES: "ReadWrite", Counted.SIGN_INS: "Read"}


class Limit:
    """So many calls in so many seconds."""

    def __init__(self, counted: Counted, calls: int, window_s: float, monotonic: Callable[[], float]) -> None:
        if calls < 1 or window_s <= 0:
            message = "a limit has at least one call, in a time above 0"
            raise ValueError(message)
        self.counted = counted
        self.calls = calls
        self.window_s = window_s
        self.refused = 0
        self._monotonic = monotonic
        self._made: deque[float] = deque()

    def count(self) -> tuple[float, float | None]:
        """Count a call; return the share of the limit that is used now, and the seconds to wait if it is refused."""
        now = self._monotonic()
        while self._made and self._made[0] <= now - self.window_s:
            self._made.popleft()
        self._made.append(now)
        used = len(self._made) / self.calls
        if used <= 1:
            return used, None
        self.refused += 1
        return used, self._made[-self.calls] + self.window_s - now


class Throttle:
    """The limits that are switched on."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._limits: dict[Counted, Limit] = {}

    def set(self, counted: Counted, calls: int | None, window_s: float) -> None:
        """Switch a limit on, or off where `calls` is None; what was counted before is forgotten.

        Raises:
            ValueError: It is no limit.
        """
        self._limits.pop(counted, None)
        if calls is not None:
            self._limits[counted] = Limit(counted, calls, window_s, self._monotonic)

    def told(self) -> dict[str, Any]:
        """Return the limits, and how often each refused."""
        return {
            counted: {"calls": limit.calls, "window_s": limit.window_s, "refused": limit.refused}
            for counted, limit in self._limits.items()
        }

    def count(self, request: web.Request) -> dict[str, str]:
        """Count a request below Graph's address, and return the headers of its answer.

        Raises:
            GraphError: One limit is used up.
        """
        counted = _counted(request)
        limit = None if counted is None else self._limits.get(counted)
        if limit is None:
            return {}
        used, wait_s = limit.count()
        if wait_s is not None:
            raise errors.too_many_requests(
                math.ceil(wait_s),
                {
                    "x-ms-throttle-scope": f"Tenant_Application/{_SCOPES[limit.counted]}",
                    "x-ms-throttle-information": _INFORMATION[limit.counted],
                },
            )
        return {"x-ms-throttle-limit-percentage": f"{used:.2f}"} if used >= _NEAR else {}


def _counted(request: web.Request) -> Counted | None:
    if request.method != "GET":
        # checkMemberGroups is asked by POST and writes nothing.
        return Counted.WRITES if request.path.endswith(("/assignLicense", "/$ref")) else None
    return Counted.SIGN_INS if "signInActivity" in request.query.get("$select", "") else None
