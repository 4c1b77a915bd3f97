"""One write: the intent is stored, then the call is made, then its answer is stored. Nothing here decides what to write."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.exclusions import strongest
from reclaim.domain.ids import GroupId, OrderId, ProductId, StepId
from reclaim.domain.orders import RemovalStep, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Outcome, PlanStep, StepKind
from reclaim.domain.review import ReviewItem
from reclaim.errors import WriteBackError
from reclaim.ports.directory import SeatWriter, WriteResult
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.live_look import Look
from reclaim.services.settle import ALREADY_ABSENT, Later, end_item, get_order, paths_json, steps_of, with_steps

FROZEN = "frozen"
OVERTAKEN = "overtaken"
DID_NOT_LAND = "did not land"  # a step's `error` after a call without an answer whose effect was not to be seen
HOURLY_WAIT = timedelta(minutes=10)
OTHER_REMOVAL_WAIT = timedelta(minutes=1)

log = structlog.get_logger(__name__)


class WriteStep:
    """Makes one write of one order. It never repeats a call: who asks reads first."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, writer: SeatWriter) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._writer = writer
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def write(
        self,
        order_id: OrderId,
        attempt: int,
        item: ReviewItem,
        plan: PlanStep,
        look: Look,
        *,
        known: Collection[StepId],
    ) -> bool:
        """Carry out one planned step; False if Microsoft refused it for good, and the item has ended with that.

        Args:
            order_id: The order.
            attempt: Its attempt that this job carries out.
            item: The seat that is removed.
            plan: What to do.
            look: The live read that it was decided on.
            known: The person's steps, written or about to be, that the decision took into account.

        Raises:
            Later: Writes are not allowed now, or this one failed and may be tried again.
        """
        try:
            await self._writer.turn(clicked=False)
        except WriteBackError as error:
            raise Later("write_budget", error.retry_after, counts=False) from error
        step = await self._intend(order_id, attempt, item, plan, look, known)
        if step is None:
            return True
        try:
            result = await self._call(item, step)
        except WriteBackError as error:
            await self._failed(order_id, item, step, error)
            return False
        await self._written(order_id, item, step, result)
        return True

    async def _intend(
        self,
        order_id: OrderId,
        attempt: int,
        item: ReviewItem,
        plan: PlanStep,
        look: Look,
        known: Collection[StepId],
    ) -> RemovalStep | None:
        """Commit the intent: what is about to be called, under which request id, and what was there before."""
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            campaign = await work.campaigns.get(order.campaign_id)
            now = self._clock.now()
            if order.attempt != attempt:
                raise Later(OVERTAKEN)
            if await work.controls.freeze() is not None or campaign is None:
                raise Later(FROZEN)
            if campaign.state is not CampaignState.APPLYING:
                raise Later(FROZEN)
            if now < campaign.shown_close_at:
                raise Later("before_shown_close", campaign.shown_close_at - now, counts=False)
            hour = await work.orders.written_since(now - timedelta(hours=1))
            if hour >= self._policy.limits.hard_per_hour:
                raise Later("hourly_limit", HOURLY_WAIT, counts=False)
            if await self._sees_too_little(work, item, look, known):
                raise Later("other_removal", OTHER_REMOVAL_WAIT, counts=False)
            if look.person is not None and strongest(
                await work.exclusions.counting(now), look.person.person, item.product_id, now
            ):
                raise Later("excluded", OTHER_REMOVAL_WAIT, counts=False)  # since the look, which the next try repeats
            step = next((s for s in steps_of(order, item.id) if s.step == plan), None)
            if step is None or step.state is not StepState.PLANNED:
                return None
            intended = replace(
                step,
                state=StepState.INTENDED,
                attempt=step.attempt + 1,
                client_request_id=_uuid(self._tokens.new_id()),
                before=paths_json(look.seat(item.product_id)),
                intended_at=now,
                maybe_written=True,
            )
            await work.orders.save(with_steps(order, [intended]))
            await work.events.append(
                self._attest.event(
                    EventKind.REMOVAL_INTENDED,
                    actor=SYSTEM,
                    campaign=item.campaign_id,
                    item=item.id,
                    facts={
                        "step": intended.id,
                        "kind": plan.kind.value,
                        "ref": plan.ref,
                        "attempt": intended.attempt,
                        "client_request_id": intended.client_request_id,
                    },
                )
            )
            await work.commit()
        return intended

    async def _sees_too_little(self, work: UnitOfWork, item: ReviewItem, look: Look, known: Collection[StepId]) -> bool:
        """Whether something else was taken from this person since the look.

        Two campaigns may each remove one of a person's two mailboxes, and each look saw the other one still there.
        """
        others = [step.id for step in await work.orders.written_steps(item.person_id) if step.item_id != item.id]
        removed = [i.id for i in await work.items.of_person(item.person_id) if i.outcome is Outcome.REMOVED]
        return any(step not in known for step in others) or any(one not in look.ended for one in removed)

    async def _call(self, item: ReviewItem, step: RemovalStep) -> WriteResult:
        request_id = step.client_request_id or ""
        if step.step.kind is StepKind.DIRECT:
            return await self._writer.remove_direct(
                item.person_id, ProductId(step.step.ref), client_request_id=request_id
            )
        return await self._writer.leave_group(item.person_id, GroupId(step.step.ref), client_request_id=request_id)

    async def _written(self, order_id: OrderId, item: ReviewItem, step: RemovalStep, result: WriteResult) -> None:
        # A call of ours that seemed not to have landed may be why there is nothing left: reads lag behind writes.
        others_doing = result.already_absent and step.error != DID_NOT_LAND
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            written = replace(
                step,
                state=StepState.WRITTEN,
                request_id=result.request_id,
                written_at=self._clock.now(),
                maybe_written=False,
                error=ALREADY_ABSENT if others_doing else None,
            )
            await work.orders.save(with_steps(order, [written]))
            await work.events.append(
                self._attest.event(
                    EventKind.REMOVAL_WRITTEN,
                    actor=SYSTEM,
                    campaign=item.campaign_id,
                    item=item.id,
                    facts={
                        "step": step.id,
                        "status": result.status,
                        "request_id": result.request_id,
                        "already_absent": result.already_absent,
                    },
                )
            )
            await work.commit()

    async def _failed(self, order_id: OrderId, item: ReviewItem, step: RemovalStep, error: WriteBackError) -> None:
        """Store a failure. What may have landed stays `intended` and is read before anything else is tried."""
        for_good = error.permanent and not error.maybe_applied
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            state = StepState.INTENDED if error.maybe_applied else StepState.PLANNED
            if for_good:
                state = StepState.FAILED
            failed = replace(step, state=state, error=error.message, maybe_written=error.maybe_applied)
            await work.orders.save(with_steps(order, [failed]))
            await work.events.append(
                self._attest.event(
                    EventKind.REMOVAL_FAILED,
                    actor=SYSTEM,
                    campaign=item.campaign_id,
                    item=item.id,
                    facts={
                        "step": step.id,
                        "status": error.status,
                        "request_id": error.request_id,
                        "maybe_applied": error.maybe_applied,
                        "permanent": error.permanent,
                    },
                )
            )
            if for_good:
                await end_item(
                    work, self._attest, item, Outcome.FAILED, f"graph_{error.status or 'error'}", now=self._clock.now()
                )
            await work.commit()
        log.warning("a removal failed", order=order_id, step=step.id, status=error.status, permanent=error.permanent)
        if not for_good:
            raise Later(f"write:{error.status or 'lost'}", error.retry_after)


def _uuid(token: str) -> str:
    """Microsoft Graph expects a client-request-id in the form of a GUID."""
    return f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:32]}"
