"""The campaign report: whole, safe, and every number of page 1 the number of its rows."""

import os
import re
from pathlib import Path

import pytest

from cards.report import HtmlDocuments, render
from cards.report_style import css_text
from reclaim.domain.attestation import EventKind
from reclaim.domain.money import Total
from reclaim.domain.read_models import CampaignReport
from reclaim.domain.removal import Outcome
from reclaim.services.campaign_report import make_report
from tests.golden.report.reading import Node, read, rows_of
from tests.golden.report.sample import FEW, HOSTILE_REPORT, MARKUP, OPEN, PEOPLE, PSEUDONYMOUS, REPORT, hostile

HERE = Path(__file__).parent
NUMBER = re.compile(r"\d[\d,]*")
REPORTS = {"report": REPORT, "hostile": HOSTILE_REPORT, "pseudonymous": PSEUDONYMOUS, "open": make_report(OPEN)}
DOCUMENTS = {name: read(render(report)) for name, report in REPORTS.items()}


def page_one(document: Node) -> Node:
    return document.all("section")[0]


def test_the_report_is_drawn_as_its_golden_file_says() -> None:
    path = HERE / "report.html"
    drawn = render(FEW).replace("><", ">\n<")
    if os.environ.get("RECLAIM_UPDATE_GOLDEN") == "1":
        path.write_text(drawn, encoding="utf-8")

    assert drawn == path.read_text(encoding="utf-8")
    assert HtmlDocuments().render(FEW) == render(FEW).encode()


@pytest.mark.parametrize("name", REPORTS)
def test_it_is_one_file_without_scripts_and_with_nothing_from_elsewhere(name: str) -> None:
    document = DOCUMENTS[name]

    tags = {node.tag for node in document.walk()}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "object", "svg", "form", "base"})
    for node in document.walk():
        assert not any(key.startswith("on") or key == "src" for key in node.attributes)
        assert node.attributes.get("href", "#").startswith("#")
    (sheet,) = document.all("style")
    assert "url(" not in sheet.text
    assert "@import" not in sheet.text


@pytest.mark.parametrize("name", REPORTS)
def test_every_link_leads_to_a_place_that_is_there_once(name: str) -> None:
    document = DOCUMENTS[name]
    ids = [node.attributes["id"] for node in document.walk() if "id" in node.attributes]

    assert len(ids) == len(set(ids))
    assert {node.attributes["href"][1:] for node in document.all("a")} <= set(ids)


@pytest.mark.parametrize("name", REPORTS)
def test_every_number_of_page_1_is_the_number_of_the_rows_it_leads_to(name: str) -> None:
    document, report = DOCUMENTS[name], REPORTS[name]
    checked = 0
    for link in page_one(document).all("a"):
        target = link.attributes["href"][1:]
        if not target.startswith("set-") or not NUMBER.fullmatch(link.text.split(" ")[0]):
            continue
        if "more" in link.text:
            continue
        rows = rows_of(document, target.removeprefix("set-"))
        assert len(rows) == int(link.text.split(" ")[0].replace(",", "")), link.text
        assert all(document.by_id(f"s{row}").tag == "tr" for row in rows)
        checked += 1
    assert checked >= 10
    assert len(report.seats) == len(rows_of(document, "asked"))


@pytest.mark.parametrize("name", ["report", "pseudonymous"])
def test_the_sum_of_page_1_is_the_sum_of_the_rows_it_leads_to(name: str) -> None:
    document = DOCUMENTS[name]
    cents = unpriced = 0
    for number in rows_of(document, "removed"):
        cells = [child for child in document.by_id(f"s{number}").children if isinstance(child, Node)]
        if cells[-1].text == "No price":
            unpriced += 1
        else:
            cents += round(float(cells[-1].text.removeprefix("$").replace(",", "")) * 100)

    figure = next(a for a in page_one(document).all("b") if a.text.startswith("$"))
    assert figure.text == f"${cents // 100:,}"
    assert f"+ {unpriced} unpriced" in page_one(document).text
    assert REPORT.gone
    total = Total.of(seat.item.snapshot.monthly for seat in REPORT.gone)
    assert (total.amounts[0].minor, total.unpriced) == (cents, unpriced)


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_parts_add_up(report: CampaignReport) -> None:
    assert len(report.seats) + sum(one.seats for one in report.left_out) == report.idle
    assert sum(len(report.chosen(choice)) for choice in {seat.choice for seat in report.seats}) == len(report.seats)
    ends = {seat.item.outcome for seat in report.approved}
    assert sum(len(report.ended(outcome)) for outcome in ends) == len(report.approved)
    assert sum(one.seats for one in report.reviewers) == len(report.seats)


