import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest

from cards import adaptive
from cards.adaptive_parts import Node, button, size_of
from cards.view import (
    Action,
    Bar,
    Box,
    CardView,
    Chart,
    Emphasis,
    Fact,
    Facts,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Row,
    Rows,
    Strip,
    Table,
    Tone,
)
from tests.unit.cards.reading import nodes_of, strings_of
from tests.unit.cards.samples import FORM, SAMPLES, SPEND, STATUS, WAVE, actions_of, details, words_of

SCHEMA = Path(__file__).parents[3].parent / "shared" / "data" / "adaptive-card-1.6.0.schema.json"


def card_of(*body: object, actions: tuple[Action, ...] = ()) -> CardView:
    return CardView(
        kind="test",
        headline=Headline(title="Title"),
        body=body,  # type: ignore[arg-type]
        actions=actions,
        fallback="Fallback.",
    )


def without_charts(part: object) -> object:
    """Put a chart's fallback in its place: charts are Teams extensions and in no schema."""
    if isinstance(part, dict):
        if str(part.get("type", "")).startswith("Chart."):
            return without_charts(part["fallback"])
        return {key: without_charts(value) for key, value in part.items()}
    return [without_charts(each) for each in part] if isinstance(part, list) else part


def of_type(card: Node, name: str) -> list[Node]:
    return [node for node in nodes_of(card) if node.get("type") == name]


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft6Validator:
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA.name} is not beside the project: cards are not checked against it")
    return jsonschema.Draft6Validator(json.loads(SCHEMA.read_text(encoding="utf-8-sig")))


@pytest.mark.parametrize("name", SAMPLES)
def test_card_is_valid_against_the_schema(name: str, schema: jsonschema.Draft6Validator) -> None:
    drawn = without_charts(adaptive.render(SAMPLES[name], reader_ids=("29:reader",)))

    assert [error.message[:300] for error in schema.iter_errors(drawn)] == []


def test_a_planted_mistake_is_found_by_the_schema(schema: jsonschema.Draft6Validator) -> None:
    drawn = adaptive.render(WAVE) | {"body": [{"type": "TextBlock", "text": 1}]}

    assert list(schema.iter_errors(drawn))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_word_of_the_view_is_drawn(name: str) -> None:
    # A short label keeps together by signs that look the same.
    drawn = "\n".join(strings_of(adaptive.render(SAMPLES[name]))).replace("\u00a0", " ").replace("\u2011", "-")
    numbers = {str(node.get("value")) for node in nodes_of(adaptive.render(SAMPLES[name]))}

    assert [word for word in words_of(SAMPLES[name]) if word not in drawn and word not in numbers] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_every_action_is_drawn_with_its_data(name: str) -> None:
    drawn = list(nodes_of(adaptive.render(SAMPLES[name])))
    links = {node.get("url") for node in drawn if node.get("type") == "Action.OpenUrl"}
    executes = {(str(node["verb"]), json.dumps(node["data"])) for node in drawn if node.get("type") == "Action.Execute"}

    for action in actions_of(SAMPLES[name]):
        data = {"v": 1, "ref": action.ref} | ({"batch": action.batch} if action.batch else {})
        assert action.link in links if action.link else (action.verb, json.dumps(data)) in executes


@pytest.mark.parametrize("name", SAMPLES)
def test_ids_are_unique(name: str) -> None:
    ids = [node["id"] for node in nodes_of(adaptive.render(SAMPLES[name])) if "id" in node]

    assert len(ids) == len(set(ids))


def test_execute_falls_back_to_submit_with_the_verb_in_its_data() -> None:
    drawn = button(Action(label="Undo", verb="wave.undo", ref="w1", batch="b1", emphasis=Emphasis.DANGER, more=True))

    assert drawn == {
        "type": "Action.Execute",
        "verb": "wave.undo",
        "data": {"v": 1, "ref": "w1", "batch": "b1"},
        "title": "Undo",
        "mode": "secondary",
        "style": "destructive",
        "fallback": {
            "type": "Action.Submit",
            "data": {"verb": "wave.undo", "v": 1, "ref": "w1", "batch": "b1"},
            "title": "Undo",
            "mode": "secondary",
            "style": "destructive",
        },
    }


def test_back_leaves_the_inputs_behind() -> None:
    back = next(a for a in of_type(adaptive.render(FORM), "Action.Execute") if a["title"] == "Back")

    assert back["associatedInputs"] == "none"
    assert isinstance(back["fallback"], dict)
    assert back["fallback"]["associatedInputs"] == "none"


