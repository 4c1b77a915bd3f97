"""The person, or the group, that a text means: by id, address or name; a typo is answered with the nearest names."""

import difflib
from collections.abc import Iterable, Sequence

from reclaim.domain.directory import Group, Person
from reclaim.domain.ids import GroupId, PersonId
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork

_CANDIDATES = 5
_NEAR = 40  # people whose names begin alike, among whom the nearest are looked for
_NEAREST = 3
_LIKE_ENOUGH = 0.6


async def find_person(reading: UnitOfWork, text: str, *, field: str = "person") -> Person:
    """Return the one person still there that the text means.

    Raises:
        NotFound: Nobody matches; the message names the nearest.
        InvalidRequest: Several match; the message names their addresses.
    """
    wanted = text.strip()
    by_id = await reading.people.get(PersonId(wanted.lower()))
    if by_id is not None:
        return by_id
    found = await reading.people.search(wanted, _CANDIDATES + 1) if wanted else []
    exact = [person for person in found if _is_exactly(person, wanted.casefold())]
    candidates = exact or found
    if not candidates:
        raise NotFound(f"Nobody matches “{wanted}”.{await _nearest(reading, wanted)}")
    if len(candidates) > 1:
        raise InvalidRequest(_which(wanted, candidates), field=field)
    return candidates[0]


async def find_group(reading: UnitOfWork, text: str, *, field: str = "group") -> GroupId:
    """Return the group that the text means: one that was read, by name or id, or any other by its object id.

    Raises:
        NotFound: No group that was read has that name; the message names the nearest.
        InvalidRequest: Several have it.
    """
    wanted = text.strip()
    groups = await reading.catalog.groups()
    if GroupId(wanted.lower()) in groups or is_object_id(wanted):
        return GroupId(wanted.lower())
    exact = [group for group in groups.values() if group.name.casefold() == wanted.casefold()]
    if len(exact) > 1:
        ids = ", ".join(group.id for group in exact[:_CANDIDATES])
        raise InvalidRequest(f"Several groups are called “{wanted}”: {ids}. Use the id.", field=field)
    if not exact:
        raise NotFound(f"No group that was read is called “{wanted}”.{_near_groups(groups.values(), wanted)}")
    return exact[0].id


def did_you_mean(text: str, names: Sequence[str]) -> str:
    """Return " Did you mean Megan Bowen or Megan Bauer?", or nothing where no name is near."""
    by_fold = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(text.casefold(), list(by_fold), n=_NEAREST, cutoff=_LIKE_ENOUGH)
    return f" Did you mean {' or '.join(by_fold[one] for one in near)}?" if near else ""


async def _nearest(reading: UnitOfWork, wanted: str) -> str:
    """Look among those of whom a word begins alike: a typo seldom sits in the first letters of every word."""
    names: dict[str, None] = {}
    for word in wanted.split()[:4]:
        if len(word) > 2:
            names |= dict.fromkeys(person.shown_name for person in await reading.people.search(word[:3], _NEAR))
    return did_you_mean(wanted, list(names))


def _near_groups(groups: Iterable[Group], wanted: str) -> str:
    near = did_you_mean(wanted, [group.name for group in groups])
    return near or " A group without licenses is named by its object id."


def _is_exactly(person: Person, wanted: str) -> bool:
    return wanted in (person.upn.casefold(), (person.mail or "").casefold(), person.name.casefold())


def _which(wanted: str, found: Sequence[Person]) -> str:
    names = ", ".join(f"{person.shown_name} ({person.upn})" for person in found[:_CANDIDATES])
    more = " and more" if len(found) > _CANDIDATES else ""
    return f"Several people match “{wanted}”: {names}{more}. Use the address in brackets."


def is_object_id(text: str) -> bool:
    """Say whether a text has the form of an object id."""
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        character in "0123456789abcdefABCDEF" for part in parts for character in part
    )
