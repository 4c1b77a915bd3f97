"""Which seats are idle, and why: four rules, each with its evidence.

A seat's `quiet_since` is the latest of all instants that could speak for use: last activity, creation of the account,
newest change of the assignment. It is idle for a window of N days when `quiet_since` is at least N days ago. One number
therefore answers every threshold, and a new account or assignment is never idle (rule 2).

What usage reports say is looked at where the installation wants it. A use keeps a seat as a sign-in does. A product that the
reports count whole is idle without any use though the person signs in; every other product is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reclaim.domain.activity import Activity, NeverSeen, SeenAt, SignInKind, Unknown, read_activity
from reclaim.domain.directory import Person, Seat
from reclaim.domain.ids import PersonId, ProductId, SeatId
from reclaim.domain.workloads import REPORTS_LAG, Use

CLEAR_DAYS = 180
DISABLED_GRACE = timedelta(days=14)  # for a disabled account only the age of the assignment counts (rule 2)


class Rule(StrEnum):
    """Why a seat is flagged."""

    DISABLED = "disabled"
    NEVER_SEEN = "never_seen"
    IDLE = "idle"
    UNUSED = "unused"  # by usage reports: no use of the product, while the person signs in


def rules_of(asked: Iterable[str]) -> frozenset[Rule]:
    """Return the rules that somebody means who asks for these: no use in the window is one thing, however it is known."""
    rules = frozenset(map(Rule, asked))
    return rules | {Rule.UNUSED} if Rule.IDLE in rules else rules


class NotIdleWhy(StrEnum):
    """Why a seat is not flagged; every seat has a finding or one of these."""

    IN_USE = "in_use"
    TOO_NEW = "too_new"
    UNKNOWN = "unknown"
    ERROR_STATE = "error_state"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A seat that looks unused: rule, evidence, and the age of the data.

    Attributes:
        quiet_since: See the module docstring.
        last_seen_at: The last sign-in, None for never seen and for the disabled rule without data.
        data_as_of: When the evidence was read.
        exclusion_id: The exclusion that held the seat when it was last looked at: the one that lasts longest. It may
            have ended since: whoever asks compares with the exclusions that count.
        last_used_at: The last use in the reports, for the rule that reads them; None: no use in all that they cover.
        reported_at: Up to when those reports go; only for that rule.
    """

    seat_id: SeatId
    person_id: PersonId
    product_id: ProductId
    rule: Rule
    quiet_since: datetime
    last_seen_at: datetime | None
    last_seen_kind: SignInKind | None
    assigned_at: datetime | None
    data_as_of: datetime
    exclusion_id: str | None = None
    last_used_at: datetime | None = None
    reported_at: datetime | None = None

    def is_idle_for(self, days: int, now: datetime) -> bool:
        """Whether the finding holds for a window of `days`.

        A disabled account needs its grace only; what reports say must hold for the days that they lag behind, too.
        """
        if self.rule is Rule.DISABLED:
            window = DISABLED_GRACE
        else:
            window = timedelta(days=days) + (REPORTS_LAG if self.rule is Rule.UNUSED else timedelta(0))
        return now - self.quiet_since >= window

    def is_clear_case(self, now: datetime) -> bool:
        """Whether hardly anybody will object: a disabled account, or one that is quiet for `CLEAR_DAYS`.

        Whoever signs in every day may object.
        """
        return self.rule is not Rule.UNUSED and self.is_idle_for(CLEAR_DAYS, now)


def judge_seat(
    person: Person,
    seat: Seat,
    *,
    now: datetime,
    data_as_of: datetime,
    days: int,
    never_seen_since: datetime | None = None,
    use: Use | None = None,
) -> Finding | NotIdleWhy:
    """Return the finding on a seat for a window of `days`, or why there is none.

    Args:
        now: Aware UTC; one instant for a whole scan.
        data_as_of: When the run that read this data started.
        days: The window of the activity rules; positive.
        use: What the usage reports say of this product, where the installation judges by them.

    Raises:
        ValueError: `days` is not positive or `now` is naive.
    """
    if days <= 0:
        raise ValueError("days must be positive")
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    if person.gone_at is not None:
        return NotIdleWhy.GONE
    if not any(path.sound for path in seat.paths):
        return NotIdleWhy.ERROR_STATE
    activity = read_activity(person.sign_ins, created_at=person.created_at, never_seen_since=never_seen_since)
    assigned_at = seat.assigned_at
    used_at = use.last_used_at if use is not None else None
    if person.enabled is False:
        rule, quiet_since = Rule.DISABLED, assigned_at
    else:
        rule, quiet_since = _activity_rule(
            activity, created_at=person.created_at, assigned_at=assigned_at, used_at=used_at
        )
        if quiet_since is not None and use is not None and use.quiet_since is not None:
            unused_since = max(at for at in (use.quiet_since, assigned_at, person.created_at) if at is not None)
            # The rule that holds for more windows; on a tie the one that needs no report.
            if unused_since + REPORTS_LAG < quiet_since:
                rule, quiet_since = Rule.UNUSED, unused_since
    if quiet_since is None:
        return NotIdleWhy.UNKNOWN
    finding = Finding(
        seat_id=seat.id,
        person_id=person.id,
        product_id=seat.product_id,
        rule=rule,
        quiet_since=quiet_since,
        last_seen_at=activity.at if isinstance(activity, SeenAt) else None,
        last_seen_kind=activity.kind if isinstance(activity, SeenAt) else None,
        assigned_at=assigned_at,
        data_as_of=data_as_of,
        last_used_at=used_at if rule is Rule.UNUSED else None,
        reported_at=use.reported_at if use is not None and rule is Rule.UNUSED else None,
    )
    if finding.is_idle_for(days, now):
        return finding
    seen = [at for at in (finding.last_seen_at, used_at) if at is not None]
    if any(now - at < timedelta(days=days) for at in seen):
        return NotIdleWhy.IN_USE
    return NotIdleWhy.TOO_NEW


def _activity_rule(
    activity: Activity, *, created_at: datetime | None, assigned_at: datetime | None, used_at: datetime | None
) -> tuple[Rule, datetime | None]:
    """Return the rule by sign-ins and the instant since which the seat is quiet; None if that is unknown."""
    if isinstance(activity, Unknown) or assigned_at is None:
        return Rule.IDLE, None
    if isinstance(activity, NeverSeen):
        # A use without any sign-in: the two records contradict each other, so nothing is concluded.
        if used_at is not None:
            return Rule.IDLE, None
        return Rule.NEVER_SEEN, max(assigned_at, created_at) if created_at else None
    # A person who signed in has an account at least as old as that sign-in, so an unknown creation date does no harm.
    return Rule.IDLE, max(activity.at, assigned_at, created_at or activity.at, used_at or activity.at)
