"""What is known of a person's last use: seen at a time, never seen, or unknown. Unknown is never idle (rule 1)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

# lastSuccessfulSignInDateTime exists since this day and was not backfilled, so an older account without any sign-in field
# may have been used before: unknown, not never. Source: Microsoft Graph docs, resource type signInActivity.
SIGN_INS_KNOWN_SINCE = datetime(2023, 12, 1, tzinfo=UTC)


class SignInKind(StrEnum):
    """Which of Microsoft's three fields gave the latest instant."""

    SUCCESS = "success"  # lastSuccessfulSignInDateTime
    INTERACTIVE = "interactive"  # lastSignInDateTime: counts failed attempts too
    BACKGROUND = "background"  # lastNonInteractiveSignInDateTime: token refresh by a device that is on


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIns:
    """The three fields of `signInActivity` as last read; None where Microsoft gave none."""

    success_at: datetime | None = None
    interactive_at: datetime | None = None
    background_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenAt:
    """Used last at `at`; `kind` says by which evidence."""

    at: datetime
    kind: SignInKind


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """Certainly never used: the account is young enough for the record to be complete."""


class UnknownWhy(StrEnum):
    """Why nothing can be said."""

    NOT_READ = "not_read"  # no completed sign-in sync covers this person
    NO_RECORD = "no_record"  # Microsoft has no sign-in for an account older than its records
    NO_CREATION_DATE = "no_creation_date"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing can be said, and so nothing may be concluded."""

    why: UnknownWhy


Activity = SeenAt | NeverSeen | Unknown


def read_activity(
    sign_ins: SignIns | None, *, created_at: datetime | None, never_seen_since: datetime | None = None
) -> Activity:
    """Return the last activity that the sign-in fields prove.

    Args:
        sign_ins: The fields of a completed read that had the permission; None if there was no such read.
        created_at: When the account was created, aware UTC.
        never_seen_since: An admin's word that records are complete for accounts created from then on.
    """
    if sign_ins is None:
        return Unknown(UnknownWhy.NOT_READ)
    # On a tie the stronger evidence is named: a success over an attempt, an attempt over a background refresh.
    dated = [
        (at, rank, kind)
        for rank, (at, kind) in enumerate(
            [
                (sign_ins.background_at, SignInKind.BACKGROUND),
                (sign_ins.interactive_at, SignInKind.INTERACTIVE),
                (sign_ins.success_at, SignInKind.SUCCESS),
            ]
        )
        if at is not None
    ]
    if dated:
        at, _, kind = max(dated)
        return SeenAt(at, kind)
    if created_at is None:
        return Unknown(UnknownWhy.NO_CREATION_DATE)
    complete_since = min(SIGN_INS_KNOWN_SINCE, never_seen_since) if never_seen_since else SIGN_INS_KNOWN_SINCE
    return NeverSeen() if created_at >= complete_since else Unknown(UnknownWhy.NO_RECORD)
