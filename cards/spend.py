"""Where the money is: recoverable spend by SKU, and the idle seats behind a SKU. For who runs campaigns."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from cards import formats
from cards.exclusions import excluded_sentence
from cards.phrases import data_moment, data_read, run, sku, unpriced
from cards.savings import calendar, ledger
from cards.view import (
    Action,
    Bar,
    CardView,
    Chart,
    Element,
    Emphasis,
    Headline,
    Paragraph,
    Row,
    Rows,
    Strip,
    Table,
    Tone,
)
from reclaim.domain.calendar import local_day
from reclaim.domain.idle import Rule
from reclaim.domain.ids import SeatId
from reclaim.domain.money import Total
from reclaim.domain.read_models import SeatPage, SeatRow, SkuSpend, SpendReport

_BARS = 8
_TABLE_ROWS = 15
_FILTERS: tuple[tuple[Rule | None, str], ...] = (
    (None, "All unused"),
    (Rule.DISABLED, "Disabled"),
    (Rule.NEVER_SEEN, "Never signed in"),
)


def spend_card(report: SpendReport, zone: str, *, may_start: bool, may_sync: bool) -> CardView:
    """Draw recoverable spend; without sign-in data it says why there are no numbers.

    Args:
        report: The figures.
        zone: The reader's IANA zone.
        may_start: Whether the reader may make a campaign.
        may_sync: Whether the reader runs the installation: may read the tenant and set prices.
    """
    if report.data.as_of is None:
        return _not_read(may_sync=may_sync)
    if report.blocked:
        return _blocked(report, may_start=may_start)
    rows = [row for row in report.rows if row.idle]
    total = report.total
    return CardView(
        kind="spend",
        headline=Headline(
            title="Recoverable spend",
            amount=formats.amounts(total, whole=True) or "No price",
            context=f"{formats.number(report.idle)} idle seats of {formats.number(report.held)} · "
            f"{report.days} days or more",
            unit=formats.unit(total) if total.amounts else None,
        ),
        body=(
            *_sentences(report),
            *_chart(rows),
            *_table(report.rows),
            *ledger(report.savings),
            *calendar(report.renewals),
            *_foot(report, zone),
        ),
        actions=_spend_actions(report, may_start=may_start, may_price=may_sync),
        fallback=f"Recoverable spend: {formats.monthly(total, whole=True)} in {formats.number(report.idle)} idle seats.",
    )


def seats_card(
    page: SeatPage,
    zone: str,
    *,
    place: Mapping[str, str],
    taken: frozenset[SeatId],
    may_start: bool,
) -> CardView:
    """Draw a page of idle seats.

    Args:
        page: The seats.
        zone: The reader's IANA zone.
        place: References of where the list can go: `here`, `previous`, `next`, and one for each filter by rule value,
            `all` for none and `days90` for the window.
        taken: Seats ticked so far, on this page and others.
        may_start: Whether the reader may make a campaign of them; boxes show only then.
    """
    name = sku(page.sku_name) if page.sku_name else "all SKUs"
    return CardView(
        kind="spend.seats",
        headline=Headline(
            title=f"{formats.count(page.total, 'idle seat')}: {name}",
            amount=formats.amounts(page.monthly) or ("No price" if page.total else None),
            context=f"Unused for {page.filter.days} days or more",
            unit=formats.unit(page.monthly) if page.monthly.amounts else None,
        ),
        body=(
            _filter_strip(page, place),
            *_seat_rows(page, zone, taken, may_start=may_start),
            *_seat_pages(page, place),
            *_excluded(page),
            *_taken(taken),
            *data_read(page.data, page.now, zone),
        ),
        actions=_seat_actions(page, place, taken) if may_start and page.total else (),
        fallback=f"{formats.count(page.total, 'idle seat')}, {formats.monthly(page.monthly)}.",
    )


def nearest_card(message: str, nearest: Sequence[tuple[str, str]]) -> CardView:
    """Draw the answer to an unknown SKU, with the nearest (product id, name) as buttons."""
    return CardView(
        kind="spend.nearest",
        headline=Headline(title="Which SKU?"),
        body=(Paragraph(formats.one_line(message, formats.NOTE_MAX)),),
        actions=tuple(
            Action(label=formats.cut(name, 30), verb="spend.seats", ref=ref, submits=False) for ref, name in nearest[:3]
        ),
        fallback="No SKU has this name.",
    )


def _not_read(*, may_sync: bool) -> CardView:
    text = "Nothing has been read from the tenant yet."
    return CardView(
        kind="spend",
        headline=Headline(title="Recoverable spend", amount="Unknown"),
        body=(Paragraph(text),),
        actions=(Action(label="Read the tenant now", verb="sync.run", ref="now", submits=False),) if may_sync else (),
        fallback=text,
    )


def _blocked(report: SpendReport, *, may_start: bool) -> CardView:
    text = (
        "We cannot tell which seats are idle: Microsoft gives no sign-in data for this tenant (needs Entra ID P1 and the"
        " permission AuditLog.Read.All)."
    )
    disabled = f"Disabled accounts need no sign-in data: {formats.count(report.idle, 'seat')} found on them."
    actions = (Action(label="Seats by SKU", verb="spend.seats", ref="all", submits=False),) if report.idle else ()
    start = (Action(label="Start a campaign…", verb="start.form", ref="new", submits=False),) if may_start else ()
    return CardView(
        kind="spend",
        headline=Headline(title="Recoverable spend", amount="Unknown"),
        body=(Strip(tone=Tone.WARNING, text=text), Paragraph(disabled)),
        actions=actions + (start if report.idle else ()),
        fallback="We cannot tell which seats are idle: there is no sign-in data.",
    )


def _sentences(report: SpendReport) -> list[Paragraph]:
    yearly = Total(amounts=tuple(amount.times(12) for amount in report.total.amounts))
    year = formats.amounts(yearly, whole=True)
    parts = [f"That is {year} a year."] if year else []
    parts.append(unpriced(report.total, "idle seat"))
    parts.append(excluded_sentence(report.excluded))
    if report.unknown:
        seats = formats.count(report.unknown, "seat")
        parts.append(f"The use of {seats} is unknown: without data from Microsoft nothing is called idle.")
    text = " ".join(part for part in parts if part)
    return [Paragraph(text)] if text else []


def _chart(rows: Sequence[SkuSpend]) -> list[Chart]:
    if not rows:
        return []
    longest: dict[str, int] = {}
    for row in rows:
        if row.recoverable is not None:
            currency = row.recoverable.currency
            longest[currency] = max(longest.get(currency, 0), row.recoverable.minor)
    bars = tuple(_bar(row, longest) for row in rows[:_BARS])
    return [Chart(title="By SKU, a month", bars=bars, unit="a month")]


def _bar(row: SkuSpend, longest: Mapping[str, int]) -> Bar:
    if row.recoverable is None:
        return Bar(label=row.name, amount=f"{formats.count(row.idle, 'seat')}, no price", share=None)
    most = longest[row.recoverable.currency]
    return Bar(
        label=row.name,
        amount=formats.whole_money(row.recoverable),
        share=row.recoverable.minor / most if most else 0.0,
        value=row.recoverable.minor / 100,
        action=_seats_of(row),
    )


def _table(rows: Sequence[SkuSpend]) -> list[Element]:
    shown = rows[:_TABLE_ROWS]
    if not shown:
        return []
    table = Table(
        header=("SKU", "Idle of held", "Available", "Each a month"),
        rows=tuple(
            (
                row.name,
                f"{formats.number(row.idle)} of {formats.number(row.held)}",
                formats.number(row.available),
                formats.price(row.each),
            )
            for row in shown
        ),
        numeric=(1, 2, 3),
        row_actions=tuple(_seats_of(row) if row.idle else None for row in shown),
    )
    left = rows[_TABLE_ROWS:]
    if not left:
        return [table]
    idle = sum(row.idle for row in left)
    return [table, Paragraph(f"{len(left)} more SKUs with {formats.count(idle, 'idle seat')}.", subtle=True)]


def _seats_of(row: SkuSpend) -> Action:
    return Action(label="Seats", verb="spend.seats", ref=row.product_id, submits=False)


def _foot(report: SpendReport, zone: str) -> list[Element]:
    if report.data.as_of is None:
        return []
    read = f"{data_moment(report.data, zone)} Cash is saved when the term ends or seats are reduced."
    parts: list[Element] = []
    if report.data.stale:
        parts.append(Strip(tone=Tone.WARNING, text="This data is older than the setting allows. Run /reclaim sync."))
    return [*parts, Paragraph(read, subtle=True)]


def _spend_actions(report: SpendReport, *, may_start: bool, may_price: bool) -> tuple[Action, ...]:
    price = (Action(label="Add price", verb="price.form", ref="new", submits=False),) if may_price else ()
    if not report.idle:
        return price
    seats = Action(label="Seats by SKU", verb="spend.seats", ref="all", submits=False)
    if not may_start:
        return (seats, *(price or (run("status"),)))
    simulate = Action(
        label="Simulate a campaign", verb="command.run", ref="simulate", emphasis=Emphasis.RECOMMENDED, submits=False
    )
    start = Action(label="Start a campaign…", verb="start.form", ref="new", more=True, submits=False)
    return (simulate, seats, *price, start)


def _filter_strip(page: SeatPage, place: Mapping[str, str]) -> Strip:
    shown = page.filter.rules[0] if len(page.filter.rules) == 1 else None
    current = next(label for rule, label in _FILTERS if rule is shown or (rule is None and shown is Rule.IDLE))
    actions = [
        Action(label=label, verb="seats.filter", ref=place[rule.value if rule else "all"])
        for rule, label in _FILTERS
        if label != current
    ]
    if page.filter.days != 90:
        actions.append(Action(label="90+ days", verb="seats.filter", ref=place["days90"]))
    return Strip(tone=Tone.NEUTRAL, text=f"Shown: {current}, {page.filter.days}+ days", actions=tuple(actions))


def _seat_rows(page: SeatPage, zone: str, taken: frozenset[SeatId], *, may_start: bool) -> list[Element]:
    if not page.rows:
        return [Paragraph("No idle seat matches.")]
    rows = tuple(_seat_row(row, page, zone, ticked=row.seat_id in taken, may_tick=may_start) for row in page.rows)
    return [Rows(rows=rows)]


def _seat_row(row: SeatRow, page: SeatPage, zone: str, *, ticked: bool, may_tick: bool) -> Row:
    days = formats.count((page.now - row.quiet_since).days, "day")
    way = f"through {formats.one_line(row.group_name, formats.GROUP_MAX)}" if row.group_name else "direct"
    return Row(
        title=row.person_name,
        subtitle=row.sku_name if page.sku_name is None else row.department,
        reason=f"{_seen(row, zone)} · {days} · {way}",
        amount=formats.price(row.monthly),
        tick=f"t.{row.seat_id}" if may_tick else None,
        ticked=ticked,
        amount_minor=row.monthly.minor if row.monthly else None,
        currency=row.monthly.currency if row.monthly else None,
    )


def _seen(row: SeatRow, zone: str) -> str:
    match row.rule:
        case Rule.DISABLED:
            seen = row.disabled_seen_at
            return f"Account disabled (first seen {formats.day(local_day(seen, zone))})" if seen else "Account disabled"
        case Rule.NEVER_SEEN:
            return "Never used"
        case Rule.IDLE:
            if row.last_seen_at is None:
                return "Last use unknown"
            return f"Last sign-in {formats.day(local_day(row.last_seen_at, zone))}"
        case Rule.UNUSED:
            if row.last_used_at is None:
                return "No use in Microsoft’s reports, but signs in"
            return f"Last use {formats.day(row.last_used_at.date())}, but signs in"
        case _:
            assert_never(row.rule)


def _seat_pages(page: SeatPage, place: Mapping[str, str]) -> list[Strip]:
    if page.pages <= 1:
        return []
    actions = []
    if page.page > 1:
        actions.append(Action(label="Previous 10", verb="seats.page", ref=place["previous"]))
    if page.page < page.pages:
        actions.append(Action(label="Next 10", verb="seats.page", ref=place["next"]))
    text = f"Page {formats.number(page.page)} of {formats.number(page.pages)}"
    return [Strip(tone=Tone.NEUTRAL, text=text, actions=tuple(actions))]


def _excluded(page: SeatPage) -> list[Paragraph]:
    if not page.excluded:
        return []
    verb = "is" if page.excluded == 1 else "are"
    return [Paragraph(f"{formats.count(page.excluded, 'more seat')} {verb} excluded and not listed.", subtle=True)]


def _taken(taken: frozenset[SeatId]) -> list[Paragraph]:
    return [Paragraph(f"{formats.count(len(taken), 'seat')} taken so far.")] if taken else []


def _seat_actions(page: SeatPage, place: Mapping[str, str], taken: frozenset[SeatId]) -> tuple[Action, ...]:
    actions = [
        Action(label="Reclaim as certification…", verb="seats.reclaim", ref=place["here"]),
        Action(label=f"Take all {formats.number(page.total)}", verb="seats.take_all", ref=place["here"]),
    ]
    if taken:
        actions.append(Action(label="Untick all", verb="seats.untick", ref=place["here"], submits=False))
    return tuple(actions)
