"""One call: the intent is stored, then the call is made, then its answer is stored. Nothing here decides what to write."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.exclusions import Exclusion, ExclusionId, strongest
from reclaim.domain.ids import CampaignId, GroupId, ItemId, OrderId, PersonId, ProductId, StepId
from reclaim.domain.orders import DID_NOT_LAND, RemovalOrder, RemovalStep, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Outcome, PlanStep, StepKind
from reclaim.domain.review import ReviewItem
from reclaim.errors import NotFound, WriteBackError
from reclaim.ports.directory import SeatWriter, WriteResult
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.listing import in_groups, listed_many
from reclaim.services.live_look import Look, idle_window
from reclaim.services.one_write import given_or_moved, in_flight
from reclaim.services.settle import ALREADY_ABSENT, Later, end_item, get_order, paths_json, steps_of, with_steps
from reclaim.together import MOST_WRITES, Together

FROZEN = "frozen"
OVERTAKEN = "overtaken"
HOURLY_WAIT = timedelta(minutes=10)
OTHER_REMOVAL_WAIT = timedelta(minutes=1)

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


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A call that is to be made for an order; see `WriteStep.write`."""

    order_id: OrderId
    attempt: int
    wanted: Sequence[Wanted]
    known: Collection[StepId]


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What Microsoft said to a call."""

    order_id: OrderId
    intended: Sequence[_Intended]
    result: WriteResult


@dataclass(slots=True)
class _Facts:
    """What is known in the transaction that stores intents.

    Attributes:
        room: How many writes the limit of this hour leaves.
        steps: Of each person, what was or may have been written, with the intents that this transaction has stored so far.
    """

    now: datetime
    orders: dict[OrderId, RemovalOrder]
    campaigns: Mapping[CampaignId, Campaign]
    frozen: bool
    room: int
    steps: dict[PersonId, list[RemovalStep]]
    ended: Mapping[PersonId, Mapping[ItemId, Outcome]]
    moving: Collection[PersonId]
    exclusions: Sequence[Exclusion]
    listed: Mapping[tuple[PersonId, int], frozenset[ExclusionId]]


class WriteStep:
    """Makes one call of one order. It never repeats a call: who asks reads first.

    Intents of several orders are stored in one transaction, and so are the answers.
    """

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, writer: SeatWriter) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._writer = writer
        self._attest = Attestor(clock=clock, tokens=tokens)
        self._intents: Together[_Call, Sequence[_Intended]] = Together(self._intend_all, most=MOST_WRITES)
        self._answers: Together[_Answer, None] = Together(self._store_answers, most=MOST_WRITES)

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
        intended = await self._intents.ask(_Call(order_id, attempt, wanted, known))
        if not intended:
            return None
        try:
            result = await self._call(intended)
        except WriteBackError as error:
            await self._failed(order_id, intended, error)
            return error
        await self._answers.ask(_Answer(order_id, intended, result))
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

    async def _intend_all(self, calls: Sequence[_Call]) -> dict[_Call, Sequence[_Intended] | Exception]:
        """Commit the intents: what is about to be called, under which request ids, and what was there before."""
        found: dict[_Call, Sequence[_Intended] | Exception] = {}
        async with self._work.write() as work:
            facts = await self._facts(work, calls)
            for call in calls:
                try:
                    found[call] = self._intend(call, facts)
                except (Later, NotFound) as error:
                    found[call] = error
            stored = {call.order_id: one for call, one in found.items() if not isinstance(one, Exception) and one}
            if stored:
                await work.orders.save(
                    *(with_steps(facts.orders[order], [one.step for one in made]) for order, made in stored.items())
                )
                await work.events.append(*(self._intent(one) for made in stored.values() for one in made))
                await work.commit()
        return found

    async def _facts(self, work: UnitOfWork, calls: Sequence[_Call]) -> _Facts:
        orders = await work.orders.get_many((call.order_id for call in calls), hold=True)
        people = {order.person_id for order in orders.values()}
        await work.orders.hold_people(people)
        now = self._clock.now()
        campaigns = await work.campaigns.get_many({order.campaign_id for order in orders.values()})
        exclusions = await work.exclusions.counting(now)
        by_list: dict[tuple[PersonId, int], frozenset[ExclusionId]] = {}
        for days in {idle_window(campaign, self._policy) for campaign in campaigns.values()}:
            found = await listed_many(work, sorted(people), exclusions, days=days, now=now)
            by_list |= {(person, days): lists for person, lists in found.items()}
        written = await work.orders.written_since(now - timedelta(hours=1))
        return _Facts(
            now=now,
            orders=orders,
            campaigns=campaigns,
            frozen=await work.controls.freeze() is not None,
            room=self._policy.limits.hard_per_hour - written,
            steps=await work.orders.written_steps(people),
            ended=await work.items.ended(people),
            moving=await given_or_moved(work, people),
            exclusions=exclusions,
            listed=by_list,
        )

    def _intend(self, call: _Call, facts: _Facts) -> Sequence[_Intended]:
        """Return what may be called now, once that is stored.

        Raises:
            Later: Nothing may.
            NotFound: There is no such order.
        """
        order, now = facts.orders.get(call.order_id), facts.now
        if order is None:
            raise NotFound("There is no such removal order.")
        campaign = facts.campaigns.get(order.campaign_id)
        if order.attempt != call.attempt:
            raise Later(OVERTAKEN)
        if facts.frozen or campaign is None or campaign.state is not CampaignState.APPLYING:
            raise Later(FROZEN)
        if now < campaign.shown_close_at:
            raise Later("before_shown_close", campaign.shown_close_at - now, counts=False)
        if facts.room <= 0:
            raise Later("hourly_limit", HOURLY_WAIT, counts=False)
        steps = facts.steps[order.person_id]
        in_the_way = any(in_flight(step, now) for step in steps if step.order_id != order.id)
        if in_the_way or order.person_id in facts.moving:
            raise Later("other_write", OTHER_REMOVAL_WAIT, counts=False)
        request_id = as_guid(self._tokens.new_id())
        found: list[_Intended] = []
        for one in call.wanted[: facts.room]:
            if _sees_too_little(one, facts, call.known):
                raise Later("other_removal", OTHER_REMOVAL_WAIT, counts=False)
            if _is_excluded(one, facts, idle_window(campaign, self._policy)):
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
        facts.room -= len(found)
        facts.steps[order.person_id] = [*steps, *(one.step for one in found)]
        return found

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

    async def _call(self, intended: Sequence[_Intended]) -> WriteResult:
        item, step = intended[0].item, intended[0].step
        request_id = step.client_request_id or ""
        if step.step.kind is StepKind.DIRECT:
            products = [ProductId(one.step.step.ref) for one in intended]
            return await self._writer.remove_direct(item.person_id, *products, client_request_id=request_id)
        return await self._writer.leave_group(item.person_id, GroupId(step.step.ref), client_request_id=request_id)

    async def _store_answers(self, answers: Sequence[_Answer]) -> dict[_Answer, Exception | None]:
        async with self._work.write() as work:
            orders = await work.orders.get_many((answer.order_id for answer in answers), hold=True)
            await work.orders.save(*(with_steps(orders[answer.order_id], self._written(answer)) for answer in answers))
            await work.events.append(
                *(
                    self._attest.event(
                        EventKind.REMOVAL_WRITTEN,
                        actor=SYSTEM,
                        campaign=one.item.campaign_id,
                        item=one.item.id,
                        facts={
                            "step": one.step.id,
                            "status": answer.result.status,
                            "request_id": answer.result.request_id,
                            "already_absent": answer.result.already_absent,
                        },
                    )
                    for answer in answers
                    for one in answer.intended
                )
            )
            await work.commit()
        return dict.fromkeys(answers)

    def _written(self, answer: _Answer) -> list[RemovalStep]:
        absent = answer.result.already_absent
        return [
            replace(
                one.step,
                state=StepState.WRITTEN,
                request_id=answer.result.request_id,
                written_at=self._clock.now(),
                maybe_written=False,
                # A call of ours that seemed not to have landed may be why there is nothing left: reads lag behind.
                error=ALREADY_ABSENT if absent and one.step.error != DID_NOT_LAND else None,
            )
            for one in answer.intended
        ]

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
            if error.plan_needs:
                await work.catalog.learn_needs(error.plan_needs, at=self._clock.now())
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


def _sees_too_little(one: Wanted, facts: _Facts, known: Collection[StepId]) -> bool:
    """Whether something else was taken from this person since the look.

    Two campaigns may each remove one of a person's two mailboxes, and each look saw the other one still there.
    """
    person, mine = one.item.person_id, one.item.id
    others = [step.id for step in facts.steps[person] if step.item_id != mine]
    removed = [item for item, outcome in facts.ended[person].items() if outcome is Outcome.REMOVED]
    return any(step not in known for step in others) or any(item not in one.look.ended for item in removed)


def _is_excluded(one: Wanted, facts: _Facts, days: int) -> bool:
    """Whether a seat is left out, by our lists and by what Microsoft said of the person just now."""
    live = one.look.person
    if live is None:
        return False
    lists = facts.listed.get((live.person.id, days), frozenset()) | in_groups(live, facts.exclusions)
    return strongest(facts.exclusions, live.person, one.item.product_id, facts.now, lists) is not None


async def take_turn(writer: SeatWriter, *, clicked: bool) -> None:
    """Wait until the write budget has room; before the intent is stored, so that nothing waits in between.

    Raises:
        Later: That takes too long to wait for.
    """
    try:
        await writer.turn(clicked=clicked)
    except WriteBackError as error:
        raise Later("write_budget", error.retry_after, counts=False) from error


def as_guid(token: str) -> str:
    """Microsoft Graph expects a client-request-id in the form of a GUID."""
    return f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:32]}"
