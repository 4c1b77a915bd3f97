"""The SQLite driver with one trip to the connection's thread for each statement.

SQLAlchemy's adapter of aiosqlite makes four: it opens a cursor, executes, fetches and closes, and each wakes the event loop
twice. A click runs a dozen statements, so that the trips were most of what an answer took. Results are small here or wanted
whole; a cursor that streams (`AsyncConnection.stream`) stays the adapter's own.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a statement left, read in the connection's thread."""

    description: Any = None
    rowcount: int = -1
    lastrowid: Any = None
    rows: deque[Any] = field(default_factory=deque)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ("_outcome",)

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        # Not the base class's: it would open a cursor of the driver, a trip of its own.
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._outcome = _Outcome()

    @property
    def description(self) -> Any:
        return self._outcome.description

    @property
    def rowcount(self) -> int:
        return self._outcome.rowcount

    @property
    def lastrowid(self) -> Any:
        return self._outcome.lastrowid

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is open any more."""

    def execute(self, operation: Any, parameters: Any = None) -> None:
        self._run(lambda cursor: cursor.execute(operation, () if parameters is None else parameters))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:
        self._run(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    def _run(self, statement: Callable[[sqlite3.Cursor], object]) -> None:
        connection = self._connection

        def in_thread() -> _Outcome:
            cursor = connection._conn.cursor()
            try:
                statement(cursor)
                rows = deque(cursor.fetchall()) if cursor.description else deque[Any]()
                return _Outcome(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
            finally:
                cursor.close()

        try:
            self._outcome = await_(connection._execute(in_thread))
        except Exception as error:  # noqa: BLE001 - the adapter's own way: it names the driver's errors
            self._adapt_connection._handle_exception(error)
        self._rows = self._outcome.rows


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor  # type: ignore[assignment]  # the adapter declares its own class where any cursor will do


class OneHopDriver(AsyncAdapt_aiosqlite_dbapi):
    """Pass it to `create_async_engine` of a `sqlite+aiosqlite` URL as `module`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        """Open a connection with its thread."""
        return _Connection(self, super().connect(*arg, **kw)._connection)
