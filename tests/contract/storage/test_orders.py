import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import PersonId, StepId
from reclaim.domain.orders import DID_NOT_LAND, OrderState, RemovalOrder, StepState
from reclaim.domain.removal import Outcome
from reclaim.errors import Conflict
from reclaim.ports.storage import Work
from tests.contract.storage.campaign_samples import HOUR, NOW, SPRING, campaign, item, order, step, store


async def add(work: Work, *orders: RemovalOrder) -> None:
    async with work.write() as unit:
        await unit.orders.add_many(orders)
        await unit.commit()


async def save(work: Work, one: RemovalOrder) -> None:
    async with work.write() as unit:
        await unit.orders.save(one)
        await unit.commit()


async def get(work: Work, one: RemovalOrder) -> RemovalOrder | None:
    async with work.read() as unit:
        return await unit.orders.get(one.id)


async def due(work: Work, now: datetime) -> Sequence[RemovalOrder]:
    async with work.read() as unit:
        return await unit.orders.due(now, limit=10)


def full_order() -> RemovalOrder:
    """One order whose first step has every field set."""
    one = order()
    first = replace(
        step("s1", one, item(), state=StepState.WRITTEN, maybe_written=True),
        attempt=4,
        client_request_id="ours",
        request_id="theirs",
        before='[{"group_id": null}]',
        after="[]",
        error="timed out",
        intended_at=NOW,
        written_at=NOW + HOUR,
        verified_at=NOW + 2 * HOUR,
    )
    return replace(one, steps=(first, step("s0", one, item())))


async def test_every_field_of_an_order_and_its_steps_comes_back_in_order(work: Work) -> None:
    await store(work, item())

    await add(work, full_order())

    assert await get(work, full_order()) == full_order()


async def test_there_is_no_order_that_was_never_added(work: Work) -> None:
    assert await get(work, order()) is None


async def test_saving_stores_the_steps_too_and_adds_new_ones(work: Work) -> None:
    await store(work, item())
    planned = replace(order(), steps=(step("s1", order(), item()),))
    await add(work, planned)

    intended = replace(planned.steps[0], state=StepState.INTENDED, client_request_id="ours", intended_at=NOW)
    begun = replace(
        planned,
        state=OrderState.VERIFYING,
        version=2,
        attempt=2,
        not_before=None,
        checks=4,
        steps=(intended, step("s2", planned, item())),
    )
    await save(work, begun)

    assert await get(work, begun) == begun


async def test_saving_a_stale_order_is_a_conflict_and_leaves_its_steps(work: Work) -> None:
    await store(work, item())
    planned = replace(order(), steps=(step("s1", order(), item()),))
    await add(work, planned)
    failed = replace(planned.steps[0], state=StepState.FAILED)

    with pytest.raises(Conflict, match="changed a moment ago"):
        await save(work, replace(planned, steps=(failed,)))

    assert await get(work, planned) == planned


async def test_of_two_saves_at_once_one_wins(work: Work) -> None:
    await store(work, item())
    await add(work, order())
    changes = [replace(order(), checks=checks, version=2) for checks in (8, 9)]

    results = await asyncio.gather(*(save(work, one) for one in changes), return_exceptions=True)

    assert [type(result) for result in results if result is not None] == [Conflict]
    assert await get(work, order()) == changes[results.index(None)]


