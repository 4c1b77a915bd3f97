"""Finding people for a picker, and the name behind a picked one."""

from typing import Protocol

from reclaim.domain.ids import PersonId
from reclaim.ports.storage import Work

MAX_FOUND = 10


class People(Protocol):
    """Looks people up by what somebody typed."""

    async def search(self, text: str) -> tuple[tuple[PersonId, str], ...]:
        """Return at most ten people whose name or address matches: (id, shown name)."""
        ...

    async def name_of(self, person: PersonId) -> str | None:
        """Return the shown name, or None for a stranger."""
        ...


class SyncedPeople:
    """`People` over what was last synced."""

    def __init__(self, *, work: Work) -> None:
        self._work = work

    async def search(self, text: str) -> tuple[tuple[PersonId, str], ...]:
        """Return at most ten people whose name or address matches: (id, shown name)."""
        wanted = text.strip()
        if not wanted:
            return ()
        async with self._work.read() as reading:
            found = await reading.people.search(wanted, MAX_FOUND)
        return tuple((person.id, person.shown_name) for person in found)

    async def name_of(self, person: PersonId) -> str | None:
        """Return the shown name, or None for a stranger."""
        async with self._work.read() as reading:
            found = await reading.people.get(person)
        return found.shown_name if found else None
