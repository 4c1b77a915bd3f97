"""Run a consent program: read what its source says of use, find who holds the application without using it, note it.

A run is stored in parts and goes on where it was killed. It asks nobody itself: `AskConsent` does, within the caps.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.calendar import local_day, start_of_day
from reclaim.domain.campaign import stricter
from reclaim.domain.consent import ConsentRequest, NoUse, RequestState, enforce, is_candidate
from reclaim.domain.consent_program import ConsentProgram, ProgramState
from reclaim.domain.consent_run import ConsentRun, Passed, RunState
from reclaim.domain.directory import Group, LivePerson, Person, Seat, Sku
from reclaim.domain.exclusions import Exclusion, ExclusionId, strongest
from reclaim.domain.ids import ChangeId, ConsentId, ConsentRunId, GroupId, PersonId, ProductId, ProgramId
from reclaim.domain.membership import ChangeKind, ChangeWhy, MembershipChange, change_for, leaving_blocker
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Blocker, group_blocker
from reclaim.errors import Conflict, InvalidRequest, NotFound, PortError
from reclaim.ports.directory import Directory
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.ask_consent import AskConsent
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import consent_result_job, consent_run_job, membership_job
from reclaim.services.listing import listed_many
from reclaim.services.usage_of import ReadUse, UseOf

PART: Final = 100  # people in one transaction
MAX_TRIES: Final = 6
FIRST_WAIT: Final = timedelta(minutes=2)

log = structlog.get_logger(__name__)


class _Stop(Exception):
    """The run cannot go on; its message says what to do."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The group as read now."""

    facts: Group
    members: Collection[PersonId]
    blocker: Blocker | None


@dataclass(frozen=True, slots=True)
class _Around:
    """What is known of the people of one part."""

    people: Mapping[PersonId, Person]
    seats: Mapping[PersonId, Sequence[Seat]]
    nested: Mapping[PersonId, Sequence[str]]
    open: Collection[PersonId]
    cooling: Collection[PersonId]
    kept_at: Mapping[PersonId, datetime]
    exclusions: Sequence[Exclusion]
    listed: Mapping[PersonId, frozenset[ExclusionId]]
    skus: Mapping[ProductId, Sku]
    groups: Mapping[GroupId, Group]


