"""Several direct licenses of one person in one call: assignLicense takes them all, or none of them.

One write instead of several, and a product whose plans need those of another one may leave together with it, where it could
not stay behind (Microsoft Graph docs, user-assignlicense). What Microsoft refuses so is tried seat by seat afterwards.
"""

from collections.abc import Sequence

from reclaim.domain.campaign import Campaign
from reclaim.domain.ids import ItemId, OrderId, StepId
from reclaim.domain.orders import RemovalOrder, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.removal import PlanStep, Proceed, StepKind
from reclaim.domain.review import ReviewItem
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock
from reclaim.services.live_look import LiveLook
from reclaim.services.second_look import explained, judge
from reclaim.services.settle import get_order, steps_of
from reclaim.services.write_step import Wanted, WriteStep


class WriteTogether:
    """Makes the one call that several seats of an order have in common."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy, live: LiveLook, step: WriteStep) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._live = live
        self._step = step

    async def write(
        self, campaign: Campaign, order_id: OrderId, attempt: int, items: Sequence[ReviewItem]
    ) -> frozenset[ItemId]:
        """Write the direct steps of those seats that the second look still lets go, if they are two or more.

        Returns:
            The seats of which nothing is left to write. All others are as they were, or have a step left.

        Raises:
            Later: As `WriteStep.write`, or the directory could not be looked at.
        """
        async with self._work.read() as work:
            order = await get_order(work, order_id)
        if any(step.state is StepState.INTENDED for step in order.steps):
            return frozenset()  # whether that call landed is found out first, seat by seat
        candidates = [item for item in items if _direct(order, item) is not None]
        if len(candidates) < 2:
            return frozenset()
        wanted: list[Wanted] = []
        whole: set[ItemId] = set()
        known: frozenset[StepId] | None = None
        for item in candidates:
            look = await self._live.at(campaign, item)
            async with self._work.read() as work:
                steps = (await work.orders.written_steps([item.person_id]))[item.person_id]
            now = self._clock.now()
            seen = frozenset(step.id for step in steps)
            known = seen if known is None else known & seen
            # A seat that goes with this call saves no mailbox either.
            ours = explained(steps, item, now) | {one.plan for one in wanted}
            decision = judge(campaign, item, look, ours=ours, now=now, policy=self._policy)
            direct = _direct(order, item)
            if direct is None or not isinstance(decision, Proceed) or direct not in decision.steps:
                continue
            wanted.append(Wanted(item, direct, look))
            if decision.steps == (direct,):
                whole.add(item.id)
        if len(wanted) < 2:
            return frozenset()
        refused = await self._step.write(order_id, attempt, wanted, known=known or frozenset())
        if refused is not None:
            return frozenset()
        async with self._work.read() as work:
            order = await get_order(work, order_id)
        return frozenset(
            item for item in whole if any(step.state is StepState.WRITTEN for step in steps_of(order, item))
        )


def _direct(order: RemovalOrder, item: ReviewItem) -> PlanStep | None:
    """Return the direct step of a seat of which nothing has been written yet."""
    mine = steps_of(order, item.id)
    if any(step.state is not StepState.PLANNED for step in mine):
        return None
    return next((step.step for step in mine if step.step.kind is StepKind.DIRECT), None)
