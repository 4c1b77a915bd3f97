"""Review items, who had them, and the questions and answers that hold over all campaigns (rule 9).

An item is open here while it has no answer. Decisions are stored by `storage.decisions`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, and_, case, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import BatchId, CampaignId, ItemId, PersonId, ProductId, SeatId, seat_id
from reclaim.domain.review import AssignedHow, ReviewItem
from reclaim.errors import Conflict
from reclaim.ports.storage import ReviewerCount
from storage.repositories.conflicts import changed, is_duplicate
from storage.repositories.item_rows import (
    Assignment,
    answer_values,
    frozen_values,
    next_version,
    progress_values,
    start_assignments,
    to_item,
    update_next_version,
)
from storage.repositories.messages import DELIVERED
from storage.tables import answers, campaigns, item_assignments, message_items, messages, questions, review_items
from storage.upsert import in_chunks, upsert

_ITEM = review_items.c


class SqlItems:
    """`ports.storage.Items` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_many(self, items: Sequence[ReviewItem], *, at: datetime) -> None:
        if not items:
            return
        rows = [frozen_values(item) | answer_values(item) | progress_values(item) for item in items]
        await self._connection.execute(insert(review_items), rows)
        firsts = [
            Assignment(
                item_id=item.id,
                assignee_id=item.assignee_id,
                how=item.assigned_how,
                by=None,
                reason=item.assigned_reason,
                at=at,
            )
            for item in items
        ]
        await self._connection.run_sync(start_assignments, firsts)

    async def get_many(self, items: Iterable[ItemId]) -> dict[ItemId, ReviewItem]:
        found: dict[ItemId, ReviewItem] = {}
        for some in in_chunks(items):
            found |= {item.id: item for item in await self._where(_ITEM.id.in_(some))}
        return found

    async def of_campaign(self, campaign: CampaignId) -> list[ReviewItem]:
        return await self._where(_ITEM.campaign_id == campaign)

    async def for_reviewer(self, campaign: CampaignId, person: PersonId) -> list[ReviewItem]:
        return await self._where(_ITEM.campaign_id == campaign, _concerns(person))

    async def passed_on(self, campaign: CampaignId, person: PersonId) -> list[ReviewItem]:
        # From the hand-overs of this person, of which there are few, not from all items of the campaign.
        handed = select(item_assignments.c.item_id).where(
            item_assignments.c.by == person, item_assignments.c.how == AssignedHow.DELEGATED.value
        )
        return await self._where(
            _ITEM.id.in_(handed), _ITEM.campaign_id == campaign, _ITEM.assignee_id.is_distinct_from(person)
        )

    async def of_batch(self, batch: BatchId) -> list[ReviewItem]:
        return await self._where(_ITEM.batch_id == batch)

    async def of_person(self, person: PersonId) -> list[ReviewItem]:
        query = (
            select(review_items)
            .join(campaigns, campaigns.c.id == _ITEM.campaign_id)
            .where(_ITEM.person_id == person)
            .order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc(), _ITEM.id)
        )
        return await self._items(query)

    async def save(self, item: ReviewItem) -> None:
        """Store what may change; what was frozen at the opening (evidence, plan, price) is never written again."""
        values = answer_values(item) | progress_values(item)
        done = await self._connection.execute(update_next_version(values), next_version(item, values))
        if done.rowcount != 1:
            raise changed()

    async def record_assignment(
        self, item: ReviewItem, *, by: PersonId | None, how: AssignedHow, reason: str | None, at: datetime
    ) -> None:
        move = Assignment(item_id=item.id, assignee_id=item.assignee_id, how=how, by=by, reason=reason, at=at)
        await self._connection.run_sync(start_assignments, [move])

    async def reviewers(self, campaign: CampaignId) -> list[ReviewerCount]:
        """Count an answered item for who answered it and an open one for its assignee; none for nobody."""
        reviewer = case((_ITEM.choice.is_not(None), _ITEM.answered_by), else_=_ITEM.assignee_id).label("reviewer")
        each = select(reviewer, _ITEM.choice).where(_ITEM.campaign_id == campaign).subquery()
        query = (
            select(each.c.reviewer, func.count(), func.count() - func.count(each.c.choice))
            .where(each.c.reviewer.is_not(None))
            .group_by(each.c.reviewer)
            .order_by(each.c.reviewer)
        )
        rows = await self._connection.execute(query)
        return [ReviewerCount(person_id=PersonId(who), total=total, open=still) for who, total, still in rows]

    async def counts(self, campaign: CampaignId) -> dict[tuple[str, str, str], int]:
        keys = (_ITEM.choice, _ITEM.outcome, _ITEM.waiting)
        query = select(*keys, func.count()).where(_ITEM.campaign_id == campaign).group_by(*keys)
        rows = await self._connection.execute(query)
        return {(choice or "", outcome or "", waiting or ""): number for choice, outcome, waiting, number in rows}

    async def open_campaigns_of(self, person: PersonId) -> list[CampaignId]:
        """Return them in the order in which they close."""
        mine = exists().where(_ITEM.campaign_id == campaigns.c.id, _concerns(person))
        query = (
            select(campaigns.c.id)
            .where(campaigns.c.state == CampaignState.OPEN.value, mine)
            .order_by(campaigns.c.closes_at, campaigns.c.id)
        )
        return [CampaignId(found) for found in await self._connection.scalars(query)]

    async def without_card(self, campaign: CampaignId) -> list[PersonId]:
        query = (
            select(_ITEM.assignee_id)
            .where(
                _ITEM.campaign_id == campaign,
                _ITEM.choice.is_(None),
                _ITEM.assignee_id.is_not(None),
                ~_shown_to_assignee(),
            )
            .distinct()
            .order_by(_ITEM.assignee_id)
        )
        return [PersonId(found) for found in await self._connection.scalars(query)]

    async def delivered_to_assignee(self, campaign: CampaignId) -> frozenset[ItemId]:
        query = select(_ITEM.id).where(_ITEM.campaign_id == campaign, _shown_to_assignee())
        return frozenset(ItemId(found) for found in await self._connection.scalars(query))

    async def with_open_question(self, seats: Iterable[SeatId]) -> frozenset[SeatId]:
        return await self._which(seats, questions.c.person_id, questions.c.product_id, questions.c.closed_at.is_(None))

    async def answered_until(self, seats: Iterable[SeatId], now: datetime) -> frozenset[SeatId]:
        return await self._which(seats, answers.c.person_id, answers.c.product_id, answers.c.until > now)

    async def open_questions(self, items: Sequence[ReviewItem], *, at: datetime) -> None:
        if not items:
            return
        rows = [
            {"item_id": item.id, "person_id": item.person_id, "product_id": item.product_id, "opened_at": at}
            for item in items
        ]
        try:
            # The savepoint leaves the unit of work usable after a Conflict, which PostgreSQL would not by itself.
            async with self._connection.begin_nested():
                await self._connection.execute(insert(questions), rows)
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise Conflict("Somebody is being asked about one of these seats already.") from error

    async def close_questions(self, campaign: CampaignId, *, at: datetime) -> None:
        asked = select(_ITEM.id).where(_ITEM.campaign_id == campaign)
        await self._connection.execute(
            update(questions)
            .where(questions.c.closed_at.is_(None), questions.c.item_id.in_(asked))
            .values(closed_at=at)
        )

    async def remember_answers(self, items: Sequence[ReviewItem], *, until: datetime) -> None:
        """Keep the newest answer per person and product; an item without an answer leaves what is known as it is."""
        rows = [
            {
                "person_id": item.person_id,
                "product_id": item.product_id,
                "item_id": item.id,
                "choice": item.answer.choice.value,
                "reason": item.answer.reason.value if item.answer.reason else None,
                "answered_at": item.answer.at,
                "until": until,
            }
            for item in items
            if item.answer is not None
        ]
        await upsert(self._connection, answers, rows)

    async def _where(self, *conditions: ColumnElement[bool]) -> list[ReviewItem]:
        return await self._items(select(review_items).where(*conditions).order_by(_ITEM.id))

    async def _items(self, query: Select[Any]) -> list[ReviewItem]:
        rows = await self._connection.execute(query)
        return [to_item(row) for row in rows.mappings()]

    async def _which(
        self, seats: Iterable[SeatId], person: Column[Any], product: Column[Any], condition: ColumnElement[bool]
    ) -> frozenset[SeatId]:
        """Return those of `seats` of which a row with `condition` speaks. People hold few products: read by person."""
        asked = frozenset(seats)
        found: set[SeatId] = set()
        for some in in_chunks(seat.partition(":")[0] for seat in asked):
            rows = await self._connection.execute(select(person, product).where(person.in_(some), condition))
            found |= {seat_id(PersonId(who), ProductId(what)) for who, what in rows}
        return asked & found


def _concerns(person: PersonId) -> ColumnElement[bool]:
    """Whether an item belongs on this person's list: theirs, answered by them, or passed on by them and still open."""
    passed_on = and_(_ITEM.delegated_by == person, _ITEM.choice.is_(None))
    return or_(_ITEM.assignee_id == person, _ITEM.answered_by == person, passed_on)


def _shown_to_assignee() -> ColumnElement[bool]:
    """Whether the present assignee, and not only an earlier one, got a card with this item."""
    return exists().where(
        message_items.c.item_id == _ITEM.id,
        messages.c.id == message_items.c.message_id,
        messages.c.person_id == _ITEM.assignee_id,
        messages.c.state.in_(DELIVERED),
    )
