"""Expressions that mean the same on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storage.tables import Instant


class latest(FunctionElement[Any]):  # noqa: N801 - named as the SQL functions are
    """The latest of some instants, nulls left out; null if all are."""

    type = Instant()
    inherit_cache = True


@compiles(latest, "postgresql")
def _latest_postgresql(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **kw)})"


@compiles(latest, "sqlite")
def _latest_sqlite(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    # max() of several values is null if one is; an instant is stored as text, and sorts behind the empty one.
    parts = [f"coalesce({compiler.process(part, **kw)}, '')" for part in element.clauses]
    # One value is not the greatest of several: max() of it would be that of all rows.
    greatest = parts[0] if len(parts) == 1 else f"max({', '.join(parts)})"
    return f"nullif({greatest}, '')"


class greatest_text(FunctionElement[str]):  # noqa: N801
    """The greatest of some texts that are not null, by code points."""

    type = String()
    inherit_cache = True


@compiles(greatest_text, "postgresql")
def _greatest_text_postgresql(element: FunctionElement[str], compiler: SQLCompiler, **kw: Any) -> str:
    parts = [f'({compiler.process(part, **kw)}) COLLATE "C"' for part in element.clauses]
    return f"greatest({', '.join(parts)})"


@compiles(greatest_text, "sqlite")
def _greatest_text_sqlite(element: FunctionElement[str], compiler: SQLCompiler, **kw: Any) -> str:
    parts = [compiler.process(part, **kw) for part in element.clauses]
    return parts[0] if len(parts) == 1 else f"max({', '.join(parts)})"


class day_of(FunctionElement[str]):  # noqa: N801
    """The UTC day of an instant as text: 2026-12-04."""

    type = String()
    inherit_cache = True


@compiles(day_of, "postgresql")
def _day_of_postgresql(element: FunctionElement[str], compiler: SQLCompiler, **kw: Any) -> str:
    return f"to_char(({compiler.process(element.clauses, **kw)}) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


@compiles(day_of, "sqlite")
def _day_of_sqlite(element: FunctionElement[str], compiler: SQLCompiler, **kw: Any) -> str:
    return f"substr({compiler.process(element.clauses, **kw)}, 1, 10)"


class days_later(FunctionElement[Any]):  # noqa: N801
    """An instant, moved by a whole number of days of 24 hours: `days_later(instant, literal(days))`."""

    type = Instant()
    inherit_cache = True


@compiles(days_later, "postgresql")
def _days_later_postgresql(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    at, days = (compiler.process(part, **kw) for part in element.clauses)
    return f"({at} + {days} * interval '24 hours')"


@compiles(days_later, "sqlite")
def _days_later_sqlite(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    # An instant is stored as text: its day is moved, its time of day stays to the microsecond.
    at, days = (compiler.process(part, **kw) for part in element.clauses)
    return f"(date(substr({at}, 1, 10), {days} || ' days') || substr({at}, 11))"
