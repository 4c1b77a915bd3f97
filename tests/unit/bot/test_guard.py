"""What comes in is measured before it is believed."""

import json

import pytest

from bot.guard import MAX_BODY, MAX_DEPTH, MAX_STRING, Rate, check_shape, read_body
from reclaim.domain.ids import PersonId
from reclaim.errors import InvalidRequest

MEGAN = PersonId("megan")


def nested(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_a_json_object_is_read() -> None:
    assert read_body('{"v": 1, "name": "Zoë [{", "more": {"a": [true, null]}}'.encode()) == {
        "v": 1,
        "name": "Zoë [{",
        "more": {"a": [True, None]},
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'"x"',
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"\xff\xfe",
        b'{"a": "' + b"x" * (MAX_STRING + 1) + b'"}',
        b'{"' + b"x" * (MAX_STRING + 1) + b'": 1}',
        b'{"a": ' + b" " * MAX_BODY + b"1}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"[" * 100_000,
        json.dumps({"a": nested(MAX_DEPTH)}).encode(),
    ],
)
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_body(raw)


def test_the_deepest_body_that_is_allowed_is_read() -> None:
    assert read_body(json.dumps({"a": nested(MAX_DEPTH - 1)}).encode())


def test_brackets_in_a_text_are_no_nesting() -> None:
    assert read_body(json.dumps({"a": '\\"[[' + "[" * 100}).encode())


def test_a_shape_is_walked_without_recursion() -> None:
    with pytest.raises(InvalidRequest):
        check_shape(nested(100_000))


def test_a_bucket_empties_and_fills_again() -> None:
    seconds = [0.0]
    rate = Rate(monotonic=lambda: seconds[0], burst=2, per_second=0.5)

    taken = [rate.take(MEGAN) for _ in range(3)]
    seconds[0] = 2.0
    later = [rate.take(MEGAN) for _ in range(2)]

    assert taken == [0, 0, 2]
    assert later == [0, 2]


def test_each_person_has_a_bucket_and_the_memory_has_an_end() -> None:
    rate = Rate(monotonic=lambda: 0.0, burst=1, per_second=1.0, most=2)

    assert [rate.take(PersonId(name)) for name in ("a", "b", "a", "c", "a", "b")] == [0, 0, 1, 0, 1, 0]
