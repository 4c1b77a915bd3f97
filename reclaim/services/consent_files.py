"""The CSV and JSON of a consent program's evidence. Pure: the same evidence gives the same bytes."""

from collections.abc import Mapping

from reclaim.domain.consent import ConsentRequest
from reclaim.domain.consent_appeal import ConsentAppeal
from reclaim.domain.consent_funnel import Answer, Funnel, Stage, Standing
from reclaim.domain.consent_program import ConsentProgram, values_of
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.consent_views import newest
from reclaim.domain.ids import ConsentId, ConsentRunId
from reclaim.domain.membership import ChangeWhy, MembershipChange
from reclaim.services.consent_evidence import ConsentEvidence
from reclaim.services.event_records import EventRecord
from reclaim.services.evidence_files import (
    About,
    csv_of,
    event_document,
    events_csv,
    instant_text,
    json_of,
    money_document,
    policy_document,
    slug_of,
)

FORMAT_VERSION = 2
COLUMNS = (
    "request_id", "run", "person_name", "upn", "state", "why", "last_used", "unused_days", "device", "source",
    "observed_at", "found_at", "asked_at", "answered_by", "answered_at", "reason", "note", "approved_by", "ended_at",
    "removed_at", "appealed_at", "appeal", "restored_at",
)  # fmt: skip


def slug(evidence: ConsentEvidence) -> str:
    """Return the program's name as a file name, with the run where it is about one."""
    name = slug_of(evidence.program.terms.name, evidence.program.id)
    return name if evidence.only_run is None else f"{name}-run-{evidence.only_run}"


def attestation_csv(evidence: ConsentEvidence) -> bytes:
    """Return one row per event, in the columns of a campaign's."""
    requests = {str(one.id): one for one in evidence.requests}

    def about(record: EventRecord) -> About:
        request = requests.get(record.stored.event.item_id or "")
        person = evidence.people.get(request.person_id) if request is not None else None
        if request is None:
            return About()
        application = evidence.program.terms.application
        return About(person.shown_name if person else request.person_id, person.upn if person else "", application)

    return events_csv(evidence.records, about)


def requests_csv(evidence: ConsentEvidence) -> bytes:
    """Return one row per request."""
    numbers = {run.id: number for number, run in evidence.runs.items()}
    return csv_of(COLUMNS, (_cells(one, evidence, numbers) for one in evidence.requests))


def to_json(evidence: ConsentEvidence) -> bytes:
    """Return everything as one JSON document; its events are those of a campaign's, see `evidence_files.to_json`."""
    return json_of(
        {
            "format": FORMAT_VERSION,
            "exported_at": instant_text(evidence.at),
            "program": _program(evidence.program),
            "policy": policy_document(evidence.policy),
            "only_run": evidence.only_run,
            "funnel": _funnel(evidence.funnel),
            "runs": [_run(number, one) for number, one in evidence.runs.items()],
            "requests": [_request(one, evidence) for one in evidence.requests],
            "waiting_list": [_change(one) for one in evidence.others],
            "events": [event_document(record) for record in evidence.records],
        }
    )


def _cells(request: ConsentRequest, evidence: ConsentEvidence, numbers: Mapping[ConsentRunId, int]) -> list[str]:
    person = evidence.people.get(request.person_id)
    changes = evidence.changes.get(request.id, ())
    leave, restore = newest(changes, ChangeWhy.CONSENT), newest(changes, ChangeWhy.RESTORE)
    appeal = evidence.appeals.get(request.id)
    use = request.no_use
    return [
        request.id,
        str(numbers.get(request.run_id, "")),
        person.shown_name if person else request.person_id,
        person.upn if person else "",
        request.state.value,
        request.why or "",
        instant_text(use.last_used_at) or "",
        str(use.unused_days),
        use.device or "",
        use.source,
        instant_text(use.observed_at) or "",
        instant_text(request.found_at) or "",
        instant_text(request.asked_at) or "",
        request.answered_by or "",
        instant_text(request.answered_at) or "",
        request.reason.value if request.reason else "",
        request.note or "",
        request.approved_by.value if request.approved_by else "",
        instant_text(request.ended_at) or "",
        instant_text(leave.ended_at if leave else None) or "",
        instant_text(appeal.asked_at if appeal else None) or "",
        appeal.state.value if appeal else "",
        instant_text(restore.ended_at if restore else None) or "",
    ]


