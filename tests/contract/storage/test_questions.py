"""Rule 9: one open question per person and product over all campaigns, and an answer counts everywhere for a while."""

import asyncio

import pytest
from sqlalchemy import select

from reclaim.domain.ids import ProductId, SeatId
from reclaim.domain.review import Choice, ReviewItem
from reclaim.errors import Conflict
from reclaim.ports.storage import Work
from storage.engine import Database
from storage.tables import answers
from tests.contract.storage.campaign_samples import (
    AUTUMN,
    HOUR,
    NOW,
    VISIO,
    answered,
    autumn,
    campaign,
    item,
    store,
)

PROJECT = ProductId("project")


async def ask(work: Work, *items: ReviewItem) -> None:
    async with work.write() as unit:
        await unit.items.open_questions(items, at=NOW)
        await unit.commit()


async def asked(work: Work, *items: ReviewItem) -> frozenset[SeatId]:
    async with work.read() as unit:
        return await unit.items.with_open_question(one.seat_id for one in items)


async def test_a_second_open_question_about_a_seat_is_a_conflict_in_any_campaign(work: Work) -> None:
    same_seat = item(1, campaign=AUTUMN)
    await store(work, item(1), same_seat, campaigns=(campaign(), autumn()))
    await ask(work, item(1))

    with pytest.raises(Conflict, match="Somebody is being asked"):
        await ask(work, same_seat)

    assert await asked(work, same_seat) == {item(1).seat_id}


async def test_a_conflict_over_a_question_leaves_the_unit_of_work_usable(work: Work) -> None:
    same_seat, other = item(1, campaign=AUTUMN), item(2, campaign=AUTUMN)
    await store(work, item(1), same_seat, other, campaigns=(campaign(), autumn()))
    await ask(work, item(1))

    async with work.write() as unit:
        with pytest.raises(Conflict):
            await unit.items.open_questions([other, same_seat], at=NOW)
        assert await unit.items.with_open_question([other.seat_id]) == frozenset()
        await unit.items.open_questions([other], at=NOW)
        await unit.commit()

    assert await asked(work, other) == {other.seat_id}


async def test_of_two_open_questions_at_once_one_wins(work: Work) -> None:
    same_seat = item(1, campaign=AUTUMN)
    await store(work, item(1), same_seat, campaigns=(campaign(), autumn()))

    results = await asyncio.gather(ask(work, item(1)), ask(work, same_seat), return_exceptions=True)

    assert [type(result) for result in results if result is not None] == [Conflict]


async def test_another_product_of_the_same_person_is_another_question(work: Work) -> None:
    visio, project = item(1), item(1, product=PROJECT)
    await store(work, visio, project)

    await ask(work, visio)

    assert await asked(work, visio, project) == {visio.seat_id}
    await ask(work, project)
    assert await asked(work, visio, project) == {visio.seat_id, project.seat_id}


async def test_closing_questions_lets_the_next_campaign_ask(work: Work) -> None:
    newer, other = item(1, campaign=AUTUMN), item(2, campaign=AUTUMN)
    await store(work, item(1), newer, other, campaigns=(campaign(), autumn()))
    await ask(work, item(1), other)

    async with work.write() as unit:
        await unit.items.close_questions([item(1).id], at=NOW + HOUR)
        await unit.commit()

    assert await asked(work, newer, other) == {other.seat_id}
    await ask(work, newer)


async def test_an_answer_counts_until_its_day_and_the_newest_one_counts(work: Work, database: Database) -> None:
    kept, open_one = answered(item(1)), item(2)
    await store(work, kept, open_one)

    async with work.write() as unit:
        await unit.items.remember_answers([kept, open_one], until=NOW + HOUR)
        await unit.commit()

    seats = [kept.seat_id, open_one.seat_id]
    async with work.read() as unit:
        assert await unit.items.answered_until(seats, NOW) == {kept.seat_id}
        assert await unit.items.answered_until([open_one.seat_id], NOW) == frozenset()
        assert await unit.items.answered_until(seats, NOW + HOUR) == frozenset()

    revoked = answered(item(1), Choice.REVOKE)
    async with work.write() as unit:
        await unit.items.remember_answers([revoked], until=NOW + 2 * HOUR)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.items.answered_until(seats, NOW + HOUR) == {kept.seat_id}
    async with database.reads.connect() as connection:
        found = (await connection.execute(select(answers))).mappings().one()
    assert dict(found) == {
        "person_id": "holder-1",
        "product_id": VISIO,
        "ref": item(1).id,
        "choice": "revoke",
        "reason": "seasonal",
        "answered_at": NOW,
        "until": NOW + 2 * HOUR,
    }
