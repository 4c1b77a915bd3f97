"""A consent program's report as one HTML file: page 1 answers, the pages behind it hold every row that it counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cards import formats
from cards.consent import STANDINGS, STILL_USED
from cards.consent_report_sections import changes, program, requests, runs, stands, timeline
from cards.markup import Html, element, text
from cards.phrases import name, sku, title
from cards.report_parts import (
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
from cards.tasks import need_a_person
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import StillUsed
from reclaim.domain.consent_funnel import Answer, Stage, Standing, cost
from reclaim.domain.consent_program import ProgramState
from reclaim.domain.consent_report import ConsentReport, ReportRequest
from reclaim.domain.money import Total

_ATTENTION: Final = 5  # rows on page 1
_FOOT_NAME: Final = 40
_STATES: Final = {ProgramState.ACTIVE: "Active", ProgramState.PAUSED: "Paused", ProgramState.ENDED: "Ended"}
_ANSWERS: Final = {
    Answer.AGREED: "Gave it up",
    Answer.KEPT: "Keep it",
    Answer.SILENT: "No answer in time",
    Answer.OPEN: "Can still answer",
    Answer.OVERTAKEN: "Closed before an answer",
}


class Sets:
    """Every set of requests that page 1 counts, by the name of its link: what it is, and its requests."""

    def __init__(self, report: ConsentReport) -> None:
        every: dict[str, tuple[str, Sequence[ReportRequest]]] = {
            "found": ("No use seen", report.requests),
            "left": ("Not asked, nothing taken", report.stage(*_NOT_ASKED)),
            "asked": ("Asked", report.stage(Stage.ASKED)),
            "taken": ("Taken without asking, as the program says", report.stage(Stage.ENFORCED)),
            "approved": ("To be removed", report.approved),
            **{f"said-{one.value}": (f"Asked: {_ANSWERS[one].lower()}", report.answer(one)) for one in Answer},
            **{f"stands-{one.value}": (f"Now: {STANDINGS[one].lower()}", report.standing(one)) for one in Standing},
            **{
                f"gone-{one.value}": (
                    f"To be removed: {STANDINGS[one].lower()}",
                    [each for each in report.approved if each.place.standing is one],
                )
                for one in Standing
            },
            **{
                f"why-{one.value}": (
                    f"Reason: {STILL_USED[one].lower()}",
                    [each for each in report.requests if each.request.reason is one],
                )
                for one in StillUsed
            },
        }
        self.by_ref = {ref: found for ref, found in every.items() if found[1] or ref in _LINKED_EMPTY}


# Page 1 names these also where there are none.
_LINKED_EMPTY: Final = frozenset(
    {
        "found",
        "left",
        "asked",
        "approved",
        f"said-{Answer.AGREED.value}",
        f"stands-{Standing.REMOVED.value}",
        f"stands-{Standing.BY_HAND.value}",
    }
)
_NOT_ASKED: Final = (Stage.NOT_A_MEMBER, Stage.EXCLUDED, Stage.WAITING, Stage.NOT_ASKABLE)


def render(report: ConsentReport) -> str:
    """Return the report as one HTML document."""
    terms = report.program.terms
    offset = formats.moment(report.written_at, terms.zone, offset=True).rpartition(" ")[2]
    foot = f"{title(formats.cut(terms.name, _FOOT_NAME))} · times in {offset} · prices of {_day(report)}"
    body = element(
        "main",
        _page_one(report),
        runs(report),
        program(report),
        requests(report, Sets(report).by_ref),
        changes(report),
        timeline(report),
    )
    return document(f"{title(terms.name)}: audit report", foot, body)


def _page_one(report: ConsentReport) -> Html:
    return element(
        "section",
        _top(report),
        *_warnings(report),
        _answer(report),
        _figures(report),
        _from_no_use(report),
        element(
            "div",
            element("div", _said(report), _became(report)),
            element("div", _stand(report), _reasons(report)),
            **{"class": "two tight"},
        ),
        _attention(report),
        check_box(report.log, "/reclaim consent export"),
    )


def _top(report: ConsentReport) -> Html:
    terms = report.program.terms
    person = len(report.standing(Standing.BY_HAND))
    needs = f", {need_a_person(person)}" if person else ""
    edition = " · without names" if report.pseudonymous else ""
    since = formats.day(local_day(report.program.created_at, terms.zone))
    left = element(
        "div",
        element("p", text(f"Audit report of a consent program{edition}"), **{"class": "muted"}),
        element("h1", element("bdi", text(terms.name, formats.NAME_MAX))),
        element("p", text(f"{sku(terms.application)} · since {since} · owner "), named(report.owner_name), **_MUTED),
    )
    right = element(
        "div",
        element("p", element("b", text(_STATES[report.program.state])), text(needs)),
        element("p", text(f"Written {formats.moment(report.written_at, terms.zone, offset=True)}")),
        element("p", text("Program "), element("code", text(report.program.id))),
        **{"class": "state"},
    )
    return element("header", left, right, **{"class": "top"})


_MUTED: Final = {"class": "muted"}


def _warnings(report: ConsentReport) -> list[Html]:
    said = []
    if report.only_run is not None:
        run = report.runs[0].run
        on = formats.moment(run.started_at, report.program.terms.zone)
        said.append(f"One run only: run {report.only_run} of {on}, and what became of whom it found.")
    if report.runs and all(one.run.mode is WriteMode.DRY_RUN for one in report.runs):
        said.append("Dry run: people were asked, nothing was removed.")
    if report.pseudonymous:
        said.append(
            "Edition without names: people are shown by their ids; devices, notes and their words are left out."
        )
    return [element("p", text(one), **{"class": "strip"}) for one in said]


def _answer(report: ConsentReport) -> Html:
    """Return the few sentences that say what came of it."""
    app = sku(report.program.terms.application)
    found, asked = report.requests, report.stage(Stage.ASKED)
    show = "shows" if len(found) == 1 else "show"
    parts = [
        link("found", formats.count(len(found), "person", "people")),
        text(f" {show} no use of {app}. "),
    ]
    if asked:
        were = "was" if len(asked) == 1 else "were"
        agreed = report.answer(Answer.AGREED)
        parts += [link("asked", formats.number(len(asked))), text(f" {were} asked, ")]
        parts += [link(f"said-{Answer.AGREED.value}", formats.number(len(agreed))), text(" gave it up. ")]
    if enforced := report.stage(Stage.ENFORCED):
        verb = "was" if len(enforced) == 1 else "were"
        parts += [link("taken", formats.number(len(enforced))), text(f" {verb} taken without asking. ")]
    gone = report.removed
    verb = "is" if len(gone) == 1 else "are"
    removed = f"stands-{Standing.REMOVED.value}"
    if gone:
        sums = text(f" {verb} verified gone: "), link(removed, formats.monthly(_cost(report, gone), whole=True))
        parts.append(element("strong", link(removed, formats.count(len(gone), "seat")), *sums, text(".")))
    else:
        parts.append(element("strong", link(removed, "0 seats"), text(" are verified gone.")))
    if back := report.standing(Standing.RESTORED):
        came = f" {'was' if len(back) == 1 else 'were'} given back."
        parts += [text(" "), link(f"stands-{Standing.RESTORED.value}", formats.number(len(back))), text(came)]
    if person := report.standing(Standing.BY_HAND):
        verb = "still needs" if len(person) == 1 else "still need"
        parts += [text(" "), link(f"stands-{Standing.BY_HAND.value}", formats.number(len(person)))]
        parts.append(text(f" {verb} a person."))
    return element("p", *parts, **{"class": "answer"})


def _figures(report: ConsentReport) -> Html:
    gone = report.removed
    total = _cost(report, gone)
    amount = formats.amounts(total, whole=True) or ("No price" if gone else "0")
    removed = f"stands-{Standing.REMOVED.value}"
    return figures(
        (
            ("found", formats.number(len(report.requests)), "without use"),
            ("asked", formats.number(len(report.stage(Stage.ASKED))), "asked"),
            (removed, formats.number(len(gone)), "verified gone"),
            (removed, amount, "a month, verified"),
        )
    )


def _from_no_use(report: ConsentReport) -> Html:
    enforced = report.stage(Stage.ENFORCED)
    rows = [
        ("No use seen", len(report.requests), "found", ""),
        ("Not asked, with reason", len(report.stage(*_NOT_ASKED)), "left", "left"),
        ("Asked", len(report.stage(Stage.ASKED)), "asked", ""),
        *([("Taken without asking", len(enforced), "taken", "")] if enforced else []),
        ("To be removed", len(report.approved), "approved", ""),
        ("Verified gone", len(report.removed), f"stands-{Standing.REMOVED.value}", ""),
    ]
    return element("div", element("h2", text("1 From no use to free seats")), bar_rows(rows), **{"class": "box"})


def _said(report: ConsentReport) -> Html:
    rows = [(f"said-{one.value}", _ANSWERS[one], len(report.answer(one))) for one in Answer]
    shown = [one for one in rows if one[2]]
    return element(
        "div",
        element("h2", text("2 What people said")),
        answers_table("Answer", "People", shown, len(report.stage(Stage.ASKED))),
    )


def _became(report: ConsentReport) -> Html:
    return element(
        "div",
        element("h2", text("3 What became of the "), link("approved", formats.number(len(report.approved)))),
        _counts("Outcome", report.approved, "gone", "approved", "To be removed"),
    )


def _stand(report: ConsentReport) -> Html:
    return element(
        "div",
        element("h2", text("4 Where everybody stands")),
        _counts("Now", report.requests, "stands", "found", "No use seen"),
    )


def _counts(label: str, found: Sequence[ReportRequest], prefix: str, whole: str, total: str) -> Html:
    """Return where some requests stand; the rows add up to the last one."""
    body = []
    for one in Standing:
        if number := sum(each.place.standing is one for each in found):
            ref = f"{prefix}-{one.value}"
            body.append(row(cell(text(STANDINGS[one])), number_cell(link(ref, formats.number(number)))))
    foot = row(cell(text(total)), number_cell(link(whole, formats.number(len(found)))))
    return table(head(label, "People", numeric=(1,)), body, foot=foot)


def _reasons(report: ConsentReport) -> Html:
    counts = [(one, sum(each.request.reason is one for each in report.requests)) for one in StillUsed]
    body = [
        row(cell(text(STILL_USED[one])), number_cell(link(f"why-{one.value}", formats.number(number))))
        for one, number in counts
        if number
    ]
    shown = table(head("Reason", "People", numeric=(1,)), body) if body else element("p", text("None given."))
    return element("div", element("h2", text("5 Reasons to keep it")), shown)


def _attention(report: ConsentReport) -> Html:
    found = report.standing(Standing.BY_HAND)
    ref = f"stands-{Standing.BY_HAND.value}"
    heading = element("h2", text("6 Needs attention: "), link(ref, formats.count(len(found), "person", "people")))
    if not found:
        return element("div", heading, element("p", text("Nothing needs a person.")), **{"class": "box"})
    body = [
        row(
            cell(link(ref, name(one.person_name), to=f"s{one.number}")),
            cell(text(stands(one))),
            cell(named(report.owner_name)),
        )
        for one in found[:_ATTENTION]
    ]
    more = len(found) - _ATTENTION
    rest = [element("p", link(ref, f"{formats.number(more)} more"), text(" in section 9."))] if more > 0 else []
    return element("div", heading, table(head("Person", "What is open", "With"), body, widths=(27, 52, 21)), *rest)


def _cost(report: ConsentReport, found: Sequence[ReportRequest]) -> Total:
    return cost(len(found), report.funnel.seat)


def _day(report: ConsentReport) -> str:
    at: datetime = report.written_at
    return formats.day(local_day(at, report.program.terms.zone))
