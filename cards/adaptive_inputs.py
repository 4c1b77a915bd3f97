"""The form fields of an Adaptive Card."""

import math
from collections.abc import Sequence
from typing import Final, assert_never

from cards.adaptive_parts import Node, block, inert, plain
from cards.drawing import is_ticked, required_message
from cards.formats import REASON_MAX, as_typed
from cards.view import Input, InputKind, Option

# UX.md 3: so many choices are all in sight; more fold into a list.
MAX_EXPANDED_CHOICES: Final = 6


def draw_input(field: Input) -> list[Node]:
    """Draw a field; its hint and its error stand below it."""
    items = [_field(field)]
    if field.hint:
        items.append(block(field.hint, size="Small", isSubtle=True, spacing="None"))
    if field.error:
        items.append(block(field.error, size="Small", color="Attention", spacing="None"))
    return items


def toggle(input_id: str, title: str, *, ticked: bool) -> Node:
    """Return a tick box; it comes back as "true" or "false"."""
    value = "true" if ticked else "false"
    return {"type": "Input.Toggle", "id": input_id, "title": inert(title), "value": value, "wrap": True}


def _field(field: Input) -> Node:
    common: Node = {"id": field.id}
    if field.required:
        common |= {"isRequired": True, "errorMessage": plain(field.error or required_message(field))}
    if field.kind is InputKind.TOGGLE:
        return toggle(field.id, field.label, ticked=is_ticked(field)) | common
    common["label"] = plain(field.label)
    if field.placeholder:
        common["placeholder"] = plain(field.placeholder)
    value = as_typed(field.value)
    match field.kind:
        case InputKind.TEXT | InputKind.LONG_TEXT:
            longer = {"isMultiline": True} if field.kind is InputKind.LONG_TEXT else {}
            most = {"maxLength": field.max_length} if field.max_length else {}
            return {"type": "Input.Text", **common, **longer, **most, **_valued(value)}
        case InputKind.NUMBER:
            return {"type": "Input.Number", **common, **_valued(_as_number(value))}
        case InputKind.DATE:
            limits = {key: day for key, day in (("min", field.min_date), ("max", field.max_date)) if day}
            return {"type": "Input.Date", **common, **limits, **_valued(value)}
        case InputKind.CHOICE:
            style = "expanded" if len(field.options) <= MAX_EXPANDED_CHOICES else "compact"
            return _choices(field.options) | common | {"style": style, **_valued(value)}
        case InputKind.SELECT:
            return _choices(field.options) | common | {"style": "compact", **_valued(value)}
        case InputKind.PERSON:
            return _people(field, value) | common | _valued(value)
        case _:
            assert_never(field.kind)


def _valued(value: object) -> Node:
    return {} if value in ("", None) else {"value": value}


def _choices(options: Sequence[Option]) -> Node:
    choices = [{"title": inert(option.label, REASON_MAX), "value": as_typed(option.value)} for option in options]
    return {"type": "Input.ChoiceSet", "wrap": True, "choices": choices}


def _people(field: Input, value: str) -> Node:
    """Draw a people picker over the reader's directory, with the suggestions and the present choice in its list.

    https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/people-picker
    """
    known = {option.value for option in field.options}
    chosen = (Option(value, field.value_label or value),) if value and value not in known else ()
    return _choices((*chosen, *field.options)) | {
        "style": "filtered",
        "choices.data": {"type": "Data.Query", "dataset": "graph.microsoft.com/users"},
    }


def _as_number(text: str) -> int | float | None:
    """Return what was typed as a number, or None: a number field can hold nothing else."""
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
