"""One call: the intent is stored, then the call is made, then its answer is stored. Nothing here decides what to write."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.campaign import Campaign, CampaignState
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
from reclaim.services.listing import live_exclusion
from reclaim.services.live_look import Look
from reclaim.services.settle import ALREADY_ABSENT, Later, end_item, get_order, paths_json, steps_of, with_steps

FROZEN = "frozen"
OVERTAKEN = "overtaken"
DID_NOT_LAND = "did not land"  # a step's `error` after a call without an answer whose effect was not to be seen
HOURLY_WAIT = timedelta(minutes=10)
OTHER_REMOVAL_WAIT = timedelta(minutes=1)

# A write waits 120 s for its answer, and is sent once more after a 401 (connectors/graph/client).
LONGEST_CALL = timedelta(minutes=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step that is to be written.

    Attributes:
        item: The seat that is removed.
        plan: What to do.
        look: The live read that it was decided on.
    """

    item: ReviewItem
    plan: PlanStep
    look: Look


@dataclass(frozen=True, slots=True)
class _Intended:
    item: ReviewItem
    step: RemovalStep


class WriteStep:
    """Makes one call of one order. It never repeats a call: who asks reads first."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, writer: SeatWriter) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._writer = writer
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def write(
        self, order_id: OrderId, attempt: int, wanted: Sequence[Wanted], *, known: Collection[StepId]
    ) -> WriteBackError | None:
        """Carry out planned steps of one person in one call; return what Microsoft said if it refused for good.

        Such a step is planned again. Whoever asks tries another way, or ends the item with `fail`.

        Args:
            order_id: The order.
            attempt: Its attempt that this job carries out.
            wanted: One step, or several direct ones.
            known: The person's steps, written or about to be, that the decision took into account.

        Raises:
            Later: Writes are not allowed now, or this one failed and may be tried again.
        """
        await take_turn(self._writer, clicked=False)
        intended = await self._intend(order_id, attempt, wanted, known)
        if not intended:
            return None
        try:
            result = await self._call(intended)
        except WriteBackError as error:
            await self._failed(order_id, intended, error)
            return error
        await self._written(order_id, intended, result)
        return None

    async def fail(self, order_id: OrderId, attempt: int, item: ReviewItem, error: WriteBackError) -> None:
        """End an item that Microsoft refused for good: nothing more of it is written."""
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            item = (await work.items.get_many([item.id]))[item.id]
            if order.attempt != attempt or item.outcome is not None:
                return
            failed = [
                replace(step, state=StepState.FAILED, error=error.message)
                for step in steps_of(order, item.id)
                if step.state is StepState.PLANNED and step.attempt
            ]
            await work.orders.save(with_steps(order, failed))
            reason = f"graph_{error.status or 'error'}"
            await end_item(work, self._attest, item, Outcome.FAILED, reason, now=self._clock.now())
            await work.commit()

    async def _intend(
        self, order_id: OrderId, attempt: int, wanted: Sequence[Wanted], known: Collection[StepId]
    ) -> list[_Intended]:
        """Commit the intent: what is about to be called, under which request id, and what was there before."""
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            await work.orders.hold_person(order.person_id)
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
            room = self._policy.limits.hard_per_hour - await work.orders.written_since(now - timedelta(hours=1))
            if room <= 0:
                raise Later("hourly_limit", HOURLY_WAIT, counts=False)
            others = [step for step in await work.orders.written_steps(order.person_id) if step.order_id != order_id]
            given_back = await work.restores.any_intended(order.person_id)
            moving = await work.consents.any_intended(order.person_id)
            if given_back or moving or any(in_flight(step, now) for step in others):
                raise Later("other_write", OTHER_REMOVAL_WAIT, counts=False)
            request_id = as_guid(self._tokens.new_id())
            found: list[_Intended] = []
            for one in wanted[:room]:
                if await self._sees_too_little(work, one, known):
                    raise Later("other_removal", OTHER_REMOVAL_WAIT, counts=False)
                if await self._excluded(work, one, campaign, now):
                    # since the look, which the next try repeats
                    raise Later("excluded", OTHER_REMOVAL_WAIT, counts=False)
                step = next((s for s in steps_of(order, one.item.id) if s.step == one.plan), None)
                if step is None or step.state is not StepState.PLANNED:
                    continue
                intended = replace(
                    step,
                    state=StepState.INTENDED,
                    attempt=step.attempt + 1,
                    client_request_id=request_id,
                    before=paths_json(one.look.seat(one.item.product_id)),
                    intended_at=now,
                    maybe_written=True,
                )
                found.append(_Intended(one.item, intended))
            if not found:
                return []
            await work.orders.save(with_steps(order, [one.step for one in found]))
            await work.events.append(*(self._intent(one) for one in found))
            await work.commit()
        return found

    async def _excluded(self, work: UnitOfWork, one: Wanted, campaign: Campaign, now: datetime) -> bool:
        live = one.look.person
        if live is None:
            return False
        days = max(campaign.scope.days, self._policy.idle_days)
        return await live_exclusion(work, live, one.item.product_id, days=days, now=now) is not None

    def _intent(self, one: _Intended) -> Event:
        return self._attest.event(
            EventKind.REMOVAL_INTENDED,
            actor=SYSTEM,
            campaign=one.item.campaign_id,
            item=one.item.id,
            facts={
                "step": one.step.id,
                "kind": one.step.step.kind.value,
                "ref": one.step.step.ref,
                "attempt": one.step.attempt,
                "client_request_id": one.step.client_request_id,
            },
        )

    async def _sees_too_little(self, work: UnitOfWork, one: Wanted, known: Collection[StepId]) -> bool:
        """Whether something else was taken from this person since the look.

        Two campaigns may each remove one of a person's two mailboxes, and each look saw the other one still there.
        """
        person, mine = one.item.person_id, one.item.id
        others = [step.id for step in await work.orders.written_steps(person) if step.item_id != mine]
        removed = [item.id for item in await work.items.of_person(person) if item.outcome is Outcome.REMOVED]
        return any(step not in known for step in others) or any(item not in one.look.ended for item in removed)

    async def _call(self, intended: Sequence[_Intended]) -> WriteResult:
        item, step = intended[0].item, intended[0].step
        request_id = step.client_request_id or ""
        if step.step.kind is StepKind.DIRECT:
            products = [ProductId(one.step.step.ref) for one in intended]
            return await self._writer.remove_direct(item.person_id, *products, client_request_id=request_id)
        return await self._writer.leave_group(item.person_id, GroupId(step.step.ref), client_request_id=request_id)

    async def _written(self, order_id: OrderId, intended: Sequence[_Intended], result: WriteResult) -> None:
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            written = [
                replace(
                    one.step,
                    state=StepState.WRITTEN,
                    request_id=result.request_id,
                    written_at=self._clock.now(),
                    maybe_written=False,
                    # A call of ours that seemed not to have landed may be why there is nothing left: reads lag behind.
                    error=ALREADY_ABSENT if result.already_absent and one.step.error != DID_NOT_LAND else None,
                )
                for one in intended
            ]
            await work.orders.save(with_steps(order, written))
            await work.events.append(
                *(
                    self._attest.event(
                        EventKind.REMOVAL_WRITTEN,
                        actor=SYSTEM,
                        campaign=one.item.campaign_id,
                        item=one.item.id,
                        facts={
                            "step": one.step.id,
                            "status": result.status,
                            "request_id": result.request_id,
                            "already_absent": result.already_absent,
                        },
                    )
                    for one in intended
                )
            )
            await work.commit()

    async def _failed(self, order_id: OrderId, intended: Sequence[_Intended], error: WriteBackError) -> None:
        """Store a failure. What may have landed stays `intended` and is read before anything else is tried."""
        for_good = error.permanent and not error.maybe_applied
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            state = StepState.INTENDED if error.maybe_applied else StepState.PLANNED
            failed = [
                replace(
                    one.step,
                    state=state,
                    # What did not seem to land may still be found gone later, and is ours then.
                    error=one.step.error if one.step.error == DID_NOT_LAND else error.message,
                    maybe_written=error.maybe_applied,
                )
                for one in intended
            ]
            await work.orders.save(with_steps(order, failed))
            await work.events.append(
                *(
                    self._attest.event(
                        EventKind.REMOVAL_FAILED,
                        actor=SYSTEM,
                        campaign=one.item.campaign_id,
                        item=one.item.id,
                        facts={
                            "step": one.step.id,
                            "status": error.status,
                            "request_id": error.request_id,
                            "maybe_applied": error.maybe_applied,
                            "permanent": error.permanent,
                        },
                    )
                    for one in intended
                )
            )
            await work.commit()
        log.warning(
            "a removal failed",
            order=order_id,
            steps=[one.step.id for one in intended],
            status=error.status,
            permanent=error.permanent,
        )
        if not for_good:
            raise Later(f"write:{error.status or 'lost'}", error.retry_after)


async def take_turn(writer: SeatWriter, *, clicked: bool) -> None:
    """Wait until the write budget has room; before the intent is stored, so that nothing waits in between.

    Raises:
        Later: That takes too long to wait for.
    """
    try:
        await writer.turn(clicked=clicked)
    except WriteBackError as error:
        raise Later("write_budget", error.retry_after, counts=False) from error


def in_flight(step: RemovalStep, now: datetime) -> bool:
    """Whether a call for this step may still be on its way, so that no other one for the person is made beside it."""
    if step.state is not StepState.INTENDED or step.intended_at is None:
        return False
    return now - step.intended_at < LONGEST_CALL


def as_guid(token: str) -> str:
    """Microsoft Graph expects a client-request-id in the form of a GUID."""
    return f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:32]}"
