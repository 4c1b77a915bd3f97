"""What a reading of the directory may conclude (rule 11): only a complete one, and only if not too much vanished."""

from enum import StrEnum

_SUSPICIOUS_PERCENT = 10
_ROWS_FOR_A_SHARE = 10  # in a handful of rows one leaver is a large share

PEOPLE_STREAM, SIGN_INS_STREAM = "people", "sign_ins"
EXCLUDED_STREAM = "excluded:"  # followed by the group's id: everybody in a group that an exclusion names
ELIGIBLE_STREAM = "role_eligible"
ROLES_STREAM = "role_holders"  # with ":" and a group's id: everybody in a group that holds an admin role
MEMBERS_STREAM = "members:"  # followed by the group's id: the stream that reads its members


CHANGES_STREAM = "changes"  # who has changed; its last cursor is the link behind which the next reading begins
FROM_HERE_STREAM = "changes_from"  # of a full run: the link taken before anything was read
CHANGED_PEOPLE_STREAM = "changed_people"


class SyncKind(StrEnum):
    """What a run reads. Only a full one reads sign-ins, and only it may conclude from not having seen something."""

    FULL = "full"
    CHANGES = "changes"


class SyncState(StrEnum):
    """running → complete, failed or stopped; stopped → complete, when an admin accepts the drop."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    STOPPED = "stopped"


def is_suspicious_drop(before: int, gone: int, *, explained: int = 0) -> bool:
    """Whether so many rows vanished that an admin must say that this is right.

    Args:
        before: Rows that were there before this run.
        gone: Those of them that it did not see.
        explained: Rows that we took away ourselves since the last complete run.
    """
    return before >= _ROWS_FOR_A_SHARE and (gone - explained) * 100 > before * _SUSPICIOUS_PERCENT
