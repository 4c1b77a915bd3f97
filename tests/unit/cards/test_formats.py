import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards import formats
from reclaim.domain.calendar import end_of_day
from reclaim.domain.money import Money, Total

NOW = datetime(2026, 11, 30, 13, 5, tzinfo=UTC)  # 14:05 in Zurich
ZURICH = "Europe/Zurich"


def usd(*minor: int, unpriced: int = 0) -> Total:
    return Total(amounts=tuple(Money(m, "USD") for m in minor), unpriced=unpriced)


def test_day_has_its_weekday_only_when_asked() -> None:
    assert formats.day(date(2026, 7, 12)) == "12 Jul 2026"
    assert formats.day(date(2026, 12, 4), weekday=True) == "Fri 4 Dec 2026"


def test_moment_is_told_in_the_readers_zone() -> None:
    at = datetime(2026, 12, 4, 16, 0, tzinfo=UTC)

    assert formats.moment(at, ZURICH, weekday=True) == "Fri 4 Dec 2026, 17:00"
    assert formats.moment(at, ZURICH, offset=True) == "4 Dec 2026, 17:00 UTC+01:00"
    assert formats.moment(at, "America/St_Johns", offset=True) == "4 Dec 2026, 12:30 UTC-03:30"


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        (datetime(2026, 12, 4, 23, 0, tzinfo=UTC), ZURICH, "Fri 4 Dec 2026"),
        (datetime(2026, 12, 4, 16, 0, tzinfo=UTC), ZURICH, "Fri 4 Dec 2026, 17:00"),
        (datetime(2026, 12, 4, 23, 0, tzinfo=UTC), "UTC", "Fri 4 Dec 2026, 23:00"),
        # Midnight does not exist in Beirut on 29 Mar 2026: the clock goes from 24:00 to 01:00.
        (end_of_day(date(2026, 3, 28), "Asia/Beirut"), "Asia/Beirut", "Sat 28 Mar 2026"),
    ],
)
def test_due_instant_at_the_end_of_a_day_shows_that_day(at: datetime, zone: str, shown: str) -> None:
    assert formats.due(at, zone) == shown


@pytest.mark.parametrize(
    ("days", "shown"),
    [(-1, "today"), (0, "today"), (1, "1 day ago"), (134, "134 days ago"), (729, "729 days ago"), (730, "2 years ago")],
)
def test_age(days: int, shown: str) -> None:
    assert formats.age(NOW - timedelta(days=days), NOW) == shown


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 12, 4, 23, 0, tzinfo=UTC), "in 4 days"),
        (datetime(2026, 12, 1, 23, 0, tzinfo=UTC), "in 1 day"),
        (datetime(2026, 11, 30, 23, 0, tzinfo=UTC) + timedelta(hours=3), "in 1 day"),
        (datetime(2026, 11, 30, 16, 10, tzinfo=UTC), "in 3 hours"),
        (datetime(2026, 11, 30, 14, 30, tzinfo=UTC), "in 1 hour"),
        (datetime(2026, 11, 30, 13, 30, tzinfo=UTC), "in less than an hour"),
        (NOW, "now"),
    ],
)
def test_time_left(at: datetime, shown: str) -> None:
    assert formats.time_left(at, NOW, ZURICH) == shown


def test_time_left_on_the_last_day_is_today_until_hours_count() -> None:
    morning = datetime(2026, 11, 30, 8, 0, tzinfo=timezone(timedelta(hours=1)))

    assert formats.time_left(end_of_day(date(2026, 11, 30), ZURICH), morning, ZURICH) == "today"


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (3000, "USD", "$30.00"),
        (120400, "CAD", "CA$1,204.00"),
        (120400, "SEK", "1,204.00 SEK"),
        (500, "JPY", "¥500"),
        (1500, "KWD", "1.500 KWD"),
        (5, "EUR", "€0.05"),
        (-3000, "USD", "-$30.00"),
        (100000, "XPF", "100,000 XPF"),
    ],
)
def test_money_keeps_the_minor_units_of_its_currency(minor: int, currency: str, shown: str) -> None:
    assert formats.money(Money(minor, currency)) == shown


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (324_400, "USD", "$3,244"),
        (120_350, "SEK", "1,204 SEK"),
        (50, "USD", "$1"),
        (49, "USD", "$0.49"),
        (0, "USD", "$0"),
        (-324_449, "USD", "-$3,244"),
        (1_500, "JPY", "¥1,500"),
    ],
)
def test_whole_money_is_rounded_but_never_to_nothing(minor: int, currency: str, shown: str) -> None:
    assert formats.whole_money(Money(minor, currency)) == shown


