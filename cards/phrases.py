"""Words that several cards share: names, the close, silence, the age of the data. No topic of its own."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, assert_never

from cards import formats
from cards.view import Action, Box, Paragraph, Strip, Tone
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import Silence, WriteMode
from reclaim.domain.money import Money, Total
from reclaim.domain.read_models import DataAge

NEXT: Final = "What happens next"
DRY_RUN: Final = "Dry run: people are asked, nothing is removed."


# What is to be said where a sync could not read who holds an admin role: by `SyncView.roles`.
NO_ROLES: Final = {
    "no_permission": "Who holds an admin role is not known: the permission RoleManagement.Read.Directory is missing. It is "
    "optional.",
    "partly": "Not everybody who holds an admin role could be read. Who was known to hold one counts as before.",
    "unread": "Who holds an admin role could not be read. Who was known to hold one counts as before.",
}


def name(text: str) -> str:
    """Return a person's name as it may stand in a sentence."""
    return formats.isolate(formats.one_line(text, formats.NAME_MAX))


def first(text: str) -> str:
    """Return what a person is called after the first mention."""
    return formats.isolate(formats.first_word(formats.one_line(text, formats.NAME_MAX)))


def sku(text: str) -> str:
    """Return a product name as it may stand in a sentence."""
    return formats.isolate(formats.one_line(text, formats.SKU_MAX))


def group(text: str) -> str:
    """Return a group's name as it may stand in a sentence."""
    return formats.isolate(formats.one_line(text, formats.GROUP_MAX))


def title(text: str) -> str:
    """Return a campaign's name as it may stand in a sentence."""
    return formats.isolate(formats.one_line(text, formats.NAME_MAX))


def quoted(text: str) -> str:
    """Return what somebody wrote, in quotation marks and cut."""
    return f"“{formats.isolate(formats.one_line(text, formats.NOTE_MAX))}”"


def names(people: Sequence[str], conjunction: str = "and") -> str:
    """Return "A", "A and B", "A, B and C"."""
    shown = [name(person) for person in people]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {conjunction} {shown[-1]}"


def close_time(closes_at: datetime, zone: str) -> str:
    """Return the close as an instant: "the end of Fri 4 Dec 2026", "Fri 4 Dec 2026, 17:00"."""
    due = formats.due(closes_at, zone)
    return due if "," in due else f"the end of {due}"


def at_close(closes_at: datetime, zone: str) -> str:
    """Return when the close is: "at the end of Fri 4 Dec 2026", "on Fri 4 Dec 2026, 17:00"."""
    due = formats.due(closes_at, zone)
    return f"on {due}" if "," in due else f"at the end of {due}"


def silence_of_seats(silence: Silence, mode: WriteMode = WriteMode.LIVE) -> str:
    """Return what becomes of seats without an answer, said to the reviewer."""
    match silence:
        case Silence.KEEP:
            return "Seats you do not answer are kept."
        case Silence.RECOMMENDATION:
            text = "eats you do not answer follow our recommendation."
        case Silence.REMOVE:
            text = "eats you do not answer are removed."
        case _:
            assert_never(silence)
    return f"S{text}" if mode is WriteMode.LIVE else f"Outside of a dry run, s{text}"


def silence_of_campaign(silence: Silence) -> str:
    """Return the same, said to who runs the campaign."""
    match silence:
        case Silence.KEEP:
            return "Seats without an answer are kept."
        case Silence.RECOMMENDATION:
            return "Seats without an answer follow the recommendation."
        case Silence.REMOVE:
            return "Seats without an answer are removed."
        case _:
            assert_never(silence)


def dry_run(mode: WriteMode) -> tuple[Strip, ...]:
    """Return the strip that a dry run shows, and nothing for a live one."""
    return (Strip(tone=Tone.NEUTRAL, text=DRY_RUN),) if mode is WriteMode.DRY_RUN else ()


def next_box(*sentences: str) -> Box:
    """Return the grey box at the foot."""
    return Box(parts=((NEXT, " ".join(one for one in sentences if one)),))


def data_moment(data: DataAge, zone: str) -> str:
    """Return when the data was read, or nothing: sign-ins are as old as the last full read, seats may be younger."""
    if data.as_of is None:
        return ""
    read = formats.moment(data.as_of, zone, weekday=True)
    if data.seats_as_of is None:
        return f"Data read {read}."
    return f"Sign-ins read {read}, seats {formats.moment(data.seats_as_of, zone, weekday=True)}."


def data_read(data: DataAge, now: datetime, zone: str) -> tuple[Paragraph | Strip, ...]:
    """Return how old the data is; where it is older than the setting, as a warning."""
    if data.as_of is None:
        return (Strip(tone=Tone.WARNING, text="Nothing has been read from the tenant yet."),)
    read = Paragraph(data_moment(data, zone), subtle=True)
    if not data.stale:
        return (read,)
    hours = max(1, int((now - data.as_of).total_seconds() // 3600))
    old = formats.count(hours // 24, "day") if hours >= 48 else formats.count(hours, "hour")
    return (Strip(tone=Tone.WARNING, text=f"This data is {old} old."), read)


def unpriced(total: Total, noun: str = "seat") -> str:
    """Return the sentence about what a sum leaves out, or nothing."""
    if not total.unpriced:
        return ""
    verb = "has no price and is" if total.unpriced == 1 else "have no price and are"
    return f"{formats.count(total.unpriced, noun)} {verb} not in this sum."


def priced(amount: Money | None) -> str:
    """Return the price of one seat for a sentence: "$30.00 a month", "price unknown"."""
    return "price unknown" if amount is None else f"{formats.money(amount)} a month"


def open_spend(label: str = "Show spend") -> Action:
    """Return the button that runs `/reclaim spend`."""
    return run("spend", label)


def cancelled(by: str | None, at: datetime | None, zone: str) -> str:
    """Return who cancelled a campaign and when, and what that means."""
    if by is None or at is None:
        return "This campaign was cancelled. Nothing is removed."
    return f"{name(by)} cancelled this campaign on {formats.day(local_day(at, zone))}. Nothing is removed."


def moved_to(who: str, by: str | None) -> str:
    """Return that an admin moved a seat; `who` as it may stand in a sentence."""
    return f"Moved to {who} by {name(by)}." if by else f"Moved to {who}."


def run(verb: str, label: str | None = None, *, more: bool = False) -> Action:
    """Return a button that runs a command without arguments."""
    return Action(label=label or f"Run /reclaim {verb}", verb="command.run", ref=verb, more=more, submits=False)


def sentence_case(text: str) -> str:
    """Return one of our wordings as the beginning of a sentence; names within it keep their capitals."""
    return f"{text[:1].upper()}{text[1:]}"


def sentences(parts: Iterable[str]) -> str:
    """Join sentences, leaving out empty ones."""
    return " ".join(part for part in parts if part)
