"""The pieces of an Adaptive Card, as plain dicts, and how foreign text is kept from being read as anything but text.

Clients read Markdown in TextBlock, FactSet, toggles and choices, and date functions in every text. Some read less of
it, and there backslashes would show. `inert` is right on all: it breaks each construct with a WORD JOINER, which cannot
be seen, and swaps the few signs that no joiner breaks for a look-alike. Where a name stands alone, `run` shows it
letter by letter. https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
"""

import json
import re
import struct
import zlib
from base64 import b64encode
from functools import cache
from typing import Final

from cards.formats import one_line
from cards.payload import checked_link, encode
from cards.view import Action, Emphasis

Node = dict[str, object]

# Ours: longer than any sentence of ours, so it only cuts foreign text that a topic handed on whole.
TEXT_MAX: Final = 1_000
# The colours of segments and bars in light theme: UX.md 4, tokens "revoke · keep · not sure · open".
COLOURS: Final = {"revoke": "17897c", "keep": "6f74dd", "not_sure": "b57d12", "open": "8a8a8a"}

_JOINER = "\u2060"
_ASTERISK, _GRAVE, _LOW_LINE = "\u2217", "\u02cb", "\uff3f"
# Functions of date and time, and template expressions: {{DATE(…)}}, ${name}.
_FUNCTION = re.compile(r"([{$])(?=\{)")
# What a second character completes: escapes, tags and mentions, entities, links, struck-out text.
_CONSTRUCT = re.compile(r"(\\|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\](?=[(\[:])|~(?=~))", re.ASCII)
# What counts at the start of a line only: headings, quotes, lists, rules, definitions, fences.
_LINE_START = re.compile(r"[#>\[~=|]|[-+](?=[\s+-]|$)|\d{1,9}[.)](?=\s|$)", re.ASCII)
_UNDERSCORES = re.compile("_+")
# A word that no address is as long as may be wider than a phone: Microsoft's renderer breaks no word in a RichTextBlock
# or a FactSet and lets it reach over the card's edge (tests/teams/test_cards_rendered.py).
_LONG_WORD = re.compile(r"[\w@.+-]{41,}")
_PIECE = re.compile(r".{12}(?=.)")
_MAY_BREAK = "\u200b"


def plain(text: str, limit: int = TEXT_MAX) -> str:
    """Return foreign text for places without Markdown: one line, no functions."""
    return _FUNCTION.sub(rf"\1{_JOINER}", one_line(text, limit))


def inert(text: str, limit: int = TEXT_MAX) -> str:
    """Return foreign text that reads the same with and without Markdown."""
    joined = _CONSTRUCT.sub(rf"\1{_JOINER}", plain(text, limit).strip())
    joined = joined.replace("*", _ASTERISK).replace("`", _GRAVE)
    joined = _UNDERSCORES.sub(_low_lines, joined)
    joined = _LONG_WORD.sub(_with_breaks, joined)
    return _JOINER + joined if _LINE_START.match(joined) else joined


def block(text: str, *, limit: int = TEXT_MAX, heading: bool = False, right: bool = False, **look: object) -> Node:
    """Return a TextBlock; `look` holds size, weight, isSubtle, color and spacing as the schema names them."""
    node: Node = {"type": "TextBlock", "text": inert(text, limit), "wrap": True, **look}
    if heading:
        node["style"] = "heading"
    if right:
        node["horizontalAlignment"] = "Right"
    return node


def run(text: str, *, limit: int = TEXT_MAX, right: bool = False, spacing: str | None = None, **look: object) -> Node:
    """Return a RichTextBlock of one TextRun, in which there is no Markdown."""
    node: Node = {"type": "RichTextBlock", "inlines": [text_run(text, limit=limit, **look)]}
    if right:
        node["horizontalAlignment"] = "Right"
    if spacing is not None:
        node["spacing"] = spacing
    return node


def text_run(text: str, *, limit: int = TEXT_MAX, **look: object) -> Node:
    """Return a TextRun; a look of None is left out."""
    return {
        "type": "TextRun",
        "text": _LONG_WORD.sub(_with_breaks, plain(text, limit)),
        **{key: value for key, value in look.items() if value is not None},
    }


def column(width: str, *items: Node, **look: object) -> Node:
    """Return a Column: "stretch", "auto", a weight or pixels wide."""
    return {"type": "Column", "width": width, "items": list(items), **look}


def columns(*cells: Node, **look: object) -> Node:
    """Return a ColumnSet."""
    return {"type": "ColumnSet", "columns": list(cells), **look}


def pair(left: Node, right: Node | None, **look: object) -> Node:
    """Return what stands left and right on one line; the right side takes what it needs."""
    cells = [column("stretch", left)] + ([column("auto", right)] if right else [])
    return columns(*cells, **look)


def container(*items: Node, **look: object) -> Node:
    """Return a Container."""
    return {"type": "Container", "items": list(items), **look}


def swatch(colour: str, width: int, height: int, alt: str, **look: object) -> Node:
    """Return a box of one colour in pixels: a stretched image of a single pixel, as cards have no boxes."""
    return {
        "type": "Image",
        "url": _pixel(colour),
        "width": f"{width}px",
        "height": f"{height}px",
        "altText": plain(alt),
        **look,
    }


def button(action: Action) -> Node:
    """Return a button; clients without Action.Execute get an Action.Submit with the verb in its data."""
    common: Node = {"title": plain(action.label)}
    if action.more:
        common["mode"] = "secondary"
    if action.link is not None:
        return {"type": "Action.OpenUrl", "url": checked_link(action.link), **common}
    if not action.submits:
        common["associatedInputs"] = "none"
    if action.emphasis is Emphasis.RECOMMENDED:
        common["style"] = "positive"
    elif action.emphasis is Emphasis.DANGER:
        common["style"] = "destructive"
    data = encode(action)
    return {
        "type": "Action.Execute",
        "verb": action.verb,
        "data": data,
        **common,
        "fallback": {"type": "Action.Submit", "data": {"verb": action.verb, **data}, **common},
    }


def tap(action: Action, title: str | None = None) -> Node:
    """Return the action behind an area. It has no fallback: there are many, and 28 KB are few."""
    label = plain(title or action.label)
    if action.link is not None:
        return {"type": "Action.OpenUrl", "title": label, "url": checked_link(action.link)}
    node: Node = {"type": "Action.Execute", "title": label, "verb": action.verb, "data": encode(action)}
    if not action.submits:
        node["associatedInputs"] = "none"
    return node


def size_of(node: Node) -> int:
    """Return the bytes of a card as JSON in UTF-8 without escapes or spaces: how a channel must send it."""
    return len(json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode())


def _with_breaks(match: re.Match[str]) -> str:
    return _PIECE.sub(rf"\g<0>{_MAY_BREAK}", match.group())


def _low_lines(match: re.Match[str]) -> str:
    """Keep underscores inside a word, where Markdown leaves them alone; others become a look-alike."""
    text, start, end = match.string, match.start(), match.end()
    inside = start > 0 and end < len(text) and text[start - 1].isalnum() and text[end].isalnum()
    return match.group() if inside else _LOW_LINE * len(match.group())


@cache
def _pixel(colour: str) -> str:
    """Return a PNG of one pixel as a data address.

    https://www.w3.org/TR/png-3/#11Chunks
    """
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)  # 1 × 1, 8 bits a channel, RGB
    line = b"\0" + bytes.fromhex(COLOURS[colour])
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(line, 9)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return "data:image/png;base64," + b64encode(png).decode()
