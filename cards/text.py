"""CardView -> plain text for the terminal: aligned lines, bars of block characters with their numbers beside them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, assert_never

from cards.drawing import bar_width, hero_sentence, is_ticked, row_name, row_reason, segment_widths
from cards.formats import NAME_MAX, SKU_MAX, number, one_line
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
    InputKind,
    Paragraph,
    Progress,
    Row,
    Rows,
    Strip,
    Table,
)

MIN_WIDTH: Final = 20
_MAX_BAR = 40
_MIN_BAR = 4
_MIN_NESTED = 12  # however deep content is folded
_MIN_FIRST_COLUMN = 8
_FILLED, _HATCHED = "█", "░"
_SEGMENT_SIGNS = {"revoke": "█", "keep": "▓", "not_sure": "▒", "open": "░"}
_GAP = 2


def render(card: CardView, width: int = 80, *, with_actions: bool = False) -> str:
    """Return a card as text of at most `width` columns, without a line break at its end.

    Args:
        card: What to draw.
        width: Columns of the terminal; `MIN_WIDTH` at least.
        with_actions: Also name the buttons, as "[Revoke ticked] [Keep ticked…]". They do nothing in a terminal.
    """
    page = _Page(max(width, MIN_WIDTH), with_actions)
    blocks = [
        page.buttons([card.back.label] if card.back else []),
        page.headline(card.headline),
        *(page.element(element) for element in card.body),
        page.buttons(action.label for action in card.actions),
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)


def columns_of(text: str) -> int:
    """Return how many columns a terminal gives to a text: wide letters take two, marks none (Unicode TR 11)."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(c: str) -> int:
    if unicodedata.category(c) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(c) in {"W", "F"} else 1


