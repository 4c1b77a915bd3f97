"""Every card of the gallery in every renderer: valid, small enough, whole, and the same with hostile text in it.

The cards of every topic are held to it; a failure names the card and what is missing of it.
"""

import dataclasses
import json
import re
import unicodedata
from collections.abc import Callable

import jsonschema
import pytest

from cards import adaptive, html, text
from cards.adaptive_parts import size_of
from cards.formats import one_line
from cards.view import Action, Box, CardView, Input, Row
from tests.golden.cards.gallery import CARDS
from tests.unit.cards.reading import Markup, nodes_of, strings_of
from tests.unit.cards.samples import actions_of, words_of
from tests.unit.cards.test_adaptive import SCHEMA, without_charts

BUDGET = 28 * 1024
# Of a word, so much must be seen: the rest may be cut, as the experience page says.
SEEN = 40
# What the renderers put into a text so that nobody reads it as more than text, and take out of it.
UNSEEN = re.compile("[\u200b\u2060\u2068\u2069\u202e\\s]")
# Where an Adaptive Card shows a text; what somebody typed goes back into its field as it was ("value").
SHOWN = ("text", "title", "altText", "label", "placeholder", "errorMessage", "fallbackText", "speak")
LIKE = str.maketrans({"\u2217": "*", "\u02cb": "`", "\uff3f": "_", "\u2011": "-"})
HOSTILE = {
    "long": "W" * 10_000,
    "wide": "界" * 10_000,
    "joined": "\U0001f469\u200d\U0001f52c" * 3_000,
    "words": "word " * 2_000,
    "markdown": "**bold** _italic_ [link](http://e.example) ![x](http://e.example/p.png) `code` # ~~gone~~",
    "mention": "<at>Megan Bowen</at> <!channel> @everyone",
    "markup": "\"><script>alert(1)</script><img src=x onerror='alert(1)'>",
    "function": "{{DATE(2026-01-01T00:00:00Z)}} ${card.title} {{{TIME(x)}}}",
    "turned": "\u202eevil\u2066\u2067 אבג \u200f",
    "control": "nul\0 bell\x07 \x1b[31mred\x1b[0m\nnext\r\nline\u2028end",
}
# Texts that come from the tenant or from people; all others are our own wording.
FOREIGN = {
    "Headline": ("title", "context"),
    "Strip": ("detail",),
    "Paragraph": ("text",),
    "Fact": ("value",),
    "Row": ("title", "subtitle", "reason"),
    "Bar": ("label",),
    "Option": ("label",),
    "Input": ("value", "value_label"),
}


def normal(words: str) -> str:
    return UNSEEN.sub("", words.translate(LIKE))


def in_teams(card: CardView) -> str:
    drawn = adaptive.render(card)
    numbers = (str(node["value"]) for node in nodes_of(drawn) if "value" in node)
    return normal("\n".join((*strings_of(drawn), *numbers)))


def in_the_browser(card: CardView) -> str:
    return normal("\n".join(Markup(html.render(card)).texts))


def in_the_terminal(card: CardView) -> set[str]:
    """Columns stand beside each other and words wrap, so only the words themselves can be looked for."""
    return {normal(word) for word in text.render(card, 200, with_actions=True).split()}


def missing_in(drawn: str, card: CardView) -> list[str]:
    return [word for word in words_of(card) if normal(one_line(word))[:SEEN].rstrip("…") not in drawn]


def poisoned(part: object, words: str) -> object:
    """The same card with these words in every place that holds what others wrote."""
    if isinstance(part, tuple):
        return tuple(poisoned(each, words) for each in part)
    if isinstance(part, Action | Box) or not dataclasses.is_dataclass(part) or isinstance(part, type):
        return part
    foreign = FOREIGN.get(type(part).__name__, ())
    changed = {
        field.name: words
        if field.name in foreign and getattr(part, field.name)
        else poisoned(getattr(part, field.name), words)
        for field in dataclasses.fields(part)
    }
    if isinstance(part, Input):  # no field of ours takes more
        changed["value"] = words[: min(part.max_length or 100, 500)] if part.value else ""
    return type(part)(**changed)


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft6Validator:
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA.name} is not beside the project: cards are not checked against it")
    return jsonschema.Draft6Validator(json.loads(SCHEMA.read_text(encoding="utf-8-sig")))


