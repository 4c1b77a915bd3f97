"""A campaign's report as one HTML file: page 1 answers, the pages behind it hold every row that it counts."""

from collections.abc import Sequence
from datetime import datetime

from cards import consent_report, formats, scan
from cards.campaign import STATES
from cards.markup import Html, element, text
from cards.phrases import name, sentence_case, sku, title
from cards.reasons import OUTCOMES, how_it_ended
from cards.report_parts import (
    Sets,
    answers_table,
    bar_rows,
    cell,
    check_box,
    document,
    figures,
    head,
    link,
    named,
    number_cell,
    row,
    table,
)
from cards.report_sections import money, population, reviewers, seats, timeline
from cards.tasks import need_a_person
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import CampaignState, WriteMode
from reclaim.domain.consent_report import ConsentReport
from reclaim.domain.money import Total
from reclaim.domain.read_models import CampaignReport, ReportSeat, ScanReport
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.review import Choice
from reclaim.domain.tasks import NEED_A_PERSON

_ATTENTION = 5  # rows on page 1
_FOOT_NAME = 40


class HtmlDocuments:
    """Implements `reclaim.ports.documents.Documents`."""

    def render(self, report: CampaignReport) -> bytes:
        """Return the report as one file in UTF-8: no script, nothing from elsewhere, every text escaped."""
        return render(report).encode()

    def render_consent(self, report: ConsentReport) -> bytes:
        """Return the report of a consent program, in the same way."""
        return consent_report.render(report).encode()

    def render_scan(self, report: ScanReport) -> bytes:
        """Return the report of a scan, in the same way."""
        return scan.render(report).encode()


def render(report: CampaignReport) -> str:
    """Return the report as one HTML document."""
    shown = title(report.campaign.name)
    offset = formats.moment(report.written_at, report.campaign.zone, offset=True).rpartition(" ")[2]
    foot = f"{title(formats.cut(report.campaign.name, _FOOT_NAME))} · times in {offset} · {_prices_of(report)}"
    sets = Sets(report)
    body = element(
        "main",
        _page_one(report),
        population(report),
        reviewers(report),
        seats(report, sets),
        money(report),
        timeline(report),
    )
    return document(f"{shown}: audit report", foot, body)


def _prices_of(report: CampaignReport) -> str:
    at = report.campaign.opened_at
    return f"prices as they stood on {_day(report, at)}" if at else "prices not fixed yet"


def _page_one(report: CampaignReport) -> Html:
    return element(
        "section",
        _top(report),
        *_warnings(report),
        _answer(report),
        _figures(report),
        _from_idle(report),
        element("div", _decisions(report), _outcomes(report), **{"class": "two"}),
        _attention(report),
        check_box(report.log, "/reclaim export"),
    )


def _top(report: CampaignReport) -> Html:
    campaign = report.campaign
    person = len(report.ended(*NEED_A_PERSON))
    needs = f", {need_a_person(person)}" if person and campaign.state is CampaignState.CLOSED else ""
    edition = " · without names" if report.pseudonymous else ""
    left = element(
        "div",
        element("p", text(f"Audit report{edition}"), **{"class": "muted"}),
        element("h1", element("bdi", text(campaign.name, formats.NAME_MAX))),
        element("p", text(f"{_period(report)} · owner "), named(report.owner_name), **{"class": "muted"}),
    )
    written = formats.moment(report.written_at, campaign.zone, offset=True)
    state = element("p", element("b", text(STATES[campaign.state])), text(needs))
    right = element(
        "div",
        state,
        element("p", text(f"Written {written}")),
        element("p", text("Campaign "), element("code", text(campaign.id))),
        **{"class": "state"},
    )
    return element("header", left, right, **{"class": "top"})


def _period(report: CampaignReport) -> str:
    campaign = report.campaign
    if campaign.opened_at is None:
        return "not opened"
    end = campaign.closing_at or campaign.closes_at
    word = "open" if campaign.closing_at else "open since"
    until = f"to {_day(report, end)}" if campaign.closing_at else f"· closes {_day(report, end)}"
    return f"{word} {_day(report, campaign.opened_at)} {until}"


