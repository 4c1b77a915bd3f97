import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, make_url, select

from reclaim.domain.campaign import CampaignState
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.idle import Rule
from reclaim.domain.ids import BatchId, ItemId, MessageId, PersonId, ProductId
from reclaim.domain.removal import Blocker, Outcome, RemovalPlan
from reclaim.domain.review import AssignedHow, Choice, Recommendation, ReviewItem, Waiting
from reclaim.errors import Conflict
from reclaim.ports.storage import ItemFigure, ReviewerCount, ReviewerFigures, Work
from storage.engine import Database
from storage.tables import item_assignments, review_items
from storage.unit_of_work import SqlWork
from tests.contract.storage.campaign_samples import (
    ALEX,
    AUTUMN,
    BLAIR,
    CASEY,
    HOUR,
    NOW,
    SPRING,
    answered,
    autumn,
    campaign,
    ended,
    handed_to,
    item,
    message,
    snapshot,
    store,
    stored,
)
from tests.databases import store_job


async def save(work: Work, one: ReviewItem) -> None:
    async with work.write() as unit:
        await unit.items.save(one)
        await unit.commit()


async def assign(work: Work, one: ReviewItem, *, by: PersonId | None = ALEX, reason: str | None = None) -> None:
    """Save an item with its next assignee and put that into its history."""
    async with work.write() as unit:
        await unit.items.save(one)
        await unit.items.record_assignment(one, by=by, how=one.assigned_how, reason=reason, at=NOW + HOUR)
        await unit.commit()


async def send_card(work: Work, id: str, person: PersonId, *items: ReviewItem, state: str = "sent") -> None:
    async with work.write() as unit:
        await unit.messages.put(message(id, person=person, state=state))
        await unit.messages.show_items(MessageId(id), [one.id for one in items])
        await unit.commit()


async def history(database: Database, one: ReviewItem) -> Sequence[tuple[Any, ...]]:
    """Return (seq, assignee, how, by, reason, at, ended_at) of an item's assignments."""
    row = item_assignments.c
    query = (
        select(row.seq, row.assignee_id, row.how, row.by, row.reason, row.at, row.ended_at)
        .where(row.item_id == one.id)
        .order_by(row.stage, row.seq)
    )
    async with database.reads.connect() as connection:
        return [tuple(found) for found in await connection.execute(query)]


BARE = replace(
    item(),
    rule=Rule.DISABLED,
    recommendation=Recommendation.LOOK_CLOSER,
    plan=RemovalPlan(blocker=Blocker.LAST_MAILBOX, blocker_ref="sku"),
    snapshot=replace(
        item().snapshot,
        department=None,
        account_enabled=None,
        disabled_seen_at=None,
        last_seen_at=None,
        last_seen_kind=None,
        assigned_at=None,
        paths=(),
        path_names={},
        monthly=None,
    ),
    assignee_id=None,
    assigned_how=AssignedHow.FALLBACK,
)


@pytest.mark.parametrize("one", [item(), BARE, answered(item()), ended(answered(item()))])
async def test_every_field_of_an_item_comes_back(work: Work, one: ReviewItem) -> None:
    await store(work, one)

    assert await stored(work, one) == one


async def test_the_price_stands_in_columns_too_so_that_it_can_be_added_up(work: Work, database: Database) -> None:
    await store(work, item())

    async with database.reads.connect() as connection:
        found = await connection.execute(select(review_items.c.monthly_minor, review_items.c.currency))
        assert [tuple(row) for row in found] == [(1510, "EUR")]


@pytest.mark.parametrize("choice", [Choice.KEEP, Choice.REVOKE, Choice.NOT_SURE])
async def test_saving_the_next_version_stores_every_field_that_may_change(work: Work, choice: Choice) -> None:
    await store(work, item())
    later = ended(answered(item(), choice))

    await save(work, replace(later, version=2))

    assert await stored(work, item()) == replace(later, version=2)


async def test_saving_can_empty_every_field_that_may_be_empty(work: Work) -> None:
    await store(work, ended(answered(item())))
    empty = replace(item(), version=4, assignee_id=None)

    await save(work, empty)

    assert await stored(work, item()) == empty


async def test_saving_never_rewrites_what_was_frozen(work: Work) -> None:
    await store(work, item())

    await save(work, replace(BARE, version=2))

    found = await stored(work, item())
    assert (found.snapshot, found.plan, found.rule) == (item().snapshot, item().plan, item().rule)


async def test_saving_a_stale_item_is_a_conflict_and_changes_nothing(work: Work) -> None:
    await store(work, item())
    kept = answered(item())
    await save(work, kept)

    with pytest.raises(Conflict, match=r"^It was changed a moment ago\. You see the present state now\.$"):
        await save(work, answered(item(), Choice.REVOKE))

    assert await stored(work, item()) == kept


