"""A person at a real headless Chromium: shared by scenario tests, the pictures of the README and the check of Teams cards.

Skipped with a printed reason where no Chromium and ChromeDriver are installed; CI installs them and sets
RECLAIM_TEST_REQUIRE_BROWSER, which turns the skip into a failure.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parents[1]
PATIENCE_S = 90
# Without the background flags Chromium looks its maker's hosts up; a test speaks to loopback only.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1440,930",
)


class NoBrowserError(Exception):
    """Chromium or ChromeDriver is not installed."""


def without(error: Exception, skipped: str = "") -> NoReturn:
    """Skip a test that cannot be done here for this reason; CI, which must have a browser, fails for want of one.

    Args:
        error: NoBrowserError, or another reason.
        skipped: What is not done then, before the reason.

    Raises:
        pytest.skip.Exception, pytest.fail.Exception: Always one of them.
    """
    if isinstance(error, NoBrowserError) and os.environ.get("RECLAIM_TEST_REQUIRE_BROWSER"):
        pytest.fail("RECLAIM_TEST_REQUIRE_BROWSER is set, but there is no Chromium with ChromeDriver")
    pytest.skip(f"{skipped}{error}")


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Run a headless Chromium with a profile of its own.

    Raises:
        NoBrowserError: None is installed.
    """
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        raise NoBrowserError("no Chromium with ChromeDriver is installed")
    options = Options()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@contextmanager
def rehearsal(directory: Path, people: int = 60) -> Iterator[str]:
    """Run `reclaim rehearse` in a directory and give the address that it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECLAIM_")}
    with subprocess.Popen(
        [sys.executable, "-c", "import app; app.main()", "rehearse", "--people", str(people)],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        try:
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=30)
        assert code == 0


class Page:
    """What a person can see, press and type."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self.chrome = chrome

    def until(self, look: Callable[[], WebElement | None], what: str) -> WebElement:
        """Wait until `look` finds something."""
        # Cards change in place: an element that went away between two looks is looked for again.
        gone = (StaleElementReferenceException, ElementClickInterceptedException)
        waiting = WebDriverWait(self.chrome, PATIENCE_S, poll_frequency=0.1, ignored_exceptions=gone)
        found = waiting.until(lambda _: look(), f"{what} did not show up")
        assert found is not None
        return found

    def visible(self, selector: str, text: str = "") -> WebElement | None:
        """Return the last visible element that holds the text, or None."""
        shown = [
            one
            for one in self.chrome.find_elements(By.CSS_SELECTOR, selector)
            if one.is_displayed() and text in one.text
        ]
        return shown[-1] if shown else None

    def see(self, selector: str, text: str = "") -> WebElement:
        """Wait for a visible element."""
        return self.until(lambda: self.visible(selector, text), f"{selector} “{text}”")

    def press(self, verb: str, text: str = "") -> None:
        """Click the newest button of a card with this verb."""
        self.until(lambda: self.click(f'[data-verb="{verb}"]', text), verb)

    def move_clock(self, label: str, told: str) -> None:
        """Press a button of the practice clock; wait for what it tells, and until it takes the next press."""
        self.until(lambda: self.click(".clock button", label), label)
        self.see("main", told)
        self.see('.clock:not([aria-busy="true"])')

    def click(self, selector: str, text: str = "") -> WebElement | None:
        """Click the last visible element that holds the text; None if there is none."""
        element = self.visible(selector, text)
        if element is not None:
            self.chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
        return element

    def become(self, name: str) -> None:
        """Pick a person on the left."""
        self.until(lambda: self.click("nav button, nav a", name), name)
        self.see("main", name)

    def reviewer_with_a_list(self) -> str:
        """Wait until somebody who reviews seats has one unread message, and return their name."""
        return self.see("nav .person:has(.n) .t b").text

    def keys(self, *keys: str) -> None:
        """Press keys where the focus is."""
        ActionChains(self.chrome).send_keys(*keys).perform()

    def type_command(self, text: str) -> None:
        """Press "/" and type a command."""
        self.keys(Keys.ESCAPE)
        box = self.see("#box")
        box.click()
        box.clear()
        box.send_keys(text, Keys.ESCAPE, Keys.ENTER)

    def size(self, width: int, height: int, *, dark: bool = False, touch: bool = False, scale: float = 1) -> None:
        """Show the page as in a window of this size, in light or dark theme, with a mouse or a finger."""
        chrome = self.chrome
        chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": touch},
        )
        chrome.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": touch, "maxTouchPoints": 1})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def errors(self) -> list[str]:
        """Return what the browser complained of."""
        return [line["message"] for line in self.chrome.get_log("browser") if line["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
