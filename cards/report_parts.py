"""The parts that the pages of a report are made of: tables, links from a number to its rows, bars."""

from collections.abc import Callable, Iterable, Sequence

from cards import formats
from cards.markup import Html, element, text
from cards.phrases import name
from cards.reasons import OUTCOMES
from cards.report_style import style
from cards.trail import EVENTS
from reclaim.domain.money import Total
from reclaim.domain.read_models import CampaignReport, ReportLog, ReportSeat
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
            set_row(
                ref,
                label,
                [seat.number for seat in found],
                formats.total_text(Total.of(s.item.snapshot.monthly for s in found)),
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


def set_row(ref: str, label: str, numbers: Sequence[int], cost: str) -> Html:
    """Return the row of a set that page 1 counts: what it is, how many, what they cost a month, and which rows."""
    return row(
        cell(text(label)),
        count_cell(len(numbers)),
        number_cell(text(cost)),
        cell(_numbers(numbers)),
        id=f"set-{ref}",
    )


def sets_table(rows: Iterable[Html], what: str) -> Html:
    """Return the index of the sets of page 1; `what` is counted."""
    return table(head("What", what, "A month", "Rows", numeric=(1, 2)), rows, widths=(32, 9, 19, 40), small=True)


def page(ref: str, title: str, *content: Html) -> Html:
    """Return one of the pages behind page 1."""
    return element("section", element("h2", text(title)), *content, id=ref, **{"class": "page"})


def sub(shown: str) -> Html:
    """Return a second line of a cell; nothing of an empty one."""
    return element("span", text(shown), **{"class": "sub"}) if shown else Html("")


def count_cell(number: int) -> Html:
    """Return a cell of a plain number."""
    return number_cell(text(formats.number(number)))


def pairs(facts: Iterable[tuple[str, str]]) -> Html:
    """Return words with what they mean."""
    return element(
        "dl", *(part for term, said in facts for part in (element("dt", text(term)), element("dd", text(said))))
    )


def figures(boxes: Iterable[tuple[str, str, str]]) -> Html:
    """Return the figures of page 1, each (link, figure, what it counts)."""
    return element(
        "div",
        *(
            element(
                "div",
                element("b", link(ref, figure)),
                element("span", text(label)),
                **{"class": "long" if len(figure) > 9 else None},
            )
            for ref, figure, label in boxes
        ),
        **{"class": "figures"},
    )


def shares(counts: Sequence[int]) -> list[str]:
    """Return shares with one decimal that add up to 100.0 %: the largest remainders are rounded up."""
    whole = sum(counts)
    if not whole:
        return ["" for _ in counts]
    exact = [count * 1000 / whole for count in counts]
    floors = [int(one) for one in exact]
    order = sorted(range(len(counts)), key=lambda at: (floors[at] - exact[at], at))
    for at in order[: 1000 - sum(floors)]:
        floors[at] += 1
    return [f"{one // 10}.{one % 10} %" for one in floors]


def answers_table(kind: str, what: str, rows: Sequence[tuple[str, str, int]], asked: int) -> Html:
    """Return what people answered, with the share of each; the sum leads to all who were asked.

    Args:
        kind: What a row is: "Decision".
        what: What is counted: "Seats".
        rows: Ids of the section that lists them, labels and counts.
        asked: How many it is in all.
    """
    percents = shares([count for *_, count in rows])
    body = [
        row(cell(text(label)), number_cell(link(ref, formats.number(count))), number_cell(text(share)))
        for (ref, label, count), share in zip(rows, percents, strict=True)
    ]
    foot = row(
        cell(text("Asked")),
        number_cell(link("asked", formats.number(asked))),
        number_cell(text("100.0 %" if asked else "")),
    )
    return table(head(kind, what, "Share", numeric=(1, 2)), body, foot=foot)


def writes_table(rows: Sequence[Html], widths: Sequence[int]) -> Html:
    """Return every write to the tenant, one a row, in columns of these widths in percent; a sentence where there is none."""
    if not rows:
        return element("p", text("Nothing was written."))
    columns = head("No.", "What", "Before and after", "State", "Request")
    return table(columns, rows, widths=widths, small=True)


def check_box(log: ReportLog, command: str) -> Html:
    """Return how a reader checks the report: the digest of its events, and how to make it of the log.

    Args:
        command: Which command hands the log out.
    """
    of = next((file.name for file in log.files if file.name.endswith(".json")), "attestation-….json")
    jq = f"jq -j '.events[:{log.count}][].body' {of} | sha256sum"
    how = element(
        "div",
        element("h2", text("Check this report yourself")),
        element(
            "p",
            text(
                f"Every decision, message and removal is one of {formats.count(log.count, 'event')} in the attestation"
                f" log. This page repeats what the log says; it adds nothing. Take the log with {command} and"
                " compare the digest of its events:"
            ),
        ),
        element("code", text(jq)),
    )
    parts = [log.sha256[at : at + 16] for at in range(0, 64, 16)]
    lines = [f"{part[:4]} {part[4:8]} {part[8:12]} {part[12:]}" for part in parts]
    side = element(
        "div",
        element("p", text("SHA-256 of the events"), **{"class": "muted"}),
        *(element("code", text(line), Html("<br>")) for line in lines),
        **{"class": "digest"},
    )
    return element("div", how, side, **{"class": "check box"})


def key_events(log: ReportLog, zone: str) -> Html:
    """Return the timeline."""
    return table(
        head("Event", "When", "What", "By", numeric=(0,)),
        [
            row(
                number_cell(text(str(one.seq))),
                cell(text(formats.moment(one.at, zone, offset=True))),
                cell(text(EVENTS[one.kind])),
                cell(named(one.actor_name)),
            )
            for one in log.events
        ],
        widths=(10, 34, 32, 24),
    )


def log_sentence(log: ReportLog, of: str) -> Html:
    """Return how many events there are; `of` is what they are of."""
    if log.first_seq is None:
        return element("p", text(f"The log has no event of {of}."), **{"class": "muted"})
    said = (
        f"The log holds {formats.count(log.count, 'event')} of {of}, numbered between"
        f" {log.first_seq} and {log.last_seq}."
    )
    return element("p", text(said), **{"class": "muted"})


def file_digests(log: ReportLog) -> list[Html]:
    """Return the files that came with the report, as a command that names each one that is not what it was."""
    if not log.files:
        return []
    lines = ("sha256sum --check <<'END'", *(f"{one.sha256}  {one.name}" for one in log.files), "END")
    return [
        element("h3", text("Files of this export")),
        element(
            "p",
            text(
                "Run this where the files are. It names every file that was changed or swapped. The digest of this"
                " report itself is in the log, in the event “Evidence exported”, which the next export shows."
            ),
        ),
        element("pre", Html("\n".join(text(line) for line in lines))),
    ]


def _numbers(found: Sequence[int]) -> Html:
    """Return row numbers as links, neighbours as a range."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(found):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    if not ranges:
        return text("none")
    parts = [link("row", str(first) if first == last else f"{first}–{last}", to=f"s{first}") for first, last in ranges]
    return Html(", ".join(parts))
