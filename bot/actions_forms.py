"""What the reviewer's two forms say, read strictly, and how they come back after a mistake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bot.handling import Click
from bot.parsing import choice_of, day_of, flag_of, person_of, text_of
from cards.form import Filled
from reclaim.domain.ids import PersonId
from reclaim.domain.review import NOTE_LENGTH, KeepReason
from reclaim.errors import InvalidRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepInput:
    """Why a seat is kept."""

    reason: KeepReason | None
    until: date | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateInput:
    """Who can tell better, and why; `others`: also the reviewer's other open seats in the campaign."""

    to: PersonId
    reason: str
    others: bool


def read_keep(inputs: Mapping[str, str]) -> KeepInput:
    """Return what the keep form says.

    Raises:
        InvalidRequest: A field cannot be read; whether it is enough is for the domain to say.
    """
    return KeepInput(
        reason=choice_of(inputs, "reason", KeepReason),
        until=day_of(inputs, "until"),
        note=text_of(inputs, "note", longest=NOTE_LENGTH) or None,
    )


def read_delegate(inputs: Mapping[str, str]) -> DelegateInput:
    """Return what the delegate form says.

    Raises:
        InvalidRequest: Nobody is picked, or no reason is given.
    """
    to = person_of(inputs, "who")
    if to is None:
        raise InvalidRequest("Please pick a person.", field="who")
    reason = text_of(inputs, "reason", longest=NOTE_LENGTH)
    if not reason:
        raise InvalidRequest("Please say in one sentence why this person.", field="reason")
    return DelegateInput(to=to, reason=reason, others=flag_of(inputs, "all"))


async def refused(click: Click, error: InvalidRequest, *, rename: Mapping[str, str] | None = None) -> Filled:
    """Return the input as it came, with what is wrong; `rename` maps the domain's field names to the form's."""
    field = (rename or {}).get(error.field or "", error.field)
    who = click.inputs.get("who", "")
    label = (await click.services.people.name_of(PersonId(who)) or "") if who else ""
    return Filled(values=click.inputs, labels={"who": label}, field=field, error=error.message)
