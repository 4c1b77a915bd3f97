import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.payload import OldCard, Payload, decode, encode
from cards.view import Action
from reclaim.errors import InvalidRequest

WORDS = st.text(string.ascii_lowercase + "_", min_size=1, max_size=12)
VERBS = st.lists(WORDS, min_size=2, max_size=4).map(".".join)
REFS = st.text(string.ascii_letters + string.digits + "-:._", max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ALMOST = st.dictionaries(st.sampled_from(["v", "ref", "batch", "verb", "x"]), JSON | st.just(1) | st.just("i1"))


@given(verb=VERBS, ref=REFS, batch=st.none() | REFS)
def test_what_was_encoded_comes_back(verb: str, ref: str, batch: str | None) -> None:
    action = Action(label="X", verb=verb, ref=ref, batch=batch)

    assert decode(verb, encode(action)) == (verb, ref, batch)


@given(verb=JSON | VERBS, data=JSON | ALMOST)
def test_anything_else_is_an_invalid_request_and_no_other_error(verb: object, data: object) -> None:
    try:
        payload = decode(verb, data)
    except InvalidRequest:
        return
    assert encode(Action(label="X", verb=payload.verb, ref=payload.ref, batch=payload.batch)) == data


def test_encoded_payload_is_small_and_plain() -> None:
    assert encode(Action(label="X", verb="wave.undo", ref="w1", batch="b1")) == {"v": 1, "ref": "w1", "batch": "b1"}
    assert decode("wave.undo", {"v": 1, "ref": "w1"}) == Payload("wave.undo", "w1", None)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "{}",
        {},
        {"ref": "i1"},
        {"v": 1},
        {"v": True, "ref": "i1"},
        {"v": 1.0, "ref": "i1"},
        {"v": "1", "ref": "i1"},
        {"v": 1, "ref": 7},
        {"v": 1, "ref": "i1", "batch": None},
        {"v": 1, "ref": "i1", "person": "p1"},
        {"v": 1, "ref": "x" * 201},
        {"v": 1, "ref": "i1\n"},
    ],
)
def test_malformed_data_is_refused(data: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode("item.revoke", data)

    assert type(caught.value) is InvalidRequest


@pytest.mark.parametrize(
    "verb",
    [
        None,
        7,
        "",
        "item",
        "Item.revoke",
        "item.revoke\n",
        "item..revoke",
        "a.b.c.d.e",
        "item.revoke ",
        "a." + "b" * 200,
    ],
)
def test_malformed_verb_is_refused(verb: object) -> None:
    with pytest.raises(InvalidRequest):
        decode(verb, {"v": 1, "ref": "i1"})


@pytest.mark.parametrize("version", [0, 2, -1])
def test_card_of_another_version_is_told_apart_and_keeps_its_reference(version: int) -> None:
    with pytest.raises(OldCard) as caught:
        decode("item.revoke", {"v": version, "ref": "i1", "more": "than we know"})

    assert caught.value.ref == "i1"


def test_card_of_another_version_without_a_readable_reference_has_none() -> None:
    with pytest.raises(OldCard) as caught:
        decode("item.revoke", {"v": 0, "ref": ["i1"]})

    assert caught.value.ref is None


@pytest.mark.parametrize(("verb", "ref"), [("revoke", "i1"), ("item.revoke", "x" * 201), ("item.revoke", "a\0b")])
def test_button_that_could_not_come_back_is_not_drawn(verb: str, ref: str) -> None:
    with pytest.raises(ValueError, match="not the verb"):
        encode(Action(label="X", verb=verb, ref=ref))
