"""How a consent request ends: what became of the membership, what is remembered of the answer, who is told."""

from dataclasses import replace
from typing import Final

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.consent import APPROVED, ConsentRequest, RequestState
from reclaim.domain.consent_appeal import ConsentAppealState
from reclaim.domain.consent_program import ConsentProgram
from reclaim.domain.ids import ChangeId, PersonId
from reclaim.domain.membership import (
    ChangeKind,
    ChangeState,
    ChangeWhy,
    MembershipChange,
    Result,
)
from reclaim.domain.policy import Policy
from reclaim.domain.review import Choice
from reclaim.domain.wait_list import WaitState
from reclaim.ports.storage import UnitOfWork
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import consent_job, membership_job, waiter_job

# What a request ends in by what became of the membership.
_ENDS: Final = {
    Result.GONE: RequestState.REMOVED,
    Result.NOT_A_MEMBER: RequestState.NOT_A_MEMBER,
    Result.STILL_THERE: RequestState.STILL_THERE,
    Result.BLOCKED: RequestState.BY_HAND,
    Result.PERSON_GONE: RequestState.LEFT,
    Result.GROUP_GONE: RequestState.NOT_A_MEMBER,
    Result.USED_AGAIN: RequestState.USED_AGAIN,
    Result.USE_UNKNOWN: RequestState.USE_UNKNOWN,
    Result.EXCLUDED: RequestState.EXCLUDED,
    Result.REFUSED: RequestState.FAILED,
    Result.UNREACHABLE: RequestState.FAILED,
    Result.NOT_SEEN: RequestState.FAILED,
    Result.DRY_RUN: RequestState.DRY_RUN,
}
_KEEPS: Final = frozenset({RequestState.KEPT, RequestState.EXPIRED})


