"""Recoverable spend: idle seats per product times their price. What has no price is counted, never valued at zero."""

from collections.abc import Mapping, Sequence
from datetime import date

from reclaim.domain.directory import Sku
from reclaim.domain.ids import ProductId
from reclaim.domain.money import Price, Total
from reclaim.domain.read_models import DataAge, ExclusionView, SkuSpend, SpendReport
from reclaim.domain.savings import Renewal, Savings, reducible


def monthly_total(seats: Mapping[ProductId, int], prices: Mapping[ProductId, Price]) -> Total:
    """Return what so many seats per product cost a month, and how many of them have no price."""
    total = Total()
    for product, number in seats.items():
        price = prices.get(product)
        if number == 0:
            continue  # no seat, no currency in the sum
        if price is None:
            total = total.plus(Total(unpriced=number))
        else:
            total = total.plus(Total(amounts=(price.monthly.times(number),)))
    return total


def spend_report(
    *,
    days: int,
    idle: Mapping[ProductId, int],
    held: Mapping[ProductId, int],
    unknown: int,
    skus: Mapping[ProductId, Sku],
    prices: Mapping[ProductId, Price],
    data: DataAge,
    blocked: bool,
    excluded: Sequence[ExclusionView] = (),
    today: date,
    reclaimed: Mapping[ProductId, int],
    savings: Savings,
) -> SpendReport:
    """Return recoverable spend, most first.

    Every product that somebody holds or that is bought for users has a row, so that the rows add up to the sums. After
    those with a price come idle ones without, then those with nothing idle.
    """
    sold = {product for product, sku in skus.items() if sku.assignable and sku.enabled > 0}
    rows = [_row(product, idle, held, skus, prices) for product in {*idle, *held, *sold}]
    return SpendReport(
        days=days,
        held=sum(held.values()),
        idle=sum(idle.values()),
        unknown=unknown,
        total=monthly_total(idle, prices),
        rows=tuple(sorted(rows, key=_most_first)),
        data=data,
        blocked=blocked,
        excluded=tuple(excluded),
        renewals=renewal_calendar(skus, prices, reclaimed, today),
        savings=savings,
    )


def renewal_calendar(
    skus: Mapping[ProductId, Sku],
    prices: Mapping[ProductId, Price],
    reclaimed: Mapping[ProductId, int],
    today: date,
) -> tuple[Renewal, ...]:
    """Return when each contract renews and by how much its order can be made smaller, the next renewal first.

    A product has a row if its day is known, or if seats of it were reclaimed.
    """
    smaller = reducible(reclaimed, {product: sku.unassigned for product, sku in skus.items()})
    rows = [
        Renewal(
            product_id=product,
            name=sku.name,
            renews_on=price.renews_on if price else None,
            passed=bool(price and price.renews_on and price.renews_on < today),
            purchased=sku.enabled,
            unassigned=sku.unassigned,
            reclaimed=reclaimed.get(product, 0),
            reduce_by=smaller.get(product, 0),
            each=price.monthly if price else None,
        )
        for product, sku in skus.items()
        for price in (prices.get(product),)
        if (price and price.renews_on) or product in reclaimed
    ]
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                row.renews_on is None,
                row.passed,
                row.renews_on or date.max,
                row.name.casefold(),
                row.product_id,
            ),
        )
    )


def _row(
    product: ProductId,
    idle: Mapping[ProductId, int],
    held: Mapping[ProductId, int],
    skus: Mapping[ProductId, Sku],
    prices: Mapping[ProductId, Price],
) -> SkuSpend:
    sku = skus.get(product)
    price = prices.get(product)
    each = price.monthly if price else None
    return SkuSpend(
        product_id=product,
        # People may hold what the tenant's list of SKUs no longer shows, for example after a subscription has lapsed.
        name=sku.name if sku else product,
        part_number=sku.part_number if sku else product,
        purchased=sku.enabled if sku else 0,
        assigned=sku.consumed if sku else 0,
        available=sku.available if sku else 0,
        unassigned=sku.unassigned if sku else 0,
        held=held.get(product, 0),
        idle=idle.get(product, 0),
        each=each,
        recoverable=each.times(idle.get(product, 0)) if each else None,
        renews_on=price.renews_on if price else None,
    )


def _most_first(row: SkuSpend) -> tuple[bool, bool, int, int, str, str]:
    return (
        row.idle == 0,
        row.recoverable is None,
        -(row.recoverable.minor if row.recoverable else 0),
        -row.idle,
        row.name.casefold(),
        row.product_id,
    )
