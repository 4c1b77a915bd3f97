"""Every card of the gallery in Slack: valid for its schemas and limits, whole, and the same with hostile text in it."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from cards import block_kit
from cards.block_kit_inputs import read_state
from cards.block_kit_parts import read_value
from cards.formats import one_line
from cards.payload import OldCard
from cards.view import CardView, Row, Rows
from reclaim.errors import InvalidRequest
from tests.golden.cards.gallery import CARDS
from tests.golden.cards.test_cards_drawn import HOSTILE, normal, poisoned
from tests.slack.rules import have_schemas, wrong_in_message, wrong_in_view
from tests.unit.cards.reading import nodes_of, strings_of
from tests.unit.cards.samples import actions_of, words_of

LIKE = str.maketrans({"\u2217": "*", "\u02cb": "`", "\uff3f": "_", "\u223c": "~"})
# Of a name and a product beside it, so much must be seen: a box takes 75 characters.
SEEN = 18


def drawn(card: CardView) -> dict[str, Any]:
    """The card as Slack gets it: a form as a modal, all else as a message."""
    return block_kit.modal(card, metadata="{}") if block_kit.is_form(card) else block_kit.message(card)


def wrong_in(card: CardView) -> list[str]:
    if block_kit.is_form(card):
        return wrong_in_view(block_kit.modal(card, metadata="{}"))
    return [
        *wrong_in_message(block_kit.message(card)),
        *wrong_in_view(block_kit.home(card)),
        *wrong_in_view(block_kit.modal(card, metadata="{}")),
    ]


def seen_in(card: CardView) -> str:
    words = "\n".join(strings_of(drawn(card))).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return normal(words.translate(LIKE))


def missing_in(card: CardView, seen: str) -> list[str]:
    return [word for word in words_of(card) if normal(one_line(word))[:SEEN].rstrip("…") not in seen]


def offered(node: object) -> set[tuple[str, str]]:
    found = set()
    for each in nodes_of(node):
        value = each.get("value")
        if isinstance(value, str) and value.startswith("v1|"):
            payload = read_value(value)
            found.add((payload.verb, payload.ref))
    return found


@pytest.mark.parametrize("name", CARDS)
def test_slack_takes_the_card(name: str) -> None:
    if not have_schemas():
        pytest.skip("Slack's schemas are not beside the project: cards are not checked against them")
    assert wrong_in(CARDS[name]) == []


@pytest.mark.parametrize("name", CARDS)
def test_the_sdk_takes_the_card_too(name: str) -> None:
    for block in Block.parse_all(drawn(CARDS[name])["blocks"]):
        block.to_dict()  # raises where a limit is passed


@pytest.mark.parametrize("name", CARDS)
def test_every_word_of_the_card_is_seen_in_slack(name: str) -> None:
    card = CARDS[name]
    seen = seen_in(card)
    left = [word for word in missing_in(card, seen) if word not in {card.fallback}]
    if block_kit.is_form(card):
        left = [word for word in left if word not in {action.label for action in card.actions}]
        assert normal(drawn(card)["close"]["text"])
    assert left == []


@pytest.mark.parametrize("name", CARDS)
def test_every_action_is_there_in_slack(name: str) -> None:
    card = CARDS[name]
    there = offered(drawn(card))
    submit = block_kit.submit_action(card)
    # A form's submit is the modal's own; what leaves its input behind closes it.
    outside = [submit, *[a for a in card.actions if not a.submits][-1:]] if block_kit.is_form(card) else []
    lacking = [
        a.label for a in actions_of(card) if a not in outside and a.link is None and (a.verb, a.ref) not in there
    ]
    assert lacking == []


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_makes_no_card_too_big_and_mentions_nobody(words: str) -> None:
    for name, card in CARDS.items():
        hostile = poisoned(card, HOSTILE[words])
        assert isinstance(hostile, CardView)
        assert wrong_in(hostile) == [], f"{name} with {words} text"
        for node in nodes_of(drawn(hostile)):
            if node.get("type") == "mrkdwn":
                text = str(node["text"])
                assert "<" not in text, f"{name}: {text[:200]}"
                assert node["verbatim"] is True
                # A bold part of ours is one pair of signs; no other style begins anywhere.
                assert not re.search(r"[_~`]", text), f"{name}: {text[:200]}"


@pytest.mark.parametrize(
    "name",
    ["<!channel> all", "<@U1>", "<https://evil.example|click>", "W" * 10_000, "a & b < c > d", "*bold* _it_ ~x~ `y`"],
    ids=["channel", "mention", "link", "long", "escapes", "styles"],
)
def test_a_name_is_shown_letter_by_letter(name: str) -> None:
    card = CardView(
        kind="x",
        headline=CARDS["wave"].headline,
        body=(Rows(rows=(Row(title=name, subtitle=name, reason=name, amount="$1.00"),)),),
        fallback=name,
    )
    message: dict[str, Any] = block_kit.message(card)
    assert wrong_in_message(message) == []
    shown = json.dumps(message["blocks"]) + message["text"]
    for markup in ("<!channel", "<@U1", "<https", "*bold*", "_it_", "~x~", "`y`"):
        assert markup not in shown


def test_the_amount_stays_where_a_name_is_too_long_for_its_box() -> None:
    row = Row(
        title="Maximiliana " * 9, subtitle="Microsoft 365 Copilot for everybody " * 3, amount="$1,204.00", tick="t.1"
    )
    card = CardView(kind="x", headline=CARDS["wave"].headline, body=(Rows(rows=(row,)),), fallback="f")
    [box] = [node for node in nodes_of(block_kit.message(card)) if node.get("value") == "t.1"]
    label = box["text"]["text"]  # type: ignore[index]
    assert label.startswith("Maximiliana")
    assert "Microsoft" in label
    assert label.endswith(" · $1,204.00")
    assert len(label) <= 75


def test_revoking_asks_first_and_keeping_does_not() -> None:
    buttons = {node["text"]["text"]: node for node in nodes_of(drawn(CARDS["item"])) if node.get("type") == "button"}  # type: ignore[index]
    assert "confirm" in buttons["Revoke"]
    assert not any("confirm" in node for label, node in buttons.items() if label != "Revoke")


def test_more_rows_than_a_message_takes_are_cut_and_said() -> None:
    row = Row(title="Somebody", reason="A reason")
    card = replace(CARDS["wave_cancelled"], body=(Rows(rows=(row,) * 80),))
    message = block_kit.message(card)
    assert wrong_in_message(message) == []
    assert "more do not fit here" in json.dumps(message)


def test_boxes_are_read_with_those_that_were_left_unticked() -> None:
    message: dict[str, Any] = block_kit.message(CARDS["wave"])
    blocks = [block for block in message["blocks"] if block.get("block_id", "").startswith("ticks:")]
    known = [option["value"] for block in blocks for option in block["elements"][0]["options"]]
    ticked = [option["value"] for block in blocks for option in block["elements"][0].get("initial_options", [])]
    assert read_state({}, blocks) == {name: str(name in ticked).lower() for name in known}

    first = blocks[0]
    chosen = first["elements"][0]["options"][1]
    state = {first["block_id"]: {"v": {"type": "checkboxes", "selected_options": [chosen]}}}
    read = read_state(state, blocks)
    mine = [option["value"] for option in first["elements"][0]["options"]]
    assert {name: read[name] for name in mine} == {name: str(name == chosen["value"]).lower() for name in mine}


def test_a_form_comes_back_with_what_was_filled_in() -> None:
    view: dict[str, Any] = block_kit.modal(CARDS["keep_form"], metadata="{}")
    ids = {block["block_id"].split(":")[1]: block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    state = {
        ids["reason"]: {"v": {"type": "radio_buttons", "selected_option": {"value": "seasonal"}}},
        ids["until"]: {"v": {"type": "datepicker", "selected_date": "2027-01-12"}},
        ids["note"]: {"v": {"type": "plain_text_input", "value": None}},
    }
    assert read_state(state, view["blocks"]) == {"reason": "seasonal", "until": "2027-01-12", "note": ""}


@pytest.mark.parametrize(
    "value",
    [None, 7, "", "v1", "v1|wave.open", "v1|wave.open|", "v1|Wave.Open||x", "v1|wave.open||\n", "x1|wave.open||x",
     "v|wave.open||x", "v1|wave.open||" + "x" * 3_000, "v٣|wave.open||x"],
)  # fmt: skip
def test_a_forged_value_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest):
        read_value(value)


def test_a_value_of_another_version_is_an_old_card() -> None:
    with pytest.raises(OldCard) as caught:
        read_value("v2|wave.open||c0ffee")
    assert caught.value.ref == "c0ffee"


def test_a_broken_card_is_found() -> None:
    """The checks above can fail."""
    message: dict[str, Any] = block_kit.message(CARDS["wave"])
    text = {"type": "plain_text", "text": ""}
    assert wrong_in_message({"text": "x", "blocks": [{"type": "header", "text": text}] * 51}) != []
    assert wrong_in_message({**message, "text": ""}) != []
    twice = [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}]
    assert wrong_in_message({"text": "x", "blocks": twice}) == ["block_id a stands 2 times"]
    assert missing_in(CARDS["wave"], "") != []
