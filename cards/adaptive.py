"""CardView -> Adaptive Card for Microsoft Teams. Pure: the same card gives the same bytes.

Teams takes version 1.5 from bots; `choices.data` and charts ride on it as Teams extensions, a chart with its fallback.
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
"""

import math
from collections.abc import Sequence, Set
from typing import Final, assert_never

from cards.adaptive_inputs import draw_input, toggle
from cards.adaptive_parts import (
    Node,
    block,
    button,
    column,
    columns,
    container,
    inert,
    pair,
    plain,
    run,
    size_of,
    swatch,
    tap,
    text_run,
)
from cards.drawing import (
    bar_label,
    bar_width,
    hero_sentence,
    row_action_label,
    row_name,
    row_reason,
    row_subtitle,
    row_title,
    segment_widths,
)
from cards.fitting import fitted
from cards.formats import NAME_MAX, NOTE_MAX, SKU_MAX, number
from cards.view import (
    Action,
    Bar,
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

# Our budget, UX.md 3. Teams itself takes about 100 KB of UTF-16 a message; 28 KB is what webhooks and workflows take.
# https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
MAX_BYTES: Final = 28 * 1024
# https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/user-specific-views
MAX_REFRESH_READERS: Final = 60
# UX.md 3: no bar is wider, so that nothing scrolls sideways at 320 px.
BAR_PX: Final = 240
# Longer values of ruled facts share the line 2 : 3 with their label instead of squeezing it.
_SHORT_VALUE = 24
_SHORT_LABEL = 14

_STYLES = {
    Tone.NEUTRAL: "emphasis",
    Tone.RECOMMEND: "accent",
    Tone.GOOD: "good",
    Tone.WARNING: "warning",
    Tone.BAD: "attention",
}


_ByItself = Strip | Paragraph | Facts | Figures | Rows | Table | Progress | Box | Expandable | Input


def render(card: CardView, *, reader_ids: tuple[str, ...] = ()) -> Node:
    """Return a card as Adaptive Card.

    Args:
        card: What to draw.
        reader_ids: Teams ids (`29:…`) of the readers for whom the card re-reads itself on opening; only used with
            `card.refresh`.

    Raises:
        ValueError: The card is over `MAX_BYTES` with one row a list and every long text cut; no action and no next
            box is ever left out. Or there are more readers than Teams refreshes for.
    """
    whole = _draw(card, reader_ids)
    if size_of(whole) <= MAX_BYTES:
        return whole  # nearly always, and drawn once
    return _draw(fitted(card, lambda smaller: fits(smaller, reader_ids=reader_ids)), reader_ids)


def fits(card: CardView, *, reader_ids: tuple[str, ...] = ()) -> bool:
    """Whether `render` draws all of the card: within its size limit, nothing left out."""
    return size_of(_draw(card, reader_ids)) <= MAX_BYTES


def _draw(card: CardView, reader_ids: tuple[str, ...]) -> Node:
    body = [_back(card.back)] if card.back else []
    body.append(_headline(card.headline))
    body += _elements(card.body, "x")
    fallback = inert(card.fallback)
    drawn: Node = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "lang": "en",
        "fallbackText": fallback,
        "speak": fallback,
        "body": body,
    }
    if card.actions:
        drawn["actions"] = [button(action) for action in card.actions]
    if card.refresh is not None and reader_ids:
        if len(reader_ids) > MAX_REFRESH_READERS:
            raise ValueError(f"Teams refreshes for {MAX_REFRESH_READERS} readers, not for {len(reader_ids)}")
        refresh = Action(label="Refresh", verb=card.refresh.verb, ref=card.refresh.ref)
        drawn["refresh"] = {"action": tap(refresh), "userIds": list(reader_ids)}
    return drawn


def _back(action: Action) -> Node:
    return container(block(action.label, size="Small", color="Accent"), selectAction=tap(action))


def _headline(headline: Headline) -> Node:
    if headline.hero is not None:
        return _hero(headline)
    title = block(headline.title, heading=True, size="Large", weight="Bolder")
    amount = block(headline.amount, right=True, size="Large", weight="Bolder") if headline.amount else None
    lines = [pair(title, amount)]
    if headline.context or headline.unit:
        unit = block(headline.unit, right=True, isSubtle=True, spacing="None") if headline.unit else None
        context = run(headline.context or " ", isSubtle=True, spacing="None")
        lines.append(pair(context, unit, spacing="None"))
    return container(*lines)


def _hero(headline: Headline) -> Node:
    lines = [block(headline.title, heading=True, size="ExtraLarge", weight="Bolder")]
    if sentence := hero_sentence(headline):
        lines.append(block(sentence, size="ExtraLarge", weight="Bolder", color="Accent", spacing="None"))
    if headline.context:
        lines.append(run(headline.context, isSubtle=True, spacing="Small"))
    return container(*lines)


