"""What people read whom a chat channel cannot match with the directory, or whom it must not serve."""

from enum import StrEnum

from cards.view import CardView, Headline, Paragraph


class Stranger(StrEnum):
    """Why somebody is not served."""

    UNKNOWN = "unknown"  # no enabled member of the directory has this mail address
    AMBIGUOUS = "ambiguous"  # several have
    NO_MAIL = "no_mail"  # the chat profile has none, or an unconfirmed one
    OUTSIDE = "outside"  # a guest, a bot, somebody of another organisation


WORDS = {
    Stranger.UNKNOWN: "We find no account of your organisation with the mail address of your Slack profile."
    " Ask an admin of Reclaim to match you by hand.",
    Stranger.AMBIGUOUS: "Several accounts have the mail address of your Slack profile."
    " Ask an admin of Reclaim to match you by hand.",
    Stranger.NO_MAIL: "Your Slack profile shows us no confirmed mail address. Ask an admin of Reclaim to match you by hand.",
    Stranger.OUTSIDE: "Reclaim serves members of this workspace only, not guests.",
}


def stranger_card(why: Stranger) -> CardView:
    """Draw the refusal."""
    return CardView(
        kind="stranger",
        headline=Headline(title="We cannot tell who you are"),
        body=(Paragraph(WORDS[why]),),
        fallback=WORDS[why],
    )
