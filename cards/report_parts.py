"""The parts that the pages of a report are made of: tables, links from a number to its rows, bars."""

from collections.abc import Callable, Iterable, Sequence

from cards import formats
from cards.markup import Html, element, text
from cards.phrases import name
from cards.reasons import OUTCOMES
from cards.report_style import style
from reclaim.domain.money import Total
from reclaim.domain.read_models import CampaignReport, ReportSeat
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice
from reclaim.domain.tasks import NEED_A_PERSON

_CSP = "default-src 'none'; style-src 'unsafe-inline'"
_PAGES = frozenset({"population", "left-out", "reviewers"})


class Sets:
    """Every set of seats that page 1 counts, by the name of its link: what it is, and its seats."""

    def __init__(self, report: CampaignReport) -> None:
        asked, silent = report.seats, report.chosen(None)
        ended = {
            f"end-{outcome.value}": (f"Ended: {OUTCOMES[outcome]}", report.ended(outcome))
            for outcome in Outcome
            if outcome is not Outcome.KEPT
        }
        self.by_ref: dict[str, tuple[str, Sequence[ReportSeat]]] = {
            "asked": ("Asked about", asked),
            "answered": ("Answered", [seat for seat in asked if seat.choice is not None]),
            "revoke": ("Answered: revoke", report.chosen(Choice.REVOKE)),
            "keep": ("Answered: keep", report.chosen(Choice.KEEP)),
            "not_sure": ("Answered: not sure", report.chosen(Choice.NOT_SURE)),
            "silence": ("No answer: put to removal by rule", [seat for seat in silent if seat.approved]),
            "unanswered": ("No answer: kept", [seat for seat in silent if not seat.approved]),
            "approved": ("To be removed", report.approved),
            "removed": ("Removed, verified, and not there again", report.gone),
            "by-us": ("Gone, taken by Reclaim", report.by_us),
            "by-hand": ("Gone, taken by hand", report.by_hand),
            "came-back": ("Removed, and there again since", report.came_back),
            "person": ("Need a person", report.ended(*NEED_A_PERSON)),
            "running": ("Not ended yet", report.ended(None)),
            **ended,
        }

    def rows(self) -> list[Html]:
        """Return one row per set: what it is, how many seats, what they cost a month, and which rows they are."""
        return [
            row(
                cell(text(label)),
                number_cell(text(formats.number(len(found)))),
                number_cell(text(formats.total_text(Total.of(s.item.snapshot.monthly for s in found)))),
                cell(_numbers(found)),
                id=f"set-{ref}",
            )
            for ref, (label, found) in self.by_ref.items()
        ]


def document(title: str, foot: str, body: Html) -> str:
    """Return a whole document: one file without scripts and with nothing from elsewhere.

    Args:
        title: Foreign text, as is `foot`, which stands on every printed page.
    """
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head>',
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", **{"http-equiv": "Content-Security-Policy", "content": _CSP}),
            element("title", text(title)),
            f"<style>{style(foot)}</style></head><body>",
            body,
            "</body></html>\n",
        )
    )


def link(ref: str, shown: str, *, to: str | None = None) -> Html:
    """Return a text that leads to the rows it counts; `to` names another place."""
    target = to or (ref if ref in _PAGES else f"set-{ref}")
    return element("a", text(shown), href=f"#{target}")


def named(person: str) -> Html:
    """Return a person's name, cut, in its own direction."""
    return element("bdi", text(name(person)))


def row(*cells: Html, id: str | None = None) -> Html:
    """Return a table row."""
    return element("tr", *cells, id=id)


def cell(*content: Html) -> Html:
    """Return a cell of text."""
    return element("td", *content)


def number_cell(*content: Html) -> Html:
    """Return a cell of a number, at the right."""
    return element("td", *content, **{"class": "n"})


def head(*labels: str, numeric: Sequence[int] = ()) -> Html:
    """Return the head of a table; it stands on every page that the table runs over."""
    return element(
        "tr",
        *(
            element("th", text(label), scope="col", **{"class": "n" if at in numeric else None})
            for at, label in enumerate(labels)
        ),
    )


def table(
    header: Html,
    body: Iterable[Html],
    *,
    foot: Html | None = None,
    widths: Sequence[int] = (),
    small: bool = False,
) -> Html:
    """Return a table; `widths` are per cent of its columns."""
    parts = [element("colgroup", *(element("col", style=f"width:{width}%") for width in widths))] if widths else []
    parts += [element("thead", header), element("tbody", *body)]
    if foot is not None:
        parts.append(element("tfoot", foot))
    return element("div", element("table", *parts, **{"class": "small" if small else None}), **{"class": "scroll"})


def bar_rows(rows: Sequence[tuple[str, int, str, str]]) -> Html:
    """Return bars of (label, number, link, class), as long as their numbers; the number stands beside each."""
    longest = max((number for _, number, _, _ in rows), default=0) or 1
    body = [
        row(
            element("th", text(label), scope="row"),
            cell(
                element(
                    "div",
                    element("i", style=f"width:{number * 100 / longest:.1f}%", **{"class": kind or None}),
                    **{"class": "track", "aria-hidden": "true"},
                )
            ),
            number_cell(link(ref, formats.number(number))),
        )
        for label, number, ref, kind in rows
    ]
    return element("table", element("tbody", *body), **{"class": "bars"})


def groups_of(
    found: Iterable[ReportSeat], key: Callable[[ReportSeat], Outcome | None]
) -> dict[Outcome | None, list[ReportSeat]]:
    """Group seats, in the order in which the groups first appear."""
    groups: dict[Outcome | None, list[ReportSeat]] = {}
    for seat in found:
        groups.setdefault(key(seat), []).append(seat)
    return groups


def _numbers(found: Sequence[ReportSeat]) -> Html:
    """Return row numbers as links, neighbours as a range."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(seat.number for seat in found):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    if not ranges:
        return text("none")
    parts = [link("row", str(first) if first == last else f"{first}–{last}", to=f"s{first}") for first, last in ranges]
    return Html(", ".join(parts))
