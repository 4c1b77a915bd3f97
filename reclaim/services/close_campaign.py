"""The close: decisions stop, each item gets its verdict, and what was approved becomes removal orders."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.ids import CampaignId, ItemId, OrderId, PersonId, ProductId, SeatId, StepId
from reclaim.domain.orders import OrderState, RemovalOrder, RemovalStep, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice, ReviewItem, Verdict, Waiting, verdict
from reclaim.domain.roles import Actor
from reclaim.domain.service_plans import dependents_first
from reclaim.errors import Conflict, GuardrailExceeded, NotFound
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import CHUNK
from reclaim.services.jobs import announce_job, owner_job, progress_job, release_job, tell_job, writeback_jobs
from reclaim.services.settle import ending

RETRIES = 100  # failed items a transaction: each is stored with its order and its steps


class CloseCampaign:
    """Closes campaigns: early by a person, at the due date by the tick; retries and abandons what is left over."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def early(self, actor: Actor | None, campaign_id: CampaignId) -> Campaign:
        """Move the close to now plus the grace, and put the new time on every open card.

        Args:
            actor: None where everybody has answered.

        Raises:
            NotFound, Conflict: There is no such open campaign.
        """
        async with self._work.write() as work:
            campaign = await _get(work, campaign_id)
            moved = campaign.close_early(self._clock.now(), self._policy.close_grace)
            if moved.closes_at == campaign.closes_at:
                return campaign
            await work.campaigns.save(moved)
            await work.events.append(
                self._attest.event(
                    EventKind.CLOSE_MOVED,
                    actor=actor.id if actor else SYSTEM,
                    campaign=campaign_id,
                    facts={
                        "from_ms": int(campaign.closes_at.timestamp() * 1000),
                        "to_ms": int(moved.closes_at.timestamp() * 1000),
                    },
                )
            )
            await work.enqueue(announce_job(campaign_id, f"v{moved.version}"))
            await work.commit()
        return moved

    async def handle(self, job: Job) -> None:
        """Close the campaign that the job names, if its time has come. Running it again goes on where it stopped."""
        campaign_id = CampaignId(str(job.args["campaign"]))
        campaign = await self._stop_decisions(campaign_id)
        if campaign is None:
            return
        approved = await self._judge(campaign)
        async with self._work.read() as work:
            over = _over_limit(await self._limit(work, approved))
        await self._order_all(campaign, sum(approved.values()))
        await self._apply(campaign_id, over)

    async def _stop_decisions(self, campaign_id: CampaignId) -> Campaign | None:
        """Enter `closing`: from here on a decision is a Conflict. None if there is nothing to close."""
        async with self._work.write() as work:
            campaign = await work.campaigns.get(campaign_id)
            now = self._clock.now()
            if campaign is None:
                return None
            if campaign.state is CampaignState.CLOSING:
                return campaign
            if campaign.state is not CampaignState.OPEN or now < campaign.may_close_at:
                return None
            closing = replace(campaign.to(CampaignState.CLOSING), closing_at=now)
            await work.campaigns.save(closing)
            await work.events.append(self._attest.event(EventKind.CAMPAIGN_CLOSING, actor=SYSTEM, campaign=campaign_id))
            await work.commit()
            return closing

    async def _judge(self, campaign: Campaign) -> Counter[ProductId]:
        """End every item that is not to be removed; return how many are, by product. They are the ones left."""
        approved: Counter[ProductId] = Counter()
        after: SeatId | None = None
        while True:
            async with self._work.read() as work:
                items = await work.items.page(campaign.id, outcome=None, after=after, limit=CHUNK)
                delivered = await work.items.delivered_to_assignee(item.id for item in items)
            if not items:
                return approved
            after = items[-1].seat_id
            judged = [(item, verdict(item, campaign.silence, card_delivered=item.id in delivered)) for item in items]
            approved.update(item.product_id for item, made in judged if made.remove)
            if ending := [(item, made) for item, made in judged if not made.remove]:
                await self._end(ending)

    async def _end(self, judged: Sequence[tuple[ReviewItem, Verdict]]) -> None:
        now = self._clock.now()
        ended = [
            replace(item, outcome=made.outcome, outcome_reason=made.reason, outcome_at=now, version=item.version + 1)
            for item, made in judged
        ]
        events = [self._ended(item, made) for item, made in judged]
        kept = [item for item in ended if item.answer is not None and item.answer.choice is Choice.KEEP]
        async with self._work.write() as work:
            await work.items.save_progress(ended)
            await work.items.close_questions([item.id for item in ended], at=now)
            await work.items.remember_answers(kept, until=now + self._policy.cooldown)
            await work.events.append(*events)
            await work.commit()

    def _ended(self, item: ReviewItem, made: Verdict) -> Event:
        return self._attest.event(
            EventKind.ITEM_ENDED,
            actor=SYSTEM,
            campaign=item.campaign_id,
            item=item.id,
            facts={
                "outcome": made.outcome.value if made.outcome else None,
                "reason": made.reason,
                "choice": item.answer.choice.value if item.answer else None,
            },
        )

    async def _limit(self, work: UnitOfWork, approved: Mapping[ProductId, int]) -> GuardrailExceeded | None:
        """Hold approved removals against the hard limits once more; return the refusal, if one is exceeded."""
        held = await work.seats.held()
        skus = await work.catalog.skus()
        by_product = {
            product: (skus[product].name if product in skus else product, number, held.get(product, 0))
            for product, number in approved.items()
        }
        try:
            # The soft limit was met at the start, or confirmed there; approvals can only be fewer than items.
            self._policy.limits.check(sum(approved.values()), by_product, soft_confirmed=True)
        except GuardrailExceeded as error:
            return error
        return None

    async def _order_all(self, campaign: Campaign, approved: int) -> None:
        # Few approvals are judged by a live read; many wait for one sign-in sync that started after the close (rule 5).
        state = OrderState.READY if approved <= self._policy.live_reads else OrderState.QUEUED
        after: SeatId | None = None
        while True:
            async with self._work.read() as work:
                items = await work.items.page(campaign.id, outcome=None, after=after, limit=CHUNK)
                if items:
                    items += await _rest_of_person(work, items[-1])
            if not items:
                return
            after = items[-1].seat_id
            if fresh := [item for item in items if item.waiting is None]:
                await self._order(campaign, fresh, state)

    async def _order(self, campaign: Campaign, items: Sequence[ReviewItem], state: OrderState) -> None:
        """Store one order for each person; the items are all that these people have in this campaign."""
        now = self._clock.now()
        by_person: dict[PersonId, list[ReviewItem]] = defaultdict(list)
        for item in items:
            by_person[item.person_id].append(item)
        orders = [self._new_order(campaign, person, theirs, state, now) for person, theirs in by_person.items()]
        events = [
            self._attest.event(
                EventKind.REMOVAL_PLANNED,
                actor=SYSTEM,
                campaign=campaign.id,
                item=step.item_id,
                facts={"order": order.id, "step": step.id, "kind": step.step.kind.value, "ref": step.step.ref},
            )
            for order in orders
            for step in order.steps
        ]
        async with self._work.write() as work:
            await work.orders.add_many(orders)
            await work.items.save_progress(
                [replace(item, waiting=Waiting.QUEUED, version=item.version + 1) for item in items]
            )
            await work.items.close_questions([item.id for item in items], at=now)
            await work.events.append(*events)
            await work.commit()

    def _new_order(
        self, campaign: Campaign, person: PersonId, items: Sequence[ReviewItem], state: OrderState, now: datetime
    ) -> RemovalOrder:
        order_id = OrderId(self._tokens.new_row_id())
        return RemovalOrder(
            id=order_id,
            campaign_id=campaign.id,
            person_id=person,
            state=state,
            version=1,
            attempt=1,
            not_before=now if state is OrderState.READY else None,
            checks=0,
            created_at=now,
            steps=tuple(
                RemovalStep(
                    id=StepId(self._tokens.new_row_id()),
                    order_id=order_id,
                    item_id=item.id,
                    product_id=item.product_id,
                    step=step,
                    state=StepState.PLANNED,
                )
                for item in _dependents_first(items)
                for step in item.plan.steps
            ),
        )

    async def _apply(self, campaign_id: CampaignId, over: str | None) -> None:
        async with self._work.write() as work:
            campaign = await _get(work, campaign_id)
            if campaign.state is not CampaignState.CLOSING:
                return
            now = self._clock.now()
            frozen = await work.controls.freeze()
            campaign = campaign.to(CampaignState.APPLYING)
            if not await work.items.any_left(campaign_id):
                campaign = replace(campaign, state=CampaignState.CLOSED, closed_at=now)
            elif over is not None or frozen is not None:
                campaign = replace(campaign, state=CampaignState.PAUSED, pause_reason=over or "frozen")
            await work.campaigns.save(campaign)
            if campaign.state is CampaignState.CLOSED:
                await work.events.append(
                    self._attest.event(EventKind.CAMPAIGN_CLOSED, actor=SYSTEM, campaign=campaign_id)
                )
            elif campaign.state is CampaignState.PAUSED:
                await work.events.append(
                    self._attest.event(
                        EventKind.CAMPAIGN_PAUSED,
                        actor=SYSTEM,
                        campaign=campaign_id,
                        facts={"why": campaign.pause_reason},
                    )
                )
            else:
                # Those that need no sync, at most `live_reads`: all others are queued.
                ready = await work.orders.page(campaign_id, [OrderState.READY], after=None, limit=CHUNK)
                for job in writeback_jobs(ready):
                    await work.enqueue(job)
            await work.enqueue(tell_job(campaign_id, "closed"))
            await work.enqueue(owner_job(campaign_id, "closing"))
            await work.commit()

    async def retry(self, actor: Actor, campaign_id: CampaignId) -> int:
        """Try failed removals again, each by a new attempt, or let go what a limit has paused; return how many seats.

        Raises:
            NotFound, Conflict: No such campaign, or it is not applying, paused by a limit, or closed with failures; or
                removals are frozen.
            GuardrailExceeded: The limit that has paused it still does.
        """
        async with self._work.write() as work:
            campaign = await _get(work, campaign_id)
            if await work.controls.freeze() is not None:
                raise Conflict("Removals are frozen. Resume them first.")
            if campaign.state is CampaignState.PAUSED and campaign.pause_reason == GuardrailExceeded.code:
                let_go = await self._let_go(work, actor, campaign)
                await work.commit()
                return let_go
        return await self._retry(actor, campaign_id)

    async def _retry(self, actor: Actor, campaign_id: CampaignId) -> int:
        """Try failed removals again in chunks. Killed on the way, the rest has still failed and can be retried."""
        after: SeatId | None = None
        retried = 0
        under_way = False
        while True:
            async with self._work.write() as work:
                campaign = _may_retry(await _get(work, campaign_id))
                failed = await work.items.page(campaign_id, outcome=Outcome.FAILED, after=after, limit=RETRIES)
                if not failed:
                    break
                failed += await _rest_of_person(work, failed[-1])
                after = failed[-1].seat_id
                orders = await work.orders.of_people(campaign_id, {item.person_id for item in failed})
                # An order that is being carried out now is left alone: two jobs must not work on one person.
                busy = {person for person, order in orders.items() if order.state is OrderState.READY}
                under_way |= bool(busy)
                again = [item for item in failed if item.person_id not in busy]
                if not again:
                    continue
                if campaign.state is CampaignState.CLOSED:
                    reopened = campaign.to(CampaignState.APPLYING)
                    campaign = replace(reopened, closed_at=None, attempt=campaign.attempt + 1)
                    await work.campaigns.save(campaign)
                await self._try_items(work, again, [orders[item.person_id] for item in again])
                await work.events.append(
                    self._attest.event(
                        EventKind.CAMPAIGN_RESUMED, actor=actor.id, campaign=campaign_id, facts={"retried": len(again)}
                    )
                )
                await work.enqueue(owner_job(campaign_id, f"retry-{campaign.version}"))
                await work.commit()
            retried += len(again)
        if retried == 0 and under_way:
            raise Conflict(f"Other removals of the same people are still tried for {campaign.name}. Retry after that.")
        if retried == 0:
            raise Conflict(f"No removal of {campaign.name} has failed. There is nothing to retry.")
        return retried

    async def _try_items(self, work: UnitOfWork, items: Sequence[ReviewItem], orders: Sequence[RemovalOrder]) -> None:
        await work.items.save_progress(
            [
                replace(
                    item,
                    outcome=None,
                    outcome_reason=None,
                    outcome_at=None,
                    waiting=Waiting.QUEUED,
                    version=item.version + 1,
                )
                for item in items
            ]
        )
        ids = {item.id for item in items}
        ready = [_try_again(order, ids, self._clock.now()) for order in {order.id: order for order in orders}.values()]
        for order in ready:
            await work.orders.save(order)
        for job in writeback_jobs(ready):
            await work.enqueue(job)

    async def _let_go(self, work: UnitOfWork, actor: Actor, campaign: Campaign) -> int:
        """Go on with a campaign that a limit has paused, if the present limits allow it."""
        left = await work.items.left_by_product(campaign.id)
        refusal = await self._limit(work, left)
        if refusal is not None:
            raise refusal
        seats = sum(left.values())
        going = replace(campaign.to(CampaignState.APPLYING), pause_reason=None)
        await work.campaigns.save(going)
        await work.enqueue(release_job(going.id, going.version))
        await work.events.append(
            self._attest.event(EventKind.CAMPAIGN_RESUMED, actor=actor.id, campaign=campaign.id, facts={"seats": seats})
        )
        await work.enqueue(owner_job(campaign.id, f"retry-{going.version}"))
        return seats

    async def abandon(self, actor: Actor, campaign_id: CampaignId) -> Campaign:
        """Close a paused campaign with seats left to remove: they stay, and who decided that is attested.

        Raises:
            NotFound, Conflict: No such campaign, or it is not paused.
        """
        while await self._abandon_some(campaign_id, actor):
            pass  # while it is paused nothing is written, so what is left of it can end in chunks
        async with self._work.write() as work:
            campaign = await _abandonable(work, campaign_id)
            now = self._clock.now()
            closed = replace(campaign.to(CampaignState.CLOSED), closed_at=now, abandoned_by=actor.id)
            await work.campaigns.save(closed)
            given_up = sum(
                figure.items for figure in await work.items.figures(campaign_id) if figure.outcome is Outcome.SUPERSEDED
            )
            await work.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_CLOSED, actor=actor.id, campaign=campaign_id, facts={"abandoned": given_up}
                )
            )
            await work.enqueue(owner_job(campaign_id, f"abandoned-{closed.version}"))
            await work.enqueue(progress_job(campaign_id, f"abandoned-{closed.version}"))
            await work.commit()
        return closed

    async def _abandon_some(self, campaign_id: CampaignId, actor: Actor) -> bool:
        """End some of the items and orders that are left; False if none is."""
        async with self._work.write() as work:
            await _abandonable(work, campaign_id)
            items = await work.items.page(campaign_id, outcome=None, after=None, limit=CHUNK)
            waiting = [state for state in OrderState if state is not OrderState.DONE]
            orders = await work.orders.page(campaign_id, waiting, after=None, limit=CHUNK)
            given_up = [_given_up(item, self._clock.now()) for item in items]
            await work.items.save_progress(given_up)
            await work.events.append(*(ending(self._attest, item, actor=actor.id) for item in given_up))
            await work.orders.save_many(
                [replace(order, state=OrderState.DONE, not_before=None, version=order.version + 1) for order in orders]
            )
            await work.commit()
        return bool(items or orders)


