"""Who is behind the ids of people and groups: names as cards and refusals show them, and the members of groups."""

from collections.abc import Iterable

from reclaim.domain.ids import AssigneeId, GroupId, PersonId
from reclaim.domain.review import ReviewItem
from reclaim.ports.storage import UnitOfWork


async def names_of(work: UnitOfWork, ids: Iterable[AssigneeId | None]) -> dict[AssigneeId, str]:
    """Return the name of each person or group that is known; None is passed over."""
    wanted = {one for one in ids if one is not None}
    people = await work.people.get_many(PersonId(one) for one in wanted)
    found: dict[AssigneeId, str] = {person: one.shown_name for person, one in people.items()}
    groups = await work.catalog.groups({GroupId(one) for one in wanted} - found.keys())
    return found | {group: one.name for group, one in groups.items()}


async def members_of(work: UnitOfWork, items: Iterable[ReviewItem]) -> dict[GroupId, frozenset[PersonId]]:
    """Return who can review in the groups that have these items."""
    groups = {item.group_id for item in items if item.group_id is not None}
    return await work.people.reviewers_in(groups) if groups else {}
