"""The drawn form of five cards, letter by letter. RECLAIM_UPDATE_GOLDEN=1 writes the files anew: then read the diff."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cards import adaptive, block_kit, html, text
from cards.view import CardView
from tests.unit.cards.samples import SAMPLES, dumped

HERE = Path(__file__).parent

DRAWN: dict[str, Callable[[CardView], str]] = {
    "json": lambda card: dumped(adaptive.render(card, reader_ids=("29:reader",))),
    "html": lambda card: html.render(card, uid="m1").replace("><", ">\n<") + "\n",
    "txt": lambda card: text.render(card, with_actions=True) + "\n",
    "slack.json": lambda card: dumped(
        block_kit.modal(card, metadata="{}") if block_kit.is_form(card) else block_kit.message(card)
    ),
}


@pytest.mark.parametrize("ending", DRAWN)
@pytest.mark.parametrize("name", SAMPLES)
def test_card_is_drawn_as_its_golden_file_says(name: str, ending: str) -> None:
    path = HERE / f"{name}.{ending}"
    drawn = DRAWN[ending](SAMPLES[name])
    if os.environ.get("RECLAIM_UPDATE_GOLDEN") == "1":
        path.write_text(drawn, encoding="utf-8")

    assert drawn == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    files = {path.name for path in HERE.iterdir() if path.suffix in {".json", ".html", ".txt"}}

    assert files == {f"{name}.{ending}" for name in SAMPLES for ending in DRAWN}
