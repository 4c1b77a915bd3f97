"""Draft a campaign, look at what it would do, and launch it. Launching asks nobody yet: a job opens the campaign."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.campaign import Campaign, CampaignState, stricter
from reclaim.domain.idle import Finding
from reclaim.domain.ids import CampaignId, PersonId, SeatId
from reclaim.domain.money import Total
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ReviewerLoad, StartPreview
from reclaim.domain.removal import RemovalPlan
from reclaim.domain.review import AssignedHow, Recommendation, recommend
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, NotAuthorized, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.campaign_draft import CampaignDraft, from_state, to_state
from reclaim.services.chunks import CHUNK
from reclaim.services.freshness import age_in_words
from reclaim.services.jobs import open_job
from reclaim.services.prepare_campaign import Prepared, prepare

__all__ = ["CampaignDraft", "StartCampaign"]


class StartCampaign:
    """From the form to the launched campaign."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def put_draft(self, actor: Actor, draft: CampaignDraft) -> None:
        """Keep what was filled in so far.

        Raises:
            NotFound: The draft is somebody else's.
            Conflict: Its campaign has been started.
        """
        async with self._work.write() as unit:
            stored = await unit.controls.draft(draft.ref)
            if draft.by != actor.id or (stored is not None and stored[0] != actor.id):
                raise NotFound("There is no such draft.")
            if await unit.campaigns.get(CampaignId(draft.ref)) is not None:
                raise Conflict("This campaign has been started already.")
            await unit.controls.put_draft(draft.ref, draft.by, to_state(draft), at=self._clock.now())
            await unit.commit()

    async def draft(self, ref: str, actor: Actor) -> CampaignDraft:
        """Return the actor's draft.

        Raises:
            NotFound: There is none, or it is somebody else's.
        """
        async with self._work.read() as reading:
            return await _draft(reading, ref, actor)

    async def preview(self, actor: Actor, draft: CampaignDraft) -> StartPreview:
        """Return what the campaign would do. Every idle seat is an item or counted in exactly one reason.

        Raises:
            InvalidRequest, NoSignInData, Conflict, GuardrailExceeded: As `prepare_campaign.prepare`.
            NotFound: The draft is somebody else's.
        """
        if draft.by != actor.id:
            raise NotFound("There is no such draft.")
        async with self._work.read() as reading:
            prepared = await prepare(reading, draft, self._policy, self._clock.now())
        return _preview(draft, prepared, self._policy)

    async def launch(self, actor: Actor, ref: str) -> Campaign:
        """Start the drafted campaign; launching the same draft again returns the same campaign.

        Raises:
            NotAuthorized: The actor is not a person of the tenant.
            NotFound: There is no such draft of the actor.
            Conflict: The data is too old, was read anew since this began, or leaves nobody to ask.
            InvalidRequest, NoSignInData, GuardrailExceeded: As `preview`: all is checked again.
        """
        if not actor.is_person:
            raise NotAuthorized("A campaign needs an owner who is a person of this tenant. Start it in the chat.")
        now = self._clock.now()
        # Prepared before the write lock is taken: it reads every finding, and answers must not wait for that.
        async with self._work.read() as reading:
            draft = await _draft(reading, ref, actor)
            there = await reading.campaigns.get(CampaignId(ref))
            if there is not None:
                return there
            prepared = await prepare(reading, draft, self._policy, now)
        _check_launch(prepared, now)
        campaign = _campaign(draft, prepared, self._policy, now)
        async with self._work.write() as unit:
            there = await unit.campaigns.get(campaign.id)
            if there is not None:
                return there
            newest = await unit.syncs.newest_complete()
            if newest is None or newest.id != prepared.run.id:
                raise Conflict("The data was read anew a moment ago. Look at the preview again.")
            await unit.campaigns.add(campaign)
            await unit.campaigns.freeze_seats(campaign.id, _seats(prepared), part=CHUNK)
            await unit.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_STARTED,
                    actor=actor.id,
                    at=now,
                    campaign=campaign.id,
                    facts=_facts(campaign, prepared),
                    personal={"name": campaign.name},
                )
            )
            await unit.enqueue(open_job(campaign.id))
            await unit.commit()
        return campaign


