"""Draft a campaign, look at what it would do, and launch it. Launching asks nobody yet: a job opens the campaign."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.campaign import Campaign, CampaignState, stricter
from reclaim.domain.confirmation import LaunchRequest, LaunchState
from reclaim.domain.directory import Person
from reclaim.domain.idle import Finding
from reclaim.domain.ids import AssigneeId, CampaignId, PersonId, SeatId
from reclaim.domain.money import Total
from reclaim.domain.paging import page_of
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import OverLimit, ReviewerLoad, SkuShare, StartPreview, StartSeat, StartSeats
from reclaim.domain.removal import RemovalPlan
from reclaim.domain.review import AssignedHow, Recommendation, recommend
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, GuardrailExceeded, NotAuthorized, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.campaign_draft import CampaignDraft, draft_sha256, from_state, to_state
from reclaim.services.chunks import CHUNK
from reclaim.services.freshness import age_in_words
from reclaim.services.jobs import open_job
from reclaim.services.prepare_campaign import Prepared, prepare
from reclaim.services.write_rights import WriteRights

__all__ = ["CampaignDraft", "StartCampaign"]

PAGE_SIZE = 10
LARGE_SHARE = 25  # per cent of the seats held of a SKU from which the preview warns


class StartCampaign:
    """From the form to the launched campaign."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, rights: WriteRights) -> None:
        self._work = work
        self._rights = rights
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

        More than the soft limit is shown, with what it exceeds: a second admin may confirm it. See `confirm_launch`.

        Raises:
            InvalidRequest, NoSignInData, Conflict, GuardrailExceeded: As `prepare_campaign.prepare`.
            NotFound: The draft is somebody else's.
        """
        return await self._look(actor, draft, allow_over=False)

    async def simulate(self, actor: Actor, draft: CampaignDraft) -> StartPreview:
        """Return the same figures without a campaign to start, over the hard limit too.

        Raises:
            InvalidRequest, NoSignInData, Conflict: As `prepare_campaign.prepare`.
            NotFound: The draft is somebody else's.
        """
        return await self._look(actor, draft, allow_over=True)

    async def seats(self, actor: Actor, ref: str, page: int) -> StartSeats:
        """Return a page of the seats that a draft would ask about; a page beyond either end is the nearest one.

        Raises:
            InvalidRequest, NoSignInData, Conflict, GuardrailExceeded: As `preview`.
            NotFound: There is no such draft of the actor.
        """
        async with self._work.read() as reading:
            draft = await _draft(reading, ref, actor)
            now = self._clock.now()
            prepared = await prepare(reading, draft, self._policy, now, allow_over=draft.simulated)
            items = sorted(prepared.selection.items, key=lambda item: _by_reviewer(item, prepared))
            shown, number, pages = page_of(items, page, PAGE_SIZE)
            people = await reading.people.get_many(item.person_id for item in shown)
        return StartSeats(
            ref=ref,
            name=draft.name.strip(),
            rows=tuple(_seat(item, prepared, people) for item in shown),
            page=number,
            pages=pages,
            total=len(items),
        )

    async def _look(self, actor: Actor, draft: CampaignDraft, *, allow_over: bool) -> StartPreview:
        if draft.by != actor.id:
            raise NotFound("There is no such draft.")
        async with self._work.read() as reading:
            prepared = await prepare(reading, draft, self._policy, self._clock.now(), allow_over=allow_over)
            waiting_for = await _waiting_for(reading, draft, prepared)
        return preview_of(draft, prepared, self._policy, waiting_for)

    async def launch(self, actor: Actor, ref: str) -> Campaign:
        """Start the drafted campaign; launching the same draft again returns the same campaign.

        Raises:
            NotAuthorized: The actor is not a person of the tenant.
            NotFound: There is no such draft of the actor.
            Conflict: The data is too old, was read anew since this began, or leaves nobody to ask.
            InvalidRequest, NoSignInData: As `preview`: all is checked again.
            GuardrailExceeded: It exceeds a limit; over the soft one a second admin has to confirm.
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
            if draft.simulated:
                raise NotFound("There is no such draft.")
            prepared = await prepare(reading, draft, self._policy, now)
        if prepared.over is not None:
            raise prepared.over
        check_launch(prepared, now)
        await self._rights.require(stricter(self._policy.writes, draft.mode), prepared.plans.values())
        async with self._work.write() as unit:
            campaign = await store_launch(unit, self._attest, draft, prepared, self._policy, now)
            await unit.commit()
        return campaign


