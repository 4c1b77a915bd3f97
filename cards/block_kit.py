"""CardView -> Block Kit for Slack: a message, a modal or the Home tab. Pure: the same card gives the same JSON.

A card that asks for input is a form and becomes a modal; every other card is a message. Limits, with their source, stand in
`block_kit_parts`; what is drawn how is UX.md 3.
"""

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from cards.block_kit_inputs import ELEMENT, TICKS, draw_input
from cards.block_kit_parts import (
    EMPTY,
    MAX_BUTTON,
    MAX_FIELD,
    MAX_HEADER,
    MAX_OPTION,
    MAX_OPTION_VALUE,
    MAX_OVERFLOW,
    MAX_TEXT,
    TEXT_MAX,
    Node,
    bold,
    button,
    context,
    fields,
    inert,
    option,
    plain,
    section,
    short,
    value_of,
)
from cards.drawing import hero_sentence, row_action_label, row_reason, row_subtitle, row_title
from cards.fitting import fitted
from cards.formats import NAME_MAX, NOTE_MAX, SKU_MAX, cut, number, one_line
from cards.view import (
    Action,
    Box,
    CardView,
    Chart,
    Element,
    Expandable,
    Facts,
    Figures,
    Headline,
    Input,
    Paragraph,
    Progress,
    Row,
    Rows,
    Strip,
    Table,
    Tone,
)

MAX_BLOCKS: Final = 50  # of a message
MAX_VIEW_BLOCKS: Final = 100
MAX_TITLE: Final = 24  # of a modal's title, submit and close
MAX_BOXES: Final = 10
MAX_TABLE_ROWS: Final = 100  # the header counts
MAX_TABLE_COLUMNS: Final = 20
FORM: Final = "reclaim.form"
_VISIBLE: Final = 3
# Colour is not there to say it (UX.md 3). Good strips begin with a tick mark of their own.
_TONES = {Tone.WARNING: "Attention", Tone.BAD: "Attention"}


def is_form(card: CardView) -> bool:
    """Whether a card asks for input, so that it must be drawn as a modal."""
    return any(True for _ in _inputs(card.body))


def fields_with_errors(card: CardView) -> dict[str, str]:
    """Return input id → what is wrong there, for a form that came back."""
    return {field.id: field.error for field in _inputs(card.body) if field.error}


def message(card: CardView) -> Node:
    """Return a card as the arguments of a message: `text` for notifications and screen readers, and `blocks`.

    Raises:
        ValueError: Not even its shortest form fits.
    """
    shown = fitted(card, fits)
    return {"text": inert(card.fallback), "blocks": _Drawing(table=True).card(shown)}


def fits(card: CardView) -> bool:
    """Whether `message` draws all of the card."""
    return len(_Drawing(table=True).card(card)) <= MAX_BLOCKS


def modal(card: CardView, *, metadata: str) -> Node:
    """Return a card as a modal. A form's first button submits it; a button that leaves the input behind closes it.

    Args:
        card: What to draw.
        metadata: Comes back with every click in it; at most 3,000 characters.

    Raises:
        ValueError: Not even its shortest form fits.
    """
    shown = fitted(card, lambda smaller: len(_modal_blocks(smaller)) <= MAX_VIEW_BLOCKS)
    view: Node = {
        "type": "modal",
        "callback_id": FORM,
        "title": plain(card.headline.title, MAX_TITLE),
        "blocks": _modal_blocks(shown),
        "private_metadata": metadata,
        "close": plain(_close_label(card), MAX_TITLE),
    }
    submit = submit_action(card)
    return view | {"submit": plain(submit.label, MAX_TITLE)} if submit else view


def home(card: CardView) -> Node:
    """Return a card as a Home tab.

    Raises:
        ValueError: Not even its shortest form fits.
    """
    shown = fitted(card, lambda smaller: len(_Drawing().card(smaller)) <= MAX_VIEW_BLOCKS)
    return {"type": "home", "blocks": _Drawing().card(shown)}


def submit_action(card: CardView) -> Action | None:
    """Return the button that submits a form, or None where there is nothing to submit."""
    if not is_form(card):
        return None
    return next((action for action in card.actions if action.submits and not action.more), None)


def people_options(found: Sequence[tuple[str, str]]) -> Node:
    """Return the answer to what somebody typed into a people picker: (id, shown name)."""
    return {"options": [option(shown, person) for person, shown in found if 0 < len(person) <= MAX_OPTION_VALUE]}


def _close_label(card: CardView) -> str:
    left = [action for action in card.actions if not action.submits]
    return left[-1].label if is_form(card) and left else "Close"


def _modal_blocks(card: CardView) -> list[Node]:
    """Draw a modal's body: its submit and close stand outside, and so do not stand among the buttons."""
    form = is_form(card)
    submit = submit_action(card)
    closing = [action for action in card.actions if not action.submits][-1:] if form else []
    others = tuple(action for action in card.actions if action is not submit and action not in closing)
    return _Drawing(boxes_as_field=form).card(card, others)


