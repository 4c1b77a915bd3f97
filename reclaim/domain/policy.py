"""The installation's rules as values: made from the settings once, passed to services."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from reclaim.domain.campaign import Limits, WriteMode
from reclaim.domain.ids import PersonId
from reclaim.domain.workloads import REPORTS_LAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """See DESIGN section 6 for the settings of the same names.

    Attributes:
        admins, license_managers, auditors: Object ids of people or groups.
        fallback_reviewer: Who reviews what nobody else can, unless a campaign names another.
        idle_days: Default window.
        reminder_before: The last reminder goes out this long before the close; the first half-way.
        activity_max_age: At the write, the sign-in sync must not be older than this.
        may_lose_data: Whether a reviewer may revoke a seat that carries somebody's last mailbox or files.
        undo_window: So long after a removal was verified a seat can be restored.
        questions_per_day: New questions to one person in a local day, over all programs and campaigns, before a program
            waits for the next day.
        usage_max_age: Usage data that is older is unknown, and stops a run that has no newer.
        judges_by_reports: Whether no use in Microsoft's usage reports makes a seat idle although its holder signs in.
        report_max_age: A usage report that covers no later day than that judges nothing.
        sync_at: Local time in `zone` at which the whole tenant is read every night.
        changes_every: How long after a read what has changed since is read; zero: never.
        receipts_per_minute: How many holders are told at most, after a campaign, that a seat is gone. They wait for nothing.
        live_reads: Up to so many approved seats are judged by a live read instead of waiting for a sync.
    """

    admins: frozenset[str] = frozenset()
    license_managers: frozenset[str] = frozenset()
    auditors: frozenset[str] = frozenset()
    fallback_reviewer: PersonId | None = None
    writes: WriteMode = WriteMode.DRY_RUN
    zone: str = "UTC"
    idle_days: int = 90
    never_seen_since: datetime | None = None
    close_grace: timedelta = timedelta(hours=24)
    cooldown: timedelta = timedelta(days=90)
    data_max_age: timedelta = timedelta(hours=24)
    activity_max_age: timedelta = timedelta(hours=24)
    reminder_before: timedelta = timedelta(days=2)
    judges_by_reports: bool = False
    report_max_age: timedelta = REPORTS_LAG
    live_reads: int = 10
    receipts_per_minute: int = 600
    sync_at: time = time(2)
    changes_every: timedelta = timedelta(0)
    may_lose_data: bool = True
    undo_window: timedelta = timedelta(days=30)
    questions_per_day: int = 3
    usage_max_age: timedelta = timedelta(days=14)
    limits: Limits = field(default_factory=Limits)