def _warnings(report: CampaignReport) -> list[Html]:
    said = []
    if report.campaign.mode is WriteMode.DRY_RUN:
        said.append("Dry run: people were asked, nothing was removed.")
    if report.pseudonymous:
        said.append("Edition without names: people and groups are shown by their ids; notes are left out.")
    if report.abandoned_by_name is not None:
        said.append(f"{name(report.abandoned_by_name)} closed it with seats left to remove.")
    return [element("p", text(one), **{"class": "strip"}) for one in said]


def _answer(report: CampaignReport) -> Html:
    """Return the one sentence that says what came of it."""
    asked, approved, gone = report.seats, report.approved, report.gone
    revoked, silent = report.chosen(Choice.REVOKE), [seat for seat in approved if seat.choice is None]
    people = formats.count(len(report.reviewers), "person", "people")
    were = "was" if len(report.reviewers) == 1 else "were"
    parts = [
        link("asked", f"{people}", to="reviewers"),
        text(f" {were} asked about "),
        link("asked", formats.count(len(asked), "unused seat")),
        text(". "),
    ]
    if asked:
        parts += [text("They revoked "), link("revoke", formats.number(len(revoked))), text(". ")]
    if silent:
        parts += [link("silence", formats.number(len(silent))), text(" more went by the rule for silence. ")]
    if gone:
        verb = "is" if len(gone) == 1 else "are"
        total = _total(gone)
        words = f" {verb} verified gone: "
        parts.append(
            element(
                "strong",
                link("removed", formats.count(len(gone), "seat")),
                text(words),
                link("removed", formats.monthly(total, whole=True)),
                text("."),
            )
        )
        parts.append(text(" "))
        if by_hand := report.by_hand:
            parts += [link("by-us", formats.number(len(report.by_us))), text(" by Reclaim, ")]
            parts += [link("by-hand", formats.number(len(by_hand))), text(" by hand. ")]
    else:
        parts += [element("strong", link("removed", "0 seats"), text(" are verified gone.")), text(" ")]
    if back := report.came_back:
        parts += [link("came-back", formats.number(len(back))), text(" came back since. ")]
    person = report.ended(*NEED_A_PERSON)
    if person:
        verb = "still needs" if len(person) == 1 else "still need"
        parts += [link("person", formats.number(len(person))), text(f" {verb} a person.")]
    running = report.ended(None)
    if running and report.campaign.closing_at:
        verb = "is" if len(running) == 1 else "are"
        parts += [link("running", formats.number(len(running))), text(f" {verb} still running.")]
    return element("p", *parts, **{"class": "answer"})


def _figures(report: CampaignReport) -> Html:
    asked = len(report.seats)
    answered = asked - len(report.chosen(None))
    gone = report.gone
    total = _total(gone)
    share = f", {formats.percent(answered, asked)}" if asked else ""
    amount = formats.amounts(total, whole=True) or ("No price" if gone else "0")
    unpriced = f" + {formats.number(total.unpriced)} unpriced" if total.unpriced and total.amounts else ""
    boxes = (
        ("asked", formats.number(asked), "seats asked about"),
        ("answered", formats.number(answered), f"answered{share}"),
        ("removed", formats.number(len(gone)), "verified gone"),
        ("removed", amount, f"a month, verified{unpriced}"),
    )
    return figures(boxes)


def _from_idle(report: CampaignReport) -> Html:
    left = sum(one.seats for one in report.left_out)
    rows = (
        ("Idle seats found", report.idle, "population", ""),
        ("Left out, with reason", left, "left-out", "left"),
        ("Put to a reviewer", len(report.seats), "asked", ""),
        ("Decided: revoke", len(report.chosen(Choice.REVOKE)), "revoke", ""),
        ("Verified gone", len(report.gone), "removed", ""),
    )
    return element(
        "div", element("h2", text("1 From idle seats to reclaimed seats")), bar_rows(rows), **{"class": "box"}
    )