def _inputs(elements: Iterable[Element]) -> Iterable[Input]:
    for element in elements:
        if isinstance(element, Input):
            yield element
        elif isinstance(element, Expandable):
            yield from _inputs(element.content)


class _Drawing:
    """One card being drawn; numbers make every action and block id unique.

    Args:
        table: Whether a table block may be used: messages take one.
        boxes_as_field: Whether boxes are drawn as a field, so that a form submits them.
    """

    def __init__(self, *, table: bool = False, boxes_as_field: bool = False) -> None:
        self._table = table
        self._boxes_as_field = boxes_as_field
        self._numbers = 0

    def card(self, card: CardView, actions: Sequence[Action] | None = None) -> list[Node]:
        blocks = self._buttons((card.back,)) if card.back else []
        blocks += _headline(card.headline)
        blocks += self._elements(card.body)
        blocks += self._buttons(card.actions if actions is None else actions)
        return blocks

    def _elements(self, elements: Iterable[Element]) -> list[Node]:
        return [block for element in elements for block in self._element(element)]

    def _element(self, element: Element) -> list[Node]:
        match element:
            case Strip():
                return self._strip(element)
            case Paragraph():
                return _paragraph(element)
            case Facts():
                return fields([f"{bold(f.label, NAME_MAX)}\n{inert(f.value, NOTE_MAX)}" for f in element.facts])
            case Figures():
                return fields(
                    [f"{bold(figure, NAME_MAX)}\n{inert(label, NOTE_MAX)}" for figure, label in element.figures]
                )
            case Rows():
                return self._rows(element)
            case Chart():
                return self._chart(element)
            case Table():
                return self._table_of(element)
            case Progress():
                return _progress(element)
            case Box():
                return context([_box_part(lead, text) for lead, text in element.parts])
            case Expandable():
                return [section(bold(element.label)), *self._elements(element.content)]
            case Input():
                return [draw_input(element)]
            case _:
                assert_never(element)

    def _strip(self, strip: Strip) -> list[Node]:
        tone = _TONES.get(strip.tone)
        written = f"{bold(tone)} " if tone else ""
        written += bold(strip.text) if strip.detail and not tone else inert(strip.text)
        if strip.detail:
            written += f"\n{inert(strip.detail)}"
        return [section(written), *self._buttons(strip.actions)]

    def _rows(self, rows: Rows) -> list[Node]:
        ticked = [row for row in rows.rows if row.tick]
        heading = " · ".join(
            (*([bold(rows.heading)] if rows.heading else []), *([inert(rows.sum)] if rows.sum else []))
        )
        opens = [row for row in ticked if row.open]
        blocks = []
        if heading or opens:
            blocks.append(section(heading or EMPTY, self._details(opens) if opens else None))
        for at in range(0, len(ticked), MAX_BOXES):
            blocks.append(self._boxes(ticked[at : at + MAX_BOXES]))
        for row in rows.rows:
            if not row.tick:
                blocks += self._row(row)
        return blocks

    def _details(self, rows: Sequence[Row]) -> Node:
        """Return a menu that opens one of the rows: boxes can carry no button of their own."""
        options = [
            option(f"{row_title(row)}, {row_subtitle(row) or ''}".rstrip(", "), value)
            for row in rows[:MAX_TABLE_ROWS]
            if row.open and len(value := value_of(row.open)) <= MAX_OPTION_VALUE
        ]
        return {
            "type": "static_select",
            "action_id": self._id("open"),
            "placeholder": plain("Details…", MAX_BUTTON),
            "options": options,
        }

    def _boxes(self, rows: Sequence[Row]) -> Node:
        options = [_box(row) for row in rows]
        ticked = [drawn for drawn, row in zip(options, rows, strict=True) if row.ticked]
        boxes: Node = {"type": "checkboxes", "action_id": ELEMENT, "options": options}
        if ticked:
            boxes["initial_options"] = ticked
        block_id = f"{TICKS}{self._number()}"
        if self._boxes_as_field:
            return {
                "type": "input",
                "block_id": block_id,
                "label": plain("Seats"),
                "element": boxes,
                "optional": True,
            }
        return {"type": "actions", "block_id": block_id, "elements": [boxes]}

    def _row(self, row: Row) -> list[Node]:
        parts = [bold(row_title(row), NAME_MAX)]
        parts += [inert(text, SKU_MAX) for text in (row_subtitle(row), row.amount) if text]
        written = " · ".join(parts)
        reason = row_reason(row)
        if reason:
            written += f"\n{inert(reason, NOTE_MAX)}"
        targets = [action for action in (row.open, row.name_action) if action]
        if not targets:
            return [section(written)]
        first, *others = targets
        blocks = [section(written, button(first, self._id(first.verb), row_action_label(row, first)))]
        return blocks + self._buttons(others)

    def _chart(self, chart: Chart) -> list[Node]:
        header = (chart.title, chart.unit)
        if self._table and chart.bars and not any(bar.action for bar in chart.bars):
            return self._native_table(header, [(bar.label, bar.amount) for bar in chart.bars], (1,))
        title = " · ".join(text for text in header if text)
        lines = [
            (f"{bold(bar.label, SKU_MAX)} · {inert(bar.amount, NAME_MAX)}", bar.label, bar.action) for bar in chart.bars
        ]
        return [*([section(bold(title))] if title else []), *self._lines(lines)]

    def _table_of(self, table: Table) -> list[Node]:
        small = 0 < len(table.header) <= MAX_TABLE_COLUMNS and len(table.rows) < MAX_TABLE_ROWS
        if self._table and small and not any(table.row_actions):
            return self._native_table(table.header, table.rows, table.numeric)
        lines = []
        for i, cells in enumerate(table.rows):
            rest = " · ".join(
                f"{inert(name, SKU_MAX)}: {inert(cell, NAME_MAX)}" if name else inert(cell, NAME_MAX)
                for name, cell in zip(table.header[1:], cells[1:], strict=False)
            )
            written = bold(cells[0], NAME_MAX) if cells else EMPTY
            action = table.row_actions[i] if i < len(table.row_actions) else None
            lines.append((f"{written}\n{rest}" if rest else written, cells[0] if cells else "", action))
        return self._lines(lines)

    def _native_table(self, header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int]) -> list[Node]:
        self._table = False  # a message takes one
        cells = [[{"type": "raw_text", "text": short(t, NAME_MAX)} for t in r] for r in (header, *rows)]
        settings = [{"align": "right" if i in numeric else "left", "is_wrapped": True} for i in range(len(header))]
        return [{"type": "table", "rows": cells, "column_settings": settings}]

    def _lines(self, lines: Sequence[tuple[str, str, Action | None]]) -> list[Node]:
        """Draw lines with a button at the right of those that have one; those without share blocks."""
        blocks: list[Node] = []
        together: list[str] = []
        for written, subject, action in lines:
            full = sum(len(each) + 1 for each in together) + len(written) > MAX_TEXT
            if together and (action or full):
                blocks.append(section("\n".join(together)))
                together = []
            if action:
                said = f"{one_line(action.label)}: {one_line(subject)}"
                blocks.append(section(written, button(action, self._id(action.verb), said)))
            else:
                together.append(written)
        return blocks + ([section("\n".join(together))] if together else [])

    def _buttons(self, actions: Sequence[Action | None]) -> list[Node]:
        """Draw a line of buttons; what stands under "…" goes into a menu, as far as it can."""
        shown = [action for action in actions if action and not action.more]
        more = [action for action in actions if action and action.more]
        folded = [action for action in more if action.link is None and len(value_of(action)) <= MAX_OPTION_VALUE]
        folded = folded[:MAX_OVERFLOW] if len(folded) > 1 else []
        elements = [button(action, self._id(action.verb)) for action in (*shown, *more) if action not in folded]
        if folded:
            options = [option(action.label, value_of(action)) for action in folded]
            elements.append({"type": "overflow", "action_id": self._id("more"), "options": options})
        return [{"type": "actions", "block_id": self._id("act"), "elements": elements}] if elements else []

    def _id(self, name: str) -> str:
        return f"{name}:{self._number()}"

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _headline(headline: Headline) -> list[Node]:
    if headline.hero is not None:
        sentence = hero_sentence(headline)
        small = [inert(headline.context)] if headline.context else []
        return [_header(headline.title), *([section(bold(sentence))] if sentence else []), *context(small)]
    title = one_line(headline.title)
    amount = " ".join(one_line(text) for text in (headline.amount, headline.unit) if text)
    text = f"{cut(title, MAX_HEADER - len(amount) - 2)}: {amount}" if amount else title
    return [_header(text), *(context([inert(headline.context)]) if headline.context else [])]


