"""Write-back: carry out people's approved removals, each planned again from a live read just before its write.

A job claims its orders in our rows and carries out several at a time; what these read and store at the same moment goes in
one transaction (`reclaim.together`). Between them the order of one person stays one after the other: a claim is for one job,
and a call waits for another one of the same person (`write_step`).

What a person holds directly goes in one call where Microsoft takes that. Per seat: look again (rule 5) → intent stored →
call → answer stored → read back → outcome. A crash in between leaves an `intended` step: the next run first finds out
whether the call landed, by reading, and never repeats one that did.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import structlog

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.campaign import Campaign, CampaignState, WriteMode, stricter
from reclaim.domain.directory import Seat
from reclaim.domain.ids import GroupId, ItemId, OrderId
from reclaim.domain.orders import DID_NOT_LAND, OrderState, RemovalOrder, RemovalStep, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Outcome, PlanStep, StepKind, Stop
from reclaim.domain.review import ReviewItem, Waiting
from reclaim.errors import NotFound, PortError, WriteBackError
from reclaim.ports.directory import Directory, ReadBack, SeatWriter
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import attempts_of
from reclaim.services.live_look import WAITS_FOR_SYNC, LiveLook, Look
from reclaim.services.second_look import explained, judge
from reclaim.services.settle import (
    Ending,
    Later,
    close_if_settled,
    end_item,
    end_items,
    get_order,
    items_of,
    paths_json,
    steps_of,
    taken_by_us,
    wait_item,
    with_steps,
)
from reclaim.services.write_step import FROZEN, OVERTAKEN, Wanted, WriteStep
from reclaim.services.write_together import WriteTogether
from reclaim.together import MOST_WRITES, Together

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
MAX_TRIES = 8
FIRST_CHECK = timedelta(minutes=5)
# Orders at a time. A removal waits for Microsoft three times, a second in all, and the write budget paces it anyway.
LANES: Final = 64

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Run:
    """One attempt at one order. Once the order has moved on to another attempt, this one changes nothing more.

    Attributes:
        ended: This attempt has ended the order.
    """

    campaign: Campaign
    order_id: OrderId
    attempt: int
    ended: bool = False

    def is_over(self, order: RemovalOrder) -> bool:
        return order.attempt != self.attempt or order.state is not OrderState.READY


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An order as it is stored.

    Attributes:
        items: In the order of its steps.
        written: This person's steps over all orders that were or may have been written.
    """

    order: RemovalOrder
    campaign: Campaign | None
    items: Sequence[ReviewItem]
    written: Sequence[RemovalStep]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a read showed after the writes for an item; None: it failed."""

    run: _Run
    item_id: ItemId
    back: ReadBack | None


class ApplyRemovals:
    """The handler of write-back jobs: many orders a job, several at a time over all jobs of this process."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        directory: Directory,
        writer: SeatWriter,
        lanes: int = LANES,
    ) -> None:
        """Take what is needed; `lanes`: orders that are carried out at a time."""
        self._work = work
        self._clock = clock
        self._policy = policy
        self._writer = writer
        self._live = LiveLook(work=work, clock=clock, policy=policy, directory=directory)
        self._step = WriteStep(work=work, clock=clock, tokens=tokens, policy=policy, writer=writer)
        self._together = WriteTogether(work=work, clock=clock, policy=policy, live=self._live, step=self._step)
        self._attest = Attestor(clock=clock, tokens=tokens)
        self._lanes = asyncio.Semaphore(lanes)
        self._loaded: Together[OrderId, _Loaded] = Together(self._load)
        self._seen: Together[_Seen, bool] = Together(self._store_seen, most=MOST_WRITES)

    async def handle(self, job: Job) -> None:
        """Carry out what the orders still ask for. Idempotent: what is written or ended is not touched again.

        An order that fails unexpectedly keeps no other one waiting. Its error ends the job after all of them.
        """
        async with self._work.write() as work:
            orders = await work.orders.claim(attempts_of(job), by=job.key, at=self._clock.now())
            await work.commit()
        for error in filter(None, await _all([self._in_lane(order) for order in orders])):
            raise error

    async def _in_lane(self, order: RemovalOrder) -> Exception | None:
        async with self._lanes:
            try:
                await self._order(order.id, order.attempt)
            except Exception as error:  # noqa: BLE001 - the engine's edge catches it, once the others have ended
                return error
        return None

    async def _order(self, order_id: OrderId, attempt: int) -> None:
        loaded = await self._loaded.ask(order_id)
        campaign = loaded.campaign
        if campaign is None:
            return
        run = _Run(campaign, order_id, attempt)
        if run.is_over(loaded.order):
            return
        if campaign.state is CampaignState.PAUSED:
            await self._freeze(run)
            return
        if campaign.state is not CampaignState.APPLYING:
            return
        try:
            await self._items(run, [item for item in loaded.items if item.outcome is None])
        except Later as later:
            await self._postpone(run, later)
        else:
            await self._finish(run)

    async def _items(self, run: _Run, items: Sequence[ReviewItem]) -> None:
        """Write all in one call where that is possible, and the rest seat by seat.

        Products depend on one another, and Microsoft sometimes says so with the message of another refusal. So a seat that
        it refused is tried again after the others, as long as one of those went.
        """
        done: frozenset[ItemId] = frozenset()
        if len(items) > 1 and stricter(run.campaign.mode, self._policy.writes) is WriteMode.LIVE:
            done = await self._together.write(run.campaign, run.order_id, run.attempt, items)
        for item in items:
            if item.id in done:
                await self._read_back(run, item)
        waiting = [item for item in items if item.id not in done]
        fresh = bool(done)
        while waiting:
            refused: list[tuple[ReviewItem, WriteBackError]] = []
            for item in waiting:
                error = await self._item(run, item)
                if error is None:
                    fresh = True
                elif error.status == HTTPStatus.BAD_REQUEST:
                    refused.append((item, error))
                else:
                    await self._step.fail(run.order_id, run.attempt, item, error)
            if not fresh:
                for item, error in refused:
                    await self._step.fail(run.order_id, run.attempt, item, error)
                return
            waiting, fresh = [item for item, _ in refused], False

    # One seat ------------------------------------------------------------------------------------------------------

    async def _item(self, run: _Run, item: ReviewItem) -> WriteBackError | None:
        """Take one seat as far as it goes now; return what Microsoft said if it refused for good."""
        look = await self._live.at(run.campaign, item)
        known = await self._loaded.ask(run.order_id)
        if any(step.state is StepState.INTENDED for step in steps_of(known.order, item.id)):
            await self._resolve_intents(run, item, look)
            known = await self._loaded.ask(run.order_id)
        ours = explained(known.written, item, self._clock.now())
        wrote = any(step.state is StepState.WRITTEN for step in steps_of(known.order, item.id))
        seat = look.seat(item.product_id)
        if wrote and not _left(seat, ours):
            # All is written; what the person does now cannot stop it, so it must not be called kept either.
            await self._read_back(run, item)
            return None
        decision = judge(run.campaign, item, look, ours=ours, now=self._clock.now(), policy=self._policy)
        if isinstance(decision, Stop):
            facts: dict[str, Fact] = {"exclusion": decision.exclusion} if decision.exclusion else {}
            await self._end(run, item, decision.outcome, decision.reason, look, facts)
            return None
        if stricter(run.campaign.mode, self._policy.writes) is WriteMode.DRY_RUN:
            if wrote:
                await self._read_back(run, item)
            else:
                await self._end(run, item, Outcome.DRY_RUN, "would_be_removed", look)
            return None
        ids = {step.id for step in known.written}
        for step in decision.steps:
            # A seat is freed whole or not at all: after a refusal nothing more of it is written.
            refused = await self._step.write(run.order_id, run.attempt, [Wanted(item, step, look)], known=ids)
            if refused is not None:
                return refused
        await self._read_back(run, item)
        return None

    async def _resolve_intents(self, run: _Run, item: ReviewItem, look: Look) -> None:
        """Find out whether calls without an answer landed: a crash or a lost answer leaves a step `intended`."""
        async with self._work.write() as work:
            order = await get_order(work, run.order_id)
            changed = [
                self._resolved(step, look) for step in steps_of(order, item.id) if step.state is StepState.INTENDED
            ]
            if run.is_over(order) or not changed:
                return
            await work.orders.save(with_steps(order, changed))
            await work.events.append(
                *(
                    self._attest.event(
                        EventKind.REMOVAL_WRITTEN if step.state is StepState.WRITTEN else EventKind.REMOVAL_FAILED,
                        actor=SYSTEM,
                        campaign=item.campaign_id,
                        item=item.id,
                        facts={"step": step.id, "found_by": "read", "client_request_id": step.client_request_id},
                    )
                    for step in changed
                )
            )
            await work.commit()

    def _resolved(self, step: RemovalStep, look: Look) -> RemovalStep:
        seat = look.seat(step.product_id)
        if look.person is None:
            landed = False  # the account is gone with all it had: nobody can say that this was our doing
        elif step.step.kind is StepKind.DIRECT:
            landed = seat is None or all(path.group_id is not None for path in seat.paths)
        else:
            landed = GroupId(step.step.ref) not in look.person.direct_group_ids
        if landed:
            return replace(step, state=StepState.WRITTEN, written_at=self._clock.now(), maybe_written=False, error=None)
        return replace(step, state=StepState.PLANNED, maybe_written=False, error=DID_NOT_LAND)

    async def _load(self, asked: Sequence[OrderId]) -> dict[OrderId, _Loaded | Exception]:
        async with self._work.read() as work:
            orders = await work.orders.get_many(asked)
            campaigns = await work.campaigns.get_many({order.campaign_id for order in orders.values()})
            items = await work.items.get_many({step.item_id for order in orders.values() for step in order.steps})
            written = await work.orders.written_steps({order.person_id for order in orders.values()})
        found: dict[OrderId, _Loaded | Exception] = dict.fromkeys(asked, NotFound("There is no such removal order."))
        for order in orders.values():
            theirs = [items[step] for step in dict.fromkeys(step.item_id for step in order.steps) if step in items]
            found[order.id] = _Loaded(order, campaigns.get(order.campaign_id), theirs, written[order.person_id])
        return found

    # What came of it -------------------------------------------------------------------------------------------------

    async def _read_back(self, run: _Run, item: ReviewItem) -> None:
        """Read the seat. What is not gone yet, or cannot be read now, waits for its verification.

        With the last seat of an order the order ends, in the same transaction: nearly every order has one seat.
        """
        try:
            back = await self._writer.read_back(item.person_id, item.product_id)
        except PortError as error:
            log.warning("a removal could not be read back", order=run.order_id, item=item.id, why=error.code)
            back = None
        run.ended = await self._seen.ask(_Seen(run, item.id, back))

    async def _store_seen(self, seen: Sequence[_Seen]) -> dict[_Seen, bool | Exception]:
        """Return of each whether its order has ended with it."""
        async with self._work.write() as work:
            now = self._clock.now()
            orders = await work.orders.get_many((one.run.order_id for one in seen), hold=True)
            items = await work.items.get_many(step.item_id for order in orders.values() for step in order.steps)
            endings: list[Ending] = []
            waiting: list[ReviewItem] = []
            read: list[RemovalOrder] = []
            for one in seen:
                order, item = orders[one.run.order_id], items[one.item_id]
                if one.run.is_over(order) or item.outcome is not None:
                    continue
                mine = steps_of(order, item.id)
                if one.back is not None and one.back.seat is None:
                    outcome = Outcome.REMOVED if taken_by_us(mine) else Outcome.ALREADY_ABSENT
                    endings.append(Ending(item, outcome, "read_back", {"request_id": one.back.request_id}))
                elif item.waiting is not Waiting.PENDING_VERIFICATION:
                    waiting.append(replace(item, waiting=Waiting.PENDING_VERIFICATION, version=item.version + 1))
                if one.back is not None:
                    read.append(with_steps(order, _as_read(mine, one.back, now)))
            ended = {item.id for item in await end_items(work, self._attest, endings, now=now)}
            ended |= {item.id for item in items.values() if item.outcome is not None}
            await work.items.save_progress(waiting)
            over = {order.id for order in read if all(step.item_id in ended for step in order.steps)}
            await work.orders.save(*(_done(order) if order.id in over else order for order in read))
            for campaign in {orders[order].campaign_id for order in over}:
                await close_if_settled(work, self._attest, campaign, now=now)
            await work.commit()
        return {one: one.run.order_id in over for one in seen}

    async def _end(
        self,
        run: _Run,
        item: ReviewItem,
        outcome: Outcome,
        reason: str,
        look: Look,
        facts: dict[str, Fact] | None = None,
    ) -> None:
        """End an item that is not written, or not written any further."""
        async with self._work.write() as work:
            order = await get_order(work, run.order_id)
            if run.is_over(order):
                return
            now = self._clock.now()
            seat = look.seat(item.product_id)
            mine = steps_of(order, item.id)
            if outcome is Outcome.ALREADY_ABSENT and taken_by_us(mine):
                outcome = Outcome.REMOVED  # written before a retry, and gone since
            changed: list[RemovalStep] = []
            for step in mine:
                if step.state is StepState.WRITTEN and _is_gone(step.step, seat):
                    changed.append(replace(step, state=StepState.VERIFIED, verified_at=now, after=paths_json(seat)))
                elif step.state is StepState.PLANNED:
                    changed.append(replace(step, state=StepState.SKIPPED, after=paths_json(seat)))
            await end_item(work, self._attest, item, outcome, reason, now=now, facts=facts)
            await work.orders.save(with_steps(order, changed))
            await work.commit()

    # The order -------------------------------------------------------------------------------------------------------

    async def _finish(self, run: _Run) -> None:
        """Decide what the order waits for: nothing, or the time of its next check."""
        if run.ended:
            return
        async with self._work.write() as work:
            order = await get_order(work, run.order_id)
            if run.is_over(order):
                return
            await self._to_end(work, order, self._clock.now())
            await work.commit()

    async def _to_end(self, work: UnitOfWork, order: RemovalOrder, now: datetime) -> None:
        """Store the order as done, or as waiting for verification; close the campaign if this was the last one."""
        order = replace(order, version=order.version + 1)
        if all(item.outcome is not None for item in await items_of(work, order)):
            ended = _done(order)
        else:
            ended = replace(
                order,
                state=OrderState.VERIFYING,
                not_before=now + FIRST_CHECK,
                attempt=order.attempt + 1,
                checks=0,
            )
        await work.orders.save(ended)
        await close_if_settled(work, self._attest, order.campaign_id, now=now)

    async def _postpone(self, run: _Run, later: Later) -> None:
        if later.why == OVERTAKEN:
            return
        if later.why == FROZEN:
            await self._freeze(run)
            return
        async with self._work.write() as work:
            order = await get_order(work, run.order_id)
            if run.is_over(order):
                return
            now = self._clock.now()
            tries = order.checks + 1 if later.counts else order.checks
            if later.why == WAITS_FOR_SYNC:
                waiting = replace(order, state=OrderState.QUEUED, not_before=None, checks=0)
            elif tries >= MAX_TRIES and not any(step.maybe_written for step in order.steps):
                await self._give_up(work, order, later.why, now)
                await work.commit()
                return
            else:
                backoff = min(FIRST_RETRY * 2 ** min(tries - 1, 10), LONGEST_RETRY) if later.counts else FIRST_RETRY
                wait = max(later.wait or timedelta(0), backoff)
                waiting = replace(order, not_before=now + wait, checks=tries)
            await work.orders.save(replace(waiting, attempt=order.attempt + 1, version=order.version + 1))
            await work.commit()
        log.info("a removal waits", order=run.order_id, why=later.why)

    async def _give_up(self, work: UnitOfWork, order: RemovalOrder, why: str, now: datetime) -> None:
        """After the last try the seats stay, visibly failed; `/reclaim retry` starts again. What is written is verified."""
        changed: list[RemovalStep] = []
        for item in await items_of(work, order):
            mine = steps_of(order, item.id)
            if item.outcome is not None or any(step.state is StepState.WRITTEN for step in mine):
                continue
            await end_item(work, self._attest, item, Outcome.FAILED, why, now=now)
            changed += [
                replace(step, state=StepState.FAILED, error=why) for step in mine if step.state is StepState.PLANNED
            ]
        await self._to_end(work, replace(with_steps(order, changed), version=order.version), now)

    async def _freeze(self, run: _Run) -> None:
        async with self._work.write() as work:
            order = await get_order(work, run.order_id)
            if run.is_over(order):
                return
            for item in await items_of(work, order):
                if item.waiting is not Waiting.PENDING_VERIFICATION:
                    await wait_item(work, item, Waiting.FROZEN)
            await work.orders.save(
                replace(
                    order,
                    state=OrderState.FROZEN,
                    not_before=None,
                    attempt=order.attempt + 1,
                    version=order.version + 1,
                )
            )
            await work.commit()