def test_price_of_a_seat() -> None:
    assert formats.price(Money(3000, "USD")) == "$30.00"
    assert formats.price(None) == "No price"


@pytest.mark.parametrize(
    ("total", "whole", "shown"),
    [
        (usd(14_800), False, "$148.00"),
        (usd(99_999), False, "$999.99"),
        (usd(100_000), False, "$1,000"),
        (usd(5_700, unpriced=1), False, "$57.00 + 1 unpriced"),
        (usd(14_800), True, "$148"),
        (usd(unpriced=6), False, "6 seats, no price"),
        (usd(unpriced=1), False, "1 seat, no price"),
        (usd(), False, "nothing"),
        (Total(amounts=(Money(324_400, "USD"), Money(39_000, "EUR"))), True, "$3,244 + €390"),
    ],
)
def test_sum_names_what_it_leaves_out(total: Total, whole: bool, shown: str) -> None:
    assert formats.total_text(total, whole=whole) == shown


def test_sum_a_month() -> None:
    assert formats.monthly(usd(14_800)) == "$148.00 a month"
    assert formats.monthly(usd(5_700, unpriced=1)) == "$57.00 a month + 1 unpriced"
    assert formats.monthly(usd(unpriced=6)) == "6 seats, no price"


def test_sum_and_unit_of_a_headline() -> None:
    assert (formats.amounts(usd(20_500, unpriced=1)), formats.unit(usd(20_500, unpriced=1))) == (
        "$205.00",
        "a month + 1 unpriced",
    )
    assert formats.amounts(usd(unpriced=2)) is None
    assert formats.unit(usd(100)) == "a month"


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(52, 86, "60 %"), (0, 9, "0 %"), (1, 900, "1 %"), (899, 900, "99 %"), (9, 9, "100 %")]
)
def test_percent(part: int, whole: int, shown: str) -> None:
    assert formats.percent(part, whole) == shown


def test_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        formats.percent(0, 0)


def test_count() -> None:
    assert formats.count(1, "seat") == "1 seat"
    assert formats.count(1, "seat", in_words=True) == "one seat"
    assert formats.count(1204, "seat") == "1,204 seats"
    assert formats.count(2, "person", "people") == "2 people"
    assert formats.number(1204) == "1,204"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("Isaiah", 6, "Isaiah"),
        ("Isaiah", 5, "Isai…"),
        ("Isaiah Langer", 8, "Isaiah…"),
        ("ae\u0301io", 3, "a…"),
        ("a👩\u200d👧b", 4, "a…"),
        ("a👍🏽b", 3, "a…"),
        ("a🇨🇭b", 3, "a…"),
    ],
)
def test_cut_does_not_tear_a_sign(text: str, limit: int, shown: str) -> None:
    assert formats.cut(text, limit) == shown


@given(st.text(), st.integers(1, 40))
def test_cut_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(formats.cut(text, limit)) <= limit


@given(st.text(st.characters()), st.none() | st.integers(1, 40))
def test_one_line_holds_nothing_that_disturbs_its_surroundings(text: str, limit: int | None) -> None:
    line = formats.one_line(text, limit)

    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or c in "\u202a\u202b\u202d\u202e" for c in line)
    assert line.count("\u2068") == line.count("\u2069")


def test_one_line_closes_what_was_cut_open() -> None:
    assert formats.one_line("\u2068نور الدين\u2069", 5) == "\u2068نور…\u2069"
    assert formats.one_line("\u2069a\u2068") == "a\u2068\u2069"
    assert formats.one_line("two\r\nlines\u2028three") == "two lines three"


def test_only_right_to_left_names_are_isolated() -> None:
    assert formats.isolate("Lee Gu") == "Lee Gu"
    assert formats.isolate("نور") == "\u2068نور\u2069"
    assert formats.isolate(formats.isolate("אבגד")) == "\u2068אבגד\u2069"


def test_typed_text_keeps_its_lines() -> None:
    assert formats.as_typed("a\n\tb\0\ud800c") == "a\n\tbc"


@pytest.mark.parametrize(
    ("name", "word"),
    [("Isaiah Langer", "Isaiah"), ("Langer, Isaiah", "Langer"), ("svc@contoso.com", "svc@contoso.com"), (" ", " ")],
)
def test_first_word(name: str, word: str) -> None:
    assert formats.first_word(name) == word
