"""Make a consent program's report of its evidence. Pure: the same evidence gives the same report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.consent import ConsentRequest
from reclaim.domain.consent_funnel import Standing
from reclaim.domain.consent_report import ConsentReport, ReportChange, ReportRequest, ReportRun, ReportTerms
from reclaim.domain.consent_views import newest
from reclaim.domain.ids import ConsentId
from reclaim.domain.membership import ChangeWhy, MembershipChange
from reclaim.domain.read_models import FileDigest
from reclaim.services.attesting import SYSTEM
from reclaim.services.consent_evidence import ConsentEvidence
from reclaim.services.event_records import BOT_NAME, fact_text
from reclaim.services.report_log import report_log

_KEY_EVENTS: Final = frozenset(
    {
        EventKind.CONSENT_PROGRAM_SET,
        EventKind.CONSENT_RUN_STARTED,
        EventKind.CONSENT_RUN_ENDED,
        EventKind.WAIT_LISTED,
        EventKind.WAIT_ENDED,
        EventKind.EXPORTED,
    }
)
# Exceptions first, then what is gone, then what stays.
_ORDER: Final = (
    Standing.BY_HAND,
    Standing.REMOVING,
    Standing.OPEN,
    Standing.WAITING,
    Standing.RESTORED,
    Standing.REMOVED,
    Standing.KEPT,
    Standing.SILENT,
    Standing.OTHERWISE,
    Standing.EXCLUDED,
    Standing.NOT_A_MEMBER,
)
# Facts of the event that are no terms.
_NO_TERMS: Final = frozenset({"version", "group", "product"})


def make_report(
    evidence: ConsentEvidence, *, pseudonymous: bool = False, files: Sequence[FileDigest] = ()
) -> ConsentReport:
    """Return the report; `pseudonymous` replaces names by ids and leaves out what people wrote.

    Args:
        files: What is exported beside it.
    """
    if pseudonymous:
        evidence = _without_names(evidence)
    requests = _requests(evidence)
    numbers = {one.request.id: one.number for one in requests}
    return ConsentReport(
        program=evidence.program,
        pseudonymous=pseudonymous,
        written_at=evidence.at,
        owner_name=evidence.name(evidence.program.owner_id) or evidence.program.owner_id,
        only_run=evidence.only_run,
        funnel=evidence.funnel,
        requests=requests,
        runs=_runs(evidence),
        changes=_changes(evidence, numbers),
        terms=_terms(evidence),
        log=report_log(evidence.records, _KEY_EVENTS, files, pseudonymous=pseudonymous),
        policy=evidence.policy,
    )


def _without_names(evidence: ConsentEvidence) -> ConsentEvidence:
    return replace(
        evidence,
        people={},
        requests=[_bare(one) for one in evidence.requests],
        appeals={ref: replace(one, text="", reason=None) for ref, one in evidence.appeals.items()},
        runs={number: replace(one, devices=()) for number, one in evidence.runs.items()},
    )


def _bare(request: ConsentRequest) -> ConsentRequest:
    # What stands in the way may be the name of a group.
    return replace(request, note=None, detail=None, no_use=replace(request.no_use, device=None))


def _requests(evidence: ConsentEvidence) -> tuple[ReportRequest, ...]:
    ended = {
        record.stored.event.item_id: record.stored.seq
        for record in evidence.records
        if record.stored.event.kind is EventKind.CONSENT_ENDED
    }
    # What a run settles at once, it notes as it finds it.
    found = {
        record.stored.event.item_id: record.stored.seq
        for record in evidence.records
        if record.stored.event.kind is EventKind.CONSENT_FOUND
    }

    def order(request: ConsentRequest) -> tuple[int, str, str]:
        name = evidence.name(request.person_id) or ""
        return _ORDER.index(evidence.place(request).standing), name.casefold(), request.id

    return tuple(
        _request(
            evidence,
            number,
            request,
            ended.get(request.id, found.get(request.id)) if not request.is_open else None,
        )
        for number, request in enumerate(sorted(evidence.requests, key=order), start=1)
    )


def _request(evidence: ConsentEvidence, number: int, request: ConsentRequest, ended_in: int | None) -> ReportRequest:
    person = evidence.people.get(request.person_id)
    changes = evidence.changes.get(request.id, ())
    appeal = evidence.appeals.get(request.id)
    return ReportRequest(
        number=number,
        request=request,
        place=evidence.place(request),
        person_name=person.shown_name if person is not None else request.person_id,
        upn=person.upn if person is not None else "",
        answered_by_name=evidence.name(request.answered_by),
        manager_name=evidence.name(request.manager_id),
        leave=newest(changes, ChangeWhy.CONSENT),
        restore=newest(changes, ChangeWhy.RESTORE),
        appeal=appeal,
        decider_name=evidence.name(appeal.decider_id) if appeal is not None else None,
        ended_in=ended_in,
    )


def _runs(evidence: ConsentEvidence) -> tuple[ReportRun, ...]:
    versions = {
        str(record.facts.get("run")): version
        for record in evidence.records
        if record.stored.event.kind is EventKind.CONSENT_RUN_STARTED
        and isinstance(version := record.facts.get("program_version"), int)
    }
    return tuple(
        ReportRun(
            number=number, run=run, asked_by_name=_asker(evidence, run.asked_by), version=versions.get(str(run.id))
        )
        for number, run in evidence.runs.items()
    )


def _changes(evidence: ConsentEvidence, numbers: Mapping[ConsentId, int]) -> tuple[ReportChange, ...]:
    every = [one for some in evidence.changes.values() for one in some] + list(evidence.others)

    def order(change: MembershipChange) -> tuple[float, str]:
        return change.asked_at.timestamp(), change.id

    return tuple(
        ReportChange(
            number=numbers.get(one.request_id) if one.request_id is not None else None,
            person_name=evidence.name(one.person_id) or one.person_id,
            asked_by_name=_asker(evidence, one.asked_by),
            change=one,
        )
        for one in sorted(every, key=order)
    )


def _terms(evidence: ConsentEvidence) -> tuple[ReportTerms, ...]:
    """Return how the terms were set, each time with what changed; what people wrote is told by its name alone."""
    before: Mapping[str, Fact] = {}
    found = []
    for record in evidence.records:
        if record.stored.event.kind is not EventKind.CONSENT_PROGRAM_SET:
            continue
        now = {key: value for key, value in record.facts.items() if key not in _NO_TERMS}
        version = record.facts.get("version")
        changed = tuple(
            (key, fact_text(before.get(key)), fact_text(value))
            for key, value in sorted(now.items())
            if before and before.get(key) != value
        )
        found.append(
            ReportTerms(
                seq=record.stored.seq,
                at=record.stored.event.at,
                by_name=_asker(evidence, record.actor_id),
                version=version if isinstance(version, int) else 0,
                changed=changed,
            )
        )
        before = now
    return tuple(found)


def _asker(evidence: ConsentEvidence, who: str) -> str:
    return BOT_NAME if who == SYSTEM else evidence.name(who) or who
