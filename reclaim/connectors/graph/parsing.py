"""From Graph's objects to ours, with the properties to ask for: one function per kind.

Strict where a wrong reading would take a seat away, tolerant where Microsoft's own words are open: every parser raises
DirectoryError rather than guess. Source: Microsoft Graph docs, resource types user, licenseAssignmentState,
signInActivity, subscribedSku, group.
"""

import re
from datetime import datetime

from reclaim.connectors.graph.fields import Record
from reclaim.connectors.graph.sku_names import SkuNames
from reclaim.domain.activity import SignIns
from reclaim.domain.directory import Group, Path, Person, Seat, ServicePlan, Sku
from reclaim.domain.ids import GroupId, PersonId, ProductId, seat_id
from reclaim.ports.directory import PersonRow, SignInRow

PERSON_FIELDS = (
    "id,displayName,userPrincipalName,mail,accountEnabled,userType,usageLocation,createdDateTime,employeeType,department,"
    "proxyAddresses,licenseAssignmentStates"
)
SIGN_INS = "signInActivity"
MANAGER = "manager($select=id)"
GROUP_FIELDS = (
    "id,displayName,groupTypes,securityEnabled,mailEnabled,onPremisesSyncEnabled,isAssignableToRole,isManagementRestricted,"
    "assignedLicenses"
)
_SMTP = re.compile("smtp:", re.IGNORECASE)
_USER_TYPE = "#microsoft.graph.user"


def parse_sku(record: Record, names: SkuNames) -> Sku:
    """Return a SKU with its pool and service plans; the plans tell whose mailbox would be lost."""
    part_number = record.text("skuPartNumber")
    sku_id = record.guid("skuId")
    units = record.record("prepaidUnits") or Record(None, "SKU prepaidUnits")
    return Sku(
        id=ProductId(sku_id),
        part_number=part_number,
        name=names.name_of(sku_id, part_number),
        enabled=units.number("enabled"),
        warning=units.number("warning"),
        suspended=units.number("suspended"),
        consumed=record.number("consumedUnits"),
        assignable=record.text_or_none("appliesTo") == "User",
        status=record.text("capabilityStatus"),
        plans=tuple(
            ServicePlan(plan.guid("servicePlanId"), plan.text("servicePlanName"))
            for plan in record.records("servicePlans", "service plan")
        ),
    )


def parse_person(record: Record, *, sign_ins_read_at: datetime | None = None) -> PersonRow:
    """Return a person with all seats.

    Args:
        record: A user with PERSON_FIELDS.
        sign_ins_read_at: When the answer came, if `signInActivity` was asked for; None if it was not.
    """
    person_id = PersonId(record.guid("id"))
    person = Person(
        id=person_id,
        name=record.text_or_none("displayName") or "",
        upn=record.text("userPrincipalName"),
        mail=record.text_or_none("mail"),
        aliases=_aliases(record),
        enabled=record.flag("accountEnabled"),
        user_type=record.text_or_none("userType"),
        department=record.text_or_none("department"),
        employee_type=record.text_or_none("employeeType"),
        usage_location=record.text_or_none("usageLocation"),
        created_at=record.instant("createdDateTime"),
        manager_id=_manager(record),
        sign_ins=parse_sign_ins(record) if sign_ins_read_at is not None else None,
        sign_ins_read_at=sign_ins_read_at,
    )
    return PersonRow(person=person, seats=parse_seats(record, person_id))


def _aliases(record: Record) -> tuple[str, ...]:
    """Return the mail addresses besides the main one; other kinds of proxy (SIP, X500) are none."""
    if not record.has("proxyAddresses"):
        return ()
    proxies = [text.lower().removeprefix("smtp:") for text in record.texts("proxyAddresses") if _SMTP.match(text)]
    own = {(record.text_or_none("mail") or "").lower(), record.text("userPrincipalName").lower()}
    return tuple(sorted(set(proxies) - own))


def parse_seats(record: Record, person: PersonId) -> tuple[Seat, ...]:
    """Return one seat per product with every path, failed ones too.

    `assignedLicenses` is not read: it does not say which license is direct.
    """
    paths: dict[ProductId, list[Path]] = {}
    for state in record.records("licenseAssignmentStates", "license assignment"):
        paths.setdefault(ProductId(state.guid("skuId")), []).append(_path(state))
    return tuple(
        Seat(id=seat_id(person, product), person_id=person, product_id=product, paths=tuple(found))
        for product, found in paths.items()
    )


def parse_sign_in_row(record: Record) -> SignInRow:
    """Return the sign-in fields of one person."""
    return SignInRow(person_id=PersonId(record.guid("id")), sign_ins=parse_sign_ins(record))


def parse_sign_ins(record: Record) -> SignIns:
    """Return the three fields; Graph leaves `signInActivity` out for people of whom it has no sign-in on record."""
    activity = record.record(SIGN_INS)
    if activity is None:
        return SignIns()
    return SignIns(
        success_at=activity.sign_in("lastSuccessfulSignInDateTime"),
        interactive_at=activity.sign_in("lastSignInDateTime"),
        background_at=activity.sign_in("lastNonInteractiveSignInDateTime"),
    )


def parse_group(record: Record) -> Group:
    """Return a group's facts; `has_nested_groups` is None, because the group itself does not tell."""
    types = {name.casefold() for name in record.texts("groupTypes")}
    return Group(
        id=GroupId(record.guid("id")),
        name=record.text_or_none("displayName") or "",
        dynamic="dynamicmembership" in types,
        security_enabled=record.flag("securityEnabled"),
        mail_enabled=record.flag("mailEnabled"),
        unified="unified" in types,
        synced=record.flag_null_is_no("onPremisesSyncEnabled"),
        role_assignable=record.flag_null_is_no("isAssignableToRole"),
        restricted=record.flag_null_is_no("isManagementRestricted"),
        has_nested_groups=None,
        sku_ids=tuple(
            sorted({ProductId(one.guid("skuId")) for one in record.records("assignedLicenses", "group license")})
        ),
    )


def _path(state: Record) -> Path:
    group = state.guid_or_null("assignedByGroup")
    error = state.text_or_none("error")
    return Path(
        group_id=GroupId(group) if group is not None else None,
        # An unnamed state holds no seat that we could take: anything but Active and ActiveWithError is left alone.
        state=state.text_or_none("state") or "Unknown",
        # Success is null in the docs and "None" on the wire.
        error=None if error == "None" else error,
        disabled_plans=state.guids("disabledPlans"),
        updated_at=state.instant("lastUpdatedDateTime"),
    )


def _manager(record: Record) -> PersonId | None:
    manager = record.record("manager")
    # A manager may be an organizational contact, who cannot sign in to any chat.
    if manager is None or (manager.text_or_none("@odata.type") or _USER_TYPE) != _USER_TYPE:
        return None
    return PersonId(manager.guid("id"))