def test_seats_that_vanished_before_the_opening_are_counted_as_left_out() -> None:
    assert ("opening", 1) in {(one.reason, one.seats) for one in REPORT.left_out}
    assert "Changed between the start and the opening" in DOCUMENTS["report"].by_id("population").text


def test_shares_add_up_to_a_hundred() -> None:
    shares = [float(cell.text[:-2]) for cell in page_one(DOCUMENTS["report"]).all("td") if cell.text.endswith(" %")]

    assert shares[-1] == 100.0
    assert round(sum(shares[:-1]), 1) == 100.0


def test_hostile_text_is_shown_as_text_and_cut() -> None:
    drawn = render(HOSTILE_REPORT)

    assert "<script" not in drawn
    assert drawn.count("</style") == 1
    assert "\u202e" not in drawn
    assert "<script>alert(1)</script>" in DOCUMENTS["hostile"].text
    longest = max(len(cell.text) for cell in DOCUMENTS["hostile"].all("bdi"))
    assert longest <= 66  # 64 and two isolates
    assert DOCUMENTS["hostile"].all("title")[0].text.endswith(": audit report")


@pytest.mark.parametrize("words", ["x" * 10_000, "שלום " * 2_000, "", "\u202e\u2066\0", MARKUP])
def test_any_name_leaves_the_report_whole(words: str) -> None:
    document = read(render(make_report(hostile(words))))

    assert len(document.all("section")) == 6
    assert {node.tag for node in document.walk()} == {node.tag for node in DOCUMENTS["report"].walk()}


def test_the_foot_of_a_page_cannot_end_the_style_sheet() -> None:
    escaped = css_text('"; } </style> \\ é')

    assert set(escaped) <= set("0123456789abcdefghijklmnopqrstuvwxyz \\")
    assert "style" in escaped


def test_an_edition_without_names_says_so_and_holds_none() -> None:
    text = DOCUMENTS["pseudonymous"].text

    assert "Edition without names" in page_one(DOCUMENTS["pseudonymous"]).text
    names = {person.shown_name for person in PEOPLE.values()} | {s.item.snapshot.person_name for s in REPORT.seats}
    assert [name for name in names if name in text] == []
    assert "@contoso.com" not in text
    assert "audit in March" not in text
    assert "Copilot Marketing" not in text
    assert len(PSEUDONYMOUS.seats) == len(REPORT.seats)


def test_it_prints_on_a4_with_heads_that_repeat_and_rows_that_do_not_break() -> None:
    sheet = DOCUMENTS["report"].all("style")[0].text

    assert "size: A4; margin: 16mm" in sheet
    assert "thead { display: table-header-group; }" in sheet
    assert "tr, .box { break-inside: avoid; }" in sheet
    assert "print-color-adjust: exact" in sheet
    assert "color-scheme: light" in sheet
    assert 'counter(page) " of " counter(pages)' in sheet
    assert all(
        table.all("thead") or table.attributes.get("class") == "bars" for table in DOCUMENTS["report"].all("table")
    )


def test_an_open_campaign_claims_nothing() -> None:
    text = page_one(DOCUMENTS["open"]).text

    assert "0 seats are verified gone." in text
    assert "Not answered yet" in text
    assert "Waits for the close" in text
    assert {one.kind for one in REPORTS["open"].log.events} <= set(EventKind)


def test_a_seat_that_came_back_is_no_longer_counted_as_gone_and_says_through_what() -> None:
    document = DOCUMENTS["report"]
    back = REPORT.came_back

    assert [seat.came_back.restored for seat in back if seat.came_back] == [False, True]
    assert len(REPORT.gone) + len(back) == len(REPORT.ended(Outcome.REMOVED))
    assert "2 came back since." in page_one(document).text
    said = document.text
    assert "Given again through" in said
    assert "Copilot Marketing" in said
    assert "Came back, no longer a saving" in said
