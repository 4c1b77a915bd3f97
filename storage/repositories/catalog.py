"""SKUs with their owners, groups and prices."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, RowMapping, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.directory import AssigneeKind, Group, ProductOwner, ServicePlan, Sku
from reclaim.domain.ids import AssigneeId, GroupId, PersonId, ProductId
from reclaim.domain.money import Money, Period, Price
from reclaim.domain.service_plans import PlanNeeds, knowing
from storage.tables import group_products, groups, plan_needs, product_owners, products, skus
from storage.tables import prices as stored_prices
from storage.upsert import in_chunks, upsert

# Stored for a price without a first day, as the day is part of the key.
_SINCE_EVER = date.min


class SqlCatalog:
    """Implements `Catalog`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def skus(self, ids: Iterable[ProductId] | None = None) -> dict[ProductId, Sku]:
        if ids is None:
            return await self._skus()
        found: dict[ProductId, Sku] = {}
        for some in in_chunks(ids):
            found |= await self._skus(skus.c.id.in_(some))
        return found

    async def _skus(self, *where: ColumnElement[bool]) -> dict[ProductId, Sku]:
        there = (skus.c.gone_at.is_(None), *where)
        learnt = await self._learnt()
        rows = await self._connection.execute(
            select(skus, products.c.name).join(products, products.c.id == skus.c.id).where(*there)
        )
        return {row[skus.c.id]: _to_sku(row, learnt) for row in rows.mappings()}

    async def _learnt(self) -> dict[str, frozenset[str]]:
        rows = await self._connection.execute(select(plan_needs.c.plan_id, plan_needs.c.needed_ids))
        return {row.plan_id: frozenset(row.needed_ids) for row in rows}

    async def learn_needs(self, needs: PlanNeeds, *, at: datetime) -> None:
        rows = [{"plan_id": plan, "needed_ids": sorted(needed), "at": at} for plan, needed in needs.items()]
        await upsert(self._connection, plan_needs, rows)

    async def groups(self, ids: Iterable[GroupId] | None = None) -> dict[GroupId, Group]:
        if ids is None:
            return await self._groups()
        found: dict[GroupId, Group] = {}
        for some in in_chunks(ids):
            found |= await self._groups(some)
        return found

    async def owners(self) -> dict[ProductId, ProductOwner]:
        rows = await self._connection.execute(select(product_owners))
        return {ProductId(row["product_id"]): _to_owner(row) for row in rows.mappings()}

    async def set_owner(self, owner: ProductOwner) -> None:
        row = {
            "product_id": owner.product_id,
            "owner_kind": owner.kind.value,
            "owner_id": owner.owner,
            "by": owner.by,
            "at": owner.at,
        }
        await upsert(self._connection, product_owners, [row])

    async def remove_owner(self, product: ProductId) -> bool:
        gone = await self._connection.execute(delete(product_owners).where(product_owners.c.product_id == product))
        return gone.rowcount == 1

    async def prices(self, on: datetime) -> dict[ProductId, Price]:
        return {product: price for product, (price, _) in (await self.price_sources(on)).items()}

    async def price_sources(self, on: datetime) -> dict[ProductId, tuple[Price, str]]:
        rows = await self._connection.execute(select(stored_prices).where(stored_prices.c.valid_from <= on.date()))
        by_key: dict[str, list[RowMapping]] = defaultdict(list)
        for row in rows.mappings():
            by_key[row["sku"]].append(row)
        found: dict[ProductId, tuple[Price, str]] = {}
        for product, sku in (await self.skus()).items():
            # Of two prices from the same day the one with the exacter name counts, then the one loaded last.
            fitting = [
                (row["valid_from"], exactness, row["at"], row["source"], row)
                for exactness, text in enumerate((sku.name, sku.part_number, sku.id))
                for row in by_key.get(price_key(text), ())
            ]
            if fitting:
                row = max(fitting, key=lambda one: one[:4])[4]
                found[product] = (_to_price(row), row["source"])
        return found

    async def replace_prices(self, prices: Sequence[tuple[str, Price]], *, source: str, at: datetime) -> bool:
        mine = stored_prices.c.source == source
        before = await self._connection.execute(select(stored_prices).where(mine))
        old = {(row["sku"], row["valid_from"]): _to_price(row) for row in before.mappings()}
        # Of several lines for the same product and day the last one counts.
        new = {(price_key(text), price.valid_from or _SINCE_EVER): (text, price) for text, price in prices}
        if old == {key: price for key, (_, price) in new.items()}:
            return False
        await self._connection.execute(delete(stored_prices).where(mine))
        rows = [{"source": source, "at": at, **_price_row(text, price)} for text, price in new.values()]
        await upsert(self._connection, stored_prices, rows)
        return True

    async def put_price(self, text: str, price: Price, *, source: str, at: datetime) -> None:
        await upsert(self._connection, stored_prices, [{"source": source, "at": at, **_price_row(text, price)}])

    async def _groups(self, ids: Sequence[GroupId] | None = None) -> dict[GroupId, Group]:
        """Read all groups or one chunk of them, with the products that they carry."""
        where = [groups.c.gone_at.is_(None)]
        if ids is not None:
            where.append(groups.c.id.in_(ids))
        carried: dict[GroupId, list[ProductId]] = defaultdict(list)
        pairs = await self._connection.execute(
            select(group_products.c.group_id, group_products.c.product_id)
            .join(groups, groups.c.id == group_products.c.group_id)
            .where(*where)
            .order_by(group_products.c.product_id)
        )
        for group_id, product_id in pairs:
            carried[group_id].append(product_id)
        rows = await self._connection.execute(select(groups).where(*where))
        return {row["id"]: _to_group(row, carried[row["id"]]) for row in rows.mappings()}


