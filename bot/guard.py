"""Pure checks that all channels share, before anything is believed: size, shape, depth, repeats, rate.

What comes in is untrusted. A channel reads a body with `read_body`; the router asks `SeenRequests` and `Rate` for each
request. Nothing here knows a channel or does I/O.
"""

import json
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from reclaim.domain.ids import PersonId
from reclaim.errors import InvalidRequest
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock

MAX_BODY: Final = 256 * 1024
MAX_DEPTH: Final = 20
MAX_STRING: Final = 20_000
MAX_KEY: Final = 200
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")
_KEEP_KEYS = timedelta(days=1)  # channels repeat a request within minutes


class Refused(Exception):
    """A request is not let in by a channel's front guard.

    Attributes:
        status: 400, 401, 403, 413 or, while what proves it cannot be fetched at all, 503.
        cause: One word for the log; it holds nothing that the sender wrote.
    """

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause


def read_body(raw: bytes, *, max_bytes: int = MAX_BODY) -> dict[str, object]:
    """Return a body as a JSON object.

    Raises:
        InvalidRequest: It is too large, no UTF-8, no JSON object, nested too deeply, or holds a text that is too long.
    """
    if len(raw) > max_bytes:
        raise InvalidRequest(f"This is more than {max_bytes:,} bytes.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("This is not UTF-8.") from error
    _check_nesting(text)
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise InvalidRequest("This is not valid JSON.") from error
    if not isinstance(body, dict):
        raise InvalidRequest("This is not a JSON object.")
    check_shape(body)
    return body


def check_shape(value: object) -> None:
    """Refuse a value that is nested too deeply or holds a text that is too long; walks without recursion.

    Raises:
        InvalidRequest: It does.
    """
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, str) and len(one) > MAX_STRING:
            raise InvalidRequest(f"A text has more than {MAX_STRING:,} characters.")
        if isinstance(one, (dict, list)) and depth > MAX_DEPTH:
            raise InvalidRequest(f"This is nested more than {MAX_DEPTH} levels deep.")
        if isinstance(one, dict):
            waiting += [(part, depth + 1) for pair in one.items() for part in pair]
        elif isinstance(one, list):
            waiting += [(part, depth + 1) for part in one]


def check_key(key: str) -> str:
    """Return a channel's request id if it can be one.

    Raises:
        InvalidRequest: It is empty, too long, or holds what cannot be printed.
    """
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise InvalidRequest("This request has no usable id.")
    return key


class SeenRequests(Protocol):
    """Remembers which requests came already: channels repeat what was not answered in time."""

    async def first_time(self, key: str) -> bool:
        """Return True once per key."""
        ...


class StoredRequests:
    """`SeenRequests` in storage, so that a repeat is known on every replica and after a restart."""

    def __init__(self, *, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def first_time(self, key: str) -> bool:
        """Return True once per key."""
        async with self._work.write() as unit:
            first = await unit.controls.first_time(key, at=self._clock.now(), keep=_KEEP_KEYS)
            await unit.commit()
        return first


class Rate:
    """A token bucket per person: a burst, then so many requests a second.

    Real time, not calendar time: in a rehearsal the calendar stands still between two moves.

    Args:
        monotonic: Seconds that only grow.
        burst: Requests at once.
        per_second: How fast the bucket fills again.
        most: People remembered; a full bucket is forgotten first, as it says nothing.
    """

    def __init__(
        self, *, monotonic: Callable[[], float], burst: int = 60, per_second: float = 2.0, most: int = 10_000
    ) -> None:
        self._monotonic = monotonic
        self._burst = burst
        self._per_second = per_second
        self._most = most
        self._buckets: dict[PersonId, tuple[float, float]] = {}

    def take(self, person: PersonId) -> int:
        """Take one; return 0, or for how many seconds the person should wait."""
        now = self._monotonic()
        left, at = self._buckets.pop(person, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._per_second)
        if left < 1:
            self._buckets[person] = (left, now)
            return max(1, math.ceil((1 - left) / self._per_second))
        if len(self._buckets) >= self._most:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[person] = (left - 1, now)
        return 0


def _check_nesting(text: str) -> None:
    """Refuse deep nesting before the parser meets it: `json` recurses."""
    depth = 0
    in_string = escaped = False
    for c in text:
        if in_string:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
        elif c in _OPENING:
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidRequest(f"This is nested more than {MAX_DEPTH} levels deep.")
        elif c in _CLOSING:
            depth -= 1


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
