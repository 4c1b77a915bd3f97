"""By how much each order can be made smaller for what one campaign has reclaimed."""

from dataclasses import replace
from datetime import datetime

from reclaim.domain.calendar import local_day
from reclaim.domain.ids import CampaignId
from reclaim.domain.policy import Policy
from reclaim.domain.savings import Renewal
from reclaim.domain.spend import renewal_calendar
from reclaim.ports.storage import UnitOfWork


async def orders_to_reduce(
    reading: UnitOfWork, campaign: CampaignId, policy: Policy, now: datetime
) -> tuple[Renewal, ...]:
    """Return the orders that can be made smaller, by no more than this campaign has reclaimed, next renewal first."""
    mine = await reading.savings.reclaimed(campaign)
    if not mine:
        return ()
    calendar = renewal_calendar(
        await reading.catalog.skus(mine),
        await reading.catalog.prices(now),
        await reading.savings.reclaimed(),
        local_day(now, policy.zone),
    )
    rows = (
        replace(row, reclaimed=mine[row.product_id], reduce_by=min(row.reduce_by, mine[row.product_id]))
        for row in calendar
        if row.product_id in mine
    )
    return tuple(row for row in rows if row.reduce_by)
