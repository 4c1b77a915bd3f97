"""The connections that DBOS works on, and its tables.

DBOS gets an engine of ours instead of making its own, because of one SQLite function that it needs (see
`_add_unixepoch`). The other settings are those that its own engine would have.
"""

import sqlite3
import time
from typing import Any, Final

from dbos import DBOS
from sqlalchemy import URL, Engine, create_engine, event, make_url, text

_POOL_SIZE: Final = 10  # a connection per queue, the listener, and a few for outcomes
_BUSY_TIMEOUT_MS: Final = 30_000
# Before SQLite 3.42 unixepoch('subsec') is NULL, and DBOS 3.4 stores it in a NOT NULL column on Python 3.12 and later.
_KNOWS_SUBSEC: Final = sqlite3.sqlite_version_info >= (3, 42)


def sync_url(url: str) -> URL:
    """Return the database's address with the synchronous driver that DBOS uses.

    Raises:
        ValueError: It is neither SQLite nor PostgreSQL.
    """
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
    if parsed.get_backend_name() not in drivers:
        message = f"jobs need SQLite or PostgreSQL, not {parsed.get_backend_name()}"
        raise ValueError(message)
    return parsed.set(drivername=drivers[parsed.get_backend_name()])


def is_sqlite(url: str) -> bool:
    """Tell whether the database is an embedded file."""
    return make_url(url).get_backend_name() == "sqlite"


def make_engine(url: str) -> Engine:
    """Return the engine that DBOS and its client share; whoever makes it disposes of it."""
    engine = create_engine(sync_url(url), pool_size=_POOL_SIZE, max_overflow=0, pool_timeout=30, hide_parameters=True)
    if is_sqlite(url):
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def migrate(url: str) -> None:
    """Create or upgrade the tables of DBOS; safe to repeat. Blocks for a moment."""
    if is_sqlite(url):
        _use_write_ahead_log(url)
    # hide_password=False: this string is the way in, it is not shown.
    DBOS.migrate(sync_url(url).render_as_string(hide_password=False))


def _use_write_ahead_log(url: str) -> None:
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("PRAGMA journal_mode=WAL"))  # stays with the file
    finally:
        engine.dispose()


def _set_up_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = "IMMEDIATE"  # a reader that turns writer half-way would fail with "database is locked"
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    if not _KNOWS_SUBSEC:
        connection.create_function("unixepoch", -1, _unixepoch)


def _unixepoch(*arguments: object) -> float | None:
    # The bookkeeping of DBOS follows the machine's clock; nothing of ours reads these columns.
    return time.time() if arguments == ("subsec",) else None  # noqa: TID251
