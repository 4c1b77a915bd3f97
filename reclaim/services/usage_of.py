"""What is known of the use of one application, person by person, whatever source it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reclaim.domain.consent import NoUse
from reclaim.domain.consent_program import Terms
from reclaim.domain.ids import PersonId
from reclaim.ports.storage import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class UseOf:
    """One person's use of one application.

    Attributes:
        no_use: Since when none is seen, over all their devices; None: unknown, which is never unused.
        devices: Where the application was seen.
    """

    person_id: PersonId
    no_use: NoUse | None
    devices: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source has.

    Attributes:
        newest: When it saw its newest row of the application; None: it has none.
        unmatched, ambiguous: Rows of nobody, and of more than one person, here. They are reported, never guessed.
    """

    newest: datetime | None
    unmatched: int = 0
    ambiguous: int = 0


class ReadUse(Protocol):
    """Reads use. Implemented over the stored rows of every usage source."""

    async def refresh(self, terms: Terms) -> Reading:
        """Have the source read anew, where it is one that can be asked, and say what there is.

        Raises:
            PortError: The source does not answer, or its answer cannot be used.
            InvalidRequest: This installation has no such source.
        """
        ...

    async def page(self, work: UnitOfWork, terms: Terms, *, after: PersonId | None, limit: int) -> list[UseOf]:
        """Return people whose use is known, in the order of their ids, behind `after`."""
        ...

    async def use_of(self, work: UnitOfWork, terms: Terms, person: PersonId) -> UseOf | None:
        """Return one person's use; None: the source has no row of them."""
        ...