def _elements(elements: Sequence[Element], path: str) -> list[Node]:
    """Draw elements in order; `path` makes the ids of what can be shown and hidden unique within the card."""
    drawn: list[Node] = []
    listed = {action for part in elements if isinstance(part, Table) for action in part.row_actions}
    for i, element in enumerate(elements):
        nodes = _chart(element, listed) if isinstance(element, Chart) else _element(element, f"{path}-{i}")
        before = elements[i - 1] if i else None
        if isinstance(element, Strip) and isinstance(before, Strip) and before.tone is element.tone:
            nodes[0]["spacing"] = "Small"  # several of a kind are read as one list
        drawn += nodes
    return drawn


def _element(element: _ByItself, path: str) -> list[Node]:
    match element:
        case Strip():
            return [_strip(element)]
        case Paragraph():
            return [_paragraph(element)]
        case Facts():
            return [_ruled_facts(element) if element.ruled else _facts(element)]
        case Figures():
            return [_figures(element)]
        case Rows():
            return [_rows(element)]
        case Table():
            return [_table(element)]
        case Progress():
            return _progress(element)
        case Box():
            return [_box(element)]
        case Expandable():
            return _expandable(element, path)
        case Input():
            return draw_input(element)
        case _:
            assert_never(element)


def _strip(strip: Strip) -> Node:
    items = [block(strip.text, weight="Bolder" if strip.detail else "Default")]
    if strip.detail:
        items.append(block(strip.detail, spacing="None"))
    if strip.actions:
        items.append({"type": "ActionSet", "actions": [button(action) for action in strip.actions]})
    return container(*items, style=_STYLES[strip.tone], spacing="Medium")


def _paragraph(paragraph: Paragraph) -> Node:
    if paragraph.heading:
        return block(paragraph.text, heading=True, size="Default", weight="Bolder", spacing="Medium")
    if paragraph.subtle:
        return block(paragraph.text, size="Small", isSubtle=True)
    return block(paragraph.text)


def _facts(facts: Facts) -> Node:
    return {
        "type": "FactSet",
        "spacing": "Medium",
        "facts": [{"title": inert(_whole(f.label)), "value": inert(f.value, NOTE_MAX)} for f in facts.facts],
    }


def _whole(label: str) -> str:
    """Return a short label that does not break: its column would be as narrow as its longest part."""
    return label.replace(" ", "\u00a0").replace("-", "\u2011") if len(label) <= _SHORT_LABEL else label


def _ruled_facts(facts: Facts) -> Node:
    lines = []
    for fact in facts.facts:
        label = block(fact.label)
        value = run(fact.value, limit=NOTE_MAX, right=True, weight="Bolder")
        if len(fact.value) <= _SHORT_VALUE:
            lines.append(pair(label, value, spacing="Small"))
        else:
            lines.append(columns(column("2", label), column("3", value), spacing="Small"))
    return container(*lines, spacing="Medium", separator=True)


def _figures(figures: Figures) -> Node:
    cells = [
        column(
            "stretch",
            block(figure, size="ExtraLarge", weight="Bolder"),
            block(label, size="Small", isSubtle=True, spacing="None"),
        )
        for figure, label in figures.figures
    ]
    return columns(*cells, spacing="Medium")


def _rows(rows: Rows) -> Node:
    items = []
    if rows.heading or rows.sum:
        heading = block(rows.heading or " ", heading=bool(rows.heading), size="Default", weight="Bolder")
        items.append(pair(heading, block(rows.sum, right=True, isSubtle=True) if rows.sum else None))
    items += [_row(row) for row in rows.rows]
    return container(*items, spacing="Medium", separator=True)


def _row(row: Row) -> Node:
    lines = [_row_first_line(row)]
    reason = row_reason(row)
    if reason or row.open:
        cells = [column("28px", block(" ", size="Small"))] if row.tick else []
        cells.append(column("stretch", run(reason or " ", size="Small", isSubtle=True), spacing="None"))
        line = columns(*cells, spacing="None")
        if row.open:
            cells.append(
                column("auto", block(row.open.label, right=True, size="Small", color="Accent"), spacing="Small")
            )
            line = columns(*cells, spacing="None", selectAction=tap(row.open, row_action_label(row, row.open)))
        lines.append(line)
    return container(*lines, spacing="Small")


def _row_first_line(row: Row) -> Node:
    """Draw box or name, and the amount. A box takes the taps on its line, so there the amount opens `name_action`."""
    target = tap(row.name_action, row_action_label(row, row.name_action)) if row.name_action else None
    label = row.amount or (row.name_action.label if row.name_action and row.tick else None)
    amount = run(label, right=True, color="Accent" if target else None) if label else None
    if row.tick is None:
        line = pair(_plain_name(row), amount)
        return line | {"selectAction": target} if target else line
    box = toggle(row.tick, row_name(row), ticked=row.ticked)
    cells = [column("stretch", box)]
    if amount:
        tappable = {"selectAction": target} if target else {}
        cells.append(column("auto", amount, verticalContentAlignment="Center", **tappable))
    return columns(*cells)


