from datetime import date, timedelta

import pytest

from reclaim.domain.money import Money, Period, Price
from reclaim.errors import InvalidRequest
from reclaim.services.keep_prices import KeepPrices
from reclaim.services.read_spend import ReadSpend
from tests.services.world import E3, PROJECT, VISIO, World, admin


def keeping(world: World) -> KeepPrices:
    return KeepPrices(work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy)


async def test_what_has_no_price_stands_first_with_its_idle_seats(world: World) -> None:
    world.hire(["ada", "ben"], PROJECT)
    world.hire(["cleo"], VISIO)
    await world.read()
    await world.price("VISIOCLIENT,15.00,USD,month")

    rows = (await keeping(world).list()).rows

    assert [(row.product_id, row.idle, row.source) for row in rows] == [
        (PROJECT, 2, None),
        (E3, 0, None),
        (VISIO, 1, "test"),
    ]


async def test_a_price_set_by_hand_counts_over_the_list_from_its_first_day_on(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    await world.price("VISIOCLIENT,15.00,USD,month")
    later = world.clock.now().date() + timedelta(days=3)

    row = await keeping(world).set(admin(), VISIO, "180", "usd", Period.YEAR, valid_from=later)
    before = await ReadSpend(work=world.work, clock=world.clock, policy=world.policy).report()
    world.clock.advance(timedelta(days=3))
    after = await keeping(world).list()

    assert row.source == "test"  # what counts today
    assert before.total.amounts == (Money(1500, "USD"),)
    assert after.rows[-1].price == Price(amount=Money(18000, "USD"), period=Period.YEAR, valid_from=later)
    assert after.rows[-1].source == "set by hand"


async def test_a_price_is_attested_with_its_minor_units(world: World) -> None:
    await world.read()

    await keeping(world).set(admin(), VISIO, "1250", "JPY", renews_on=date(2027, 6, 30))

    newest = (await world.events())[0].event
    assert newest.kind == "price_set"
    assert b'"minor":1250' in newest.body
    assert b'"renews_on":"2027-06-30"' in newest.body


@pytest.mark.parametrize(
    ("product", "amount", "currency", "field"),
    [
        ("sku-none", "1", "USD", "sku"),
        (VISIO, "1,50", "USD", "amount"),
        (VISIO, "-3", "USD", "amount"),
        (VISIO, "1.5", "JPY", "amount"),
        (VISIO, "1", "dollars", "currency"),
    ],
)
async def test_a_mistake_names_its_field_and_sets_nothing(
    world: World, product: str, amount: str, currency: str, field: str
) -> None:
    await world.read()

    with pytest.raises(InvalidRequest) as refused:
        await keeping(world).set(admin(), product, amount, currency)  # type: ignore[arg-type]

    assert refused.value.field == field
    assert all(row.price is None for row in (await keeping(world).list()).rows)


async def test_a_list_is_attested_when_it_changes_something_and_not_at_every_start(world: World) -> None:
    await world.price("VISIOCLIENT,15.00,USD,month")
    await world.price("VISIOCLIENT,15.00,USD,month")
    await world.price("VISIOCLIENT,16.00,USD,month")

    assert [stored.event.kind for stored in await world.events()] == ["prices_loaded"] * 2
