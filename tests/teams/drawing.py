"""Microsoft's own renderer for Adaptive Cards, in a headless Chromium: `python -m tests.teams.drawing` takes pictures.

The npm packages are installed into build/renderer when first needed, by the versions and hashes of the lock file beside the
page; nothing of them is part of the project.
"""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver

from cards import adaptive
from tests.browser import ROOT, chromium
from tests.golden.cards.gallery import CARDS

SOURCE = Path(__file__).parent / "renderer"
FOLDER = ROOT / "build" / "renderer"
PICTURES = ROOT / "build" / "cards"
WIDTHS = (320, 640)
_INSTALL_S = 120


class NoRendererError(Exception):
    """Node, npm or the registry is not there."""


class Renderer:
    """Draws one card at a time."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self._chrome = chrome
        chrome.get((FOLDER / "page.html").as_uri())

    def draw(self, card: dict[str, Any], width: int) -> list[str]:
        """Draw a card, and return what the renderer complains of."""
        self._chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        return list(self._run("return draw(JSON.parse(arguments[0]), arguments[1])", json.dumps(card), width))

    def unfold(self) -> None:
        """Open every part that is folded away."""
        self._run("unfold()")

    def read(self) -> str:
        """Return all that a reader or a screen reader meets."""
        return str(self._run("return read()"))

    def press_all(self) -> list[tuple[str, Any]]:
        """Press everything, and return verb and data of what was carried out."""
        return [(str(verb), data) for verb, data in self._run("return pressAll()")]

    def foreign(self) -> list[str]:
        """Return elements that words have become."""
        return list(self._run("return foreign()"))

    def wide(self) -> list[str]:
        """Return what reaches over the card's edge."""
        return list(self._run("return wide()"))

    def inputs(self) -> list[str]:
        """Return the ids of the fields that were drawn."""
        return list(self._run("return drawn.getAllInputs().filter((one) => one.renderedElement).map((one) => one.id)"))

    def picture(self, path: Path) -> None:
        """Write what the card looks like."""
        height = self._run("return Math.ceil(document.getElementById('card').getBoundingClientRect().height)")
        width = self._run("return Math.ceil(document.getElementById('card').getBoundingClientRect().width)")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shown = self._chrome.execute_cdp_cmd(
            "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True}
        )
        path.write_bytes(base64.b64decode(shown["data"]))

    def _run(self, script: str, *given: object) -> Any:
        return self._chrome.execute_script(script, *given)


def install() -> None:
    """Put the page and the packages into build/renderer.

    Raises:
        NoRendererError: It cannot be done here.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = FOLDER / "package-lock.json"
    known = lock.exists() and lock.read_bytes() == (SOURCE / "package-lock.json").read_bytes()
    for name in ("page.html", "package.json", "package-lock.json"):
        shutil.copyfile(SOURCE / name, FOLDER / name)
    if known and (FOLDER / "node_modules" / ".package-lock.json").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NoRendererError("npm is not installed")
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(words, cwd=FOLDER, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoRendererError("npm does not answer") from error
    if done.returncode:
        why = (done.stderr.strip() or "no reason given").splitlines()[0]
        raise NoRendererError(f"npm cannot install the renderer: {why[:200]}")


@contextmanager
def renderer(profile: Path) -> Iterator[Renderer]:
    """Run the renderer in a browser of its own.

    Raises:
        NoRendererError, NoBrowserError: It cannot be done here.
    """
    install()
    with chromium(profile) as chrome:
        yield Renderer(chrome)


def main(names: list[str]) -> None:
    """Take a picture of each card, or of those named, at both widths."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, renderer(Path(folder)) as drawing:
        for name in names or CARDS:
            for width in WIDTHS:
                drawing.draw(adaptive.render(CARDS[name]), width)
                drawing.picture(PICTURES / f"{name}-{width}.png")
    print(f"The pictures are in {PICTURES.relative_to(ROOT)}.")  # noqa: T201 - for who asked for them


if __name__ == "__main__":
    main(sys.argv[1:])
