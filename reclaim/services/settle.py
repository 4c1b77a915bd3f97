"""What write-back and verification share: ending an item, closing the campaign when all is settled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.campaign import CampaignState
from reclaim.domain.directory import Path, Seat
from reclaim.domain.ids import CampaignId, ItemId, OrderId
from reclaim.domain.orders import RemovalOrder, RemovalStep
from reclaim.domain.removal import Outcome
from reclaim.domain.review import ReviewItem, Waiting
from reclaim.errors import NotFound
from reclaim.ports.storage import UnitOfWork
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import owner_job, receipts_job, tell_job

ALREADY_ABSENT: Final = "already_absent"  # a step's `error` where Microsoft said that there was nothing to remove

# Group removals take up to 24 h for large groups (graph.md trap 4). After three days somebody must look, and what we wrote
# no longer explains what a read shows.
TAKES_EFFECT_WITHIN = timedelta(days=3)


class Later(Exception):
    """A removal goes on at another time: the outside failed, or writes are not allowed now.

    Attributes:
        wait: At least so long, where that is known.
        counts: Whether it is a failed try, of which there are only so many.
    """

    def __init__(self, why: str, wait: timedelta | None = None, *, counts: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait
        self.counts = counts


def paths_json(seat: Seat | None) -> str:
    """Return a seat's paths as canonical JSON: what undo gives back, and what an auditor compares. "[]" for no seat."""

    def one(path: Path) -> dict[str, object]:
        return {
            "group": path.group_id,
            "state": path.state,
            "disabled_plans": sorted(path.disabled_plans),
            "updated_at": path.updated_at.isoformat() if path.updated_at else None,
        }

    paths = sorted(seat.paths, key=lambda path: path.group_id or "") if seat else []
    return json.dumps([one(path) for path in paths], sort_keys=True, separators=(",", ":"))


def plans_off(before: str | None) -> tuple[str, ...]:
    """Return the service plans that were off on the direct path, from what `paths_json` wrote before the removal."""
    paths = json.loads(before or "[]")
    return next((tuple(path["disabled_plans"]) for path in paths if path["group"] is None), ())


@dataclass(frozen=True, slots=True)
class Ending:
    """How an item ends, with what is known of it besides."""

    item: ReviewItem
    outcome: Outcome
    reason: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def at(self, now: datetime) -> ReviewItem:
        """Return the item with its outcome."""
        verified = self.outcome in (Outcome.REMOVED, Outcome.ALREADY_ABSENT, Outcome.MANUAL_DONE)
        return replace(
            self.item,
            outcome=self.outcome,
            outcome_reason=self.reason,
            outcome_at=now,
            verified_at=now if verified else None,
            waiting=None,
            version=self.item.version + 1,
        )


async def end_item(
    work: UnitOfWork,
    attest: Attestor,
    item: ReviewItem,
    outcome: Outcome,
    reason: str,
    *,
    now: datetime,
    actor: str = SYSTEM,
    facts: dict[str, Fact] | None = None,
) -> ReviewItem:
    """Give the item its outcome, as `end_items`."""
    (ended,) = await end_items(work, attest, [Ending(item, outcome, reason, facts or {})], now=now, actor=actor)
    return ended


async def end_items(
    work: UnitOfWork, attest: Attestor, endings: Sequence[Ending], *, now: datetime, actor: str = SYSTEM
) -> list[ReviewItem]:
    """Give items their outcomes and attest them; a holder whose seat is verified gone is told."""
    ended = [one.at(now) for one in endings]
    await work.items.save_progress(ended)
    facts = [one.facts for one in endings]
    await work.events.append(
        *(ending(attest, item, actor=actor, facts=known) for item, known in zip(ended, facts, strict=True))
    )
    gone: dict[CampaignId, list[ReviewItem]] = {}
    for item in ended:
        if item.outcome is Outcome.REMOVED:
            gone.setdefault(item.campaign_id, []).append(item)
    for campaign, items in gone.items():
        people = list(dict.fromkeys(item.person_id for item in items))
        await work.enqueue(receipts_job(campaign, people, f"{items[0].id}-{items[0].version}"))
    return ended


def ending(
    attest: Attestor, ended: ReviewItem, *, actor: str = SYSTEM, facts: Mapping[str, Fact] | None = None
) -> Event:
    """Return the event of an item that has its outcome."""
    outcome = ended.outcome
    return attest.event(
        EventKind.REMOVAL_VERIFIED if outcome is Outcome.REMOVED else EventKind.ITEM_ENDED,
        actor=actor,
        campaign=ended.campaign_id,
        item=ended.id,
        facts={"outcome": outcome.value if outcome else None, "reason": ended.outcome_reason, **(facts or {})},
    )


async def wait_item(work: UnitOfWork, item: ReviewItem, waiting: Waiting) -> None:
    """Say why the item waits, if that is news."""
    if item.waiting is not waiting and item.outcome is None:
        await work.items.save(replace(item, waiting=waiting, version=item.version + 1))


async def items_of(work: UnitOfWork, order: RemovalOrder) -> list[ReviewItem]:
    """Return the order's items in the order of its steps."""
    found = await work.items.get_many({step.item_id for step in order.steps})
    return [found[item] for item in dict.fromkeys(step.item_id for step in order.steps) if item in found]


async def get_order(work: UnitOfWork, order_id: OrderId) -> RemovalOrder:
    """Return an order that must be there."""
    order = await work.orders.get(order_id)
    if order is None:
        raise NotFound("There is no such removal order.")
    return order


def with_steps(order: RemovalOrder, changed: Sequence[RemovalStep]) -> RemovalOrder:
    """Return the order with these steps in place of their earlier state, one version on."""
    by_id = {step.id: step for step in changed}
    return replace(order, steps=tuple(by_id.get(step.id, step) for step in order.steps), version=order.version + 1)


def steps_of(order: RemovalOrder, item: ItemId) -> list[RemovalStep]:
    """Return the steps of one item."""
    return [step for step in order.steps if step.item_id == item]


def taken_by_us(steps: Sequence[RemovalStep]) -> bool:
    """Whether one of these steps took something away, by Microsoft's word; only then a seat that is gone is reclaimed."""
    return any(step.written_at is not None and step.error != ALREADY_ABSENT for step in steps)


async def close_if_settled(work: UnitOfWork, attest: Attestor, campaign_id: CampaignId, *, now: datetime) -> bool:
    """Close the campaign once every item has an outcome; tell its owner and its reviewers."""
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None or campaign.state is not CampaignState.APPLYING:
        return False
    if await work.items.any_left(campaign_id):
        return False
    closed = replace(campaign.to(CampaignState.CLOSED), closed_at=now)
    await work.campaigns.save(closed)
    facts: dict[str, Fact] = {}
    for figure in await work.items.figures(campaign_id):
        if figure.outcome is not None:
            facts[figure.outcome.value] = int(facts.get(figure.outcome.value) or 0) + figure.items
    await work.events.append(attest.event(EventKind.CAMPAIGN_CLOSED, actor=SYSTEM, campaign=campaign_id, facts=facts))
    await work.enqueue(owner_job(campaign_id, f"closed-{closed.version}"))
    await work.enqueue(tell_job(campaign_id, f"settled-{closed.version}"))
    return True
