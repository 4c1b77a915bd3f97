"""Read lists of idle seats, and find the SKU that somebody means."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from reclaim.domain.directory import Sku
from reclaim.domain.ids import ProductId
from reclaim.domain.lookup import match_product, nearest_products
from reclaim.domain.money import Price
from reclaim.domain.paging import page_count
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import SeatFilter, SeatPage, SeatRow
from reclaim.domain.spend import monthly_total
from reclaim.errors import NotFound
from reclaim.ports.storage import FindingRow, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.freshness import data_age
from reclaim.services.read_spend import check_window

PAGE_SIZE = 10


class ReadSeats:
    """Answers "which seats?"."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

    async def page(self, where: SeatFilter, page: int = 1) -> SeatPage:
        """Return a page of idle seats; a page beyond either end is the nearest one.

        Raises:
            InvalidRequest: A window out of 30 to 730 days.
            NotFound: There is no such product.
        """
        check_window(where.days)
        now = self._clock.now()
        async with self._work.read() as reading:
            skus = await reading.catalog.skus()
            prices = await reading.catalog.prices(now)
            number, rows, total, per_product = await _nearest_page(reading, where, page, now)
            excluded = await reading.findings.excluded(
                days=where.days, now=now, product=where.product_id, rules=where.rules
            )
            newest = await reading.syncs.newest_complete()
            read = await reading.syncs.newest_read()
        if where.product_id is not None and where.product_id not in skus and total == 0:
            raise NotFound("There is no such SKU.")
        return SeatPage(
            filter=where,
            sku_name=_name(where.product_id, skus),
            rows=tuple(_row(row, prices) for row in rows),
            page=number,
            pages=page_count(total, PAGE_SIZE),
            total=total,
            monthly=monthly_total(per_product, prices),
            data=data_age(newest, now, self._policy.data_max_age, newest_read=read),
            now=now,
            excluded=sum(excluded.values()),
        )

    async def product(self, text: str) -> ProductId:
        """Return the product with this name, part number or skuId, in any case.

        Raises:
            InvalidRequest: There is none, and the message names the nearest; or two bear this name.
        """
        async with self._work.read() as reading:
            return match_product(text, await reading.catalog.skus())

    async def nearest_products(self, text: str) -> list[tuple[ProductId, str]]:
        """Return up to three products whose name or part number is most like `text`, best first."""
        async with self._work.read() as reading:
            skus = await reading.catalog.skus()
        return nearest_products(text, skus.values())


async def _nearest_page(
    reading: UnitOfWork, where: SeatFilter, page: int, now: datetime
) -> tuple[int, Sequence[FindingRow], int, Mapping[ProductId, int]]:
    number = max(1, page)
    rows, total, per_product = await reading.findings.page(
        where, now=now, offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE
    )
    last = page_count(total, PAGE_SIZE)
    if number > last:
        number = last
        rows, total, per_product = await reading.findings.page(
            where, now=now, offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE
        )
    return number, rows, total, per_product


def _name(product: ProductId | None, skus: Mapping[ProductId, Sku]) -> str | None:
    if product is None:
        return None
    # People may hold what the tenant's list of SKUs no longer shows.
    return skus[product].name if product in skus else product


def _row(row: FindingRow, prices: Mapping[ProductId, Price]) -> SeatRow:
    finding, person = row.finding, row.person
    price = prices.get(finding.product_id)
    return SeatRow(
        seat_id=finding.seat_id,
        person_id=person.id,
        person_name=person.shown_name,
        upn=person.upn,
        department=person.department,
        product_id=finding.product_id,
        sku_name=row.sku_name,
        rule=finding.rule,
        quiet_since=finding.quiet_since,
        last_seen_at=finding.last_seen_at,
        assigned_at=finding.assigned_at,
        disabled_seen_at=person.disabled_seen_at,
        group_name=row.group_name,
        monthly=price.monthly if price else None,
        last_used_at=finding.last_used_at,
    )