async def test_of_two_saves_at_once_one_wins(work: Work) -> None:
    await store(work, item())
    changes = [answered(item(), Choice.KEEP), answered(item(), Choice.REVOKE)]

    results = await asyncio.gather(*(save(work, one) for one in changes), return_exceptions=True)

    assert [type(result) for result in results if result is not None] == [Conflict]
    assert await stored(work, item()) == changes[results.index(None)]


async def test_one_campaign_asks_about_a_seat_once(work: Work) -> None:
    await store(work, item())

    with pytest.raises(Exception, match=r"(?i)unique"):
        async with work.write() as unit:
            await unit.items.add_many([replace(item(), id=ItemId("another"))], at=NOW)


async def test_many_items_are_found_by_id(work: Work) -> None:
    items = [item(n) for n in range(1_000)]
    await store(work, *items)

    async with work.read() as unit:
        found = await unit.items.get_many([*(one.id for one in items), ItemId("missing")])

    assert found == {one.id: one for one in items}


async def test_items_are_found_by_campaign_batch_and_holder(work: Work) -> None:
    first, second = item(1), answered(item(2), batch="b7")
    newer = item(1, campaign=AUTUMN)
    await store(work, first, second, newer, campaigns=(campaign(), autumn()))

    async with work.read() as unit:
        assert await unit.items.of_campaign(SPRING) == [first, second]
        assert await unit.items.of_batch(BatchId("b7")) == [second]
        assert await unit.items.of_person(first.person_id) == [newer, first]
        assert await unit.items.of_person(PersonId("nobody")) == []


async def test_a_reviewer_sees_what_is_with_them_what_they_answered_and_what_they_passed_on(work: Work) -> None:
    mine = item(1)
    answered_by_me = replace(answered(item(2)), assignee_id=BLAIR)
    passed_on = handed_to(item(3), BLAIR)
    passed_on_and_answered = answered(handed_to(item(4), BLAIR), by=BLAIR)
    theirs = item(5, assignee=BLAIR)
    elsewhere = item(6, campaign=AUTUMN)
    await store(
        work,
        *(mine, answered_by_me, passed_on, passed_on_and_answered, theirs, elsewhere),
        campaigns=(campaign(), autumn()),
    )

    async with work.read() as unit:
        assert await unit.items.for_reviewer(SPRING, ALEX) == [mine, answered_by_me, passed_on]
        assert [await unit.items.concerns(one, ALEX) for one in (mine, answered_by_me, passed_on, theirs)] == [
            True,
            True,
            True,
            False,
        ]
        asked = [(SPRING, ALEX), (SPRING, BLAIR), (AUTUMN, BLAIR), (AUTUMN, ALEX)]
        counts = await unit.items.open_counts(asked, {})
        assert [counts[one] for one in asked] == [1, 2, 0, 1]


async def test_the_first_assignment_is_stored_with_the_item(work: Work, database: Database) -> None:
    await store(work, item(1), replace(item(2), assignee_id=None))

    assert await history(database, item(1)) == [(1, "alex", "manager", None, None, NOW, None)]
    assert await history(database, item(2)) == []


async def test_assignments_follow_one_another_without_a_gap(work: Work, database: Database) -> None:
    await store(work, item(1), item(2))
    to_blair = handed_to(item(1), BLAIR)

    await assign(work, to_blair, reason="knows Zoë")
    await assign(work, handed_to(to_blair, CASEY, by=BLAIR), by=BLAIR)

    later = NOW + HOUR
    assert await history(database, item(1)) == [
        (1, "alex", "manager", None, None, NOW, later),
        (2, "blair", "delegated", "alex", "knows Zoë", later, later),
        (3, "casey", "delegated", "blair", None, later, None),
    ]
    assert await history(database, item(2)) == [(1, "alex", "manager", None, None, NOW, None)]


async def test_an_item_left_to_nobody_ends_its_assignment(work: Work, database: Database) -> None:
    await store(work, item())

    await assign(work, handed_to(item(), None))

    assert await history(database, item()) == [(1, "alex", "manager", None, None, NOW, NOW + HOUR)]


async def test_reviewers_are_counted_by_who_answered_and_who_has_what_is_open(work: Work) -> None:
    await store(
        work,
        item(1),
        answered(item(2)),
        answered(handed_to(item(3), BLAIR), by=BLAIR),
        replace(answered(item(4), Choice.NOT_SURE), assignee_id=CASEY),
        handed_to(item(5), BLAIR),
        replace(item(6), assignee_id=None),
    )

    async with work.read() as unit:
        assert await unit.items.reviewers(SPRING) == [
            ReviewerCount(kind=AssigneeKind.PERSON, assignee_id=ALEX, total=3, open=1),
            ReviewerCount(kind=AssigneeKind.PERSON, assignee_id=BLAIR, total=2, open=1),
        ]
        assert await unit.items.reviewers(AUTUMN) == []
        assert await unit.items.reviewer_figures(SPRING, top=1) == ReviewerFigures(
            total=2, done=0, open_with=(ReviewerCount(assignee_id=ALEX, kind=AssigneeKind.PERSON, total=3, open=1),)
        )
        assert await unit.items.reviewer_figures(AUTUMN, top=9) == ReviewerFigures(total=0, done=0, open_with=())


