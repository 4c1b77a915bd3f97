"""When a saving is realised, by how much an order can be made smaller, and the stages that are kept apart."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.directory import Sku
from reclaim.domain.ids import CampaignId, ItemId, ProductId
from reclaim.domain.money import Money, Period, Price, Total
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice, Waiting
from reclaim.domain.savings import PoolChange, SeatGroup, Stage, VerifiedSeat, realise, reducible, savings_of
from reclaim.domain.spend import renewal_calendar

VISIO = ProductId("visio")
START = datetime(2026, 11, 1, 9, tzinfo=UTC)
RENEWAL = date(2026, 12, 31)


def on(day: int) -> datetime:
    return START + timedelta(days=day)


def gone(number: int, *, day: int = 0, reversed_day: int | None = None) -> VerifiedSeat:
    return VerifiedSeat(
        item_id=ItemId(f"i{number}"),
        campaign_id=CampaignId("c"),
        product_id=VISIO,
        verified_at=on(day),
        reversed_at=None if reversed_day is None else on(reversed_day),
    )


def pool(*changes: tuple[int, int]) -> list[PoolChange]:
    return [PoolChange(product_id=VISIO, at=on(day), enabled=enabled) for day, enabled in changes]


def realised(seats: list[VerifiedSeat], *changes: tuple[int, int], renewals: tuple[date, ...] = (RENEWAL,)) -> set[str]:
    return set(realise(seats, pool(*changes), renewals, "UTC"))


def test_a_smaller_order_at_the_renewal_realises_the_seats_that_were_gone_before() -> None:
    assert realised([gone(1), gone(2), gone(3)], (0, 50), (60, 48)) == {"i1", "i2"}


def test_nothing_is_realised_beyond_what_was_verified_gone() -> None:
    assert realised([gone(1)], (0, 50), (61, 10)) == {"i1"}


def test_an_order_that_fell_before_its_renewal_realises_nothing() -> None:
    assert realised([gone(1)], (0, 50), (30, 40)) == set()


def test_a_seat_that_went_after_the_renewal_waits_for_the_next_one() -> None:
    late = [gone(1, day=70)]

    assert realised(late, (0, 50), (80, 49)) == set()
    assert realised(late, (0, 50), (430, 49), renewals=(RENEWAL, date(2027, 12, 31))) == {"i1"}


def test_without_a_known_renewal_nothing_is_realised() -> None:
    assert realised([gone(1)], (0, 50), (61, 49), renewals=()) == set()


def test_seats_that_are_bought_again_take_the_saving_back() -> None:
    seats = [gone(1), gone(2)]

    assert realised(seats, (0, 50), (61, 48), (70, 49)) == {"i1"}
    assert realised(seats, (0, 50), (61, 48), (70, 49), (90, 48)) == {"i1", "i2"}


def test_a_reversed_seat_realises_nothing() -> None:
    assert realised([gone(1, reversed_day=5), gone(2)], (0, 50), (61, 40)) == {"i2"}


def test_the_first_reading_of_an_order_is_no_fall() -> None:
    assert realised([gone(1)], (61, 40)) == set()


@given(
    days=st.lists(st.integers(0, 400), max_size=8),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12)), max_size=6, unique_by=lambda one: one[0]),
    renewals=st.lists(st.integers(0, 400), max_size=3),
)
def test_realised_is_capped_by_verified_and_by_the_fall_of_the_order(
    days: list[int], changes: list[tuple[int, int]], renewals: list[int]
) -> None:
    seats = [gone(number, day=day) for number, day in enumerate(days)]
    ordered = sorted(changes)
    dates = [on(day).date() for day in renewals]

    found = realise(seats, pool(*ordered), dates, "UTC")

    assert set(found) <= {seat.item_id for seat in seats}
    falls = sum(max(0, before[1] - after[1]) for before, after in pairwise(ordered))
    assert len(found) <= falls
    by_id = {seat.item_id: seat for seat in seats}
    for item, at in found.items():
        assert any(by_id[item].verified_at.date() <= day <= at.date() for day in dates)


def test_an_order_is_made_smaller_by_what_is_gone_and_held_by_nobody() -> None:
    assert reducible({VISIO: 5}, {VISIO: 3}) == {VISIO: 3}
    assert reducible({VISIO: 5}, {VISIO: 9}) == {VISIO: 5}
    assert reducible({VISIO: 5}, {}) == {}


def seats(
    number: int,
    outcome: Outcome | None = None,
    choice: Choice | None = Choice.REVOKE,
    waiting: Waiting | None = None,
    currency: str = "USD",
) -> SeatGroup:
    monthly = Total(amounts=(Money(100 * number, currency),))
    return SeatGroup(outcome=outcome, choice=choice, waiting=waiting, not_sure=False, seats=number, monthly=monthly)


def test_each_stage_is_kept_apart_and_no_currency_is_added_to_another() -> None:
    found = savings_of(
        [
            seats(1, Outcome.REMOVED),
            seats(2, Outcome.REMOVED, currency="EUR"),
            seats(4, waiting=Waiting.PENDING_VERIFICATION),
            seats(8, Outcome.FAILED),
            seats(16, Outcome.KEPT, choice=None),
            seats(32, Outcome.REMOVED, choice=None),  # by the rule for silence
            seats(64, Outcome.KEPT, Choice.KEEP),
            seats(128, Outcome.MANUAL_DONE),
        ],
        realised=Stage(seats=1, monthly=Total(amounts=(Money(100, "USD"),))),
    )

    assert [
        stage.seats for stage in (found.potential, found.decided, found.removed, found.verified, found.realised)
    ] == [255, 175, 167, 163, 1]
    assert found.verified.monthly.amounts == (Money(16100, "USD"), Money(200, "EUR"))
    assert found.by_hand == Stage(seats=128, monthly=Total(amounts=(Money(12800, "USD"),)))
    assert found.reversed == Stage()


def test_the_calendar_names_the_next_renewal_first_and_a_day_that_has_passed_as_such() -> None:
    def sold(ref: str, enabled: int, consumed: int) -> Sku:
        return Sku(id=ProductId(ref), part_number=ref, name=ref, enabled=enabled, consumed=consumed)

    def price(day: date | None) -> Price:
        return Price(amount=Money(1500, "USD"), period=Period.MONTH, renews_on=day)

    skus = {ProductId(ref): sold(ref, 10, 7) for ref in ("passed", "soon", "later", "unknown", "unsaid")}
    prices = {
        ProductId("passed"): price(date(2026, 10, 1)),
        ProductId("soon"): price(date(2026, 12, 1)),
        ProductId("later"): price(date(2027, 1, 1)),
        ProductId("unknown"): price(None),
    }

    rows = renewal_calendar(skus, prices, {ProductId("soon"): 2, ProductId("unknown"): 5}, date(2026, 11, 23))

    assert [row.product_id for row in rows] == ["soon", "later", "passed", "unknown"]
    assert [row.reduce_by for row in rows] == [2, 0, 0, 3]
    assert [row.passed for row in rows] == [False, False, True, False]
    assert rows[0].monthly == Total(amounts=(Money(3000, "USD"),))
