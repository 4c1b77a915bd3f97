"""Take a holder's appeal to the one who decides, and what that person answers; nobody's silence gives anything back."""

from reclaim.domain.appeals import checked_reason
from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.consent import ConsentRequest
from reclaim.domain.consent_appeal import ConsentAppeal, ConsentAppealState, appeal, check_decider
from reclaim.domain.consent_views import ConsentView, newest
from reclaim.domain.ids import ConsentId
from reclaim.domain.membership import ChangeWhy, Result
from reclaim.domain.policy import Policy
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.answer_consent import AnswerConsent
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.consent_people import manager_of
from reclaim.services.jobs import consent_job
from reclaim.services.read_consent import back_until, view_of

_AT_ONCE = 100


class AppealConsent:
    """Appeals against what a program took."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, answer: AnswerConsent) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._answer = answer
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def appeal(self, actor: Actor, request_id: ConsentId, text: str) -> ConsentView:
        """The holder appeals.

        Raises:
            NotFound, NotAuthorized, Conflict, InvalidRequest: See `domain.consent_appeal.appeal`; or there is one.
        """
        async with self._work.write() as work:
            request = await self._request(work, request_id)
            made = appeal(
                request,
                actor.id,
                text,
                decider=await manager_of(work, request.person_id, self._policy),
                until=back_until(request, self._policy),
                now=self._clock.now(),
            )
            await work.consents.add_appeal(made)
            await self._note(work, EventKind.APPEALED, made, actor.id, {"to": made.decider_id}, text=made.text)
            await work.enqueue(consent_job(request_id, "appealed"))
            await work.commit()
        return await self._view(request_id, actor)

    async def answer(self, actor: Actor, request_id: ConsentId, *, give: bool, reason: str = "") -> ConsentView:
        """The one who decides gives it back, or leaves it removed.

        The answer and what it starts are one transaction: neither is there without the other.

        Raises:
            NotFound: There is no such appeal.
            NotAuthorized: It is with somebody else.
            Conflict: It is over, the application cannot come back, or it is back already.
            InvalidRequest: The reason is too long.
        """
        said = checked_reason(reason)
        async with self._work.write() as work:
            there = await self._get(work, request_id)
            check_decider(there, actor.id)
            state = ConsentAppealState.GRANTED if give else ConsentAppealState.REFUSED
            ended = there.to(state, self._clock.now(), said)
            request = await self._request(work, request_id)
            if give:
                await self._answer.restore(work, request, actor)
            elif await _is_back(work, request_id):
                raise Conflict("It is back already, or coming back. There is nothing left to decide.")
            await work.consents.save_appeal(ended)
            await self._note(work, EventKind.APPEAL_ANSWERED, ended, actor.id, {"state": state.value}, text=said)
            await work.enqueue(consent_job(request_id, f"appeal-{ended.version}"))
            await work.commit()
        return await self._view(request_id, actor)

    async def lapse_due(self) -> int:
        """End appeals that nobody answered in time; return how many. What came back meanwhile is not said to stay away."""
        now = self._clock.now()
        async with self._work.write() as work:
            due = await work.consents.due_appeals(now, limit=_AT_ONCE)
            for one in due:
                back = await _is_back(work, one.request_id)
                ended = one.to(ConsentAppealState.SETTLED if back else ConsentAppealState.LAPSED, now)
                await work.consents.save_appeal(ended)
                await self._note(work, EventKind.APPEAL_ENDED, ended, SYSTEM, {"state": ended.state.value})
                await work.enqueue(consent_job(one.request_id, f"appeal-{ended.version}"))
            if due:
                await work.commit()
        return len(due)

    async def _get(self, work: UnitOfWork, request_id: ConsentId) -> ConsentAppeal:
        found = await work.consents.appeal(request_id)
        if found is None:
            raise NotFound("There is no appeal about this.")
        return found

    async def _note(
        self,
        work: UnitOfWork,
        kind: EventKind,
        one: ConsentAppeal,
        actor: str,
        facts: dict[str, Fact],
        *,
        text: str | None = None,
    ) -> None:
        await work.events.append(
            self._attest.event(
                kind, actor=actor, campaign=one.program_id, item=one.request_id, facts=facts, personal={"text": text}
            )
        )

    async def _view(self, request_id: ConsentId, actor: Actor) -> ConsentView:
        async with self._work.read() as work:
            request = await self._request(work, request_id)
            return await view_of(work, request, actor.id, now=self._clock.now(), policy=self._policy)

    async def _request(self, work: UnitOfWork, request_id: ConsentId) -> ConsentRequest:
        request = await work.consents.request(request_id)
        if request is None:
            raise NotFound("This question is no longer here.")
        return request


async def _is_back(work: UnitOfWork, request_id: ConsentId) -> bool:
    """Whether what was removed is there again, or on its way back."""
    restore = newest((await work.consents.changes_of([request_id])).get(request_id, []), ChangeWhy.RESTORE)
    return restore is not None and (restore.running or restore.result is Result.THERE)
