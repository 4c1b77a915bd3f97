"""Read all evidence of one consent program in one transaction, so that every file made of it says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reclaim.domain.attestation import EventKind
from reclaim.domain.consent import ConsentRequest
from reclaim.domain.consent_appeal import ConsentAppeal
from reclaim.domain.consent_funnel import Funnel, Place, count
from reclaim.domain.consent_program import ConsentProgram
from reclaim.domain.consent_report import is_back, place_of
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.directory import Person
from reclaim.domain.ids import CampaignId, ConsentId, PersonId, ProgramId
from reclaim.domain.membership import MembershipChange
from reclaim.domain.policy import Policy
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork
from reclaim.services.event_records import EventRecord, read_records
from reclaim.services.read_consent import seat_price


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvidence:
    """All that is exported of one program, or of one of its runs.

    Attributes:
        runs: By their number, which counts from 1.
        only_run: The number of the run that it is about; None: all.
        changes: Of each request, the oldest first.
        others: Changes for the waiting list.
        people: Everybody who is named: holders, and who answered, decided, asked or owns.
        at: When it was exported.
    """

    program: ConsentProgram
    runs: Mapping[int, ConsentRun]
    only_run: int | None
    requests: Sequence[ConsentRequest]
    changes: Mapping[ConsentId, Sequence[MembershipChange]]
    others: Sequence[MembershipChange]
    appeals: Mapping[ConsentId, ConsentAppeal]
    people: Mapping[PersonId, Person]
    records: Sequence[EventRecord]
    funnel: Funnel
    policy: Policy
    at: datetime

    def place(self, request: ConsentRequest) -> Place:
        """Return where a request stands."""
        return place_of(request, any(is_back(one) for one in self.changes.get(request.id, ())))

    def name(self, person: str | None) -> str | None:
        """Return a person's name, or the id where it is not known, or must not be."""
        if person is None:
            return None
        known = self.people.get(PersonId(person))
        return known.shown_name if known is not None else person


async def collect(
    work: UnitOfWork, program_id: ProgramId, *, policy: Policy, now: datetime, only_run: int | None = None
) -> ConsentEvidence:
    """Return the evidence as it stands.

    Raises:
        NotFound: There is no such program.
        InvalidRequest: It has no run of this number.
    """
    program = await work.consents.program(program_id)
    if program is None:
        raise NotFound("There is no such consent program. The list: /reclaim consent")
    runs = dict(enumerate(await work.consents.runs_of(program_id), start=1))
    if only_run is not None and only_run not in runs:
        there = f"It has {len(runs)}, from 1." if runs else "It has not run yet."
        raise InvalidRequest(f"There is no run {only_run} of {program.terms.name}. {there}", field="run")
    requests = await work.consents.all_of(program_id)
    # Events of a program carry its id where others carry their campaign's.
    records = await read_records(work, await work.events.of_campaign(CampaignId(program_id)))
    changes = await work.consents.changes_of_program(program_id)
    if only_run is not None:
        run = runs[only_run]
        runs = {only_run: run}
        requests = [one for one in requests if one.run_id == run.id]
        records = _of_run(records, run, requests)
        changes = [one for one in changes if one.request_id is not None]
    by_request: dict[ConsentId, list[MembershipChange]] = {one.id: [] for one in requests}
    for change in changes:
        if change.request_id is not None and change.request_id in by_request:
            by_request[change.request_id].append(change)
    appeals = {
        one.request_id: one for one in await work.consents.appeals_of(program_id) if one.request_id in by_request
    }
    others = [one for one in changes if one.request_id is None]
    named: set[str | None] = {program.owner_id, *(run.asked_by for run in runs.values())}
    named |= {who for one in requests for who in (one.person_id, one.answered_by, one.manager_id)}
    named |= {one.asked_by for some in by_request.values() for one in some}
    named |= {who for one in others for who in (one.person_id, one.asked_by)}
    named |= {one.decider_id for one in appeals.values()}
    evidence = ConsentEvidence(
        program=program,
        runs=runs,
        only_run=only_run,
        requests=requests,
        changes=by_request,
        others=others,
        appeals=appeals,
        people=await work.people.get_many(PersonId(one) for one in named if one is not None),
        records=records,
        funnel=count([], await seat_price(work, program, now)),
        policy=policy,
        at=now,
    )
    # Counted from the very requests that are exported, so that no file can say another number than its rows.
    counted = count([(evidence.place(one), 1) for one in requests], evidence.funnel.seat)
    return replace(evidence, funnel=counted)


def _of_run(records: Sequence[EventRecord], run: ConsentRun, requests: Sequence[ConsentRequest]) -> list[EventRecord]:
    """Return the events of a run, of its requests, and those that set the program's terms."""
    ids = {str(one.id) for one in requests}
    return [
        one
        for one in records
        if one.stored.event.item_id in ids
        or one.facts.get("run") == run.id
        or one.stored.event.kind is EventKind.CONSENT_PROGRAM_SET
    ]
