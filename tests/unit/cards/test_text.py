import pytest

from cards import text
from cards.view import Action, CardView, Headline, Row, Rows, Table
from tests.unit.cards.samples import SAMPLES, WAVE, actions_of, words_of


@pytest.mark.parametrize("name", SAMPLES)
def test_every_word_and_action_of_the_view_is_drawn(name: str) -> None:
    drawn = text.render(SAMPLES[name], width=240, with_actions=True)

    assert [word for word in words_of(SAMPLES[name]) if word not in drawn] == []
    assert [action.label for action in actions_of(SAMPLES[name]) if action.label not in drawn] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_buttons_are_not_drawn_unasked(name: str) -> None:
    drawn = text.render(SAMPLES[name])

    assert not any(f"[{action.label}]" in drawn for action in actions_of(SAMPLES[name]))


@pytest.mark.parametrize("width", [1, 20, 33, 80])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    lines = text.render(SAMPLES[name], width, with_actions=True).split("\n")

    assert max(map(text.columns_of, lines)) <= max(width, text.MIN_WIDTH)


def test_amounts_stand_in_one_column_beside_wide_letters() -> None:
    rows = (
        Row(title="山田太郎", amount="$30.00"),
        Row(title="Lee Gu", amount="$5.00"),
        Row(title="e\u0301", amount="$1.00"),
    )
    card = CardView(kind="t", headline=Headline(title="T"), body=(Rows(rows=rows),), fallback="F")

    lines = text.render(card, 40).split("\n")[2:]

    assert [text.columns_of(line) for line in lines] == [38, 38, 38]


def test_table_too_wide_for_the_terminal_becomes_a_list() -> None:
    table = Table(header=("SKU", "Idle of held", "Each a month"), rows=(("Visio Plan 2", "22 of 60", "$15.00"),))
    card = CardView(kind="t", headline=Headline(title="T"), body=(table,), fallback="F")

    assert text.render(card, 24).split("\n")[2:] == [
        "SKU: Visio Plan 2",
        "Idle of held: 22 of 60",
        "Each a month: $15.00",
    ]


def test_terminal_sequences_of_a_name_are_dropped_whole() -> None:
    rows = Rows(rows=(Row(title="\x1b[31mLee\x1b[0m \x1b]0;title\x07Gu\x9b2J"),))
    card = CardView(kind="t", headline=Headline(title="T"), body=(rows,), fallback="F")

    assert text.render(card).split("\n")[-1] == "  Lee Gu2J"


def test_buttons_stand_in_one_line_at_the_foot() -> None:
    last = text.render(WAVE, 200, with_actions=True).split("\n")[-1]

    assert last == "[Revoke ticked] [Keep ticked…] [Delegate ticked…] [I am not sure about these] [Untick all]"


def test_download_is_named_like_a_button() -> None:
    link = Action(label="Export CSV", verb="", ref="", link="/files/a.csv")
    card = CardView(kind="t", headline=Headline(title="T"), body=(), actions=(link,), fallback="F")

    assert text.render(card, with_actions=True) == "T\n\n[Export CSV]"
