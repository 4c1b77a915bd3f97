"""The smallest parts of HTML, for cards and documents alike: every text and every attribute is escaped here."""

from html import escape
from typing import NewType

from cards.formats import as_typed, one_line

Html = NewType("Html", str)
# True writes the bare attribute; False and None leave it out.
Attribute = str | bool | None

_VOID = frozenset({"col", "input", "meta"})


def element(name: str, /, *content: Html, **attributes: Attribute) -> Html:
    """Return an element; attribute values are escaped here, content is HTML already."""
    written = "".join(
        f" {key}" if value is True else f' {key}="{escape(as_typed(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{''.join(content)}</{name}>")


def text(shown: str, limit: int | None = None) -> Html:
    """Return foreign text as one escaped line, cut to `limit`."""
    return Html(escape(one_line(shown, limit), quote=True))


def name(shown: str, limit: int | None = None) -> Html:
    """Return a text that may be a name, so that its script's direction stays its own."""
    return element("bdi", text(shown, limit))
