"""What usage sources say: rows of one person, one application and one device, and what follows from them.

Missing data is never unused: somebody of whom a source has no row is unknown, and so is somebody whose rows are too old.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from reclaim.domain.consent import NoUse
from reclaim.domain.ids import PersonId

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)  # an observation older than any that counts
# An application that was absent at two readings so far apart, or less, was absent between them.
ABSENT_BETWEEN: Final = timedelta(days=14)


class Tells(StrEnum):
    """What a row is evidence of."""

    USE = "use"
    ABSENCE = "absence"  # not installed there; that it is installed would tell nothing of its use
    NOTHING = "nothing"  # the source has something of this person, from which no use and no absence follows


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One row as a source gives it.

    Attributes:
        who: Entra object id, user principal name or mail address.
        application: As the source calls it.
        last_used_at: None where the source says only for how long it was unused; both None: the row could not be read. Of an
            absence: by when it was gone, so that it may have been used until then.
        unused_days: Full days without use up to `observed_at`; None where `last_used_at` says it.
        device: None where the source does not name one.
        observed_at: When the source saw it.
        tells: Not stored: an import makes of it what counts (`as_kept`).
    """

    who: str
    application: str
    last_used_at: datetime | None
    unused_days: int | None
    device: str | None
    observed_at: datetime
    tells: Tells = Tells.USE

    @property
    def used_until(self) -> datetime:
        """The latest instant at which it may have been used, as far as the row tells."""
        if self.last_used_at is not None:
            return self.last_used_at
        return self.observed_at - timedelta(days=self.unused_days or 0)


def unknown_use(who: str, application: str) -> UsageRow:
    """Return a row that makes its person unknown, whatever other rows say: it was seen before anything that counts."""
    return UsageRow(
        who=who, application=application, last_used_at=None, unused_days=0, device=None, observed_at=_LONG_AGO
    )


def unreadable_use(who: str, application: str) -> UsageRow:
    """Return a row that makes its person unknown until the row is mended that could not be read."""
    return UsageRow(
        who=who, application=application, last_used_at=None, unused_days=None, device=None, observed_at=_LONG_AGO
    )


def as_kept(row: UsageRow, absent_since: datetime | None = None) -> UsageRow:
    """Return a row as it is stored.

    Args:
        row: As the source gives it.
        absent_since: Since when the reading before knew of the same absence; None: it did not, or was too long ago.
    """
    match row.tells:
        case Tells.USE:
            return row
        case Tells.NOTHING:
            return replace(unknown_use(row.who, row.application), device=row.device)
        case Tells.ABSENCE if absent_since is not None and row.last_used_at is not None:
            return replace(row, tells=Tells.USE, last_used_at=min(absent_since, row.last_used_at))
        case _:
            return replace(row, tells=Tells.USE)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUse:
    """A row of somebody whom we know."""

    person_id: PersonId
    row: UsageRow


def no_use_of(rows: Iterable[UsageRow], source: str, *, max_age: timedelta, now: datetime) -> NoUse | None:
    """Return since when a person's application was not used on any device; None: unknown.

    The latest use on any device wins. Days count up to the observation, as nobody knows what came after it; and a device of
    which the source has seen nothing lately may have been used since.

    Args:
        rows: Of one person and one application.
        source: Its name.
        max_age: An older row tells nothing about now.
        now: The time.
    """
    known = list(rows)
    if not known or any(now - row.observed_at > max_age for row in known):
        return None
    latest = max(known, key=lambda row: (row.used_until, row.observed_at))
    observed = min(row.observed_at for row in known)
    return NoUse(
        last_used_at=latest.last_used_at,
        unused_days=max(0, (observed - latest.used_until).days),
        device=latest.device,
        source=source,
        observed_at=observed,
    )
