"""Schedules by APScheduler's cron trigger, which knows summer time; it only says when, and runs nothing here."""

from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from reclaim.domain.calendar import zone as known_zone
from reclaim.errors import InvalidRequest


class CronSchedule:
    """Implements `ports.schedule.Schedule`."""

    def next_after(self, cron: str, zone: str, after: datetime) -> datetime | None:
        try:
            trigger = CronTrigger.from_crontab(cron, timezone=known_zone(zone))
        except ValueError as error:
            raise InvalidRequest(
                f"“{cron[:40]}” is no schedule. Five fields: minute, hour, day, month, weekday. Example: 0 8 * * mon",
                field="schedule",
            ) from error
        # The trigger counts `after` itself, and we are told to come back at the very instant that it names.
        found: datetime | None = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        return found.astimezone(UTC) if found is not None else None
