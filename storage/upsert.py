"""Bulk writes that mean the same on SQLite and PostgreSQL.

Rows go to the driver as executemany, one statement with its parameters bound row by row: no limit on parameters in one
statement applies, and of two rows with the same key the later one wins on both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

# Values in one IN list. SQLite before 3.32 takes 999 parameters in a statement; later ones and PostgreSQL over 30,000.
CHUNK = 900

Value = TypeVar("Value")
Excluded = ReadOnlyColumnCollection[str, Any]
Insert = sqlite.Insert | postgresql.Insert


def insert_into(connection: AsyncConnection, table: Table) -> Insert:
    """Return an INSERT of the connection's dialect, which knows ON CONFLICT."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


async def upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, object]],
    *,
    keep: Sequence[str] = (),
    special: Callable[[Excluded], Mapping[str, ColumnElement[Any]]] | None = None,
) -> None:
    """Insert rows; a row whose primary key exists replaces the stored values.

    Args:
        connection: In a transaction of the caller.
        table: Its primary key tells which rows are the same.
        rows: All with the same keys.
        keep: Columns that stay as stored.
        special: From the new row's columns, the expressions for columns that depend on the stored row too.
    """
    if not rows:
        return
    statement = insert_into(connection, table)
    new = statement.excluded
    own = {column.name for column in table.primary_key} | set(keep)
    changes: dict[str, ColumnElement[Any]] = {name: new[name] for name in rows[0] if name not in own}
    changes |= special(new) if special else {}
    key = [column.name for column in table.primary_key]
    done = (
        statement.on_conflict_do_update(index_elements=key, set_=changes)
        if changes
        else statement.on_conflict_do_nothing(index_elements=key)
    )
    await connection.execute(done, [dict(row) for row in rows])


def in_chunks(values: Iterable[Value], size: int = CHUNK) -> Iterator[list[Value]]:
    """Cut the distinct values into lists short enough for one IN list."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]
