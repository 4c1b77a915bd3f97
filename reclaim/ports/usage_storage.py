"""What is remembered of usage: imports, each of one source and application, with their rows. The newest whole one counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol

from reclaim.domain.ids import PersonId
from reclaim.domain.usage import KnownUse


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageImport:
    """One import.

    Attributes:
        application: Compared without case.
        name: Of the file or the query.
        by: Who imported it; `system` for a source that is asked.
        rows: Of people whom we know.
        newest: When the source saw its newest row; None: it has none.
        sha256: Of the bytes of the file, in hexadecimal; None: it was no file.
    """

    id: str
    source: str
    application: str
    name: str
    at: datetime
    by: str
    rows: int = 0
    unmatched: int = 0
    ambiguous: int = 0
    newest: datetime | None = None
    sha256: str | None = None


RowKey = tuple[PersonId, int]
PackedRows = NewType("PackedRows", str)


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows that were copied, and the last of them; None: there was none left."""

    rows: int
    last: RowKey | None


class Usage(Protocol):
    """Imports and rows."""

    async def begin(self, one: UsageImport) -> None:
        """Store an import that does not count yet."""
        ...

    def packed(self, import_id: str, rows: Sequence[KnownUse], *, first: int) -> PackedRows:
        """Return rows of an import as they are stored: made before the write lock is taken, of any unit of work.

        Args:
            import_id: Whose rows they are.
            rows: In the order of the file.
            first: The number of the first of them.
        """
        ...

    async def add_rows(self, rows: PackedRows) -> None:
        """Store rows."""
        ...

    async def copy_rows(self, base: str, to: str, *, first: int, after: RowKey | None, limit: int) -> Copied:
        """Copy the next rows of an import into another, behind its own.

        A row that could not be read is left out where the other import has rows of its person: it was mended.

        Args:
            base: The import whose rows are copied.
            to: The import that they are added to; it has all its own rows.
            first: The number of its own rows.
            after: The last row that was copied; None: none was.
            limit: At most so many.
        """
        ...

    async def complete(self, one: UsageImport) -> None:
        """Let an import count, in place of the one before of its source and application, unless that was begun later."""
        ...

    async def newest(self, source: str, application: str) -> UsageImport | None:
        """Return the import that counts."""
        ...

    async def of_bytes(self, source: str, sha256: str) -> tuple[UsageImport, bool] | None:
        """Return a whole import of a file with these bytes, and whether it counts; one that counts goes before."""
        ...

    async def counting(self) -> list[UsageImport]:
        """Return all imports that count, by source and application."""
        ...

    async def people(self, import_id: str, *, after: PersonId | None, limit: int) -> list[PersonId]:
        """Return who has rows in an import, in the order of their ids, behind `after`."""
        ...

    async def rows_of(self, import_id: str, people: Sequence[PersonId]) -> list[KnownUse]: ...

    async def erase_old(self, rows: int) -> bool:
        """Erase so many rows of imports that do not count any more, or that nobody ended in a day; True once none is left."""
        ...
