"""What a report says of the attestation log behind it: its key events, and the digest that a reader can check."""

import hashlib
from collections.abc import Collection, Sequence

from reclaim.domain.attestation import EventKind
from reclaim.domain.read_models import FileDigest, ReportEvent, ReportLog
from reclaim.services.event_records import EventRecord


def report_log(
    records: Sequence[EventRecord],
    key_events: Collection[EventKind],
    files: Sequence[FileDigest],
    *,
    pseudonymous: bool,
) -> ReportLog:
    """Return the log of a report.

    Args:
        records: Every event that the report tells of, in its order.
        key_events: The kinds that its timeline lists.
        files: What is exported beside the report.
        pseudonymous: Whether actors are shown by their ids.
    """
    bodies = b"".join(record.stored.event.body for record in records)
    return ReportLog(
        events=tuple(_event(one, pseudonymous) for one in records if one.stored.event.kind in key_events),
        count=len(records),
        first_seq=records[0].stored.seq if records else None,
        last_seq=records[-1].stored.seq if records else None,
        sha256=hashlib.sha256(bodies).hexdigest(),
        files=tuple(files),
    )


def _event(record: EventRecord, pseudonymous: bool) -> ReportEvent:
    event = record.stored.event
    actor = record.actor_id if pseudonymous else record.actor_name
    return ReportEvent(seq=record.stored.seq, at=event.at, kind=event.kind, actor_name=actor)