async def test_items_are_added_up_by_what_became_of_them_and_by_currency(work: Work) -> None:
    unpriced = replace(item(2), snapshot=replace(snapshot(), monthly=None))
    await store(
        work,
        item(1),
        unpriced,
        replace(item(6), not_sure_by=BLAIR),
        replace(answered(item(4), Choice.REVOKE), waiting=Waiting.QUEUED),
        replace(answered(item(5), Choice.REVOKE), outcome=Outcome.REMOVED),
        replace(answered(item(7), Choice.REVOKE), outcome=Outcome.REMOVED),
    )
    nothing = ItemFigure(
        outcome=None, choice=None, waiting=None, second_look=False, currency="EUR", items=1, monthly_minor=1510
    )

    async with work.read() as unit:
        found = await unit.items.figures(SPRING)
        assert await unit.items.figures(AUTUMN) == []
        assert await unit.items.left_by_product(SPRING) == {item().product_id: 4}

    assert len(found) == 5
    assert set(found) == {
        nothing,
        replace(nothing, currency=None, monthly_minor=0),
        replace(nothing, second_look=True),
        replace(nothing, choice=Choice.REVOKE, waiting=Waiting.QUEUED),
        replace(nothing, choice=Choice.REVOKE, outcome=Outcome.REMOVED, items=2, monthly_minor=3020),
    }


async def test_a_campaign_is_open_or_left_while_one_item_is(work: Work) -> None:
    done = replace(answered(item(1)), outcome=Outcome.KEPT)
    await store(work, done, answered(item(2)), item(1, campaign=AUTUMN), campaigns=(campaign(), autumn()))

    async with work.read() as unit:
        assert (await unit.items.any_open(SPRING), await unit.items.any_left(SPRING)) == (False, True)
        assert (await unit.items.any_open(AUTUMN), await unit.items.any_left(AUTUMN)) == (True, True)

    await save(work, replace(answered(item(2)), outcome=Outcome.KEPT, version=answered(item(2)).version + 1))

    async with work.read() as unit:
        assert (await unit.items.any_open(SPRING), await unit.items.any_left(SPRING)) == (False, False)


async def test_a_campaign_is_read_in_pages_that_keep_a_persons_items_together(work: Work) -> None:
    over = replace(item(3), outcome=Outcome.FAILED)
    second = item(1, product=ProductId("project"))
    await store(work, item(2), over, item(1), second, item(4, campaign=AUTUMN), campaigns=(campaign(), autumn()))

    async with work.read() as unit:
        first = await unit.items.page(SPRING, outcome=None, after=None, limit=2)
        rest = await unit.items.page(SPRING, outcome=None, after=first[-1].seat_id, limit=2)
        assert await unit.items.page(SPRING, outcome=Outcome.FAILED, after=None, limit=2) == [over]

    assert (first, rest) == ([second, item(1)], [item(2)])


async def test_progress_of_many_is_stored_and_nothing_else(work: Work) -> None:
    one, two = item(1), answered(item(2))
    await store(work, one, two)

    async with work.write() as unit:
        await unit.items.save_progress(
            [
                replace(one, outcome=Outcome.KEPT, version=one.version + 1, assignee_id=BLAIR),
                replace(two, waiting=Waiting.QUEUED, version=two.version + 1),
            ]
        )
        await unit.commit()

    assert await stored(work, one) == replace(one, outcome=Outcome.KEPT, version=one.version + 1)
    assert await stored(work, two) == replace(two, waiting=Waiting.QUEUED, version=two.version + 1)


async def test_progress_of_many_is_a_conflict_where_one_of_them_moved(work: Work) -> None:
    one, two = item(1), item(2)
    await store(work, one, two)
    await save(work, answered(two))

    async with work.write() as unit:
        with pytest.raises(Conflict):
            await unit.items.save_progress([replace(i, outcome=Outcome.KEPT, version=2) for i in (one, two)])

    assert (await stored(work, one)).outcome is None


async def test_open_campaigns_of_a_reviewer_come_in_the_order_in_which_they_close(work: Work) -> None:
    closed = campaign("closed", state=CampaignState.CLOSED)
    strange = campaign("strange")
    await store(
        work,
        *(answered(item(1)), item(1, campaign=AUTUMN)),
        *(item(1, campaign=closed.id), item(1, campaign=strange.id, assignee=BLAIR)),
        campaigns=(campaign(), autumn(), closed, strange),
    )

    async with work.read() as unit:
        assert await unit.items.open_campaigns_of(ALEX) == [AUTUMN, SPRING]
        assert await unit.items.open_campaigns_of(CASEY) == []


