"""The pictures of README.md, taken from a rehearsal in a real browser: `make images` writes docs/images anew."""

import base64
import tempfile
from pathlib import Path
from typing import Final

from selenium import webdriver

from tests.browser import ROOT, Page, chromium, rehearsal

FOLDER: Final = ROOT / "docs" / "images"
PEOPLE: Final = 400
DESKTOP: Final = (1440, 930)
PHONE: Final = (390, 844)


def main() -> None:
    """Play a campaign as its people would, and take a picture at each turn of the story."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        rehearsal(Path(folder), PEOPLE) as address,
        chromium(Path(folder) / "profile") as chrome,
    ):
        page = Page(chrome)
        page.size(*DESKTOP)
        chrome.get(address)
        page.see("article.card", "seats look unused")
        _take(chrome, "1-first-minute")
        page.press("guide.look")
        page.see("article.card", "Recoverable spend")
        page.type_command("start")
        page.press("start.preview")
        page.see("article.card", "nothing has been sent yet")
        page.press("start.launch")
        page.see("article.card", "is open")
        reviewer = page.reviewer_with_a_list()
        page.become(reviewer)
        page.see("article.card", "to check")
        _take(chrome, "2-review")
        page.size(*PHONE, dark=True, touch=True, scale=2)
        page.see("article.card", "to check")
        _take(chrome, "2-review-phone")
        page.size(*DESKTOP)
        page.press("wave.revoke")
        page.see(".strip.good", "You revoked")
        page.become("Allan Deyoung")
        page.move_clock("To closing", "To the closing: ")
        page.move_clock("+1 day", "1 day later: ")
        page.see("article.card", "is closed")
        _take(chrome, "3-closed")


def _take(chrome: webdriver.Chrome, name: str) -> None:
    """Write what the window shows, once its bars have grown and its tints have faded."""
    chrome.execute_async_script("setTimeout(arguments[0], 900)")
    shown = chrome.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": False})
    (FOLDER / f"{name}.png").write_bytes(base64.b64decode(shown["data"]))


if __name__ == "__main__":
    main()
