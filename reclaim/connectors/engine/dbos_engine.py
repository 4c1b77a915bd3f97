"""`DbosEngine`: the port `Engine` on DBOS Transact 3.4.

One job is one workflow with one step, its id the job's key, its name the job's kind. DBOS is launched inside the
running loop, so that handlers run on our loop and may use the async connections of the product.
"""

import asyncio
import logging
import socket
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final, NoReturn

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import DBOSPortableJSONSerializer as PortableJson
from sqlalchemy import Connection

from reclaim.connectors.engine.database import is_sqlite, make_engine
from reclaim.connectors.engine.lease import Lease
from reclaim.errors import ReclaimError
from reclaim.ports.engine import Handler, Job

log = structlog.stdlib.get_logger()

# One queue per group: a long directory read must not hold up chat, nor a burst of cards a removal.
QUEUES: Final = {
    "chat": (
        "wave",
        "reminder",
        "owner",
        "announce",
        "confirmation",
        "group",
        "summary",
        "receipt",
        "progress",
        "restores",
        "came_back",
        "ask_back",
        "consent",
        "consent_result",
        "waiter",
        "appeal",
    ),
    "receipts": ("receipts",),  # thousands after a campaign, and nobody waits for them
    "directory": ("sync", "exclude", "absences", "consent_run"),
    "removal": ("writeback", "verify", "task"),
    "restore": ("restore", "membership"),  # somebody waits for it: not behind a campaign's removals
    "campaign": ("open", "close", "tell", "remind", "release"),
}
_QUEUE_OF: Final = {kind: queue for queue, kinds in QUEUES.items() for kind in kinds}

_NAME: Final = "reclaim"
# Fixed: by default it is a hash of the source, and work left by the version before an upgrade would never be picked up.
_VERSION: Final = "reclaim-1"
# One process at a time holds a SQLite file, so the next one takes over the work of the last under the same name.
_SQLITE_EXECUTOR: Final = "embedded"
_UNFINISHED: Final = ["ENQUEUED", "PENDING"]
_LOOK_AGAIN_S: Final = 0.02
_SETTLE_S: Final = 5.0  # for handlers to notice that they were cancelled
_LEASE_S: Final = 10.0
_MOST_COUNTED: Final = 1_000


class JobFailedError(Exception):
    """A handler failed. Stands in for its error in the tables of DBOS, because a message may name a person."""


@dataclass(slots=True)
class Counters:
    """Jobs since the start of this process; `running` are in a handler now."""

    running: int = 0
    done: int = 0
    failed: int = 0