async def test_orders_are_found_by_campaign_and_state(work: Work) -> None:
    await store(work, item(1), item(2))
    ready = replace(order("o1"), steps=(step("s1", order("o1"), item(1)),))
    queued = replace(order("o2", person="holder-2", state=OrderState.QUEUED), not_before=None)
    await add(work, ready, queued)

    async with work.read() as unit:
        assert await unit.orders.of_campaign(SPRING) == [ready, queued]
        assert await unit.orders.page(SPRING, [OrderState.QUEUED, OrderState.FROZEN], after=None, limit=9) == [queued]
        assert await unit.orders.page(SPRING, list(OrderState), after=None, limit=1) == [ready]
        assert await unit.orders.page(SPRING, list(OrderState), after=ready.id, limit=9) == [queued]
        assert await unit.orders.of_people(SPRING, [PersonId("holder-2"), PersonId("nobody")]) == {
            PersonId("holder-2"): queued
        }
        assert await unit.orders.any_in_state(SPRING, [OrderState.QUEUED])
        assert not await unit.orders.any_in_state(SPRING, [OrderState.FROZEN])
        assert await unit.orders.ordered_items(SPRING, up_to=5) == 1
        assert await unit.orders.next_due(NOW - HOUR) == NOW
        assert await unit.orders.next_due(NOW) is None


async def test_many_orders_are_stored_at_once_or_not_at_all(work: Work) -> None:
    await store(work, item(1), item(2))
    one, two = order("o1"), order("o2", person="holder-2")
    await add(work, one, two)
    ready = [replace(each, state=OrderState.DONE, not_before=None, version=2) for each in (one, two)]

    async with work.write() as unit:
        await unit.orders.save_many(ready)
        await unit.commit()
    async with work.write() as unit:
        with pytest.raises(Conflict):
            await unit.orders.save_many([replace(ready[0], version=3), replace(ready[1], version=2)])

    assert [await get(work, one), await get(work, two)] == ready


async def test_what_is_written_and_not_ended_is_unchecked(work: Work) -> None:
    await store(work, item(1), replace(item(2), outcome=Outcome.REMOVED))
    written = replace(order("o2", person="holder-2"))
    await add(work, replace(written, steps=(replace(step("s2", written, item(2)), state=StepState.WRITTEN),)))
    async with work.read() as unit:
        assert not await unit.orders.any_unchecked(SPRING)

    await add(work, replace(order(), steps=(replace(step("s1", order(), item(1)), maybe_written=True),)))

    async with work.read() as unit:
        assert await unit.orders.any_unchecked(SPRING)


async def test_due_orders_are_ready_or_verifying_and_their_time_has_come(work: Work) -> None:
    applying = campaign(state=CampaignState.APPLYING)
    paused = campaign("paused", state=CampaignState.PAUSED)
    await store(work, campaigns=(applying, paused))
    stopped = replace(order("stopped", person="p8"), campaign_id=paused.id)
    late = replace(order("late", person="p1"), not_before=NOW - HOUR)
    now = order("now", person="p2", state=OrderState.VERIFYING)
    later = replace(order("later", person="p3"), not_before=NOW + HOUR)
    never = replace(order("never", person="p4"), not_before=None)
    frozen = order("frozen", person="p5", state=OrderState.FROZEN)
    queued = order("queued", person="p6", state=OrderState.QUEUED)
    done = order("done", person="p7", state=OrderState.DONE)
    await add(work, now, late, later, never, frozen, queued, done, stopped)

    assert await due(work, NOW) == [late, now]


async def test_steps_that_may_have_been_written_are_known_over_all_orders_of_a_person(work: Work) -> None:
    await store(work, item(1), item(2))
    one = order("o1")
    kinds = [
        step("planned", one, item(1)),
        step("intended", one, item(1), state=StepState.INTENDED),
        step("written", one, item(1), state=StepState.WRITTEN),
        replace(step("verified", one, item(1), state=StepState.VERIFIED), verified_at=NOW),
        replace(step("seen", one, item(1), state=StepState.WRITTEN), verified_at=NOW),
        step("failed", one, item(1), state=StepState.FAILED),
        step("lost answer", one, item(1), state=StepState.FAILED, maybe_written=True),
        step("skipped", one, item(1), state=StepState.SKIPPED),
    ]
    other = order("o2", person="holder-2")
    strangers = step("stranger", other, item(2), state=StepState.WRITTEN)
    await add(work, replace(one, steps=tuple(kinds)), replace(other, steps=(strangers,)))

    async with work.read() as unit:
        found = await unit.orders.written_steps([PersonId("holder-1"), PersonId("holder-2"), PersonId("nobody")])

    assert {person: [one.id for one in steps] for person, steps in found.items()} == {
        "holder-1": ["intended", "written", "lost answer"],
        "holder-2": ["stranger"],
        "nobody": [],
    }


