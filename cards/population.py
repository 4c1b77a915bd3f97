"""Every seat of a SKU, counted once, beside Microsoft's own count. For who runs campaigns, and auditors."""

from typing import Final

from cards import formats
from cards.phrases import data_read, sku
from cards.view import CardView, Element, Headline, Paragraph, Table
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.read_models import PopulationPart, PopulationRow, PopulationView

EXCLUDED: Final = {
    ExclusionKind.PERSON.value: "Excluded: by name of the person",
    ExclusionKind.DEPARTMENT.value: "Excluded: department",
    ExclusionKind.PRODUCT.value: "Excluded: SKU",
    ExclusionKind.GUESTS.value: "Excluded: guests",
    ExclusionKind.EMPLOYEE_TYPE.value: "Excluded: employee type",
    ExclusionKind.GROUP.value: "Excluded: group",
    ExclusionKind.NAME.value: "Excluded: name pattern",
    ExclusionKind.ADMIN_ROLES.value: "Excluded: admin-role holders",
    ExclusionKind.AWAY.value: "May be away",
}
NOT_IDLE: Final = {
    "in_use": "In use",
    "too_new": "New account or new seat",
    "unknown": "Use unknown",
    "error_state": "License in an error state",
    "gone": "Account gone",
    "quiet_for_less": "Idle for less than the window",
    "gone_since": "Taken away since the reading",
}


def population_card(found: PopulationView, zone: str) -> CardView:
    """Draw what became of every seat."""
    row = found.row
    parts = (
        PopulationPart(f"Idle for {found.days} days or more", row.idle),
        *(PopulationPart(EXCLUDED[part.reason], part.seats) for part in row.excluded),
        *(PopulationPart(NOT_IDLE[part.reason], part.seats) for part in row.not_idle),
        PopulationPart("Seats read", row.read),
    )
    table = Table(
        header=("Every seat, once", "Seats"),
        rows=tuple((part.reason, formats.number(part.seats)) for part in parts),
        numeric=(1,),
    )
    body: list[Element] = [table, Paragraph(against_microsoft(row)), *data_read(found.data, found.now, zone)]
    return CardView(
        kind="population",
        headline=Headline(
            title=sku(row.name),
            amount=formats.number(row.read),
            context=f"{formats.number(row.idle)} idle and not left out",
            unit="seats read",
        ),
        body=tuple(body),
        fallback=f"{formats.count(row.read, 'seat')} read, {formats.number(row.idle)} idle and not left out.",
    )


def against_microsoft(row: PopulationRow) -> str:
    """Return how our count and Microsoft's differ, and what that most likely comes from."""
    if row.microsoft is None:
        return "Microsoft no longer lists this SKU, so there is no count of its own to compare with."
    ours, theirs = formats.number(row.held), formats.number(row.microsoft)
    broken = row.read - row.held
    unused = (
        f" {formats.count(broken, 'seat')} more in an error state: Microsoft gives them to nobody." if broken else ""
    )
    if row.held == row.microsoft:
        return f"Microsoft counts {theirs} in use, as we do.{unused}"
    why = (
        "Most likely deleted accounts, which keep their license for 30 days, accounts that cannot be read, or a change of "
        "the last minutes."
        if row.microsoft > row.held
        else "Most likely a change of the last minutes: Microsoft’s count follows later."
    )
    return f"We read {ours} in use, Microsoft counts {theirs}. {why}{unused}"
