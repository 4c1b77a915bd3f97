"""Who is alive among several processes on one PostgreSQL database.

DBOS leaves the work of a process that died where it was. So every process holds an advisory lock under its name, which
the server drops with the connection, and takes over the work of names whose lock it can get.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

_SPACE: Final = 77  # the first key of all our advisory locks; the second is made from the name
_TRY: Final = text("SELECT pg_try_advisory_lock(:space, hashtext(:name))")
_PING: Final = text("SELECT 1")
_FREE: Final = text("SELECT pg_advisory_unlock(:space, hashtext(:name))")


class Lease:
    """This process's sign of life. All methods block for a moment."""

    def __init__(self, database: Engine, executor_id: str) -> None:
        self._database = database
        self._executor_id = executor_id
        self._connection: Connection | None = None

    def take(self) -> None:
        """Show that this process is alive, until `drop` or until its connection breaks; repeat it to mend that."""
        if self._connection is None:
            self._connection = self._connect()
            self._connection.execute(_TRY, {"space": _SPACE, "name": self._executor_id})
            return
        try:
            self._connection.execute(_PING)
        except SQLAlchemyError:
            self.drop()
            raise

    def drop(self) -> None:
        """Give the sign of life up."""
        if self._connection is not None:
            # A pooled connection would keep the lock.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    @contextmanager
    def of_dead(self, executor_id: str) -> Iterator[bool]:
        """Tell whether that process is dead; if so, no other process takes it over meanwhile."""
        key = {"space": _SPACE, "name": executor_id}
        with self._connect() as connection:
            got = bool(connection.scalar(_TRY, key))
            try:
                yield got
            finally:
                if got:
                    connection.execute(_FREE, key)

    def _connect(self) -> Connection:
        return self._database.connect().execution_options(isolation_level="AUTOCOMMIT")
