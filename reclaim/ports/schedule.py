"""When a schedule falls due."""

from datetime import datetime
from typing import Protocol


class Schedule(Protocol):
    """Reads five fields of cron: minute, hour, day of month, month, day of week."""

    def next_after(self, cron: str, zone: str, after: datetime) -> datetime | None:
        """Return the first instant after `after` that fits, in UTC; None if there is none.

        Args:
            cron: As `0 8 * * mon`.
            zone: IANA zone in which the fields are meant.
            after: Aware.

        Raises:
            InvalidRequest: These are no five fields of cron.
        """
        ...
