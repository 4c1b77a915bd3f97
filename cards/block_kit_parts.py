"""The pieces of Block Kit, as plain dicts, and how foreign text is kept from being read as anything but text.

`plain_text` is shown letter by letter. In `mrkdwn` three signs begin mentions, links and dates and are escaped; four more
begin a style and are swapped for a look-alike, since no escape exists for them; `verbatim` keeps Slack from linking names.
https://docs.slack.dev/messaging/formatting-message-text
"""

from typing import Final

from cards.formats import one_line
from cards.payload import VERSION, Payload, checked_link, decode, encode
from cards.view import Action, Emphasis
from reclaim.errors import InvalidRequest

Node = dict[str, object]

# Limits of Slack: https://docs.slack.dev/reference/block-kit/ (blocks, block-elements, composition-objects).
MAX_TEXT: Final = 3_000  # of a text object in a section
MAX_FIELD: Final = 2_000
MAX_HEADER: Final = 150
MAX_BUTTON: Final = 75
MAX_OPTION: Final = 75  # text and description
MAX_VALUE: Final = 2_000  # of a button
MAX_OPTION_VALUE: Final = 150
MAX_FIELDS: Final = 10
MAX_IN_CONTEXT: Final = 10
MAX_OVERFLOW: Final = 5
MAX_CONFIRM_TITLE: Final = 100
MAX_CONFIRM_TEXT: Final = 300
MAX_CONFIRM_BUTTON: Final = 30
# Ours: longer than any sentence of ours, so it only cuts foreign text that a topic handed on whole.
TEXT_MAX: Final = 1_000
EMPTY: Final = "–"  # Slack takes no empty text

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "\u2217", "_": "\uff3f", "~": "\u223c", "`": "\u02cb"}
_TABLE = str.maketrans(_ESCAPES)
_STYLES = {Emphasis.RECOMMENDED: "primary", Emphasis.DANGER: "danger"}
_SIGN: Final = "|"


def plain(text: str, limit: int = TEXT_MAX) -> Node:
    """Return foreign text as an object without any markup."""
    return {"type": "plain_text", "text": short(text, limit), "emoji": False}


def short(text: str, limit: int) -> str:
    """Return foreign text as one line that is never empty and never over the limit, closing marks and all."""
    most = limit
    shown = one_line(text, most).strip()
    while len(shown) > limit:
        most -= 1
        shown = one_line(text, most).strip()
    return shown or EMPTY


def inert(text: str, limit: int = TEXT_MAX) -> str:
    """Return foreign text that `mrkdwn` shows letter by letter; at most `limit` characters as Slack counts them."""
    shown = one_line(text, limit).strip()
    written = shown.translate(_TABLE)
    most = limit
    while len(written) > limit:
        most -= 1
        written = one_line(shown, most).translate(_TABLE)
    return written or EMPTY


def bold(text: str, limit: int = TEXT_MAX) -> str:
    """Return foreign text in bold."""
    return f"*{inert(text, limit)}*"


def mrkdwn(written: str) -> Node:
    """Return a text object of what `inert` and `bold` made."""
    return {"type": "mrkdwn", "text": written, "verbatim": True}


def section(written: str, accessory: Node | None = None) -> Node:
    """Return a block of text, with something at its right."""
    node: Node = {"type": "section", "text": mrkdwn(written)}
    return node | {"accessory": accessory} if accessory else node


def fields(written: list[str]) -> list[Node]:
    """Return short texts in two columns, ten a block."""
    return [
        {"type": "section", "fields": [mrkdwn(text) for text in written[at : at + MAX_FIELDS]]}
        for at in range(0, len(written), MAX_FIELDS)
    ]


def context(written: list[str]) -> list[Node]:
    """Return small muted text."""
    return [
        {"type": "context", "elements": [mrkdwn(text) for text in written[at : at + MAX_IN_CONTEXT]]}
        for at in range(0, len(written), MAX_IN_CONTEXT)
    ]


def value_of(action: Action) -> str:
    """Return what a button carries: version, verb, batch and reference, which alone may hold any sign.

    Raises:
        ValueError: `read_value` would refuse it.
    """
    data = encode(action)
    return _SIGN.join((f"v{VERSION}", action.verb, action.batch or "", str(data["ref"])))


def read_value(value: object) -> Payload:
    """Read a button that came back.

    Raises:
        OldCard: It is of another version.
        InvalidRequest: Anything else than what `value_of` makes.
    """
    parts = value.split(_SIGN, 3) if isinstance(value, str) and len(value) <= MAX_VALUE else []
    if len(parts) != 4 or not (parts[0].startswith("v") and parts[0][1:].isascii() and parts[0][1:].isdigit()):
        raise InvalidRequest("We cannot read this button. Nothing was changed.")
    version, verb, batch, ref = parts
    data: dict[str, object] = {"v": int(version[1:6]), "ref": ref}
    return decode(verb, data | ({"batch": batch} if batch else {}))


def button(action: Action, action_id: str, label: str | None = None) -> Node:
    """Return a button.

    Args:
        action: What it does.
        action_id: Unique within the card.
        label: What is read aloud, where the label alone would not say which row is meant.
    """
    node: Node = {"type": "button", "action_id": action_id, "text": plain(action.label, MAX_BUTTON)}
    if label is not None:
        node["accessibility_label"] = short(label, MAX_BUTTON)
    if action.link is not None:
        return node | {"url": checked_link(action.link)}
    node["value"] = value_of(action)
    if style := _STYLES.get(action.emphasis):
        node["style"] = style
    if question := confirm(action):
        node["confirm"] = question
    return node


def confirm(action: Action) -> Node | None:
    """Return the question that is asked first: the card's own, or of whatever takes a seat away (UX.md 3)."""
    title = f"{action.label.rstrip('…')}?"
    if action.confirm is not None:
        text = action.confirm
    elif action.verb.endswith(".revoke"):
        text = "You can take it back until the campaign closes."
    else:
        return None
    return {
        "title": plain(title, MAX_CONFIRM_TITLE),
        "text": plain(text, MAX_CONFIRM_TEXT),
        "confirm": plain(action.label.rstrip("…"), MAX_CONFIRM_BUTTON),
        "deny": plain("Go back", MAX_CONFIRM_BUTTON),
    }


def option(label: str, value: str, description: str | None = None) -> Node:
    """Return one choice of a menu or of boxes."""
    node: Node = {"text": plain(label, MAX_OPTION), "value": value}
    return node | {"description": plain(description, MAX_OPTION)} if description else node
