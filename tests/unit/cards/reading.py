"""Reads drawn cards back: what a person sees of them, and whether they are whole."""

from collections.abc import Iterator
from html.parser import HTMLParser

Attributes = dict[str, str | None]


class Markup(HTMLParser):
    """Reads a fragment and fails on any element that is not closed in its place.

    Attributes:
        elements: (name, attributes, names of the elements around it) in order.
        texts: Every text and every spoken attribute.
    """

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} stands twice"
        self.elements.append((tag, dict(attrs), tuple(self._open)))
        self.texts += [
            value or "" for name, value in attrs if name in {"aria-label", "placeholder", "value", "data-confirm"}
        ]
        if tag != "input":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("an instruction")


def nodes_of(part: object) -> Iterator[dict[str, object]]:
    """Walk an Adaptive Card and yield every object in it."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from nodes_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from nodes_of(value)


def strings_of(part: object) -> Iterator[str]:
    """Walk an Adaptive Card and yield every text in it."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from strings_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from strings_of(value)
