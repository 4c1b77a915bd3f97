"""The report of a scan as one HTML file: made to be forwarded, so it names SKUs and sums, and people only if asked to."""

from collections.abc import Sequence

from cards import formats
from cards.markup import Html, element, text
from cards.phrases import name, sku
from cards.report_parts import cell, document, head, named, number_cell, row, table
from cards.savings import renews
from cards.usage import reports_read
from reclaim.domain.idle import NotIdleWhy, Rule
from reclaim.domain.money import Total
from reclaim.domain.read_models import ScanReport, SeatRow, SkuSpend

_MONTHS = 12
# What every seat came to, in the order in which it is told.
_JUDGED = {
    "idle": ("Idle", "No sign-in in the window, or the account is disabled."),
    NotIdleWhy.IN_USE.value: ("In use", "The account was used within the window."),
    NotIdleWhy.TOO_NEW.value: ("Too new", "The account or the seat is younger than the window."),
    NotIdleWhy.UNKNOWN.value: ("Unknown", "Microsoft gives no sign-in data for the account. Unknown is never idle."),
    NotIdleWhy.ERROR_STATE.value: ("Error", "Microsoft could not give the license, so that none is held."),
    NotIdleWhy.GONE.value: ("Gone", "The person or the seat is gone."),
}
_RULES = {
    Rule.DISABLED: "Account disabled",
    Rule.NEVER_SEEN: "Never signed in",
    Rule.IDLE: "No sign-in",
    Rule.UNUSED: "No use reported",
}
_NO_SIGN_INS = {
    "no_premium": "This tenant gives no sign-in data: it needs Entra ID P1. Only disabled accounts were judged.",
    "no_permission": "Reclaim may not read sign-in data (AuditLog.Read.All). Only disabled accounts were judged.",
}


def render(report: ScanReport) -> str:
    """Return the report as one HTML document: no script, nothing from elsewhere, every text escaped."""
    title = "License scan"
    body = element(
        "main",
        element(
            "section",
            _top(report),
            _warning(report),
            _answer(report),
            _figures(report),
            _waste(report.spend.rows, report),
            _unassigned(report.spend.rows),
            _judged(report),
            _renewals(report),
            _how(report),
        ),
        *([_people(report.rows)] if report.rows is not None else []),
    )
    return document(title, f"{title} · {_read_on(report)}", body)


def summary(report: ScanReport) -> str:
    """Return the outcome in one sentence, for the terminal."""
    spend = report.spend
    if not spend.idle:
        return f"No seat is idle among {formats.count(spend.held, 'seat')}."
    worth = formats.monthly(spend.total, whole=True)
    return f"{formats.count(spend.idle, 'idle seat')} of {formats.number(spend.held)}: {worth}."


def _read_on(report: ScanReport) -> str:
    return f"read on {formats.moment(report.read_to, report.zone, offset=True)}"


def _top(report: ScanReport) -> Html:
    edition = "with names" if report.rows is not None else "without names"
    left = element(
        "div",
        element("p", text(f"License scan · {edition}"), **{"class": "muted"}),
        element("h1", text("What unused licenses cost")),
        element(
            "p",
            text(
                f"{formats.count(report.people, 'person', 'people')}, {formats.count(report.seats, 'seat')}. "
                f"Idle: no sign-in for {report.spend.days} days, or a disabled account."
            ),
            **{"class": "muted"},
        ),
    )
    right = element(
        "div",
        element("p", element("b", text("Nothing was changed"))),
        element("p", text(f"Read {formats.moment(report.read_to, report.zone, offset=True)}")),
        **{"class": "state"},
    )
    return element("header", left, right, **{"class": "top"})


def _warning(report: ScanReport) -> Html:
    words = [
        _NO_SIGN_INS.get(report.sign_ins, ""),
        *(f"Usage reports: {one.value}" for one in reports_read(report.usage)),
    ]
    return Html("".join(element("p", text(one), **{"class": "strip"}) for one in words if one))


def _answer(report: ScanReport) -> Html:
    spend = report.spend
    if not spend.idle:
        return element("p", text("No seat that could be judged is idle."), **{"class": "answer"})
    seats = formats.count(spend.idle, "seat")
    verb = "is" if spend.idle == 1 else "are"
    parts = [text(f"{seats} of {formats.number(spend.held)} {verb} idle. ")]
    if spend.total.amounts:
        yearly = formats.amounts(Total(amounts=tuple(one.times(_MONTHS) for one in spend.total.amounts)), whole=True)
        cost = formats.monthly(Total(amounts=spend.total.amounts), whole=True)
        unpriced = spend.total.unpriced
        without = (
            f"; {formats.number(unpriced)} of them {'has' if unpriced == 1 else 'have'} no price" if unpriced else ""
        )
        parts += [text("They cost "), element("strong", text(f"{cost}, {yearly} a year")), text(f"{without}.")]
    else:
        parts.append(text("None of their SKUs has a price yet, so that no sum can be told."))
    return element("p", *parts, **{"class": "answer"})


def _figures(report: ScanReport) -> Html:
    spend = report.spend
    unassigned = sum(max(0, one.unassigned) for one in spend.rows)
    shown = (
        (formats.number(spend.held), "seats held"),
        (formats.number(spend.idle), "idle"),
        (formats.number(unassigned), "bought, held by nobody"),
        (formats.number(spend.unknown), "use unknown, not counted"),
    )
    return element(
        "div",
        *(element("div", element("b", text(figure)), element("span", text(label))) for figure, label in shown),
        **{"class": "figures"},
    )


