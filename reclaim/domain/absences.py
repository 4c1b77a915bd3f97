"""When people are away, as HR says it. Why is never asked, and nobody but a count is told whom it holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reclaim.domain.ids import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """One absence.

    Attributes:
        starts_at: The first instant of its first day.
        ends_at: The first instant after its last day.
    """

    person_id: PersonId
    starts_at: datetime
    ends_at: datetime

    def touches(self, since: datetime, now: datetime) -> bool:
        """Whether any of it lies between two instants. One that begins later says nothing yet."""
        return self.starts_at <= now and self.ends_at > since


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceList:
    """One list as it was imported; it replaced the one before as a whole."""

    id: str
    by: PersonId
    at: datetime
    absences: int


def counts_since(now: datetime, days: int) -> datetime:
    """Return the instant since which an absence still holds a seat for an idle window of `days`.

    Idle days do not count while somebody is away, and not before a whole window has passed since.
    """
    return now - timedelta(days=days)
