"""How old the synced data is, said the same way everywhere."""

from datetime import datetime, timedelta

from reclaim.domain.read_models import DataAge
from reclaim.errors import NoSignInData
from reclaim.ports.directory import SignInSupport
from reclaim.ports.storage import SyncRun

_NO_SIGN_INS = {
    SignInSupport.NO_PREMIUM: "Microsoft gives no sign-in data for this tenant: it needs Entra ID P1.",
    SignInSupport.NO_PERMISSION: "Reclaim may not read sign-in data: grant AuditLog.Read.All and sync again.",
}


def data_age(
    newest_complete: SyncRun | None, now: datetime, limit: timedelta, *, newest_read: SyncRun | None = None
) -> DataAge:
    """Return the age of the data. It counts from the start of the run: nothing in it is younger than that for sure.

    Args:
        newest_complete: The newest complete full run: the age of sign-ins, by which seats are judged.
        now: Calendar time.
        limit: From which age on the data is stale.
        newest_read: The newest complete run of any kind: the age of people and seats.
    """
    if newest_complete is None:
        return DataAge(as_of=None, stale=False)
    later = newest_read is not None and newest_read.id != newest_complete.id
    return DataAge(
        as_of=newest_complete.started_at,
        stale=now - newest_complete.started_at > limit,
        seats_as_of=newest_read.started_at if newest_read is not None and later else None,
    )


def age_in_words(as_of: datetime, now: datetime) -> str:
    """Return "3 days" or "30 hours": whole units, rounded down."""
    hours = int((now - as_of).total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return "1 hour" if hours == 1 else f"{hours} hours"


def gives_sign_ins(run: SyncRun | None) -> bool:
    """Whether activity rules may be applied to what this run read (rule 1)."""
    return run is not None and run.sign_ins == SignInSupport.KNOWN


def no_sign_in_data(run: SyncRun) -> NoSignInData:
    """Return the refusal of an activity rule, with the way to mend it."""
    cause = _NO_SIGN_INS.get(SignInSupport(run.sign_ins), "")
    return NoSignInData(f"We cannot tell which seats are idle. {cause} A campaign on disabled accounts is possible.")