async def test_a_card_counts_only_for_the_items_on_it_and_only_when_it_was_delivered(work: Work) -> None:
    first, second, third = item(1), item(2), item(3, assignee=BLAIR)
    await store(work, first, second, third)

    await send_card(work, "m1", ALEX, first)
    await send_card(work, "m2", ALEX, second, state="intended")
    await send_card(work, "m3", BLAIR, third, state="dead")

    async with work.read() as unit:
        assert await unit.items.delivered_to_assignee([first.id, second.id, third.id]) == {first.id}
        assert await unit.items.without_card(SPRING) == [ALEX, BLAIR]


async def test_updated_cards_count_and_replaced_ones_do_not(work: Work) -> None:
    first, second = item(1), item(2, assignee=BLAIR)
    await store(work, first, second)

    await send_card(work, "m1", ALEX, first, state="updated")
    await send_card(work, "m2", BLAIR, second, state="replaced")

    async with work.read() as unit:
        assert await unit.items.delivered_to_assignee([first.id, second.id]) == {first.id}
        assert await unit.items.without_card(SPRING) == [BLAIR]


async def test_after_a_delegation_the_new_assignee_needs_a_card_of_their_own(work: Work) -> None:
    await store(work, item())
    await send_card(work, "m1", ALEX, item())
    await save(work, handed_to(item(), BLAIR))

    async with work.read() as unit:
        assert await unit.items.delivered_to_assignee([item().id]) == frozenset()
        assert await unit.items.without_card(SPRING) == [BLAIR]

    await send_card(work, "m2", BLAIR, item())

    async with work.read() as unit:
        assert await unit.items.delivered_to_assignee([item().id]) == {item().id}
        assert await unit.items.without_card(SPRING) == []


async def test_answered_items_and_items_with_nobody_need_no_card(work: Work) -> None:
    await store(work, answered(item(1)), replace(item(2), assignee_id=None))

    async with work.read() as unit:
        assert await unit.items.without_card(SPRING) == []


async def test_empty_lists_are_welcome(work: Work) -> None:
    async with work.write() as unit:
        await unit.items.add_many([], at=NOW)
        await unit.items.open_questions([], at=NOW)
        await unit.items.remember_answers([], until=NOW)
        await unit.orders.add_many([])
        await unit.commit()

    async with work.read() as unit:
        assert await unit.items.get_many([]) == {}
        assert await unit.items.with_open_question([]) == frozenset()


async def test_what_somebody_passed_on_is_found_unless_it_came_back(work: Work) -> None:
    gone, back, unsure, elsewhere = item(1), item(2), item(3), item(4, campaign=AUTUMN)
    await store(work, gone, back, unsure, elsewhere, campaigns=(campaign(), autumn()))
    for one in (gone, back, elsewhere):
        moved = replace(one, assignee_id=BLAIR, assigned_how=AssignedHow.DELEGATED, version=2)
        await assign(work, moved, by=ALEX, reason="knows")
    await assign(work, replace(back, assignee_id=ALEX, assigned_how=AssignedHow.TAKEN_BACK, version=3), by=ALEX)
    await assign(work, replace(unsure, assignee_id=BLAIR, assigned_how=AssignedHow.NOT_SURE, version=2), by=ALEX)

    async with work.read() as unit:
        assert [one.id for one in await unit.items.passed_on(SPRING, ALEX)] == [gone.id]
        assert await unit.items.passed_on(SPRING, BLAIR) == []


async def test_what_a_reviewer_is_told_is_found_without_reading_the_whole_campaign(sqlite_url: str) -> None:
    """At a close each reviewer's summary is read: beside 32,000 items each of 8,845 took 60 ms for the wrong index."""
    database, said = Database(sqlite_url), list[tuple[str, tuple[str, ...]]]()

    @event.listens_for(database.reads.sync_engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, parameters: tuple[str, ...], *_: object) -> None:
        said.append((statement, parameters))

    async with SqlWork(database, store_job).read() as unit:
        await unit.items.for_reviewer(SPRING, ALEX)
        await unit.items.passed_on(SPRING, ALEX)
        await unit.items.of_person(ALEX)
    await database.dispose()

    with closing(sqlite3.connect(make_url(sqlite_url).database or "")) as file:
        plan = [
            step[3] for statement, values in said for step in file.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    reading = [step for step in plan if "review_items" in step]
    assert reading
    assert [step for step in reading if "SEARCH" not in step or step.endswith("(campaign_id=?)")] == []