def _header(text: str) -> Node:
    return {"type": "header", "text": plain(text, MAX_HEADER)}


def _paragraph(paragraph: Paragraph) -> list[Node]:
    if paragraph.subtle and not paragraph.heading:
        return context([inert(paragraph.text)])
    return [section(bold(paragraph.text) if paragraph.heading else inert(paragraph.text))]


def _progress(progress: Progress) -> list[Node]:
    key = [f"{bold(number(each.count), MAX_FIELD)}\n{inert(each.label, NAME_MAX)}" for each in progress.segments]
    return [section(inert(progress.label)), *fields(key)]


def _box_part(lead: str, text: str) -> str:
    return f"{bold(lead, NAME_MAX)} {inert(text, TEXT_MAX)}" if lead else inert(text, TEXT_MAX)


def _box(row: Row) -> Node:
    """Return a row's box: its text takes 75 characters, so that the name is cut first and the amount never."""
    subtitle, amount = row_subtitle(row), one_line(row.amount) if row.amount else ""
    rest = "".join(f" · {part}" for part in (subtitle, amount) if part)
    name = row_title(row)
    least = min(len(name), MAX_OPTION // 3)
    if subtitle and len(rest) + least > MAX_OPTION:
        room = MAX_OPTION - least - (len(rest) - len(subtitle))
        rest = "".join(f" · {part}" for part in (short(subtitle, room), amount) if part)
    label = short(name, MAX_OPTION - len(rest)) + rest
    reason = row_reason(row)
    return option(label, row.tick or "", reason)
