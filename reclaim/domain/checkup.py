"""The checkup of an installation (`/reclaim doctor`): what was looked at, and how it stands. What it means is the card's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# Beyond this, Entra begins to refuse certificates' assertions, and ages and due dates are wrong by as much.
CLOCK_MAY_DIFFER: Final = timedelta(minutes=5)
# A job is taken within seconds of its time while a server runs.
JOBS_MAY_WAIT: Final = timedelta(minutes=10)


class CheckName(StrEnum):
    """What is looked at, in the order in which one thing needs the other."""

    DATABASE = "database"
    JOBS = "jobs"
    ENTRA = "entra"
    ENTRA_WRITER = "entra_writer"
    CLOCK = "clock"
    READ_PEOPLE = "read_people"
    READ_LICENSES = "read_licenses"
    READ_GROUPS = "read_groups"
    READ_SIGN_INS = "read_sign_ins"
    READ_ROLES = "read_roles"
    PREMIUM = "premium"
    USAGE_REPORTS = "usage_reports"
    READ_MAILBOXES = "read_mailboxes"
    INTUNE = "intune"
    NEXTHINK = "nexthink"
    WRITE_LICENSES = "write_licenses"
    WRITE_MEMBERS = "write_members"
    DATA = "data"
    PRICES = "prices"
    CHAT = "chat"
    ADMINS = "admins"
    FALLBACK = "fallback"


class Outcome(StrEnum):
    """How one check ended."""

    GOOD = "good"
    FIX = "fix"
    WITHOUT = "without"  # not there, and Reclaim does without it
    UNKNOWN = "unknown"  # what it needs did not work, or did not answer: nothing is known, which is not a pass


_TO_FIX = (Outcome.FIX, Outcome.UNKNOWN, Outcome.WITHOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        said: The refusal as the other side's adapter words it, for a person; empty if there is none.
        about: What it is about, as names: SKUs without a price, one chat service, a state of usage reports.
        number: A count that belongs to it; which, its name says.
        since: How long something lasts: the age of the data, the wait of a job, how much the clock differs.
    """

    name: CheckName
    outcome: Outcome
    said: str = ""
    about: tuple[str, ...] = ()
    number: int | None = None
    since: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """All checks of one look.

    Attributes:
        live: Whether removals of this installation are meant; in a dry run a missing write permission does no harm yet.
        consent_link: Where an admin of the tenant grants what is missing to the application that reads.
        writer_link: The same for the application that writes.
    """

    checks: tuple[Check, ...]
    at: datetime
    live: bool
    consent_link: str
    writer_link: str

    @property
    def to_fix(self) -> tuple[Check, ...]:
        """The checks that did not pass: what must be mended, what could not be looked at, what is done without."""
        bad = [check for check in self.checks if check.outcome is not Outcome.GOOD]
        return tuple(sorted(bad, key=lambda check: _TO_FIX.index(check.outcome)))

    @property
    def well(self) -> bool:
        """Whether nothing is to mend and all could be looked at; what is done without harms nothing."""
        return all(check.outcome in (Outcome.GOOD, Outcome.WITHOUT) for check in self.checks)

    @property
    def passed(self) -> tuple[Check, ...]:
        """The checks that passed."""
        return tuple(check for check in self.checks if check.outcome is Outcome.GOOD)


def clock_check(difference: timedelta | None) -> Check:
    """Judge how far our clock is from Microsoft's; None: Microsoft did not answer."""
    if difference is None:
        return Check(name=CheckName.CLOCK, outcome=Outcome.UNKNOWN)
    off = abs(difference)
    return Check(
        name=CheckName.CLOCK, outcome=Outcome.FIX if off > CLOCK_MAY_DIFFER else Outcome.GOOD, since=difference
    )


def jobs_check(waiting: int, longest: timedelta | None) -> Check:
    """Judge the jobs that nobody has begun yet."""
    late = longest is not None and longest > JOBS_MAY_WAIT
    return Check(name=CheckName.JOBS, outcome=Outcome.FIX if late else Outcome.GOOD, number=waiting, since=longest)
