"""Removal orders, each stored with its steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Case,
    ColumnElement,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import CampaignId, ItemId, OrderId, PersonId, ProductId, StepId
from reclaim.domain.orders import DID_NOT_LAND, OrderState, RemovalOrder, RemovalStep, StepState
from reclaim.domain.removal import PlanStep, StepKind
from storage.repositories.conflicts import changed
from storage.tables import campaigns, removal_orders, removal_steps, review_items
from storage.tables import people as people_table
from storage.upsert import in_chunks, upsert

# Longer than any job takes for its orders: what is claimed for longer belongs to a job that died.
CLAIMED_FOR: Final = timedelta(hours=1)

_ORDER = removal_orders.c
_STEP = removal_steps.c


class SqlOrders:
    """`ports.storage.Orders` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_many(self, orders: Sequence[RemovalOrder]) -> None:
        if not orders:
            return
        await self._connection.execute(insert(removal_orders), [_order_row(order) for order in orders])
        steps = [row for order in orders for row in _step_rows(order)]
        if steps:
            await self._connection.execute(insert(removal_steps), steps)

    async def get(self, order: OrderId) -> RemovalOrder | None:
        found = await self._where(_ORDER.id == order)
        return found[0] if found else None

    async def get_many(self, orders: Iterable[OrderId], *, hold: bool = False) -> dict[OrderId, RemovalOrder]:
        """In the order of ids, so that two replicas cannot block each other."""
        found: dict[OrderId, RemovalOrder] = {}
        for some in in_chunks(sorted(set(orders))):
            query = select(removal_orders).where(_ORDER.id.in_(some)).order_by(_ORDER.id)
            found |= {order.id: order for order in await self._orders(query.with_for_update() if hold else query)}
        return found

    async def save(self, *orders: RemovalOrder) -> None:
        """Store orders and their steps; a step once stored is never deleted, whatever the order holds now."""
        await self.save_many(orders)
        await upsert(self._connection, removal_steps, [row for order in orders for row in _step_rows(order)])

    async def save_many(self, orders: Sequence[RemovalOrder]) -> None:
        """Look first, then store, as `SqlItems.save_progress` does."""
        if not orders:
            return
        expected = {order.id: order.version - 1 for order in orders}
        for some in in_chunks(expected):
            query = select(_ORDER.id, _ORDER.version).where(_ORDER.id.in_(some)).order_by(_ORDER.id).with_for_update()
            stored = {OrderId(order): version for order, version in await self._connection.execute(query)}
            if any(stored.get(order) != expected[order] for order in some):
                raise changed()
        rows = [_order_row(order) for order in orders]
        statement = (
            update(removal_orders)
            .where(_ORDER.id == bindparam("the_id"))
            .values({name: bindparam(name) for name in rows[0] if name != "id"} | _claim_of(bindparam("attempt")))
        )
        await self._connection.execute(statement, [{**row, "the_id": row["id"]} for row in rows])

    async def claim(self, attempts: Mapping[OrderId, int], *, by: str, at: datetime) -> list[RemovalOrder]:
        """In the order of ids, so that two replicas cannot block each other."""
        claimed: list[RemovalOrder] = []
        for some in in_chunks(sorted(attempts)):
            query = select(removal_orders).where(_ORDER.id.in_(some)).order_by(_ORDER.id).with_for_update()
            rows = (await self._connection.execute(query)).mappings().all()
            mine = [row for row in rows if _may_claim(row, attempts[OrderId(row["id"])], by, at)]
            if not mine:
                continue
            steps = await self._steps(OrderId(row["id"]) for row in mine)
            for row in mine:
                taken_over = row["claimed_by"] not in (None, by)
                order = _to_order(row, steps.get(OrderId(row["id"]), ()))
                claimed.append(replace(order, attempt=order.attempt + taken_over, version=order.version + taken_over))
        if not claimed:
            return []
        statement = (
            update(removal_orders)
            .where(_ORDER.id == bindparam("the_id"))
            .values(
                attempt=bindparam("its_attempt"),
                version=bindparam("its_version"),
                claimed_by=bindparam("job"),
                claimed_at=bindparam("at"),
            )
        )
        values = [
            {"the_id": order.id, "its_attempt": order.attempt, "its_version": order.version, "job": by, "at": at}
            for order in claimed
        ]
        await self._connection.execute(statement, values)
        return claimed

    async def of_campaign(self, campaign: CampaignId) -> list[RemovalOrder]:
        return await self._where(_ORDER.campaign_id == campaign)

    async def of_people(self, campaign: CampaignId, people: Iterable[PersonId]) -> dict[PersonId, RemovalOrder]:
        found: dict[PersonId, RemovalOrder] = {}
        for some in in_chunks(people):
            orders = await self._where(_ORDER.campaign_id == campaign, _ORDER.person_id.in_(some))
            found |= {order.person_id: order for order in orders}
        return found

    async def page(
        self, campaign: CampaignId, states: Iterable[OrderState], *, after: OrderId | None, limit: int
    ) -> list[RemovalOrder]:
        wanted = _ORDER.state.in_([state.value for state in states])
        query = (
            select(removal_orders)
            .where(_ORDER.campaign_id == campaign, wanted, _ORDER.id > (after or ""))
            .order_by(_ORDER.id)
            .limit(limit)
        )
        return await self._orders(query)

    async def any_in_state(self, campaign: CampaignId, states: Iterable[OrderState]) -> bool:
        wanted = _ORDER.state.in_([state.value for state in states])
        query = select(_ORDER.id).where(_ORDER.campaign_id == campaign, wanted).limit(1)
        return (await self._connection.scalar(query)) is not None

    async def any_unchecked(self, campaign: CampaignId) -> bool:
        query = (
            select(_STEP.id)
            .join(removal_orders, _ORDER.id == _STEP.order_id)
            .join(review_items, review_items.c.id == _STEP.item_id)
            .where(
                _ORDER.campaign_id == campaign,
                or_(_STEP.state == StepState.WRITTEN.value, _STEP.maybe_written),
                review_items.c.outcome.is_(None),
            )
            .limit(1)
        )
        return (await self._connection.scalar(query)) is not None

    async def ordered_items(self, campaign: CampaignId, *, up_to: int) -> int:
        some = (
            select(_STEP.item_id)
            .join(removal_orders, _ORDER.id == _STEP.order_id)
            .where(_ORDER.campaign_id == campaign)
            .distinct()
            .limit(up_to)
            .subquery()
        )
        return (await self._connection.scalar(select(func.count()).select_from(some))) or 0

    async def due(self, now: datetime, *, limit: int) -> list[RemovalOrder]:
        """While a campaign closes or is paused nothing of it is written; what was written is checked all the same."""
        applies = exists().where(
            campaigns.c.id == _ORDER.campaign_id, campaigns.c.state == CampaignState.APPLYING.value
        )
        written = _ORDER.state == OrderState.VERIFYING.value
        query = (
            select(removal_orders)
            .where(
                or_(written, and_(_ORDER.state == OrderState.READY.value, applies)),
                _ORDER.not_before <= now,
                or_(_ORDER.claimed_at.is_(None), _ORDER.claimed_at <= now - CLAIMED_FOR),
            )
            .order_by(_ORDER.not_before, _ORDER.created_at, _ORDER.id)
            .limit(limit)
        )
        return await self._orders(query)

    async def next_due(self, after: datetime) -> datetime | None:
        waiting = (OrderState.READY.value, OrderState.VERIFYING.value)
        query = select(func.min(_ORDER.not_before)).where(_ORDER.state.in_(waiting), _ORDER.not_before > after)
        found: datetime | None = await self._connection.scalar(query)
        return found

    async def hold_people(self, people: Iterable[PersonId]) -> None:
        """In the order of ids, as above; on SQLite there is one writing transaction at a time anyway."""
        for some in in_chunks(sorted(set(people))):
            held = select(people_table.c.id).where(people_table.c.id.in_(some)).order_by(people_table.c.id)
            await self._connection.execute(held.with_for_update())

    async def written_steps(self, people: Iterable[PersonId]) -> dict[PersonId, list[RemovalStep]]:
        """Count every intended step as perhaps written: a crash right after the call leaves it in that state."""
        asked = set(people)
        found: dict[PersonId, list[RemovalStep]] = {person: [] for person in asked}
        touched = or_(_STEP.state.in_((StepState.INTENDED.value, StepState.WRITTEN.value)), _STEP.maybe_written)
        for some in in_chunks(asked):
            query = (
                select(removal_steps, _ORDER.person_id)
                .join(removal_orders, _ORDER.id == _STEP.order_id)
                .where(_ORDER.person_id.in_(some), touched, _STEP.verified_at.is_(None))
                .order_by(_ORDER.created_at, _ORDER.id, _STEP.seq)
            )
            for row in (await self._connection.execute(query)).mappings():
                found[PersonId(row["person_id"])].append(_to_step(row))
        return found

    async def written_since(self, since: datetime) -> int:
        unanswered = or_(_STEP.state == StepState.INTENDED.value, _STEP.error == DID_NOT_LAND)
        on_its_way = and_(unanswered, _STEP.intended_at >= since)
        query = select(func.count()).select_from(removal_steps).where(or_(_STEP.written_at >= since, on_its_way))
        return (await self._connection.scalar(query)) or 0

    async def _where(self, *conditions: ColumnElement[bool]) -> list[RemovalOrder]:
        """Return orders with their steps, the longest due first, those without a due time last."""
        order = (_ORDER.not_before.asc().nulls_last(), _ORDER.created_at, _ORDER.id)
        return await self._orders(select(removal_orders).where(*conditions).order_by(*order))

    async def _orders(self, query: Select[Any]) -> list[RemovalOrder]:
        rows = (await self._connection.execute(query)).mappings().all()
        steps = await self._steps(OrderId(row["id"]) for row in rows)
        return [_to_order(row, steps.get(OrderId(row["id"]), ())) for row in rows]

    async def _steps(self, orders: Iterable[OrderId]) -> dict[OrderId, tuple[RemovalStep, ...]]:
        found: dict[OrderId, tuple[RemovalStep, ...]] = {}
        for some in in_chunks(orders):
            query = select(removal_steps).where(_STEP.order_id.in_(some)).order_by(_STEP.order_id, _STEP.seq)
            for row in (await self._connection.execute(query)).mappings():
                step = _to_step(row)
                found[step.order_id] = (*found.get(step.order_id, ()), step)
        return found