async def _draft(reading: UnitOfWork, ref: str, actor: Actor) -> CampaignDraft:
    stored = await reading.controls.draft(ref)
    if stored is None or stored[0] != actor.id:
        raise NotFound("There is no such draft.")
    return from_state(ref, *stored)


def _check_launch(prepared: Prepared, now: datetime) -> None:
    if prepared.data.stale and prepared.data.as_of is not None:
        raise Conflict(f"The data is {age_in_words(prepared.data.as_of, now)} old. Read it again first.")
    if not prepared.selection.items:
        raise Conflict("No seat is left to ask about. The preview says why.")


def _campaign(draft: CampaignDraft, prepared: Prepared, policy: Policy, now: datetime) -> Campaign:
    """Return the launched campaign; its seats are frozen beside it."""
    return Campaign(
        id=CampaignId(draft.ref),
        name=draft.name.strip(),
        state=CampaignState.DRAFT,
        version=0,
        owner_id=draft.by,
        created_at=now,
        zone=draft.zone,
        due_at=prepared.due_at,
        closes_at=prepared.due_at,
        shown_close_at=prepared.due_at,
        strategy=draft.strategy,
        reviewer_id=draft.reviewer_id,
        fallback_id=prepared.fallback.id if prepared.fallback else None,
        silence=draft.silence,
        scope=replace(draft.scope, seat_ids=()),
        mode=stricter(policy.writes, draft.mode),
    ).to(CampaignState.OPENING)


def _seats(prepared: Prepared) -> list[SeatId]:
    """Return exactly the seats that were shown, so that a later sync cannot widen the campaign."""
    return sorted(finding.seat_id for finding in prepared.selection.items)


def _facts(campaign: Campaign, prepared: Prepared) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "run": prepared.run.id,
        "idle": prepared.idle,
        "items": len(prepared.selection.items),
        "days": campaign.scope.days,
        "strategy": campaign.strategy.value,
        "reviewer": campaign.reviewer_id,
        "fallback": campaign.fallback_id,
        "silence": campaign.silence.value,
        "mode": campaign.mode.value,
        "due_at_ms": int(campaign.due_at.timestamp() * 1000),
    }
    return facts | {f"left_out_{left.reason}": left.seats for left in prepared.selection.left_out}


def _preview(draft: CampaignDraft, prepared: Prepared, policy: Policy) -> StartPreview:
    items = prepared.selection.items
    plans = [prepared.plans.get(item.seat_id, RemovalPlan()) for item in items]
    recommended = [item for item, plan in zip(items, plans, strict=True) if recommend(plan) is Recommendation.REVOKE]
    writable = [item for item, plan in zip(items, plans, strict=True) if plan.writable]
    blockers = Counter(plan.blocker.value for plan in plans if plan.blocker is not None)
    assignments = [prepared.assignments[item.seat_id] for item in items]
    return StartPreview(
        ref=draft.ref,
        name=draft.name.strip(),
        idle=prepared.idle,
        items=len(items),
        monthly=_monthly(items, prepared),
        low=_monthly(recommended, prepared),
        high=_monthly(writable, prepared),
        recommended=len(recommended),
        writable=len(writable),
        blockers=tuple(sorted(blockers.items(), key=lambda pair: (-pair[1], pair[0]))),
        reviewers=_loads((one.person_id for one in assignments if one.person_id is not None), prepared),
        to_fallback=sum(one.how is AssignedHow.FALLBACK for one in assignments),
        fallback_name=prepared.fallback.shown_name if prepared.fallback else None,
        left_out=prepared.selection.left_out,
        strategy=draft.strategy,
        silence=draft.silence,
        mode=stricter(policy.writes, draft.mode),
        days=draft.scope.days,
        due_at=prepared.due_at,
        zone=draft.zone,
        data=prepared.data,
    )


def _monthly(items: Iterable[Finding], prepared: Prepared) -> Total:
    prices = prepared.prices
    return Total.of(prices[item.product_id].monthly if item.product_id in prices else None for item in items)


def _loads(reviewers: Iterable[PersonId], prepared: Prepared) -> tuple[ReviewerLoad, ...]:
    loads = (
        ReviewerLoad(person_id=person, name=prepared.people[person].shown_name, seats=seats)
        for person, seats in Counter(reviewers).items()
    )
    return tuple(sorted(loads, key=lambda load: (-load.seats, load.name.casefold(), load.person_id)))