async def store_launch(
    unit: UnitOfWork,
    attest: Attestor,
    draft: CampaignDraft,
    prepared: Prepared,
    policy: Policy,
    now: datetime,
    *,
    confirmed: LaunchRequest | None = None,
) -> Campaign:
    """Store the launched campaign and enqueue its opening, in the caller's transaction; once for a draft.

    Args:
        confirmed: The request that a second admin has confirmed, for a campaign over the soft limit.

    Raises:
        Conflict: The tenant was read anew since `prepared` was made.
    """
    campaign = _campaign(draft, prepared, policy, now)
    there = await unit.campaigns.get(campaign.id)
    if there is not None:
        return there
    newest = await unit.syncs.newest_complete()
    if newest is None or newest.id != prepared.run.id:
        raise Conflict("The data was read anew a moment ago. Look at the preview again.")
    await unit.campaigns.add(campaign)
    await unit.campaigns.freeze_seats(campaign.id, _seats(prepared), part=CHUNK)
    facts = _facts(draft, campaign, prepared)
    if confirmed is not None:
        facts |= {"request": confirmed.id, "confirmed_by": confirmed.settled_by}
    await unit.events.append(
        attest.event(
            EventKind.CAMPAIGN_STARTED,
            actor=draft.by,
            at=now,
            campaign=campaign.id,
            facts=facts,
            personal={"name": campaign.name},
        )
    )
    await unit.enqueue(open_job(campaign.id))
    return campaign


async def _waiting_for(reading: UnitOfWork, draft: CampaignDraft, prepared: Prepared) -> tuple[str, ...]:
    """Return the names of the admins who were asked to confirm exactly this and have not answered."""
    for request in await reading.controls.launch_requests_of(draft.ref):
        if request.state is LaunchState.ASKED and request.is_for(
            seats_sha256=prepared.seats_sha256, draft_sha256=draft_sha256(draft)
        ):
            people = await reading.people.get_many(request.asked)
            return tuple(sorted(person.shown_name for person in people.values()))
    return ()


async def _draft(reading: UnitOfWork, ref: str, actor: Actor) -> CampaignDraft:
    stored = await reading.controls.draft(ref)
    if stored is None or stored[0] != actor.id:
        raise NotFound("There is no such draft.")
    return from_state(ref, *stored)


def check_launch(prepared: Prepared, now: datetime) -> None:
    """Refuse to act on old data, or for nobody.

    Raises:
        Conflict: The data is too old, or no seat is left.
    """
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
        scope=replace(draft.scope, seat_ids=(), person_ids=()),
        mode=stricter(policy.writes, draft.mode),
    ).to(CampaignState.OPENING)


def _seats(prepared: Prepared) -> list[SeatId]:
    """Return exactly the seats that were shown, so that a later sync cannot widen the campaign."""
    return sorted(finding.seat_id for finding in prepared.selection.items)


def _facts(draft: CampaignDraft, campaign: Campaign, prepared: Prepared) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "run": prepared.run.id,
        "idle": prepared.idle,
        "items": len(prepared.selection.items),
        "days": campaign.scope.days,
        "rules": "+".join(campaign.scope.rules) or "all",
        "products": len(campaign.scope.product_ids),
        "departments": len(campaign.scope.departments),
        "named": len(draft.scope.person_ids) + len(draft.scope.seat_ids),
        "strategy": campaign.strategy.value,
        "reviewer": campaign.reviewer_id,
        "fallback": campaign.fallback_id,
        "silence": campaign.silence.value,
        "mode": campaign.mode.value,
        "due_at_ms": int(campaign.due_at.timestamp() * 1000),
    }
    return facts | {f"left_out_{left.reason}": left.seats for left in prepared.selection.left_out}