def _order_row(order: RemovalOrder) -> dict[str, object]:
    return {
        "id": order.id,
        "campaign_id": order.campaign_id,
        "person_id": order.person_id,
        "state": order.state.value,
        "version": order.version,
        "attempt": order.attempt,
        "not_before": order.not_before,
        "checks": order.checks,
        "created_at": order.created_at,
    }


def _claim_of(attempt: int | BindParameter[int]) -> dict[str, Case[Any]]:
    """Return the claim as it is after the order is stored: gone with the attempt that it was for."""
    return {
        name: case((_ORDER.attempt == attempt, column), else_=None)
        for name, column in (("claimed_by", _ORDER.claimed_by), ("claimed_at", _ORDER.claimed_at))
    }


def _may_claim(row: RowMapping, attempt: int, by: str, at: datetime) -> bool:
    if row["state"] != OrderState.READY.value:
        return False
    if row["attempt"] != attempt:
        # Taken over by this job before it died: its list still names the attempt before.
        return bool(row["claimed_by"] == by and row["attempt"] == attempt + 1)
    return row["claimed_by"] in (None, by) or bool(row["claimed_at"] <= at - CLAIMED_FOR)


def _step_rows(order: RemovalOrder) -> list[dict[str, object]]:
    return [
        {
            "id": step.id,
            "order_id": order.id,
            "item_id": step.item_id,
            "seq": seq,
            "product_id": step.product_id,
            "kind": step.step.kind.value,
            "ref": step.step.ref,
            "state": step.state.value,
            "attempt": step.attempt,
            "client_request_id": step.client_request_id,
            "request_id": step.request_id,
            "before": step.before,
            "after": step.after,
            "error": step.error,
            "maybe_written": step.maybe_written,
            "intended_at": step.intended_at,
            "written_at": step.written_at,
            "verified_at": step.verified_at,
        }
        for seq, step in enumerate(order.steps, start=1)
    ]


def _to_order(row: RowMapping, steps: tuple[RemovalStep, ...]) -> RemovalOrder:
    return RemovalOrder(
        id=OrderId(row["id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        person_id=PersonId(row["person_id"]),
        state=OrderState(row["state"]),
        version=row["version"],
        attempt=row["attempt"],
        not_before=row["not_before"],
        checks=row["checks"],
        created_at=row["created_at"],
        steps=steps,
    )


def _to_step(row: RowMapping) -> RemovalStep:
    return RemovalStep(
        id=StepId(row["id"]),
        order_id=OrderId(row["order_id"]),
        item_id=ItemId(row["item_id"]),
        product_id=ProductId(row["product_id"]),
        step=PlanStep(StepKind(row["kind"]), row["ref"]),
        state=StepState(row["state"]),
        attempt=row["attempt"],
        client_request_id=row["client_request_id"],
        request_id=row["request_id"],
        before=row["before"],
        after=row["after"],
        error=row["error"],
        maybe_written=row["maybe_written"],
        intended_at=row["intended_at"],
        written_at=row["written_at"],
        verified_at=row["verified_at"],
    )
