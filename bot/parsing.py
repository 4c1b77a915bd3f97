"""From what somebody typed or filled in to values. Everything here is untrusted; a mistake names its field."""

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from reclaim.domain.calendar import parse_day
from reclaim.domain.ids import PersonId
from reclaim.errors import InvalidRequest

MAX_TEXT = 1_000
MAX_TICKS = 200
LIKE_ENOUGH = 0.6  # of difflib: one wrong, missing or swapped letter in a word of four
# Phones and word processors turn what is typed into these.
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"'})
_DASHES = ("\u2014", "\u2013", "\u2012", "\u2015")

_ONE_DASH = re.compile("-[A-Za-z]")

Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What stands behind a verb."""

    words: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of an option that may be given several times."""
        return self.lists.get(name, ())

    def choice(self, name: str, kind: type[Kind]) -> Kind | None:
        """Return an option as one of a few, or None if it is not given.

        Raises:
            InvalidRequest: It is none of them.
        """
        value = self.options.get(name)
        if value is None:
            return None
        try:
            return kind(value.lower())
        except ValueError as error:
            known = ", ".join(one.value for one in kind)
            raise InvalidRequest(
                f"“{value[:40]}” does not fit --{name}. Choose one of: {known}.", field=name
            ) from error

    @property
    def text(self) -> str | None:
        """All words as one text, or None if there are none."""
        return " ".join(self.words) or None

    def number(self, name: str) -> int | None:
        """Return an option as a whole number.

        Raises:
            InvalidRequest: It is none.
        """
        value = self.options.get(name)
        return None if value is None else whole(value, name)


def split(text: str) -> tuple[str, ...]:
    """Split a command into words; a text in quotation marks is one word, an apostrophe is a letter.

    Raises:
        InvalidRequest: The text is too long, or a quotation mark has no partner.
    """
    if len(text) > MAX_TEXT:
        raise InvalidRequest(f"Please use at most {MAX_TEXT:,} characters.")
    reader = shlex.shlex(text.translate(_QUOTES), posix=True)
    reader.whitespace_split = True
    reader.quotes = '"'
    reader.escape = ""
    reader.commenters = ""
    try:
        words = tuple(reader)
    except ValueError as error:
        raise InvalidRequest("A quotation mark has no partner.") from error
    return tuple(_with_plain_dashes(word) for word in words)


def without_prefix(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop a leading `/reclaim`: in a chat with Reclaim alone it may be typed or not."""
    if words and words[0].lower() in ("/reclaim", "reclaim"):
        return words[1:]
    return words


def arguments(
    words: Iterable[str],
    *,
    options: frozenset[str],
    flags: frozenset[str],
    lists: frozenset[str] = frozenset(),
) -> Arguments:
    """Read `--name value`, `--name=value` and `--flag`; all else is words. `lists` are options that may be repeated.

    Raises:
        InvalidRequest: An option is not known, is given twice, or has no value.
    """
    plain: list[str] = []
    given: dict[str, str] = {}
    several: dict[str, tuple[str, ...]] = {}
    raised: set[str] = set()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if _ONE_DASH.match(word) and word[1:].partition("=")[0].lower() in options | flags | lists:
            raise InvalidRequest(_unknown_option(word, options | flags | lists))
        if not word.startswith("--") or word == "--":
            plain.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        name = name.lower()
        if name in flags and not equals:
            raised.add(name)
            continue
        if name in flags:
            raise InvalidRequest(f"“--{name}” takes no value.", field=name)
        if name not in options | lists:
            raise InvalidRequest(_unknown_option(word, options | flags | lists))
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise InvalidRequest(f"“--{name}” needs a value.", field=name)
            value = rest.pop(0)
        if name in lists:
            several[name] = (*several.get(name, ()), value)
            continue
        if name in given:
            raise InvalidRequest(f"“--{name}” is given twice.", field=name)
        given[name] = value
    return Arguments(words=tuple(plain), options=given, flags=frozenset(raised), lists=several)


def nearest_word(word: str, known: Iterable[str]) -> str | None:
    """Return the nearest of some words, or None if none is near."""
    found = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=LIKE_ENOUGH)
    return found[0] if found else None


def _unknown_option(word: str, known: frozenset[str]) -> str:
    near = nearest_word(word.lstrip("-").partition("=")[0], known)
    hint = f" Did you mean --{near}?" if near else ""
    return f"“{word.partition('=')[0][:40]}” is not known here.{hint}"


def whole(text: str, name: str) -> int:
    """Return a whole number of at most six digits.

    Raises:
        InvalidRequest: It is none.
    """
    value = text.strip()
    if not (value.isascii() and value.isdecimal() and len(value) <= 6):
        raise InvalidRequest(f"“{text[:40]}” is not a whole number.", field=name)
    return int(value)


def ticks(inputs: Mapping[str, str]) -> dict[str, bool]:
    """Return the tick boxes of a card: reference → ticked.

    Raises:
        InvalidRequest: A box holds something else than true or false, or there are too many.
    """
    found: dict[str, bool] = {}
    for name, value in inputs.items():
        if not name.startswith("t."):
            continue
        if value not in ("true", "false") or len(name) > MAX_TEXT:
            raise InvalidRequest("A box can be ticked or not, nothing else.")
        found[name[2:]] = value == "true"
    if len(found) > MAX_TICKS:
        raise InvalidRequest(f"Please tick at most {MAX_TICKS} boxes at once.")
    return found


def text_of(inputs: Mapping[str, str], name: str, *, longest: int = MAX_TEXT) -> str:
    """Return a text field without the spaces around it; empty if it was not filled in.

    Raises:
        InvalidRequest: It is too long.
    """
    value = inputs.get(name, "").strip()
    if len(value) > longest:
        raise InvalidRequest(f"Please use at most {longest:,} characters.", field=name)
    return value


def choice_of(inputs: Mapping[str, str], name: str, kind: type[Kind]) -> Kind | None:
    """Return a choice, or None if nothing was picked.

    Raises:
        InvalidRequest: It is none of those offered.
    """
    value = inputs.get(name, "")
    if not value:
        return None
    try:
        return kind(value)
    except ValueError as error:
        raise InvalidRequest("Please pick one of these.", field=name) from error


def day_of(inputs: Mapping[str, str], name: str) -> date | None:
    """Return a day, or None if the field is empty.

    Raises:
        InvalidRequest: It is not a day as 2026-12-04.
    """
    value = text_of(inputs, name, longest=40)
    if not value:
        return None
    try:
        return parse_day(value)
    except InvalidRequest as error:
        raise InvalidRequest(error.message, field=name) from error


def flag_of(inputs: Mapping[str, str], name: str) -> bool:
    """Return whether a box is ticked.

    Raises:
        InvalidRequest: It holds something else than true or false.
    """
    value = inputs.get(name, "false")
    if value not in ("true", "false", ""):
        raise InvalidRequest("A box can be ticked or not, nothing else.", field=name)
    return value == "true"


def person_of(inputs: Mapping[str, str], name: str) -> PersonId | None:
    """Return the person picked, or None. Whether there is such a person is for the service to say.

    Raises:
        InvalidRequest: This cannot be a person's id.
    """
    value = text_of(inputs, name, longest=100)
    if value and not all(c.isalnum() or c in "-_:" for c in value):
        raise InvalidRequest("Please pick a person from the list.", field=name)
    return PersonId(value.lower()) if value else None


def _with_plain_dashes(word: str) -> str:
    for dash in _DASHES:
        if word.startswith(dash):
            return "--" + word[len(dash) :].lstrip("-")
    return word
