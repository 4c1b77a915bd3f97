"""Which service plans work only beside another one, so that Microsoft refuses to take that one away alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from reclaim.domain.directory import Seat, ServicePlan, Sku
from reclaim.domain.ids import ProductId

PlanNeeds = Mapping[str, frozenset[str]]
"""Id of a service plan → ids of those of which it needs one."""

# Ids as in Microsoft's product names and service plan identifiers.
_SKYPE: Final = "0feaeb32-d00e-4d66-bd5a-43b5b83db82c"  # MCOSTANDARD
_TEAMS: Final = "57ff2da0-773e-42df-b2af-ffb7a2317929"  # TEAMS1
_MAIL: Final = frozenset(
    {
        "9aaf7827-d63c-4b61-89c3-182f06f82e5c",  # EXCHANGE_S_STANDARD
        "efb87545-963c-4e0d-99df-69c6916d9eb0",  # EXCHANGE_S_ENTERPRISE
    }
)
# Microsoft publishes no list. These are from the Entra docs (licensing-groups-resolve-problems: Audio Conferencing on Skype
# for Business, Workplace Analytics on Exchange) and from refusals that others have shown; where Teams has taken the place of
# Skype, it counts too. Every refusal that Reclaim gets adds what it names.
KNOWN: Final[PlanNeeds] = {
    "3e26ee1f-8a5f-4d52-aee2-b81ce45c8f40": frozenset({_SKYPE, _TEAMS}),  # MCOMEETADV, Audio Conferencing
    "4828c8ec-dc2e-4779-b502-87ac9ce28ab7": frozenset({_SKYPE, _TEAMS}),  # MCOEV, Teams Phone
    "f477b0f0-3bb1-4890-940c-40fcee6ce05f": _MAIL,  # WORKPLACE_ANALYTICS
    "fe71d6c3-a2ea-4499-9778-da042bf08063": frozenset(  # SHAREPOINT_PROJECT on SHAREPOINTENTERPRISE
        {"5dbe027f-2339-4123-9542-606e4d348a72"}
    ),
}


def knowing(plans: Iterable[ServicePlan], learnt: PlanNeeds) -> tuple[ServicePlan, ...]:
    """Return the plans with what they need; what a tenant's own refusals have taught comes before `KNOWN`."""
    known = {**KNOWN, **learnt}
    return tuple(replace(plan, needs=known.get(plan.id.lower(), frozenset())) for plan in plans)


def switched_on(seat: Seat, skus: Mapping[ProductId, Sku]) -> list[ServicePlan]:
    """Return the service plans that a seat gives: one is off only if every path that gives the seat disables it."""
    giving = [path for path in seat.paths if path.gives_seat]
    sku = skus.get(seat.product_id)
    if not giving or sku is None:
        return []
    off = set.intersection(*(set(path.disabled_plans) for path in giving))
    return [plan for plan in sku.plans if plan.id not in off]


def dependents(seat: Seat, others: Sequence[Seat], skus: Mapping[ProductId, Sku]) -> list[Seat]:
    """Return the person's other seats that need a service plan which, of all their seats, only `seat` gives."""
    given = _ids(switched_on(seat, skus))
    rest = [other for other in others if other.id != seat.id]
    needing = [(other, plan) for other in rest for plan in switched_on(other, skus) if plan.needs & given]
    if not needing:
        return []
    elsewhere = _ids(plan for other in rest for plan in switched_on(other.sound_part, skus))
    found = {other.id: other for other, plan in needing if not plan.needs & elsewhere}
    return list(found.values())


def dependents_first(needed_by: Mapping[ProductId, Collection[ProductId]]) -> list[ProductId]:
    """Return the products so that each comes after those that need it; what needs itself in a circle keeps its place."""
    rest, found = list(needed_by), list[ProductId]()
    while rest:
        free = [one for one in rest if not set(needed_by[one]) & (set(rest) - {one})] or rest
        found += free
        rest = [one for one in rest if one not in free]
    return found


def _ids(plans: Iterable[ServicePlan]) -> set[str]:
    return {plan.id for plan in plans}
