"""What reclaiming seats is worth, stage by stage, and when money is really saved.

A seat that is verified gone is free, and still paid for: the order must be made smaller when it renews. So a saving is
realised only once `prepaidUnits.enabled` has fallen at or after a renewal that followed the removal, and never for more
seats than were verified gone. All is kept per currency and never added across currencies.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise

from reclaim.domain.calendar import local_day
from reclaim.domain.ids import CampaignId, ItemId, ProductId
from reclaim.domain.money import Money, Total
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.review import Choice, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Seats that came so far, and what they cost a month."""

    seats: int = 0
    monthly: Total = field(default_factory=Total)

    def plus(self, other: "Stage") -> "Stage":
        """Return both together, currency by currency."""
        return Stage(seats=self.seats + other.seats, monthly=self.monthly.plus(other.monthly))


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """The stages of a saving, each a part of the one before, but for the last.

    Attributes:
        potential: Asked about.
        decided: To be removed: revoked, or put to removal by the campaign's rule for silence.
        removed: Taken away, seen to be gone or not yet; what a person took counts once it is seen to be gone.
        verified: Read back and not found.
        by_hand: Of the verified, those that a person took, because Reclaim may not or could not; the others are ours.
        realised: Of the verified, those by which the order has become smaller at or after its renewal.
        reversed: Of the verified, those that were given back or given again; they save nothing any more.
    """

    potential: Stage = Stage()
    decided: Stage = Stage()
    removed: Stage = Stage()
    verified: Stage = Stage()
    by_hand: Stage = Stage()
    realised: Stage = Stage()
    reversed: Stage = Stage()

    def plus(self, other: "Savings") -> "Savings":
        """Return both together, stage by stage."""
        return Savings(
            potential=self.potential.plus(other.potential),
            decided=self.decided.plus(other.decided),
            removed=self.removed.plus(other.removed),
            verified=self.verified.plus(other.verified),
            by_hand=self.by_hand.plus(other.by_hand),
            realised=self.realised.plus(other.realised),
            reversed=self.reversed.plus(other.reversed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatGroup:
    """Seats of campaigns that stand alike: `monthly` is what they cost together."""

    outcome: Outcome | None
    choice: Choice | None
    waiting: Waiting | None
    not_sure: bool
    seats: int
    monthly: Total


def savings_of(groups: Iterable[SeatGroup], *, realised: Stage = Stage(), reversed_: Stage = Stage()) -> Savings:
    """Return the stages of some seats; what was realised and reversed is known elsewhere."""
    found = Savings(realised=realised, reversed=reversed_)
    for group in groups:
        stage = Stage(seats=group.seats, monthly=group.monthly)
        found = replace(found, potential=found.potential.plus(stage))
        if _is_decided(group):
            found = replace(found, decided=found.decided.plus(stage))
        if group.outcome in VERIFIED_GONE or (group.outcome is None and group.waiting is Waiting.PENDING_VERIFICATION):
            found = replace(found, removed=found.removed.plus(stage))
        if group.outcome in VERIFIED_GONE:
            found = replace(found, verified=found.verified.plus(stage))
        if group.outcome is Outcome.MANUAL_DONE:
            found = replace(found, by_hand=found.by_hand.plus(stage))
    return found


def _is_decided(group: SeatGroup) -> bool:
    by_silence = group.waiting is not None or group.outcome not in (None, Outcome.KEPT)
    return group.choice is Choice.REVOKE or (group.choice is None and not group.not_sure and by_silence)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSeat:
    """A seat that was taken away because of a campaign and seen to be gone.

    Attributes:
        reversed_at: When it was given back or given again, None while it is gone.
    """

    item_id: ItemId
    campaign_id: CampaignId
    product_id: ProductId
    verified_at: datetime
    monthly: Money | None = None
    reversed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChange:
    """`prepaidUnits.enabled` of a product as first read at `at`; the first one is where our record begins."""

    product_id: ProductId
    at: datetime
    enabled: int


def realise(
    seats: Sequence[VerifiedSeat],
    pool: Sequence[PoolChange],
    renewals: Iterable[date],
    zone: str,
) -> dict[ItemId, datetime]:
    """Return which seats of one product are realised now, and when.

    Each unit by which the pool fell realises the earliest verified seat that was gone before a renewal at or before the fall.
    A pool that grows again takes the latest of these back: those seats were bought anew. A reversed seat realises nothing.

    Args:
        seats: Verified seats of the product, over all campaigns.
        pool: Its changes, the earliest first.
        renewals: Every day on which its contract renewed or will.
        zone: The installation's, for the day of an instant.
    """
    days = sorted(renewals)
    left = sorted(
        (one for one in seats if one.reversed_at is None), key=lambda one: (one.verified_at, one.item_id), reverse=True
    )
    done: list[tuple[VerifiedSeat, datetime]] = []
    for before, after in pairwise(pool):
        for _ in range(max(0, after.enabled - before.enabled)):
            if done:
                left.append(done.pop()[0])
        for _ in range(max(0, before.enabled - after.enabled)):
            if not left or not _renewed_between(left[-1].verified_at, after.at, days, zone):
                break
            done.append((left.pop(), after.at))
    return {seat.item_id: at for seat, at in done}


def _renewed_between(since: datetime, until: datetime, days: Sequence[date], zone: str) -> bool:
    first, last = local_day(since, zone), local_day(until, zone)
    return any(first <= day <= last for day in days)


def reducible(reclaimed: Mapping[ProductId, int], unassigned: Mapping[ProductId, int]) -> dict[ProductId, int]:
    """Return by how many seats each order can be made smaller: verified gone, not realised yet, and held by nobody.

    Args:
        reclaimed: Seats verified gone, neither realised nor reversed.
        unassigned: Seats that are paid for and held by nobody, by Microsoft's count.
    """
    found = {product: min(number, unassigned.get(product, 0)) for product, number in reclaimed.items()}
    return {product: number for product, number in found.items() if number > 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """When the contract of a product renews, and by how many seats its order can be made smaller before.

    Attributes:
        renews_on: As the price list says; None where it does not.
        passed: That day has passed, so that the next one is not known.
        purchased, unassigned: Microsoft's pool; see `directory.Sku`.
        reclaimed: Seats verified gone, neither realised nor reversed.
        reduce_by: See `reducible`.
        each: Price of one seat a month, None if unknown.
    """

    product_id: ProductId
    name: str
    renews_on: date | None
    passed: bool
    purchased: int
    unassigned: int
    reclaimed: int
    reduce_by: int
    each: Money | None

    @property
    def monthly(self) -> Total:
        """What the seats cost a month by which the order can be made smaller."""
        if self.reduce_by == 0:
            return Total()
        return Total(amounts=(self.each.times(self.reduce_by),)) if self.each else Total(unpriced=self.reduce_by)


def by_product(seats: Iterable[VerifiedSeat]) -> dict[ProductId, list[VerifiedSeat]]:
    """Return the seats of each product."""
    found: dict[ProductId, list[VerifiedSeat]] = defaultdict(list)
    for seat in seats:
        found[seat.product_id].append(seat)
    return dict(found)
