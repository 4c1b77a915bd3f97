"""The decision batcher: what arrives while one commit runs is stored together by the next (group commit).

A commit waits for the disk, so one commit per click is the ceiling of a single writer. There is no timer and so no
added wait: an idle batcher stores a lone decision at once. On SQLite one thread commits on a synchronous engine (three
times as quick as through aiosqlite, measured), on PostgreSQL the async engine does.

The domain has approved every value that comes here. `_write` only checks again what may have changed since the item was
read: version, assignee, outcome, and that the campaign is still open.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, RowMapping, insert, select

from reclaim.domain.campaign import CampaignState
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import GroupId, ItemId, PersonId
from reclaim.errors import Conflict, PortError
from reclaim.ports.storage import DecisionWrite, ToDecide
from storage.decision_reads import DecisionReads
from storage.engine import Database
from storage.repositories.event_rows import insert_events
from storage.repositories.item_rows import (
    Assignment,
    answer_values,
    next_version,
    start_assignments,
    update_next_version,
)
from storage.repositories.people import reviewers_in
from storage.tables import campaigns, decisions, review_items
from storage.unit_of_work import translated

BATCH = 64

Settled = bool | Conflict  # stored or replayed, too late, or the same key with another content


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A decision on its way, and the future that its caller waits for."""

    write: DecisionWrite
    done: asyncio.Future[bool]


