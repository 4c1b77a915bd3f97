"""When money is really saved: the stages of a saving, and the orders that can be made smaller before they renew."""

from collections.abc import Sequence

from cards import formats
from cards.phrases import sku
from cards.view import Element, Fact, Facts, Paragraph, Table
from reclaim.domain.savings import Renewal, Savings, Stage

_ROWS = 12
_SENTENCES = 3


def ledger(savings: Savings) -> list[Element]:
    """Return the stages of all campaigns, or nothing before the first was approved."""
    if not savings.decided.seats:
        return []
    facts = [
        ("Found", savings.potential),
        ("Approved", savings.decided),
        ("Removed", savings.removed),
        ("Verified", savings.verified),
        *([("Of these, by hand", savings.by_hand)] if savings.by_hand.seats else []),
        ("Realised at renewal", savings.realised),
        ("Reversed", savings.reversed),
    ]
    return [Facts(tuple(Fact(label, stage_text(stage)) for label, stage in facts))]


def reduce_sentences(renewals: Sequence[Renewal]) -> list[str]:
    """Return what to do to turn verified seats into money: one sentence for each order, the most seats first."""
    rows = sorted((row for row in renewals if row.reduce_by), key=lambda row: (-row.reduce_by, row.name))
    return [reduce_sentence(row) for row in rows]


def reduce_sentence(row: Renewal) -> str:
    """Return by how much one order can be made smaller, and before which day."""
    worth = formats.monthly(row.monthly) if row.monthly.amounts else "no price"
    text = f"{sku(row.name)}: reduce the order by {formats.number(row.reduce_by)}"
    if row.renews_on is None:
        return f"{text} at its renewal ({worth}). The day is not known: add it with the price."
    if row.passed:
        passed = f"It renewed on {formats.day(row.renews_on)}; the next day is not known."
        return f"{text} at its next renewal ({worth}). {passed}"
    return f"{text} before {formats.day(row.renews_on)} ({worth})."


def calendar(renewals: Sequence[Renewal]) -> list[Element]:
    """Return the renewal calendar, and first what to do before the next ones."""
    if not renewals:
        return []
    sentences = reduce_sentences(renewals)
    parts: list[Element] = [Paragraph(sentence) for sentence in sentences[:_SENTENCES]]
    if (left := len(sentences) - _SENTENCES) > 0:
        parts.append(Paragraph(f"{formats.count(left, 'more order')} can be made smaller.", subtle=True))
    shown = renewals[:_ROWS]
    parts.append(
        Table(
            header=("Renewal", "Renews", "Bought", "Held by nobody", "Reduce by"),
            rows=tuple(
                (
                    row.name,
                    renews(row),
                    formats.number(row.purchased),
                    formats.number(row.unassigned),
                    formats.number(row.reduce_by) if row.reduce_by else "",
                )
                for row in shown
            ),
            numeric=(2, 3, 4),
        )
    )
    if more := len(renewals) - len(shown):
        parts.append(Paragraph(f"{formats.count(more, 'more renewal')}.", subtle=True))
    return parts


def renews(row: Renewal) -> str:
    """Return the day of a renewal, as far as it is known."""
    if row.renews_on is None:
        return "unknown"
    return f"{formats.day(row.renews_on)}, passed" if row.passed else formats.day(row.renews_on)


def stage_text(stage: Stage) -> str:
    """Return seats and money of a stage: "12: $360 a month"."""
    if not stage.seats:
        return "0"
    return f"{formats.number(stage.seats)}: {formats.monthly(stage.monthly, whole=True)}"
