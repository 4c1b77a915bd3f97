"""Review items, who had them, and the questions and answers that hold over all campaigns (rule 9).

An item is open here while it has no answer. Decisions are stored by `storage.decisions`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    Subquery,
    case,
    exists,
    func,
    literal,
    literal_column,
    select,
    union,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.campaign import CampaignState
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import (
    AssigneeId,
    BatchId,
    CampaignId,
    GroupId,
    ItemId,
    PersonId,
    ProductId,
    SeatId,
    seat_id,
)
from reclaim.domain.moves import Move
from reclaim.domain.removal import Outcome
from reclaim.domain.review import AssignedHow, Choice, ReviewItem, Waiting
from reclaim.errors import Conflict
from reclaim.ports.storage import CONFIRMED, ItemFigure, ReviewerCount, ReviewerFigures
from storage.insert_rows import insert_rows
from storage.repositories.conflicts import changed, is_duplicate
from storage.repositories.item_rows import (
    Assignment,
    answer_values,
    frozen_values,
    insert_assignments,
    next_version,
    progress_values,
    start_assignments,
    to_item,
    to_move,
    update_next_version,
)
from storage.repositories.messages import DELIVERED
from storage.repositories.people import can_review, members_were_read
from storage.tables import (
    answers,
    campaigns,
    groups,
    item_assignments,
    message_items,
    messages,
    people,
    questions,
    review_items,
    role_members,
    seats,
    seen_requests,
)
from storage.upsert import in_chunks, upsert

_ITEM = review_items.c
# Written out, not as a parameter: SQLite takes a partial index only for a condition that it can read.
_OF_GROUP = _ITEM.assignee_kind == literal_column("'group'")


class SqlItems:
    """`ports.storage.Items` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_many(self, items: Sequence[ReviewItem], *, at: datetime) -> None:
        if not items:
            return
        rows = [frozen_values(item) | answer_values(item) | progress_values(item) for item in items]
        await self._connection.run_sync(insert_rows, review_items, rows)
        firsts = [
            Assignment(
                item_id=item.id,
                assignee_id=item.assignee_id,
                kind=item.assignee_kind,
                how=item.assigned_how,
                by=None,
                reason=item.assigned_reason,
                at=at,
            )
            for item in items
        ]
        await self._connection.run_sync(insert_assignments, [(1, first) for first in firsts])

    async def get_many(self, items: Iterable[ItemId]) -> dict[ItemId, ReviewItem]:
        found: dict[ItemId, ReviewItem] = {}
        for some in in_chunks(items):
            found |= {item.id: item for item in await self._where(_ITEM.id.in_(some))}
        return found

    async def of_campaign(self, campaign: CampaignId) -> list[ReviewItem]:
        return await self._where(_ITEM.campaign_id == campaign)

    async def page(
        self, campaign: CampaignId, *, outcome: Outcome | None, after: SeatId | None, limit: int
    ) -> list[ReviewItem]:
        # The unique index on (campaign, seat) gives the order; with a plain comparison of the outcome SQLite would take
        # the index of the figures and sort the whole campaign for every page.
        wanted = func.coalesce(_ITEM.outcome, "") == (outcome.value if outcome else "")
        query = (
            select(review_items)
            .where(_ITEM.campaign_id == campaign, _ITEM.seat_id > (after or ""), wanted)
            .order_by(_ITEM.seat_id)
            .limit(limit)
        )
        return await self._items(query)

    async def for_reviewer(self, campaign: CampaignId, person: PersonId) -> list[ReviewItem]:
        return await self._where(_ITEM.id.in_(_concerning(person, _ITEM.campaign_id == campaign)))

    async def concerns(self, item: ReviewItem, person: PersonId) -> bool:
        return await self._any(_ITEM.id.in_(_concerning(person, _ITEM.id == item.id)))

    async def open_counts(
        self, asked: Iterable[tuple[CampaignId, PersonId]], groups: Mapping[PersonId, frozenset[GroupId]]
    ) -> Counter[tuple[CampaignId, PersonId]]:
        pairs = set(asked)
        reviewers: set[AssigneeId] = {person for _, person in pairs}
        reviewers |= {group for _, person in pairs for group in groups.get(person, ())}
        theirs: Counter[tuple[str, str]] = Counter()
        own: Counter[tuple[str, str, str]] = Counter()  # what nobody may answer, since it is their own seat
        here = (_ITEM.campaign_id.in_({campaign for campaign, _ in pairs}), _ITEM.choice.is_(None))
        for some in in_chunks(reviewers):
            query = select(_ITEM.campaign_id, _ITEM.assignee_id, func.count()).where(*here, _ITEM.assignee_id.in_(some))
            for campaign, assignee, number in await self._connection.execute(
                query.group_by(_ITEM.campaign_id, _ITEM.assignee_id)
            ):
                theirs[campaign, assignee] = number
        for members in in_chunks(person for _, person in pairs if groups.get(person)):
            held = (*here, _OF_GROUP, _ITEM.person_id.in_(members))
            for row in await self._connection.execute(
                select(_ITEM.campaign_id, _ITEM.assignee_id, _ITEM.person_id).where(*held)
            ):
                own[row.campaign_id, row.assignee_id, row.person_id] += 1
        return Counter(
            {
                (campaign, person): theirs[campaign, person]
                + sum(theirs[campaign, group] - own[campaign, group, person] for group in groups.get(person, ()))
                for campaign, person in pairs
            }
        )

    async def passed_on(self, campaign: CampaignId, person: PersonId) -> list[ReviewItem]:
        # From the hand-overs of this person, of which there are few. The campaign is asked of these only: beside the list of
        # ids SQLite would take its index, and read all items of the campaign once for each reviewer.
        handed = (
            select(_ITEM.id)
            .join(item_assignments, item_assignments.c.item_id == _ITEM.id)
            .where(
                item_assignments.c.by == person,
                item_assignments.c.how == AssignedHow.DELEGATED.value,
                _ITEM.campaign_id == campaign,
                _ITEM.assignee_id.is_distinct_from(person),
            )
        )
        return await self._where(_ITEM.id.in_(handed))

    async def of_batch(self, batch: BatchId) -> list[ReviewItem]:
        return await self._where(_ITEM.batch_id == batch)

    async def of_person(self, person: PersonId) -> list[ReviewItem]:
        return (await self.of_people([person])).get(person, [])

    async def of_people(self, people_: Iterable[PersonId]) -> dict[PersonId, list[ReviewItem]]:
        found: dict[PersonId, list[ReviewItem]] = defaultdict(list)
        for some in in_chunks(people_):
            query = (
                select(review_items)
                .join(campaigns, campaigns.c.id == _ITEM.campaign_id)
                .where(_ITEM.person_id.in_(some))
                .order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc(), _ITEM.id)
            )
            for item in await self._items(query):
                found[item.person_id].append(item)
        return dict(found)

    async def ended(self, people_: Iterable[PersonId]) -> dict[PersonId, dict[ItemId, Outcome]]:
        asked = set(people_)
        found: dict[PersonId, dict[ItemId, Outcome]] = {person: {} for person in asked}
        for some in in_chunks(asked):
            query = select(_ITEM.person_id, _ITEM.id, _ITEM.outcome).where(
                _ITEM.person_id.in_(some), _ITEM.outcome.is_not(None)
            )
            for person, item, outcome in await self._connection.execute(query):
                found[PersonId(person)][ItemId(item)] = Outcome(outcome)
        return found

    async def save(self, item: ReviewItem) -> None:
        """Store what may change; what was frozen at the opening (evidence, plan, price) is never written again."""
        values = answer_values(item) | progress_values(item)
        done = await self._connection.execute(update_next_version(values), next_version(item, values))
        if done.rowcount != 1:
            raise changed()

    async def save_progress(self, items: Sequence[ReviewItem]) -> None:
        """Look first, then store: the number of rows that many updates changed is not known on every driver."""
        if not items:
            return
        expected = {item.id: item.version - 1 for item in items}
        for some in in_chunks(expected):
            # In the order of ids, so that two replicas cannot block each other.
            query = select(_ITEM.id, _ITEM.version).where(_ITEM.id.in_(some)).order_by(_ITEM.id).with_for_update()
            stored = {ItemId(item): version for item, version in await self._connection.execute(query)}
            if any(stored.get(item) != expected[item] for item in some):
                raise changed()
        values = [{"version": item.version, **progress_values(item)} for item in items]
        await self._connection.execute(
            update_next_version(values[0]),
            [next_version(item, value) for item, value in zip(items, values, strict=True)],
        )

    async def record_assignment(
        self, item: ReviewItem, *, by: PersonId | None, how: AssignedHow, reason: str | None, at: datetime
    ) -> None:
        move = Assignment(
            item_id=item.id,
            assignee_id=item.assignee_id,
            kind=item.assignee_kind,
            how=how,
            by=by,
            reason=reason,
            at=at,
        )
        await self._connection.run_sync(start_assignments, [move])

    async def history(self, item: ItemId) -> list[Move]:
        rows = await self._connection.execute(
            select(item_assignments)
            .where(item_assignments.c.item_id == item)
            .order_by(item_assignments.c.stage, item_assignments.c.seq)
        )
        return [to_move(row) for row in rows.mappings()]

    async def move_many(self, items: Sequence[ReviewItem], *, by: PersonId | None, at: datetime) -> None:
        if not items:
            return
        rows = [next_version(item, answer_values(item)) for item in items]
        done = await self._connection.execute(update_next_version(answer_values(items[0])), rows)
        if done.rowcount != len(items):
            raise changed()
        moves = [
            Assignment(
                item_id=item.id,
                assignee_id=item.assignee_id,
                kind=item.assignee_kind,
                how=item.assigned_how,
                by=by,
                reason=item.assigned_reason if item.assigned_how is AssignedHow.DELEGATED else None,
                at=at,
            )
            for item in items
        ]
        await self._connection.run_sync(start_assignments, moves)

    async def open_with(self, campaign: CampaignId, assignee: AssigneeId) -> list[ReviewItem]:
        return await self._where(
            _ITEM.campaign_id == campaign,
            _ITEM.assignee_id == assignee,
            _ITEM.choice.is_(None),
            _ITEM.outcome.is_(None),
        )

    async def groups_asked(self) -> frozenset[GroupId]:
        query = (
            select(_ITEM.assignee_id)
            .join(campaigns, campaigns.c.id == _ITEM.campaign_id)
            .where(
                _OF_GROUP,
                _ITEM.choice.is_(None),
                campaigns.c.state.in_([CampaignState.OPENING.value, CampaignState.OPEN.value]),
            )
            .distinct()
        )
        return frozenset(GroupId(found) for found in await self._connection.scalars(query))

    async def reviewers(self, campaign: CampaignId) -> list[ReviewerCount]:
        """Count an answered item for who answered it and an open one for its assignee; none for nobody."""
        each = _by_reviewer(campaign)
        rows = await self._connection.execute(select(each).order_by(each.c.reviewer))
        return _to_reviewers(rows, await self._groups_in(campaign))

    async def asked(self, campaign: CampaignId, *, open_only: bool = False) -> list[PersonId]:
        here = _ITEM.campaign_id == campaign
        asks = [here, _ITEM.choice.is_(None)] if open_only else [here]
        found = await self._people(campaign, select(_ITEM.assignee_id).where(*asks), _members_of_items().where(*asks))
        if not open_only:
            answered = select(_ITEM.answered_by).where(here, _ITEM.answered_by.is_not(None)).distinct()
            found |= {PersonId(who) for who in await self._connection.scalars(answered)}
        return sorted(found)

    async def reviewer_figures(self, campaign: CampaignId, *, top: int) -> ReviewerFigures:
        each = _by_reviewer(campaign)
        done = func.count(case((each.c.still == 0, 1)))
        total, finished = (await self._connection.execute(select(func.count(), done).select_from(each))).one()
        name = func.coalesce(func.nullif(people.c.name, ""), people.c.upn, groups.c.name, each.c.reviewer)
        most = (
            select(each)
            .outerjoin(people, people.c.id == each.c.reviewer)
            .outerjoin(groups, groups.c.id == each.c.reviewer)
            .where(each.c.still > 0)
            .order_by(each.c.still.desc(), name, each.c.reviewer)
            .limit(top)
        )
        open_with = _to_reviewers(await self._connection.execute(most), await self._groups_in(campaign))
        return ReviewerFigures(total=total, done=finished, open_with=tuple(open_with))

    async def figures(self, campaign: CampaignId | None = None) -> list[ItemFigure]:
        # By the columns of `ix_review_items_figures` in their order, so that the index is added up as it is read: sorting
        # 100,000 items by anything else takes longer than reading them.
        keys = (
            _ITEM.campaign_id,
            _ITEM.outcome,
            _ITEM.choice,
            _ITEM.waiting,
            _ITEM.not_sure_by,
            _ITEM.product_id,
            _ITEM.currency,
        )
        query = select(*keys, func.count(), func.coalesce(func.sum(_ITEM.monthly_minor), 0)).group_by(*keys)
        if campaign is not None:
            query = query.where(_ITEM.campaign_id == campaign)
        found: dict[tuple[str | None, str | None, str | None, bool, str | None], tuple[int, int]] = {}
        for row in await self._connection.execute(query):
            _, outcome, choice, waiting, not_sure_by, _, currency, number, minor = row
            key = (outcome, choice, waiting, not_sure_by is not None, currency)
            items, monthly = found.get(key, (0, 0))
            found[key] = (items + number, monthly + int(minor))  # PostgreSQL adds integers up to a decimal
        return [
            ItemFigure(
                outcome=Outcome(outcome) if outcome else None,
                choice=Choice(choice) if choice else None,
                waiting=Waiting(waiting) if waiting else None,
                second_look=second_look,
                currency=currency,
                items=items,
                monthly_minor=monthly,
            )
            for (outcome, choice, waiting, second_look, currency), (items, monthly) in found.items()
        ]

    async def first_removed_at(self, campaign: CampaignId) -> datetime | None:
        query = select(func.min(_ITEM.outcome_at)).where(
            _ITEM.campaign_id == campaign, _ITEM.outcome == Outcome.REMOVED.value
        )
        first: datetime | None = (await self._connection.execute(query)).scalar_one()
        return first

    async def left_by_product(self, campaign: CampaignId) -> dict[ProductId, int]:
        query = (
            select(_ITEM.product_id, func.count())
            .where(_ITEM.campaign_id == campaign, _ITEM.outcome.is_(None))
            .group_by(_ITEM.product_id)
        )
        return {ProductId(product): number for product, number in await self._connection.execute(query)}

    async def any_left(self, campaign: CampaignId) -> bool:
        return await self._any(_ITEM.campaign_id == campaign, _ITEM.outcome.is_(None))

    async def any_open(self, campaign: CampaignId) -> bool:
        still = (_ITEM.outcome.is_(None), _ITEM.choice.is_(None), _ITEM.assignee_id.is_not(None))
        return await self._any(_ITEM.campaign_id == campaign, *still)

    async def unconfirmed(self, *, after: ItemId | None, limit: int) -> list[ReviewItem]:
        there = exists().where(seats.c.id == _ITEM.seat_id, seats.c.gone_at.is_(None))
        attested = exists().where(seen_requests.c.key == confirmed_key(_ITEM.id))
        query = (
            select(review_items)
            .join(campaigns, campaigns.c.id == _ITEM.campaign_id)
            .where(
                campaigns.c.state.in_((CampaignState.APPLYING.value, CampaignState.CLOSED.value)),
                _ITEM.outcome == Outcome.REMOVED.value,
                _ITEM.id > (after or ""),
                ~there,
                ~attested,
            )
            .order_by(_ITEM.id)
            .limit(limit)
        )
        return await self._items(query)

    async def open_campaigns_of(self, person: PersonId) -> list[CampaignId]:
        """Return them in the order in which they close."""
        mine = select(_ITEM.campaign_id).where(_ITEM.id.in_(_concerning(person)))
        query = (
            select(campaigns.c.id)
            .where(campaigns.c.state == CampaignState.OPEN.value, campaigns.c.id.in_(mine))
            .order_by(campaigns.c.closes_at, campaigns.c.id)
        )
        return [CampaignId(found) for found in await self._connection.scalars(query)]

    async def without_card(self, campaign: CampaignId) -> list[PersonId]:
        asks = (_ITEM.campaign_id == campaign, _ITEM.choice.is_(None))
        persons = select(_ITEM.assignee_id).where(*asks, ~_shown_to(_ITEM.assignee_id))
        members = _members_of_items().where(*asks, ~_shown_to(role_members.c.person_id))
        return sorted(await self._people(campaign, persons, members))

    async def delivered_to_assignee(self, items: Iterable[ItemId]) -> frozenset[ItemId]:
        found: set[ItemId] = set()
        for some in in_chunks(items):
            query = select(_ITEM.id).where(_ITEM.id.in_(some), _shown_to_assignee())
            found |= {ItemId(item) for item in await self._connection.scalars(query)}
        return frozenset(found)

    async def with_open_question(self, seats: Iterable[SeatId]) -> frozenset[SeatId]:
        return await self._which(seats, questions.c.person_id, questions.c.product_id, questions.c.closed_at.is_(None))

    async def answered_until(self, seats: Iterable[SeatId], now: datetime) -> frozenset[SeatId]:
        return await self._which(seats, answers.c.person_id, answers.c.product_id, answers.c.until > now)

    async def open_questions(self, items: Sequence[ReviewItem], *, at: datetime) -> None:
        if not items:
            return
        rows = [
            {"ref": item.id, "person_id": item.person_id, "product_id": item.product_id, "opened_at": at}
            for item in items
        ]
        try:
            # The savepoint leaves the unit of work usable after a Conflict, which PostgreSQL would not by itself.
            async with self._connection.begin_nested():
                await self._connection.run_sync(insert_rows, questions, rows)
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise Conflict("Somebody is being asked about one of these seats already.") from error

    async def close_questions(self, items: Iterable[ItemId], *, at: datetime) -> None:
        for some in in_chunks(items):
            await self._connection.execute(
                update(questions).where(questions.c.closed_at.is_(None), questions.c.ref.in_(some)).values(closed_at=at)
            )

    async def remember_answers(self, items: Sequence[ReviewItem], *, until: datetime) -> None:
        """Keep the newest answer per person and product; an item without an answer leaves what is known as it is."""
        rows = [
            {
                "person_id": item.person_id,
                "product_id": item.product_id,
                "ref": item.id,
                "choice": item.answer.choice.value,
                "reason": item.answer.reason.value if item.answer.reason else None,
                "answered_at": item.answer.at,
                "until": until,
            }
            for item in items
            if item.answer is not None
        ]
        await upsert(self._connection, answers, rows)

    async def _any(self, *conditions: ColumnElement[bool]) -> bool:
        return (await self._connection.scalar(select(_ITEM.id).where(*conditions).limit(1))) is not None

    async def _people(self, campaign: CampaignId, assignees: Select[Any], members: Select[Any]) -> set[PersonId]:
        """Return who is behind assignees: people themselves, groups by their members.

        That an assignee is a group is told apart here: in the query it would cost a look at the long row of every item.
        """
        found = set(await self._connection.scalars(assignees.where(_ITEM.assignee_id.is_not(None)).distinct()))
        groups = await self._groups_in(campaign)
        if groups:
            found |= set(await self._connection.scalars(members.distinct()))
        return {PersonId(one) for one in found - groups}

    async def _groups_in(self, campaign: CampaignId) -> frozenset[str]:
        query = select(_ITEM.assignee_id).where(_ITEM.campaign_id == campaign, _OF_GROUP).distinct()
        return frozenset(await self._connection.scalars(query))

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


