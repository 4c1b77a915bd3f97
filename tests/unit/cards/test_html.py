import dataclasses
import re

import pytest

from cards import html
from cards.view import Action, CardView, Headline, Input, InputKind, Option, Progress, Row, Rows, Segment
from tests.unit.cards.reading import Markup
from tests.unit.cards.samples import FORM, ITEM, SAMPLES, SPEND, STATUS, WAVE, actions_of, words_of

CONTROLS = {"input", "select", "textarea"}


def drawn(*body: object, actions: tuple[Action, ...] = ()) -> Markup:
    card = CardView(kind="t", headline=Headline(title="T"), body=body, actions=actions, fallback="F")  # type: ignore[arg-type]
    return Markup(html.render(card))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_word_of_the_view_is_drawn(name: str) -> None:
    texts = "\n".join(Markup(html.render(SAMPLES[name])).texts)

    assert [word for word in words_of(SAMPLES[name]) if word not in texts] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_every_action_is_drawn_with_its_data(name: str) -> None:
    elements = Markup(html.render(SAMPLES[name])).elements
    buttons = [
        (a["data-verb"], a["data-ref"], a.get("data-batch"), a.get("data-submits") == "true", a.get("data-confirm"))
        for tag, a, _ in elements
        if tag == "button"
    ]
    links = [a["href"] for tag, a, _ in elements if tag == "a" and "download" in a]

    for action in actions_of(SAMPLES[name]):
        expected = (action.verb, action.ref, action.batch, action.submits, action.confirm)
        assert action.link in links if action.link else expected in buttons


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_in_it_is_style_or_script(name: str) -> None:
    elements = Markup(html.render(SAMPLES[name])).elements

    assert {tag for tag, _, _ in elements}.isdisjoint({"script", "style", "iframe", "img", "svg", "object"})
    assert [a for _, a, _ in elements if any(key == "style" or key.startswith("on") for key in a)] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_has_a_label(name: str) -> None:
    elements = Markup(html.render(SAMPLES[name])).elements
    labelled = {a["for"] for tag, a, _ in elements if tag == "label" and "for" in a}

    assert [
        a for tag, a, around in elements if tag in CONTROLS and "label" not in around and a.get("id") not in labelled
    ] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_ids_are_unique_and_every_reference_has_its_target(name: str) -> None:
    elements = Markup(html.render(SAMPLES[name])).elements
    ids = [a["id"] for _, a, _ in elements if "id" in a]
    wanted = {
        each
        for _, a, _ in elements
        for key in ("for", "aria-describedby", "aria-labelledby", "aria-controls")
        for each in (a.get(key) or "").split()
    }

    assert len(ids) == len(set(ids))
    assert wanted <= set(ids)


def test_two_different_cards_share_no_id() -> None:
    other = dataclasses.replace(FORM, fallback="Another form.")

    first, second = ({a["id"] for _, a, _ in Markup(html.render(card)).elements if "id" in a} for card in (FORM, other))

    assert first.isdisjoint(second)


def test_row_carries_what_the_page_needs_to_add_up_the_ticked() -> None:
    boxes = {a["name"]: a for tag, a, _ in Markup(html.render(WAVE)).elements if tag == "input"}

    assert (boxes["t.i01"]["data-minor"], boxes["t.i01"]["data-currency"]) == ("3000", "USD")
    assert "checked" in boxes["t.i01"]
    assert "data-minor" not in boxes["t.i09"]
    assert "checked" not in boxes["t.i09"]


def test_repeated_buttons_say_what_they_are_about() -> None:
    said = [
        a.get("aria-label")
        for tag, a, _ in Markup(html.render(WAVE)).elements
        if tag == "button" and a["class"] == "link"
    ]

    assert said[0] == "Details: Isaiah Langer, Microsoft 365 Copilot"
    assert len(said) == len(set(said)) == 9


def test_button_in_a_ticked_row_stands_outside_its_label() -> None:
    row = Row(title="Lee Gu", tick="t.1", name_action=Action(label="Report", verb="item.report", ref="1"))

    (around,) = [around for tag, _, around in drawn(Rows(rows=(row,))).elements if tag == "button"]

    assert "label" not in around


def test_more_actions_stand_in_a_menu() -> None:
    around = {a["data-verb"]: around for tag, a, around in Markup(html.render(WAVE)).elements if tag == "button"}

    assert "details" in around["wave.untick"]
    assert "details" not in around["wave.revoke"]


def test_chart_is_one_picture_with_its_numbers_as_words() -> None:
    markup = html.render(SPEND)

    assert 'class="chart" role="img" aria-label="Recoverable a month, by SKU. Microsoft 365 E5: $798 a month.' in markup
    assert '<i class="b w-100" data-w="100"></i>' in markup
    assert '<i class="b none"></i>' in markup


def test_chart_that_opens_something_is_a_group() -> None:
    assert 'class="chart" role="group" aria-label="By reviewer"' in html.render(STATUS)


def test_progress_adds_up_to_the_whole_width() -> None:
    widths = [int(w) for w in re.findall(r'<i class="[a-z_]+ w-(\d+)">', html.render(STATUS))]

    assert widths == [48, 10, 2, 40]


def test_colour_that_no_channel_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        drawn(Progress(label="x", segments=(Segment(colour='x" onclick="', label="x", count=1),)))


def test_right_to_left_name_stands_in_its_own_direction() -> None:
    assert "<bdi>\u2068نور\u2069</bdi>" in html.render(
        dataclasses.replace(ITEM, body=(Rows(rows=(Row(title="نور"),)),))
    )


def test_error_is_tied_to_its_field() -> None:
    until = next(a for _, a, _ in Markup(html.render(FORM, uid="m")).elements if a.get("name") == "until")

    assert (until["aria-invalid"], until["aria-describedby"]) == ("true", "m-2-err")
    assert (until["min"], until["max"], until["value"]) == ("2026-11-24", "2027-05-23", "2027-09-01")


def test_person_field_shows_the_name_and_keeps_the_id() -> None:
    who = next(a for _, a, _ in Markup(html.render(FORM)).elements if a.get("name") == "who")

    assert (who["role"], who["value"], who["data-value"]) == ("combobox", "Miriam Graham", "p7")
    assert "data-people" in who


def test_list_answers_nothing_by_itself() -> None:
    field = Input(id="s", kind=InputKind.SELECT, label="Pick", options=(Option("a", "A"),))

    options = [a for tag, a, _ in drawn(field).elements if tag == "option"]

    assert options[0] == {"value": "", "selected": None}


def test_first_line_break_of_a_note_survives() -> None:
    field = Input(id="n", kind=InputKind.LONG_TEXT, label="Note", value="\nsecond line")

    assert "\n\nsecond line" in drawn(field).texts


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "//evil.example/x", "/\\evil.example", "http://plain.example/x", "x.csv"]
)
def test_link_that_is_no_download_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="download"):
        drawn(actions=(Action(label="X", verb="", ref="", link=link),))
