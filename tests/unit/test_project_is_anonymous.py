"""The project carries no trace of the machine it was written on and names no package registry: it builds anywhere."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".hypothesis", ".venv", "__pycache__", "build", "dist", "node_modules"}
# A path that begins here, so that no part of an address or of a relative path counts.
MACHINE_PATH = re.compile(r"(?<![\w.~/{}-])/(?:work|root|home|Users|opt/pypi)/[\w.~-]")
ADDRESS = re.compile(r"\b(?:https?|file|git\+\w+)://|--(?:extra-)?index-url[ =]|--find-links[ =]")


def text_files() -> Iterator[Path]:
    """Every file of the working tree that is text, less what git ignores as built or installed."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.endswith("_cache")]
        for name in sorted(set(names) - NOT_OURS):  # in a work tree of its own, .git is a file
            path = Path(folder, name)
            if b"\0" not in path.read_bytes()[:8192]:
                yield path


def machine_paths(text: str) -> list[str]:
    """Return the lines that name an absolute path of somebody's machine."""
    return [line.strip() for line in text.splitlines() if MACHINE_PATH.search(line)]


def test_no_file_names_a_path_of_this_machine() -> None:
    files = list(text_files())
    assert ROOT / "pyproject.toml" in files

    offenders = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := machine_paths(path.read_text(encoding="utf-8", errors="replace")))
    }

    assert offenders == {}


@pytest.mark.parametrize(
    "name", ["Makefile", ".ci/run", "pyproject.toml", "requirements.lock", "requirements-dev.lock"]
)
def test_nothing_that_installs_names_a_registry(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("postgresql+psycopg://", "")

    assert ADDRESS.findall(text) == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_requirement_is_pinned_and_carries_a_hash(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    requirements = [line for line in text.splitlines() if line and not line.startswith("#")]

    assert len(requirements) > 20
    assert [line for line in requirements if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:", line)] == []


@pytest.mark.parametrize("top", ["work", "root", "home", "Users"])
def test_a_planted_path_is_found(top: str) -> None:
    line = f'DATA = "/{top}/somebody/data"'

    assert machine_paths(f"import os\n{line}\n") == [line]


@pytest.mark.parametrize("line", ["https://example.org/home/page", "see ../work/notes", "GET /users/1"])
def test_an_address_or_a_relative_path_is_not_taken_for_one(line: str) -> None:
    assert machine_paths(line) == []
