"""When savings are realised: the orders as they changed, the renewals that are known, and the seats that are realised."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import CampaignId, ItemId, ProductId
from reclaim.domain.money import Money, Total
from reclaim.domain.removal import VERIFIED_GONE
from reclaim.domain.savings import PoolChange, Stage, VerifiedSeat
from storage.repositories.syncs import pool_history
from storage.tables import realised_savings, renewals, reversals, review_items
from storage.upsert import in_chunks, upsert

_GONE = review_items.c.outcome.in_([outcome.value for outcome in VERIFIED_GONE])


class SqlSavings:
    """Implements `Savings`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def pools(self) -> dict[ProductId, list[PoolChange]]:
        return await pool_history(self._connection)

    async def renewals(self) -> dict[ProductId, list[date]]:
        rows = await self._connection.execute(select(renewals).order_by(renewals.c.renews_on))
        found: dict[ProductId, list[date]] = {}
        for row in rows.mappings():
            found.setdefault(row["product_id"], []).append(row["renews_on"])
        return found

    async def note_renewals(self, days: Mapping[ProductId, date], *, at: datetime) -> None:
        rows = [{"product_id": product, "renews_on": day, "seen_at": at} for product, day in sorted(days.items())]
        await upsert(self._connection, renewals, rows, keep=("seen_at",))

    async def verified(self, products: Iterable[ProductId]) -> list[VerifiedSeat]:
        found: list[VerifiedSeat] = []
        for some in in_chunks(products):
            rows = await self._connection.execute(
                select(
                    review_items.c.id,
                    review_items.c.campaign_id,
                    review_items.c.product_id,
                    review_items.c.verified_at,
                    review_items.c.monthly_minor,
                    review_items.c.currency,
                    reversals.c.at.label("reversed_at"),
                )
                .outerjoin(reversals, reversals.c.item_id == review_items.c.id)
                .where(_GONE, review_items.c.product_id.in_(some))
            )
            found += [
                VerifiedSeat(
                    item_id=row.id,
                    campaign_id=row.campaign_id,
                    product_id=row.product_id,
                    verified_at=row.verified_at,
                    monthly=Money(row.monthly_minor, row.currency) if row.currency else None,
                    reversed_at=row.reversed_at,
                )
                for row in rows
                if row.verified_at is not None
            ]
        return found

    async def realised(self, campaign: CampaignId | None = None) -> dict[ItemId, datetime]:
        query = select(realised_savings.c.item_id, realised_savings.c.realised_at)
        if campaign is not None:
            query = query.where(realised_savings.c.campaign_id == campaign)
        return {ItemId(item): at for item, at in await self._connection.execute(query)}

    async def put(self, seats: Sequence[tuple[VerifiedSeat, datetime]]) -> None:
        rows = [
            {
                "item_id": seat.item_id,
                "campaign_id": seat.campaign_id,
                "product_id": seat.product_id,
                "realised_at": at,
                "monthly_minor": seat.monthly.minor if seat.monthly else None,
                "currency": seat.monthly.currency if seat.monthly else None,
            }
            for seat, at in seats
        ]
        await upsert(self._connection, realised_savings, rows)

    async def take_back(self, items: Iterable[ItemId]) -> None:
        for some in in_chunks(items):
            await self._connection.execute(delete(realised_savings).where(realised_savings.c.item_id.in_(some)))

    async def realised_stage(self, campaign: CampaignId | None = None) -> Stage:
        table = realised_savings.c
        query = select(table.currency, func.count(), func.coalesce(func.sum(table.monthly_minor), 0))
        if campaign is not None:
            query = query.where(table.campaign_id == campaign)
        stage = Stage()
        for currency, seats, minor in await self._connection.execute(query.group_by(table.currency)):
            # PostgreSQL adds integers up to a decimal.
            stage = stage.plus(Stage(seats=seats, monthly=Total.grouped(currency, int(minor), seats)))
        return stage

    async def reclaimed(self, campaign: CampaignId | None = None) -> dict[ProductId, int]:
        gone = select(review_items.c.product_id, func.count()).where(
            _GONE, ~exists().where(reversals.c.item_id == review_items.c.id)
        )
        done = select(realised_savings.c.product_id, func.count())
        if campaign is not None:
            gone = gone.where(review_items.c.campaign_id == campaign)
            done = done.where(realised_savings.c.campaign_id == campaign)
        counted = await self._connection.execute(done.group_by(realised_savings.c.product_id))
        realised: dict[str, int] = {product: number for product, number in counted}  # noqa: C416
        left = {
            ProductId(product): number - realised.get(product, 0)
            for product, number in await self._connection.execute(gone.group_by(review_items.c.product_id))
        }
        return {product: number for product, number in left.items() if number > 0}