@dataclass(frozen=True, slots=True)
class _Page:
    """Draws elements as lines of at most `width` columns."""

    width: int
    with_actions: bool

    def headline(self, headline: Headline) -> list[str]:
        if headline.hero is not None:
            sentences = (headline.title, hero_sentence(headline), headline.context)
            return [line for text in sentences if text for line in _wrap(text, self.width)]
        lines = self._sides(headline.title, headline.amount)
        if headline.context or headline.unit:
            lines += self._sides(headline.context or "", headline.unit)
        return lines

    def buttons(self, labels: Iterable[str]) -> list[str]:
        if not self.with_actions:
            return []
        lines: list[str] = []
        for label in labels:
            for part in _wrap(f"[{one_line(label)}]", self.width):
                if lines and columns_of(lines[-1]) + 1 + columns_of(part) <= self.width:
                    lines[-1] += f" {part}"
                else:
                    lines.append(part)
        return lines

    def element(self, element: Element) -> list[str]:
        match element:
            case Strip():
                return self._strip(element)
            case Paragraph():
                return _wrap(element.text, self.width)
            case Facts():
                return self._ruled_facts(element) if element.ruled else self._facts(element)
            case Figures():
                return self._figures(element)
            case Rows():
                return self._rows(element)
            case Chart():
                return self._chart(element)
            case Table():
                return self._table(element)
            case Progress():
                return self._progress(element)
            case Box():
                return self._box(element)
            case Expandable():
                inner = _Page(max(self.width - 2, _MIN_NESTED), self.with_actions)
                content = [line for part in element.content for line in inner.element(part)]
                return [*_wrap(element.label, self.width), *(f"  {line}" for line in content)]
            case Input():
                return self._input(element)
            case _:
                assert_never(element)

    def _strip(self, strip: Strip) -> list[str]:
        words = _wrap(strip.text, self.width - 2) + (_wrap(strip.detail, self.width - 2) if strip.detail else [])
        return [f"▌ {line}" for line in words] + self.buttons(action.label for action in strip.actions)

    def _box(self, box: Box) -> list[str]:
        words = []
        for lead, text in box.parts:
            words += (_wrap(lead, self.width - 2) if lead else []) + _wrap(text, self.width - 2)
        return [f"│ {line}" for line in words]

    def _facts(self, facts: Facts) -> list[str]:
        """Put labels and values in two columns; a label that is too long gets a line of its own."""
        labels = [one_line(fact.label) for fact in facts.facts]
        column = min(max(map(columns_of, labels), default=0), self.width // 3) + _GAP
        lines = []
        for fact, label in zip(facts.facts, labels, strict=True):
            values = _wrap(fact.value, self.width - column)
            if columns_of(label) + _GAP > column:
                lines += _wrap(label, self.width)
                label = ""
            lines += [_pad(label, column) + values[0], *(" " * column + value for value in values[1:])]
        return lines

    def _ruled_facts(self, facts: Facts) -> list[str]:
        return [line for fact in facts.facts for line in self._sides(fact.label, fact.value)]

    def _figures(self, figures: Figures) -> list[str]:
        column = min(max((columns_of(one_line(figure)) for figure, _ in figures.figures), default=0), self.width // 2)
        lines = []
        for figure, label in figures.figures:
            labels = _wrap(label, self.width - column - _GAP)
            numbers = _wrap(figure, column)
            for i in range(max(len(labels), len(numbers))):
                left, right = (part[i] if i < len(part) else "" for part in (numbers, labels))
                lines.append(_pad(left, column, right=True) + " " * _GAP + right)
        return lines

    def _rows(self, rows: Rows) -> list[str]:
        lines = self._sides(rows.heading or "", rows.sum) if rows.heading or rows.sum else []
        for row in rows.rows:
            lines += self._row(row)
        return lines

    def _row(self, row: Row) -> list[str]:
        box = "" if row.tick is None else "[x] " if row.ticked else "[ ] "
        inner = _Page(self.width - 4, self.with_actions)
        first = inner._sides(row_name(row), row.amount)
        names = [action.label for action in (row.name_action, row.open) if action]
        buttons = inner.buttons(names)
        reason = row_reason(row)
        rest = _wrap(reason, inner.width) if reason else []
        if rest and len(buttons) == 1 and columns_of(rest[-1]) + _GAP + columns_of(buttons[0]) <= inner.width:
            rest[-1] = _pad(rest[-1], inner.width - columns_of(buttons[0])) + buttons[0]
            buttons = []
        indent = "    " if box else "  "
        return [(box or "  ") + first[0]] + [indent + line for line in (*first[1:], *rest, *buttons)]

    def _chart(self, chart: Chart) -> list[str]:
        """Draw name, bar, amount in columns, or name and amount only where there is no room for a bar."""
        labels = [one_line(bar.label, SKU_MAX) for bar in chart.bars]
        amounts = [one_line(bar.amount) for bar in chart.bars]
        name_column = max(map(columns_of, labels), default=0)
        amount_column = max(map(columns_of, amounts), default=0)
        room = min(_MAX_BAR, self.width - name_column - amount_column - 2 * _GAP)
        lines = self._sides(chart.title, chart.unit)
        for bar, label, amount in zip(chart.bars, labels, amounts, strict=True):
            if room < _MIN_BAR:
                lines += self._sides(label, amount)
                continue
            drawn = _HATCHED * room if bar.share is None else _FILLED * bar_width(bar, room)
            parts = (_pad(label, name_column), _pad(drawn, room), _pad(amount, amount_column, right=True))
            lines.append((" " * _GAP).join(parts))
        return lines + self._named_buttons((bar.label, bar.action) for bar in chart.bars)

    def _table(self, table: Table) -> list[str]:
        """Draw columns; where they do not fit, the first one wraps, and at the last each row becomes a list."""
        texts = [[one_line(text, NAME_MAX) for text in row] for row in (table.header, *table.rows)]
        widths = [max(map(columns_of, column)) for column in zip(*texts, strict=True)]
        excess = sum(widths) + _GAP * (len(widths) - 1) - self.width
        if excess > 0 and widths:
            widths[0] = max(min(widths[0], _MIN_FIRST_COLUMN), widths[0] - excess)
        named = self._named_buttons(
            (row[0], action) for row, action in zip(table.rows, table.row_actions, strict=False) if row
        )
        if sum(widths) + _GAP * (len(widths) - 1) > self.width:
            return self._stacked(texts[0], texts[1:]) + named
        lines = []
        for row in texts:
            firsts = _wrap(row[0], widths[0]) if row else []
            for i, first in enumerate(firsts):
                cells = [first, *(cell if i == 0 else "" for cell in row[1:])]
                padded = (
                    _pad(c, w, right=j in table.numeric) for j, (c, w) in enumerate(zip(cells, widths, strict=True))
                )
                lines.append((" " * _GAP).join(padded))
        return lines + named

    def _stacked(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
        return [
            line
            for row in rows
            for name, cell in zip(header, row, strict=True)
            for line in _wrap(f"{name}: {cell}", self.width)
        ]

    def _progress(self, progress: Progress) -> list[str]:
        widths = segment_widths(progress, min(self.width, _MAX_BAR))
        bar = "".join(_SEGMENT_SIGNS[s.colour] * w for s, w in zip(progress.segments, widths, strict=True))
        key = "   ".join(f"{_SEGMENT_SIGNS[s.colour]} {number(s.count)} {one_line(s.label)}" for s in progress.segments)
        return [*([bar] if bar else []), *_wrap(key, self.width), *_wrap(progress.label, self.width)]

    def _input(self, field: Input) -> list[str]:
        label = one_line(field.label) + (" (required)" if field.required else "")
        match field.kind:
            case InputKind.TOGGLE:
                lines = _wrap(f"{'[x]' if is_ticked(field) else '[ ]'} {label}", self.width)
            case InputKind.CHOICE | InputKind.SELECT:
                choices = (f"{'(x)' if o.value == field.value else '( )'} {one_line(o.label)}" for o in field.options)
                lines = _wrap(label, self.width) + [
                    f"  {line}" for choice in choices for line in _wrap(choice, self.width - 2)
                ]
            case InputKind.PERSON | InputKind.TEXT | InputKind.LONG_TEXT | InputKind.NUMBER | InputKind.DATE:
                shown = one_line(field.value_label or field.value)
                hint = f" ({one_line(field.placeholder)})" if field.placeholder and not shown else ""
                lines = _wrap(f"{label}: {shown or '____'}{hint}", self.width)
                lines += [f"  {line}" for option in field.options for line in _wrap(option.label, self.width - 2)]
            case _:
                assert_never(field.kind)
        for sign, text in (("  ", field.hint), ("^ ", field.error)):
            lines += [sign + line for line in _wrap(text, self.width - 2)] if text else []
        return lines

    def _named_buttons(self, targets: Iterable[tuple[str, Action | None]]) -> list[str]:
        return self.buttons(f"{one_line(name, SKU_MAX)}: {action.label}" for name, action in targets if action)

    def _sides(self, left: str, right: str | None) -> list[str]:
        """Put one text left and one right; where they do not fit, the left one wraps, or the right one follows."""
        amount = one_line(right) if right else ""
        room = self.width - columns_of(amount) - _GAP
        if not amount:
            return _wrap(left, self.width)
        if room < self.width // 3:
            return _wrap(left, self.width) + _wrap(amount, self.width)
        lines = _wrap(left, room)
        return [_pad(lines[0], room + _GAP) + amount, *lines[1:]]


def _pad(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - columns_of(text))
    return space + text if right else text + space


def _wrap(text: str, width: int) -> list[str]:
    """Break a text between words, and a word that is wider than the page within; never less than one line."""
    lines = [""]
    for word in re.findall(r" *[^ ]+", one_line(text)):
        if columns_of(lines[-1]) + columns_of(word) <= width:
            lines[-1] += word
            continue
        pieces = _pieces(word.lstrip(" "), width)
        if lines[-1]:
            lines.append("")
        lines[-1] = pieces[0]
        lines += pieces[1:]
    return lines


def _pieces(word: str, width: int) -> list[str]:
    pieces = [""]
    used = 0
    for c in word:
        if pieces[-1] and used + _columns(c) > width:
            pieces.append("")
            used = 0
        pieces[-1] += c
        used += _columns(c)
    return pieces