class DecisionBatcher:
    """Implements `ports.storage.DecisionLog`. One per process, between `start` and `stop`.

    Args:
        database: Open and migrated; outlives the batcher.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = DecisionReads(database)
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()
        # Starts its thread with the first batch, so on PostgreSQL never.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decisions")
        self._runner: asyncio.Task[None] | None = None
        self._accepts = False

    async def start(self) -> None:
        """Take decisions from now on, in the running loop."""
        self._runner = asyncio.create_task(self._run(), name="decisions")
        self._accepts = True

    async def stop(self) -> None:
        """Take no more decisions, store those that wait, then end. A second call waits for the same end."""
        if self._accepts:
            self._accepts = False
            self._queue.put_nowait(None)
        if self._runner is not None:
            # Whoever gives up waiting for the end must not take down the batch that is being stored.
            await asyncio.shield(self._runner)
        self._thread.shutdown()
        self._reads.close()

    async def load(self, items: Iterable[ItemId]) -> ToDecide:
        """Return what is there of these items; see `decision_reads`."""
        return await self._reads.load(items)

    async def record(self, write: DecisionWrite) -> bool:
        """Store one decision durably; a caller that is cancelled meanwhile leaves it to be stored all the same.

        Raises:
            Conflict: The same key came with another content.
            PortError: Not started, or stopping; or the database did not answer.
        """
        if not self._accepts:
            raise PortError("Reclaim is restarting. Please answer again in a minute.")
        waiting = _Waiting(write, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.done

    async def _run(self) -> None:
        ending = False
        while not ending:
            arrived = [await self._queue.get()]
            while len(arrived) < BATCH and not self._queue.empty():
                arrived.append(self._queue.get_nowait())
            # The end mark is the last thing ever queued: after it nothing is accepted.
            ending = arrived[-1] is None
            if batch := [one for one in arrived if one is not None]:
                await self._settle(batch)

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        """Store a batch and answer each caller; one bad row fails alone."""
        try:
            results = await self._commit_twice([one.write for one in batch])
        except PortError as error:
            # The database is busy or gone, and that concerns all. To ask again for each would take as many time-outs.
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - raised where the caller waits; the batcher must live on
            if len(batch) == 1:
                _fail(batch, error)
            else:
                for one in batch:
                    await self._settle([one])
        else:
            for one, result in zip(batch, results, strict=True):
                _tell(one.done, result)

    async def _commit_twice(self, writes: Sequence[DecisionWrite]) -> list[Settled]:
        """Store a batch; if that fails, once more.

        A deadlock is gone by then. Where another replica stored the same key a moment ago, or only the answer to our
        commit was lost, the second look finds the row: it is a replay.
        """
        try:
            return await self._commit(writes)
        except Exception:  # noqa: BLE001 - what is not gone comes up again
            return await self._commit(writes)

    async def _commit(self, writes: Sequence[DecisionWrite]) -> list[Settled]:
        engine = self._database.thread
        with translated():
            if engine is not None:
                loop = asyncio.get_running_loop()
                async with self._database.turn(answer=True):
                    return await loop.run_in_executor(self._thread, _commit_on, engine, writes)
            async with self._database.writes.begin() as connection:
                return await connection.run_sync(_write, writes)


def _commit_on(engine: Engine, writes: Sequence[DecisionWrite]) -> list[Settled]:
    with engine.begin() as connection:
        return _write(connection, writes)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for one in batch:
        if not one.done.done():
            one.done.set_exception(error)


def _tell(done: asyncio.Future[bool], result: Settled) -> None:
    """Answer the caller, unless it has been cancelled."""
    if done.done():
        return
    if isinstance(result, Conflict):
        done.set_exception(result)
    else:
        done.set_result(result)


def _write(connection: Connection, writes: Sequence[DecisionWrite]) -> list[Settled]:
    """Store, in the given transaction, every decision that still holds; return what became of each, in their order."""
    stored = _lock_items(connection, writes)
    members = _members(connection, stored.values())
    # Read after the locks: whoever stored the same key for the same item has committed by now.
    known = _known_keys(connection, writes)
    results: list[Settled] = []
    won: dict[ItemId, DecisionWrite] = {}
    for write in writes:
        sha256 = known.get(write.idem_key)
        if sha256 is not None:
            results.append(_replayed(write, sha256))
            continue
        holds = write.item.id not in won and _still_holds(stored.get(write.item.id), write, members)
        results.append(holds)
        if holds:
            won[write.item.id] = write
            known[write.idem_key] = write.request_sha256
    _store(connection, list(won.values()), stored)
    return results


def _lock_items(connection: Connection, writes: Sequence[DecisionWrite]) -> dict[ItemId, RowMapping]:
    """Return the stored items of open campaigns, locked.

    FOR SHARE on the campaign makes a closing that comes now wait for us; one that came first we wait for, and then find
    the campaign closed. Campaigns before items, each by id: replicas that lock in one order cannot block each other.
    SQLite has no row locks; there the transaction has held the one write lock since it began.
    """
    open_ones = frozenset(
        connection.scalars(
            select(campaigns.c.id)
            .where(campaigns.c.id.in_({write.item.campaign_id for write in writes}))
            .where(campaigns.c.state == CampaignState.OPEN.value)
            .order_by(campaigns.c.id)
            .with_for_update(read=True)
        )
    )
    item = review_items.c
    # By id alone: asked for the campaign too, SQLite reads all of its items, 60,000 of them in 40 ms.
    rows = connection.execute(
        select(item.id, item.campaign_id, item.version, item.assignee_id, item.assignee_kind, item.outcome)
        .where(item.id.in_({write.item.id for write in writes}))
        .order_by(item.id)
        .with_for_update()
    )
    return {ItemId(row["id"]): row for row in rows.mappings() if row["campaign_id"] in open_ones}


def _known_keys(connection: Connection, writes: Sequence[DecisionWrite]) -> dict[str, str]:
    """Return the request hash of each key of these writes that is stored already."""
    keys = {write.idem_key for write in writes}
    query = select(decisions.c.idem_key, decisions.c.request_sha256).where(decisions.c.idem_key.in_(keys))
    return {row.idem_key: row.request_sha256 for row in connection.execute(query)}


def _replayed(write: DecisionWrite, sha256: str) -> Settled:
    if sha256 == write.request_sha256:
        return True
    return Conflict("This form was sent before with another answer. You see the present state now.")


def _members(connection: Connection, stored: Iterable[RowMapping]) -> dict[GroupId, frozenset[PersonId]]:
    """Return who can review in the groups that have these items; most batches have none, and cost no read."""
    groups = {GroupId(row["assignee_id"]) for row in stored if row["assignee_kind"] == AssigneeKind.GROUP.value}
    return reviewers_in(connection, groups) if groups else {}


def _still_holds(
    stored: RowMapping | None, write: DecisionWrite, members: Mapping[GroupId, frozenset[PersonId]]
) -> bool:
    if stored is None or stored["version"] != write.item.version - 1 or stored["outcome"] is not None:
        return False
    if stored["assignee_kind"] == AssigneeKind.GROUP.value:
        return write.actor != write.item.person_id and write.actor in members.get(stored["assignee_id"], ())
    return bool(stored["assignee_id"] == write.actor)


def _store(connection: Connection, won: Sequence[DecisionWrite], stored: dict[ItemId, RowMapping]) -> None:
    if not won:
        return
    answers = [next_version(write.item, answer_values(write.item)) for write in won]
    connection.execute(update_next_version(answer_values(won[0].item)), answers)
    connection.execute(insert(decisions), [_decision_row(write) for write in won])
    moved = [write for write in won if write.item.assignee_id != stored[write.item.id]["assignee_id"]]
    start_assignments(connection, [_assignment(write) for write in moved])
    insert_events(connection, [write.event for write in won])


def _decision_row(write: DecisionWrite) -> dict[str, object]:
    return {
        "item_id": write.item.id,
        "item_version": write.item.version,
        "batch_id": write.batch_id,
        "choice": write.choice.value,
        "by": write.actor,
        "at": write.at,
        "idem_key": write.idem_key,
        "request_sha256": write.request_sha256,
        "response": "recorded",
    }


def _assignment(write: DecisionWrite) -> Assignment:
    return Assignment(
        item_id=write.item.id,
        assignee_id=write.item.assignee_id,
        kind=write.item.assignee_kind,
        how=write.item.assigned_how,
        by=write.actor,
        reason=write.item.assigned_reason,
        at=write.at,
    )
