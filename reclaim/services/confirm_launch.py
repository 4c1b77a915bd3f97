"""Over the soft limit a second admin confirms a campaign: ask, confirm or decline, and lapse when the data moves on.

What is confirmed is exactly what was asked for: the same form and the same seats, by their digests. All else is checked
again at the confirmation, as at any launch.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.calendar import end_of_day
from reclaim.domain.campaign import Campaign, stricter
from reclaim.domain.confirmation import LaunchRequest, LaunchState, expires_at
from reclaim.domain.ids import CampaignId, PersonId, RunId
from reclaim.domain.notices import LaunchAskedNotice, launch_matter
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import LaunchRequestView
from reclaim.domain.roles import ADMIN_AS_A_PERSON, RUN_AS_A_PERSON, Actor
from reclaim.errors import Conflict, DeliveryError, NotAuthorized, NotFound, ReclaimError
from reclaim.ports.chat import Messenger
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.access import Access
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.campaign_draft import CampaignDraft, draft_sha256, from_state
from reclaim.services.jobs import confirmation_job
from reclaim.services.prepare_campaign import Prepared, prepare
from reclaim.services.start_campaign import check_launch, preview_of, store_launch
from reclaim.services.write_rights import WriteRights

_KINDS = {LaunchState.CONFIRMED: EventKind.LAUNCH_CONFIRMED, LaunchState.DECLINED: EventKind.LAUNCH_DECLINED}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Now:
    """What a request would start now; `prepared` None where that is refused, with the refusal."""

    draft: CampaignDraft
    prepared: Prepared | None
    refusal: ReclaimError | None = None


class ConfirmLaunch:
    """Asks the other admins, and starts what one of them confirms."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        access: Access,
        messenger: Messenger,
        rights: WriteRights,
    ) -> None:
        self._rights = rights
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._access = access
        self._messenger = messenger
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def ask(self, actor: Actor, ref: str) -> LaunchRequestView:
        """Ask the other admins to confirm a draft over the soft limit. A request about an older form is withdrawn.

        Raises:
            NotAuthorized: The actor is not a person of the tenant.
            NotFound: There is no such draft of the actor.
            Conflict: It needs no second admin, there is none, one was asked already, or it cannot start at all.
            InvalidRequest, NoSignInData, GuardrailExceeded: As `start_campaign.preview`.
        """
        if not actor.is_person:
            raise NotAuthorized("A campaign needs an owner who is a person of this tenant. Start it in the chat.")
        now = self._clock.now()
        admins = [one for one in await self._access.people_with(ADMIN_AS_A_PERSON) if one != actor.id]
        async with self._work.read() as reading:
            stored = await reading.controls.draft(ref)
            draft = from_state(ref, *stored) if stored is not None and stored[0] == actor.id else None
            if draft is None or draft.simulated:
                raise NotFound("There is no such draft.")
            prepared = await prepare(reading, draft, self._policy, now)
        check_launch(prepared, now)
        if prepared.over is None:
            raise Conflict("This campaign keeps the limits. You can start it yourself.")
        if not admins:
            raise Conflict("Nobody else has the role Admin, so nobody can confirm. Narrow the scope.")
        await self._rights.require(stricter(self._policy.writes, draft.mode), prepared.plans.values())
        request = LaunchRequest(
            id=self._tokens.new_id(),
            draft_ref=ref,
            by=actor.id,
            at=now,
            expires_at=expires_at(now, prepared.due_at),
            run_id=prepared.run.id,
            seats_sha256=prepared.seats_sha256,
            draft_sha256=draft_sha256(draft),
            items=len(prepared.selection.items),
            limit=prepared.over.limit,
            asked=tuple(admins),
        )
        async with self._work.write() as unit:
            await self._make_way(unit, request, now)
            await unit.controls.ask_launch(request)
            await unit.events.append(
                self._attest.event(
                    EventKind.LAUNCH_ASKED,
                    actor=actor.id,
                    at=now,
                    facts={
                        "request": request.id,
                        "draft": ref,
                        "run": request.run_id,
                        "items": request.items,
                        "limit": request.limit,
                        "seats_sha256": request.seats_sha256,
                        "draft_sha256": request.draft_sha256,
                        "asked": len(admins),
                    },
                )
            )
            await unit.enqueue(confirmation_job(request.id, request.state))
            await unit.commit()
        return await self.view(request.id)

    async def _make_way(self, unit: UnitOfWork, request: LaunchRequest, now: datetime) -> None:
        if await unit.campaigns.get(CampaignId(request.draft_ref)) is not None:
            raise Conflict("This campaign has been started already.")
        for older in await unit.controls.launch_requests_of(request.draft_ref):
            if older.state is not LaunchState.ASKED:
                continue
            if older.is_for(seats_sha256=request.seats_sha256, draft_sha256=request.draft_sha256):
                raise Conflict("A second admin was asked already.")
            await self._settle(unit, older.to(LaunchState.WITHDRAWN, by=request.by, at=now))

    async def confirm(self, actor: Actor, ref: str) -> Campaign:
        """Start the campaign as the second admin, if everything still stands as it was asked for.

        Raises:
            NotAuthorized: The actor asked themselves, is no admin in person, or who asked may not run campaigns now.
            NotFound: There is no such request.
            Conflict: It was settled, has expired, or the form or the seats are others now; that ends the request.
        """
        now = self._clock.now()
        async with self._work.read() as reading:
            request = await _request(reading, ref)
            request.check_answer(actor)
            confirmed = request.to(LaunchState.CONFIRMED, by=actor.id, at=now)
            current = await self._current(reading, request, now)
        asker = await self._access.actor(request.by, actor.channel)
        if not asker.may(RUN_AS_A_PERSON):
            raise NotAuthorized("Who asked for this campaign may not run campaigns any more.")
        lapsed = _lapsed(request, current, now)
        if lapsed is not None:
            await self._end(request.to(lapsed, by=None, at=now))
            raise Conflict(_why_lapsed(lapsed, request, current))
        prepared = current.prepared
        if prepared is None:
            raise current.refusal or Conflict("This campaign cannot start.")
        check_launch(prepared, now)
        await self._rights.require(stricter(self._policy.writes, current.draft.mode), prepared.plans.values())
        async with self._work.write() as unit:
            await self._settle(unit, confirmed)
            campaign = await store_launch(
                unit, self._attest, current.draft, prepared, self._policy, now, confirmed=confirmed
            )
            await unit.commit()
        return campaign

    async def decline(self, actor: Actor, ref: str) -> LaunchRequestView:
        """Refuse to confirm; nothing starts.

        Raises:
            NotAuthorized: The actor asked themselves, or is no admin in person.
            NotFound, Conflict: There is no such request, or it was settled.
        """
        async with self._work.read() as reading:
            request = await _request(reading, ref)
        request.check_answer(actor)
        await self._end(request.to(LaunchState.DECLINED, by=actor.id, at=self._clock.now()))
        return await self.view(ref)

    async def withdraw(self, actor: Actor, ref: str) -> LaunchRequestView:
        """Take the own request back; nothing starts.

        Raises:
            NotFound: The actor has no such request.
            Conflict: It was settled.
        """
        async with self._work.read() as reading:
            request = await _request(reading, ref)
        if request.by != actor.id:
            raise NotFound("There is no such request.")
        await self._end(request.to(LaunchState.WITHDRAWN, by=actor.id, at=self._clock.now()))
        return await self.view(ref)

    async def view(self, ref: str) -> LaunchRequestView:
        """Return where a request stands, with what it would start now while it waits.

        Raises:
            NotFound: There is none.
        """
        now = self._clock.now()
        async with self._work.read() as reading:
            request = await _request(reading, ref)
            people = await reading.people.get_many(
                one for one in (request.by, request.settled_by, *request.asked) if one is not None
            )
            current = await self._current(reading, request, now) if request.state is LaunchState.ASKED else None
            stored = await reading.controls.draft(request.draft_ref)
        names = {person.id: person.shown_name for person in people.values()}
        draft = from_state(request.draft_ref, *stored) if stored is not None else None
        prepared = current.prepared if current else None
        return LaunchRequestView(
            ref=request.id,
            draft_ref=request.draft_ref,
            campaign_name=draft.name.strip() if draft else "",
            state=request.state.value,
            by=request.by,
            by_name=names.get(request.by, request.by),
            asked_names=tuple(names[one] for one in request.asked if one in names),
            expires_at=request.expires_at,
            settled_by_name=names.get(request.settled_by) if request.settled_by else None,
            settled_at=request.settled_at,
            preview=preview_of(current.draft, prepared, self._policy) if current and prepared else None,
        )

    async def handle(self, job: Job) -> None:
        """Show everybody concerned where the request stands: the other admins when it is new, and whoever has its card."""
        ref = str(job.args["request"])
        view = await self.view(ref)
        async with self._work.read() as reading:
            request = await _request(reading, ref)
            told = {record.person_id for record in await reading.messages.live_of_matter(launch_matter(ref))}
        if request.state is LaunchState.ASKED:
            told |= {request.by, *request.asked}
        for person in sorted(told):
            await self._tell(person, LaunchAskedNotice(request=view, to_asker=person == request.by))

    async def _tell(self, person: PersonId, notice: LaunchAskedNotice) -> None:
        try:
            await self._messenger.deliver(person, notice)
        except DeliveryError as error:
            log.warning("a card about a request to confirm was not delivered", person=person, why=error.code)

    async def after_sync(self, run: RunId) -> None:
        """End the requests that newer data has overtaken, so that nobody confirms what cannot start."""
        await self._lapse()

    async def expire(self) -> int:
        """End the requests whose time is over, and return how many there were."""
        return await self._lapse(only_expired=True)

    async def next_expiry(self) -> tuple[datetime, ...]:
        """Return when the waiting requests lapse."""
        async with self._work.read() as reading:
            return tuple(request.expires_at for request in await reading.controls.launch_requests_waiting())

    async def _lapse(self, *, only_expired: bool = False) -> int:
        now = self._clock.now()
        ended = 0
        async with self._work.read() as reading:
            waiting = await reading.controls.launch_requests_waiting()
        for request in waiting:
            if only_expired and request.expires_at > now:
                continue
            async with self._work.read() as reading:
                lapsed = _lapsed(request, await self._current(reading, request, now), now)
            if lapsed is None:
                continue
            try:
                await self._end(request.to(lapsed, by=None, at=now))
            except Conflict:
                continue  # somebody answered at this moment
            ended += 1
        return ended

    async def _end(self, request: LaunchRequest) -> None:
        async with self._work.write() as unit:
            await self._settle(unit, request)
            await unit.commit()

    async def _settle(self, unit: UnitOfWork, request: LaunchRequest) -> None:
        await unit.controls.settle_launch(request)
        await unit.events.append(
            self._attest.event(
                _KINDS.get(request.state, EventKind.LAUNCH_LAPSED),
                actor=request.settled_by or SYSTEM,
                at=request.settled_at,
                facts={
                    "request": request.id,
                    "draft": request.draft_ref,
                    "asked_by": request.by,
                    "state": request.state.value,
                },
            )
        )
        await unit.enqueue(confirmation_job(request.id, request.state))

    async def _current(self, reading: UnitOfWork, request: LaunchRequest, now: datetime) -> _Now:
        stored = await reading.controls.draft(request.draft_ref)
        if stored is None:
            raise NotFound("There is no such draft.")
        draft = from_state(request.draft_ref, *stored)
        try:
            return _Now(draft, await prepare(reading, draft, self._policy, now))
        except ReclaimError as error:
            return _Now(draft, None, error)


