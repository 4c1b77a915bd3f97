"""Due dates: a campaign lives in one IANA zone, and a due date is the end of that local day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reclaim.errors import InvalidRequest


def zone(name: str) -> ZoneInfo:
    """Return the IANA zone `name`.

    Raises:
        InvalidRequest: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidRequest(f"“{name}” is not a time zone. Example: Europe/Zurich", field="zone") from error


def start_of_day(day: date, zone_name: str) -> datetime:
    """Return the first instant of the local `day`, in UTC."""
    return end_of_day(day - timedelta(days=1), zone_name)


def end_of_day(day: date, zone_name: str) -> datetime:
    """Return the first instant after the local `day`, in UTC; a day may have 23 or 25 hours."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone(zone_name)).astimezone(UTC)


def last_at(clock_time: time, now: datetime, zone_name: str) -> datetime:
    """Return the newest instant up to now at which the clocks of the zone showed this time, in UTC.

    Where the clocks leap over it in spring, the instant at which they would have shown it counts.
    """
    today = local_day(now, zone_name)
    at = datetime.combine(today, clock_time, tzinfo=zone(zone_name)).astimezone(UTC)
    if at <= now:
        return at
    return datetime.combine(today - timedelta(days=1), clock_time, tzinfo=zone(zone_name)).astimezone(UTC)


def next_at(clock_time: time, now: datetime, zone_name: str) -> datetime:
    """Return the first instant after now at which the clocks of the zone show this time, in UTC."""
    today = local_day(now, zone_name)
    at = datetime.combine(today, clock_time, tzinfo=zone(zone_name)).astimezone(UTC)
    if at > now:
        return at
    return datetime.combine(today + timedelta(days=1), clock_time, tzinfo=zone(zone_name)).astimezone(UTC)


def local_day(at: datetime, zone_name: str) -> date:
    """Return the local day of an instant."""
    return at.astimezone(zone(zone_name)).date()


def parse_day(text: str) -> date:
    """Read a day as 2026-12-04.

    Raises:
        InvalidRequest: Any other form, since 4/12 means two days.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidRequest(f"“{text}” is not a clear date. Example: 2026-12-04", field="until") from error
