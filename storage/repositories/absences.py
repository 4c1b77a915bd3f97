"""When people are away: lists of dates, of which one counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.absences import Absence, AbsenceList
from reclaim.domain.ids import PersonId
from storage.tables import absence_lists, absences
from storage.upsert import in_chunks, upsert

LOADING, COUNTING, DROPPED = "loading", "counting", "dropped"


class SqlAbsences:
    """Implements `Absences`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, made: AbsenceList) -> None:
        await self._connection.execute(
            insert(absence_lists).values(id=made.id, state=LOADING, by=made.by, at=made.at, absences=made.absences)
        )

    async def add(self, to: str, rows: Sequence[Absence]) -> None:
        await upsert(
            self._connection,
            absences,
            [
                {"list_id": to, "person_id": row.person_id, "starts_at": row.starts_at, "ends_at": row.ends_at}
                for row in rows
            ],
        )

    async def count_only(self, made: str) -> None:
        others = absence_lists.c.id != made
        await self._connection.execute(update(absence_lists).where(others).values(state=DROPPED))
        await self._connection.execute(update(absence_lists).where(absence_lists.c.id == made).values(state=COUNTING))

    async def counting(self) -> AbsenceList | None:
        rows = await self._connection.execute(select(absence_lists).where(absence_lists.c.state == COUNTING))
        row = rows.mappings().one_or_none()
        if row is None:
            return None
        return AbsenceList(id=row["id"], by=row["by"], at=row["at"], absences=row["absences"])

    async def dropped(self) -> list[str]:
        rows = await self._connection.execute(
            select(absence_lists.c.id).where(absence_lists.c.state == DROPPED).order_by(absence_lists.c.id)
        )
        return list(rows.scalars())

    async def erase_some(self, dropped: str, rows: int) -> bool:
        mine = absences.c.list_id == dropped
        bound = (
            await self._connection.execute(
                select(absences.c.person_id).where(mine).order_by(absences.c.person_id).limit(1).offset(rows - 1)
            )
        ).scalar_one_or_none()
        if bound is not None:
            await self._connection.execute(delete(absences).where(mine, absences.c.person_id <= bound))
            return False
        await self._connection.execute(delete(absences).where(mine))
        await self._connection.execute(delete(absence_lists).where(absence_lists.c.id == dropped))
        return True

    async def away(self, *, since: datetime, now: datetime, after: PersonId, limit: int) -> list[PersonId]:
        rows = await self._connection.execute(
            _away(since, now).where(absences.c.person_id > after).order_by(absences.c.person_id).limit(limit)
        )
        return list(rows.scalars())

    async def away_of(self, people: Iterable[PersonId], *, since: datetime, now: datetime) -> frozenset[PersonId]:
        found: set[PersonId] = set()
        for some in in_chunks(people):
            rows = await self._connection.execute(_away(since, now).where(absences.c.person_id.in_(some)))
            found |= set(rows.scalars())
        return frozenset(found)


def _away(since: datetime, now: datetime) -> Select[Any]:
    return (
        select(absences.c.person_id)
        .join_from(absences, absence_lists, absence_lists.c.id == absences.c.list_id)
        .where(absence_lists.c.state == COUNTING, _touches(since, now))
        .distinct()
    )


def _touches(since: datetime, now: datetime) -> ColumnElement[bool]:
    """The SQL twin of `Absence.touches`."""
    return and_(absences.c.starts_at <= now, absences.c.ends_at > since)