class EndConsent:
    """Stores ends, always in the caller's transaction."""

    def __init__(self, *, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def request(self, work: UnitOfWork, request: ConsentRequest, *, actor: str = SYSTEM) -> None:
        """Store a request that has ended: its answer counts for the cooldown in every flow, its cards are redrawn."""
        await work.consents.save_request(request)
        await self._remember(work, request)
        await work.events.append(
            self._attest.event(
                EventKind.CONSENT_ENDED,
                actor=actor,
                campaign=request.program_id,
                item=request.id,
                facts={
                    "state": request.state.value,
                    "why": request.why,
                    "approved_by": request.approved_by.value if request.approved_by else None,
                    "last_used_ms": _ms(request),
                    "unused_days": request.no_use.unused_days,
                },
            )
        )
        await work.enqueue(consent_job(request.id, f"{request.version}-ended"))

    async def change(
        self,
        work: UnitOfWork,
        change: MembershipChange,
        result: Result,
        detail: str | None = None,
        *,
        is_member: bool | None = None,
    ) -> None:
        """Store what became of a change of membership, and what follows from that.

        Args:
            is_member: As read back after the write; None: nothing was written, or it was not read.
        """
        now = self._clock.now()
        done = change.done(result, now, detail)
        await work.consents.save_change(done)
        await work.events.append(
            self._attest.event(
                EventKind.CHANGE_ENDED,
                actor=SYSTEM,
                campaign=change.program_id,
                item=change.request_id,
                facts={
                    "change": change.id,
                    "kind": change.kind.value,
                    "why": change.why.value,
                    "result": result.value,
                    "is_member": is_member,
                },
                # Names of groups and the like are for the card, not for the body.
                personal={"detail": detail},
            )
        )
        if change.why is ChangeWhy.WAITING_LIST:
            await self._waiter_added(work, done)
            return
        request = await work.consents.request(change.request_id) if change.request_id else None
        if request is None:
            return
        if change.why is ChangeWhy.RESTORE:
            if result is Result.THERE:
                await self._wanted_back(work, request)
                await self._settle_appeal(work, request)
            await work.enqueue(consent_job(request.id, f"{done.id}-{done.version}"))
            return
        if request.state not in APPROVED:
            return
        ended = request.ended(_ENDS[result], now, why=result.value, detail=detail)
        await self.request(work, ended)
        if ended.state is RequestState.REMOVED:
            await self._free_seat(work, ended)

    async def _remember(self, work: UnitOfWork, request: ConsentRequest) -> None:
        program = await work.consents.program(request.program_id)
        now = self._clock.now()
        if program is None or (request.asked_at is None and request.state is not RequestState.REMOVED):
            return
        if request.state in _KEEPS:
            choice = Choice.KEEP if request.kept_by_word else Choice.NOT_SURE
        elif request.state is RequestState.REMOVED:
            choice = Choice.REVOKE
        else:
            return
        await work.consents.remember(request, choice=choice.value, until=now + program.terms.cooldown)

    async def _wanted_back(self, work: UnitOfWork, request: ConsentRequest) -> None:
        """Remember that the holder uses it after all: the clock of its use begins anew."""
        program = await work.consents.program(request.program_id)
        if program is not None:
            now = self._clock.now()
            said = replace(request, answered_at=now)
            await work.consents.remember(said, choice=Choice.KEEP.value, until=now + program.terms.cooldown)

    async def _settle_appeal(self, work: UnitOfWork, request: ConsentRequest) -> None:
        """End an appeal that waits for an answer: what it asked for is there."""
        appeal = await work.consents.appeal(request.id)
        if appeal is None or appeal.state is not ConsentAppealState.OPEN:
            return
        settled = appeal.to(ConsentAppealState.SETTLED, self._clock.now())
        await work.consents.save_appeal(settled)
        await work.events.append(
            self._attest.event(
                EventKind.APPEAL_ENDED,
                actor=SYSTEM,
                campaign=request.program_id,
                item=request.id,
                facts={"state": settled.state.value},
            )
        )

    # The waiting list -----------------------------------------------------------------------------------------------

    async def _free_seat(self, work: UnitOfWork, request: ConsentRequest) -> None:
        """Offer the freed seat to who waits longest."""
        program = await work.consents.program(request.program_id)
        waiting = await work.consents.waiters(request.product_id, limit=1)
        if program is None or not waiting:
            return
        now = self._clock.now()
        first = waiting[0]
        if program.terms.fills and await self._add(work, program, first.person_id):
            return
        told = first.to(WaitState.TOLD, now)
        await work.consents.save_waiter(told)
        await self._waiter_event(work, program.id, told.person_id, told.state)
        await work.enqueue(waiter_job(told.product_id, told.person_id, f"told-{told.version}"))

    async def _add(self, work: UnitOfWork, program: ConsentProgram, person: PersonId) -> bool:
        now = self._clock.now()
        waiter = await work.consents.waiter(program.product_id, person)
        if waiter is None:
            return False
        change = MembershipChange(
            id=ChangeId(self._tokens.new_id()),
            program_id=program.id,
            request_id=None,
            person_id=person,
            group_id=program.group_id,
            product_id=program.product_id,
            kind=ChangeKind.JOIN,
            why=ChangeWhy.WAITING_LIST,
            state=ChangeState.PLANNED,
            asked_by=PersonId(SYSTEM),
            asked_at=now,
            clicked=False,
            not_before=now,
        )
        await work.consents.add_change(change)
        await work.consents.save_waiter(waiter.to(WaitState.ADDED, now))
        await self._waiter_event(work, program.id, person, WaitState.ADDED)
        await work.enqueue(membership_job(change.id, change.attempt))
        return True

    async def _waiter_added(self, work: UnitOfWork, done: MembershipChange) -> None:
        waiter = await work.consents.waiter(done.product_id, done.person_id)
        if waiter is None:
            return
        if done.result is not Result.THERE:
            # Nobody was added, so somebody has to: whoever waits is not told of a seat that they do not have.
            waiter = waiter.to(WaitState.WAITING, self._clock.now())
            await work.consents.save_waiter(waiter)
            return
        await work.enqueue(waiter_job(done.product_id, done.person_id, f"added-{done.id}"))

    async def _waiter_event(self, work: UnitOfWork, program: str, person: PersonId, state: WaitState) -> None:
        facts: dict[str, Fact] = {"person": person, "state": state.value}
        await work.events.append(self._attest.event(EventKind.WAIT_ENDED, actor=SYSTEM, campaign=program, facts=facts))


def _ms(request: ConsentRequest) -> int | None:
    at = request.no_use.last_used_at
    return int(at.timestamp() * 1000) if at else None
