"""A person at the browser: the whole loop by clicking, in a real headless Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from tests.browser import NoBrowserError, Page, chromium, rehearsal, without


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with rehearsal(tmp_path) as url:
        yield url


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    try:
        with chromium(tmp_path / "profile") as chrome:
            yield chrome
    except NoBrowserError as error:
        without(error)


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


def test_a_holder_gives_an_application_up_in_the_browser_and_takes_it_back(
    address: str, browser: webdriver.Chrome
) -> None:
    browser.get(address)
    page = Page(browser)
    page.see("article.card", "seats look unused")
    page.type_command('consent new --group "App Miro users" --name Miro --application Miro --source csv')
    page.press("program.run")

    page.become("Adele Vance")
    page.see("article.card", "Do you still need Miro?")
    page.press("consent.agree")
    page.until(lambda: page.click("dialog button", "Give it up"), "the question whether Adele is sure")
    page.see("article.card", "Thank you, Adele")
    page.become("Allan Deyoung")
    page.move_clock("+1 day", "1 day later: ")
    page.become("Adele Vance")
    page.see("article.card", "Miro was removed")
    page.press("consent.back")
    page.see("article.card", "Miro is back")
    assert page.errors() == []
