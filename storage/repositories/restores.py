"""The way back: restores with their steps, seats that are there again, and holders who were asked."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, Select, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import CampaignId, ItemId, PersonId, ProductId, RestoreId
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.restore import (
    AskBack,
    AskedHow,
    Restore,
    RestoreKind,
    RestoreState,
    RestoreStep,
    RestoreStepState,
    Returned,
    Reversal,
    WhyNot,
)
from reclaim.errors import Conflict
from reclaim.ports.storage import AskBackFigures, ReversalFigure
from storage.repositories.conflicts import changed, is_duplicate
from storage.tables import ask_backs, people, restore_steps, restores, reversals, review_items, seats
from storage.upsert import in_chunks, insert_into, upsert

_RESTORE = restores.c
_ITEM = review_items.c
_PLAIN = ("version", "attempt", "not_before", "checks", "asked_by", "asked_at", "ended_at", "detail", "after")
_STEP_PLAIN = (
    "ref", "attempt", "client_request_id", "request_id", "error", "maybe_written", "intended_at", "written_at",
)  # fmt: skip


class SqlRestores:
    """`ports.storage.Restores` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, restore: Restore) -> None:
        try:
            await self._connection.execute(insert(restores), [_row(restore)])
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise Conflict("This seat is being restored already.") from error
        await self._connection.execute(insert(restore_steps), _step_rows(restore))

    async def get(self, restore: RestoreId) -> Restore | None:
        found = await self._restores(select(restores).where(_RESTORE.id == restore))
        return found[0] if found else None

    async def save(self, restore: Restore) -> None:
        done = await self._connection.execute(
            update(restores)
            .where(_RESTORE.id == restore.id, _RESTORE.version == restore.version - 1)
            .values(_row(restore))
        )
        if done.rowcount != 1:
            raise changed()
        await upsert(self._connection, restore_steps, _step_rows(restore))

    async def of_items(self, items: Iterable[ItemId]) -> dict[ItemId, Restore]:
        found: dict[ItemId, Restore] = {}
        for some in in_chunks(items):
            rows = await self._restores(select(restores).where(_RESTORE.item_id.in_(some)))
            found |= {restore.item_id: restore for restore in rows}
        return found

    async def of_campaign(self, campaign: CampaignId) -> list[Restore]:
        query = select(restores).where(_RESTORE.campaign_id == campaign).order_by(_RESTORE.asked_at, _RESTORE.id)
        return await self._restores(query)

    async def due(self, now: datetime, *, limit: int) -> list[Restore]:
        query = (
            select(restores)
            .where(_RESTORE.state == RestoreState.RESTORING.value, _RESTORE.not_before <= now)
            .order_by(_RESTORE.not_before, _RESTORE.id)
            .limit(limit)
        )
        return await self._restores(query)

    async def next_due(self, after: datetime) -> datetime | None:
        waits = (_RESTORE.state == RestoreState.RESTORING.value, _RESTORE.not_before > after)
        found: datetime | None = await self._connection.scalar(select(func.min(_RESTORE.not_before)).where(*waits))
        return found

    async def news(self, *, since: datetime) -> list[tuple[CampaignId, str]]:
        fresh = select(_RESTORE.campaign_id).where(or_(_RESTORE.asked_at >= since, _RESTORE.ended_at >= since))
        query = (
            select(
                _RESTORE.campaign_id,
                func.max(_RESTORE.asked_at).label("asked"),
                func.max(_RESTORE.ended_at).label("ended"),
                func.count(_RESTORE.ended_at).label("number"),
            )
            .where(_RESTORE.campaign_id.in_(fresh))
            .group_by(_RESTORE.campaign_id)
            .order_by(_RESTORE.campaign_id)
        )
        return [
            (CampaignId(row.campaign_id), f"{_ms(row.asked)}-{_ms(row.ended)}-{row.number}")
            for row in await self._connection.execute(query)
        ]

    async def any_running(self, person: PersonId, *, but: RestoreId) -> bool:
        running = (
            _RESTORE.person_id == person,
            _RESTORE.id != but,
            _RESTORE.state == RestoreState.RESTORING.value,
        )
        return await self._connection.scalar(select(_RESTORE.id).where(*running).limit(1)) is not None

    async def with_intended(self, people: Iterable[PersonId], *, but: RestoreId | None = None) -> frozenset[PersonId]:
        found: set[PersonId] = set()
        for some in in_chunks(people):
            query = (
                select(_RESTORE.person_id)
                .join(restore_steps, restore_steps.c.restore_id == _RESTORE.id)
                .where(
                    _RESTORE.person_id.in_(some),
                    _RESTORE.id != (but or ""),
                    _RESTORE.state == RestoreState.RESTORING.value,
                    restore_steps.c.state == RestoreStepState.INTENDED.value,
                )
            )
            found |= {PersonId(person) for person in await self._connection.scalars(query)}
        return frozenset(found)

    async def reverse(self, reversal: Reversal) -> bool:
        statement = insert_into(self._connection, reversals).values(
            item_id=reversal.item_id,
            campaign_id=reversal.campaign_id,
            how=reversal.how.value,
            at=reversal.at,
            through=list(reversal.through),
            run_id=reversal.run_id,
        )
        stored = await self._connection.execute(statement.on_conflict_do_nothing().returning(reversals.c.item_id))
        return stored.first() is not None

    async def reversals(self, items: Iterable[ItemId]) -> dict[ItemId, Reversal]:
        found: dict[ItemId, Reversal] = {}
        for some in in_chunks(items):
            rows = await self._connection.execute(select(reversals).where(reversals.c.item_id.in_(some)))
            found |= {one.item_id: one for one in map(_to_reversal, rows.mappings())}
        return found

    async def reversals_of(self, campaign: CampaignId, run: str | None = None) -> list[Reversal]:
        query = select(reversals).where(reversals.c.campaign_id == campaign)
        if run is not None:
            query = query.where(reversals.c.run_id == run)
        rows = await self._connection.execute(query.order_by(reversals.c.at, reversals.c.item_id))
        return [_to_reversal(row) for row in rows.mappings()]

    async def reversal_figures(self, campaign: CampaignId | None = None) -> list[ReversalFigure]:
        keys = (reversals.c.how, _ITEM.outcome, _ITEM.currency)
        query = (
            select(
                *keys, func.count().label("number"), func.coalesce(func.sum(_ITEM.monthly_minor), 0).label("monthly")
            )
            .join(review_items, _ITEM.id == reversals.c.item_id)
            .group_by(*keys)
        )
        if campaign is not None:
            query = query.where(reversals.c.campaign_id == campaign)
        return [
            ReversalFigure(
                how=Returned(row.how),
                outcome=Outcome(row.outcome),
                currency=row.currency,
                items=row.number,
                monthly_minor=int(row.monthly),
            )
            for row in await self._connection.execute(query)
        ]

    async def there_again(self, run: str, *, before: datetime, after: ItemId | None, limit: int) -> list[ItemId]:
        there = exists().where(seats.c.id == _ITEM.seat_id, seats.c.gone_at.is_(None), seats.c.seen_run == run)
        query = (
            select(_ITEM.id)
            .where(
                _ITEM.outcome.in_([outcome.value for outcome in VERIFIED_GONE]),
                _ITEM.verified_at < before,
                _ITEM.id > (after or ""),
                there,
                ~exists().where(reversals.c.item_id == _ITEM.id),
            )
            .order_by(_ITEM.id)
            .limit(limit)
        )
        return [ItemId(item) for item in await self._connection.scalars(query)]

    async def signed_in_again(
        self, run: str, *, since: datetime, after: ItemId | None, limit: int
    ) -> list[tuple[ItemId, datetime]]:
        # A failed or a background sign-in is no person who comes back; where Microsoft tells the successful one, it counts.
        seen = func.coalesce(people.c.success_at, people.c.interactive_at)
        query = (
            select(_ITEM.id, people.c.success_at, people.c.interactive_at)
            .join(people, people.c.id == _ITEM.person_id)
            .where(
                _ITEM.outcome == Outcome.REMOVED.value,
                _ITEM.verified_at >= since,
                seen > _ITEM.verified_at,
                people.c.sign_ins_run == run,
                people.c.gone_at.is_(None),
                people.c.enabled,
                _ITEM.id > (after or ""),
                ~exists().where(seats.c.id == _ITEM.seat_id, seats.c.gone_at.is_(None)),
                ~exists().where(restores.c.item_id == _ITEM.id),
                ~exists().where(reversals.c.item_id == _ITEM.id),
                ~exists().where(ask_backs.c.item_id == _ITEM.id),
            )
            .order_by(_ITEM.id)
            .limit(limit)
        )
        return [(ItemId(row.id), _signed_in(row)) for row in await self._connection.execute(query)]

    async def ask_back(self, asked: AskBack) -> bool:
        statement = insert_into(self._connection, ask_backs).values(
            item_id=asked.item_id,
            campaign_id=asked.campaign_id,
            person_id=asked.person_id,
            signed_in_at=asked.signed_in_at,
            asked_at=asked.asked_at,
            wanted=asked.wanted,
            answered_at=asked.answered_at,
        )
        stored = await self._connection.execute(statement.on_conflict_do_nothing().returning(ask_backs.c.item_id))
        return stored.first() is not None

    async def asked_back(self, item: ItemId) -> AskBack | None:
        row = (await self._connection.execute(select(ask_backs).where(ask_backs.c.item_id == item))).mappings().first()
        return None if row is None else _to_ask_back(row)

    async def answer_ask_back(self, item: ItemId, *, wanted: bool, at: datetime) -> None:
        await self._connection.execute(
            update(ask_backs).where(ask_backs.c.item_id == item).values(wanted=wanted, answered_at=at)
        )

    async def ask_back_figures(self, campaign: CampaignId) -> AskBackFigures:
        asked = select(func.count()).select_from(ask_backs).where(ask_backs.c.campaign_id == campaign)
        by_holder = [how.value for how in AskedHow if how.by_holder]
        wanted = (
            select(func.count())
            .select_from(restores)
            .where(_RESTORE.campaign_id == campaign, _RESTORE.how.in_(by_holder))
        )
        return AskBackFigures(
            asked=await self._connection.scalar(asked) or 0, wanted_back=await self._connection.scalar(wanted) or 0
        )

    async def _restores(self, query: Select[Any]) -> list[Restore]:
        rows = (await self._connection.execute(query)).mappings().all()
        steps: dict[str, list[RestoreStep]] = defaultdict(list)
        for some in in_chunks(row["id"] for row in rows):
            found = await self._connection.execute(
                select(restore_steps)
                .where(restore_steps.c.restore_id.in_(some))
                .order_by(restore_steps.c.restore_id, restore_steps.c.seq)
            )
            for row in found.mappings():
                steps[row["restore_id"]].append(_to_step(row))
        return [_to_restore(row, steps[row["id"]]) for row in rows]


