"""What admins do to a running campaign, in words: remind, move seats, extend, cancel."""

from cards import formats
from cards.form import EMPTY, Filled
from cards.phrases import name, next_box, sentences, title
from cards.view import Action, CardView, Emphasis, Headline, Input, InputKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.read_models import CampaignStatus, Moved, Nudged
from reclaim.domain.review import NOTE_LENGTH

CANCEL_FIELDS = frozenset({"reason"})


def nudged_text(nudged: Nudged, zone: str) -> str:
    """Return whom a reminder by hand reached, and when the others may be reminded again."""
    again = f" Next possible: {formats.moment(nudged.next_at, zone)}." if nudged.next_at else ""
    if nudged.reminded == 0 and nudged.waiting == 0:
        return "Nobody has an open seat. There is nobody to remind."
    if nudged.reminded == 0:
        who = "This person was" if nudged.waiting == 1 else f"All {formats.number(nudged.waiting)} were"
        return f"{who} reminded in the last 24 hours.{again}"
    done = f"✓ {formats.count(nudged.reminded, 'person is', 'people are')} reminded now."
    if nudged.waiting == 0:
        return done
    waiting = formats.count(nudged.waiting, "other was", "others were")
    return f"{done} {waiting} reminded in the last 24 hours.{again}"


def moved_text(moved: Moved) -> str:
    """Return what moving seats to another reviewer did."""
    to = name(moved.to_name)
    verb = "is" if moved.seats == 1 else "are"
    stayed = [
        f"{formats.number(number)} {'stays' if number == 1 else 'stay'} where {'it is' if number == 1 else 'they are'}:"
        f" {_STAYED[why].format(to=to)}"
        for why, number in moved.stayed
    ]
    return sentences([f"✓ {formats.count(moved.seats, 'seat')} {verb} with {to} now.", *stayed])


_STAYED = {"holder": "nobody decides a seat of their own.", "already": "with {to} already."}


def cancelling_card(status: CampaignStatus, filled: Filled = EMPTY) -> CardView:
    """Draw the step before a campaign is cancelled."""
    answered = status.items - status.open
    given = (
        f"{formats.count(answered, 'answer')} given so far {'counts' if answered == 1 else 'count'} for nothing then."
    )
    asked = "Nobody was asked yet." if status.state is not CampaignState.OPEN else "Every open card says so."
    return CardView(
        kind="campaign.cancelling",
        headline=Headline(
            title=f"Cancel {title(status.name)}?", amount=formats.count(status.items, "seat"), unit="not removed"
        ),
        body=(
            *filled.strip(CANCEL_FIELDS),
            Input(
                id="reason",
                kind=InputKind.TEXT,
                label="Why? (optional)",
                value=filled.value("reason"),
                placeholder="For example: the wrong list of seats",
                max_length=NOTE_LENGTH,
                error=filled.error_of("reason"),
            ),
            next_box(
                f"{asked} Nothing is removed.",
                given if answered else "",
                "It cannot be opened again. Your name is attested with this.",
            ),
        ),
        actions=(
            Action(
                label="Cancel the campaign",
                verb="cancel.submit",
                ref=status.campaign_id,
                emphasis=Emphasis.DANGER,
            ),
            Action(label="Back", verb="status.open", ref=status.campaign_id, submits=False),
        ),
        fallback=f"Cancel {title(status.name)}? Nothing is removed then.",
    )
