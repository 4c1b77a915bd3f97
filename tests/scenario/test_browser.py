"""A person at the browser: the whole loop by clicking, in a real headless Chromium.

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
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parents[2]
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
    "--window-size=1440,930",
)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECLAIM_")}
    with subprocess.Popen(
        [sys.executable, "-c", "import app; app.main()", "rehearse", "--people", "60"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        if os.environ.get("RECLAIM_TEST_REQUIRE_BROWSER"):
            pytest.fail("RECLAIM_TEST_REQUIRE_BROWSER is set, but there is no Chromium with ChromeDriver")
        pytest.skip("no Chromium with ChromeDriver is installed")
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


class Page:
    """What a person can see and press."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self._chrome = chrome

    def _until(self, look: Callable[[], WebElement | None], what: str) -> WebElement:
        # Cards change in place: an element that went away between two looks is looked for again.
        gone = (StaleElementReferenceException, ElementClickInterceptedException)
        waiting = WebDriverWait(self._chrome, PATIENCE_S, poll_frequency=0.1, ignored_exceptions=gone)
        found = waiting.until(lambda _: look(), f"{what} did not show up")
        assert found is not None
        return found

    def _visible(self, selector: str, text: str = "") -> WebElement | None:
        shown = [
            one
            for one in self._chrome.find_elements(By.CSS_SELECTOR, selector)
            if one.is_displayed() and text in one.text
        ]
        return shown[-1] if shown else None

    def see(self, selector: str, text: str = "") -> WebElement:
        return self._until(lambda: self._visible(selector, text), f"{selector} “{text}”")

    def press(self, verb: str, text: str = "") -> None:
        self._until(lambda: self._click(f'[data-verb="{verb}"]', text), verb)

    def move_clock(self, label: str, told: str) -> None:
        """Press a button of the practice clock; wait for what it tells, and until it takes the next press."""
        self._until(lambda: self._click(".clock button", label), label)
        self.see("main", told)
        self.see('.clock:not([aria-busy="true"])')

    def _click(self, selector: str, text: str = "") -> WebElement | None:
        element = self._visible(selector, text)
        if element is not None:
            self._chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
        return element

    def become(self, name: str) -> None:
        self._until(lambda: self._click("nav button, nav a", name), name)
        self.see("main", name)

    def errors(self) -> list[str]:
        return [line["message"] for line in self._chrome.get_log("browser") if line["level"] == "SEVERE"]  # type: ignore[no-untyped-call]


def test_a_person_clicks_through_the_whole_loop(address: str, browser: webdriver.Chrome) -> None:
    browser.get(address)
    page = Page(browser)

    page.see("article.card", "seats look unused")
    page.press("guide.look")
    page.see("article.card", "Recoverable spend")
    page.press("spend.seats", "Visio Plan 2")
    page.see("article.card", "idle seats: Visio Plan 2")
    page.press("seats.take_all")
    page.press("seats.reclaim")
    name = page.see('input[name="name"]')
    name.clear()
    name.send_keys("Clicked through")
    page.press("start.preview")
    page.see("article.card", "Clicked through · nothing has been sent yet")
    page.press("start.launch")
    page.see("article.card", "Clicked through is open")

    reviewer = page.see("nav button, nav a", "\n1").text  # somebody has one unread message
    page.become(reviewer.split("\n")[1] if len(reviewer.split("\n")[0]) <= 2 else reviewer.split("\n")[0])
    page.see("article.card", "to check")
    page.press("wave.revoke")
    page.see(".strip.good", "You revoked")
    page.press("batch.undo")
    page.see("article.card", "Undone")
    page.press("wave.revoke")
    page.see(".strip.good", "You revoked")

    page.become("Allan Deyoung")
    page.move_clock("To closing", "To the closing: ")
    page.move_clock("+1 day", "1 day later: ")
    page.see("article.card", "Clicked through is closed")
    assert page.errors() == []
