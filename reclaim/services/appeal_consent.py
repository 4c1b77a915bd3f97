"""Take a holder's appeal to the one who decides, and what that person answers; nobody's silence gives anything back."""

from reclaim.domain.appeals import TEXT_LENGTH
from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.consent_appeal import ConsentAppeal, ConsentAppealState, appeal, check_decider
from reclaim.domain.consent_views import ConsentView
from reclaim.domain.ids import ConsentId
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
            request = await work.consents.request(request_id)
            if request is None:
                raise NotFound("This question is no longer here.")
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

        Raises:
            NotFound: There is no such appeal.
            NotAuthorized: It is with somebody else.
            Conflict: It is over, or the application cannot come back.
        """
        async with self._work.read() as work:
            there = await self._get(work, request_id)
            check_decider(there, actor.id)
            if there.state is not ConsentAppealState.OPEN:
                raise Conflict("This appeal is answered or over. You see the present state now.")
        if give:
            # First, as it says why it cannot: an appeal is not granted without anything coming back.
            await self._answer.give_back(actor, request_id, granted=True)
        async with self._work.write() as work:
            state = ConsentAppealState.GRANTED if give else ConsentAppealState.REFUSED
            said = " ".join(reason.split())[:TEXT_LENGTH] or None
            ended = (await self._get(work, request_id)).to(state, self._clock.now(), said)
            await work.consents.save_appeal(ended)
            await self._note(work, EventKind.APPEAL_ANSWERED, ended, actor.id, {"state": state.value}, text=said)
            await work.enqueue(consent_job(request_id, f"appeal-{ended.version}"))
            await work.commit()
        return await self._view(request_id, actor)

    async def lapse_due(self) -> int:
        """End appeals that nobody has answered in time; return how many."""
        now = self._clock.now()
        async with self._work.write() as work:
            due = await work.consents.due_appeals(now, limit=_AT_ONCE)
            for one in due:
                ended = one.to(ConsentAppealState.LAPSED, now)
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
            request = await work.consents.request(request_id)
            if request is None:
                raise NotFound("This question is no longer here.")
            return await view_of(work, request, actor.id, now=self._clock.now(), policy=self._policy)
