"""Rule 11: a run in which much vanished waits for an admin."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Limits
from reclaim.domain.ids import OrderId, PersonId, RunId, StepId
from reclaim.domain.orders import OrderState, RemovalOrder, RemovalStep, StepState
from reclaim.domain.read_models import SyncView
from reclaim.domain.removal import PlanStep, StepKind
from reclaim.domain.review import ReviewItem
from reclaim.errors import Conflict, NotFound
from tests.services.world import LYNNE, World, admin

TWENTY = [f"p{number:02}" for number in range(20)]


async def view(world: World, run: RunId) -> SyncView:
    found = await world.sync.view(run)
    assert found is not None
    return found


async def present(world: World) -> set[str]:
    async with world.work.read() as reading:
        people = await reading.people.get_many(PersonId(ref) for ref in [*TWENTY, "lynne", "megan", "allan"])
    return {ref for ref, one in people.items() if one.gone_at is None}


@pytest.mark.parametrize(("hours", "again"), [(23, False), (24, True)])
async def test_the_clock_does_not_void_a_run_that_waits_to_be_accepted(world: World, hours: int, again: bool) -> None:
    stopped = await dropped(world, 3)
    world.clock.advance(timedelta(hours=hours))

    assert (await world.read() != stopped) is again


async def dropped(world: World, number: int) -> RunId:
    """Sync, let so many of the 23 people vanish, and sync again."""
    world.hire(TWENTY)
    await world.read()
    world.clock.advance(timedelta(hours=1))
    for ref in TWENTY[:number]:
        world.directory.remove(PersonId(ref))
    return await world.read(LYNNE)


async def test_a_drop_of_more_than_a_tenth_stops_and_marks_nothing(world: World) -> None:
    run = await dropped(world, 3)  # 3 of 23 people, 3 of 20 seats

    seen = await view(world, run)
    assert (seen.state, seen.gone_people, seen.gone_seats) == ("stopped", 3, 3)
    assert {"p00", "p01", "p02"} <= await present(world)
    assert len(world.followed) == 1
    assert [one.event.kind for one in await world.events()] == [EventKind.SYNC_COMPLETED]


async def test_a_drop_of_a_tenth_is_no_alarm(world: World) -> None:
    run = await dropped(world, 2)  # 2 of 20 seats

    assert (await view(world, run)).state == "complete"


async def test_accepting_completes_a_stopped_run_and_says_who(world: World) -> None:
    run = await dropped(world, 3)

    accepted = await world.sync.accept(run, admin())
    await world.engine.drain()

    assert (accepted.state, accepted.gone_people, accepted.gone_seats) == ("complete", 3, 3)
    assert await present(world) == {*TWENTY[3:], "lynne", "megan", "allan"}
    assert world.followed[-1] == run
    newest = (await world.events())[0].event
    assert b'"actor":"lynne"' in newest.body
    assert b'"drop_accepted":true' in newest.body
    assert (await view(world, run)).idle == 17


async def test_what_has_not_stopped_cannot_be_accepted(world: World) -> None:
    run = await world.read()

    with pytest.raises(Conflict, match="This sync is complete"):
        await world.sync.accept(run, admin())
    with pytest.raises(NotFound):
        await world.sync.accept("no-such-run", admin())


async def test_a_stopped_run_cannot_judge_the_rows_of_a_newer_one(world: World) -> None:
    run = await dropped(world, 3)
    world.clock.advance(timedelta(minutes=1))
    await world.sync.request(LYNNE)

    with pytest.raises(Conflict, match="A newer sync has begun"):
        await world.sync.accept(run, admin())


async def test_seats_that_we_took_away_ourselves_are_no_alarm(world: World) -> None:
    world.policy = replace(world.policy, limits=Limits(share_from=1_000))
    world.hire(TWENTY)
    await world.read()
    campaign = await world.launch()
    world.clock.advance(timedelta(hours=1))
    async with world.work.write() as unit:
        items = [item for item in await unit.items.of_campaign(campaign) if item.person_id in TWENTY[:3]]
        await unit.orders.add_many([written(world, item) for item in items])
        await unit.commit()
    for ref in TWENTY[:3]:
        world.directory.held[PersonId(ref)] = ()

    run = await world.read()

    seen = await view(world, run)
    assert (seen.state, seen.gone_seats) == ("complete", 3)


def written(world: World, item: ReviewItem) -> RemovalOrder:
    """Return an order whose only step has been written."""
    order = OrderId(f"order-{item.id}")
    step = RemovalStep(
        id=StepId(f"step-{item.id}"),
        order_id=order,
        item_id=item.id,
        product_id=item.product_id,
        step=PlanStep(StepKind.DIRECT, item.product_id),
        state=StepState.WRITTEN,
        intended_at=world.clock.now(),
        written_at=world.clock.now(),
    )
    return RemovalOrder(
        id=order,
        campaign_id=item.campaign_id,
        person_id=item.person_id,
        state=OrderState.VERIFYING,
        version=1,
        attempt=1,
        not_before=None,
        checks=0,
        created_at=world.clock.now(),
        steps=(step,),
    )
