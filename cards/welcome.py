"""The first card of the practice tenant: what was found, and two ways to go on."""

from cards import formats
from cards.phrases import first, next_box, unpriced
from cards.view import Action, CardView, Emphasis, Headline, Paragraph
from reclaim.domain.read_models import SpendReport


def welcome_card(report: SpendReport, reader: str, people: int) -> CardView:
    """Draw the hero card of the practice tenant: how much looks unused, and what it costs.

    Args:
        report: Recoverable spend of the practice tenant.
        reader: Name of the admin who is greeted.
        people: How many made-up people the tenant has.
    """
    found = f"{formats.number(report.idle)} of {formats.number(report.held)} seats look unused."
    amount = formats.amounts(report.total, whole=True)
    cost = f"They cost {amount} a month." if amount else "They have no price yet."
    left_out = unpriced(report.total) if amount else ""
    return CardView(
        kind="welcome",
        headline=Headline(
            title=found if amount else f"{found} {cost}",
            amount=amount,
            context=f"Unused for {report.days} days or more. {left_out}".strip(),
            unit="a month" if amount else None,
            hero="They cost" if amount else "",
        ),
        body=(
            Paragraph(
                f"Hi {first(reader)}. This is a practice tenant with {formats.number(people)} made-up people."
                " Nothing here is real, so press everything."
            ),
            Paragraph(
                "In about five minutes you find the idle seats, ask the managers, take back what they approve"
                " and get the proof."
            ),
            next_box("You see where the money is. Nobody is asked and nothing is removed until you start a campaign."),
        ),
        actions=(
            Action(
                label="Show where the money is",
                verb="guide.look",
                ref="look",
                emphasis=Emphasis.RECOMMENDED,
                submits=False,
            ),
            Action(label="Play the whole story for me", verb="guide.play", ref="play", submits=False),
        ),
        fallback=f"{found} {cost}",
    )
