"""Export the evidence of a consent program: a list of requests for people, everything as JSON for checking."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reclaim.domain.attestation import EventKind
from reclaim.domain.consent import ConsentRequest
from reclaim.domain.consent_program import ConsentProgram, values_of
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.consent_views import Funnel, newest
from reclaim.domain.directory import Person
from reclaim.domain.ids import CampaignId, ConsentId, PersonId, ProgramId
from reclaim.domain.membership import ChangeWhy, MembershipChange
from reclaim.domain.money import Money
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ExportedFile
from reclaim.domain.roles import Actor
from reclaim.errors import NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.event_records import EventRecord, read_records
from reclaim.services.evidence_files import (
    csv_of,
    event_document,
    instant_text,
    json_of,
    policy_document,
    slug_of,
)
from reclaim.services.read_consent import funnel_of, seat_price

FORMAT_VERSION = 1
COLUMNS = (
    "request_id", "person_name", "upn", "state", "why", "last_used", "unused_days", "device", "source", "observed_at",
    "found_at", "asked_at", "answered_by", "answered_at", "reason", "note", "approved_by", "ended_at", "removed_at",
    "restored_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """All that is exported of one program, of one moment."""

    program: ConsentProgram
    runs: Sequence[ConsentRun]
    requests: Sequence[ConsentRequest]
    changes: Mapping[ConsentId, Sequence[MembershipChange]]
    others: Sequence[MembershipChange]
    people: Mapping[PersonId, Person]
    records: Sequence[EventRecord]
    funnel: Funnel
    at: datetime


class ExportConsent:
    """Answers `/reclaim consent export`. That somebody exported is attested too."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def export(self, actor: Actor, program_id: ProgramId) -> tuple[ExportedFile, ...]:
        """Return the requests as CSV and everything as JSON; the event about the export is not yet in them.

        Raises:
            NotFound: There is no such program.
        """
        async with self._work.read() as work:
            evidence = await self._collect(work, program_id)
        name = f"consent-{slug_of(evidence.program.terms.name, program_id)}"
        files = (
            ExportedFile(name=f"{name}.csv", media_type="text/csv", content=_csv(evidence)),
            ExportedFile(name=f"{name}.json", media_type="application/json", content=_json(evidence, self._policy)),
        )
        async with self._work.write() as work:
            await work.events.append(
                self._attest.event(
                    EventKind.EXPORTED,
                    actor=actor.id,
                    campaign=program_id,
                    facts={
                        "events": len(evidence.records),
                        "channel": actor.channel,
                        "csv_sha256": hashlib.sha256(files[0].content).hexdigest(),
                        "json_sha256": hashlib.sha256(files[1].content).hexdigest(),
                    },
                )
            )
            await work.commit()
        return files

    async def _collect(self, work: UnitOfWork, program_id: ProgramId) -> _Evidence:
        program = await work.consents.program(program_id)
        if program is None:
            raise NotFound("There is no such consent program. The list: /reclaim consent")
        now = self._clock.now()
        requests = await work.consents.all_of(program_id)
        changes = await work.consents.changes_of_program(program_id)
        by_request: dict[ConsentId, list[MembershipChange]] = {}
        for change in changes:
            if change.request_id is not None:
                by_request.setdefault(change.request_id, []).append(change)
        figures = await work.consents.figures(program_id)
        return _Evidence(
            program=program,
            runs=await work.consents.runs_of(program_id),
            requests=requests,
            changes=by_request,
            others=[one for one in changes if one.request_id is None],
            people=await work.people.get_many({one.person_id for one in requests}),
            # Events of a program carry its id where others carry their campaign's.
            records=await read_records(work, await work.events.of_campaign(CampaignId(program_id))),
            funnel=funnel_of(figures, await seat_price(work, program, now)),
            at=now,
        )


def _csv(evidence: _Evidence) -> bytes:
    return csv_of(COLUMNS, (_cells(one, evidence) for one in evidence.requests))


def _cells(request: ConsentRequest, evidence: _Evidence) -> list[str]:
    person = evidence.people.get(request.person_id)
    changes = evidence.changes.get(request.id, ())
    leave, restore = newest(changes, ChangeWhy.CONSENT), newest(changes, ChangeWhy.RESTORE)
    use = request.no_use
    return [
        request.id,
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
        instant_text(restore.ended_at if restore else None) or "",
    ]


def _json(evidence: _Evidence, policy: Policy) -> bytes:
    return json_of(
        {
            "format": FORMAT_VERSION,
            "exported_at": instant_text(evidence.at),
            "program": _program(evidence.program),
            "policy": policy_document(policy),
            "funnel": _funnel(evidence.funnel),
            "runs": [_run(one) for one in evidence.runs],
            "requests": [_request(one, evidence) for one in evidence.requests],
            "waiting_list": [_change(one) for one in evidence.others],
            "events": [event_document(record) for record in evidence.records],
        }
    )


def _program(program: ConsentProgram) -> dict[str, object]:
    terms = values_of(program.terms)
    price = program.terms.price
    return {
        "id": program.id,
        "state": program.state.value,
        "group": {"id": program.group_id, "name": program.group_name},
        "product_id": program.product_id,
        "owner_id": program.owner_id,
        "created_at": instant_text(program.created_at),
        "version": program.version,
        "terms": {**terms, "price": _money(price)},
    }


def _funnel(funnel: Funnel) -> dict[str, object]:
    return {
        "candidates": funnel.candidates,
        "not_members": funnel.not_members,
        "excluded": funnel.excluded,
        "waiting": funnel.waiting,
        "not_askable": funnel.not_askable,
        "asked": funnel.asked,
        "enforced": funnel.enforced,
        "agreed": funnel.agreed,
        "kept": funnel.kept,
        "silent": funnel.silent,
        "open": funnel.open,
        "removed": funnel.removed,
        "by_hand": funnel.by_hand,
        "restored": funnel.restored,
        "reasons": dict(funnel.reasons),
        "saved_a_month": [_money(amount) for amount in funnel.saved.amounts],
        "unpriced": funnel.saved.unpriced,
    }


def _run(run: ConsentRun) -> dict[str, object]:
    return {
        "id": run.id,
        "state": run.state.value,
        "mode": run.mode.value,
        "started_at": instant_text(run.started_at),
        "ended_at": instant_text(run.ended_at),
        "asked_by": run.asked_by,
        "data_as_of": instant_text(run.data_as_of),
        "counts": dict(run.counts),
        "unmatched": run.unmatched,
        "ambiguous": run.ambiguous,
        "error": run.error,
    }


def _request(request: ConsentRequest, evidence: _Evidence) -> dict[str, object]:
    person = evidence.people.get(request.person_id)
    use = request.no_use
    return {
        "id": request.id,
        "run_id": request.run_id,
        "person": {
            "id": request.person_id,
            "name": person.shown_name if person else None,
            "upn": person.upn if person else None,
        },
        "state": request.state.value,
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
        "written_at": instant_text(change.written_at),
        "ended_at": instant_text(change.ended_at),
        "result": change.result.value if change.result else None,
        "detail": change.detail,
    }


def _money(amount: Money | None) -> dict[str, object] | None:
    return {"minor": amount.minor, "currency": amount.currency} if amount else None
