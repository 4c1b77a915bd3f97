"""Take what a holder or their manager answers, and what takes it back: undo before the write, the way back after it."""

from datetime import datetime
from typing import Final

from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.consent import (
    APPROVED,
    GRACE,
    ConsentRequest,
    RequestState,
    StillUsed,
    agree,
    keep,
    later,
    manager_keeps,
    manager_takes,
    withdraw,
)
from reclaim.domain.consent_program import ConsentProgram
from reclaim.domain.consent_views import ConsentView, newest
from reclaim.domain.ids import ChangeId, ConsentId
from reclaim.domain.membership import ChangeKind, ChangeWhy, Result, change_for
from reclaim.domain.policy import Policy
from reclaim.domain.roles import RUN_AS_A_PERSON, Actor
from reclaim.errors import Conflict, NotAuthorized, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.ask_change import ask_change
from reclaim.services.attesting import Attestor
from reclaim.services.consent_people import manager_of
from reclaim.services.end_consent import EndConsent
from reclaim.services.jobs import consent_job
from reclaim.services.read_consent import back_refusal, view_of

_KEEP: Final = "keep"


class AnswerConsent:
    """Every method takes one answer, in one transaction, and returns the request as the actor sees it then."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)
        self._ends = EndConsent(clock=clock, tokens=tokens, policy=policy)

    async def agree(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        """The holder gives it up. It is written after `GRACE`, until when Undo costs nothing.

        Raises:
            NotFound, NotAuthorized, Conflict: See `domain.consent.agree`.
        """
        async with self._work.write() as work:
            request, _ = await self._get(work, request_id)
            now = self._clock.now()
            await self._approve(work, actor, agree(request, actor.id, now), now, after=now + GRACE)
            await work.commit()
        return await self._view(request_id, actor)

    async def keep(
        self, actor: Actor, request_id: ConsentId, *, reason: StillUsed | None, note: str = ""
    ) -> ConsentView:
        """The holder still uses it: it is kept, or goes to the manager where the program says so.

        Raises:
            NotFound, NotAuthorized, Conflict, InvalidRequest: See `domain.consent.keep`.
        """
        async with self._work.write() as work:
            request, program = await self._get(work, request_id)
            now = self._clock.now()
            manager = await manager_of(work, request.person_id, self._policy)
            said = keep(request, program, actor.id, now, reason=reason, note=note, manager=manager)
            await work.events.append(
                self._answered(said, actor, _KEEP, {"reason": reason.value if reason else None}, note=said.note)
            )
            if said.state is RequestState.KEPT:
                await self._ends.request(work, said, actor=actor.id)
            else:
                await work.consents.save_request(said)
                await work.enqueue(consent_job(said.id, f"{said.version}-escalated", fresh=True))
            await work.commit()
        return await self._view(request_id, actor)

    async def later(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        """The holder wants to be asked again in a week, once.

        Raises:
            NotFound, NotAuthorized, Conflict: See `domain.consent.later`.
        """
        async with self._work.write() as work:
            request, _ = await self._get(work, request_id)
            said = later(request, actor.id, self._clock.now())
            await work.consents.save_request(said)
            await work.events.append(self._answered(said, actor, "later"))
            await work.enqueue(consent_job(said.id, f"{said.version}-later"))
            await work.commit()
        return await self._view(request_id, actor)

    async def withdraw(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        """The holder takes "give it up" back before anything is written.

        Raises:
            NotFound, NotAuthorized: No such request of theirs.
            Conflict: It is being written, or is over. Once it is gone it can be got back.
        """
        async with self._work.write() as work:
            request, program = await self._get(work, request_id)
            now = self._clock.now()
            back = withdraw(request, program, actor.id, now)
            changes = (await work.consents.changes_of([request.id])).get(request.id, [])
            leave = newest(changes, ChangeWhy.CONSENT)
            if leave is not None:
                if not leave.may_be_withdrawn:
                    raise Conflict("It is being removed right now. You can get it back once that is done.")
                await work.consents.save_change(leave.done(Result.WITHDRAWN, now))
            await work.consents.save_request(back)
            await work.events.append(
                self._attest.event(
                    EventKind.CONSENT_WITHDRAWN, actor=actor.id, campaign=request.program_id, item=request.id
                )
            )
            await work.enqueue(consent_job(back.id, f"{back.version}-withdrawn"))
            await work.commit()
        return await self._view(request_id, actor)

    async def decide(self, actor: Actor, request_id: ConsentId, *, take: bool) -> ConsentView:
        """The manager decides what the holder wants to keep, or did not answer.

        Raises:
            NotFound, NotAuthorized, Conflict: See `domain.consent.manager_takes`.
        """
        async with self._work.write() as work:
            request, _ = await self._get(work, request_id)
            now = self._clock.now()
            if take:
                await self._approve(work, actor, manager_takes(request, actor.id, now), now, after=now + GRACE)
            else:
                kept = manager_keeps(request, actor.id, now)
                await work.events.append(self._answered(kept, actor, _KEEP))
                await self._ends.request(work, kept, actor=actor.id)
            await work.commit()
        return await self._view(request_id, actor)

    async def give_back(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        """Give what was removed back: asked for by the holder, or by who runs programs.

        Raises:
            NotFound: There is no such request.
            NotAuthorized: Somebody else's.
            Conflict: Nothing was removed, the window has passed, or it is back.
        """
        async with self._work.write() as work:
            request, _ = await self._get(work, request_id)
            if actor.id != request.person_id and not actor.may(RUN_AS_A_PERSON):
                raise NotAuthorized("This is somebody else’s.")
            await self.restore(work, request, actor)
            await work.commit()
        return await self._view(request_id, actor)

    async def restore(self, work: UnitOfWork, request: ConsentRequest, actor: Actor) -> None:
        """Have what was removed given back, in the caller's transaction; whether the actor may is the caller's to check.

        Raises:
            Conflict: Nothing was removed, the window has passed, or it is back.
        """
        now = self._clock.now()
        changes = (await work.consents.changes_of([request.id])).get(request.id, [])
        refusal = back_refusal(request, newest(changes, ChangeWhy.RESTORE), now=now, policy=self._policy)
        if refusal is not None:
            raise Conflict(refusal)
        change = change_for(
            request,
            ChangeKind.JOIN,
            ChangeWhy.RESTORE,
            change_id=ChangeId(self._tokens.new_id()),
            by=actor.id,
            now=now,
            due_at=now,
        )
        await ask_change(work, self._attest, request, change, occasion=f"{change.id}-asked")

    async def _approve(
        self, work: UnitOfWork, actor: Actor, approved: ConsentRequest, now: datetime, *, after: datetime
    ) -> None:
        await work.consents.save_request(approved)
        change = change_for(
            approved,
            ChangeKind.LEAVE,
            ChangeWhy.CONSENT,
            change_id=ChangeId(self._tokens.new_id()),
            by=actor.id,
            now=now,
            due_at=after,
        )
        await work.consents.add_change(change)
        await work.events.append(self._answered(approved, actor, "give_up", {"change": change.id}))
        await work.enqueue(consent_job(approved.id, f"{approved.version}-approved"))

    def _answered(
        self,
        request: ConsentRequest,
        actor: Actor,
        choice: str,
        facts: dict[str, Fact] | None = None,
        *,
        note: str | None = None,
    ) -> Event:
        return self._attest.event(
            EventKind.CONSENT_ANSWERED,
            actor=actor.id,
            campaign=request.program_id,
            item=request.id,
            facts={
                "choice": choice,
                "channel": actor.channel,
                "approved_by": request.approved_by.value if request.state in APPROVED and request.approved_by else None,
                **(facts or {}),
            },
            personal={"note": note},
        )

    async def _get(self, work: UnitOfWork, request_id: ConsentId) -> tuple[ConsentRequest, ConsentProgram]:
        request = await work.consents.request(request_id)
        program = await work.consents.program(request.program_id) if request is not None else None
        if request is None or program is None:
            raise NotFound("This question is no longer here.")
        return request, program

    async def _view(self, request_id: ConsentId, actor: Actor) -> ConsentView:
        async with self._work.read() as work:
            request, _ = await self._get(work, request_id)
            return await view_of(work, request, actor.id, now=self._clock.now(), policy=self._policy)
