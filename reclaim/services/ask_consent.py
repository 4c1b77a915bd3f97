"""Put questions to holders within the caps, remind them, and close what nobody answered in time."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.calendar import local_day, start_of_day
from reclaim.domain.consent import (
    APPROVED,
    UNDECIDED,
    ConsentRequest,
    RequestState,
    ask,
    reminder_times,
    silent,
)
from reclaim.domain.consent_program import ConsentProgram, ProgramState
from reclaim.domain.ids import ChangeId, ConsentId, PersonId, ProgramId
from reclaim.domain.membership import ChangeKind, ChangeWhy, change_for
from reclaim.domain.policy import Policy
from reclaim.errors import Conflict
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.ask_change import ask_change
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.consent_people import has_arrived, manager_of
from reclaim.services.end_consent import EndConsent
from reclaim.services.jobs import consent_job

PART: Final = 100

log = structlog.get_logger(__name__)


class AskConsent:
    """Called by every tick; who is to be asked, also at the end of a run."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)
        self._ends = EndConsent(clock=clock, tokens=tokens, policy=policy)

    async def ask_waiting(self) -> int:
        """Ask who waits, as far as the caps of the day allow; return how many were asked.

        Of several questions that wait for one person the oldest goes first, over all programs.
        """
        asked = 0
        after: ConsentId | None = None
        while True:
            async with self._work.read() as work:
                found = await work.consents.waiting(limit=PART, after=after)
            if not found:
                return asked
            after = found[-1].id
            asked += await self._ask(found)

    async def _ask(self, found: list[ConsentRequest]) -> int:
        now = self._clock.now()
        async with self._work.write() as work:
            current = await work.consents.requests(one.id for one in found)
            people = await work.people.get_many({one.person_id for one in found})
            since = _today(now, self._policy.zone)
            today = Counter(await work.consents.questions_today(people, since))
            programs: dict[ProgramId, ConsentProgram] = {}
            room: dict[ProgramId, int] = {}
            asked = 0
            for one in found:
                request = current.get(one.id)
                if request is None or request.state is not RequestState.WAITING:
                    continue
                program = await self._program(work, request.program_id, programs)
                if program is None or program.state is not ProgramState.ACTIVE:
                    continue
                person = people.get(request.person_id)
                if person is None or person.gone_at is not None:
                    await self._ends.request(work, request.ended(RequestState.LEFT, now))
                    continue
                if person.enabled is not True:
                    await self._ends.request(work, request.ended(RequestState.UNREACHED, now, why="account_disabled"))
                    continue
                if program.id not in room:
                    room[program.id] = program.terms.questions_per_day - await work.consents.asked_since(
                        _today(now, program.terms.zone), program.id
                    )
                if room[program.id] <= 0 or today[person.id] >= self._policy.questions_per_day:
                    continue
                room[program.id] -= 1
                today[person.id] += 1
                asked += 1
                await self._put(work, ask(request, program, now), "asked")
            await work.commit()
        return asked

    async def close_due(self) -> int:
        """Ask again who wanted time, and end questions whose time is over; return how many there were."""
        number = 0
        while True:
            async with self._work.read() as work:
                due = await work.consents.due_requests(self._clock.now(), limit=PART)
            if not due:
                return number
            number += len(due)
            for one in due:
                try:
                    await self._close(one.id)
                except Conflict:
                    log.info("a consent request was answered during the tick", request=one.id)

    async def _close(self, request_id: ConsentId) -> None:
        now = self._clock.now()
        async with self._work.write() as work:
            request = await work.consents.request(request_id)
            program = await work.consents.program(request.program_id) if request is not None else None
            if request is None or program is None:
                return
            if request.state is RequestState.LATER:
                if request.later_until is not None and request.later_until <= now:
                    await self._put(work, ask(request, program, now), "asked")
                    await work.commit()
                return
            if request.due_at is None or request.due_at > now:
                return
            result = silent(
                request,
                program,
                now,
                reached=await has_arrived(work, request),
                manager=await manager_of(work, request.person_id, self._policy),
            )
            if result.state in APPROVED:
                await self._remove(work, result, now)
            elif result.is_open:
                await self._put(work, result, "escalated")
            else:
                await self._ends.request(work, result)
            await work.commit()

    async def cancel_ended(self) -> int:
        """Cancel what nobody has decided in programs that have ended: everybody keeps what they have."""
        number = 0
        while True:
            async with self._work.read() as work:
                left = await work.consents.undecided_of_ended(limit=PART)
            if not left:
                return number
            async with self._work.write() as work:
                now = self._clock.now()
                for request in (await work.consents.requests(one.id for one in left)).values():
                    if request.state in UNDECIDED:
                        number += 1
                        await self._ends.request(work, request.ended(RequestState.CANCELLED, now, why="program_ended"))
                await work.commit()

    async def remind(self) -> int:
        """Remind holders whose next reminder is due; return how many."""
        number = 0
        after: ConsentId | None = None
        while True:
            async with self._work.read() as work:
                found = await work.consents.to_remind(after=after, limit=PART)
                programs: dict[ProgramId, ConsentProgram] = {}
                due = [
                    one
                    for one in found
                    if (program := await self._program(work, one.program_id, programs)) is not None
                    and self._reminders_due(one, program) > one.reminded
                ]
            if not found:
                return number
            after = found[-1].id
            if due:
                number += await self._remind(due, programs)

    async def _remind(self, due: list[ConsentRequest], programs: dict[ProgramId, ConsentProgram]) -> int:
        number = 0
        async with self._work.write() as work:
            for request in (await work.consents.requests(one.id for one in due)).values():
                reminders = self._reminders_due(request, programs[request.program_id])
                if reminders <= request.reminded:
                    continue
                # One that was missed while we were down is not sent beside the newest.
                reminded = replace(request, reminded=reminders, version=request.version + 1)
                await work.consents.save_request(reminded)
                await work.events.append(
                    self._attest.event(
                        EventKind.REMINDER_SENT,
                        actor=SYSTEM,
                        campaign=request.program_id,
                        item=request.id,
                        facts={"person": request.person_id, "number": reminders},
                    )
                )
                await work.enqueue(consent_job(request.id, f"{reminded.version}-reminder", fresh=True))
                number += 1
            await work.commit()
        return number

    def _reminders_due(self, request: ConsentRequest, program: ConsentProgram) -> int:
        return sum(1 for at in reminder_times(request, program.terms) if at <= self._clock.now())

    async def _put(self, work: UnitOfWork, request: ConsentRequest, how: str) -> None:
        """Store a question that is put to somebody, and have it sent."""
        await work.consents.save_request(request)
        await work.events.append(
            self._attest.event(
                EventKind.CONSENT_ASKED,
                actor=SYSTEM,
                campaign=request.program_id,
                item=request.id,
                facts={
                    "how": how,
                    "to": request.manager_id if request.state is RequestState.WITH_MANAGER else request.person_id,
                    "due_ms": int(request.due_at.timestamp() * 1000) if request.due_at else None,
                },
            )
        )
        await work.enqueue(consent_job(request.id, f"{request.version}-{how}", fresh=True))

    async def _remove(self, work: UnitOfWork, request: ConsentRequest, now: datetime) -> None:
        await work.consents.save_request(request)
        change = change_for(
            request,
            ChangeKind.LEAVE,
            ChangeWhy.CONSENT,
            change_id=ChangeId(self._tokens.new_id()),
            by=PersonId(SYSTEM),
            now=now,
            due_at=now,
        )
        await ask_change(
            work,
            self._attest,
            request,
            change,
            occasion=f"{request.version}-approved",
            facts={"approved_by": request.approved_by.value if request.approved_by else None},
        )

    async def _program(
        self, work: UnitOfWork, program: ProgramId, known: dict[ProgramId, ConsentProgram]
    ) -> ConsentProgram | None:
        if program not in known:
            found = await work.consents.program(program)
            if found is None:
                return None
            known[program] = found
        return known[program]


def _today(now: datetime, zone: str) -> datetime:
    """Return the first instant of the local day."""
    return start_of_day(local_day(now, zone), zone)
