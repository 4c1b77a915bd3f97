"""What a changes run has heard of, and what it concludes: only about people whom it has asked Microsoft about."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import PersonId, RunId
from reclaim.domain.syncing import CHANGES_STREAM, FROM_HERE_STREAM, SyncKind, SyncState
from storage.tables import people, role_members, seat_paths, seats, sync_changes, sync_cursors, sync_runs
from storage.upsert import in_chunks, insert_into, upsert

WAITING, THERE, GONE = "waiting", "there", "gone"


class SqlChanges:
    """Implements `Changes`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def link(self) -> str | None:
        newest = (
            select(sync_runs.c.id, sync_runs.c.kind)
            .where(sync_runs.c.state == SyncState.COMPLETE.value)
            .order_by(sync_runs.c.started_at.desc(), sync_runs.c.id.desc())
            .limit(1)
            .subquery()
        )
        stream = case((newest.c.kind == SyncKind.CHANGES.value, CHANGES_STREAM), else_=FROM_HERE_STREAM)
        rows = await self._connection.execute(
            select(sync_cursors.c.next_cursor)
            .join(newest, newest.c.id == sync_cursors.c.run_id)
            .where(sync_cursors.c.stream == stream, sync_cursors.c.done.is_(True))
        )
        return rows.scalar_one_or_none()

    async def note(self, run: RunId, ids: Sequence[PersonId]) -> None:
        statement = insert_into(self._connection, sync_changes).on_conflict_do_nothing()
        if ids:
            rows = [{"run_id": run, "person_id": one, "state": WAITING} for one in dict.fromkeys(ids)]
            await self._connection.execute(statement, rows)

    async def waiting(self, run: RunId, limit: int) -> list[PersonId]:
        rows = await self._connection.execute(
            select(sync_changes.c.person_id)
            .where(sync_changes.c.run_id == run, sync_changes.c.state == WAITING)
            .order_by(sync_changes.c.person_id)
            .limit(limit)
        )
        return [PersonId(one) for one in rows.scalars()]

    async def count(self, run: RunId) -> int:
        query = select(func.count()).select_from(sync_changes).where(sync_changes.c.run_id == run)
        return (await self._connection.execute(query)).scalar_one()

    async def looked_at(self, run: RunId, *, there: Iterable[PersonId], gone: Iterable[PersonId]) -> None:
        rows = [{"run_id": run, "person_id": one, "state": THERE} for one in there]
        rows += [{"run_id": run, "person_id": one, "state": GONE} for one in gone]
        await upsert(self._connection, sync_changes, rows)

    async def drop_if_completed(self, run: RunId) -> tuple[int, int, int, int]:
        before_people = and_(people.c.gone_at.is_(None), people.c.since_run != run)
        before_seats = and_(seats.c.gone_at.is_(None), seats.c.since_run != run)
        counts = [
            select(func.count()).select_from(people).where(before_people),
            select(func.count()).select_from(people).where(before_people, people.c.id.in_(_those(run, GONE))),
            select(func.count()).select_from(seats).where(before_seats),
            select(func.count()).select_from(seats).where(before_seats, _left(run)),
        ]
        people_before, people_gone, seats_before, seats_gone = [
            (await self._connection.execute(count)).scalar_one() for count in counts
        ]
        return people_before, people_gone, seats_before, seats_gone

    async def mark_gone(self, run: RunId, now: datetime) -> tuple[int, int]:
        left = await self._connection.execute(
            update(people).where(people.c.gone_at.is_(None), people.c.id.in_(_those(run, GONE))).values(gone_at=now)
        )
        ended = await self._connection.execute(
            update(seats).where(seats.c.gone_at.is_(None), _left(run)).values(gone_at=now).returning(seats.c.id)
        )
        ids = list(ended.scalars())
        for some in in_chunks(ids):
            await self._connection.execute(delete(seat_paths).where(seat_paths.c.seat_id.in_(some)))
        await self._connection.execute(delete(role_members).where(role_members.c.person_id.in_(_those(run, GONE))))
        return left.rowcount, len(ids)

    async def start_again(self, run: RunId) -> None:
        for table in (sync_cursors, sync_changes):
            await self._connection.execute(delete(table).where(table.c.run_id == run))

    async def forget_all_but(self, run: RunId) -> None:
        await self._connection.execute(delete(sync_changes).where(sync_changes.c.run_id != run))


def _those(run: RunId, state: str) -> Select[tuple[str]]:
    return select(sync_changes.c.person_id).where(sync_changes.c.run_id == run, sync_changes.c.state == state)


def _left(run: RunId) -> ColumnElement[bool]:
    """Seats of people who are gone, and seats that somebody who was read whole no longer has."""
    unseen = and_(seats.c.seen_run != run, seats.c.person_id.in_(_those(run, THERE)))
    return or_(seats.c.person_id.in_(_those(run, GONE)), unseen)
