"""Time and randomness, injected everywhere: no rule and no service reads the wall clock or makes up an id."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Calendar time and real waiting."""

    def now(self) -> datetime:
        """Return the calendar time, aware UTC. In the rehearsal it steps; elsewhere it is the wall clock."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait in real, monotonic time, at most 30 s (back-off, Retry-After). Longer waits are due dates in our tables."""
        ...


class Tokens(Protocol):
    """Ids and salts."""

    def new_id(self) -> str:
        """Return a new id: 32 hexadecimal digits, unguessable."""
        ...

    def new_row_id(self) -> str:
        """Return a new id for a row: 32 hexadecimal digits, unguessable, and near the one before in an index.

        A database writes whole pages: rows of one job with ids at random would each touch a page of every index.
        """
        ...

    def new_salt(self) -> bytes:
        """Return 16 random bytes."""
        ...
