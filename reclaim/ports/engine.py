"""Durable work: jobs that survive a crash and run at least once.

A handler is idempotent by our own rows. A finished key never runs again, so a key that may have to run again ends in an
attempt number from our own row (`wb:{order}:{attempt}`). Nothing here waits: due dates live in our tables.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work.

    Attributes:
        kind: Name of the registered handler; the key is prefixed by it.
        key: Unique for ever; the same key twice is one job.
        args: JSON values of ids and small numbers only: no personal data.
    """

    kind: str
    key: str
    args: Mapping[str, str | int] = field(default_factory=dict)


Handler = Callable[[Job], Awaitable[None]]


class Backlog(Protocol):
    """What waits to be begun."""

    async def backlog(self) -> tuple[int, timedelta | None]:
        """Return how many jobs nobody has begun, and how long the oldest of them waits, in real time."""
        ...


class Engine(Backlog, Protocol):
    """Runs jobs. Only `app.py` registers handlers; only `serve` and `rehearse` start one."""

    def register(self, kind: str, handler: Handler) -> None:
        """Name the handler of a kind; before `start`."""
        ...

    async def start(self) -> None:
        """Start in the running loop; unfinished jobs of an earlier process run again."""
        ...

    async def stop(self, drain: timedelta) -> None:
        """Take no more work, wait at most `drain` for running handlers, cancel the rest."""
        ...

    async def enqueue(self, job: Job) -> None:
        """Enqueue in a transaction of its own. Inside a unit of work use its `enqueue` instead."""
        ...

    async def idle(self) -> None:
        """Return when nothing is queued or running (rehearsal and tests)."""
        ...
