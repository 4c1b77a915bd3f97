"""Verification: a written removal counts only when the seat is seen to be gone, by a read or by the next sync."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import OrderId, ProductId, RunId
from reclaim.domain.orders import OrderState, RemovalOrder, StepState
from reclaim.domain.removal import Outcome
from reclaim.domain.review import ReviewItem
from reclaim.errors import PortError
from reclaim.ports.directory import ReadBack, SeatWriter
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import verify_job, writeback_job
from reclaim.services.settle import (
    TAKES_EFFECT_WITHIN,
    close_if_settled,
    end_item,
    get_order,
    items_of,
    paths_json,
    steps_of,
    taken_by_us,
    with_steps,
)

FIRST_WAIT = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=6)

log = structlog.get_logger(__name__)


class VerifyRemovals:
    """Checks written orders again until every seat is gone, or clearly is not going."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, writer: SeatWriter) -> None:
        self._work = work
        self._clock = clock
        self._writer = writer
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def handle(self, job: Job) -> None:
        """Read back every seat of the order that is written and not yet verified."""
        order_id = OrderId(str(job.args["order"]))
        async with self._work.read() as work:
            order = await get_order(work, order_id)
            items = [item for item in await items_of(work, order) if item.outcome is None]
        attempt = int(job.args["attempt"])
        if order.state is not OrderState.VERIFYING or order.attempt != attempt:
            return
        backs: list[tuple[ReviewItem, ReadBack | None]] = []
        for item in items:
            try:
                backs.append((item, await self._writer.read_back(item.person_id, item.product_id)))
            except PortError as error:
                log.warning("a removal could not be checked", order=order_id, item=item.id, why=error.code)
                backs.append((item, None))  # nothing is known of this seat; the next check asks again
        await self._store(order_id, attempt, backs)

    async def _store(
        self, order_id: OrderId, attempt: int, backs: Sequence[tuple[ReviewItem, ReadBack | None]]
    ) -> None:
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            if order.state is not OrderState.VERIFYING or order.attempt != attempt:
                return
            for item, back in backs:
                order = await self._judge(work, order, item, back)
            await self._next(work, order)
            await work.commit()

    async def _judge(
        self, work: UnitOfWork, order: RemovalOrder, item: ReviewItem, back: ReadBack | None
    ) -> RemovalOrder:
        now = self._clock.now()
        item = (await work.items.get_many([item.id]))[item.id]
        if item.outcome is not None:
            return order
        mine = steps_of(order, item.id)
        steps = [step for step in mine if step.state is StepState.WRITTEN]
        # From the write, not from the close: an order may have waited for days before it was written.
        since = max((step.written_at for step in steps if step.written_at is not None), default=order.created_at)
        overdue = now - since > TAKES_EFFECT_WITHIN
        if back is None:
            # The steps stay `written`: a retry reads first, and counts what is gone by then as removed.
            if overdue:
                await end_item(work, self._attest, item, Outcome.FAILED, "unreadable", now=now)
            return order
        after = paths_json(back.seat)
        if back.seat is None:
            seen = [replace(step, state=StepState.VERIFIED, verified_at=now, after=after) for step in steps]
            outcome = Outcome.REMOVED if taken_by_us(mine) else Outcome.ALREADY_ABSENT
            facts: dict[str, Fact] = {"request_id": back.request_id, "checks": order.checks + 1}
            await end_item(work, self._attest, item, outcome, "verified_later", now=now, facts=facts)
        elif overdue:
            seen = [replace(step, state=StepState.FAILED, error="still there", after=after) for step in steps]
            await end_item(work, self._attest, item, Outcome.FAILED, "still_there", now=now)
        else:
            seen = [replace(step, after=after) for step in steps]
        return replace(with_steps(order, seen), version=order.version)

    async def _next(self, work: UnitOfWork, order: RemovalOrder) -> None:
        now = self._clock.now()
        items = await items_of(work, order)
        order = replace(order, attempt=order.attempt + 1, checks=order.checks + 1, version=order.version + 1)
        if all(item.outcome is not None for item in items):
            await work.orders.save(replace(order, state=OrderState.DONE, not_before=None))
            await close_if_settled(work, self._attest, order.campaign_id, now=now)
        else:
            wait = min(FIRST_WAIT * 2 ** min(order.checks - 1, 10), LONGEST_WAIT)
            await work.orders.save(replace(order, not_before=now + wait))

    async def after_sync(self, run: RunId) -> None:
        """Use a completed sync: waiting orders may start, written ones are checked, removed seats are confirmed."""
        async with self._work.write() as work:
            complete = await work.syncs.get(run)
            if complete is None:
                return
            for campaign in await work.campaigns.in_states([CampaignState.APPLYING, CampaignState.PAUSED]):
                fresh = (
                    campaign.state is CampaignState.APPLYING
                    and campaign.closing_at is not None
                    and complete.started_at >= campaign.closing_at
                )
                for order in await work.orders.in_state(campaign.id, [OrderState.QUEUED, OrderState.VERIFYING]):
                    if order.state is OrderState.VERIFYING:
                        await work.enqueue(verify_job(order.id, order.attempt))
                    elif fresh:
                        ready = replace(
                            order, state=OrderState.READY, not_before=self._clock.now(), version=order.version + 1
                        )
                        await work.orders.save(ready)
                        await work.enqueue(writeback_job(ready.id, ready.attempt))
            await self._confirm(work, run)
            await work.commit()

    async def _confirm(self, work: UnitOfWork, run: RunId) -> None:
        """Attest, once per seat, that a complete sync no longer finds what was removed."""
        states = [CampaignState.APPLYING, CampaignState.CLOSED]
        for campaign in await work.campaigns.in_states(states):
            removed = [i for i in await work.items.of_campaign(campaign.id) if i.outcome is Outcome.REMOVED]
            still = await work.seats.get_many([item.seat_id for item in removed])
            for item in removed:
                if item.seat_id in still:
                    continue
                if await work.controls.once(f"confirmed:{item.id}", at=self._clock.now()):
                    await work.events.append(
                        self._attest.event(
                            EventKind.SYNC_CONFIRMED,
                            actor=SYSTEM,
                            campaign=campaign.id,
                            item=item.id,
                            facts={"run": run, "sku": ProductId(item.product_id)},
                        )
                    )
