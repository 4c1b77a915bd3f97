"""Who may run jobs on a SQLite file: one process at a time, held by a lock that the operating system drops with it."""

import os
from pathlib import Path
from typing import ClassVar

from filelock import FileLock, Timeout

from reclaim.errors import ReclaimError


class DatabaseInUseError(ReclaimError):
    """Another process holds the database. `process` is its number, or None if it could not be read."""

    code: ClassVar[str] = "database_in_use"

    def __init__(self, database: Path, process: int | None) -> None:
        who = "another process" if process is None else f"process {process}"
        super().__init__(f"The database {database} is in use by {who}. Stop that one first.")
        self.process = process


class ProcessLock:
    """The lock beside a SQLite file. Command-line verbs that only read or enqueue do without it.

    Keep the object as long as the lock: it is given back when the object goes away.
    The number of the holder stands in a file of its own: on Windows a locked file cannot be read.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._lock = FileLock(database.with_name(f"{database.name}.lock"), timeout=0)
        self._holder = database.with_name(f"{database.name}.pid")

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            DatabaseInUseError: Another process has it.
        """
        self._database.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise DatabaseInUseError(self._database, self.holder()) from None
        self._holder.write_text(str(os.getpid()), encoding="ascii")

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> int | None:
        """Return the number of the process that holds the lock, as far as it told."""
        try:
            return int(self._holder.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
