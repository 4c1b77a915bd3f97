"""What Slack refuses: the published schemas (beside the project), and what they miss, such as counts and repeated ids.

Limits: https://docs.slack.dev/reference/block-kit/ and /reference/views/, read as a table in `shared/data`.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

DATA = Path(__file__).parents[3] / "shared" / "data"
MESSAGE, VIEW, LIMITS = "slack-message.schema.json", "slack-view.schema.json", "slack-blockkit-limits.json"
# Of an element by its type: property → most characters.
LENGTHS: Mapping[str, Mapping[str, int]] = {
    "button": {"text": 75, "value": 2000, "url": 3000, "accessibility_label": 75, "action_id": 255},
    "header": {"text": 150},
    "section": {"text": 3000},
    "input": {"label": 2000, "hint": 2000},
    "static_select": {"placeholder": 150, "action_id": 255},
    "external_select": {"placeholder": 150, "action_id": 255},
    "plain_text_input": {"placeholder": 150, "action_id": 255, "initial_value": 3000},
    "modal": {"title": 24, "submit": 24, "close": 24, "private_metadata": 3000, "callback_id": 255},
}
COUNTS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "actions": {"elements": (1, 25)},
    "context": {"elements": (1, 10)},
    "section": {"fields": (1, 10)},
    "overflow": {"options": (2, 5)},
    "checkboxes": {"options": (1, 10), "initial_options": (1, 10)},
    "radio_buttons": {"options": (1, 10)},
    "static_select": {"options": (1, 100)},
    "table": {"rows": (1, 100)},
}
VIEW_BYTES = 250_000


@cache
def _validator(name: str) -> jsonschema.Draft7Validator | None:
    path = DATA / name
    return jsonschema.Draft7Validator(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def have_schemas() -> bool:
    return (DATA / MESSAGE).exists()


def wrong_in_message(message: Mapping[str, Any]) -> list[str]:
    """Return all that Slack would refuse in `text` and `blocks` of a message."""
    found = _by_schema(MESSAGE, {name: message[name] for name in ("text", "blocks") if name in message})
    if not message.get("text"):
        found.append("a message without text says nothing to a screen reader")
    if len(message.get("text", "")) > 40_000:
        found.append("text over 40,000")
    blocks = message.get("blocks", [])
    if len(blocks) > 50:
        found.append(f"{len(blocks)} blocks, 50 at most")
    if sum(block.get("type") == "table" for block in blocks) > 1:
        found.append("two tables in one message")
    return found + _wrong_in_blocks(blocks)


def wrong_in_view(view: Mapping[str, Any]) -> list[str]:
    """Return all that Slack would refuse in a modal or a Home tab."""
    found = _by_schema(VIEW, view)
    blocks = view.get("blocks", [])
    if len(blocks) > 100:
        found.append(f"{len(blocks)} blocks, 100 at most")
    if any(block.get("type") == "table" for block in blocks):
        found.append("a table in a view: tables stand in messages only")
    if any(block.get("type") == "input" for block in blocks) and view.get("type") == "modal" and not view.get("submit"):
        found.append("input without submit")
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        found.append("over 250 KB")
    return found + _wrong_in_blocks(blocks) + _too_long(view)


def _by_schema(name: str, value: object) -> list[str]:
    validator = _validator(name)
    if validator is None:
        return []
    return [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(value)]


def _wrong_in_blocks(blocks: list[dict[str, Any]]) -> list[str]:
    found = [wrong for node in _nodes(blocks) for wrong in (*_too_long(node), *_too_many(node), *_empty(node))]
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    found += [f"block_id {name} stands {times} times" for name, times in ids.items() if times > 1]
    # Within a block an id must not repeat; we keep buttons apart over the whole card, since logs name them.
    for block in blocks:
        actions = Counter(node["action_id"] for node in _nodes(block) if "action_id" in node)
        found += [f"action_id {name} stands {times} times" for name, times in actions.items() if times > 1]
    styled = [node["style"] for node in _nodes(blocks) if node.get("type") == "button" and "style" in node]
    if styled.count("primary") > 1:
        found.append("two filled buttons")
    return found


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _nodes(part)


def _text(value: object) -> str:
    return str(value.get("text", "")) if isinstance(value, dict) else str(value)


def _too_long(node: Mapping[str, Any]) -> list[str]:
    limits = dict(LENGTHS.get(str(node.get("type")), {}))
    if "text" in node and "value" in node and "type" not in node:  # an option
        limits = {"text": 75, "value": 150, "description": 75}
    if "deny" in node:
        limits = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
    long = [
        f"{node.get('type')}.{k}: over {most}" for k, most in limits.items() if k in node and len(_text(node[k])) > most
    ]
    if node.get("type") == "section":
        long += ["field over 2,000" for each in node.get("fields", []) if len(each["text"]) > 2000]
    if len(str(node.get("block_id", ""))) > 255:
        long.append("block_id over 255")
    return long


def _too_many(node: Mapping[str, Any]) -> list[str]:
    return [
        f"{node['type']}.{name}: {len(node[name])} of {least} to {most}"
        for name, (least, most) in COUNTS.get(str(node.get("type")), {}).items()
        if name in node and not least <= len(node[name]) <= most
    ]


def _empty(node: Mapping[str, Any]) -> list[str]:
    if node.get("type") in ("plain_text", "mrkdwn", "raw_text") and not node["text"].strip():
        return ["an empty text"]
    return []
