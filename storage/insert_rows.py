"""Many new rows in one statement, bound by the types of the table without SQLAlchemy's work for each row.

`Connection.execute` with a list makes a dict, looks every column up and builds a tuple for each row: at 250 items with their
assignments, questions and events that costs as much as SQLite takes to store them, under the write lock. Here the statement
is compiled once per set of columns, and each row is one tuple.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

from storage.tables import Instant

_Bind = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows that all have the same columns, in their order.

    Raises:
        ValueError: A value does not fit its column's type, as a naive instant.
    """
    if not rows:
        return
    statement = _compiled(connection.dialect, table, tuple(rows[0]))
    # The rows of one job share their few instants, and binding one costs as much as the rest of a row.
    binds = [
        (column.name, _Remembering(column.bind).__getitem__ if column.is_instant and column.bind else column.bind)
        for column in statement.columns
    ]
    bound: list[Any]
    if statement.takes_names:
        bound = [{name: bind(row[name]) if bind else row[name] for name, bind in binds} for row in rows]
    else:
        bound = [tuple([bind(row[name]) if bind else row[name] for name, bind in binds]) for row in rows]
    connection.exec_driver_sql(statement.text, bound)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    bind: _Bind | None
    is_instant: bool


@dataclass(frozen=True, slots=True)
class _Statement:
    """An INSERT as the driver takes it, with its columns in the order of its parameters."""

    text: str
    columns: Sequence[_Column]
    takes_names: bool


@lru_cache(maxsize=256)
def _compiled(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Statement:
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    if set(compiled.params) != set(names):
        raise ValueError(f"{table.name} fills columns by itself, which this does not do")
    columns = []
    for name in (compiled.positiontup if compiled.positional else None) or names:
        kind = table.c[name].type
        bind = kind.dialect_impl(dialect).bind_processor(dialect)
        columns.append(_Column(name, bind, isinstance(kind, Instant)))
    return _Statement(str(compiled), columns, not compiled.positional)


class _Remembering(dict[Any, Any]):
    """Bound values by value, each bound once."""

    def __init__(self, bind: _Bind) -> None:
        self._bind = bind

    def __missing__(self, value: Any) -> Any:
        bound = self[value] = self._bind(value)
        return bound
