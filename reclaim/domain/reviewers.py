"""Who reviews a seat: one pure function per strategy, with a fallback. Nobody ever reviews their own seat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reclaim.domain.campaign import Strategy
from reclaim.domain.directory import Person
from reclaim.domain.ids import PersonId
from reclaim.domain.review import AssignedHow, FallbackWhy


@dataclass(frozen=True, slots=True)
class Assignment:
    """The reviewer and how they were found; `person_id` None means that nobody can review, so the seat is kept."""

    person_id: PersonId | None
    how: AssignedHow
    reason: str | None = None


def by_manager(
    holder: Person, people: Mapping[PersonId, Person], reviewer_id: PersonId | None
) -> Assignment | FallbackWhy:
    """The holder's manager, if there is an enabled one."""
    manager = people.get(holder.manager_id) if holder.manager_id else None
    if manager is None:
        return FallbackWhy.NO_MANAGER
    if not manager.can_review:
        return FallbackWhy.MANAGER_DISABLED
    return Assignment(manager.id, AssignedHow.MANAGER)


def by_person(
    holder: Person, people: Mapping[PersonId, Person], reviewer_id: PersonId | None
) -> Assignment | FallbackWhy:
    """One named person for everything."""
    reviewer = people.get(reviewer_id) if reviewer_id else None
    if reviewer is None or not reviewer.can_review:
        return FallbackWhy.MANAGER_DISABLED
    return Assignment(reviewer.id, AssignedHow.PERSON)


REVIEWER_STRATEGIES: Mapping[
    Strategy, Callable[[Person, Mapping[PersonId, Person], PersonId | None], Assignment | FallbackWhy]
] = {Strategy.MANAGER: by_manager, Strategy.PERSON: by_person}


def assign(
    strategy: Strategy,
    holder: Person,
    *,
    people: Mapping[PersonId, Person],
    reviewer_id: PersonId | None,
    fallback_id: PersonId | None,
) -> Assignment:
    """Return the reviewer of one seat.

    Args:
        people: At least the holder's manager, the named reviewer and the fallback reviewer.
    """
    found = REVIEWER_STRATEGIES[strategy](holder, people, reviewer_id)
    if isinstance(found, Assignment) and found.person_id != holder.id:
        return found
    why = found if isinstance(found, FallbackWhy) else FallbackWhy.OWN_SEAT
    fallback = people.get(fallback_id) if fallback_id else None
    if fallback is None or not fallback.can_review or fallback.id == holder.id:
        return Assignment(None, AssignedHow.FALLBACK, why.value)
    return Assignment(fallback.id, AssignedHow.FALLBACK, why.value)
