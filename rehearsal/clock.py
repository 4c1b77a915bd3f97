"""The two times of the practice tenant: its own steerable time, and the machine's.

Dates in data (sign-ins, assignments, delayed effects) follow `TenantClock`. Token life is counted by `time.monotonic`
where it is used. `machine_now` serves what a real service would stamp with its own clock: certificates and error
bodies. This is the only module that reads the machine's calendar.
"""

from datetime import UTC, datetime

MINUTE = 60
DAY = 86_400


class TimeRunsForwardError(ValueError):
    """Somebody tried to turn the tenant's clock back."""


class TenantClock:
    """The tenant's time, in whole seconds since 1970; it stands still until somebody moves it."""

    def __init__(self, start: datetime) -> None:
        self.now = seconds(start)

    def move_to(self, moment: datetime) -> None:
        """Move tenant time forward.

        Raises:
            TimeRunsForwardError: `moment` lies before the present tenant time.
        """
        target = seconds(moment)
        if target < self.now:
            message = f"tenant time is {text(self.now)} and never goes back to {text(target)}"
            raise TimeRunsForwardError(message)
        self.now = target


def seconds(moment: datetime) -> int:
    """Return an aware instant as whole seconds since 1970.

    Raises:
        ValueError: `moment` carries no time zone.
    """
    if moment.tzinfo is None:
        message = "an instant needs a time zone"
        raise ValueError(message)
    return int(moment.timestamp())


def text(instant: int) -> str:
    """Return an instant in the form of Graph's Edm.DateTimeOffset, for example 2026-03-02T09:12:00Z."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def machine_now() -> datetime:
    """Return the machine's present time in UTC."""
    return datetime.now(UTC)