def confirmed_key(item: ColumnElement[str]) -> ColumnElement[str]:
    """The key under which `Controls.once` remembers that a sync has confirmed the removal of an item."""
    return literal(CONFIRMED) + item


def _by_reviewer(campaign: CampaignId) -> Subquery:
    """One row per reviewer: who, items in all, items still open."""
    reviewer = case((_ITEM.choice.is_not(None), _ITEM.answered_by), else_=_ITEM.assignee_id)
    # Added up in two steps: the first follows the index, and leaves few rows to the second.
    keys = (_ITEM.assignee_id, _ITEM.answered_by, _ITEM.choice)
    parts = (
        select(reviewer.label("reviewer"), _ITEM.choice, func.count().label("number"))
        .where(_ITEM.campaign_id == campaign)
        .group_by(*keys)
        .subquery()
    )
    still = func.sum(case((parts.c.choice.is_(None), parts.c.number), else_=0))
    return (
        select(parts.c.reviewer, func.sum(parts.c.number).label("number"), still.label("still"))
        .where(parts.c.reviewer.is_not(None))
        .group_by(parts.c.reviewer)
        .subquery()
    )


def _to_reviewers(rows: Iterable[Row[Any]], groups: Set[str]) -> list[ReviewerCount]:
    return [
        ReviewerCount(
            assignee_id=row.reviewer,
            kind=AssigneeKind.GROUP if row.reviewer in groups else AssigneeKind.PERSON,
            total=int(row.number),  # PostgreSQL adds integers up to a decimal
            open=int(row.still),
        )
        for row in rows
    ]


