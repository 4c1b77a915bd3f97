"""A consent program: one application whose license comes with membership of one Entra group, and what is done about it.

Its words are read from a TOML file or typed (`/reclaim consent set`), so everything that comes in here is untrusted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from reclaim.domain.calendar import zone as known_zone
from reclaim.domain.campaign import Limits, WriteMode
from reclaim.domain.directory import Group
from reclaim.domain.ids import GroupId, PersonId, ProductId, ProgramId, application_id
from reclaim.domain.money import Money, minor_digits
from reclaim.errors import Conflict, InvalidRequest

NAME_LENGTH: Final = 80
APPLICATION_LENGTH: Final = 60
QUESTION_LENGTH: Final = 600
DEFAULT_WINDOW: Final = 30
# Sources that tell only where an application is not installed. It may be used in a browser, or on a device that they do not
# see, so that a person has to say it before anything is taken.
ABSENCE_SOURCES: Final = frozenset({"intune"})

Value = str | int | bool


class ProgramState(StrEnum):
    """Active programs run on their schedule and by hand; a paused one does neither, and what it asked stays open."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class KeepDecides(StrEnum):
    """Who decides when the holder wants to keep the application."""

    NOBODY = "nobody"  # the holder's word is enough
    MANAGER = "manager"


class OnSilence(StrEnum):
    """What a question that nobody answered becomes. Silence removes only where the program says so (rule 3)."""

    KEEP = "keep"
    ESCALATE = "escalate"  # the manager decides; if they do not either, it is kept
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a program does: everything that an admin chooses and may change.

    Attributes:
        name: Unique among programs that have not ended, compared without case.
        application: As the people who hold it know it.
        source: Name of the usage source: csv, nexthink, m365 or intune.
        source_application: How the source calls the application; None: as `application`.
        unused_days: Nobody is a candidate who used it within so many days.
        ask: False: the seat is taken without asking, and the holder is told.
        question: Text of the question in place of our own.
        answer_days: So long a question stays open, to the end of that day in the program's zone.
        reminders: 0 to 3, spread evenly over that time.
        cooldown_days: After an answer, so long nobody asks this person about this application again.
        questions_per_day, removals_per_day: Caps of the program; what is over them waits for another day.
        uninstalls: Whether leaving the group uninstalls the application from the person's devices; only the text says so.
        fills: Whether the next person on the waiting list is added to the group when a seat becomes free.
        schedule: Five fields of cron in the program's zone; None: runs only by hand.
        price: Of one seat a month, where the group gives no SKU with a price.
        mode: The stricter of this and the installation counts.
    """

    name: str
    application: str
    source: str
    source_application: str | None = None
    unused_days: int = DEFAULT_WINDOW
    ask: bool = True
    question: str | None = None
    keep_decided_by: KeepDecides = KeepDecides.NOBODY
    on_silence: OnSilence = OnSilence.KEEP
    answer_days: int = 7
    reminders: int = 1
    cooldown_days: int = 90
    questions_per_day: int = 200
    removals_per_day: int = 50
    uninstalls: bool = True
    fills: bool = False
    schedule: str | None = None
    zone: str = "UTC"
    price: Money | None = None
    mode: WriteMode = WriteMode.LIVE

    @property
    def name_in_source(self) -> str:
        """How the usage source calls the application."""
        return self.source_application or self.application

    @property
    def cooldown(self) -> timedelta:
        """See `cooldown_days`."""
        return timedelta(days=self.cooldown_days)

    @property
    def by_absence(self) -> bool:
        """Whether the source tells only that the application is not installed."""
        return self.source in ABSENCE_SOURCES

    @property
    def takes_unapproved(self) -> bool:
        """Whether the program takes seats that no person gave up or judged."""
        return not self.ask or self.on_silence is OnSilence.REMOVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentProgram:
    """One program as stored.

    Attributes:
        group_id: Whose members hold the application; one running program per group.
        product_id: The SKU that the group gives, or `ids.application_id`: what questions and answers are about.
        owner_id: Who made it and is told how its runs went; `operator:*` from the command line.
        next_run_at: When the schedule is due next; None: it has none, or the program rests.
        version: Compare-and-set column.
    """

    id: ProgramId
    terms: Terms
    group_id: GroupId
    group_name: str
    product_id: ProductId
    state: ProgramState
    owner_id: PersonId
    created_at: datetime
    next_run_at: datetime | None = None
    version: int = 1

    def with_terms(self, terms: Terms) -> "ConsentProgram":
        """Return the program with other terms, one version on.

        Raises:
            Conflict: It has ended.
        """
        if self.state is ProgramState.ENDED:
            raise Conflict(f"{self.terms.name} has ended. Clone it to go on with its terms.")
        return replace(self, terms=terms, version=self.version + 1)

    def to(self, state: ProgramState) -> "ConsentProgram":
        """Return the program in another state.

        Raises:
            Conflict: It has ended, or it is in that state already.
        """
        if self.state is ProgramState.ENDED:
            raise Conflict(f"{self.terms.name} has ended.")
        if self.state is state:
            raise Conflict(f"{self.terms.name} is {state.value} already.")
        return replace(
            self,
            state=state,
            next_run_at=self.next_run_at if state is ProgramState.ACTIVE else None,
            version=self.version + 1,
        )


def product_of(group: Group) -> ProductId:
    """Return what membership of a group gives: its one SKU, else an application of its own.

    A group with several SKUs gives none of them alone; nobody is taken out of it by us either (`removal.group_blocker`).
    """
    return group.sku_ids[0] if len(group.sku_ids) == 1 else application_id(group.id)


def with_values(base: Mapping[str, object], values: Mapping[str, Value], *, sources: Mapping[str, str]) -> Terms:
    """Return terms from what somebody wrote, over what is there.

    Args:
        base: Fields of `Terms` that are known already.
        values: Name as in the TOML file → value; a text is read where a number or yes/no is expected, as it may be typed.
        sources: Name → what it is, of the usage sources that this installation has.

    Raises:
        InvalidRequest: A name is not known, a value does not fit, or the terms make no sense together; with the field.
    """
    found = dict(base)
    for name, value in values.items():
        reader = _READERS.get(name)
        if reader is None:
            raise InvalidRequest(f"A program has no “{name[:40]}”. It has: {', '.join(_READERS)}.", field=name)
        found[name] = reader(name, value)
    missing = [name for name in ("name", "application", "source") if not found.get(name)]
    if missing:
        raise InvalidRequest(f"A program needs {missing[0]}.", field=missing[0])
    terms = Terms(**found)  # type: ignore[arg-type]
    if terms.source not in sources:
        known = ", ".join(sources)
        raise InvalidRequest(f"There is no usage source “{terms.source}” here. There are: {known}.", field="source")
    if terms.by_absence and terms.takes_unapproved:
        raise InvalidRequest(
            f"{sources[terms.source]} tells only where an application is not installed, and it may be used without that. A"
            " program that goes by it asks, and silence does not remove: ask yes, on_silence keep or escalate.",
            field="source",
        )
    if terms.answer_days <= terms.reminders:
        raise InvalidRequest("So many reminders do not fit into the time to answer.", field="reminders")
    known_zone(terms.zone)
    return terms


def values_of(terms: Terms) -> dict[str, object]:
    """Return terms as the fields that `with_values` takes as a base."""
    return {one.name: getattr(terms, one.name) for one in fields(terms)}


def check_limits(terms: Terms, limits: Limits) -> None:
    """Refuse a program that could take more in a day, without a person's word for each seat, than the soft limit allows.

    A campaign of that size needs a second admin. A program runs again and again, so it may not come to it at all.

    Raises:
        InvalidRequest: It could.
    """
    if terms.takes_unapproved and terms.removals_per_day > limits.soft_seats:
        raise InvalidRequest(
            f"A program that removes without a person's answer may take at most {limits.soft_seats} a day."
            f" This one says {terms.removals_per_day}.",
            field="removals_per_day",
        )


def _text(longest: int) -> Callable[[str, Value], str]:
    def read(name: str, value: Value) -> str:
        if not isinstance(value, str):
            raise InvalidRequest(f"{name} is a text.", field=name)
        text = " ".join(value.split())
        if len(text) > longest:
            raise InvalidRequest(f"{name} may have at most {longest} characters.", field=name)
        if any(not one.isprintable() for one in text):
            raise InvalidRequest(f"{name} has characters that cannot be shown.", field=name)
        return text

    return read


def _optional(longest: int) -> Callable[[str, Value], str | None]:
    read = _text(longest)
    return lambda name, value: read(name, value) or None


def _number(least: int, most: int) -> Callable[[str, Value], int]:
    def read(name: str, value: Value) -> int:
        text = str(value).strip()
        if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and len(text) <= 6):
            raise InvalidRequest(f"{name} is a whole number from {least} to {most:,}.", field=name)
        if not least <= int(text) <= most:
            raise InvalidRequest(f"{name} is from {least} to {most:,}, not {int(text):,}.", field=name)
        return int(text)

    return read


def _yes(name: str, value: Value) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in ("yes", "no", "true", "false"):
        raise InvalidRequest(f"{name} is yes or no.", field=name)
    return word in ("yes", "true")


def _one_of(kind: type[StrEnum]) -> Callable[[str, Value], StrEnum]:
    def read(name: str, value: Value) -> StrEnum:
        try:
            return kind(str(value).strip().lower())
        except ValueError as error:
            known = ", ".join(kind)
            raise InvalidRequest(f"{name} is one of: {known}.", field=name) from error

    return read


def _price(name: str, value: Value) -> Money | None:
    words = str(value).split()
    if not words:
        return None
    said = InvalidRequest(f"{name} is what a seat costs a month, as “12.50 USD”.", field=name)
    if len(words) != 2:
        raise said
    amount, currency = words[0], words[1].upper()
    digits = minor_digits(currency)
    if not re.fullmatch(rf"\d{{1,7}}(\.\d{{1,{max(1, digits)}}})?", amount, re.ASCII):
        raise said
    whole, _, rest = amount.partition(".")
    try:
        return Money(int(whole) * 10**digits + int(rest.ljust(digits, "0")[:digits] or 0), currency)
    except ValueError as error:
        raise said from error


_READERS: Final[Mapping[str, Callable[[str, Value], object]]] = {
    "name": _text(NAME_LENGTH),
    "application": _text(APPLICATION_LENGTH),
    "source": lambda name, value: _text(20)(name, value).lower(),
    "source_application": _optional(200),
    "unused_days": _number(7, 3_650),
    "ask": _yes,
    "question": _optional(QUESTION_LENGTH),
    "keep_decided_by": _one_of(KeepDecides),
    "on_silence": _one_of(OnSilence),
    "answer_days": _number(1, 60),
    "reminders": _number(0, 3),
    "cooldown_days": _number(1, 3_650),
    "questions_per_day": _number(1, 100_000),
    "removals_per_day": _number(1, 100_000),
    "uninstalls": _yes,
    "fills": _yes,
    "schedule": _optional(100),
    "zone": _text(60),
    "price": _price,
    "mode": _one_of(WriteMode),
}
TERM_NAMES: Final = tuple(_READERS)
