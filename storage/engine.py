"""Opens the database: one SQLite file (embedded), or PostgreSQL (several replicas). All connection settings live here.

On SQLite there is one writer at a time for the whole file. So writes go over one connection that takes the write lock
when its transaction begins; reads go over connections of their own that never take it; decisions go over a thread of
their own (a commit is three times as quick there as through aiosqlite, measured).
"""

import os
import sqlite3
import time
from contextlib import AbstractAsyncContextManager, closing, nullcontext
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine

from reclaim.errors import InvalidRequest, PortError
from storage.one_hop import OneHopDriver
from storage.turns import WriteTurns

BUSY_TIMEOUT_MS = 30_000
# Longer than the busy timeout: who waits for our one connection outlives the one who holds it and waits for the lock.
POOL_TIMEOUT_S = 60
READERS = 4
POSTGRESQL_CONNECTIONS = 10


class Database:
    """An open database; closes with `dispose`.

    Attributes:
        url: Without driver, e.g. `sqlite:////data/reclaim.db`; never print it, it may hold a password.
        writes: Begins every transaction with the write lock on SQLite.
        reads: Refuses writes; every transaction sees one state of the data.
        turns: On SQLite every write of this process waits here for its turn.
        thread, read_thread: On SQLite engines for the one thread that commits decisions and the one that reads for
            them; None on PostgreSQL, which needs none.
    """

    def __init__(self, url: str) -> None:
        """Open `sqlite:///relative`, `sqlite:////absolute` or `postgresql://…`, with or without our driver's name.

        A missing SQLite file is made. No connection to PostgreSQL is made yet.

        Raises:
            InvalidRequest: Another kind of URL.
            PortError: The SQLite file cannot be opened in WAL mode.
        """
        self.url = plain_url(url)
        self.turns = WriteTurns(POOL_TIMEOUT_S)
        self.thread: Engine | None = None
        self.read_thread: Engine | None = None
        if path := sqlite_path(self.url):
            prepare_file(path)
            driver = self.url.set(drivername="sqlite+aiosqlite")
            options = {"module": OneHopDriver(), "max_overflow": 0, "pool_timeout": POOL_TIMEOUT_S}
            self.writes = create_async_engine(driver, pool_size=1, **options)
            self.reads = create_async_engine(driver, pool_size=READERS, **options)
            self.thread = sync_engine(self.url)
            self.read_thread = sync_engine(self.url, query_only=True)
            _set_up_sqlite(self.writes.sync_engine, begin="BEGIN IMMEDIATE")
            _set_up_sqlite(self.reads.sync_engine, begin="BEGIN", query_only=True)
        else:
            self.writes = create_async_engine(
                self.url.set(drivername="postgresql+psycopg"), pool_size=POSTGRESQL_CONNECTIONS, pool_pre_ping=True
            )
            # One snapshot for a whole reading, as SQLite gives by itself. Both share the pool.
            self.reads = self.writes.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def turn(self, *, answer: bool = False) -> AbstractAsyncContextManager[None]:
        """Return what a write must hold on SQLite; PostgreSQL has row locks, and no line.

        Args:
            answer: Somebody waits for it at a card.
        """
        return self.turns.take(answer=answer) if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.thread is not None

    async def dispose(self) -> None:
        """Close every connection that is not in use."""
        await self.writes.dispose()
        if self.thread is not None:
            await self.reads.dispose()
            self.thread.dispose()
        if self.read_thread is not None:
            self.read_thread.dispose()


def plain_url(url: str) -> URL:
    """Return the URL without a driver.

    Raises:
        InvalidRequest: It names neither a SQLite file nor a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The URL may hold a password, and the library's message repeats it.
        raise InvalidRequest("The database URL cannot be read. Example: sqlite:///reclaim.db") from error
    plain = parsed.set(drivername=parsed.get_backend_name())
    if plain.drivername not in ("sqlite", "postgresql"):
        raise InvalidRequest(f"Reclaim keeps its data in sqlite or postgresql, not in {plain.drivername}.")
    if plain.drivername == "sqlite" and plain.database in (None, "", ":memory:"):
        raise InvalidRequest("Reclaim opens several connections, so SQLite needs a file. Example: sqlite:///reclaim.db")
    return plain


def sqlite_path(url: URL) -> Path | None:
    """Return the database file, or None for PostgreSQL."""
    return Path(url.database or "") if url.drivername == "sqlite" else None


def sync_engine(url: URL, *, query_only: bool = False) -> Engine:
    """Return a synchronous engine of one connection on a plain URL: for the decision threads and for migrations."""
    if sqlite_path(url) is None:
        return create_engine(url.set(drivername="postgresql+psycopg"), pool_size=1, max_overflow=0)
    engine = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=POOL_TIMEOUT_S)
    _set_up_sqlite(engine, begin="BEGIN" if query_only else "BEGIN IMMEDIATE", query_only=query_only)
    return engine


def prepare_file(path: Path) -> None:
    """Make the file, for its owner alone, and put it in WAL mode, which it then keeps.

    SQLite gives the files beside it (-wal, -shm) the mode of the database file. Modes do nothing on Windows.

    Raises:
        PortError: The place cannot be written or has no shared memory, as network drives.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        for beside in ("", "-wal", "-shm"):
            file = path.with_name(path.name + beside)
            if file.exists():
                file.chmod(0o600)  # whatever made it before us
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    except (OSError, sqlite3.Error) as error:
        raise PortError(f"The database file {path} cannot be opened: {error}", permanent=True) from error
    if mode != "wal":
        raise PortError(f"The database file {path} must be on a local disk: SQLite has no WAL there.", permanent=True)


def add_unixepoch(engine: Engine) -> None:
    """Give every connection of `engine` the function `unixepoch('subsec')` where SQLite is too old to have it.

    DBOS writes it into statements and column defaults on Python 3.12 and later, and SQLite before 3.42 answers NULL.
    Every engine on the file needs it: ours, and those that the DBOS adapter makes.
    """
    if sqlite3.sqlite_version_info < (3, 42):
        event.listen(engine, "connect", _create_unixepoch)


def _create_unixepoch(connection: DBAPIConnection, _record: object) -> None:
    connection.create_function("unixepoch", -1, _unixepoch)


def _unixepoch(*args: object) -> float | None:
    # The engine's own bookkeeping follows the wall clock, as it does with the built-in function.
    return time.time() if args == ("subsec",) else None  # noqa: TID251


def _set_up_sqlite(engine: Engine, *, begin: str, query_only: bool = False) -> None:
    """Set the pragmas on each new connection and begin transactions ourselves."""
    pragmas = (
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
        "PRAGMA synchronous=FULL",  # an acknowledged decision survives a power cut
        "PRAGMA fullfsync=ON",  # on macOS fsync alone leaves data in the drive's cache; elsewhere it does nothing
        "PRAGMA foreign_keys=ON",
        f"PRAGMA query_only={'ON' if query_only else 'OFF'}",
        # KiB: bulk writes touch more pages than fit into the 2 MB that a connection has by itself.
        *([] if query_only else ["PRAGMA cache_size=-16000"]),
    )

    def connect(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # the driver would begin transactions at its own moment, without the lock
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", start)
    add_unixepoch(engine)
