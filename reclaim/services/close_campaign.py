"""The close: decisions stop, each item gets its verdict, and what was approved becomes removal orders."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.ids import CampaignId, ItemId, OrderId, PersonId, ProductId, StepId
from reclaim.domain.orders import OrderState, RemovalOrder, RemovalStep, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice, ReviewItem, Verdict, Waiting, verdict
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, GuardrailExceeded, NotFound
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import announce_job, owner_job, wave_job, writeback_job
from reclaim.services.settle import end_item

CHUNK = 250  # items a transaction


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
        async with self._work.read() as work:
            items = await work.items.of_campaign(campaign_id)
            delivered = await work.items.delivered_to_assignee(campaign_id)
            ordered = {order.person_id for order in await work.orders.of_campaign(campaign_id)}
            held = await work.seats.held()
        verdicts = {
            item.id: verdict(item, campaign.silence, card_delivered=item.id in delivered)
            for item in items
            if item.outcome is None
        }
        approved = [item for item in items if item.id in verdicts and verdicts[item.id].remove]
        ended = [item for item in items if item.id in verdicts and not verdicts[item.id].remove]
        for start in range(0, len(ended), CHUNK):
            await self._end(ended[start : start + CHUNK], verdicts)
        over = self._over_limit(approved, held)
        by_person: dict[PersonId, list[ReviewItem]] = defaultdict(list)
        for item in approved:
            if item.person_id not in ordered:
                by_person[item.person_id].append(item)
        people = sorted(by_person)
        for start in range(0, len(people), CHUNK):
            await self._order(campaign, {p: by_person[p] for p in people[start : start + CHUNK]}, len(approved))
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

    async def _end(self, items: Sequence[ReviewItem], verdicts: Mapping[ItemId, Verdict]) -> None:
        now = self._clock.now()
        async with self._work.write() as work:
            for item in items:
                made = verdicts[item.id]
                await work.items.save(
                    replace(
                        item,
                        outcome=made.outcome,
                        outcome_reason=made.reason,
                        outcome_at=now,
                        version=item.version + 1,
                    )
                )
            await work.events.append(*(self._ended(item, verdicts[item.id]) for item in items))
            kept = [i for i in items if i.answer is not None and i.answer.choice is Choice.KEEP]
            await work.items.remember_answers(kept, until=now + self._policy.cooldown)
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

    def _over_limit(self, approved: Sequence[ReviewItem], held: Mapping[ProductId, int]) -> str | None:
        """Return why nothing may be written: the approved removals are held against the hard limits once more."""
        try:
            self._check_limit(approved, held)
        except GuardrailExceeded as error:
            return error.code
        return None

    def _check_limit(self, approved: Sequence[ReviewItem], held: Mapping[ProductId, int]) -> None:
        by_product: dict[ProductId, tuple[str, int, int]] = {}
        for item in approved:
            name, count, total = by_product.get(
                item.product_id, (item.snapshot.sku_name, 0, held.get(item.product_id, 0))
            )
            by_product[item.product_id] = (name, count + 1, total)
        # The soft limit was met at the start, or confirmed there; approvals can only be fewer than items.
        self._policy.limits.check(len(approved), by_product, soft_confirmed=True)

    async def _order(self, campaign: Campaign, by_person: Mapping[PersonId, list[ReviewItem]], approved: int) -> None:
        now = self._clock.now()
        # Few approvals are judged by a live read; many wait for one sign-in sync that started after the close (rule 5).
        state = OrderState.READY if approved <= self._policy.live_reads else OrderState.QUEUED
        async with self._work.write() as work:
            orders = [self._new_order(campaign, person, items, state, now) for person, items in by_person.items()]
            await work.orders.add_many(orders)
            for items in by_person.values():
                for item in items:
                    await work.items.save(replace(item, waiting=Waiting.QUEUED, version=item.version + 1))
            await work.events.append(
                *(
                    self._attest.event(
                        EventKind.REMOVAL_PLANNED,
                        actor=SYSTEM,
                        campaign=campaign.id,
                        item=step.item_id,
                        facts={"order": order.id, "step": step.id, "kind": step.step.kind.value, "ref": step.step.ref},
                    )
                    for order in orders
                    for step in order.steps
                )
            )
            await work.commit()

    def _new_order(
        self, campaign: Campaign, person: PersonId, items: Sequence[ReviewItem], state: OrderState, now: datetime
    ) -> RemovalOrder:
        order_id = OrderId(self._tokens.new_id())
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
                    id=StepId(self._tokens.new_id()),
                    order_id=order_id,
                    item_id=item.id,
                    product_id=item.product_id,
                    step=step,
                    state=StepState.PLANNED,
                )
                for item in items
                for step in item.plan.steps
            ),
        )

    async def _apply(self, campaign_id: CampaignId, over: str | None) -> None:
        async with self._work.write() as work:
            campaign = await _get(work, campaign_id)
            if campaign.state is not CampaignState.CLOSING:
                return
            now = self._clock.now()
            orders = await work.orders.of_campaign(campaign_id)
            frozen = await work.controls.freeze()
            campaign = campaign.to(CampaignState.APPLYING)
            if not orders:
                campaign = replace(campaign, state=CampaignState.CLOSED, closed_at=now)
            elif over is not None or frozen is not None:
                campaign = replace(campaign, state=CampaignState.PAUSED, pause_reason=over or "frozen")
            await work.campaigns.save(campaign)
            await work.items.close_questions(campaign_id, at=now)
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
                for order in orders:
                    if order.state is OrderState.READY:
                        await work.enqueue(writeback_job(order.id, order.attempt))
            for person in await work.items.asked(campaign_id):
                await work.enqueue(wave_job(campaign_id, person, "closed"))
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
            if campaign.state not in (CampaignState.CLOSED, CampaignState.APPLYING):
                raise Conflict(f"{campaign.name} is {campaign.state.value}. Retry works once removals have been tried.")
            if campaign.abandoned_by is not None:
                raise Conflict(f"{campaign.name} was abandoned. Start a new campaign for these seats.")
            orders = await work.orders.of_campaign(campaign_id)
            # An order that is being carried out now is left alone: two jobs must not work on one person.
            under_way = {s.item_id for order in orders if order.state is OrderState.READY for s in order.steps}
            failed = [i for i in await work.items.of_campaign(campaign_id) if i.outcome is Outcome.FAILED]
            if failed and all(item.id in under_way for item in failed):
                raise Conflict(
                    f"Other removals of the same people are still tried for {campaign.name}. Retry after that."
                )
            failed = [item for item in failed if item.id not in under_way]
            if not failed:
                raise Conflict(f"No removal of {campaign.name} has failed. There is nothing to retry.")
            if campaign.state is CampaignState.CLOSED:
                campaign = replace(campaign.to(CampaignState.APPLYING), closed_at=None, attempt=campaign.attempt + 1)
                await work.campaigns.save(campaign)
            again = {item.id for item in failed}
            for item in failed:
                await work.items.save(
                    replace(
                        item,
                        outcome=None,
                        outcome_reason=None,
                        outcome_at=None,
                        waiting=Waiting.QUEUED,
                        version=item.version + 1,
                    )
                )
            for order in orders:
                if any(step.item_id in again for step in order.steps):
                    fresh = _try_again(order, again, self._clock.now())
                    await work.orders.save(fresh)
                    await work.enqueue(writeback_job(fresh.id, fresh.attempt))
            await work.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_RESUMED, actor=actor.id, campaign=campaign_id, facts={"retried": len(failed)}
                )
            )
            await work.enqueue(owner_job(campaign_id, f"retry-{campaign.version}"))
            await work.commit()
        return len(failed)

    async def _let_go(self, work: UnitOfWork, actor: Actor, campaign: Campaign) -> int:
        """Go on with a campaign that a limit has paused, if the present limits allow it."""
        left = [i for i in await work.items.of_campaign(campaign.id) if i.outcome is None]
        self._check_limit(left, await work.seats.held())
        now = self._clock.now()
        going = replace(campaign.to(CampaignState.APPLYING), pause_reason=None)
        await work.campaigns.save(going)
        for order in await work.orders.in_state(campaign.id, [OrderState.READY, OrderState.FROZEN]):
            ready = _try_again(order, set(), now)
            await work.orders.save(ready)
            await work.enqueue(writeback_job(ready.id, ready.attempt))
        await work.events.append(
            self._attest.event(
                EventKind.CAMPAIGN_RESUMED, actor=actor.id, campaign=campaign.id, facts={"seats": len(left)}
            )
        )
        await work.enqueue(owner_job(campaign.id, f"retry-{going.version}"))
        return len(left)

    async def abandon(self, actor: Actor, campaign_id: CampaignId) -> Campaign:
        """Close a paused campaign with seats left to remove: they stay, and who decided that is attested.

        Raises:
            NotFound, Conflict: No such campaign, or it is not paused.
        """
        async with self._work.write() as work:
            campaign = await _get(work, campaign_id)
            if campaign.state is not CampaignState.PAUSED:
                raise Conflict(f"{campaign.name} is {campaign.state.value}. Only a paused campaign can be abandoned.")
            now = self._clock.now()
            orders = await work.orders.of_campaign(campaign_id)
            written = {
                step.item_id
                for order in orders
                for step in order.steps
                if step.state is StepState.WRITTEN or step.maybe_written
            }
            left = [i for i in await work.items.of_campaign(campaign_id) if i.outcome is None]
            if any(item.id in written for item in left):
                raise Conflict("Some seats are written and not yet checked. Wait for the check, then abandon the rest.")
            closed = replace(campaign.to(CampaignState.CLOSED), closed_at=now, abandoned_by=actor.id)
            await work.campaigns.save(closed)
            for item in left:
                await end_item(work, self._attest, item, Outcome.SUPERSEDED, "abandoned", now=now, actor=actor.id)
            for order in orders:
                if order.state is not OrderState.DONE:
                    await work.orders.save(
                        replace(order, state=OrderState.DONE, not_before=None, version=order.version + 1)
                    )
            await work.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_CLOSED, actor=actor.id, campaign=campaign_id, facts={"abandoned": len(left)}
                )
            )
            await work.enqueue(owner_job(campaign_id, f"abandoned-{closed.version}"))
            await work.commit()
        return closed


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