@pytest.mark.parametrize("name", CARDS)
def test_adaptive_card_is_valid_and_says_version_1_5(name: str, schema: jsonschema.Draft6Validator) -> None:
    drawn = adaptive.render(CARDS[name], reader_ids=("29:reader",))

    assert drawn["version"] == "1.5"
    wrong = [
        f"{'/'.join(map(str, error.path))}: {error.message[:300]}"
        for error in schema.iter_errors(without_charts(drawn))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", CARDS)
def test_adaptive_card_fits_without_leaving_anything_out(name: str) -> None:
    assert adaptive.fits(CARDS[name], reader_ids=("29:reader",))


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("channel", [in_teams, in_the_browser], ids=["teams", "browser"])
def test_every_word_of_the_card_is_seen(name: str, channel: Callable[[CardView], str]) -> None:
    assert missing_in(channel(CARDS[name]), CARDS[name]) == []


@pytest.mark.parametrize("name", CARDS)
def test_every_word_of_the_card_is_seen_in_the_terminal(name: str) -> None:
    drawn = in_the_terminal(CARDS[name])
    joined = normal(text.render(CARDS[name], 200, with_actions=True))

    gone = [
        word
        for words in words_of(CARDS[name])
        for word in one_line(words)[:SEEN].split()[:-1]
        if normal(word) not in drawn and normal(word) not in joined
    ]
    assert gone == []


@pytest.mark.parametrize("name", CARDS)
def test_every_action_is_there_in_every_channel(name: str) -> None:
    card = CARDS[name]
    teams = list(nodes_of(adaptive.render(card)))
    executed = {(n["verb"], n["data"]["ref"]) for n in teams if n.get("type") == "Action.Execute"}  # type: ignore[index]
    opened = {n.get("url") for n in teams if n.get("type") == "Action.OpenUrl"}
    elements = Markup(html.render(card)).elements
    pressed = {(a["data-verb"], a["data-ref"]) for _, a, _ in elements if "data-verb" in a}
    linked = {a.get("href") for _, a, _ in elements}
    typed = normal(text.render(card, 200, with_actions=True))

    for action in actions_of(card):
        if action.link is None:
            assert (action.verb, action.ref) in executed, f"Teams lacks “{action.label}”"
            assert (action.verb, action.ref) in pressed, f"the browser lacks “{action.label}”"
        else:
            assert action.link in opened, f"Teams lacks “{action.label}”"
            assert action.link in linked, f"the browser lacks “{action.label}”"
        assert normal(action.label) in typed, f"the terminal lacks “{action.label}”"


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_makes_no_card_too_big_and_runs_nothing(words: str) -> None:
    for name, card in CARDS.items():
        hostile = poisoned(card, HOSTILE[words])
        assert isinstance(hostile, CardView)
        try:
            check_in_teams(hostile)
            check_in_the_browser(hostile)
            check_in_the_terminal(hostile)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"card {name} with {words} text: {error}") from error


def check_in_teams(card: CardView) -> None:
    drawn = adaptive.render(card, reader_ids=("29:reader",))
    assert size_of(drawn) <= BUDGET
    for node in nodes_of(drawn):
        for value in (str(node.get(key, "")) for key in SHOWN):
            assert "{{" not in value
            assert "${" not in value
            assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or c in "\u202e\u2066" for c in value)
        # A run, a label and a button's title are shown letter by letter; elsewhere clients read Markdown.
        if node.get("type") == "TextBlock" or "type" not in node:
            read = f"{node.get('text', '')} {node.get('title', '')}"
            assert not re.search(r"<at|<script|\]\(|\*\*|`", read), read[:200]
    assert [a["title"] for a in drawn.get("actions", [])] == [a.label for a in card.actions]  # type: ignore[attr-defined]
    said = normal("\n".join(strings_of(drawn)))
    boxes = [words for box in card.body if isinstance(box, Box) for part in box.parts for words in part]
    assert [words for words in boxes if normal(words)[:200] not in said] == []


def check_in_the_browser(card: CardView) -> None:
    tags = {tag for tag, _, _ in Markup(html.render(card)).elements}
    assert not tags & {"script", "img", "at", "style", "iframe"}


def check_in_the_terminal(card: CardView) -> None:
    for line in text.render(card, 80, with_actions=True).split("\n"):
        assert text.columns_of(line) <= 80
        assert not any(unicodedata.category(c) in {"Cc", "Cs"} or c == "\u202e" for c in line)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", CARDS)
def test_no_line_of_the_terminal_is_too_wide_or_ends_in_space(name: str, width: int) -> None:
    lines = text.render(CARDS[name], width).split("\n")

    assert [line for line in lines if text.columns_of(line) > width or line != line.rstrip()] == []


def test_a_row_too_many_is_missed() -> None:
    """The checks above can fail: a word that no renderer draws is found."""
    card = CARDS["wave"]
    wordy = dataclasses.replace(card, body=(*card.body, *(Row(title="Nobody drew this"),)))  # type: ignore[arg-type]

    assert missing_in(in_teams(card), wordy) == ["Nobody drew this"]
    assert missing_in(in_the_browser(card), wordy) == ["Nobody drew this"]
