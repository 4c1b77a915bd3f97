"""What is left out of campaigns, why, until when and by whose word. For who runs campaigns."""

from collections.abc import Sequence

from cards import formats
from cards.phrases import name, quoted, sku
from cards.view import Action, CardView, Element, Headline, Paragraph, Row, Rows, Strip, Tone
from reclaim.domain.calendar import local_day
from reclaim.domain.exclusions import Exclusion, ExclusionKind
from reclaim.domain.read_models import ExclusionList, ExclusionView

ID_SHOWN = 8  # characters of an id: enough to tell exclusions apart
_ROWS = 25
_NAMED = 3


def exclusions_card(found: ExclusionList, zone: str, *, note: str | None = None, may_end: bool) -> CardView:
    """Draw the exclusions that count; `note` says what was just done."""
    body: list[Element] = []
    if note:
        body.append(Strip(tone=Tone.GOOD, text=note))
    rows = tuple(_row(view, zone, may_end=may_end) for view in found.rows[:_ROWS])
    if rows:
        body.append(Paragraph("Whoever holds these seats is asked nothing, and nothing is removed."))
        body.append(Rows(rows=rows))
        if may_end:
            body.append(Paragraph("To end one: /reclaim exclude --end ID", subtle=True))
    else:
        body.append(Paragraph("Nothing is left out. To leave somebody out: /reclaim exclude PERSON --reason TEXT"))
    if left := len(found.rows) - len(rows):
        body.append(Paragraph(f"{formats.count(left, 'more exclusion')}, older than these.", subtle=True))
    return CardView(
        kind="exclusions",
        headline=Headline(
            title=formats.count(len(found.rows), "exclusion"),
            amount=formats.count(found.seats, "idle seat"),
            context=f"Idle for {found.days} days or more",
            unit="left out",
        ),
        body=tuple(body),
        fallback=f"{formats.count(len(found.rows), 'exclusion')}, {formats.count(found.seats, 'idle seat')} left out.",
    )


def added(view: ExclusionView, zone: str) -> str:
    """Return what an exclusion did, as a sentence."""
    seats = formats.count(view.seats or 0, "idle seat")
    people = "" if view.people is None else f"{formats.count(view.people, 'person', 'people')}, "
    return f"{whom(view)}: left out {_until(view.exclusion, zone)}. {people}{seats} now."


def ended(view: ExclusionView) -> str:
    """Return that an exclusion has ended, as a sentence."""
    return f"{whom(view)}: no longer left out."


def whom(view: ExclusionView) -> str:
    """Return what an exclusion holds, in words."""
    match view.exclusion.kind:
        case ExclusionKind.PERSON:
            return name(view.value)
        case ExclusionKind.DEPARTMENT:
            return f"Department {name(view.value)}"
        case ExclusionKind.PRODUCT:
            return sku(view.value)
        case ExclusionKind.GUESTS:
            return "Guests"
        case ExclusionKind.EMPLOYEE_TYPE:
            return f"Employee type {name(view.value)}"
        case ExclusionKind.GROUP:
            return f"Group {name(view.value)}"
        case ExclusionKind.NAME:
            return f"Names like {name(view.value)}"
        case ExclusionKind.ADMIN_ROLES:
            return "Admin-role holders"
        case ExclusionKind.AWAY:
            return "May be away"


def why_excluded(view: ExclusionView, zone: str) -> str:
    """Return why one seat is left out: reason, end, and by whose word."""
    return (
        f"Why it is left out: {quoted(view.exclusion.reason)}, {_until(view.exclusion, zone)}, by {name(view.by_name)}."
    )


def excluded_sentence(excluded: Sequence[ExclusionView]) -> str:
    """Return how many idle seats are excluded and by what, or nothing. It names no person: it stands in channels too."""
    seats = sum(view.seats or 0 for view in excluded)
    if not seats:
        return ""
    named = [
        f"{whom(view)} ({formats.number(view.seats or 0)}, {quoted(view.exclusion.reason)})"
        for view in excluded
        if view.exclusion.kind is not ExclusionKind.PERSON
    ]
    alone = [view for view in excluded if view.exclusion.kind is ExclusionKind.PERSON]
    if len(named) > _NAMED:
        named = [*named[:_NAMED], f"{len(named) - _NAMED} more"]
    if alone:
        held = sum(view.seats or 0 for view in alone)
        named.append(f"{formats.count(len(alone), 'person', 'people')} by name ({formats.number(held)})")
    verb = "is" if seats == 1 else "are"
    return f"{formats.count(seats, 'idle seat')} {verb} excluded and not in this sum: {', '.join(named)}."


def _row(view: ExclusionView, zone: str, *, may_end: bool) -> Row:
    one = view.exclusion
    since = formats.day(local_day(one.at, zone))
    return Row(
        title=whom(view),
        subtitle=_subtitle(view, zone),
        reason=f"{quoted(one.reason)} · by {name(view.by_name)} on {since} · {one.id[:ID_SHOWN]}",
        amount=formats.count(view.seats or 0, "seat"),
        open=Action(label="End", verb="exclude.end", ref=one.id, submits=False) if may_end else None,
    )


def _subtitle(view: ExclusionView, zone: str) -> str:
    until = _until(view.exclusion, zone)
    return until if view.people is None else f"{formats.count(view.people, 'person', 'people')} · {until}"


def _until(one: Exclusion, zone: str) -> str:
    return f"until {formats.due(one.until, zone)}" if one.until else "until somebody ends it"
