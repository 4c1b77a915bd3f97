from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.ids import ProductId
from reclaim.domain.money import Money, Period, Price
from reclaim.errors import InvalidRequest
from reclaim.services.load_prices import LoadPrices, read_prices
from tests.services.world import PROJECT, VISIO, World

HEADER = "sku,amount,currency,period,renews_on\n"


async def stored(world: World) -> dict[ProductId, Price]:
    async with world.work.read() as reading:
        return await reading.catalog.prices(world.clock.now())


async def test_a_list_replaces_the_prices_of_its_source_only(world: World) -> None:
    load = LoadPrices(work=world.work, clock=world.clock, tokens=world.tokens)
    await world.read()
    await load.from_csv(HEADER + "VISIOCLIENT,15.00,USD,month,\n", "contract.csv")
    await load.from_csv(HEADER + "Project Plan 3,30,USD,month,\n", "other.csv")

    number = await load.from_csv(HEADER + "visio plan 2,180,USD,year,2027-06-30\n", "contract.csv")

    assert number == 1
    prices = await stored(world)
    assert prices[VISIO] == Price(amount=Money(18000, "USD"), period=Period.YEAR, renews_on=date(2027, 6, 30))
    assert prices[PROJECT].monthly == Money(3000, "USD")


async def test_one_mistake_refuses_the_whole_list(world: World) -> None:
    load = LoadPrices(work=world.work, clock=world.clock, tokens=world.tokens)
    await world.read()
    await load.from_csv(HEADER + "VISIOCLIENT,15,USD,month,\n", "a")

    with pytest.raises(InvalidRequest):
        await load.from_csv(HEADER + "VISIOCLIENT,99,USD,month,\nE3,ten,USD,month,\n", "a")

    assert (await stored(world))[VISIO].amount == Money(1500, "USD")


@pytest.mark.parametrize(
    ("row", "amount"),
    [
        ("A,30,USD,month,", Money(3000, "USD")),
        ("A,30.5,USD,month,", Money(3050, "USD")),
        ("A,1204,JPY,month,", Money(1204, "JPY")),
        ("A,1.234,KWD,month,", Money(1234, "KWD")),
        ("A,0,USD,month,", Money(0, "USD")),
        (" A , 30.00 , EUR , year , ", Money(3000, "EUR")),
    ],
)
def test_amounts_are_kept_in_minor_units(row: str, amount: Money) -> None:
    assert [(sku, price.amount) for sku, price in read_prices(HEADER + row)] == [("A", amount)]


def test_byte_order_mark_line_ends_blank_lines_order_and_missing_dates_are_fine() -> None:
    text = '\ufeffcurrency,Amount,sku,period\r\n\r\nUSD,15.00,"Visio, Plan 2",month\r\n,,,\r\n'

    assert read_prices(text) == [("Visio, Plan 2", Price(amount=Money(1500, "USD"), period=Period.MONTH))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1: the columns must be"),
        ("sku;amount;currency;period\nA;1;USD;month", "Line 1: this file uses semicolons."),
        ("sku,amount,currency\n", "Line 1: the columns must be"),
        ("sku,amount,currency,period,price\n", "Line 1: the columns must be"),
        ("sku,amount,currency,period,sku\n", "Line 1: the columns must be"),
        (HEADER, "The price list has no rows."),
        (HEADER + "A,30,USD,month", "Line 2: 4 columns instead of 5."),
        (HEADER + ",30,USD,month,", "Line 2, sku: a SKU is missing"),
        (HEADER + "A\x07,30,USD,month,", "Line 2, sku: this is not the name of a SKU."),
        (HEADER + '"1,204.00",1,USD,month,\nB,"1,204.00",USD,month,', "Line 3, amount: “1,204.00” is not an amount."),
        (HEADER + "A,-5,USD,month,", "Line 2, amount: “-5” is not an amount."),
        (HEADER + "A,1e9,USD,month,", "Line 2, amount: “1e9” is not an amount."),
        (HEADER + "A,٣,USD,month,", "Line 2, amount: “٣” is not an amount."),
        (HEADER + "A,1.005,USD,month,", "Line 2, amount: “1.005” has too many decimals; USD has 2."),
        (HEADER + "A,1.5,JPY,month,", "Line 2, amount: “1.5” has too many decimals; JPY has 0."),
        (HEADER + "A,1,$,month,", "Line 2, currency: “$” is not a currency code."),
        (HEADER + "A,1,usd,month,", "Line 2, currency: “usd” is not a currency code."),
        (HEADER + "A,1,USD,week,", "Line 2, period: “week” is neither month nor year."),
        (HEADER + "A,1,USD,month,30.06.2027", "Line 2, renews_on: “30.06.2027” is not a clear date."),
        (HEADER + "A,1,USD,month,\n\na ,2,USD,month,", "Line 4, sku: “a” has a price in line 2 already."),
        (HEADER + 'A,"1,USD,month,', "Line 2 cannot be read as CSV"),
    ],
)
def test_a_mistake_is_named_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_prices(text)

    assert caught.value.message.startswith(message)


def test_ten_thousand_rows_are_taken_and_one_more_is_not() -> None:
    rows = "".join(f"SKU{number},1,USD,month,\n" for number in range(10_000))

    assert len(read_prices(HEADER + rows)) == 10_000
    with pytest.raises(InvalidRequest, match="at most 10,000 rows"):
        read_prices(HEADER + rows + "ONE-MORE,1,USD,month,\n")


@given(st.text(max_size=200))
def test_garbage_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_prices(HEADER + "\x00," + text)
