"""Usage imports with their rows."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    RowMapping,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import PersonId
from reclaim.domain.lookup import folded
from reclaim.domain.usage import KnownUse, UsageRow
from reclaim.ports.usage_storage import Copied, PackedRows, RowKey, UsageImport
from storage.one_parameter import InstantCells, insert_cells
from storage.tables import usage_imports, usage_rows
from storage.upsert import in_chunks

LONGEST_READING: Final = timedelta(days=1)
_READING, _CURRENT, _REPLACED = "reading", "current", "replaced"
_IMPORT, _ROW = usage_imports.c, usage_rows.c
_ROW_COLUMNS = ("import_id", "person_id", "seq", "device", "last_used_at", "unused_days", "observed_at")
_PLAIN = ("id", "source", "name", "at", "by", "rows", "unmatched", "ambiguous", "newest", "sha256")


class SqlUsage:
    """`ports.usage_storage.Usage` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, one: UsageImport) -> None:
        await self._connection.execute(insert(usage_imports).values(**_values(one), state=_READING))

    def packed(self, import_id: str, rows: Sequence[KnownUse], *, first: int) -> PackedRows:
        cells = InstantCells(self._connection)
        numbered = [
            (
                import_id,
                one.person_id,
                number,
                one.row.device,
                cells[one.row.last_used_at],
                one.row.unused_days,
                cells[one.row.observed_at],
            )
            for number, one in enumerate(rows, start=first)
        ]
        # In the order of the primary key: on SQLite a page of it is then written once for all its rows.
        numbered.sort()
        return PackedRows(json.dumps(numbered))

    async def add_rows(self, rows: PackedRows) -> None:
        await insert_cells(self._connection, usage_rows, _ROW_COLUMNS, rows)

    async def copy_rows(self, base: str, to: str, *, first: int, after: RowKey | None, limit: int) -> Copied:
        key = tuple_(_ROW.person_id, _ROW.seq)
        behind = (_ROW.import_id == base, *([key > after] if after is not None else []))
        next_rows = select(_ROW.person_id, _ROW.seq).where(*behind).order_by(_ROW.person_id, _ROW.seq)
        found = (await self._connection.execute(next_rows.limit(limit))).all()
        if not found:
            return Copied(0, None)
        last = (PersonId(found[-1].person_id), int(found[-1].seq))
        added = usage_rows.alias()
        mended = exists().where(
            added.c.import_id == to, added.c.person_id == _ROW.person_id, added.c.seq < first
        )  # fmt: skip
        readable = or_(_ROW.last_used_at.is_not(None), _ROW.unused_days.is_not(None))
        rest = [_ROW[name] for name in _ROW_COLUMNS[3:]]
        chosen = select(literal(to), _ROW.person_id, _ROW.seq + first, *rest).where(
            *behind, key <= last, or_(readable, not_(mended))
        )
        copy = insert(usage_rows).from_select(list(_ROW_COLUMNS), chosen).execution_options(preserve_rowcount=True)
        done = await self._connection.execute(copy)
        return Copied(done.rowcount, last)

    async def complete(self, one: UsageImport) -> None:
        same = (_IMPORT.source == one.source, _IMPORT.application == folded(one.application), _IMPORT.state == _CURRENT)
        later = await self._connection.scalar(select(_IMPORT.id).where(*same, _IMPORT.at > one.at))
        if later is None:
            await self._connection.execute(update(usage_imports).where(*same).values(state=_REPLACED))
        await self._connection.execute(
            update(usage_imports)
            .where(_IMPORT.id == one.id)
            .values(**_values(one), state=_CURRENT if later is None else _REPLACED)
        )

    async def newest(self, source: str, application: str) -> UsageImport | None:
        query = select(usage_imports).where(
            _IMPORT.source == source, _IMPORT.application == folded(application), _IMPORT.state == _CURRENT
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _to_import(row) if row else None

    async def of_bytes(self, source: str, sha256: str) -> tuple[UsageImport, bool] | None:
        query = (
            select(usage_imports)
            .where(_IMPORT.source == source, _IMPORT.sha256 == sha256, _IMPORT.state != _READING)
            .order_by((_IMPORT.state == _CURRENT).desc(), _IMPORT.at.desc(), _IMPORT.id)
            .limit(1)
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return (_to_import(row), row["state"] == _CURRENT) if row else None

    async def counting(self) -> list[UsageImport]:
        query = select(usage_imports).where(_IMPORT.state == _CURRENT).order_by(_IMPORT.source, _IMPORT.application)
        return [_to_import(row) for row in (await self._connection.execute(query)).mappings()]

    async def people(self, import_id: str, *, after: PersonId | None, limit: int) -> list[PersonId]:
        query = (
            select(_ROW.person_id)
            .where(_ROW.import_id == import_id, _ROW.person_id > (after or ""))
            .distinct()
            .order_by(_ROW.person_id)
            .limit(limit)
        )
        return [PersonId(one) for one in await self._connection.scalars(query)]

    async def rows_of(self, import_id: str, people: Sequence[PersonId]) -> list[KnownUse]:
        newest = select(usage_imports.c.application).where(_IMPORT.id == import_id)
        application = await self._connection.scalar(newest) or ""
        found: list[KnownUse] = []
        for some in in_chunks(people):
            query: Select[Any] = (
                select(usage_rows)
                .where(_ROW.import_id == import_id, _ROW.person_id.in_(some))
                .order_by(_ROW.person_id, _ROW.seq)
            )
            found += [_to_known(row, application) for row in (await self._connection.execute(query)).mappings()]
        return found

    async def erase_old(self, rows: int) -> bool:
        newest = await self._connection.scalar(select(func.max(_IMPORT.at)).where(_IMPORT.state == _CURRENT))
        if newest is None:
            return True
        # One that is still being read may have begun before another that is whole already.
        torn = and_(_IMPORT.state == _READING, _IMPORT.at < newest - LONGEST_READING)
        old = select(_IMPORT.id).where(or_(_IMPORT.state == _REPLACED, torn))
        query = (
            select(_ROW.import_id, _ROW.person_id, _ROW.seq)
            .where(_ROW.import_id.in_(old))
            .order_by(_ROW.import_id, _ROW.person_id, _ROW.seq)
            .limit(rows)
        )
        found = (await self._connection.execute(query)).all()
        last = {row.import_id: (row.person_id, row.seq) for row in found}
        for import_id, up_to in last.items():
            await self._connection.execute(
                delete(usage_rows).where(_ROW.import_id == import_id, tuple_(_ROW.person_id, _ROW.seq) <= up_to)
            )
        return len(found) < rows


def _values(one: UsageImport) -> dict[str, object]:
    return {**{name: getattr(one, name) for name in _PLAIN}, "application": folded(one.application)}


def _to_import(row: RowMapping) -> UsageImport:
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return UsageImport(application=row["application"], **plain)


def _to_known(row: RowMapping, application: str) -> KnownUse:
    return KnownUse(
        person_id=PersonId(row["person_id"]),
        row=UsageRow(
            who=row["person_id"],
            application=application,
            last_used_at=row["last_used_at"],
            unused_days=row["unused_days"],
            device=row["device"],
            observed_at=row["observed_at"],
        ),
    )
