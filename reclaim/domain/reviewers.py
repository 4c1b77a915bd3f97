"""Who reviews a seat: one pure function per strategy, with a fallback. Nobody ever reviews their own seat."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field

from reclaim.domain.campaign import Strategy
from reclaim.domain.directory import AssigneeKind, Person, ProductOwner
from reclaim.domain.ids import AssigneeId, GroupId, PersonId, ProductId
from reclaim.domain.review import AssignedHow, FallbackWhy


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who has a seat and how they were found.

    Attributes:
        assignee_id: None means that nobody can review, so the seat is kept.
        reason: A value of `FallbackWhy` where the fallback stands in.
    """

    assignee_id: AssigneeId | None
    how: AssignedHow
    reason: str | None = None
    kind: AssigneeKind = AssigneeKind.PERSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """All that a strategy may choose from.

    Attributes:
        people: At least the holders' managers, the owners who are people, the named reviewer and the fallback reviewer.
        reviewer_id: The one person of `Strategy.PERSON`.
        owners: Per product; a product without one has no owner.
        members: Of the groups that own products, those who can review, as last read. A group that the newest sync did not
            read is missing.
    """

    people: Mapping[PersonId, Person]
    reviewer_id: PersonId | None = None
    fallback_id: PersonId | None = None
    owners: Mapping[ProductId, ProductOwner] = field(default_factory=dict)
    members: Mapping[GroupId, Set[PersonId]] = field(default_factory=dict)


def by_manager(holder: Person, product: ProductId, among: Candidates) -> Assignment | FallbackWhy:
    """The holder's manager, if there is an enabled one."""
    manager = among.people.get(holder.manager_id) if holder.manager_id else None
    if manager is None:
        return FallbackWhy.NO_MANAGER
    if not manager.can_review:
        return FallbackWhy.MANAGER_DISABLED
    return Assignment(manager.id, AssignedHow.MANAGER)


def by_owner(holder: Person, product: ProductId, among: Candidates) -> Assignment | FallbackWhy:
    """The license owner of the product: a person who can review, or a group with a member who can and is not the holder."""
    owner = among.owners.get(product)
    if owner is None:
        return FallbackWhy.NO_OWNER
    if owner.kind is AssigneeKind.GROUP:
        members = among.members.get(GroupId(owner.owner))
        if members is None:
            return FallbackWhy.GROUP_UNREAD
        if not members - {holder.id}:
            return FallbackWhy.GROUP_EMPTY
        return Assignment(owner.owner, AssignedHow.OWNER, kind=AssigneeKind.GROUP)
    person = among.people.get(PersonId(owner.owner))
    if person is None or person.gone_at is not None:
        return FallbackWhy.OWNER_GONE
    if not person.can_review:
        return FallbackWhy.OWNER_DISABLED
    return Assignment(person.id, AssignedHow.OWNER)


def by_person(holder: Person, product: ProductId, among: Candidates) -> Assignment | FallbackWhy:
    """One named person for everything."""
    reviewer = among.people.get(among.reviewer_id) if among.reviewer_id else None
    if reviewer is None or not reviewer.can_review:
        return FallbackWhy.MANAGER_DISABLED
    return Assignment(reviewer.id, AssignedHow.PERSON)


REVIEWER_STRATEGIES: Mapping[Strategy, Callable[[Person, ProductId, Candidates], Assignment | FallbackWhy]] = {
    Strategy.MANAGER: by_manager,
    Strategy.OWNER: by_owner,
    Strategy.PERSON: by_person,
}


def assign(strategy: Strategy, holder: Person, product: ProductId, among: Candidates) -> Assignment:
    """Return who reviews one seat; the reason is kept where the fallback stands in."""
    found = REVIEWER_STRATEGIES[strategy](holder, product, among)
    if isinstance(found, Assignment) and found.assignee_id != holder.id:
        return found
    why = found if isinstance(found, FallbackWhy) else FallbackWhy.OWN_SEAT
    fallback = among.people.get(among.fallback_id) if among.fallback_id else None
    if fallback is None or not fallback.can_review or fallback.id == holder.id:
        return Assignment(None, AssignedHow.FALLBACK, why.value)
    return Assignment(fallback.id, AssignedHow.FALLBACK, why.value)
