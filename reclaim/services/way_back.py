"""Read how removed seats stand: what can be restored and until when, what was, and what came back by itself."""

from collections.abc import Sequence

from reclaim.domain.directory import DIRECTLY, Group
from reclaim.domain.ids import GroupId, ItemId
from reclaim.domain.policy import Policy
from reclaim.domain.restore import Restore, Reversal, check_restorable, until
from reclaim.domain.restore_views import RestoreLine, WayBack
from reclaim.domain.review import ReviewItem
from reclaim.errors import Conflict
from reclaim.ports.storage import UnitOfWork
from reclaim.ports.system import Clock
from reclaim.services.naming import names_of


async def ways_back(
    work: UnitOfWork, items: Sequence[ReviewItem], *, clock: Clock, policy: Policy
) -> dict[ItemId, WayBack]:
    """Return the way back of each item."""
    ids = [item.id for item in items]
    restores, reversals = await work.restores.of_items(ids), await work.restores.reversals(ids)
    given = {GroupId(one) for reversal in reversals.values() for one in reversal.through if one != DIRECTLY}
    groups = await work.catalog.groups(given) if given else {}
    return {
        item.id: _way(item, restores.get(item.id), reversals.get(item.id), groups, clock=clock, policy=policy)
        for item in items
    }


def _way(
    item: ReviewItem,
    restore: Restore | None,
    reversal: Reversal | None,
    groups: dict[GroupId, Group],
    *,
    clock: Clock,
    policy: Policy,
) -> WayBack:
    refusal = None
    try:
        check_restorable(item, restore, reversal, now=clock.now(), window=policy.undo_window)
    except Conflict as error:
        refusal = error.message
    through = [one for one in reversal.through if one != DIRECTLY] if reversal else []
    return WayBack(
        until=until(item, policy.undo_window),
        restore=restore,
        reversal=reversal,
        through=tuple(groups[GroupId(one)].name if GroupId(one) in groups else one for one in through),
        refusal=refusal,
    )


async def lines_of(
    work: UnitOfWork, items: Sequence[ReviewItem], *, clock: Clock, policy: Policy
) -> tuple[RestoreLine, ...]:
    """Return the items with their way back and with who asked, in their order."""
    ways = await ways_back(work, items, clock=clock, policy=policy)
    names = await names_of(work, {way.restore.asked_by for way in ways.values() if way.restore})
    return tuple(
        RestoreLine(item=item, way=way, asked_by_name=names.get(way.restore.asked_by, "") if way.restore else None)
        for item, way in ((item, ways[item.id]) for item in items)
    )
