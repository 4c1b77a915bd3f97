"""README names every command, setting, make target and top-level place."""

import re

from tests.readme import README, written

ROOT = README.parent


def test_the_tables_are_those_of_the_code() -> None:
    text = README.read_text(encoding="utf-8")

    assert text == written(text), "run: python -m tests.readme"


def test_it_opens_with_the_two_commands() -> None:
    first = README.read_text(encoding="utf-8").split("```")[1]

    assert [line.split("#")[0].strip() for line in first.strip().splitlines()] == ["make run", "make test"]


def test_every_target_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z]+)", README.read_text(encoding="utf-8"))) <= targets


def test_every_top_level_place_stands_in_the_layout() -> None:
    layout = README.read_text(encoding="utf-8").split("## Layout")[1].split("##")[0]
    places = {p.name for p in ROOT.iterdir() if p.is_dir() and (p / "__init__.py").exists()} - {"tests"}

    assert {place for place in places if f"`{place}" not in layout} == set()