def _waste(rows: Sequence[SkuSpend], report: ScanReport) -> Html:
    idle = [one for one in rows if one.idle]
    if not idle:
        return Html("")
    body = [
        row(
            cell(text(sku(one.name)), element("span", text(one.part_number), **{"class": "sub"})),
            number_cell(text(formats.number(one.held))),
            number_cell(text(formats.number(one.idle))),
            number_cell(text(formats.percent(one.idle, one.held) if one.held else "")),
            number_cell(text(formats.price(one.each))),
            number_cell(text(formats.money(one.recoverable) if one.recoverable else "no price")),
        )
        for one in idle
    ]
    foot = row(
        cell(text("Together")),
        number_cell(text(formats.number(sum(one.held for one in idle)))),
        number_cell(text(formats.number(report.spend.idle))),
        number_cell(),
        number_cell(),
        number_cell(text(formats.total_text(report.spend.total))),
    )
    header = head("SKU", "Held", "Idle", "Share", "Each a month", "Idle cost a month", numeric=(1, 2, 3, 4, 5))
    return _part("Idle seats by SKU", table(header, body, foot=foot, widths=(38, 10, 10, 10, 14, 18)))


def _unassigned(rows: Sequence[SkuSpend]) -> Html:
    free = sorted((one for one in rows if one.unassigned > 0), key=lambda one: (-one.unassigned, one.name))
    if not free:
        return Html("")
    body = [
        row(
            cell(text(sku(one.name))),
            number_cell(text(formats.number(one.purchased))),
            number_cell(text(formats.number(one.unassigned))),
            number_cell(text(formats.money(one.each.times(one.unassigned)) if one.each else "no price")),
        )
        for one in free
    ]
    header = head("SKU", "Bought", "Held by nobody", "Cost a month", numeric=(1, 2, 3))
    lead = "These seats need nobody's answer: the order can be made smaller at its renewal."
    return _part("Bought, held by nobody", table(header, body, widths=(52, 14, 16, 18)), lead=lead)


def _judged(report: ScanReport) -> Html:
    found = dict(report.verdicts)
    body = [
        row(cell(text(label)), number_cell(text(formats.number(found[verdict]))), cell(text(why)))
        for verdict, (label, why) in _JUDGED.items()
        if found.get(verdict)
    ]
    foot = row(cell(text("Every seat")), number_cell(text(formats.number(sum(found.values())))), cell())
    header = head("Judged as", "Seats", "Why", numeric=(1,))
    return _part("What every seat came to", table(header, body, foot=foot, widths=(18, 14, 68)))


def _renewals(report: ScanReport) -> Html:
    by_product = {one.product_id: one for one in report.spend.rows}
    body = [
        row(
            cell(text(sku(one.name))),
            cell(text(renews(one))),
            number_cell(text(formats.number(one.purchased))),
            number_cell(text(formats.number(_idle_of(by_product.get(one.product_id))))),
            number_cell(text(formats.number(max(0, one.unassigned)))),
        )
        for one in report.spend.renewals
    ]
    if not body:
        lead = "No renewal day is known. A price list with the column renews_on gives it."
        return _part("Renewals", lead=lead)
    header = head("Contract", "Renews", "Bought", "Idle", "Held by nobody", numeric=(2, 3, 4))
    lead = "Money is saved when a contract renews with fewer seats. Idle seats must be freed before that day."
    return _part("Renewals", table(header, body, widths=(40, 22, 12, 12, 14)), lead=lead)


def _idle_of(one: SkuSpend | None) -> int:
    """Return the idle seats of a product; none where people hold none of it."""
    return one.idle if one is not None else 0


def _how(report: ScanReport) -> Html:
    began = formats.moment(report.read_from, report.zone)
    return _part(
        "How this was made",
        lead=(
            f"{formats.count(report.requests, 'request')} to Microsoft Graph from {began} on, all of them reading: "
            "User.Read.All, AuditLog.Read.All, LicenseAssignment.Read.All. Nothing was written, nobody was asked, and the "
            "data was deleted at the end. A sign-in shows that an account is used, not which of its licenses: a seat of "
            "somebody who signs in is counted as in use. Who holds these seats is asked before any is removed."
        ),
    )


def _people(rows: Sequence[SeatRow]) -> Html:
    body = [
        row(
            cell(named(one.person_name), element("span", text(name(one.department or "")), **{"class": "sub"})),
            cell(text(sku(one.sku_name))),
            cell(text(_RULES[one.rule])),
            cell(text(formats.day(one.last_seen_at.date()) if one.last_seen_at else "never seen")),
            number_cell(text(formats.price(one.monthly))),
        )
        for one in rows
    ]
    header = head("Person", "SKU", "Why", "Last sign-in", "A month", numeric=(4,))
    return element(
        "section",
        element("h2", text("Every idle seat")),
        table(header, body, widths=(30, 28, 18, 13, 11), small=True),
        id="population",
    )


def _part(title: str, *content: Html, lead: str | None = None) -> Html:
    return element(
        "div",
        element("h2", text(title)),
        *([element("p", text(lead))] if lead else []),
        *content,
        **{"class": "box"},
    )
