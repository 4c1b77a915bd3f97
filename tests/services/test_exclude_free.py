"""Trap 19: free, viral and trial SKUs save nothing, and are left out by default, counted and explained."""

import pytest

from reclaim.domain.exclusions import ExclusionKind, is_free
from reclaim.domain.ids import ProductId
from reclaim.services.exclude_free import REASON, ExcludeFree
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.read_spend import ReadSpend
from tests.services.world import VISIO, World, admin, sku

FLOW = ProductId("sku-flow")


@pytest.mark.parametrize(
    "part_number", ["FLOW_FREE", "POWER_BI_STANDARD", "POWERAPPS_VIRAL", "SOME_NEW_VIRAL", "flow_free"]
)
def test_trap_19_free_and_viral_skus_are_known(part_number: str) -> None:
    assert is_free(part_number)


@pytest.mark.parametrize("part_number", ["SPE_E3", "VISIOCLIENT", "POWER_BI_PRO", "VIRAL_MARKETING"])
def test_trap_19_what_is_paid_for_is_not_free(part_number: str) -> None:
    assert not is_free(part_number)


def exclude(world: World) -> ExcludeSeats:
    service = ExcludeSeats(
        work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy, directory=world.directory
    )
    world.engine.register("exclude", service.handle)
    return service


async def read(world: World) -> None:
    run = await world.read()
    await ExcludeFree(work=world.work, clock=world.clock, tokens=world.tokens).after_sync(run)
    await world.read()  # its scan sees what is left out


async def with_free_seats(world: World) -> None:
    world.directory.sold[FLOW] = sku(FLOW, "Power Automate Free", "FLOW_FREE")
    world.hire(["a", "b"], FLOW)
    world.hire(["c"], VISIO)
    await read(world)


async def test_trap_19_a_free_seat_is_in_no_spend_and_is_counted_with_its_reason(world: World) -> None:
    await with_free_seats(world)

    found = await ReadSpend(work=world.work, clock=world.clock, policy=world.policy).report()

    assert {row.product_id: row.idle for row in found.rows if row.idle} == {VISIO: 1}
    (left_out,) = found.excluded
    assert (left_out.seats, left_out.value, left_out.exclusion.reason) == (2, "Power Automate Free", REASON)
    assert left_out.by_name == "Reclaim, by default"


async def test_what_an_admin_has_ended_does_not_come_back(world: World) -> None:
    await with_free_seats(world)
    (row,) = (await exclude(world).list()).rows
    await exclude(world).end(admin(), row.exclusion.id)

    await read(world)

    assert (await exclude(world).list()).rows == ()
    found = await ReadSpend(work=world.work, clock=world.clock, policy=world.policy).report()
    assert sum(line.idle for line in found.rows) == 3


async def test_what_an_admin_has_left_out_before_is_left_as_it_is(world: World) -> None:
    world.directory.sold[FLOW] = sku(FLOW, "Power Automate Free", "FLOW_FREE")
    world.hire(["a"], FLOW)
    await world.read()
    await exclude(world).add(admin(), ExclusionKind.PRODUCT, FLOW, reason="Nobody pays for it")

    await read(world)

    assert [row.exclusion.reason for row in (await exclude(world).list()).rows] == ["Nobody pays for it"]


async def test_it_is_attested_once_however_often_it_follows(world: World) -> None:
    await with_free_seats(world)
    await read(world)

    events = [one for one in await world.events() if one.event.kind.value == "excluded"]

    assert len(events) == 1
    assert b'"actor":"system"' in events[0].event.body
