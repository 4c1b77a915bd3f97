"""The emergency brake: stop every write at once, and let them go on only with a reason and a second admin."""

from dataclasses import replace

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import PersonId
from reclaim.domain.notices import ResumeAskedNotice
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import FreezeView
from reclaim.domain.roles import ADMIN_AS_A_PERSON, Actor
from reclaim.errors import Conflict, DeliveryError, InvalidRequest, NotAuthorized
from reclaim.ports.chat import Messenger
from reclaim.ports.storage import Freeze, ResumeRequest, UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.access import Access
from reclaim.services.attesting import Attestor
from reclaim.services.jobs import owner_job, release_job

REASON_LENGTH = 500

log = structlog.get_logger(__name__)


class FreezeWrites:
    """Freeze, ask to resume, confirm."""

    def __init__(
        self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, access: Access, messenger: Messenger
    ) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._access = access
        self._messenger = messenger
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def view(self) -> FreezeView:
        """Return whether writes are stopped, and what waits."""
        async with self._work.read() as work:
            return await self._view(work)

    async def freeze(self, actor: Actor, reason: str) -> FreezeView:
        """Stop every write at once. A write whose call is already on its way is read back; none starts after this.

        Raises:
            InvalidRequest: No reason.
            Conflict: It is frozen already.
        """
        reason = _reason(reason)
        async with self._work.write() as work:
            if await work.controls.freeze() is not None:
                raise Conflict("Removals are frozen already. Decisions are saved and wait.")
            now = self._clock.now()
            freeze = Freeze(id=self._tokens.new_id(), by=actor.id, at=now, reason=reason)
            await work.controls.start_freeze(freeze)
            for campaign in await work.campaigns.in_states([CampaignState.APPLYING]):
                paused = replace(campaign.to(CampaignState.PAUSED), pause_reason="frozen")
                await work.campaigns.save(paused)
                await work.enqueue(owner_job(campaign.id, f"frozen-{paused.version}"))
            await work.events.append(
                self._attest.event(
                    EventKind.FROZEN, actor=actor.id, facts={"freeze": freeze.id}, personal={"reason": reason}
                )
            )
            await work.commit()
        return await self.view()

    async def ask_resume(self, actor: Actor, reason: str) -> FreezeView:
        """Ask another admin to let removals go on.

        Raises:
            InvalidRequest: No reason.
            Conflict: Nothing is frozen.
        """
        reason = _reason(reason)
        async with self._work.write() as work:
            freeze = await work.controls.freeze()
            if freeze is None:
                raise Conflict("Removals are not frozen. There is nothing to resume.")
            request = ResumeRequest(
                id=self._tokens.new_id(), freeze_id=freeze.id, by=actor.id, at=self._clock.now(), reason=reason
            )
            await work.controls.ask_resume(request)
            await work.events.append(
                self._attest.event(
                    EventKind.RESUME_ASKED,
                    actor=actor.id,
                    facts={"freeze": freeze.id, "request": request.id},
                    personal={"reason": reason},
                )
            )
            await work.commit()
        view = await self.view()
        for admin in await self._access.people_with(ADMIN_AS_A_PERSON):
            if admin != actor.id:
                await self._ask(admin, ResumeAskedNotice(freeze=view, ref=request.id))
        return view

    async def _ask(self, admin: PersonId, notice: ResumeAskedNotice) -> None:
        try:
            await self._messenger.deliver(admin, notice)
        except DeliveryError as error:
            log.warning("an admin could not be asked", admin=admin, why=error.code)

    async def confirm_resume(self, actor: Actor, ref: str) -> FreezeView:
        """Let removals go on. The confirming admin is another person than the one who asked (rule 8).

        Raises:
            NotAuthorized: The actor asked themselves, or is no admin in person.
            Conflict: It was settled in the meantime.
        """
        async with self._work.write() as work:
            freeze = await work.controls.freeze()
            request = await work.controls.resume_request()
            if freeze is None or request is None or request.id != ref or request.freeze_id != freeze.id:
                raise Conflict("This request was settled in the meantime.")
            if not actor.is_person or not actor.may(ADMIN_AS_A_PERSON):
                raise NotAuthorized("This needs the role Admin, in person.")
            if actor.id == request.by:
                raise NotAuthorized("You asked to resume, so another admin confirms.")
            now = self._clock.now()
            await work.controls.end_freeze(freeze.id, by=actor.id, at=now)
            await self._let_go(work)
            await work.events.append(
                self._attest.event(
                    EventKind.RESUMED, actor=actor.id, facts={"freeze": freeze.id, "request": request.id}
                )
            )
            await work.commit()
        return await self.view()

    async def _let_go(self, work: UnitOfWork) -> None:
        for campaign in await work.campaigns.in_states([CampaignState.PAUSED]):
            if campaign.pause_reason != "frozen":
                continue
            going = replace(campaign.to(CampaignState.APPLYING), pause_reason=None)
            await work.campaigns.save(going)
            await work.enqueue(owner_job(campaign.id, f"resumed-{going.version}"))
            await work.enqueue(release_job(going.id, going.version))

    async def _view(self, work: UnitOfWork) -> FreezeView:
        freeze = await work.controls.freeze()
        request = await work.controls.resume_request() if freeze else None
        ids = [one.by for one in (freeze, request) if one is not None]
        people = await work.people.get_many(ids)
        waiting = 0
        states = [CampaignState.APPLYING, CampaignState.PAUSED]
        for campaign in await work.campaigns.in_states(states):
            figures = await work.items.figures(campaign.id)
            waiting += sum(one.items for one in figures if one.outcome is None and one.waiting is not None)
        names = {person: found.shown_name for person, found in people.items()}
        return FreezeView(
            frozen=freeze is not None,
            since=freeze.at if freeze else None,
            by_name=names.get(freeze.by, freeze.by) if freeze else None,
            reason=freeze.reason if freeze else None,
            waiting=waiting,
            resume_ref=request.id if request else None,
            resume_by=request.by if request else None,
            resume_by_name=names.get(request.by, request.by) if request else None,
            resume_reason=request.reason if request else None,
            zone=self._policy.zone,
        )


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidRequest("Please say in one sentence why.", field="reason")
    if len(text) > REASON_LENGTH:
        raise InvalidRequest(f"Please use at most {REASON_LENGTH} characters.", field="reason")
    return text
