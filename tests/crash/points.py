"""Named points at which a process can die, made by wrapping what the composition root puts together.

A point is called after the job or click that runs, whether it is before or after, and what: `writeback: after
remove_direct`, `open: before items.add_many`, `close: after removal_planned`. A commit answers to every event that it
stores and to every repository call in it, with the state that was stored (`orders.save frozen`). The end of a handler,
before the engine writes down that the job is done, is `<kind>: done`.

The product has no hook for any of this: the wrappers stand where `app.compose` names its parts.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Collection, Iterator, Set
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import app
from bot.inbound import Sent, Transport
from cards.view import CardView
from reclaim.connectors.engine import DbosEngine
from reclaim.connectors.graph import directory as graph_directory
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.ports.directory import ReadBack, SeatWriter, WriteResult
from reclaim.ports.engine import Handler, Job
from reclaim.ports.storage import DecisionWrite, UnitOfWork
from reclaim.services import close_campaign, start_campaign
from storage.decisions import DecisionBatcher
from storage.engine import Database
from storage.unit_of_work import EnqueueIn, SqlWork

Result = TypeVar("Result")

# Small, so that a campaign of nine seats is opened and closed in several transactions, and 30 people are three pages.
CHUNK = 3
PEOPLE_PER_PAGE = 10

_running: ContextVar[str] = ContextVar("running", default="start")


class Points:
    """Counts the points that are passed, and dies at the `nth` one called `at`, leaving a note of where.

    Args:
        at: The point; None to live.
        nth: From 1.
        note: Is written right before the end, with the name of the point.
    """

    def __init__(self, at: str | None, nth: int, note: Path) -> None:
        self._at = at
        self._nth = nth
        self._note = note
        self._passed: Counter[str] = Counter()

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Call the points in this block after what runs in it."""
        before = _running.set(what)
        try:
            yield
        finally:
            _running.reset(before)

    def pass_by(self, when: str, names: Set[str]) -> None:
        for name in names:
            point = f"{_running.get()}: {when} {name}" if name else f"{_running.get()}: {when}"
            self._passed[point] += 1
            if point == self._at and self._passed[point] == self._nth:
                self._note.write_text(point)
                os.kill(os.getpid(), signal.SIGKILL)

    async def around(self, call: Awaitable[Result], *names: str) -> Result:
        self.pass_by("before", set(names))
        result = await call
        self.pass_by("after", set(names))
        return result


class _Repository:
    """Notes what is called on a repository, and with which state or events."""

    def __init__(self, repository: Any, name: str, seen: set[str]) -> None:
        self._repository = repository
        self._name = name
        self._seen = seen

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._repository, method)

        def noted(*args: Any, **named: Any) -> Any:
            self._seen.add(f"{self._name}.{method}")
            for one in args:
                if state := getattr(one, "state", None):
                    self._seen.add(f"{self._name}.{method} {state}")
                if kind := getattr(one, "kind", None):
                    self._seen.add(str(kind))
            return real(*args, **named)

        return noted


class _Unit:
    """A unit of work whose commit is a point."""

    def __init__(self, unit: UnitOfWork, points: Points) -> None:
        self._unit = unit
        self._points = points
        self._seen: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return _Repository(getattr(self._unit, name), name, self._seen)

    async def enqueue(self, job: Job) -> None:
        await self._unit.enqueue(job)

    async def commit(self) -> None:
        await self._points.around(self._unit.commit(), *self._seen)


class _Work:
    points: Points

    def __init__(self, database: Database, enqueue: EnqueueIn) -> None:
        self._real = SqlWork(database, enqueue)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        async with self._real.write() as unit:
            yield _Unit(unit, self.points)

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._real.read()

    def answering(self) -> AbstractContextManager[None]:
        return self._real.answering()

    async def give_way(self) -> None:
        await self._real.give_way()


class _Decisions(DecisionBatcher):
    points: Points

    async def record(self, write: DecisionWrite) -> bool:
        return await self.points.around(super().record(write), "record")


class _Engine(DbosEngine):
    """One job at a time over all queues, so that a process dies in one of them only."""

    points: Points

    def __init__(self, url: str, *, polling_interval_s: float) -> None:
        super().__init__(url, polling_interval_s=polling_interval_s, worker_concurrency=1)
        self._alone = asyncio.Lock()

    def register(self, kind: str, handler: Handler) -> None:
        async def mortal(job: Job) -> None:
            async with self._alone:
                with self.points.during(kind):
                    await handler(job)
                    self.points.pass_by("done", {""})

        super().register(kind, mortal)


class MortalWriter:
    """A call to Graph is a point before it leaves and after it was answered."""

    def __init__(self, writer: SeatWriter, points: Points) -> None:
        self._writer = writer
        self._points = points

    async def turn(self, *, clicked: bool) -> None:
        await self._writer.turn(clicked=clicked)

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        call = self._writer.remove_direct(person, *products, client_request_id=client_request_id)
        return await self._points.around(call, "remove_direct")

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        call = self._writer.leave_group(person, group, client_request_id=client_request_id)
        return await self._points.around(call, "leave_group")

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        call = self._writer.assign_direct(person, product, disabled_plans, client_request_id=client_request_id)
        return await self._points.around(call, "assign_direct")

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        call = self._writer.join_group(person, group, client_request_id=client_request_id)
        return await self._points.around(call, "join_group")

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return await self._points.around(self._writer.read_back(person, product), "read_back")


class MortalTransport:
    """A card is a point before it leaves and after it stands in the chat."""

    def __init__(self, transport: Transport, points: Points) -> None:
        self._transport = transport
        self._points = points
        self.channel = transport.channel

    async def check(self) -> None:
        await self._transport.check()

    async def reach(self, person: PersonId) -> str | None:
        return await self._transport.reach(person)

    async def send(self, conversation: str, card: CardView) -> Sent:
        return await self._points.around(self._transport.send(conversation, card), "send")

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        return await self._points.around(self._transport.update(conversation, external_id, card), "update")


@contextmanager
def mortal(points: Points) -> Iterator[None]:
    """Let what is composed in this block die at the points."""
    parts: dict[str, Any] = {
        name: type(part.__name__, (part,), {"points": points})
        for name, part in {"SqlWork": _Work, "DecisionBatcher": _Decisions, "DbosEngine": _Engine}.items()
    }
    with (
        mock.patch.multiple(app, **parts),
        mock.patch.object(start_campaign, "CHUNK", CHUNK),
        mock.patch.object(close_campaign, "CHUNK", CHUNK),
        mock.patch.object(graph_directory, "PEOPLE_PER_PAGE", PEOPLE_PER_PAGE),
    ):
        yield
