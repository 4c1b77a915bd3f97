"""The scripted run has no way but HTTP: it can call no service, move no clock but by the button, and read no table."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ("story", "chat_client", "truth", "account")


def imported(module: str) -> set[str]:
    tree = ast.parse((ROOT / "rehearsal" / f"{module}.py").read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", SCRIPT)
def test_it_imports_an_http_client_and_itself_and_nothing_else(module: str) -> None:
    allowed = {"aiohttp", *(f"rehearsal.{one}" for one in SCRIPT)}

    strange = {name for name in imported(module) if name.split(".")[0] not in sys.stdlib_module_names} - allowed

    assert strange == set()


def test_it_changes_the_tenant_only_as_people_do() -> None:
    """The control API that it may write to is one: a person signs in. Clock and faults are the buttons' and the tests'."""
    text = (ROOT / "rehearsal" / "truth.py").read_text(encoding="utf-8")

    assert text.count('"POST"') == 1
    assert 'f"/people/{person}/sign-in"' in text