async def _all(lanes: Sequence[Coroutine[Any, Any, Exception | None]]) -> list[Exception | None]:
    """Run all side by side; if one is ended from outside, so are the others."""
    tasks = [asyncio.create_task(lane) for lane in lanes]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _done(order: RemovalOrder) -> RemovalOrder:
    return replace(order, state=OrderState.DONE, not_before=None, attempt=order.attempt + 1, checks=0)


def _as_read(steps: Sequence[RemovalStep], back: ReadBack, now: datetime) -> list[RemovalStep]:
    """Return what is written of these steps, with what was read after it."""
    after = paths_json(back.seat)
    read = [replace(step, after=after) for step in steps if step.state is StepState.WRITTEN]
    return [replace(step, state=StepState.VERIFIED, verified_at=now) for step in read] if back.seat is None else read


def _left(seat: Seat | None, ours: frozenset[PlanStep]) -> bool:
    """Whether the seat has a path that no step of ours has taken."""
    steps = [] if seat is None else [_step_of(seat, path.group_id) for path in seat.paths]
    return any(step not in ours for step in steps)


def _is_gone(step: PlanStep, seat: Seat | None) -> bool:
    return seat is None or all(_step_of(seat, path.group_id) != step for path in seat.paths)


def _step_of(seat: Seat, group: GroupId | None) -> PlanStep:
    return PlanStep(StepKind.DIRECT, seat.product_id) if group is None else PlanStep(StepKind.LEAVE_GROUP, group)