def _concerning(person: PersonId, *where: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Select the ids of what belongs on this person's list, one index for each way in which it can.

    Theirs or their group's, answered by them, passed on by them and still open, or moved away from them and still open.
    """
    groups = _groups_of(person)
    open_still = _ITEM.choice.is_(None)
    moved = (_ITEM.assigned_how == AssignedHow.REASSIGNED.value, open_still)
    ways = [
        (_ITEM.assignee_id == person,),
        (_ITEM.answered_by == person,),
        (_ITEM.delegated_by == person, open_still),
        (_ITEM.assignee_id.in_(groups), _OF_GROUP, _ITEM.person_id != person),
        (_ITEM.moved_from == person, *moved),
        (_ITEM.moved_from.in_(groups), _ITEM.person_id != person, *moved),
    ]
    return union(*(select(_ITEM.id).where(*where, *way) for way in ways))


def _groups_of(person: PersonId) -> Select[Any]:
    return (
        select(role_members.c.group_id)
        .join(people, people.c.id == role_members.c.person_id)
        .where(people.c.id == person, can_review(), members_were_read())
    )


def _members_of_items() -> Select[Any]:
    """Select who may answer what groups have: one row per item and member who can review and is not the holder."""
    return (
        select(role_members.c.person_id)
        .select_from(review_items)
        .join(role_members, role_members.c.group_id == _ITEM.assignee_id)
        .join(people, people.c.id == role_members.c.person_id)
        .where(_OF_GROUP, can_review(), members_were_read(), role_members.c.person_id != _ITEM.person_id)
    )


def _shown_to(person: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether this person got a card with the item."""
    return exists().where(
        message_items.c.item_id == _ITEM.id,
        messages.c.id == message_items.c.message_id,
        messages.c.person_id == person,
        messages.c.state.in_(DELIVERED),
    )


def _shown_to_assignee() -> ColumnElement[bool]:
    """Whether the present assignee, and not only an earlier one, got a card with this item; of a group one member counts."""
    member = exists().where(
        role_members.c.group_id == _ITEM.assignee_id,
        people.c.id == role_members.c.person_id,
        can_review(),
        members_were_read(),
        people.c.id != _ITEM.person_id,
        message_items.c.item_id == _ITEM.id,
        messages.c.id == message_items.c.message_id,
        messages.c.person_id == people.c.id,
        messages.c.state.in_(DELIVERED),
    )
    return case((_OF_GROUP, member), else_=_shown_to(_ITEM.assignee_id))