async def _request(reading: UnitOfWork, ref: str) -> LaunchRequest:
    request = await reading.controls.launch_request(ref)
    if request is None:
        raise NotFound("There is no such request.")
    return request


def _lapsed(request: LaunchRequest, current: _Now, now: datetime) -> LaunchState | None:
    """Return how a waiting request has ended by itself, or None. A refusal that passes by itself ends nothing."""
    if now >= request.expires_at or now >= end_of_day(current.draft.due, current.draft.zone):
        return LaunchState.EXPIRED
    if draft_sha256(current.draft) != request.draft_sha256:
        return LaunchState.CHANGED
    if current.prepared is None:
        return None if isinstance(current.refusal, Conflict) else LaunchState.CHANGED
    return None if current.prepared.seats_sha256 == request.seats_sha256 else LaunchState.CHANGED


def _why_lapsed(state: LaunchState, request: LaunchRequest, current: _Now) -> str:
    if state is LaunchState.EXPIRED:
        return "The time to confirm is over. Whoever asked can ask again from a fresh preview."
    if draft_sha256(current.draft) != request.draft_sha256:
        return "The campaign was changed since. Nothing has started; whoever asked can ask again."
    if current.prepared is None:
        return f"{current.refusal.message if current.refusal else ''} Nothing has started.".lstrip()
    number = len(current.prepared.selection.items)
    seats = f"{number:,} seat{'s' * (number != 1)} now"
    than = f" and not {request.items:,}" if number != request.items else ", but other ones"
    return f"The data is not what it was: it is {seats}{than}. Nothing has started; whoever asked can ask again."