def test_required_field_carries_its_message_and_its_error_stands_below() -> None:
    drawn = adaptive.render(FORM)
    reason = next(node for node in of_type(drawn, "Input.ChoiceSet") if node["id"] == "reason")

    assert (reason["isRequired"], reason["errorMessage"], reason["style"]) == (
        True,
        "Please pick a reason.",
        "expanded",
    )
    assert any(node.get("color") == "Attention" for node in of_type(drawn, "TextBlock"))


def test_seven_choices_fold_into_a_list() -> None:
    options = tuple(Option(str(n), f"Choice {n}") for n in range(7))

    (drawn,) = of_type(
        adaptive.render(card_of(Input(id="c", kind=InputKind.CHOICE, label="Pick", options=options))), "Input.ChoiceSet"
    )

    assert drawn["style"] == "compact"


def test_person_is_picked_from_the_directory_with_the_present_choice_listed() -> None:
    who = next(node for node in of_type(adaptive.render(FORM), "Input.ChoiceSet") if node["id"] == "who")

    assert who["choices.data"] == {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
    assert (who["style"], who["value"]) == ("filtered", "p7")
    assert who["choices"] == [{"title": "Miriam Graham", "value": "p7"}, {"title": "Megan Bowen", "value": "p8"}]


@pytest.mark.parametrize(("typed", "held"), [("3", 3), ("2.5", 2.5), ("three", None), ("nan", None), ("", None)])
def test_number_field_holds_a_number_or_nothing(typed: str, held: float | None) -> None:
    (drawn,) = of_type(
        adaptive.render(card_of(Input(id="n", kind=InputKind.NUMBER, label="N", value=typed))), "Input.Number"
    )

    assert drawn.get("value") == held


def test_native_chart_leaves_no_bar_out() -> None:
    drawn = adaptive.render(SPEND)
    (chart,) = of_type(drawn, "Chart.HorizontalBar")

    assert isinstance(chart["data"], list)
    assert len(chart["data"]) == 6
    assert "6 seats, no price" in set(strings_of(without_charts(drawn)))
    assert next(node["altText"] for node in of_type(drawn, "Image")) == "Microsoft 365 E5: $798 a month"


def test_chart_that_opens_something_is_native_only_where_a_table_opens_it_too() -> None:
    opens = Action(label="Seats", verb="spend.seats", ref="visio", submits=False)
    chart = Chart(
        title="T", unit="a month", bars=(Bar(label="Visio", amount="$9", share=1.0, value=9.0, action=opens),)
    )
    table = Table(header=("SKU",), rows=(("Visio",),), row_actions=(opens,))

    assert of_type(adaptive.render(card_of(chart)), "Chart.HorizontalBar") == []
    assert len(of_type(adaptive.render(card_of(chart, table)), "Chart.HorizontalBar")) == 1


def test_strips_of_one_kind_stand_close() -> None:
    strips = [Strip(tone=tone, text="T") for tone in (Tone.WARNING, Tone.WARNING, Tone.BAD)]

    drawn = adaptive.render(card_of(*strips))

    assert [part["spacing"] for part in of_type(drawn, "Container") if "style" in part] == ["Medium", "Small", "Medium"]


def test_bar_of_a_progress_is_240_pixels_in_all() -> None:
    pieces = [
        node for node in of_type(adaptive.render(STATUS), "Image") if node["height"] == "10px" and node["altText"]
    ]

    assert [node["width"] for node in pieces] == ["114px", "25px", "6px", "95px"]


def test_bar_without_numbers_has_no_empty_pictures() -> None:
    drawn = adaptive.render(
        card_of(Chart(title="T", unit="a month", bars=(Bar(label="A", amount="No price", share=None),)))
    )

    assert of_type(drawn, "Image") == []


def test_name_of_a_ticked_row_opens_from_its_amount() -> None:
    opens = Action(label="Report", verb="item.report", ref="i1")
    row = Row(title="Lee Gu", amount="$30.00", tick="t.i1", name_action=opens)

    targets = [
        n["selectAction"] for n in of_type(adaptive.render(card_of(Rows(rows=(row,)))), "Column") if "selectAction" in n
    ]

    assert [target["verb"] for target in targets if isinstance(target, dict)] == ["item.report"]


def test_card_refreshes_for_its_readers_only() -> None:
    assert "refresh" not in adaptive.render(WAVE)
    assert "refresh" not in adaptive.render(SPEND, reader_ids=("29:a",))
    assert adaptive.render(WAVE, reader_ids=("29:a",))["refresh"] == {
        "action": {"type": "Action.Execute", "title": "Refresh", "verb": "wave.open", "data": {"v": 1, "ref": "w1"}},
        "userIds": ["29:a"],
    }


def test_more_readers_than_teams_refreshes_for_are_refused() -> None:
    with pytest.raises(ValueError, match="60"):
        adaptive.render(WAVE, reader_ids=tuple(f"29:{n}" for n in range(61)))


def worst_rows(n: int, sign: str) -> CardView:
    rows = tuple(
        Row(
            title=sign * 10_000,
            subtitle=sign * 10_000,
            reason=sign * 10_000,
            amount="CA$1,204.00",
            tick=f"t.{'f' * 32}{i}",
            open=details(f"{'f' * 32}{i}"),
        )
        for i in range(n)
    )
    return dataclasses.replace(
        WAVE,
        body=(*WAVE.body[:2], Rows(heading="Looks unused", sum="$1", rows=rows), Box(parts=(("Next", "x" * 300),))),
    )


@pytest.mark.parametrize("sign", ["界", "*", "<", "\\"])
def test_ten_worst_rows_fit(sign: str) -> None:
    card = worst_rows(10, sign)

    assert adaptive.fits(card)
    assert size_of(adaptive.render(card)) <= 28 * 1024


def test_card_that_is_too_big_shows_fewer_rows_and_says_so_but_keeps_actions_and_next_box() -> None:
    card = worst_rows(40, "界")

    drawn = adaptive.render(card)

    assert not adaptive.fits(card)
    assert size_of(drawn) <= 28 * 1024
    rows = len(of_type(drawn, "Input.Toggle"))
    assert 10 <= rows < 40
    assert f"{40 - rows} more do not fit here." in set(strings_of(drawn))
    assert [action["title"] for action in drawn["actions"]] == [action.label for action in card.actions]  # type: ignore[attr-defined]
    assert "x" * 300 in _unbroken(drawn)


def test_list_to_choose_from_that_is_too_long_keeps_what_is_picked() -> None:
    options = tuple(Option(f"{n:036}", f"SKU {n}") for n in range(700))
    card = card_of(Input(id="sku", kind=InputKind.SELECT, label="SKU", value=options[-1].value, options=options))

    drawn = adaptive.render(card)

    (field,) = of_type(drawn, "Input.ChoiceSet")
    values = [choice["value"] for choice in field["choices"]]  # type: ignore[attr-defined]
    assert size_of(drawn) <= 28 * 1024
    assert values[-1] == options[-1].value
    assert f"{700 - len(values)} more do not fit here." in set(strings_of(drawn))


def test_card_that_cannot_be_made_small_enough_is_refused() -> None:
    card = dataclasses.replace(WAVE, body=tuple(Box(parts=((f"{n}", "界" * 900),)) for n in range(12)))

    with pytest.raises(ValueError, match="too big for its channel"):
        adaptive.render(card)


def test_a_word_that_no_address_is_as_long_as_may_break_anywhere() -> None:
    address = "adele.vance-de-la-fontaine@contoso.com"
    fact = Facts((Fact("Group", "g" * 50), Fact("Person", address)))

    texts = set(strings_of(adaptive.render(card_of(fact, Paragraph("p" * 41)))))

    assert "\u200b".join(["g" * 12] * 4 + ["gg"]) in texts
    assert "\u200b".join(["p" * 12] * 3 + ["p" * 5]) in texts
    assert address in texts


def _unbroken(drawn: Node) -> set[str]:
    return {text.replace("\u200b", "") for text in strings_of(drawn)}


def test_long_fields_are_cut_in_the_order_of_the_experience_page() -> None:
    row = Row(title="n" * 200, subtitle="s" * 200, reason="r" * 200, tick="t.1")

    texts = _unbroken(adaptive.render(card_of(Rows(rows=(row,)))))

    assert f"{'n' * 63}… · {'s' * 59}…" in texts
    assert f"{'r' * 119}…" in texts


def test_link_that_is_no_download_is_refused() -> None:
    with pytest.raises(ValueError, match="download"):
        adaptive.render(card_of(actions=(Action(label="X", verb="", ref="", link="javascript:alert(1)"),)))
