"""Many values in one parameter, as JSON that the database takes apart.

SQLAlchemy renders and binds each value of an IN list and each cell of an executemany: for thousands of them that is most of
what a statement costs. And the SQLite driver gives up Python's interpreter lock at each row of an executemany, and may get it
back only milliseconds later where another thread computes, with the write lock in hand. One statement with one parameter
waits for nobody. It is for columns of text, integers and instants; other rows go through `storage.insert_rows`.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, String, Table, bindparam, cast, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection


def among(connection: AsyncConnection, column: ColumnElement[str], texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column of text has one of these values."""
    values = bindparam("texts", json.dumps(list(texts)), type_=String, unique=True)
    if connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(values).table_valued("value").c.value))
    return column.in_(select(func.json_array_elements_text(cast(values, JSON)).column_valued()))


async def insert_cells(connection: AsyncConnection, table: Table, names: Sequence[str], rows: str) -> None:
    """Add rows in one statement.

    Args:
        connection: In a transaction of the caller.
        table: Its columns are text, integers and instants (as `InstantCells` gives them).
        names: Of the columns that each row gives, in its order.
        rows: A JSON array of arrays, with a cell for each name.
    """
    given = bindparam("rows", rows, type_=String)
    chosen: list[ColumnElement[Any]]
    if connection.dialect.name == "sqlite":
        each = func.json_each(given).table_valued("value").c.value
        chosen = [func.json_extract(each, f"$[{place}]") for place in range(len(names))]
    else:
        each = func.json_array_elements(cast(given, JSON)).column_valued()
        chosen = [cast(each.op("->>")(place), table.c[name].type) for place, name in enumerate(names)]
    await connection.execute(insert(table).from_select(list(names), select(*chosen)))


class InstantCells(dict[datetime | None, str | None]):
    """Instants as the cells of `insert_cells`: as SQLite keeps them, and as PostgreSQL reads them. Each is made once."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__({None: None})
        self._zone = "" if connection.dialect.name == "sqlite" else "+00:00"

    def __missing__(self, at: datetime) -> str:
        if at.tzinfo is None:
            raise ValueError("a naive datetime may not be stored")
        text = at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds") + self._zone
        self[at] = text
        return text
