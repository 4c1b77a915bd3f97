"""The form fields of Block Kit, and how what was filled in is read back.

A block keeps what the person typed as long as its id stays; a field that we fill anew therefore gets a new id.
https://docs.slack.dev/reference/views/modal-views
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, assert_never

from cards.block_kit_parts import MAX_OPTION_VALUE, Node, option, plain
from cards.drawing import is_ticked
from cards.formats import as_typed, one_line
from cards.view import Input, InputKind

FIELD: Final = "in:"
TICKS: Final = "ticks:"
ELEMENT: Final = "v"
MAX_LABEL: Final = 2_000
MAX_PLACEHOLDER: Final = 150
MAX_TYPED: Final = 3_000
MAX_RADIO: Final = 10
MAX_MENU: Final = 100
_TRUE: Final = "true"


def draw_input(field: Input) -> Node:
    """Return a field as a block whose id names it."""
    block: Node = {
        "type": "input",
        "block_id": f"{FIELD}{field.id}:{_salt(field)}",
        "label": plain(field.label, MAX_LABEL),
        "element": _element(field),
        "optional": not field.required,
    }
    hint = " ".join(one_line(text) for text in (field.hint, field.error) if text)
    return block | {"hint": plain(hint, MAX_LABEL)} if hint else block


def field_of(block_id: object) -> str | None:
    """Return the field that a block stands for, or None."""
    if not isinstance(block_id, str) or not block_id.startswith(FIELD):
        return None
    return block_id.removeprefix(FIELD).rpartition(":")[0] or None


def read_state(state: Mapping[str, object], blocks: Iterable[object]) -> dict[str, str]:
    """Return what boxes and fields hold: input id → text, as the core takes it; untrusted.

    Args:
        state: `state.values` of a message or a view: block id → element id → what it holds.
        blocks: Of the message or view that was clicked, with the boxes that stand there unticked; empty if unknown.
    """
    found: dict[str, str] = {}
    for block in blocks:
        found |= _drawn_ticks(block)
    for block_id, elements in state.items():
        if not isinstance(elements, Mapping):
            continue
        for element in elements.values():
            if not isinstance(element, Mapping):
                continue
            if block_id.startswith(TICKS):
                known = [name for name in found if name in _options_of(blocks, block_id)]
                found |= dict.fromkeys(known, "false") | dict.fromkeys(_selected(element), _TRUE)
            elif (name := field_of(block_id)) is not None:
                found[name] = _value(element)
    return found


def _element(field: Input) -> Node:
    node: Node = {"action_id": ELEMENT}
    if field.placeholder and field.kind is not InputKind.TOGGLE and field.kind is not InputKind.CHOICE:
        node["placeholder"] = plain(field.placeholder, MAX_PLACEHOLDER)
    match field.kind:
        case InputKind.TEXT | InputKind.LONG_TEXT:
            node |= {
                "type": "plain_text_input",
                "multiline": field.kind is InputKind.LONG_TEXT,
                "max_length": min(field.max_length or MAX_TYPED, MAX_TYPED),
            }
            return node | _initial(
                "initial_value", as_typed(field.value)[: min(field.max_length or MAX_TYPED, MAX_TYPED)]
            )
        case InputKind.NUMBER:
            node |= {"type": "number_input", "is_decimal_allowed": False}
            return node | (
                _initial("initial_value", field.value) if field.value.isascii() and field.value.isdigit() else {}
            )
        case InputKind.DATE:
            return (
                node | {"type": "datepicker"} | (_initial("initial_date", field.value) if _is_day(field.value) else {})
            )
        case InputKind.CHOICE if len(field.options) <= MAX_RADIO:
            return node | {"type": "radio_buttons"} | _options(field)
        case InputKind.CHOICE | InputKind.SELECT:
            return node | {"type": "static_select"} | _options(field)
        case InputKind.TOGGLE:
            box = option("Yes", _TRUE)
            node |= {"type": "checkboxes", "options": [box]}
            return node | ({"initial_options": [box]} if is_ticked(field) else {})
        case InputKind.PERSON:
            node |= {"type": "external_select", "min_query_length": 1}
            picked = field.value and len(field.value) <= MAX_OPTION_VALUE
            return node | ({"initial_option": option(field.value_label or field.value, field.value)} if picked else {})
        case _:
            assert_never(field.kind)


def _options(field: Input) -> Node:
    offered = [option(each.label, each.value) for each in field.options[:MAX_MENU] if _fits(each.value)]
    picked = [each for each in offered if each["value"] == field.value]
    return {"options": offered} | ({"initial_option": picked[0]} if picked else {})


def _fits(value: str) -> bool:
    return 0 < len(value) <= MAX_OPTION_VALUE


def _initial(name: str, value: str) -> Node:
    return {name: value} if value else {}


def _is_day(value: str) -> bool:
    digits = value.replace("-", "")
    return len(value) == 10 and value[4] == value[7] == "-" and digits.isascii() and digits.isdigit()


def _salt(field: Input) -> str:
    return sha256(f"{field.value}\0{field.value_label}".encode(errors="replace")).hexdigest()[:6]


def _drawn_ticks(block: object) -> dict[str, str]:
    """Return the boxes of a block as they were drawn."""
    found: dict[str, str] = {}
    for element in _boxes(block):
        ticked = set(_values(element.get("initial_options")))
        found |= {name: _TRUE if name in ticked else "false" for name in _values(element.get("options"))}
    return found


def _options_of(blocks: Iterable[object], block_id: str) -> set[str]:
    return {
        name
        for block in blocks
        if isinstance(block, Mapping) and block.get("block_id") == block_id
        for element in _boxes(block)
        for name in _values(element.get("options"))
    }


def _boxes(block: object) -> list[Mapping[str, object]]:
    if not isinstance(block, Mapping) or not str(block.get("block_id", "")).startswith(TICKS):
        return []
    inside = block.get("elements") or [block.get("element")]
    return [each for each in inside if isinstance(each, Mapping)] if isinstance(inside, list) else []


def _values(options: object) -> list[str]:
    if not isinstance(options, list):
        return []
    return [each["value"] for each in options if isinstance(each, Mapping) and isinstance(each.get("value"), str)]


def _selected(element: Mapping[str, object]) -> list[str]:
    return _values(element.get("selected_options"))


def _value(element: Mapping[str, object]) -> str:
    if element.get("type") == "checkboxes":
        return _TRUE if _selected(element) else "false"
    picked = element.get("selected_option")
    if isinstance(picked, Mapping):
        value = picked.get("value")
    else:
        value = element.get("value") if element.get("value") is not None else element.get("selected_date")
    return value if isinstance(value, str) else ""
