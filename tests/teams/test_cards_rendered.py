"""Every card of the gallery as Microsoft's own renderer draws it, in a real browser, at the width of a phone and of a desk.

Skipped with a printed reason where Node, npm's registry or a Chromium is missing. RECLAIM_TEST_REQUIRE_BROWSER turns the skip
into a failure where it is the browser that is missing: the renderer comes over the network, and is no condition of a gate.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cards import adaptive
from cards.view import CardView
from tests.browser import NoBrowserError, without
from tests.golden.cards.gallery import CARDS
from tests.golden.cards.test_cards_drawn import HOSTILE, missing_in, normal, poisoned
from tests.teams.drawing import WIDTHS, NoRendererError, Renderer, renderer

# What the renderer complains of wrongly, or because Teams knows more than it does.
KNOWN = (
    'Unknown element type "Chart.HorizontalBar". Fallback will be used',  # the fallback is drawn, and looked at
    "An Input.ChoiceSet must have at least one choice",  # a people picker: its choices come from Teams
    'Invalid value "en" for property "lang"',  # it keeps the place in a global pattern: every second card is "invalid"
)


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    try:
        with renderer(tmp_path_factory.mktemp("profile")) as running:
            yield running
    except (NoRendererError, NoBrowserError) as error:
        without(error, "cards are not drawn by Microsoft's renderer: ")


def complaints(drawing: Renderer, card: dict[str, Any], width: int) -> list[str]:
    return [said for said in drawing.draw(_without_teams(card), width) if not said.startswith(KNOWN)]


def _without_teams(node: Any) -> Any:
    """The same card without the people pickers' question to Teams, which nobody here answers."""
    if isinstance(node, dict):
        return {name: _without_teams(part) for name, part in node.items() if name != "choices.data"}
    return [_without_teams(part) for part in node] if isinstance(node, list) else node


def shown_nodes(node: object) -> Iterator[dict[str, Any]]:
    """Yield what this renderer draws: a chart's fallback, and nobody else's."""
    if isinstance(node, dict):
        if str(node.get("type", "")).startswith("Chart."):
            yield from shown_nodes(node["fallback"])
            return
        yield node
        for name, part in node.items():
            if name not in ("fallback", "refresh"):
                yield from shown_nodes(part)
    elif isinstance(node, list):
        for part in node:
            yield from shown_nodes(part)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CARDS)
def test_nothing_of_a_card_is_lost(drawing: Renderer, name: str, width: int) -> None:
    card = adaptive.render(CARDS[name])

    assert complaints(drawing, card, width) == []
    drawing.unfold()
    assert missing_in(normal(drawing.read()), CARDS[name]) == []
    assert drawing.wide() == []


@pytest.mark.parametrize("name", CARDS)
def test_every_field_is_there_and_every_button_carries_what_it_should(drawing: Renderer, name: str) -> None:
    card = adaptive.render(CARDS[name])
    complaints(drawing, card, WIDTHS[0])
    drawing.unfold()
    fields = [node["id"] for node in shown_nodes(card) if str(node.get("type")).startswith("Input.")]
    buttons = [node for node in shown_nodes(card) if node.get("type") == "Action.Execute"]

    assert sorted(drawing.inputs()) == sorted(fields)
    pressed = {(verb, data["ref"], data.get("batch")) for verb, data in drawing.press_all() if data}
    wanted = {
        (node["verb"], node["data"]["ref"], node["data"].get("batch"))
        for node in buttons
        # A form whose required field is empty is not sent: that is the renderer's to show at the field.
        if node.get("associatedInputs") == "none" or not _has_gap(card)
    }
    assert pressed >= wanted
    assert pressed <= {(node["verb"], node["data"]["ref"], node["data"].get("batch")) for node in buttons}


def _has_gap(card: dict[str, Any]) -> bool:
    return any(node.get("isRequired") for node in shown_nodes(card))


@pytest.mark.parametrize("words", HOSTILE)
def test_what_others_wrote_is_shown_as_text_and_nothing_else(drawing: Renderer, words: str) -> None:
    wrong = {}
    for name, card in CARDS.items():
        hostile = poisoned(card, HOSTILE[words])
        assert isinstance(hostile, CardView)
        said = complaints(drawing, adaptive.render(hostile), WIDTHS[0])
        drawing.unfold()
        found = [*said, *drawing.foreign(), *drawing.wide()]
        if words == "function":
            found += [] if "2026-01-01T00:00:00Z" in drawing.read() or not _has_foreign(card) else ["a date was made"]
        if found:
            wrong[name] = found[:3]
    assert wrong == {}


def _has_foreign(card: CardView) -> bool:
    return "2026-01-01T00:00:00Z" in json.dumps(adaptive.render(poisoned(card, HOSTILE["function"])))  # type: ignore[arg-type]


def test_the_check_itself_sees_markup_links_width_and_unknown_elements(drawing: Renderer) -> None:
    bad: dict[str, Any] = {
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [
            {"type": "TextBlock", "text": "**bold** [link](http://e.example)", "wrap": True},
            {"type": "RichTextBlock", "inlines": ["W" * 64]},
            {"type": "Nonsense"},
        ],
    }
    assert any("Nonsense" in said for said in complaints(drawing, bad, 320))
    assert {part[:3] for part in drawing.foreign()} == {"<st", "<a "}
    assert drawing.wide()
