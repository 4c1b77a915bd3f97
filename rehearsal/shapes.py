"""How people, groups and products look in Graph's JSON.

Sources: resources/user, resources/group ("returned only on $select"), resources/licenseassignmentstate,
resources/signinactivity, resources/subscribedsku, resources/licensedetails.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from rehearsal import errors
from rehearsal.catalog import Sku, by_id
from rehearsal.clock import text
from rehearsal.directory import Directory, Group
from rehearsal.people import DOMAIN, Person

Json = dict[str, Any]
MANAGER = "manager"
SIGN_IN_ACTIVITY = "signInActivity"

USER_DEFAULTS = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)

_USER: dict[str, Callable[[Directory, Person], object]] = {
    "id": lambda _, person: person.id,
    "businessPhones": lambda _, person: [],
    "displayName": lambda _, person: person.name,
    "givenName": lambda _, person: person.given_name,
    "surname": lambda _, person: person.surname,
    "jobTitle": lambda _, person: person.job,
    "mail": lambda _, person: person.mail,
    "mailNickname": lambda _, person: person.alias,
    "mobilePhone": lambda _, person: None,
    "officeLocation": lambda _, person: None,
    "preferredLanguage": lambda _, person: None,
    "proxyAddresses": lambda _, person: person.proxy_addresses,
    "userPrincipalName": lambda _, person: person.upn,
    "accountEnabled": lambda _, person: person.enabled,
    "companyName": lambda _, person: "Contoso",
    "createdDateTime": lambda _, person: text(person.created_at),
    "deletedDateTime": lambda _, person: None,
    "department": lambda _, person: person.department,
    "employeeId": lambda _, person: None,
    "employeeType": lambda _, person: person.employee_type,
    "isManagementRestricted": lambda _, person: person.restricted or None,
    "onPremisesSyncEnabled": lambda _, person: None,
    "usageLocation": lambda _, person: person.usage_location,
    "userType": lambda _, person: "Guest" if person.guest else "Member",
    "assignedLicenses": lambda _, person: _assigned_licenses(person),
    "licenseAssignmentStates": lambda directory, person: _assignment_states(directory, person),
}

_GROUP: dict[str, Callable[[Directory, Group], object]] = {
    "id": lambda _, group: group.id,
    "deletedDateTime": lambda _, group: None,
    "createdDateTime": lambda _, group: text(group.created_at),
    "description": lambda _, group: group.spec.name,
    "displayName": lambda _, group: group.spec.name,
    "groupTypes": lambda _, group: list(group.spec.group_types),
    "isAssignableToRole": lambda _, group: group.spec.role_assignable or None,
    "mail": lambda _, group: f"{group.spec.key}@{DOMAIN}" if group.spec.mail_enabled else None,
    "mailEnabled": lambda _, group: group.spec.mail_enabled,
    "mailNickname": lambda _, group: group.spec.key,
    "membershipRule": lambda _, group: group.spec.membership_rule,
    "membershipRuleProcessingState": lambda _, group: "On" if group.spec.dynamic else None,
    "onPremisesSyncEnabled": lambda _, group: group.spec.synced or None,
    "securityEnabled": lambda _, group: group.spec.security_enabled,
    "visibility": lambda _, group: "Private" if "Unified" in group.spec.group_types else None,
    "assignedLicenses": lambda _, group: _group_licenses(group),
    "hasMembersWithLicenseErrors": lambda directory, group: _has_license_errors(directory, group),
    "isManagementRestricted": lambda _, group: group.spec.restricted or None,
    "licenseProcessingState": lambda directory, group: _processing_state(directory, group),
}

_GROUP_ON_SELECT_ONLY = frozenset(
    {"assignedLicenses", "hasMembersWithLicenseErrors", "isManagementRestricted", "licenseProcessingState"}
)
GROUP_DEFAULTS = tuple(name for name in _GROUP if name not in _GROUP_ON_SELECT_ONLY)


def check_selectable(kind: str, names: Iterable[str]) -> None:
    """Refuse names that a user or group does not have, or that the practice tenant does not imitate.

    Raises:
        GraphError: A name is unknown (code and wording unverified).
    """
    properties = _properties(kind)
    for name in names:
        if name not in properties:
            raise errors.bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'.")


def known(kind: str, names: Iterable[str] | None) -> list[str] | None:
    """Return those of the names that a user or group has; None stays None, the default set."""
    return None if names is None else [name for name in names if name in _properties(kind)]


def user(directory: Directory, person: Person, select: Iterable[str] | None = None) -> Json:
    """Return a user with the selected properties; None gives the default set."""
    shape: Json = {}
    for name in USER_DEFAULTS if select is None else select:
        if name != SIGN_IN_ACTIVITY:
            shape[name] = _USER[name](directory, person)
        elif person.sign_ins is not None:
            shape[name] = _sign_in_activity(directory, person)
    return shape


def org_contact(directory: Directory, person: Person, select: Iterable[str] | None = None) -> Json:
    """Return the organizational contact who manages a person, with those of the properties that a contact has."""
    number = person.number
    whole: Json = {
        "id": directory.people.identities.named(f"contact/{number}"),
        "displayName": "External Lead",
        "mail": f"lead{number}@fabrikam.example",
    }
    chosen = whole.keys() if select is None else select
    return {"@odata.type": "#microsoft.graph.orgContact"} | {name: whole[name] for name in chosen if name in whole}


def group(directory: Directory, subject: Group, select: Iterable[str] | None = None) -> Json:
    """Return a group with the selected properties; None gives the default set."""
    return {name: _GROUP[name](directory, subject) for name in (GROUP_DEFAULTS if select is None else select)}


def subscribed_sku(directory: Directory, tenant_id: str, sku: Sku) -> Json:
    """Return a bought product with its lagging count of used seats."""
    units = directory.units[sku]
    return {
        "accountId": tenant_id,
        "accountName": "contoso",
        "appliesTo": sku.applies_to,
        "capabilityStatus": "Enabled",
        "consumedUnits": units.shown(directory.clock.now),
        "id": f"{tenant_id}_{sku.sku_id}",
        "prepaidUnits": {"enabled": units.bought, "lockedOut": 0, "suspended": 0, "warning": 0},
        "servicePlans": service_plans(sku),
        "skuId": sku.sku_id,
        "skuPartNumber": sku.part_number,
        "subscriptionIds": [directory.people.identities.named(f"subscription/{sku.sku_id}")],
    }


def license_details(directory: Directory, person: Person) -> list[Json]:
    """Return the products that a person holds, each once."""
    return [
        {
            "id": directory.people.identities.named(f"details/{person.number}/{sku.sku_id}"),
            "skuId": sku.sku_id,
            "skuPartNumber": sku.part_number,
            "servicePlans": service_plans(sku, disabled=_disabled_plans(person, sku)),
        }
        for sku in by_id(person.held_skus())
    ]


def service_plans(sku: Sku, disabled: Iterable[str] = ()) -> list[Json]:
    """Return the service plans of a product, some of them switched off."""
    return [
        {
            "servicePlanId": plan.plan_id,
            "servicePlanName": plan.name,
            "provisioningStatus": "Disabled" if plan.plan_id in disabled else "Success",
            "appliesTo": "Company" if plan.name == "EXCHANGE_S_FOUNDATION" else "User",
        }
        for plan in sku.plans
    ]


def _properties(kind: str) -> Collection[str]:
    return _GROUP.keys() if kind == "group" else _USER.keys() | {SIGN_IN_ACTIVITY}


def _disabled_plans(person: Person, sku: Sku) -> tuple[str, ...]:
    """Return the plans of a product that are off on every path."""
    paths = [license_.disabled_plans for license_ in person.licenses if license_.sku == sku and license_.counts]
    return tuple(plan for plan in paths[0] if all(plan in path for path in paths[1:]))


def _assigned_licenses(person: Person) -> list[Json]:
    return [
        {"disabledPlans": list(_disabled_plans(person, sku)), "skuId": sku.sku_id} for sku in by_id(person.held_skus())
    ]


def _assignment_states(directory: Directory, person: Person) -> list[Json]:
    return [
        {
            "skuId": license_.sku.sku_id,
            "disabledPlans": list(license_.disabled_plans),
            "assignedByGroup": None if license_.group is None else directory.group_by_key(license_.group).id,
            "state": license_.state,
            "error": license_.error or "None",
            "lastUpdatedDateTime": text(license_.updated_at),
        }
        for license_ in person.licenses
    ]


def _sign_in_activity(directory: Directory, person: Person) -> Json | None:
    if person.sign_ins is None:
        return None
    now = person.sign_ins.at(directory.clock.now)
    told: dict[int | None, tuple[str | None, str | None]] = {None: (None, None)}
    for instant in (now.interactive, now.background, now.successful):
        if instant is None or instant in told:
            continue
        name = f"sign-in/{person.number}/{instant}"
        told[instant] = (text(instant), directory.people.identities.named(name))
    attempt, attempt_id = told[now.interactive]
    background, background_id = told[now.background]
    success, success_id = told[now.successful]
    return {
        "lastSignInDateTime": attempt,
        "lastSignInRequestId": attempt_id,
        "lastNonInteractiveSignInDateTime": background,
        "lastNonInteractiveSignInRequestId": background_id,
        "lastSuccessfulSignInDateTime": success,
        "lastSuccessfulSignInRequestId": success_id,
    }


def _group_licenses(subject: Group) -> list[Json]:
    return [{"disabledPlans": [], "skuId": sku.sku_id} for sku in by_id(subject.spec.skus)]


def _has_license_errors(directory: Directory, subject: Group) -> bool:
    return any(
        license_.group == subject.spec.key and license_.error is not None
        for number in subject.members
        for license_ in directory.person(number).licenses
    )


def _processing_state(directory: Directory, subject: Group) -> Json | None:
    if not subject.spec.skus:
        return None
    return {"state": "ProcessingInProgress" if directory.is_processing(subject) else "ProcessingComplete"}