def _given_up(item: ReviewItem, now: datetime) -> ReviewItem:
    return replace(
        item,
        outcome=Outcome.SUPERSEDED,
        outcome_reason="abandoned",
        outcome_at=now,
        waiting=None,
        version=item.version + 1,
    )


async def _abandonable(work: UnitOfWork, campaign_id: CampaignId) -> Campaign:
    campaign = await _get(work, campaign_id)
    if campaign.state is not CampaignState.PAUSED:
        raise Conflict(f"{campaign.name} is {campaign.state.value}. Only a paused campaign can be abandoned.")
    if await work.orders.any_unchecked(campaign_id):
        raise Conflict("Some seats are written and not yet checked. Wait for the check, then abandon the rest.")
    return campaign


def _may_retry(campaign: Campaign) -> Campaign:
    if campaign.state not in (CampaignState.CLOSED, CampaignState.APPLYING):
        raise Conflict(f"{campaign.name} is {campaign.state.value}. Retry works once removals have been tried.")
    if campaign.abandoned_by is not None:
        raise Conflict(f"{campaign.name} was abandoned. Start a new campaign for these seats.")
    return campaign


async def _rest_of_person(work: UnitOfWork, last: ReviewItem) -> list[ReviewItem]:
    """Return the items of the same person and outcome behind `last`, so that no chunk cuts a person in two."""
    following = await work.items.page(last.campaign_id, outcome=last.outcome, after=last.seat_id, limit=CHUNK)
    return list(itertools.takewhile(lambda item: item.person_id == last.person_id, following))


def _over_limit(refusal: GuardrailExceeded | None) -> str | None:
    return refusal.code if refusal else None


def _dependents_first(items: Sequence[ReviewItem]) -> list[ReviewItem]:
    """Return the items of one person in an order in which Microsoft takes them."""
    by_product = {item.product_id: item for item in items}
    order = dependents_first({product: item.plan.needed_by for product, item in by_product.items()})
    return [by_product[product] for product in order]


def _try_again(order: RemovalOrder, items: set[ItemId], now: datetime) -> RemovalOrder:
    """Return the order with a new attempt that is due now, and the failed steps of these items planned again."""
    steps = tuple(
        replace(step, state=StepState.PLANNED, error=None)
        if step.item_id in items and step.state in (StepState.FAILED, StepState.SKIPPED)
        else step
        for step in order.steps
    )
    return replace(
        order,
        state=OrderState.READY,
        attempt=order.attempt + 1,
        not_before=now,
        checks=0,
        steps=steps,
        version=order.version + 1,
    )


async def _get(work: UnitOfWork, campaign_id: CampaignId) -> Campaign:
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign
