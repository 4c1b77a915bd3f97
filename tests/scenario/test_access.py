"""For everybody: contrast of AA, names for screen readers, the keyboard alone, and a narrow phone; in a real browser."""

from collections.abc import Iterator
from typing import Final

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser import ROOT, NoBrowserError, Page, chromium, rehearsal, without

_AUDIT: Final = (ROOT / "tests" / "scenario" / "audit.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A running campaign, open at the list of somebody who reviews."""
    folder = tmp_path_factory.mktemp("access")
    try:
        with chromium(folder / "profile") as chrome, rehearsal(folder) as address:
            chrome.get(address)
            page = Page(chrome)
            page.see("article.card", "seats look unused")
            page.type_command("start")
            page.press("start.preview")
            page.see("article.card", "nothing has been sent yet")
            page.press("start.launch")
            page.see("article.card", "is open")
            page.type_command("spend")
            page.see("article.card", "Recoverable spend")
            page.type_command("status")
            page.see("article.card", "answered")
            yield page
    except NoBrowserError as error:
        without(error)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "touch"), [(1440, False), (320, True)], ids=["desk", "phone"])
def test_everything_can_be_read_named_and_reached(page: Page, dark: bool, width: int, touch: bool) -> None:
    page.size(width, 800, dark=dark, touch=touch)
    try:
        _look(page)
        page.size(1440, 800, dark=dark)
        page.become(page.reviewer_with_a_list() if page.visible("nav .person:has(.n)") else "Megan Bowen")
        page.see("article.card", "to check")
        page.size(width, 800, dark=dark, touch=touch)
        _look(page)
    finally:
        page.size(1440, 800)
        page.become("Allan Deyoung")


def test_a_list_is_answered_and_taken_back_with_the_keyboard_alone(page: Page) -> None:
    page.become(page.reviewer_with_a_list() if page.visible("nav .person:has(.n)") else "Megan Bowen")
    page.see("article.card", "to check")

    for verb, then in (("wave.revoke", "You revoked"), ("batch.undo", "Undone")):
        _tab_to(page, verb)
        assert _focus_is_visible(page)
        page.keys(Keys.ENTER)
        page.see("article.card", then)

    page.become("Allan Deyoung")


def _look(page: Page) -> None:
    page.chrome.execute_async_script("setTimeout(arguments[0], 900)")  # bars have grown and tints have faded
    seen = page.chrome.execute_script(_AUDIT)
    assert seen["texts"] > 20
    assert seen["controls"] > 5
    assert not seen["found"], "\n".join(seen["found"])


def _tab_to(page: Page, verb: str) -> None:
    """Press Tab until the focus is on the newest button with this verb, as a person without a mouse does."""
    page.see(f'[data-verb="{verb}"]')
    page.chrome.execute_script("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    for _ in range(300):
        page.keys(Keys.TAB)
        if page.chrome.execute_script("return document.activeElement.dataset.verb") == verb:
            return
    raise AssertionError(f"Tab never reaches {verb}")


def _focus_is_visible(page: Page) -> bool:
    return bool(
        page.chrome.execute_script(
            "const s = getComputedStyle(document.activeElement);"
            "return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== 'none'"
        )
    )
