"""The second look at one seat (rule 5): what was approved against a live read, and which of its changes are our doing."""

from collections.abc import Iterable, Set
from datetime import datetime

from reclaim.domain.campaign import Campaign
from reclaim.domain.orders import RemovalStep, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Approved, PlanStep, Proceed, Stop, look_again
from reclaim.domain.review import ReviewItem
from reclaim.services.live_look import Look
from reclaim.services.settle import TAKES_EFFECT_WITHIN


def judge(
    campaign: Campaign, item: ReviewItem, look: Look, *, ours: Set[PlanStep], now: datetime, policy: Policy
) -> Proceed | Stop:
    """Say whether the seat may still be taken.

    Args:
        ours: Steps whose effect is our doing, or is about to be.
    """
    approved = Approved(
        seat_id=item.seat_id,
        rule=item.rule,
        days=campaign.scope.days,
        paths=item.snapshot.paths,
        plan=item.plan,
        accepts_loss=item.accepts_loss,
    )
    return look_again(
        approved,
        look.person,
        now=now,
        data_as_of=look.data_as_of,
        skus=look.skus,
        groups=look.groups,
        ours=frozenset(ours),
        never_seen_since=policy.never_seen_since,
        exclusions=look.exclusions,
        listed=look.listed,
        use=look.use,
        purpose=look.purpose,
    )


def explained(known: Iterable[RemovalStep], item: ReviewItem, now: datetime) -> frozenset[PlanStep]:
    """Return the steps whose effect is our doing, whether or not a read shows it yet.

    A call of another order that may be on its way counts as well: the seat that it takes saves no mailbox. After some
    days a step explains nothing any more: what it took may have been given again.
    """
    since = now - TAKES_EFFECT_WITHIN
    return frozenset(
        step.step
        for step in known
        if (step.state is StepState.WRITTEN and step.written_at is not None and step.written_at >= since)
        or (step.maybe_written and step.item_id != item.id)
    )
