from datetime import UTC, datetime, time

import pytest

from reclaim.domain.calendar import last_at, next_at

ZURICH = "Europe/Zurich"


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        (at(24, 0, 59), at(23, 1), at(24, 1)),
        (at(24, 1), at(24, 1), at(25, 1)),  # the very instant has come
        (at(24, 23, 30), at(24, 1), at(25, 1)),  # in Zurich it is the 25th already
        (
            at(25, 0, 30, month=10),
            at(25, 0, month=10),
            at(26, 1, month=10),
        ),  # summer time ends: 02:00 comes twice, the first counts
        (
            at(28, 12, month=3),
            at(28, 1, month=3),
            at(29, 1, month=3),
        ),  # summer time begins: there is no 02:00 on the 29th
        (at(29, 12, month=3), at(29, 1, month=3), at(30, 0, month=3)),
    ],
)
def test_a_time_of_day_is_that_of_the_zone(now: datetime, last: datetime, following: datetime) -> None:
    assert last_at(time(2), now, ZURICH) == last
    assert next_at(time(2), now, ZURICH) == following
