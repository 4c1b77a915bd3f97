"""Read appeals with the names of who decides and who has decided."""

from collections.abc import Sequence

from reclaim.domain.appeals import Appeal, AppealLine
from reclaim.domain.ids import ItemId
from reclaim.ports.storage import UnitOfWork
from reclaim.services.naming import names_of


async def appeal_lines(work: UnitOfWork, appeals: Sequence[Appeal]) -> dict[ItemId, AppealLine]:
    """Return the appeals with the names behind them, by item."""
    names = await names_of(work, {one for appeal in appeals for one in (appeal.reviewer_id, appeal.answered_by)})
    return {
        appeal.item_id: AppealLine(
            appeal=appeal,
            to_name=names.get(appeal.reviewer_id, appeal.reviewer_id) if appeal.reviewer_id else None,
            answered_by_name=names.get(appeal.answered_by, appeal.answered_by) if appeal.answered_by else None,
        )
        for appeal in appeals
    }