def _plain_name(row: Row) -> Node:
    subtitle = row_subtitle(row)
    inlines = [text_run(row_title(row), weight="Bolder")] + ([text_run(f" · {subtitle}")] if subtitle else [])
    return {"type": "RichTextBlock", "inlines": inlines}


def _chart(chart: Chart, listed: Set[Action | None]) -> list[Node]:
    """Draw a native chart and, for clients without one, bars.

    A native chart shows no bar without a number and opens nothing: bars without one stand below it, and a chart with an
    action that no table beside it has is drawn as bars only.
    """
    numbers = [(bar, bar.value) for bar in chart.bars if bar.value is not None and math.isfinite(bar.value)]
    title = block(chart.title, size="Small", isSubtle=True)
    if not numbers or any(bar.action and bar.action not in listed for bar in chart.bars):
        return [title, container(*(_bar(bar, chart) for bar in chart.bars), spacing="Small")]
    drawn = [bar for bar, _ in numbers]
    native: Node = {
        "type": "Chart.HorizontalBar",
        "title": plain(chart.title),
        "xAxisTitle": plain(chart.unit),
        "colorSet": "categorical",
        "data": [{"x": plain(bar.label, SKU_MAX), "y": value} for bar, value in numbers],
        "fallback": container(title, *(_bar(bar, chart) for bar in drawn), spacing="Small"),
    }
    return [native, *(_bar(bar, chart) for bar in chart.bars if bar not in drawn)]


def _bar(bar: Bar, chart: Chart) -> Node:
    name = run(bar.label, limit=SKU_MAX, size="Small", color="Accent" if bar.action else None)
    items = [pair(name, run(bar.amount, right=True, size="Small", weight="Bolder"))]
    width = bar_width(bar, BAR_PX)
    if width:
        items.append(swatch("revoke", width, 8, bar_label(bar, chart), spacing="None"))
    target = {"selectAction": tap(bar.action, f"{bar.label}: {bar.action.label}")} if bar.action else {}
    return container(*items, spacing="Small", **target)


def _table(table: Table) -> Node:
    head = [_cell(text, numeric=i in table.numeric, weight="Bolder") for i, text in enumerate(table.header)]
    rows: list[Node] = [{"type": "TableRow", "cells": head}]
    for i, texts in enumerate(table.rows):
        action = table.row_actions[i] if i < len(table.row_actions) else None
        cells = [
            _cell(text, numeric=j in table.numeric, color="Accent" if action and j == 0 else None)
            for j, text in enumerate(texts)
        ]
        if action and cells:
            cells[0]["selectAction"] = tap(action, f"{texts[0]}: {action.label}")
        rows.append({"type": "TableRow", "cells": cells})
    # The flag for the header has one name in the schema and another in the renderer; its default is on.
    return {
        "type": "Table",
        "spacing": "Medium",
        "showGridLines": False,
        "columns": [{"width": 2 if i else 3} for i in range(len(table.header))],
        "rows": rows,
    }


def _cell(text: str, *, numeric: bool, weight: str | None = None, color: str | None = None) -> Node:
    shown = run(text, limit=NAME_MAX, right=numeric, size="Small", weight=weight, color=color)
    return {"type": "TableCell", "items": [shown]}


def _progress(progress: Progress) -> list[Node]:
    """Draw the bar in pieces without gaps, below it the key with the counts."""
    widths = segment_widths(progress, BAR_PX)
    whole = sum(segment.count for segment in progress.segments)
    pieces = []
    key = []
    for segment, width in zip(progress.segments, widths, strict=True):
        if width:
            alt = f"{number(segment.count)} of {number(whole)} {segment.label}"
            pieces.append(column("auto", swatch(segment.colour, width, 10, alt), spacing="None"))
        name = columns(
            column("auto", swatch(segment.colour, 10, 10, ""), verticalContentAlignment="Center"),
            column("stretch", block(segment.label, size="Small"), spacing="Small"),
            spacing="None",
        )
        key.append(column("stretch", block(number(segment.count), size="Large", weight="Bolder"), name))
    said = block(progress.label, size="Small", isSubtle=True)
    bar = [columns(*pieces, spacing="Medium")] if pieces else []
    return [*bar, columns(*key, spacing="Small"), said]


def _box(box: Box) -> Node:
    items: list[Node] = []
    for lead, text in box.parts:
        if lead:
            items.append(block(lead, size="Small", weight="Bolder", spacing="Small" if items else "Default"))
        items.append(block(text, size="Small", spacing="None" if lead else "Default"))
    return container(*items, style="emphasis", spacing="Medium")


def _expandable(expandable: Expandable, path: str) -> list[Node]:
    toggle = {"type": "Action.ToggleVisibility", "title": plain(expandable.label), "targetElements": [path]}
    content = container(*_elements(expandable.content, path), id=path, isVisible=False)
    return [{"type": "ActionSet", "actions": [toggle]}, content]
