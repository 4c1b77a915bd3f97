"""Exclusions, and the expression that says which one holds a seat."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, RowMapping, String, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.exclusions import LISTED, Exclusion, ExclusionId, ExclusionKind, same_value
from reclaim.domain.ids import PersonId
from reclaim.errors import Conflict
from reclaim.ports.storage import Marks
from storage.sql import greatest_text
from storage.tables import exclusions, listed_people, people
from storage.upsert import in_chunks, insert_into

_ID_AT = 21  # where the id begins in `strength`: behind twenty digits
_BY_PERSON = {
    ExclusionKind.DEPARTMENT: people.c.department,
    ExclusionKind.GUESTS: people.c.user_type,
    ExclusionKind.EMPLOYEE_TYPE: people.c.employee_type,
}
EXCLUDES_BY = tuple(column.name for column in _BY_PERSON.values())  # what `exclusion_id` reads of a holder


class SqlExclusions:
    """Implements `Exclusions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, exclusion: Exclusion) -> None:
        """Store a new one.

        Raises:
            Conflict: One of the same kind and value has not ended.
        """
        statement = insert_into(self._connection, exclusions).values(_to_row(exclusion)).on_conflict_do_nothing()
        if (await self._connection.execute(statement.returning(exclusions.c.id))).first() is None:
            raise Conflict("This is excluded already.")

    async def end(self, exclusion: ExclusionId, *, by: PersonId, at: datetime) -> bool:
        changed = await self._connection.execute(
            update(exclusions)
            .where(exclusions.c.id == exclusion, exclusions.c.ended_at.is_(None))
            .values(ended_at=at, ended_by=by)
        )
        return changed.rowcount == 1

    async def get_many(self, ids: Iterable[ExclusionId]) -> dict[ExclusionId, Exclusion]:
        found: dict[ExclusionId, Exclusion] = {}
        for some in in_chunks(ids):
            rows = await self._connection.execute(select(exclusions).where(exclusions.c.id.in_(some)))
            found |= {one.id: one for one in map(_to_exclusion, rows.mappings())}
        return found

    async def counting(self, now: datetime) -> list[Exclusion]:
        rows = await self._connection.execute(
            select(exclusions).where(counts_at(now)).order_by(exclusions.c.at.desc(), exclusions.c.id)
        )
        return [_to_exclusion(row) for row in rows.mappings()]

    async def same(self, kind: ExclusionKind, value: str) -> Exclusion | None:
        rows = await self._connection.execute(
            select(exclusions).where(
                exclusions.c.kind == kind.value,
                exclusions.c.same_value == same_value(value),
                exclusions.c.ended_at.is_(None),
            )
        )
        row = rows.mappings().one_or_none()
        return None if row is None else _to_exclusion(row)

    async def ever(self, kind: ExclusionKind, values: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        for some in in_chunks(values):
            rows = await self._connection.scalars(
                select(exclusions.c.value).where(exclusions.c.kind == kind.value, exclusions.c.value.in_(some))
            )
            found |= set(rows)
        return frozenset(found)

    async def values(self, kind: ExclusionKind) -> list[str]:
        column = _BY_PERSON[kind]
        rows = await self._connection.execute(
            select(column).where(people.c.gone_at.is_(None), column.is_not(None)).distinct().order_by(column)
        )
        return list(rows.scalars())

    async def marks(self, counting: Sequence[Exclusion], now: datetime) -> Marks:
        by_kind: dict[ExclusionKind, dict[str, str]] = {kind: {} for kind in ExclusionKind}
        for one in counting:
            by_kind[one.kind][same_value(one.value)] = one.strength
        by_person: dict[ExclusionKind, dict[str, str]] = {}
        for kind, column in _BY_PERSON.items():
            # SQLite folds ASCII only, so the spellings of the directory are compared here.
            if strengths := by_kind[kind]:
                spelled = await self._connection.execute(select(column).where(column.is_not(None)).distinct())
                by_person[kind] = {
                    text: strengths[same_value(text)] for text in spelled.scalars() if same_value(text) in strengths
                }
        return Marks(
            now=now,
            people=bool(by_kind[ExclusionKind.PERSON]),
            products=by_kind[ExclusionKind.PRODUCT],
            by_person=by_person,
            listed=any(by_kind[kind] for kind in LISTED),
        )


def counts_at(now: datetime) -> ColumnElement[bool]:
    """The SQL twin of `Exclusion.counts_at`."""
    return exclusions.c.ended_at.is_(None) & or_(exclusions.c.until.is_(None), exclusions.c.until > now)


def lists() -> ColumnElement[bool]:
    """An exclusion and the people whom it holds belong together."""
    return and_(listed_people.c.kind == exclusions.c.kind, listed_people.c.value == exclusions.c.same_value)


def exclusion_id(
    marks: Marks, person: ColumnElement[str], product: ColumnElement[str], holder: FromClause
) -> ColumnElement[str | None]:
    """The SQL twin of `domain.exclusions.strongest`: the exclusion's id or null; `holder` has the columns of people."""
    found: list[ColumnElement[str]] = []
    if marks.people:
        by_name = (
            select(exclusions.c.strength)
            .where(
                exclusions.c.kind == ExclusionKind.PERSON.value,
                exclusions.c.same_value == person,
                counts_at(marks.now),
            )
            .correlate_except(exclusions)
            .scalar_subquery()
        )
        found.append(func.coalesce(by_name, ""))
    if marks.listed:
        by_list = (
            select(func.max(exclusions.c.strength))
            .select_from(listed_people)
            .join(exclusions, lists())
            .where(listed_people.c.person_id == person, counts_at(marks.now))
            .correlate_except(exclusions, listed_people)
            .scalar_subquery()
        )
        found.append(func.coalesce(by_list, ""))
    if marks.products:
        found.append(case(dict(marks.products), value=product, else_=literal("")))
    for kind, strengths in marks.by_person.items():
        if strengths:
            found.append(case(dict(strengths), value=holder.c[_BY_PERSON[kind].name], else_=literal("")))
    if not found:
        return literal(None, String)
    return func.nullif(func.substr(greatest_text(*found), _ID_AT), "")


def _to_row(one: Exclusion) -> dict[str, object]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "value": one.value,
        "same_value": same_value(one.value),
        "strength": one.strength,
        "reason": one.reason,
        "by": one.by,
        "at": one.at,
        "until": one.until,
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
    }


def _to_exclusion(row: RowMapping) -> Exclusion:
    return Exclusion(
        id=row["id"],
        kind=ExclusionKind(row["kind"]),
        value=row["value"],
        reason=row["reason"],
        by=row["by"],
        at=row["at"],
        until=row["until"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )
