"""Attestation events: insert only. The tables' triggers hold that, whoever connects; here is no way to change one."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.attestation import Event, EventKind, PersonalValue
from reclaim.domain.ids import CampaignId, EventId
from reclaim.ports.storage import StoredEvent
from storage.repositories.event_rows import insert_events
from storage.tables import attestation_events, event_values
from storage.upsert import in_chunks


class SqlEvents:
    """Implements `Events`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *events: Event) -> None:
        await self._connection.run_sync(insert_events, events)

    async def of_campaign(self, campaign: CampaignId) -> list[StoredEvent]:
        """Return all events of a campaign, oldest first."""
        rows = await self._connection.execute(
            select(attestation_events)
            .where(attestation_events.c.campaign_id == campaign)
            .order_by(attestation_events.c.seq)
        )
        return await self._with_values(rows.mappings().all())

    async def newest(self, limit: int, campaign: CampaignId | None = None) -> tuple[list[StoredEvent], int]:
        """Return the newest events, newest first, and how many there are in all."""
        where = [] if campaign is None else [attestation_events.c.campaign_id == campaign]
        rows = await self._connection.execute(
            select(attestation_events).where(*where).order_by(attestation_events.c.seq.desc()).limit(limit)
        )
        total = await self._connection.execute(select(func.count()).select_from(attestation_events).where(*where))
        return await self._with_values(rows.mappings().all()), total.scalar_one()

    async def _with_values(self, rows: Sequence[RowMapping]) -> list[StoredEvent]:
        values: dict[EventId, list[PersonalValue]] = defaultdict(list)
        for ids in in_chunks(row["id"] for row in rows):
            stored = await self._connection.execute(
                select(event_values).where(event_values.c.event_id.in_(ids)).order_by(event_values.c.field)
            )
            for value in stored.mappings():
                values[value["event_id"]].append(PersonalValue(value["field"], value["value"], value["salt"]))
        return [StoredEvent(seq=row["seq"], event=_to_event(row, values[row["id"]])) for row in rows]


def _to_event(row: RowMapping, values: Sequence[PersonalValue]) -> Event:
    return Event(
        id=row["id"],
        kind=EventKind(row["kind"]),
        at=row["at"],
        campaign_id=row["campaign_id"],
        item_id=row["item_id"],
        body=row["body"],
        values=tuple(values),
    )
