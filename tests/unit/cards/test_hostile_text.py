"""Whatever a tenant writes into a name, a group or a note stays text in every renderer."""

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cards import adaptive, html, text
from cards.adaptive_parts import inert, plain
from cards.view import (
    Action,
    Bar,
    Box,
    CardView,
    Chart,
    Expandable,
    Fact,
    Facts,
    Figures,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Progress,
    Row,
    Rows,
    Segment,
    Strip,
    Table,
    Tone,
)
from tests.unit.cards.reading import Markup, nodes_of

HOSTILE = [
    "[x](http://e.example)",
    "![x](http://e.example/p.png)",
    "[x]: http://e.example",
    "<at>Megan Bowen</at>",
    "<script>alert(1)</script>",
    "<http://e.example>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='x",
    "{{DATE(2026-01-01T00:00:00Z)}}",
    "{{{TIME(2026-01-01T00:00:00Z)}}",
    "${card.title}",
    "abc\u202ecod.exe",
    "\u2066\u2067\u2069\u2069\u2068",
    "nul\0 bell\x07 escape\x1b[31mred\x1b[0m",
    "one\ntwo\r\nthree\u2028four",
    "# heading",
    "- list",
    "12. list",
    "> quote",
    "---",
    "    code",
    "~~~ fence",
    "**bold** _italic_ __both__ `code` ~~gone~~",
    "\\*escaped\\* \\[x](y)",
    "&lt;b&gt; &#x41; &copy;",
    "| a | b |",
    "a_b_c first_last@contoso.com",
    "R&D * 2 < 3",
    "",
    " ",
]
texts = (
    st.sampled_from(HOSTILE)
    | st.text(max_size=60)
    | st.text("[](){}<>*_`~#-+!\\&;$|:/\n \u202e\u2068ab1.", max_size=30)
)

# HTML, tables and struck-out text on: more than any client reads.
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["strikethrough", "table"])


def card_with(words: str) -> CardView:
    """Put a text everywhere that a card has room for one."""
    action = Action(label=words, verb="item.open", ref="i1", confirm=words)
    row = Row(title=words, subtitle=words, reason=words, amount=words, tick="t.1", open=action, name_action=action)
    fields = tuple(
        Input(
            id=f"f{kind}",
            kind=kind,
            label=words,
            value=words[:200],
            value_label=words,
            options=(Option(words[:200], words),),
            hint=words,
            placeholder=words,
            error=words,
            required=True,
        )
        for kind in InputKind
    )
    return CardView(
        kind="test",
        headline=Headline(title=words, amount=words, context=words, unit=words),
        back=action,
        body=(
            Paragraph(words),
            Strip(tone=Tone.BAD, text=words, detail=words, actions=(action,)),
            Facts((Fact(words, words),)),
            Facts((Fact(words, words),), ruled=True),
            Figures(((words, words),)),
            Rows(heading=words, sum=words, rows=(row, Row(title=words, subtitle=words, name_action=action))),
            Chart(title=words, unit=words, bars=(Bar(label=words, amount=words, share=0.5, value=1.0),)),
            Chart(title=words, unit=words, bars=(Bar(label=words, amount=words, share=None, action=action),)),
            Table(header=(words, words), rows=((words, words),), numeric=(1,), row_actions=(action,)),
            Progress(label=words, segments=(Segment(colour="open", label=words, count=3),)),
            Expandable(label=words, content=(Paragraph(words, subtle=True), *fields)),
            Box(parts=((words, words),)),
        ),
        actions=(action,),
        fallback=words,
    )


def small_card_with(words: str) -> CardView:
    """The same text in fewer places, so that 10,000 characters do not exceed what Teams takes."""
    row = Row(
        title=words, subtitle=words, reason=words, tick="t.1", open=Action(label="Details", verb="item.open", ref="1")
    )
    return CardView(
        kind="test",
        headline=Headline(title=words, context=words),
        body=(Facts((Fact("Seat", words),)), Rows(rows=(row,))),
        fallback="Fallback.",
    )


@given(texts)
@example("*a*_b_`c`")
def test_inert_text_is_a_single_plain_paragraph_in_markdown(words: str) -> None:
    drawn = inert(words)

    tokens = MARKDOWN.parse(drawn)

    inline = [token for token in tokens if token.type == "inline"]
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert all(child.type == "text" for token in inline for child in token.children or ())
    assert "".join(child.content for token in inline for child in token.children or ()) == drawn.strip()


@pytest.mark.parametrize(
    "words",
    [
        "Isaiah Langer",
        "first_last@contoso.com",
        "R&D",
        "-$30.00",
        "a < b",
        "Power BI (Pro)",
        "‹ All 9 seats",
        "9 seats",
    ],
)
def test_harmless_text_is_left_as_it_is(words: str) -> None:
    assert inert(words) == plain(words) == words


@given(texts)
def test_adaptive_card_runs_no_function_and_breaks_no_line(words: str) -> None:
    card = card_with(words)
    drawn = adaptive.render(card if adaptive.fits(card) else small_card_with(words))

    json.dumps(drawn, ensure_ascii=False).encode()
    shown = ("text", "title", "altText", "label", "placeholder", "errorMessage", "fallbackText", "speak", "x")
    for node in nodes_of(drawn):
        for key in shown:
            value = node.get(key, "")
            assert isinstance(value, str)
            assert "{{" not in value
            assert "${" not in value
            assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or c in "\u202e\u2066" for c in value)


@given(texts)
def test_parsed_places_of_an_adaptive_card_hold_inert_text(words: str) -> None:
    for node in nodes_of(adaptive.render(small_card_with(words))):
        if node.get("type") in {"TextBlock", "Input.Toggle"}:
            value = node.get("text", node.get("title"))
            assert isinstance(value, str)
            tokens = MARKDOWN.parseInline(value)
            assert all(child.type == "text" for token in tokens for child in token.children or ())


@given(texts)
def test_html_stays_whole_and_holds_no_foreign_element(words: str) -> None:
    plain_markup = Markup(html.render(card_with("x"), uid="m"))
    markup = Markup(html.render(card_with(words or "x"), uid="m"))

    assert {tag for tag, _, _ in markup.elements} <= {tag for tag, _, _ in plain_markup.elements}
    allowed = {key for _, attributes, _ in plain_markup.elements for key in attributes}
    assert {key for _, attributes, _ in markup.elements for key in attributes} <= allowed
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in "".join(markup.texts))


@given(texts, st.integers(20, 120))
def test_text_holds_no_control_character_and_no_line_too_wide(words: str, width: int) -> None:
    drawn = text.render(card_with(words), width, with_actions=True)

    lines = drawn.split("\n")
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} or c == "\u202e" for line in lines for c in line)
    assert max(map(text.columns_of, lines)) <= width


@pytest.mark.parametrize("words", [*HOSTILE, "x" * 10_000, "界" * 10_000, "\U0001f469\u200d" * 5_000, "word " * 2_000])
def test_ten_thousand_characters_and_all_the_rest_are_drawn_in_every_channel(words: str) -> None:
    card = small_card_with(words)

    assert adaptive.fits(card)
    assert Markup(html.render(card)).elements
    assert text.render(card)
