"""Exclusions with the names behind their ids: for the list, the spend card and `/reclaim why`."""

from collections.abc import Iterable, Mapping

from reclaim.domain.directory import Group, Person, Sku
from reclaim.domain.exclusions import LISTED, Exclusion, ExclusionId, ExclusionKind
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.domain.read_models import ExclusionView
from reclaim.ports.storage import UnitOfWork
from reclaim.services.attesting import SYSTEM


async def view_exclusions(reading: UnitOfWork, seats: Mapping[ExclusionId, int]) -> tuple[ExclusionView, ...]:
    """Return the exclusions that hold so many seats each, most first."""
    found = await reading.exclusions.get_many(seats)
    views = await name_exclusions(reading, found.values(), seats)
    return tuple(sorted(views, key=lambda view: (-(view.seats or 0), view.exclusion.id)))


async def name_exclusions(
    reading: UnitOfWork,
    exclusions: Iterable[Exclusion],
    seats: Mapping[ExclusionId, int] | None = None,
    *,
    people: bool = False,
) -> list[ExclusionView]:
    """Return exclusions in the order given, with names.

    Args:
        seats: Those that each holds.
        people: Whether to count who is on their lists.
    """
    shown = list(exclusions)
    listing = [one for one in shown if one.kind in LISTED] if people else []
    sizes = await reading.people_lists.sizes(listing) if listing else {}
    named = await reading.people.get_many(
        {PersonId(one.value) for one in shown if one.kind is ExclusionKind.PERSON} | {one.by for one in shown}
    )
    skus = await reading.catalog.skus() if shown else {}
    groups = await reading.catalog.groups({GroupId(one.value) for one in shown if one.kind is ExclusionKind.GROUP})
    return [
        ExclusionView(
            exclusion=one,
            value=_value(one, named, skus, groups),
            by_name=_by(one, named),
            seats=None if seats is None else seats.get(one.id, 0),
            people=sizes.get(one.id, 0) if one in listing else None,
        )
        for one in shown
    ]


def _by(one: Exclusion, people: Mapping[PersonId, Person]) -> str:
    if one.by == SYSTEM:
        return "Reclaim, by default"
    return people[one.by].shown_name if one.by in people else one.by


def _value(
    one: Exclusion,
    people: Mapping[PersonId, Person],
    skus: Mapping[ProductId, Sku],
    groups: Mapping[GroupId, Group],
) -> str:
    match one.kind:
        case ExclusionKind.PERSON:
            person = people.get(PersonId(one.value))
            return person.shown_name if person else one.value
        case ExclusionKind.PRODUCT:
            sku = skus.get(ProductId(one.value))
            return sku.name if sku else one.value
        case ExclusionKind.GROUP:
            group = groups.get(GroupId(one.value))
            return group.name if group else one.value
        case ExclusionKind.GUESTS | ExclusionKind.ADMIN_ROLES | ExclusionKind.AWAY:
            return ""
        case ExclusionKind.DEPARTMENT | ExclusionKind.EMPLOYEE_TYPE | ExclusionKind.NAME:
            return one.value
