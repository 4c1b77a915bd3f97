"""Every seat that was read, counted once: idle and asked about, or left out for one reason; beside Microsoft's own count."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from reclaim.domain.directory import Sku
from reclaim.domain.exclusions import ExclusionId, ExclusionKind
from reclaim.domain.idle import NotIdleWhy
from reclaim.domain.ids import ProductId
from reclaim.domain.read_models import PopulationPart, PopulationRow
from reclaim.ports.storage import Breakdown, UnitOfWork

QUIET_FOR_LESS = "quiet_for_less"  # idle for the shortest window that is judged, and not yet for the one that is asked
GONE = "gone_since"  # idle when it was judged, and taken away since


async def population(
    reading: UnitOfWork, *, days: int, now: datetime, products: Iterable[ProductId] | None = None
) -> tuple[PopulationRow, ...]:
    """Return a row for each product of which a seat was read, by name; the parts of a row add up to `read`.

    Args:
        days: The idle window.
        products: Only these; None: all.
    """
    found = await reading.findings.population(days=days, now=now)
    wanted = found.keys() if products is None else found.keys() & set(products)
    named = await reading.exclusions.get_many(
        {exclusion for product in wanted for exclusion in found[product].excluded}
    )
    kinds = {one.id: one.kind for one in named.values()}
    skus = await reading.catalog.skus()
    rows = [_row(product, found[product], kinds, skus.get(product)) for product in wanted]
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.product_id)))


def _row(
    product: ProductId, found: Breakdown, kinds: dict[ExclusionId, ExclusionKind], sku: Sku | None
) -> PopulationRow:
    excluded = Counter[str]()
    for exclusion, seats in found.excluded.items():
        excluded[kinds[exclusion].value] += seats
    others = Counter(found.verdicts)
    others[QUIET_FOR_LESS] += found.shorter
    others[GONE] += found.gone
    order = [*(why.value for why in NotIdleWhy), QUIET_FOR_LESS, GONE]
    return PopulationRow(
        product_id=product,
        name=sku.name if sku else product,
        part_number=sku.part_number if sku else product,
        read=found.read,
        idle=found.idle,
        excluded=tuple(PopulationPart(kind.value, excluded[kind]) for kind in ExclusionKind if excluded[kind]),
        not_idle=tuple(PopulationPart(why, others[why]) for why in order if others[why]),
        held=found.held,
        microsoft=sku.consumed if sku else None,
    )