def price_key(text: str) -> str:
    """Return a skuId, part number or product name as prices are matched: trimmed, without case."""
    return text.strip().casefold()


def _price_row(text: str, price: Price) -> dict[str, object]:
    return {
        "sku": price_key(text),
        "valid_from": price.valid_from or _SINCE_EVER,
        "amount_minor": price.amount.minor,
        "currency": price.amount.currency,
        "period": price.period.value,
        "renews_on": price.renews_on,
    }


def _to_sku(row: RowMapping, learnt: PlanNeeds) -> Sku:
    return Sku(
        id=row[skus.c.id],
        part_number=row[skus.c.part_number],
        name=row[products.c.name],
        enabled=row[skus.c.enabled],
        warning=row[skus.c.warning],
        suspended=row[skus.c.suspended],
        consumed=row[skus.c.consumed],
        assignable=row[skus.c.assignable],
        status=row[skus.c.status],
        plans=knowing((ServicePlan(plan_id, name) for plan_id, name in row[skus.c.plans]), learnt),
    )


def _to_owner(row: RowMapping) -> ProductOwner:
    kind = AssigneeKind(row["owner_kind"])
    owner: AssigneeId = GroupId(row["owner_id"]) if kind is AssigneeKind.GROUP else PersonId(row["owner_id"])
    return ProductOwner(product_id=row["product_id"], owner=owner, kind=kind, by=row["by"], at=row["at"])


def _to_group(row: RowMapping, carried: Sequence[ProductId]) -> Group:
    return Group(
        id=row["id"],
        name=row["name"],
        dynamic=row["dynamic"],
        security_enabled=row["security_enabled"],
        mail_enabled=row["mail_enabled"],
        unified=row["unified"],
        synced=row["synced"],
        role_assignable=row["role_assignable"],
        restricted=row["restricted"],
        has_nested_groups=row["has_nested_groups"],
        sku_ids=tuple(carried),
    )


def _to_price(row: RowMapping) -> Price:
    return Price(
        amount=Money(row["amount_minor"], row["currency"]),
        period=Period(row["period"]),
        valid_from=None if row["valid_from"] == _SINCE_EVER else row["valid_from"],
        renews_on=row["renews_on"],
    )