def _decisions(report: CampaignReport) -> Html:
    silent = report.chosen(None)
    put = [seat for seat in silent if seat.approved]
    rows = [
        ("revoke", "Revoke", len(report.chosen(Choice.REVOKE))),
        ("keep", "Keep", len(report.chosen(Choice.KEEP))),
        ("not_sure", "Not sure: kept by rule", len(report.chosen(Choice.NOT_SURE))),
        ("silence", "Not reviewed: put to removal by rule", len(put)),
        ("unanswered", _not_reviewed(report), len(silent) - len(put)),
    ]
    shown = [one for one in rows if one[2] or one[0] in ("revoke", "keep")]
    return element(
        "div",
        element("h2", text("2 What people decided")),
        answers_table("Decision", "Seats", shown, len(report.seats)),
    )


def _not_reviewed(report: CampaignReport) -> str:
    return "Not reviewed: kept by rule" if report.campaign.closing_at else "Not answered yet"


def _outcomes(report: CampaignReport) -> Html:
    approved = report.approved
    body = []
    for outcome in (*VERIFIED_GONE, *(one for one in Outcome if one not in VERIFIED_GONE)):
        found = report.ended(outcome)
        if found:
            label = _OUTCOME_WORDS.get(outcome, sentence_case(OUTCOMES[outcome]))
            body.append(row(cell(text(label)), number_cell(link(f"end-{outcome.value}", formats.number(len(found))))))
    if back := report.came_back:
        label = "of these, there again since"
        body.insert(
            sum(bool(report.ended(one)) for one in VERIFIED_GONE),
            row(cell(text(label)), number_cell(link("came-back", formats.number(len(back))))),
        )
    running = report.ended(None)
    if running:
        label = "Still running" if report.campaign.closing_at else "Waits for the close"
        body.append(row(cell(text(label)), number_cell(link("running", formats.number(len(running))))))
    if not body:
        body = [row(cell(text("Nothing was approved")), number_cell(link("approved", "0")))]
    foot = row(cell(text("To be removed")), number_cell(link("approved", formats.number(len(approved)))))
    return element(
        "div",
        element("h2", text("3 What became of the "), link("approved", formats.number(len(approved)))),
        table(head("Outcome", "Seats", numeric=(1,)), body, foot=foot),
    )


_OUTCOME_WORDS = {
    Outcome.REMOVED: "Removed and verified",
    Outcome.MANUAL_DONE: "Taken by hand and verified",
    Outcome.ACTIVE_AGAIN: "Active again, not removed",
    Outcome.NOT_SUPPORTED: "To do by hand",
    Outcome.FAILED: "Failed",
}


def _attention(report: CampaignReport) -> Html:
    found = report.ended(*NEED_A_PERSON)
    title_html = element("h2", text("4 Needs attention: "), link("person", formats.count(len(found), "seat")))
    if not found:
        return element("div", title_html, element("p", text("Nothing needs a person.")), **{"class": "box"})
    body = [_attention_row(report, seat) for seat in found[:_ATTENTION]]
    more = len(found) - _ATTENTION
    rest = [element("p", link("person", f"{formats.number(more)} more"), text(" in section 7."))] if more > 0 else []
    return element(
        "div",
        title_html,
        table(head("Seat", "What is open", "With"), body, widths=(27, 52, 21)),
        *rest,
    )


def _attention_row(report: CampaignReport, seat: ReportSeat) -> Html:
    item = seat.item
    return row(
        cell(
            link(f"s{seat.number}", name(item.snapshot.person_name), to=f"s{seat.number}"),
            element("span", text(sku(item.snapshot.sku_name)), **{"class": "sub"}),
        ),
        cell(text(how_it_ended(item))),
        cell(named(report.owner_name)),
    )


def _total(found: Sequence[ReportSeat]) -> Total:
    return Total.of(seat.item.snapshot.monthly for seat in found)


def _day(report: CampaignReport, at: datetime) -> str:
    return formats.day(local_day(at, report.campaign.zone))
