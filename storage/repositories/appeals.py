"""What holders asked to have looked at again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.appeals import Appeal, AppealState, AppealTo
from reclaim.domain.ids import CampaignId, ItemId, PersonId
from storage.repositories.conflicts import changed, is_duplicate
from storage.tables import appeals
from storage.upsert import in_chunks

_APPEAL = appeals.c
_OPEN = _APPEAL.state == AppealState.OPEN.value


class SqlAppeals:
    """`ports.storage.Appeals` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, appeal: Appeal) -> None:
        try:
            await self._connection.execute(insert(appeals), [_row(appeal)])
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise changed() from error

    async def save(self, appeal: Appeal) -> None:
        done = await self._connection.execute(
            update(appeals)
            .where(_APPEAL.item_id == appeal.item_id, _APPEAL.version == appeal.version - 1)
            .values({name: value for name, value in _row(appeal).items() if name != "item_id"})
        )
        if done.rowcount != 1:
            raise changed()

    async def get(self, item: ItemId) -> Appeal | None:
        found = await self._appeals(select(appeals).where(_APPEAL.item_id == item))
        return found[0] if found else None

    async def of_items(self, items: Iterable[ItemId]) -> dict[ItemId, Appeal]:
        found: dict[ItemId, Appeal] = {}
        for some in in_chunks(items):
            rows = await self._appeals(select(appeals).where(_APPEAL.item_id.in_(some)))
            found |= {one.item_id: one for one in rows}
        return found

    async def of_campaign(self, campaign: CampaignId) -> list[Appeal]:
        query = select(appeals).where(_APPEAL.campaign_id == campaign).order_by(_APPEAL.asked_at, _APPEAL.item_id)
        return await self._appeals(query)

    async def counts(self, campaign: CampaignId) -> dict[AppealState, int]:
        query = (
            select(_APPEAL.state, func.count().label("number"))
            .where(_APPEAL.campaign_id == campaign)
            .group_by(_APPEAL.state)
        )
        return {AppealState(row.state): row.number for row in await self._connection.execute(query)}

    async def due(self, now: datetime, *, limit: int) -> list[Appeal]:
        query = (
            select(appeals).where(_OPEN, _APPEAL.due_at <= now).order_by(_APPEAL.due_at, _APPEAL.item_id).limit(limit)
        )
        return await self._appeals(query)

    async def next_due(self, after: datetime) -> datetime | None:
        query = select(func.min(_APPEAL.due_at)).where(_OPEN, _APPEAL.due_at > after)
        found: datetime | None = await self._connection.scalar(query)
        return found

    async def _appeals(self, query: Select[Any]) -> list[Appeal]:
        return [_to_appeal(row) for row in (await self._connection.execute(query)).mappings()]


def _row(appeal: Appeal) -> dict[str, object]:
    return {
        "item_id": appeal.item_id,
        "campaign_id": appeal.campaign_id,
        "person_id": appeal.person_id,
        "text": appeal.text,
        "asked_at": appeal.asked_at,
        "to": appeal.to.value,
        "reviewer_id": appeal.reviewer_id,
        "due_at": appeal.due_at,
        "state": appeal.state.value,
        "moved_at": appeal.moved_at,
        "answered_by": appeal.answered_by,
        "ended_at": appeal.ended_at,
        "reason": appeal.reason,
        "version": appeal.version,
    }


def _to_appeal(row: RowMapping) -> Appeal:
    return Appeal(
        item_id=ItemId(row["item_id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        person_id=PersonId(row["person_id"]),
        text=row["text"],
        asked_at=row["asked_at"],
        to=AppealTo(row["to"]),
        reviewer_id=PersonId(row["reviewer_id"]) if row["reviewer_id"] else None,
        due_at=row["due_at"],
        state=AppealState(row["state"]),
        moved_at=row["moved_at"],
        answered_by=PersonId(row["answered_by"]) if row["answered_by"] else None,
        ended_at=row["ended_at"],
        reason=row["reason"],
        version=row["version"],
    )
