"""The drawn form of every card, letter by letter. RECLAIM_UPDATE_GOLDEN=1 writes the files anew: then read the diff."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cards import adaptive, html, text
from cards.view import CardView
from tests.golden.cards.gallery import CARDS
from tests.unit.cards.samples import dumped

HERE = Path(__file__).parent

DRAWN: dict[str, Callable[[CardView], str]] = {
    "json": lambda card: dumped(adaptive.render(card, reader_ids=("29:reader",))),
    "html": lambda card: html.render(card, uid="m1").replace("><", ">\n<") + "\n",
    "txt": lambda card: text.render(card, with_actions=True) + "\n",
}

FILES = [(name, ending) for name in CARDS for ending in DRAWN]


@pytest.mark.parametrize(("name", "ending"), FILES)
def test_card_is_drawn_as_its_golden_file_says(name: str, ending: str) -> None:
    path = HERE / f"{name}.{ending}"
    drawn = DRAWN[ending](CARDS[name])
    if os.environ.get("RECLAIM_UPDATE_GOLDEN") == "1":
        path.write_text(drawn, encoding="utf-8")

    assert drawn == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    files = {path.name for path in HERE.iterdir() if path.suffix in {".json", ".html", ".txt"}}

    assert files == {f"{name}.{ending}" for name, ending in FILES}
