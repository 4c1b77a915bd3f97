"""POST /users/{id}/assignLicense: what it accepts, what it refuses, and that it does all or nothing.

Source: user-assignlicense and the error catalogue that `errors` names line by line.
"""

from rehearsal import errors
from rehearsal.catalog import PLAN_NEEDS, SKUS_BY_ID, Sku
from rehearsal.directory import Directory
from rehearsal.identity import is_guid
from rehearsal.people import License, Person

_PARAMETERS = ("addLicenses", "removeLicenses")


def assign_license(directory: Directory, person: Person, body: object, client_request_id: str | None) -> None:
    """Add and remove direct licenses of one person in one step.

    Raises:
        GraphError: Any part cannot be done; then nothing is done.
    """
    additions, removals = _parse(body)
    if person.restricted:
        raise errors.access_denied()
    direct = _without(person, removals)
    for sku, disabled_plans in additions:
        _check_addition(directory, person, sku, freed=sku.sku_id in removals)
        direct = [license_ for license_ in direct if license_.sku != sku]
        direct.append(License(sku, None, directory.clock.now, disabled_plans))
    _check_needs(person, direct)
    directory.replace_direct_licenses(person.number, direct, client_request_id)


def _parse(body: object) -> tuple[list[tuple[Sku, tuple[str, ...]]], list[str]]:
    if not isinstance(body, dict):
        raise errors.missing_parameters(list(_PARAMETERS))
    missing = [name for name in _PARAMETERS if body.get(name) is None]
    if missing:
        raise errors.missing_parameters(missing)
    for name in body:
        if name not in _PARAMETERS:
            raise errors.unknown_parameter(str(name))
    additions, removals = body["addLicenses"], body["removeLicenses"]
    if not isinstance(additions, list) or not isinstance(removals, list):
        raise errors.bad_request("A collection was expected for 'addLicenses' and 'removeLicenses'.")
    if not additions and not removals:
        raise errors.nothing_to_change()
    return [_parse_addition(entry) for entry in additions], [_parse_guid(entry) for entry in removals]


def _parse_addition(entry: object) -> tuple[Sku, tuple[str, ...]]:
    if not isinstance(entry, dict):
        raise errors.bad_request("A value of type 'microsoft.graph.assignedLicense' was expected.")
    sku_id = _parse_guid(entry.get("skuId"))
    if sku_id not in SKUS_BY_ID:
        raise errors.unknown_sku(sku_id)
    sku = SKUS_BY_ID[sku_id]
    plans = entry.get("disabledPlans") or []
    if not isinstance(plans, list):
        raise errors.bad_request("A collection was expected for 'disabledPlans'.")
    disabled_plans = tuple(_parse_guid(plan) for plan in plans)
    unknown = set(disabled_plans) - {plan.plan_id for plan in sku.plans}
    if unknown:
        raise errors.bad_request(f"Service plan {min(unknown)} is not part of the license {sku_id}.")
    return sku, disabled_plans


def _parse_guid(value: object) -> str:
    if not isinstance(value, str) or not is_guid(value):
        raise errors.bad_request("Cannot convert a value to target type 'Edm.Guid' because of conversion error.")
    return value.lower()


def _without(person: Person, removals: list[str]) -> list[License]:
    direct = [license_ for license_ in person.licenses if license_.group is None]
    for sku_id in removals:
        if any(license_.sku.sku_id == sku_id for license_ in direct):
            continue
        if any(license_.sku.sku_id == sku_id for license_ in person.licenses):
            raise errors.inherited_license()
        raise errors.no_such_license()
    return [license_ for license_ in direct if license_.sku.sku_id not in removals]


def _check_addition(directory: Directory, person: Person, sku: Sku, *, freed: bool) -> None:
    if not sku.assignable:
        raise errors.not_for_users(sku.sku_id)
    if person.usage_location is None:
        raise errors.invalid_usage_location()
    if not freed and sku not in person.held_skus() and directory.units[sku].free == 0:
        raise errors.no_available_licenses(sku.sku_id)


def _check_needs(person: Person, direct: list[License]) -> None:
    """Refuse a change after which a service plan would miss another one that it needs and had, or that comes without it."""
    before = _plans(person.licenses)
    after = _plans([*direct, *(license_ for license_ in person.licenses if license_.group is not None)])
    for plan, needed in PLAN_NEEDS.items():
        if plan in after and needed not in after and (needed in before or plan not in before):
            raise errors.dependent_plan(plan, needed)


def _plans(licenses: list[License]) -> set[str]:
    """Return the ids of all service plans that are on."""
    return {
        plan.plan_id
        for license_ in licenses
        if license_.counts
        for plan in license_.sku.plans
        if plan.plan_id not in license_.disabled_plans
    }
