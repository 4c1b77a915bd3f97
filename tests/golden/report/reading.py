"""Read a drawn report back as a browser does: elements, texts, tables, links."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "col", "br"}


@dataclass
class Node:
    """One element with its children; text stands among them."""

    tag: str
    attributes: dict[str, str]
    children: list["Node | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def walk(self) -> "list[Node]":
        found = [self]
        for child in self.children:
            if isinstance(child, Node):
                found += child.walk()
        return found

    def all(self, tag: str) -> "list[Node]":
        return [node for node in self.walk() if node.tag == tag]

    def by_id(self, ref: str) -> "Node":
        (one,) = [node for node in self.walk() if node.attributes.get("id") == ref]
        return one


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"{tag} is closed in the wrong place"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(document: str) -> Node:
    """Return the root of a document in which every element is closed in its place."""
    reader = _Reader()
    reader.feed(document)
    reader.close()
    assert len(reader.open) == 1
    return reader.root


def rows_of(document: Node, ref: str) -> list[int]:
    """Return the numbers of the rows that a set of page 1 consists of."""
    last = [node for node in document.by_id(f"set-{ref}").children if isinstance(node, Node)][-1]
    numbers: list[int] = []
    for part in last.text.split(", "):
        if part != "none":
            first, _, end = part.partition("–")
            numbers += range(int(first), int(end or first) + 1)
    return numbers