class DbosEngine:
    """Durable jobs in the product's own database. Without `start` it only enqueues (command-line verbs).

    Its tables must exist (`migrate`). One engine at a time can be started in a process, because DBOS is a singleton.

    Args:
        url: The database, SQLite or PostgreSQL; the driver part is ignored.
        worker_concurrency: Jobs of one queue that run at once in this process. Unlimited, a burst of jobs starves the
            clicks that are being answered.
        polling_interval_s: How often a queue is looked at. A queue drains at most concurrency / interval jobs a second.
        executor_id: Name of this process; None chooses a stable one on SQLite and a new one on PostgreSQL.

    Attributes:
        counters: For /metrics and tests.
        held_one: Set once a job came while draining; such jobs are left for the next start.
    """

    _started: ClassVar["DbosEngine | None"] = None

    def __init__(
        self, url: str, *, worker_concurrency: int = 8, polling_interval_s: float = 0.5, executor_id: str | None = None
    ) -> None:
        self._url = url
        self._worker_concurrency = worker_concurrency
        self._polling_interval_s = polling_interval_s
        self._executor_id = executor_id or (_SQLITE_EXECUTOR if is_sqlite(url) else _new_executor_id())
        self._handlers: dict[str, Handler] = {}
        self._database = make_engine(url)
        self._client = DBOSClient(
            system_database_engine=self._database, serializer=PortableJson(), application_name=_NAME, lazy=True
        )
        self._tasks: set[asyncio.Task[Any]] = set()
        self._held: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._lease = None if is_sqlite(url) else Lease(self._database, self._executor_id)
        self._lease_task: asyncio.Task[None] | None = None
        self.held_one = asyncio.Event()
        self.counters = Counters()

    def register(self, kind: str, handler: Handler) -> None:
        """See the port.

        Raises:
            ValueError: The kind has no queue, or a handler already.
        """
        if kind not in _QUEUE_OF or kind in self._handlers:
            message = f"the kind {kind!r} has no queue, or a handler already"
            raise ValueError(message)
        self._handlers[kind] = handler

    async def start(self) -> None:
        """See the port.

        Raises:
            RuntimeError: Another engine is started in this process: DBOS would silently go on with that one.
        """
        if DbosEngine._started is not None:
            message = "another engine is started in this process"
            raise RuntimeError(message)
        DbosEngine._started = self
        _quieten()
        try:
            await asyncio.to_thread(self._register_queues)
            self._launch()
        except BaseException:
            await self._destroy()
            raise
        if self._lease is not None:
            await asyncio.to_thread(self._lease.take)
            self._lease_task = asyncio.create_task(self._take_over())

    async def stop(self, drain: timedelta) -> None:
        """See the port. Jobs that were cut, or came while draining, run again at the next start."""
        if DbosEngine._started is self:
            self._stopping = True
            await self._drain(drain)
            await self._destroy()
            await asyncio.to_thread(self._give_back)
        await asyncio.to_thread(self._close)

    async def enqueue(self, job: Job) -> None:
        """See the port."""
        await self._client.enqueue_async(self._options(job), _payload(job))

    def enqueue_in(self, connection: Connection, job: Job) -> None:
        """Enqueue in the caller's open transaction on the same database: no commit, no job.

        From async code: `await connection.run_sync(engine.enqueue_in, job)`.

        Raises:
            ValueError: The key does not start with the kind, or no queue takes the kind.
        """
        self._client.enqueue_in_transaction(connection, self._options(job), _payload(job))

    async def idle(self) -> None:
        """See the port. Never to be awaited by a handler.

        Raises:
            RuntimeError: The engine is not started, so what is queued would stay there.
        """
        while True:
            if DbosEngine._started is not self:
                message = "an engine that is not started never becomes idle"
                raise RuntimeError(message)
            if not self._tasks and not await asyncio.to_thread(self._unfinished):
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def backlog(self) -> tuple[int, timedelta | None]:
        """See the port; at most 1,000 are counted. Also of an engine that is not started: the jobs are in the database."""
        waiting = await asyncio.to_thread(
            self._client.list_workflows, status="ENQUEUED", limit=_MOST_COUNTED, load_input=False, load_output=False
        )
        since = [one.created_at for one in waiting if one.created_at is not None]
        if not since:
            return len(waiting), None
        # The times of DBOS are the machine's, whatever our calendar shows.
        return len(waiting), timedelta(seconds=max(0.0, time.time() - min(since) / 1000))  # noqa: TID251

    def _options(self, job: Job) -> EnqueueOptions:
        # The same id under another workflow name is an error inside the caller's transaction, so kinds share no keys.
        if not job.key.startswith(f"{job.kind}:"):
            message = f"the key {job.key!r} must start with its kind: {job.kind}:"
            raise ValueError(message)
        if job.kind not in _QUEUE_OF:
            message = f"no queue takes jobs of the kind {job.kind!r}"
            raise ValueError(message)
        return {
            "workflow_name": job.kind,
            "queue_name": _QUEUE_OF[job.kind],
            "workflow_id": job.key,
            "app_version": _VERSION,
        }

    def _register_queues(self) -> None:
        # Before the launch: a queue that appears later is noticed by a check once a second.
        for queue in QUEUES:
            self._client.register_queue(
                queue, worker_concurrency=self._worker_concurrency, polling_interval_sec=self._polling_interval_s
            )

    def _launch(self) -> None:
        config: DBOSConfig = {
            "name": _NAME,
            "system_database_engine": self._database,
            "application_version": _VERSION,
            "executor_id": self._executor_id,
            "serializer": PortableJson(),
            "run_migrations": False,
            # We use no notifications, but a stop waits for their listener to wake up.
            "notification_listener_polling_interval_sec": self._polling_interval_s,
            "log_level": "WARNING",
        }
        DBOS(config=config)
        for kind, handler in self._handlers.items():
            DBOS.workflow(name=kind)(self._workflow(kind, handler))
        DBOS.launch()

    def _workflow(self, kind: str, handler: Handler) -> Callable[[dict[str, Any]], Awaitable[None]]:
        async def step(payload: dict[str, Any]) -> None:
            await self._carry_out(handler, Job(kind=payload["kind"], key=payload["key"], args=payload["args"]))

        async def run(payload: dict[str, Any]) -> None:
            await self._enter()
            await DBOS.run_step_async({"name": kind}, step, payload)

        return run

    async def _enter(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - DBOS runs an async workflow in a task of its own
        # Until the task ends, not only the handler: DBOS writes the outcome after it.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._stopping:
            # To fail would end the job, and to return would call it done: it waits for stop() to cancel it.
            self._held.add(task)
            self.held_one.set()
            await asyncio.Event().wait()

    async def _carry_out(self, handler: Handler, job: Job) -> None:
        self.counters.running += 1
        try:
            with structlog.contextvars.bound_contextvars(correlation_id=job.key):
                await self._guard(handler, job)
        finally:
            self.counters.running -= 1

    async def _guard(self, handler: Handler, job: Job) -> None:
        """Run the handler; one of the three places where every error is caught."""
        try:
            await handler(job)
        except ReclaimError as error:
            # No message: it may name a person.
            log.warning("job failed", error=error.code)
            self._fail(job)
        except Exception:
            log.exception("job failed")
            self._fail(job)
        else:
            self.counters.done += 1

    def _fail(self, job: Job) -> NoReturn:
        self.counters.failed += 1
        raise JobFailedError(job.key) from None

    async def _drain(self, drain: timedelta) -> None:
        if self._lease_task is not None:
            self._lease_task.cancel()
        if busy := self._tasks - self._held:
            await asyncio.wait(busy, timeout=drain.total_seconds())
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_SETTLE_S)

    async def _destroy(self) -> None:
        # DBOS puts its own pool behind asyncio.to_thread and ends it here: without a new one, the process could not
        # even shut down in order.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        # In a thread, because it joins threads, some of which may be waiting for this loop.
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        DbosEngine._started = None

    def _unfinished(self) -> bool:
        return bool(self._client.list_workflows(status=_UNFINISHED, limit=1, load_input=False, load_output=False))

    def _give_back(self, executor_id: str | None = None) -> int:
        """Queue what this process (or a dead one) began and did not finish; return how many jobs."""
        begun = self._client.list_workflows(
            status="PENDING", executor_id=executor_id or self._executor_id, load_input=False, load_output=False
        )
        by_queue: defaultdict[str, list[str]] = defaultdict(list)
        for workflow in begun:
            by_queue[_QUEUE_OF[workflow.name]].append(workflow.workflow_id)
        for queue, keys in by_queue.items():
            self._client.resume_workflows(keys, queue_name=queue)
        return len(begun)

    async def _take_over(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._take_over_once)
            except Exception:
                log.exception("looking for dead processes failed")
            await asyncio.sleep(_LEASE_S)

    def _take_over_once(self) -> None:
        assert self._lease is not None  # noqa: S101 - only PostgreSQL starts this task
        self._lease.take()
        begun = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        others = {each.executor_id for each in begun if each.executor_id} - {self._executor_id}
        for executor_id in others:
            with self._lease.of_dead(executor_id) as is_dead:
                if is_dead:
                    log.warning("took over jobs of a dead process", jobs=self._give_back(executor_id))

    def _close(self) -> None:
        if self._lease is not None:
            self._lease.drop()
        self._client.destroy()
        self._database.dispose()


def _payload(job: Job) -> dict[str, Any]:
    return {"kind": job.kind, "key": job.key, "args": dict(job.args)}


def _new_executor_id() -> str:
    return f"{socket.gethostname()}-{uuid.uuid4().hex}"


def _quieten() -> None:
    """Send what DBOS logs from warnings on to our log, and stop it from adding a console handler of its own."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the second report of a handler's error: ours has the correlation id."""
    return not (record.exc_info and isinstance(record.exc_info[1], JobFailedError))
