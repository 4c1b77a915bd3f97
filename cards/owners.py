"""License owners: every SKU with its owner and its idle seats, those without one first."""

from cards import formats
from cards.phrases import group, name, next_box, sku
from cards.view import Action, CardView, Element, Headline, Paragraph, Row, Rows, Strip, Tone
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.read_models import OwnerRow, Owners
from reclaim.domain.review import FallbackWhy

OWNERS_SHOWN = 15  # rows that keep the card within 28 KB whatever the names
_TROUBLE = {
    FallbackWhy.OWNER_DISABLED: "account cannot review",
    FallbackWhy.OWNER_GONE: "has left",
    FallbackWhy.GROUP_UNREAD: "members are read with the next sync",
    FallbackWhy.GROUP_EMPTY: "nobody in it can review",
}


def owners_card(owners: Owners, *, said: str | None = None, may_run: bool, whole: bool = False) -> CardView:
    """Draw the list; `said` is what was just done, `whole` draws every row, where nothing limits the length."""
    without = sum(row.owner_name is None for row in owners.rows)
    shown = owners.rows if whole else owners.rows[:OWNERS_SHOWN]
    unread = [row for row in owners.rows if row.trouble is FallbackWhy.GROUP_UNREAD]
    body: list[Element] = []
    if said:
        body.append(Strip(tone=Tone.GOOD, text=said))
    if unread:
        names = formats.count(len(unread), "owner group was", "owner groups were")
        body.append(
            Strip(
                tone=Tone.WARNING,
                text=f"{names} not read yet. Until the next sync the fallback reviewer is asked.",
                actions=(Action(label="Read now", verb="sync.run", ref="now", submits=False),) if may_run else (),
            )
        )
    if shown:
        body.append(Rows(rows=tuple(_row(row) for row in shown)))
    else:
        body.append(Paragraph("No SKU was read yet."))
    if len(owners.rows) > len(shown):
        more = formats.number(len(owners.rows) - len(shown))
        body.append(Paragraph(f"{more} more at the command line: reclaim owner", subtle=True))
    body.append(next_box(_next(owners), _how()))
    return CardView(
        kind="owners",
        headline=Headline(
            title="License owners",
            amount=f"{formats.number(without)} without" if without else "All named",
            unit=f"of {formats.count(len(owners.rows), 'SKU')}",
        ),
        body=tuple(body),
        fallback=f"License owners: {formats.number(without)} of {formats.count(len(owners.rows), 'SKU')} without one.",
    )


def named_text(sku_name: str, row: OwnerRow | None) -> str:
    """Return what naming or removing an owner did."""
    if row is None or row.owner_name is None:
        return f"✓ {sku(sku_name)} has no license owner now."
    return f"✓ {_owner(row)} answers for {sku(sku_name)} now. Seats already asked about stay where they are."


def _row(row: OwnerRow) -> Row:
    trouble = f", {_TROUBLE[row.trouble]}: the fallback reviewer is asked" if row.trouble in _TROUBLE else ""
    return Row(
        title=row.sku_name,
        reason=f"{_owner(row)}{trouble}" if row.owner_name is not None else "No owner: the fallback reviewer is asked",
        amount=f"{formats.number(row.idle)} idle",
    )


def _owner(row: OwnerRow) -> str:
    if row.kind is AssigneeKind.GROUP:
        return f"Group {group(row.owner_name or '')}"
    return name(row.owner_name or "")


def _next(owners: Owners) -> str:
    if owners.fallback_name is None:
        return "There is no fallback reviewer: seats without an owner are left out of a campaign."
    return f"Seats without an owner who can answer go to {name(owners.fallback_name)}."


def _how() -> str:
    return 'Name one: /reclaim owner "SKU" "PERSON", or /reclaim owner "SKU" group "NAME".'
