"""What somebody did about the tasks that need a person, and which tasks are open."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import CampaignId, ItemId, PersonId
from reclaim.domain.money import Total
from reclaim.domain.removal import Outcome
from reclaim.domain.review import ReviewItem
from reclaim.domain.tasks import NEED_A_PERSON, ManualTask, TaskState
from reclaim.ports.storage import OpenTasks
from storage.repositories.conflicts import changed, is_duplicate
from storage.repositories.item_rows import to_item
from storage.tables import manual_tasks, review_items, seats
from storage.upsert import in_chunks

_ITEM, _TASK = review_items.c, manual_tasks.c


class SqlTasks:
    """`ports.storage.Tasks` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get_many(self, items: Iterable[ItemId]) -> dict[ItemId, ManualTask]:
        found: dict[ItemId, ManualTask] = {}
        for some in in_chunks(items):
            rows = await self._connection.execute(select(manual_tasks).where(_TASK.item_id.in_(some)))
            found |= {ItemId(row["item_id"]): _to_task(row) for row in rows.mappings()}
        return found

    async def save(self, task: ManualTask) -> None:
        row = _row(task)
        if task.version == 1:
            try:
                await self._connection.execute(insert(manual_tasks), [row])
            except IntegrityError as error:
                if is_duplicate(error):
                    raise changed() from error
                raise
            return
        done = await self._connection.execute(
            update(manual_tasks)
            .where(_TASK.item_id == task.item_id, _TASK.version == task.version - 1)
            .values({name: value for name, value in row.items() if name != "item_id"})
        )
        if done.rowcount != 1:
            raise changed()

    async def open(self, campaign: CampaignId | None, *, offset: int, limit: int) -> list[ReviewItem]:
        query = (
            select(review_items)
            .where(*_is_open(campaign))
            .order_by(_ITEM.outcome_at, _ITEM.id)
            .offset(offset)
            .limit(limit)
        )
        return [to_item(row) for row in (await self._connection.execute(query)).mappings()]

    async def counted(self, campaign: CampaignId | None) -> OpenTasks:
        query = (
            select(
                _ITEM.outcome, _ITEM.currency, func.count().label("tasks"), func.sum(_ITEM.monthly_minor).label("minor")
            )
            .where(*_is_open(campaign))
            .group_by(_ITEM.outcome, _ITEM.currency)
        )
        by_outcome: dict[str, int] = {}
        monthly = Total()
        for row in await self._connection.execute(query):
            by_outcome[row.outcome] = by_outcome.get(row.outcome, 0) + row.tasks
            monthly = monthly.plus(Total.grouped(row.currency, int(row.minor or 0), row.tasks))
        return OpenTasks(by_outcome=by_outcome, monthly=monthly)

    async def gone(self, *, after: ItemId | None, limit: int) -> list[ReviewItem]:
        query = (
            select(review_items)
            .join(seats, seats.c.id == _ITEM.seat_id)
            # Not what failed: a removal of ours may have taken it after all, and a retry finds that out.
            .where(_ITEM.outcome == Outcome.NOT_SUPPORTED.value, _ITEM.id > (after or ""), seats.c.gone_at.is_not(None))
            .order_by(_ITEM.id)
            .limit(limit)
        )
        return [to_item(row) for row in (await self._connection.execute(query)).mappings()]


def _is_open(campaign: CampaignId | None) -> Sequence[ColumnElement[bool]]:
    needing = _ITEM.outcome.in_([outcome.value for outcome in NEED_A_PERSON])
    return [needing] if campaign is None else [needing, _ITEM.campaign_id == campaign]


def _row(task: ManualTask) -> dict[str, Any]:
    return {
        "item_id": task.item_id,
        "state": task.state.value,
        "note": task.note,
        "link": task.link,
        "by": task.by,
        "at": task.at,
        "attempt": task.attempt,
        "checked_at": task.checked_at,
        "via": json.dumps(list(task.via)),
        "version": task.version,
    }


def _to_task(row: RowMapping) -> ManualTask:
    return ManualTask(
        item_id=ItemId(row["item_id"]),
        state=TaskState(row["state"]),
        note=row["note"],
        link=row["link"],
        by=PersonId(row["by"]) if row["by"] else None,
        at=row["at"],
        attempt=row["attempt"],
        checked_at=row["checked_at"],
        via=tuple(json.loads(row["via"])),
        version=row["version"],
    )
