"""Find the one person whom somebody names."""

from collections.abc import Sequence

from reclaim.domain.directory import Person
from reclaim.domain.ids import PersonId
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork

_CANDIDATES = 5


async def find_person(reading: UnitOfWork, text: str) -> Person:
    """Return the person whom `text` names: id, user principal name, mail, or part of the name.

    Raises:
        NotFound: Nobody matches.
        InvalidRequest: Several people match; the message names them.
    """
    by_id = await reading.people.get(PersonId(text.lower()))
    if by_id is not None:
        return by_id
    found = await reading.people.search(text, _CANDIDATES + 1)
    exact = [person for person in found if _is_exactly(person, text.casefold())]
    candidates = exact or found
    if not candidates:
        raise NotFound(f"Nobody matches “{text}”.")
    if len(candidates) > 1:
        raise InvalidRequest(_which(text, candidates), field="person")
    return candidates[0]


def _is_exactly(person: Person, wanted: str) -> bool:
    return wanted in (person.upn.casefold(), (person.mail or "").casefold(), person.name.casefold())


def _which(wanted: str, found: Sequence[Person]) -> str:
    names = ", ".join(f"{person.shown_name} ({person.upn})" for person in found[:_CANDIDATES])
    more = " and more" if len(found) > _CANDIDATES else ""
    return f"Several people match “{wanted}”: {names}{more}. Use the address in brackets."