def preview_of(
    draft: CampaignDraft, prepared: Prepared, policy: Policy, waiting_for: tuple[str, ...] = ()
) -> StartPreview:
    """Return what was prepared as it is shown."""
    items = prepared.selection.items
    plans = [prepared.plans.get(item.seat_id, RemovalPlan()) for item in items]
    writable = [item for item, plan in zip(items, plans, strict=True) if plan.writable]
    recommended = [item for item, plan in zip(items, plans, strict=True) if recommend(plan) is Recommendation.REVOKE]
    clear = [item for item in recommended if item.is_clear_case(prepared.run.started_at)]
    blockers = Counter(plan.blocker.value for plan in plans if plan.blocker is not None)
    assignments = [prepared.assignments[item.seat_id] for item in items]
    return StartPreview(
        ref=draft.ref,
        name=draft.name.strip(),
        idle=prepared.idle,
        items=len(items),
        monthly=_monthly(items, prepared),
        low=_monthly(clear, prepared),
        likely=_monthly(recommended, prepared),
        high=_monthly(writable, prepared),
        recommended=len(recommended),
        writable=len(writable),
        blockers=tuple(sorted(blockers.items(), key=lambda pair: (-pair[1], pair[0]))),
        reviewers=_loads((one.assignee_id for one in assignments if one.assignee_id is not None), prepared),
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
        named_not_idle=prepared.named_not_idle,
        shares=_shares(items, prepared, policy),
        over=_over_limit(prepared.over),
        waiting_for=waiting_for,
        needed=sum(plan.writable and bool(plan.needed_by) for plan in plans),
    )


def _by_reviewer(item: Finding, prepared: Prepared) -> tuple[str, str, str]:
    return (_reviewer_name(item, prepared).casefold(), item.person_id, item.product_id)


def _reviewer_name(item: Finding, prepared: Prepared) -> str:
    reviewer = prepared.assignments[item.seat_id].assignee_id
    return prepared.names.get(reviewer, reviewer) if reviewer is not None else ""


def _seat(item: Finding, prepared: Prepared, people: Mapping[PersonId, Person]) -> StartSeat:
    plan = prepared.plans.get(item.seat_id, RemovalPlan())
    price = prepared.prices.get(item.product_id)
    return StartSeat(
        person_name=people[item.person_id].shown_name if item.person_id in people else item.person_id,
        sku_name=prepared.skus[item.product_id].name if item.product_id in prepared.skus else item.product_id,
        reviewer_name=_reviewer_name(item, prepared),
        monthly=price.monthly if price else None,
        writable=plan.writable,
        blocker=plan.blocker.value if plan.blocker else None,
        needed_by=tuple(prepared.skus[one].name for one in plan.needed_by if one in prepared.skus),
    )


def _shares(items: Iterable[Finding], prepared: Prepared, policy: Policy) -> tuple[SkuShare, ...]:
    """Return the SKUs of which a large part is asked about, largest part first."""
    found = [
        SkuShare(name=prepared.skus[product].name, items=number, held=held)
        for product, number in Counter(item.product_id for item in items).items()
        if product in prepared.skus
        and (held := prepared.held.get(product, 0)) >= policy.limits.share_from
        and number * 100 >= held * LARGE_SHARE
    ]
    return tuple(sorted(found, key=lambda share: (-share.items / share.held, share.name)))


def _over_limit(error: GuardrailExceeded | None) -> OverLimit | None:
    if error is None:
        return None
    return OverLimit(
        selected=error.selected, limit=error.limit, hard=error.hard, sku_name=error.about, held=error.population
    )


def _monthly(items: Iterable[Finding], prepared: Prepared) -> Total:
    prices = prepared.prices
    return Total.of(prices[item.product_id].monthly if item.product_id in prices else None for item in items)


def _loads(reviewers: Iterable[AssigneeId], prepared: Prepared) -> tuple[ReviewerLoad, ...]:
    loads = (
        ReviewerLoad(assignee_id=one, name=prepared.names.get(one, one), seats=seats)
        for one, seats in Counter(reviewers).items()
    )
    return tuple(sorted(loads, key=lambda load: (-load.seats, load.name.casefold(), load.assignee_id)))
