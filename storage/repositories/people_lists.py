"""The people whom exclusions hold that go by none of a person's own fields."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.exclusions import Exclusion, ExclusionId, ExclusionKind, same_value
from reclaim.domain.ids import PersonId
from reclaim.ports.storage import PeopleList
from storage.repositories.exclusions import counts_at, lists
from storage.tables import exclusions, listed_people, people
from storage.upsert import in_chunks, upsert


class SqlPeopleLists:
    """Implements `PeopleLists`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, to: PeopleList, members: Iterable[PersonId], *, seen_at: datetime) -> None:
        rows = [
            {"kind": to.kind.value, "value": same_value(to.value), "person_id": person, "seen_at": seen_at}
            for person in dict.fromkeys(members)
        ]
        await upsert(self._connection, listed_people, rows)

    async def forget(self, of: PeopleList, *, seen_before: datetime | None, rows: int) -> bool:
        mine = _of(of)
        if seen_before is not None:
            mine &= listed_people.c.seen_at < seen_before
        query = select(listed_people.c.person_id).where(mine).order_by(listed_people.c.person_id).limit(1)
        bound = (await self._connection.execute(query.offset(rows - 1))).scalar_one_or_none()
        if bound is not None:
            mine &= listed_people.c.person_id <= bound
        await self._connection.execute(delete(listed_people).where(mine))
        return bound is not None

    async def naming(self, named: Iterable[PersonId], now: datetime) -> dict[PersonId, frozenset[ExclusionId]]:
        found: dict[PersonId, frozenset[ExclusionId]] = {}
        for some in in_chunks(named):
            rows = await self._connection.execute(
                select(listed_people.c.person_id, exclusions.c.id)
                .join_from(listed_people, exclusions, lists())
                .where(listed_people.c.person_id.in_(some), counts_at(now))
            )
            for person, exclusion in rows:
                found[person] = found.get(person, frozenset()) | {exclusion}
        return found

    async def sizes(self, of: Iterable[Exclusion]) -> dict[ExclusionId, int]:
        found: dict[ExclusionId, int] = {}
        for some in in_chunks(one.id for one in of):
            rows = await self._connection.execute(
                select(exclusions.c.id, func.count())
                .select_from(
                    exclusions.join(listed_people, lists()).join(
                        people, and_(people.c.id == listed_people.c.person_id, people.c.gone_at.is_(None))
                    )
                )
                .where(exclusions.c.id.in_(some))
                .group_by(exclusions.c.id)
            )
            found |= {ExclusionId(exclusion): number for exclusion, number in rows}
        return found

    async def strangers(self, of: PeopleList) -> list[str]:
        rows = await self._connection.execute(
            select(listed_people.c.person_id)
            .join_from(listed_people, people, people.c.id == listed_people.c.person_id, isouter=True)
            .where(_of(of), people.c.id.is_(None))
            .order_by(listed_people.c.person_id)
        )
        return list(rows.scalars())

    async def all(self) -> list[PeopleList]:
        key = (listed_people.c.kind, listed_people.c.value)
        found: list[PeopleList] = []
        after: tuple[str, str] = ("", "")
        # Step by step along the key: a list of many people is passed over, not read.
        while True:
            following = select(*key).where(tuple_(*key) > after).order_by(*key).limit(1)
            row = (await self._connection.execute(following)).one_or_none()
            if row is None:
                return found
            after = (row.kind, row.value)
            found.append(PeopleList(ExclusionKind(row.kind), row.value))


def _of(one: PeopleList) -> ColumnElement[bool]:
    return and_(listed_people.c.kind == one.kind.value, listed_people.c.value == same_value(one.value))
