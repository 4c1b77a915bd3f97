"""Who waits for a seat of an application, and what was done when one became free."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reclaim.domain.ids import PersonId, ProductId


class WaitState(StrEnum):
    """Where somebody on a waiting list stands."""

    WAITING = "waiting"
    TOLD = "told"  # a seat is free, and somebody has to give it to them
    ADDED = "added"  # Reclaim adds them to the group
    TAKEN_OFF = "taken_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """One person on the waiting list of a product.

    Attributes:
        asked_by: Who put them there.
        version: Compare-and-set column.
    """

    product_id: ProductId
    person_id: PersonId
    since: datetime
    asked_by: PersonId
    state: WaitState = WaitState.WAITING
    ended_at: datetime | None = None
    version: int = 1

    def to(self, state: WaitState, now: datetime) -> "Waiter":
        """Return them one step on."""
        return replace(self, state=state, ended_at=now, version=self.version + 1)
