"""The kinds of people in the practice tenant and what may rightly become of their seats.

This is the oracle: a label is chosen first and the data is made to fit it, so that a test can judge the product by the
label and never by the fields that the product itself reads. Labels hold while tenant time is at most 60 days after the
start, because somebody who started 10 days ago is no new starter for ever.
"""

from enum import StrEnum
from typing import NamedTuple

from rehearsal.catalog import COPILOT, E3, E5, POWER_BI, PROJECT, TEAMS_PREMIUM, VISIO, Sku


class Case(StrEnum):
    """What kind of person this is."""

    ACTIVE = "active"
    IDLE_DIRECT = "idle_direct"
    IDLE_MAILBOX = "idle_mailbox"
    DISABLED = "disabled"
    NEVER_SIGNED_IN = "never_signed_in"
    NO_DATA = "no_data"
    NEW_STARTER = "new_starter"
    NO_MANAGER = "no_manager"
    DISABLED_MANAGER = "disabled_manager"
    GROUP_SEAT = "group_seat"
    PROTECTED_GROUP_SEAT = "protected_group_seat"
    TWO_SUITES = "two_suites"


class Outcome(StrEnum):
    """What may become of one seat."""

    REMOVED = "removed"
    KEPT = "kept"
    HELD = "held"
    NOT_SUPPORTED = "not_supported"


class GroupKey(StrEnum):
    """The groups that hand out a product."""

    VISIO_USERS = "visio-users"
    PROJECT_USERS = "project-users"
    POWER_BI_DYNAMIC = "power-bi-dynamic"
    VISIO_SYNCED = "visio-synced"
    PROJECT_MAIL = "project-mail"


class SeatPlan(NamedTuple):
    """One seat as the generator means it.

    Attributes:
        sku: The product.
        allowed: Every outcome that would be right.
        group: The group that hands it out; None if assigned directly.
        disabled_plans: Ids of the service plans that are switched off.
    """

    sku: Sku
    allowed: tuple[Outcome, ...]
    group: GroupKey | None = None
    disabled_plans: tuple[str, ...] = ()


Recipe = tuple[SeatPlan, ...]

_FREE = (Outcome.REMOVED, Outcome.KEPT)
_HELD = (Outcome.HELD, Outcome.KEPT)
_BY_HAND = (Outcome.NOT_SUPPORTED, Outcome.KEPT)
_ONE_OF_TWO = (Outcome.REMOVED, Outcome.HELD, Outcome.KEPT)


def _seats(allowed: tuple[Outcome, ...], *skus: Sku) -> Recipe:
    return tuple(SeatPlan(sku, allowed) for sku in skus)


def in_use(*skus: Sku) -> Recipe:
    """Return seats that nobody may touch."""
    return _seats((Outcome.KEPT,), *skus)


def removable(*skus: Sku) -> Recipe:
    """Return idle direct seats that may go."""
    return _seats(_FREE, *skus)


def held(*skus: Sku) -> Recipe:
    """Return idle direct seats that carry the person's only mailbox or files."""
    return _seats(_HELD, *skus)


def through(group: GroupKey, sku: Sku) -> Recipe:
    """Return an idle seat that goes by leaving the group."""
    return (SeatPlan(sku, _FREE, group),)


def protected(group: GroupKey, sku: Sku) -> Recipe:
    """Return an idle seat through a group that Graph does not let us write."""
    return (SeatPlan(sku, _BY_HAND, group),)


# A desktop-only seat: with its SharePoint plans off it carries no files, so that it may go although it stands alone.
PROJECT_DESKTOP_ONLY: Recipe = (
    SeatPlan(
        PROJECT,
        _FREE,
        disabled_plans=PROJECT.plan_ids("SHAREPOINTENTERPRISE", "SHAREPOINTWAC", "SHAREPOINT_PROJECT"),
    ),
)
TWO_SUITES: Recipe = _seats(_ONE_OF_TWO, E3, E5)

IDLE_CASES = frozenset(
    {
        Case.IDLE_DIRECT,
        Case.IDLE_MAILBOX,
        Case.DISABLED,
        Case.NEVER_SIGNED_IN,
        Case.NO_MANAGER,
        Case.DISABLED_MANAGER,
        Case.GROUP_SEAT,
        Case.PROTECTED_GROUP_SEAT,
        Case.TWO_SUITES,
    }
)

_IDLE_DIRECT: tuple[Recipe, ...] = (
    removable(COPILOT),
    removable(VISIO),
    held(E3) + removable(VISIO),
    removable(POWER_BI),
    removable(COPILOT),
    held(E3) + removable(PROJECT),
    removable(TEAMS_PREMIUM),
    PROJECT_DESKTOP_ONLY,
    removable(VISIO, POWER_BI),
    held(PROJECT),
)

# What people of a case hold; the members of a case go through its list in turn.
RECIPES: dict[Case, tuple[Recipe, ...]] = {
    Case.ACTIVE: (
        in_use(E3, POWER_BI),
        in_use(E5, COPILOT),
        in_use(E3),
        in_use(E3, COPILOT, VISIO),
        in_use(E5, TEAMS_PREMIUM),
        in_use(E3, PROJECT, POWER_BI),
        in_use(E5, COPILOT, POWER_BI),
        in_use(E3, COPILOT),
        in_use(E3, VISIO),
        (*in_use(E3), SeatPlan(VISIO, (Outcome.KEPT,), GroupKey.VISIO_USERS)),
    ),
    Case.IDLE_DIRECT: _IDLE_DIRECT,
    Case.IDLE_MAILBOX: (held(E3), held(E5), held(E5) + removable(COPILOT)),
    Case.DISABLED: (
        removable(POWER_BI),
        removable(COPILOT),
        held(E3),
        removable(VISIO),
        held(E5) + removable(TEAMS_PREMIUM),
    ),
    Case.NEVER_SIGNED_IN: (PROJECT_DESKTOP_ONLY, removable(COPILOT), removable(POWER_BI)),
    Case.NO_DATA: (in_use(E3, VISIO), in_use(E3, COPILOT), in_use(PROJECT)),
    Case.NEW_STARTER: (in_use(E3, COPILOT), in_use(E5)),
    Case.NO_MANAGER: (removable(COPILOT), removable(VISIO)),
    Case.DISABLED_MANAGER: (removable(POWER_BI), removable(COPILOT), removable(VISIO)),
    Case.GROUP_SEAT: (
        through(GroupKey.VISIO_USERS, VISIO),
        held(E3) + through(GroupKey.PROJECT_USERS, PROJECT),
        through(GroupKey.VISIO_USERS, VISIO),
    ),
    Case.PROTECTED_GROUP_SEAT: (
        protected(GroupKey.POWER_BI_DYNAMIC, POWER_BI),
        protected(GroupKey.VISIO_SYNCED, VISIO),
        held(E3) + protected(GroupKey.PROJECT_MAIL, PROJECT),
    ),
    Case.TWO_SUITES: (TWO_SUITES,),
}

# Of every 100 people who lead nobody and whose manager is well.
SHARES: dict[Case, int] = {
    Case.IDLE_DIRECT: 9,
    Case.IDLE_MAILBOX: 2,
    Case.DISABLED: 3,
    Case.NEVER_SIGNED_IN: 2,
    Case.NO_DATA: 2,
    Case.NEW_STARTER: 2,
    Case.NO_MANAGER: 1,
    Case.GROUP_SEAT: 3,
    Case.PROTECTED_GROUP_SEAT: 2,
    Case.TWO_SUITES: 1,
}
