from datetime import UTC, datetime, timedelta, timezone

import pytest

from reclaim.connectors.clock import SteppingClock, SystemClock
from reclaim.connectors.tokens import RandomTokens

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_the_machines_clock_is_aware_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_stepping_clock_stands_still_until_it_is_moved() -> None:
    clock = SteppingClock(START)

    before = clock.now()
    clock.move_to(START + timedelta(days=1))

    assert (before, clock.now()) == (START, datetime(2026, 3, 3, 9, tzinfo=UTC))


def test_the_stepping_clock_shows_utc_whatever_zone_it_is_set_in() -> None:
    clock = SteppingClock(datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=1))))

    assert clock.now() == START
    assert clock.now().tzinfo is UTC


def test_the_stepping_clock_never_goes_back() -> None:
    clock = SteppingClock(START)

    with pytest.raises(ValueError, match="never goes back"):
        clock.move_to(START - timedelta(seconds=1))


@pytest.mark.parametrize("naive", [datetime(2026, 3, 3)])  # noqa: DTZ001 - what must be refused
def test_a_moment_without_a_zone_is_refused(naive: datetime) -> None:
    with pytest.raises(ValueError, match="time zone"):
        SteppingClock(START).move_to(naive)


def test_ids_have_32_hexadecimal_digits_and_salts_16_bytes_and_none_comes_twice() -> None:
    tokens = RandomTokens()

    ids = {tokens.new_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)
    assert len(tokens.new_salt()) == 16
    assert tokens.new_salt() != tokens.new_salt()
