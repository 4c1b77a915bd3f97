"""The batcher through its port, on both back ends; only the order in which batches form is arranged from outside."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from reclaim.domain.campaign import CampaignState
from reclaim.domain.review import AssignedHow, Choice, ReviewItem
from reclaim.errors import Conflict
from reclaim.ports.storage import Work
from storage.decisions import DecisionBatcher
from storage.engine import Database
from storage.tables import attestation_events, decisions, item_assignments, review_items
from tests.contract.storage.campaign_samples import (
    ALEX,
    BLAIR,
    CASEY,
    NOW,
    SPRING,
    answered,
    campaign,
    decision,
    ended,
    handed_to,
    item,
    store,
    stored,
)
from tests.contract.storage.decision_log import all_rows, record_together, started


@pytest.fixture
async def log(database: Database) -> AsyncIterator[DecisionBatcher]:
    async with started(database) as batcher:
        yield batcher


def not_sure(one: ReviewItem) -> ReviewItem:
    """Return the next version of an item as the domain moves it to the fallback reviewer."""
    return replace(one, assignee_id=CASEY, assigned_how=AssignedHow.NOT_SURE, not_sure_by=ALEX, version=one.version + 1)


async def test_a_decision_stores_the_answer_the_decision_and_its_event(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item())
    kept = answered(item())

    assert await log.record(decision(kept, key="k1", event_id="e1")) is True

    assert await stored(work, item()) == kept
    (row,) = await all_rows(database, decisions)
    assert row == {
        "id": row["id"],
        "item_id": kept.id,
        "item_version": 2,
        "batch_id": "b1",
        "choice": "keep",
        "by": "alex",
        "at": NOW,
        "idem_key": "k1",
        "request_sha256": "same",
        "response": "recorded",
    }
    async with work.read() as unit:
        (event,) = await unit.events.of_campaign(SPRING)
    assert event.event == decision(kept, event_id="e1").event


async def test_a_withdrawn_answer_is_gone_from_the_item_and_stays_in_the_log(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item())
    kept = answered(item())
    await log.record(decision(kept))
    open_again = replace(kept, answer=None, version=3)

    assert await log.record(replace(decision(open_again), choice=Choice.WITHDRAWN)) is True

    assert await stored(work, item()) == open_again
    assert [row["choice"] for row in await all_rows(database, decisions)] == ["keep", "withdrawn"]


async def test_of_two_decisions_on_one_item_at_once_the_first_wins(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item())
    kept = answered(item(), Choice.KEEP)
    revoked = answered(item(), Choice.REVOKE)

    results = await record_together(log, decision(kept, key="k1"), decision(revoked, key="k2"))

    assert results == [True, False]
    assert await stored(work, item()) == kept
    assert len(await all_rows(database, decisions)) == 1
    assert len(await all_rows(database, attestation_events)) == 1


async def test_a_wrong_actor_does_not_stand_in_the_way_of_the_right_one(work: Work, log: DecisionBatcher) -> None:
    await store(work, item())
    kept = answered(item())

    results = await record_together(log, decision(answered(item(), by=BLAIR), actor=BLAIR), decision(kept))

    assert results == [False, True]
    assert await stored(work, item()) == kept


async def test_a_stale_version_is_refused(work: Work, log: DecisionBatcher) -> None:
    await store(work, item())
    first = answered(item())
    await log.record(decision(first))

    assert await log.record(decision(answered(item(), Choice.REVOKE), key="late")) is False

    assert await stored(work, item()) == first


async def test_a_decision_on_an_item_that_is_not_there_is_refused(work: Work, log: DecisionBatcher) -> None:
    await store(work)

    assert await log.record(decision(answered(item()))) is False


async def test_a_decision_on_an_item_that_has_ended_is_refused(work: Work, log: DecisionBatcher) -> None:
    await store(work, ended(item()))

    assert await log.record(decision(answered(ended(item())))) is False


@pytest.mark.parametrize("state", [state for state in CampaignState if state is not CampaignState.OPEN])
async def test_a_decision_in_a_campaign_that_is_not_open_is_refused(
    work: Work, log: DecisionBatcher, state: CampaignState
) -> None:
    await store(work, item(), campaigns=(campaign(state=state),))

    assert await log.record(decision(answered(item()))) is False

    assert await stored(work, item()) == item()


async def test_a_decision_waits_for_a_closing_that_came_first_and_is_refused(work: Work, log: DecisionBatcher) -> None:
    await store(work, item())

    async with work.write() as unit:
        await unit.campaigns.save(campaign().to(CampaignState.CLOSING))
        late = asyncio.create_task(log.record(decision(answered(item()))))
        done, _ = await asyncio.wait([late], timeout=0.2)
        await unit.commit()

    assert not done
    assert await late is False
    assert await stored(work, item()) == item()


async def test_a_closing_waits_for_a_decision_that_is_being_stored(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item())

    async def close() -> None:
        async with work.write() as unit:
            await unit.campaigns.save(campaign().to(CampaignState.CLOSING))
            await unit.commit()

    async with database.writes.begin() as connection:  # the batcher comes as far as the item and waits for it
        await connection.execute(select(review_items).with_for_update())
        deciding = asyncio.create_task(log.record(decision(answered(item()))))
        await asyncio.wait([deciding], timeout=0.2)
        closing = asyncio.create_task(close())
        done, _ = await asyncio.wait([deciding, closing], timeout=0.2)
    decided = await deciding
    await closing

    assert not done
    assert ((await stored(work, item())).answer is not None) is decided
    # SQLite has one lock for everything, and whoever waits may get it first.
    assert decided or database.is_sqlite


async def test_a_decision_in_an_open_campaign_is_stored_beside_one_in_a_closed_campaign(
    work: Work, log: DecisionBatcher
) -> None:
    closed = campaign("autumn", state=CampaignState.CLOSED)
    old = item(1, campaign=closed.id)
    await store(work, item(1), old, campaigns=(campaign(), closed))

    results = await record_together(log, decision(answered(old)), decision(answered(item(1))))

    assert results == [False, True]


@pytest.mark.parametrize("together", [True, False])
async def test_the_same_request_again_is_true_and_stores_nothing(
    work: Work, database: Database, log: DecisionBatcher, together: bool
) -> None:
    await store(work, item())
    write = decision(answered(item()))

    if together:
        results = await record_together(log, write, write)
    else:
        results = [await log.record(write), await log.record(write)]

    assert results == [True, True]
    assert len(await all_rows(database, decisions)) == 1
    assert len(await all_rows(database, attestation_events)) == 1


async def test_a_replay_is_true_even_after_the_campaign_has_closed(work: Work, log: DecisionBatcher) -> None:
    await store(work, item())
    write = decision(answered(item()))
    await log.record(write)
    async with work.write() as unit:
        await unit.campaigns.save(campaign().to(CampaignState.CLOSING))
        await unit.commit()

    assert await log.record(write) is True


@pytest.mark.parametrize("together", [True, False])
async def test_the_same_key_with_another_content_is_a_conflict_for_that_caller_only(
    work: Work, log: DecisionBatcher, together: bool
) -> None:
    await store(work, item(1), item(2))
    first = decision(answered(item(1)), key="k")
    other = decision(answered(item(2)), key="k", sha256="other")
    innocent = decision(answered(item(2)), key="k2")

    if together:
        results = await record_together(log, first, other, innocent)
    else:
        results = [(await record_together(log, write))[0] for write in (first, other, innocent)]

    assert results[0] is True
    assert isinstance(results[1], Conflict)
    assert results[2] is True


async def test_the_key_of_a_refused_decision_stays_free(work: Work, log: DecisionBatcher) -> None:
    await store(work, item())

    assert await log.record(decision(answered(item(), by=BLAIR), actor=BLAIR, key="k")) is False

    assert await log.record(decision(answered(item()), key="k")) is True


async def test_not_sure_moves_the_item_and_its_assignment(work: Work, database: Database, log: DecisionBatcher) -> None:
    await store(work, item(1), item(2))
    moved = not_sure(item(1))

    await record_together(log, decision(moved), decision(answered(item(2))))

    assert await stored(work, item(1)) == moved
    rows = await all_rows(database, item_assignments)
    assert [(row["item_id"], row["seq"], row["assignee_id"], row["ended_at"]) for row in rows] == [
        (item(1).id, 1, "alex", NOW),
        (item(1).id, 2, "casey", None),
        (item(2).id, 1, "alex", None),
    ]
    assert (rows[1]["how"], rows[1]["by"], rows[1]["at"]) == ("not_sure", "alex", NOW)


async def test_a_delegation_that_came_first_refuses_the_former_assignee(work: Work, log: DecisionBatcher) -> None:
    await store(work, item())
    handed = handed_to(item(), BLAIR)
    async with work.write() as unit:
        await unit.items.save(handed)
        await unit.commit()

    results = await record_together(log, decision(answered(handed)), decision(answered(handed, by=BLAIR), actor=BLAIR))

    assert results == [False, True]


async def test_a_decision_waits_for_a_delegation_that_came_first_and_is_refused(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item())
    handed = handed_to(item(), BLAIR)

    async with work.write() as unit:
        await unit.items.save(handed)
        late = asyncio.create_task(log.record(decision(answered(item()))))
        done, _ = await asyncio.wait([late], timeout=0.2)
        await unit.commit()

    assert not done
    assert await late is False
    assert await stored(work, item()) == handed
    assert await all_rows(database, decisions) == []


async def test_a_raw_write_to_the_item_in_between_is_noticed(
    work: Work, database: Database, log: DecisionBatcher
) -> None:
    await store(work, item())
    async with database.writes.begin() as connection:
        await connection.execute(update(review_items).values(version=7))

    assert await log.record(decision(answered(item()))) is False