def _ms(at: datetime | None) -> int:
    return int(at.timestamp() * 1000) if at else 0


def _signed_in(row: Row[Any, Any, Any]) -> datetime:
    at: datetime = row.success_at or row.interactive_at
    return at


def _row(restore: Restore) -> dict[str, object]:
    return {
        "id": restore.id,
        "item_id": restore.item_id,
        "campaign_id": restore.campaign_id,
        "person_id": restore.person_id,
        "product_id": restore.product_id,
        "state": restore.state.value,
        "how": restore.how.value,
        "why_not": restore.why_not.value if restore.why_not else None,
        **{name: getattr(restore, name) for name in _PLAIN},
    }


def _step_rows(restore: Restore) -> list[dict[str, object]]:
    return [
        {
            "restore_id": restore.id,
            "seq": seq,
            "kind": step.kind.value,
            "disabled_plans": list(step.disabled_plans),
            "state": step.state.value,
            **{name: getattr(step, name) for name in _STEP_PLAIN},
        }
        for seq, step in enumerate(restore.steps, start=1)
    ]


def _to_restore(row: RowMapping, steps: Sequence[RestoreStep]) -> Restore:
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return Restore(
        id=RestoreId(row["id"]),
        item_id=ItemId(row["item_id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        person_id=PersonId(row["person_id"]),
        product_id=ProductId(row["product_id"]),
        state=RestoreState(row["state"]),
        how=AskedHow(row["how"]),
        why_not=WhyNot(row["why_not"]) if row["why_not"] else None,
        steps=tuple(steps),
        **plain,
    )


def _to_step(row: RowMapping) -> RestoreStep:
    plain: dict[str, Any] = {name: row[name] for name in _STEP_PLAIN}
    return RestoreStep(
        kind=RestoreKind(row["kind"]),
        disabled_plans=tuple(row["disabled_plans"]),
        state=RestoreStepState(row["state"]),
        **plain,
    )


def _to_reversal(row: RowMapping) -> Reversal:
    return Reversal(
        item_id=ItemId(row["item_id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        how=Returned(row["how"]),
        at=row["at"],
        through=tuple(row["through"]),
        run_id=row["run_id"],
    )


def _to_ask_back(row: RowMapping) -> AskBack:
    return AskBack(
        item_id=ItemId(row["item_id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        person_id=PersonId(row["person_id"]),
        signed_in_at=row["signed_in_at"],
        asked_at=row["asked_at"],
        wanted=row["wanted"],
        answered_at=row["answered_at"],
    )