class RunConsent:
    """Starts runs, and is the handler of their jobs."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        directory: Directory,
        use: ReadUse,
        ask: AskConsent,
    ) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._directory = directory
        self._use = use
        self._ask = ask
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def start(
        self,
        by: PersonId,
        program_id: ProgramId,
        *,
        people: Sequence[PersonId] = (),
        devices: Sequence[str] = (),
        next_run_at: datetime | None = None,
    ) -> ConsentRun:
        """Start a run, for everybody or for these people and devices only.

        Args:
            next_run_at: Set by the schedule: when the program is due next.

        Raises:
            NotFound: There is no such program.
            Conflict: It is paused, has ended, or is running already.
        """
        now = self._clock.now()
        async with self._work.write() as work:
            program = await work.consents.program(program_id)
            if program is None:
                raise NotFound("There is no such program. The list: /reclaim consent")
            if program.state is not ProgramState.ACTIVE:
                raise Conflict(f"{program.terms.name} is {program.state.value}. Go on with it first: consent resume")
            run = ConsentRun(
                id=ConsentRunId(self._tokens.new_id()),
                program_id=program.id,
                state=RunState.RUNNING,
                started_at=now,
                asked_by=by,
                mode=stricter(self._policy.writes, program.terms.mode),
                people=tuple(people),
                devices=tuple(devices),
            )
            await work.consents.add_run(run)
            if next_run_at is not None:
                await work.consents.save_program(replace(program, next_run_at=next_run_at, version=program.version + 1))
            await work.events.append(
                self._attest.event(
                    EventKind.CONSENT_RUN_STARTED,
                    actor=by,
                    campaign=program.id,
                    facts={
                        "run": run.id,
                        "mode": run.mode.value,
                        "people": len(people),
                        "devices": len(devices),
                        "program_version": program.version,
                    },
                )
            )
            await work.enqueue(consent_run_job(run.id, run.attempt))
            await work.commit()
        return run

    async def handle(self, job: Job) -> None:
        """Carry a run on. Idempotent: what is stored is not made again."""
        run_id, attempt = ConsentRunId(str(job.args["run"])), int(job.args["attempt"])
        async with self._work.read() as work:
            run = await work.consents.run(run_id)
            program = await work.consents.program(run.program_id) if run is not None else None
        if run is None or program is None or run.state is not RunState.RUNNING or run.attempt != attempt:
            return
        try:
            await self._carry_on(run, program)
        except (_Stop, InvalidRequest) as stop:  # the latter: the source is not set up any more
            await self._end(run_id, RunState.STOPPED, str(stop))
        except Conflict:
            await self._again(run_id, attempt, None, "Somebody answered while the list was made.")
        except PortError as error:
            if error.permanent:
                await self._end(run_id, RunState.STOPPED, error.message)
            else:
                await self._again(run_id, attempt, error.retry_after, error.message)

    async def _carry_on(self, run: ConsentRun, program: ConsentProgram) -> None:
        if run.data_as_of is None:
            run = await self._read_use(run, program)
        group = await self._group(program)
        while True:
            async with self._work.read() as work:
                program = await work.consents.program(program.id) or program
                if program.state is not ProgramState.ACTIVE:
                    raise _Stop(f"{program.terms.name} is {program.state.value}.")
                found = await self._use.page(work, program.terms, after=run.after, limit=PART)
                if not found:
                    break
                around = await self._around(work, program, [one.person_id for one in found])
            around = await self._with_nested(around, found, group)
            run = await self._store(run, program, group, found, around)
        await self._end(run.id, RunState.COMPLETE, None)
        await self._ask.ask_waiting()  # a process that dies here leaves it to the next tick

    async def _read_use(self, run: ConsentRun, program: ConsentProgram) -> ConsentRun:
        """Have the source read anew where it can be, and refuse data that says nothing about now."""
        reading = await self._use.refresh(program.terms)
        if reading.newest is None:
            raise _Stop(
                f"The source “{program.terms.source}” says nothing about {program.terms.name_in_source}."
                " Import its usage data first, or check the name of the application there."
            )
        age = self._clock.now() - reading.newest
        if age > self._policy.usage_max_age:
            raise _Stop(
                f"The newest usage data of {program.terms.name_in_source} is {age.days} days old."
                f" At most {self._policy.usage_max_age.days} are allowed. Import newer data and run again."
            )
        async with self._work.write() as work:
            current = await self._current(work, run)
            read = replace(
                current,
                data_as_of=reading.newest,
                unmatched=reading.unmatched,
                ambiguous=reading.ambiguous,
                version=current.version + 1,
            )
            await work.consents.save_run(read)
            await work.commit()
        return read

    async def _group(self, program: ConsentProgram) -> _Group:
        facts = await self._directory.group(program.group_id)
        if facts is None:
            raise _Stop(f"The group {program.group_name} does not exist any more. Nothing was asked or removed.")
        members: set[PersonId] = set()
        cursor: str | None = None
        while True:
            page = await self._directory.group_members(program.group_id, cursor)
            members.update(page.rows)
            cursor = page.next_cursor
            if cursor is None:
                break
        return _Group(facts, members, group_blocker(facts, program.product_id))

    async def _around(self, work: UnitOfWork, program: ConsentProgram, people: Sequence[PersonId]) -> _Around:
        now = self._clock.now()
        seats = await work.seats.of_people(people)
        exclusions = await work.exclusions.counting(now)
        given_by = {path.group_id for held in seats.values() for one in held for path in one.paths if path.group_id}
        return _Around(
            people=await work.people.get_many(people),
            seats=seats,
            nested={},
            open=await work.consents.with_open_question(people, program.product_id),
            cooling=await work.consents.cooling(people, program.product_id, now),
            kept_at=await work.consents.kept_at(people, program.product_id),
            exclusions=exclusions,
            listed=await listed_many(work, people, exclusions, days=program.terms.unused_days, now=now),
            skus=await work.catalog.skus(),
            groups=await work.catalog.groups(given_by) if given_by else {},
        )

    async def _with_nested(self, around: _Around, found: Sequence[UseOf], group: _Group) -> _Around:
        """Find out who holds it through a group within the group: such a person has to be taken out there, by hand."""
        if group.facts.has_nested_groups is False:
            return around
        nested: dict[PersonId, Sequence[str]] = {}
        for one in found:
            if one.no_use is not None and one.person_id not in group.members:
                nested[one.person_id] = await self._directory.still_through(one.person_id, group.facts.id)
        return replace(around, nested=nested)

    async def _store(
        self, run: ConsentRun, program: ConsentProgram, group: _Group, found: Sequence[UseOf], around: _Around
    ) -> ConsentRun:
        """Store a part of the run: its requests, their events and jobs, and how far it has come."""
        now = self._clock.now()
        counts: Counter[str] = Counter()
        async with self._work.write() as work:
            run = await self._current(work, run)
            left = await self._left_today(work, program, now)
            requests: list[ConsentRequest] = []
            changes: list[MembershipChange] = []
            for one in found:
                made = self._judge(one, run, program, group, around, now)
                if isinstance(made, Passed):
                    counts[made.value] += 1
                    continue
                if made.state is RequestState.WAITING and not program.terms.ask:
                    if len(changes) >= left:
                        counts[Passed.OVER_CAP.value] += 1
                        continue
                    made = enforce(made, now)
                    changes.append(self._leave(made, now))
                counts[made.state.value] += 1
                requests.append(replace(made, version=1))
            await work.consents.add_requests(requests)
            for change in changes:
                await work.consents.add_change(change)
                await work.enqueue(membership_job(change.id, change.attempt))
            await work.events.append(*(self._found(one) for one in requests))
            run = run.counted(dict(counts), found[-1].person_id)
            await work.consents.save_run(run)
            await work.commit()
        return run

    def _judge(
        self,
        one: UseOf,
        run: ConsentRun,
        program: ConsentProgram,
        group: _Group,
        around: _Around,
        now: datetime,
    ) -> ConsentRequest | Passed:
        """Say what becomes of one person whose use the source knows."""
        if one.no_use is None:
            return Passed.UNKNOWN
        if not self._named(one, run):
            return Passed.NOT_NAMED
        kept = around.kept_at.get(one.person_id)
        if not is_candidate(one.no_use, program.terms, kept_at=[kept] if kept else [], now=now):
            return Passed.USED
        if one.person_id in around.open:
            return Passed.OPEN
        if one.person_id in around.cooling:
            return Passed.COOLDOWN
        request = self._request(one.person_id, one.no_use, run, program, now)
        person = around.people.get(one.person_id)
        if person is None or person.gone_at is not None:
            return request.ended(RequestState.LEFT, now)
        if (exclusion := _held(around, person, program, now)) is not None:
            return request.ended(RequestState.EXCLUDED, now, why="excluded", detail=exclusion.id)
        if one.person_id not in group.members:
            if through := around.nested.get(one.person_id):
                return request.ended(
                    RequestState.BY_HAND, now, why=Blocker.GROUP_NESTED.value, detail=", ".join(through)
                )
            return request.ended(RequestState.NOT_A_MEMBER, now)
        blocker = group.blocker or self._blocker(person, program, group, around)
        if blocker is not None:
            return request.ended(RequestState.BY_HAND, now, why=blocker.value)
        return request

    def _blocker(self, person: Person, program: ConsentProgram, group: _Group, around: _Around) -> Blocker | None:
        seats = tuple(around.seats.get(person.id, ()))
        live = LivePerson(person=person, seats=seats, direct_group_ids=(group.facts.id,))
        return leaving_blocker(live, group.facts, program.product_id, skus=around.skus, groups=around.groups)

    def _named(self, one: UseOf, run: ConsentRun) -> bool:
        if not run.people and not run.devices:
            return True
        devices = {device.casefold() for device in run.devices}
        return one.person_id in run.people or any(device.casefold() in devices for device in one.devices)

    def _request(
        self, person: PersonId, no_use: NoUse, run: ConsentRun, program: ConsentProgram, now: datetime
    ) -> ConsentRequest:
        return ConsentRequest(
            id=ConsentId(self._tokens.new_row_id()),
            program_id=program.id,
            run_id=run.id,
            person_id=person,
            product_id=program.product_id,
            group_id=program.group_id,
            no_use=no_use,
            state=RequestState.WAITING,
            found_at=now,
        )

    def _leave(self, request: ConsentRequest, now: datetime) -> MembershipChange:
        return change_for(
            request,
            ChangeKind.LEAVE,
            ChangeWhy.CONSENT,
            change_id=ChangeId(self._tokens.new_id()),
            by=PersonId(SYSTEM),
            now=now,
            due_at=now,
        )

    def _found(self, request: ConsentRequest) -> Event:
        return self._attest.event(
            EventKind.CONSENT_FOUND,
            actor=SYSTEM,
            campaign=request.program_id,
            item=request.id,
            facts={
                "run": request.run_id,
                "person": request.person_id,
                "product": request.product_id,
                "group": request.group_id,
                "state": request.state.value,
                "why": request.why,
                "source": request.no_use.source,
                "unused_days": request.no_use.unused_days,
                "last_used_ms": _ms(request.no_use.last_used_at),
                "observed_ms": _ms(request.no_use.observed_at),
            },
            # The name of a device may be that of its owner.
            personal={"device": request.no_use.device},
        )

    async def _left_today(self, work: UnitOfWork, program: ConsentProgram, now: datetime) -> int:
        since = start_of_day(local_day(now, program.terms.zone), program.terms.zone)
        return program.terms.removals_per_day - await work.consents.started_since(since, program.id, ChangeWhy.CONSENT)

    async def _end(self, run_id: ConsentRunId, state: RunState, error: str | None) -> None:
        async with self._work.write() as work:
            run = await work.consents.run(run_id)
            if run is None or run.state is not RunState.RUNNING:
                return
            ended = await self._ended(work, run, state, error)
            await work.commit()
        log.info("a consent run ended", run=run_id, state=state.value, looked_at=ended.looked_at)

    async def _ended(self, work: UnitOfWork, run: ConsentRun, state: RunState, error: str | None) -> ConsentRun:
        """Store the end of a run, attest it, and have its result told."""
        ended = run.ended(state, self._clock.now(), error)
        await work.consents.save_run(ended)
        facts: dict[str, Fact] = {"run": run.id, "state": state.value, "looked_at": ended.looked_at}
        facts |= ended.counts
        facts |= {"unmatched": ended.unmatched, "ambiguous": ended.ambiguous}
        await work.events.append(
            self._attest.event(EventKind.CONSENT_RUN_ENDED, actor=SYSTEM, campaign=run.program_id, facts=facts)
        )
        await work.enqueue(consent_result_job(run.id, f"{ended.version}"))
        return ended

    async def _again(self, run_id: ConsentRunId, attempt: int, wait: timedelta | None, why: str) -> None:
        async with self._work.write() as work:
            run = await work.consents.run(run_id)
            if run is None or run.state is not RunState.RUNNING or run.attempt != attempt:
                return
            if run.attempt >= MAX_TRIES:
                await self._ended(work, run, RunState.STOPPED, f"{why} Run it again later.")
            else:
                backoff = max(wait or timedelta(0), FIRST_WAIT * 2 ** (run.attempt - 1))
                later = replace(
                    run, attempt=attempt + 1, not_before=self._clock.now() + backoff, version=run.version + 1
                )
                await work.consents.save_run(later)
            await work.commit()
        log.warning("a consent run waits", run=run_id, attempt=attempt)

    async def _current(self, work: UnitOfWork, run: ConsentRun) -> ConsentRun:
        found = await work.consents.run(run.id)
        if found is None or found.state is not RunState.RUNNING or found.version != run.version:
            raise Conflict("Another job goes on with this run.")
        return found


def _held(around: _Around, person: Person, program: ConsentProgram, now: datetime) -> Exclusion | None:
    by_list = around.listed.get(person.id, frozenset())
    return strongest(around.exclusions, person, program.product_id, now, by_list)


def _ms(at: datetime | None) -> int | None:
    return int(at.timestamp() * 1000) if at else None
