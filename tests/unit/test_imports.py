"""Holds the import rules of app.py and scheduler.py: import-linter, which holds the others, takes no single files."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "cards", "reclaim", "rehearsal", "storage")
# What "no SQL, no HTTP" means inside the standard library.
NOT_FOR_THE_SCHEDULER = {"http", "socket", "socketserver", "sqlite3", "urllib"}


def imported_modules(source: str) -> set[str]:
    """Return the dotted name of everything the source imports, `from a import b` as `a.b`, wherever it stands."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)
    return found


def forbidden_for_scheduler(source: str) -> set[str]:
    """Return what the source imports beyond apscheduler, structlog, the core of reclaim and the standard library."""
    allowed = {"apscheduler", "structlog", "reclaim"} | (sys.stdlib_module_names - NOT_FOR_THE_SCHEDULER)
    return {
        name
        for name in imported_modules(source)
        if name.split(".")[0] not in allowed or name == "reclaim" or f"{name}.".startswith("reclaim.connectors.")
    }


def composition_root_imports(source: str) -> set[str]:
    """Return the imports of app.py and scheduler.py that the source holds."""
    return {name for name in imported_modules(source) if name.split(".")[0] in {"app", "scheduler"}}


def test_scheduler_imports_only_its_clock_the_log_and_the_core() -> None:
    source = (ROOT / "scheduler.py").read_text(encoding="utf-8")

    assert forbidden_for_scheduler(source) == set()


def test_nobody_but_app_imports_app_or_scheduler() -> None:
    files = [ROOT / "scheduler.py", *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))]
    assert len(files) > len(PACKAGES), "the packages were not found"

    offenders = {
        str(path.relative_to(ROOT)): found
        for path in files
        if (found := composition_root_imports(path.read_text(encoding="utf-8")))
    }

    assert offenders == {}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import storage", "storage"),
        ("from bot.outbound import Messenger", "bot.outbound.Messenger"),
        ("import rehearsal.server", "rehearsal.server"),
        ("from reclaim.connectors.engine import start", "reclaim.connectors.engine.start"),
        ("from reclaim import connectors", "reclaim.connectors"),
        ("import reclaim", "reclaim"),
        ("import sqlalchemy as sa", "sqlalchemy"),
        ("def f():\n    import sqlite3", "sqlite3"),
        ("from . import storage", "..storage"),
    ],
)
def test_a_planted_import_in_the_scheduler_is_found(line: str, named: str) -> None:
    allowed = "import asyncio\nimport structlog\nfrom apscheduler.x import y\nfrom reclaim.services.tick import due\n"

    assert forbidden_for_scheduler(allowed + line) == {named}


@pytest.mark.parametrize(
    ("line", "named"),
    [("import app", "app"), ("from app import main", "app.main"), ("if x:\n    import scheduler as s", "scheduler")],
)
def test_a_planted_import_of_a_composition_root_is_found(line: str, named: str) -> None:
    assert composition_root_imports(f"import apscheduler\n{line}") == {named}
