"""CardView -> an HTML fragment for the browser chat. Every text is escaped; there is no style and no script in it.

The page sends Content-Security-Policy default-src 'self', so widths are classes `w-0` … `w-100` and clicks are found by
`data-verb`. Class names are the contract with the style sheet of bot/web.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from html import escape
from typing import assert_never

from cards.drawing import (
    bar_label,
    bar_width,
    is_ticked,
    row_action_label,
    row_reason,
    row_subtitle,
    row_title,
    segment_widths,
)
from cards.formats import SKU_MAX, as_typed, number, one_line
from cards.markup import Attribute, Html
from cards.markup import element as _el
from cards.markup import name as _name
from cards.markup import text as _text
from cards.payload import checked_link, encode
from cards.view import (
    Action,
    Bar,
    Box,
    CardView,
    Chart,
    Element,
    Emphasis,
    Expandable,
    Facts,
    Figures,
    Headline,
    Input,
    InputKind,
    Paragraph,
    Progress,
    Row,
    Rows,
    Strip,
    Table,
)

_BUTTON_CLASSES = {Emphasis.RECOMMENDED: "b p", Emphasis.DEFAULT: "b", Emphasis.DANGER: "b d"}


def render(card: CardView, *, uid: str | None = None) -> str:
    """Return a card as one `article`.

    Args:
        card: What to draw.
        uid: Begins every id in the fragment and must differ between the cards of a page. None makes one from what the
            card shows, so that only cards that are equal in everything share their ids.
    """
    uid = uid or "c" + sha256(repr(card).encode(errors="backslashreplace")).hexdigest()[:12]
    title_id = f"{uid}-title"
    parts = [_button(card.back, "back")] if card.back else []
    parts.append(_headline(card.headline, title_id))
    parts += [_element(element, f"{uid}-{i}") for i, element in enumerate(card.body)]
    if card.actions:
        parts.append(_el("footer", _actions(card.actions), **{"class": "acts"}))
    classes = "card" if card.headline.hero is None else "card hero"
    return _el("article", *parts, **{"class": classes, "data-kind": card.kind, "aria-labelledby": title_id})


def _target(action: Action) -> dict[str, Attribute]:
    """Return what the page sends back on a click, and what it asks first."""
    data = encode(action)
    return {
        "data-verb": action.verb,
        "data-ref": str(data["ref"]),
        "data-batch": action.batch,
        "data-submits": "true" if action.submits else None,
        "data-confirm": one_line(action.confirm) if action.confirm else None,
    }


def _button(
    action: Action, classes: str | None = None, *, content: Html | None = None, said: str | None = None
) -> Html:
    """Return a button, or a link for a download; `said` is for many buttons with the same words."""
    look: dict[str, Attribute] = {"class": classes or _BUTTON_CLASSES[action.emphasis], "aria-label": said}
    label = _text(action.label) if content is None else content
    if action.link is not None:
        return _el("a", label, **look, href=checked_link(action.link), download=True)
    return _el("button", label, type="button", **look, **_target(action))


def _actions(actions: Sequence[Action]) -> Html:
    shown = [_button(action) for action in actions if not action.more]
    more = [_button(action) for action in actions if action.more]
    if more:
        summary = _el("summary", Html("…"), **{"aria-label": "More actions"})
        menu = _el("div", *more, **{"class": "menu"})
        shown.append(_el("details", summary, menu, **{"class": "more"}))
    return Html("".join(shown))


def _headline(headline: Headline, title_id: str) -> Html:
    left = [_el("h2", _name(headline.title), id=title_id)]
    if headline.context:
        left.append(_el("p", _name(headline.context), **{"class": "ctx"}))
    if headline.hero is not None:
        return _hero(headline, left)
    right = []
    if headline.amount:
        right.append(_el("b", _text(headline.amount)))
    if headline.unit:
        right.append(_el("span", _text(headline.unit)))
    sides = [_el("div", *left)] + ([_el("div", *right, **{"class": "amt"})] if right else [])
    return _el("header", *sides, **{"class": "head"})


def _hero(headline: Headline, title: list[Html]) -> Html:
    """Draw two sentences of the same size; the sum in the second stands out."""
    cost = Html("")
    if headline.amount:
        sum_ = _el("b", _text(" ".join(part for part in (headline.amount, headline.unit) if part)))
        lead = Html(f"{_text(headline.hero)} " if headline.hero else "")
        cost = _el("p", lead, sum_, Html("."), **{"class": "cost"})
    return _el("header", title[0], cost, *title[1:], **{"class": "head"})


def _element(element: Element, uid: str) -> Html:
    match element:
        case Strip():
            return _strip(element)
        case Paragraph():
            return _paragraph(element)
        case Facts():
            return _facts(element)
        case Figures():
            return _figures(element)
        case Rows():
            return _rows(element)
        case Chart():
            return _chart(element)
        case Table():
            return _table(element)
        case Progress():
            return _progress(element)
        case Box():
            return _box(element)
        case Expandable():
            content = [_element(inner, f"{uid}-{i}") for i, inner in enumerate(element.content)]
            return _el("details", _el("summary", _text(element.label)), *content)
        case Input():
            return _input(element, uid)
        case _:
            assert_never(element)


def _strip(strip: Strip) -> Html:
    parts = [_el("p", _el("b", _text(strip.text)))]
    if strip.detail:
        parts.append(_el("p", _text(strip.detail)))
    if strip.actions:
        parts.append(_el("div", _actions(strip.actions), **{"class": "acts"}))
    return _el("div", *parts, **{"class": f"strip {strip.tone}", "role": "status"})


def _paragraph(paragraph: Paragraph) -> Html:
    if paragraph.heading:
        return _el("h3", _text(paragraph.text))
    return _el("p", _text(paragraph.text), **{"class": "subtle" if paragraph.subtle else "lead"})


def _facts(facts: Facts) -> Html:
    pairs = [_el("div", _el("dt", _text(f.label)), _el("dd", _name(f.value))) for f in facts.facts]
    return _el("dl", *pairs, **{"class": "facts ruled" if facts.ruled else "facts"})


def _figures(figures: Figures) -> Html:
    cells = [_el("div", _el("b", _text(figure)), _el("span", _text(label))) for figure, label in figures.figures]
    return _el("div", *cells, **{"class": "figs"})


def _rows(rows: Rows) -> Html:
    parts = []
    if rows.heading or rows.sum:
        heading = _text(rows.heading or "")
        parts.append(_el("h3", Html(f"{heading} {_el('span', _text(rows.sum))}") if rows.sum else heading))
    parts.append(_el("ul", *(_row(row) for row in rows.rows)))
    return _el("section", *parts, **{"class": "rows"})


def _row(row: Row) -> Html:
    title = _name(row_title(row))
    subtitle = row_subtitle(row)
    name = _el("span", title, **{"class": "nm"})
    if row.name_action:
        # Inside a label a click would tick the box as well, so there the button stands after it.
        button = _button(row.name_action, "link", content=title, said=row_action_label(row, row.name_action))
        name = name if row.tick else _el("span", button, **{"class": "nm"})
    words = [name] + ([_el("span", _name(subtitle), **{"class": "sub"})] if subtitle else [])
    if row.tick is None:
        parts = [_el("div", *words, **{"class": "who"})]
    else:
        parts = [_el("label", _tick_box(row, row.tick), *words)]
        if row.name_action:
            parts.append(_button(row.name_action, "link", said=row_action_label(row, row.name_action)))
    if row.amount:
        parts.append(_el("span", _text(row.amount), **{"class": "pr"}))
    reason = row_reason(row)
    if reason:
        parts.append(_el("span", _text(reason), **{"class": "why"}))
    if row.open:
        parts.append(_button(row.open, "link", said=row_action_label(row, row.open)))
    return _el("li", *parts, **{"class": "row"})


def _tick_box(row: Row, name: str) -> Html:
    priced = row.amount_minor is not None and row.currency is not None
    return _el(
        "input",
        type="checkbox",
        name=name,
        checked=row.ticked,
        **{
            "data-minor": str(row.amount_minor) if priced else None,
            "data-currency": row.currency if priced else None,
        },
    )


def _chart(chart: Chart) -> Html:
    """Draw bars as one picture with a text, or, if they can be opened, as a group of buttons."""
    opens = any(bar.action for bar in chart.bars)
    said = ". ".join([one_line(chart.title), *(bar_label(bar, chart) for bar in chart.bars)])
    bars = [_bar(bar) for bar in chart.bars]
    label = one_line(chart.title) if opens else said
    return _el("div", *bars, **{"class": "chart", "role": "group" if opens else "img", "aria-label": label})


def _bar(bar: Bar) -> Html:
    name = _name(bar.label, SKU_MAX)
    if bar.action:
        name = _button(bar.action, "link", content=name, said=f"{one_line(bar.label)}: {one_line(bar.action.label)}")
    width = bar_width(bar, 100)
    filled = {"class": "b none"} if bar.share is None else {"class": f"b w-{width}", "data-w": str(width)}
    return _el("div", _el("span", name), _el("b", _text(bar.amount)), _el("i", **filled), **{"class": "bar"})


def _table(table: Table) -> Html:
    head = [
        _el("th", _text(text), scope="col", **{"class": "num" if i in table.numeric else None})
        for i, text in enumerate(table.header)
    ]
    rows = []
    for i, texts in enumerate(table.rows):
        action = table.row_actions[i] if i < len(table.row_actions) else None
        rows.append(_el("tr", *_table_cells(table, texts, action)))
    drawn = _el("table", _el("thead", _el("tr", *head)), _el("tbody", *rows))
    return _el("div", drawn, **{"class": "scroll"})


def _table_cells(table: Table, texts: Sequence[str], action: Action | None) -> list[Html]:
    cells = []
    for j, text in enumerate(texts):
        content = _name(text)
        if action and j == 0:
            content = _button(action, "link", content=content, said=f"{one_line(text)}: {one_line(action.label)}")
        classes: dict[str, Attribute] = {"class": "num" if j in table.numeric else None}
        cells.append(_el("td", content, **classes) if j else _el("th", content, scope="row", **classes))
    return cells


def _progress(progress: Progress) -> Html:
    widths = segment_widths(progress, 100)
    pieces = [
        _el("i", **{"class": f"{segment.colour} w-{width}"})
        for segment, width in zip(progress.segments, widths, strict=True)
        if width
    ]
    key = [
        _el("li", Html(f"{_el('b', _text(number(s.count)))} {_text(s.label)}"), **{"class": s.colour})
        for s in progress.segments
    ]
    bar = _el("div", *pieces, **{"class": "bar4", "role": "img", "aria-label": one_line(progress.label)})
    return Html(bar + _el("ul", *key, **{"class": "key"}))


def _box(box: Box) -> Html:
    parts = []
    for lead, text in box.parts:
        words = f"{_el('b', _text(lead))} {_text(text)}" if lead else _text(text)
        parts.append(_el("p", Html(words)))
    return _el("div", *parts, **{"class": "next"})


def _input(field: Input, uid: str) -> Html:
    """Draw a field with its hint and its error, both tied to it for screen readers."""
    hint_id, error_id = f"{uid}-hint", f"{uid}-err"
    described = " ".join(i for i, text in ((hint_id, field.hint), (error_id, field.error)) if text)
    common: dict[str, Attribute] = {
        "name": field.id,
        "required": field.required,
        "aria-describedby": described or None,
        "aria-invalid": "true" if field.error else None,
    }
    parts = [_FIELDS[field.kind](field, uid, common)]
    several = field.kind is InputKind.CHOICE
    if field.hint:
        parts.append(_el("p", _text(field.hint), id=hint_id, **{"class": "hint"}))
    if field.error:
        parts.append(_el("p", _text(field.error), id=error_id, **{"class": "err"}))
    group = {"aria-describedby": described or None} if several else {}
    return _el("fieldset" if several else "div", *parts, **{"class": "field", "data-kind": field.kind.value}, **group)


def _labelled(field: Input, control_id: str, control: Html) -> Html:
    return Html(_el("label", _text(field.label), **{"for": control_id}) + control)


def _line_field(field: Input, uid: str, common: dict[str, Attribute]) -> Html:
    types = {InputKind.NUMBER: "number", InputKind.DATE: "date"}
    control = _el(
        "input",
        id=uid,
        type=types.get(field.kind, "text"),
        value=field.value or None,
        placeholder=field.placeholder,
        maxlength=str(field.max_length) if field.max_length else None,
        min=field.min_date,
        max=field.max_date,
        step="any" if field.kind is InputKind.NUMBER else None,
        **common,
    )
    return _labelled(field, uid, control)


def _area_field(field: Input, uid: str, common: dict[str, Attribute]) -> Html:
    # HTML drops one line break after the opening tag, so one that was typed needs another before it.
    typed = as_typed(field.value)
    content = Html(escape(f"\n{typed}" if typed.startswith(("\n", "\r")) else typed, quote=True))
    longest = str(field.max_length) if field.max_length else None
    control = _el("textarea", content, id=uid, placeholder=field.placeholder, maxlength=longest, **common)
    return _labelled(field, uid, control)


def _choice_field(field: Input, _uid: str, common: dict[str, Attribute]) -> Html:
    inputs = common | {"aria-describedby": None}  # said once, by the group
    choices = [
        _el(
            "label",
            _el("input", type="radio", value=option.value, checked=option.value == field.value, **inputs),
            _el("span", _text(option.label)),
        )
        for option in field.options
    ]
    return Html(_el("legend", _text(field.label)) + "".join(choices))


def _select_field(field: Input, uid: str, common: dict[str, Attribute]) -> Html:
    # An empty choice first: a list must not answer by itself.
    empty = _el("option", _text(field.placeholder or ""), value="", selected=not field.value)
    options = [
        _el("option", _text(option.label), value=option.value, selected=option.value == field.value)
        for option in field.options
    ]
    return _labelled(field, uid, _el("select", empty, *options, id=uid, **common))


def _toggle_field(field: Input, uid: str, common: dict[str, Attribute]) -> Html:
    box = _el("input", id=uid, type="checkbox", value="true", checked=is_ticked(field), **common)
    return _el("label", box, _el("span", _text(field.label)))


def _person_field(field: Input, uid: str, common: dict[str, Attribute]) -> Html:
    """Draw a combobox that the page fills from the directory; suggestions stand in its list from the start."""
    listbox_id = f"{uid}-list"
    control = _el(
        "input",
        type="text",
        role="combobox",
        value=field.value_label or field.value or None,
        placeholder=field.placeholder,
        autocomplete="off",
        **{
            "data-people": True,
            "data-value": field.value or None,
            "aria-expanded": "false",
            "aria-autocomplete": "list",
            "aria-controls": listbox_id,
        },
        **common,
    )
    label = _el("label", _text(field.label), Html(" "), control)
    options = [_el("li", _name(o.label), role="option", **{"data-value": o.value}) for o in field.options]
    listbox = _el("ul", *options, id=listbox_id, role="listbox", hidden=True, **{"aria-label": one_line(field.label)})
    return _el("div", label, listbox, **{"class": "combo"})


_FIELDS: dict[InputKind, Callable[[Input, str, dict[str, Attribute]], Html]] = {
    InputKind.TEXT: _line_field,
    InputKind.NUMBER: _line_field,
    InputKind.DATE: _line_field,
    InputKind.LONG_TEXT: _area_field,
    InputKind.CHOICE: _choice_field,
    InputKind.SELECT: _select_field,
    InputKind.TOGGLE: _toggle_field,
    InputKind.PERSON: _person_field,
}