def _program(program: ConsentProgram) -> dict[str, object]:
    terms = values_of(program.terms)
    return {
        "id": program.id,
        "state": program.state.value,
        "group": {"id": program.group_id, "name": program.group_name},
        "product_id": program.product_id,
        "owner_id": program.owner_id,
        "created_at": instant_text(program.created_at),
        "version": program.version,
        "terms": {**terms, "price": money_document(program.terms.price)},
    }


def _funnel(funnel: Funnel) -> dict[str, object]:
    return {
        "candidates": funnel.candidates,
        "stages": {one.value: funnel.stages.get(one, 0) for one in Stage},
        "answers_of_asked": {one.value: funnel.answers.get(one, 0) for one in Answer},
        "standings": {one.value: funnel.standings.get(one, 0) for one in Standing},
        "removed": funnel.removed,
        "restored": funnel.restored,
        "reasons": dict(funnel.reasons),
        "saved_a_month": [money_document(amount) for amount in funnel.saved.amounts],
        "unpriced": funnel.saved.unpriced,
    }


def _run(number: int, run: ConsentRun) -> dict[str, object]:
    return {
        "number": number,
        "id": run.id,
        "state": run.state.value,
        "mode": run.mode.value,
        "started_at": instant_text(run.started_at),
        "ended_at": instant_text(run.ended_at),
        "asked_by": run.asked_by,
        "people": list(run.people),
        "devices": list(run.devices),
        "data_as_of": instant_text(run.data_as_of),
        "counts": dict(run.counts),
        "unmatched": run.unmatched,
        "ambiguous": run.ambiguous,
        "error": run.error,
    }


def _request(request: ConsentRequest, evidence: ConsentEvidence) -> dict[str, object]:
    person = evidence.people.get(request.person_id)
    use = request.no_use
    place = evidence.place(request)
    return {
        "id": request.id,
        "run_id": request.run_id,
        "person": {
            "id": request.person_id,
            "name": person.shown_name if person else None,
            "upn": person.upn if person else None,
        },
        "state": request.state.value,
        "stage": place.stage.value,
        "answer": place.answer.value if place.answer else None,
        "standing": place.standing.value,
        "why": request.why,
        "detail": request.detail,
        "use": {
            "last_used_at": instant_text(use.last_used_at),
            "unused_days": use.unused_days,
            "device": use.device,
            "source": use.source,
            "observed_at": instant_text(use.observed_at),
        },
        "found_at": instant_text(request.found_at),
        "asked_at": instant_text(request.asked_at),
        "answered_by": request.answered_by,
        "answered_at": instant_text(request.answered_at),
        "reason": request.reason.value if request.reason else None,
        "note": request.note,
        "approved_by": request.approved_by.value if request.approved_by else None,
        "manager_id": request.manager_id,
        "ended_at": instant_text(request.ended_at),
        "changes": [_change(one) for one in evidence.changes.get(request.id, ())],
        "appeal": _appeal(request.id, evidence.appeals),
    }


def _appeal(request: ConsentId, appeals: Mapping[ConsentId, ConsentAppeal]) -> dict[str, object] | None:
    appeal = appeals.get(request)
    if appeal is None:
        return None
    return {
        "text": appeal.text,
        "at": instant_text(appeal.asked_at),
        "decider_id": appeal.decider_id,
        "due_at": instant_text(appeal.due_at),
        "state": appeal.state.value,
        "ended_at": instant_text(appeal.ended_at),
        "reason": appeal.reason,
    }


def _change(change: MembershipChange) -> dict[str, object]:
    return {
        "id": change.id,
        "kind": change.kind.value,
        "why": change.why.value,
        "person_id": change.person_id,
        "group_id": change.group_id,
        "asked_by": change.asked_by,
        "asked_at": instant_text(change.asked_at),
        "client_request_id": change.write_id,
        "request_id": change.answer_id,
        "intended_at": instant_text(change.intended_at),
        "written_at": instant_text(change.written_at),
        "ended_at": instant_text(change.ended_at),
        "result": change.result.value if change.result else None,
        "detail": change.detail,
    }
