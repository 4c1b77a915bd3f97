"""Campaigns."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.campaign import Campaign, CampaignState, Silence, Strategy, WriteMode
from reclaim.domain.ids import CampaignId, PersonId, SeatId
from storage.repositories.conflicts import changed
from storage.repositories.json_columns import decode_scope, encode_scope
from storage.tables import campaigns, frozen_seats
from storage.upsert import in_chunks

_PART = frozen_seats.c
_NEWEST_FIRST: tuple[Any, ...] = (campaigns.c.created_at.desc(), campaigns.c.id.desc())


class SqlCampaigns:
    """`ports.storage.Campaigns` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, campaign: Campaign) -> None:
        await self._connection.execute(insert(campaigns).values(_to_row(campaign)))

    async def get_many(self, ids: Iterable[CampaignId]) -> dict[CampaignId, Campaign]:
        found: dict[CampaignId, Campaign] = {}
        for some in in_chunks(ids):
            rows = await self._connection.execute(select(campaigns).where(campaigns.c.id.in_(some)))
            found |= {CampaignId(row["id"]): to_campaign(row) for row in rows.mappings()}
        return found

    async def get(self, campaign: CampaignId) -> Campaign | None:
        return (await self.get_many([campaign])).get(campaign)

    async def save(self, campaign: Campaign) -> None:
        # On PostgreSQL this waits for decisions being stored, which hold the row FOR SHARE: see storage/decisions.py.
        done = await self._connection.execute(
            update(campaigns)
            .where(campaigns.c.id == campaign.id, campaigns.c.version == campaign.version - 1)
            .values(_to_row(campaign))
        )
        if done.rowcount != 1:
            raise changed()

    async def all(self) -> list[Campaign]:
        found = await self._connection.execute(select(campaigns).order_by(*_NEWEST_FIRST))
        return [to_campaign(row) for row in found.mappings()]

    async def in_states(self, states: Iterable[CampaignState]) -> list[Campaign]:
        found = await self._connection.execute(
            select(campaigns).where(campaigns.c.state.in_([state.value for state in states])).order_by(*_NEWEST_FIRST)
        )
        return [to_campaign(row) for row in found.mappings()]

    async def freeze_seats(self, campaign: CampaignId, seats: Sequence[SeatId], *, part: int) -> None:
        starts = range(0, len(seats), part)
        rows = [
            {
                "campaign_id": campaign,
                "part": number,
                "seat_ids": list(seats[start : start + part]),
                "number": len(seats[start : start + part]),
                "opened": False,
            }
            for number, start in enumerate(starts)
        ]
        if rows:
            await self._connection.execute(insert(frozen_seats), rows)

    async def next_seats(self, campaign: CampaignId) -> tuple[int, list[SeatId]] | None:
        found = await self._connection.execute(
            select(_PART.part, _PART.seat_ids)
            .where(_PART.campaign_id == campaign, _PART.opened.is_(False))
            .order_by(_PART.part)
            .limit(1)
        )
        row = found.one_or_none()
        return None if row is None else (row.part, [SeatId(seat) for seat in row.seat_ids])

    async def seats_opened(self, campaign: CampaignId, part: int) -> bool:
        done = await self._connection.execute(
            update(frozen_seats)
            .where(_PART.campaign_id == campaign, _PART.part == part, _PART.opened.is_(False))
            .values(opened=True)
        )
        return done.rowcount == 1

    async def drop_seats(self, campaign: CampaignId) -> int:
        seats = await self._connection.scalar(select(func.sum(_PART.number)).where(_PART.campaign_id == campaign))
        await self._connection.execute(delete(frozen_seats).where(_PART.campaign_id == campaign))
        return seats or 0


def _to_row(campaign: Campaign) -> dict[str, object]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state.value,
        "version": campaign.version,
        "owner_id": campaign.owner_id,
        "created_at": campaign.created_at,
        "zone": campaign.zone,
        "due_at": campaign.due_at,
        "closes_at": campaign.closes_at,
        "shown_close_at": campaign.shown_close_at,
        "strategy": campaign.strategy.value,
        "reviewer_id": campaign.reviewer_id,
        "fallback_id": campaign.fallback_id,
        "silence": campaign.silence.value,
        "scope": encode_scope(campaign.scope),
        "mode": campaign.mode.value,
        "attempt": campaign.attempt,
        "opened_at": campaign.opened_at,
        "closing_at": campaign.closing_at,
        "closed_at": campaign.closed_at,
        "pause_reason": campaign.pause_reason,
        "abandoned_by": campaign.abandoned_by,
        "extended_at": campaign.extended_at,
        "cancelled_by": campaign.cancelled_by,
        "cancel_reason": campaign.cancel_reason,
    }


def to_campaign(row: RowMapping) -> Campaign:
    """Read a row of `campaigns`."""
    return Campaign(
        id=CampaignId(row["id"]),
        name=row["name"],
        state=CampaignState(row["state"]),
        version=row["version"],
        owner_id=PersonId(row["owner_id"]),
        created_at=row["created_at"],
        zone=row["zone"],
        due_at=row["due_at"],
        closes_at=row["closes_at"],
        shown_close_at=row["shown_close_at"],
        strategy=Strategy(row["strategy"]),
        reviewer_id=row["reviewer_id"],
        fallback_id=row["fallback_id"],
        silence=Silence(row["silence"]),
        scope=decode_scope(row["scope"]),
        mode=WriteMode(row["mode"]),
        attempt=row["attempt"],
        opened_at=row["opened_at"],
        closing_at=row["closing_at"],
        closed_at=row["closed_at"],
        pause_reason=row["pause_reason"],
        abandoned_by=row["abandoned_by"],
        extended_at=row["extended_at"],
        cancelled_by=row["cancelled_by"],
        cancel_reason=row["cancel_reason"],
    )