async def test_written_steps_are_counted_from_an_instant_on(work: Work) -> None:
    await store(work, item())
    times = [NOW - 2 * HOUR, NOW - HOUR, NOW, None]
    steps = tuple(replace(step(f"s{n}", order(), item()), written_at=at) for n, at in enumerate(times))
    await add(work, replace(order(), steps=steps))

    async with work.read() as unit:
        assert await unit.orders.written_since(NOW - HOUR) == 2
        assert await unit.orders.written_since(NOW + HOUR) == 0


async def test_a_call_that_nobody_answered_counts_as_written_whatever_a_read_showed_after_it(work: Work) -> None:
    await store(work, item())
    called = replace(step("s", order(), item()), intended_at=NOW)
    steps = (
        replace(called, id=StepId("on its way"), state=StepState.INTENDED),
        replace(called, id=StepId("not seen"), error=DID_NOT_LAND),
        replace(called, id=StepId("given again"), error=DID_NOT_LAND, state=StepState.SKIPPED),
        replace(called, id=StepId("refused"), error="Microsoft Graph refused the change with 400; it needs an admin."),
    )
    await add(work, replace(order(), steps=steps))

    async with work.read() as unit:
        assert await unit.orders.written_since(NOW) == 3
        assert await unit.orders.written_since(NOW + HOUR) == 0


async def test_one_campaign_has_one_order_per_person(work: Work) -> None:
    await store(work)
    await add(work, order("o1"))

    with pytest.raises(Exception, match=r"(?i)unique"):
        await add(work, order("o2"))


async def test_one_job_at_a_time_carries_out_an_order_and_keeps_it_when_it_runs_again(work: Work) -> None:
    await store(work)
    await add(work, replace(order(), state=OrderState.READY, not_before=NOW))

    first = await claimed(work, "one", NOW)
    other = await claimed(work, "other", NOW + HOUR / 2)
    again = await claimed(work, "one", NOW + HOUR / 2)

    assert [len(found) for found in (first, other, again)] == [1, 0, 1]
    assert [found.attempt for found in (*first, *again)] == [order().attempt] * 2
    assert await due(work, NOW + HOUR / 2) == []


async def test_a_claim_older_than_an_hour_is_taken_over_under_a_new_attempt(work: Work) -> None:
    await store(work)
    await add(work, replace(order(), state=OrderState.READY, not_before=NOW))
    await claimed(work, "one", NOW)

    (taken,) = await claimed(work, "other", NOW + HOUR)

    assert (taken.attempt, taken.version) == (order().attempt + 1, order().version + 1)
    assert await claimed(work, "one", NOW + HOUR) == []
    assert [found.attempt for found in await claimed(work, "other", NOW + HOUR)] == [taken.attempt]


async def test_a_claim_ends_with_the_attempt(work: Work) -> None:
    await store(work)
    await add(work, replace(order(), state=OrderState.READY, not_before=NOW))
    (held,) = await claimed(work, "one", NOW)
    later = replace(held, attempt=held.attempt + 1, version=held.version + 1)
    async with work.write() as unit:
        await unit.orders.save(later)
        await unit.commit()

    assert await claimed(work, "one", NOW) == []
    async with work.write() as unit:
        found = await unit.orders.claim({later.id: later.attempt}, by="other", at=NOW)
        await unit.commit()
    assert [one.id for one in found] == [later.id]


async def claimed(work: Work, by: str, at: datetime) -> list[RemovalOrder]:
    async with work.write() as unit:
        found = await unit.orders.claim({order().id: order().attempt}, by=by, at=at)
        await unit.commit()
    return found
