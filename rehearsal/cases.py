"""The kinds of people in the practice tenant and what may rightly become of their seats.

This is the oracle: a label is chosen first and the data is made to fit it, so that a test can judge the product by the
label and never by the fields that the product itself reads. Labels hold while tenant time is at most 60 days after the
start, because somebody who started 10 days ago is no new starter for ever.

Some cases change at a known time (`HAPPENINGS`). Their seats have a second label, `After`, for a question that was put
before and is settled afterwards.
"""

from enum import StrEnum
from typing import NamedTuple

from rehearsal.catalog import COPILOT, E3, E5, EXCHANGE, POWER_BI, PROJECT, TEAMS_PREMIUM, VISIO, Sku


class Case(StrEnum):
    """What kind of account this is."""

    # People as every company has them.
    ACTIVE = "active"
    IDLE_DIRECT = "idle_direct"
    IDLE_MAILBOX = "idle_mailbox"
    DISABLED = "disabled"
    NEVER_SIGNED_IN = "never_signed_in"
    NO_DATA = "no_data"
    NEW_STARTER = "new_starter"
    TWO_SUITES = "two_suites"
    FRESH_ASSIGNMENT = "fresh_assignment"  # an old, idle account that got the license days ago
    NO_USAGE_LOCATION = "no_usage_location"  # the license can go, but could not come back
    RESTRICTED_PERSON = "restricted_person"  # in a restricted management unit: applications may not write

    # Absent, or no people at all.
    ON_LEAVE = "on_leave"
    ON_LEAVE_DISABLED = "on_leave_disabled"
    SERVICE_ACCOUNT = "service_account"
    BREAK_GLASS = "break_glass"
    PRIVILEGED = "privileged"  # holds a directory role
    SYNC_ACCOUNT = "sync_account"
    TEST_ACCOUNT = "test_account"
    ROOM_DEVICE = "room_device"
    ROOM_MAILBOX = "room_mailbox"
    SHARED_MAILBOX = "shared_mailbox"
    GUEST = "guest"

    # Sign-ins that mislead.
    PASSWORD_SPRAY = "password_spray"  # noqa: S105  (a kind of attack: only failed sign-ins look recent)
    BACKGROUND_ONLY = "background_only"
    SUCCESS_ONLY = "success_only"

    # Ways to a seat.
    GROUP_SEAT = "group_seat"
    DIRECT_AND_GROUP = "direct_and_group"
    TWO_GROUPS = "two_groups"
    ONE_OF_TWO_GROUPS_PROTECTED = "one_of_two_groups_protected"
    MULTI_SKU_GROUP = "multi_sku_group"
    DYNAMIC_GROUP_SEAT = "dynamic_group_seat"
    SYNCED_GROUP_SEAT = "synced_group_seat"
    MAIL_GROUP_SEAT = "mail_group_seat"
    OFFICE_GROUP_SEAT = "office_group_seat"  # a Microsoft 365 group: has mail, and Graph lets people go
    ROLE_GROUP_SEAT = "role_group_seat"
    NESTED_GROUP_SEAT = "nested_group_seat"  # directly in a group that has another one inside
    INNER_GROUP_MEMBER = "inner_group_member"  # only in the group inside: gets no license from the outer one
    RESTRICTED_GROUP_SEAT = "restricted_group_seat"

    # Licenses in trouble, and licenses that hang together.
    ERROR_STATE = "error_state"
    ACTIVE_WITH_ERROR = "active_with_error"
    DISABLED_STATE = "disabled_state"
    UNKNOWN_STATE = "unknown_state"
    DEPENDENT_PLANS = "dependent_plans"  # base and add-on can both go, the add-on first
    DEPENDENT_STAYS = "dependent_stays"  # the add-on comes from a synced group, so that the base cannot go
    FREE_SKU = "free_sku"
    VIRAL_SKU = "viral_sku"

    # Managers.
    NO_MANAGER = "no_manager"
    DISABLED_MANAGER = "disabled_manager"
    CONTACT_MANAGER = "contact_manager"
    GUEST_MANAGER = "guest_manager"
    OWN_MANAGER = "own_manager"
    MANAGER_LOOP = "manager_loop"

    # What changes while a campaign runs.
    RETURNS = "returns"
    BACK_FROM_LEAVE = "back_from_leave"
    REGRANTED = "regranted"  # an admin gives the same direct license anew
    GRANTED_BY_GROUP_TOO = "granted_by_group_too"
    MOVED_TO_GROUP = "moved_to_group"
    GROUP_DELETED = "group_deleted"  # the license of its members becomes a direct one
    LEAVES = "leaves"
    TAKEN_BY_OTHERS = "taken_by_others"  # another tool removes the license first


class Outcome(StrEnum):
    """What may become of one seat."""

    REMOVED = "removed"
    KEPT = "kept"
    HELD = "held"
    NOT_SUPPORTED = "not_supported"
    FAILED = "failed"
    ALREADY_ABSENT = "already_absent"


class GroupKey(StrEnum):
    """The groups that hand out products."""

    VISIO_USERS = "visio-users"
    VISIO_DRAWING = "visio-drawing"
    VISIO_PILOT = "visio-pilot"
    VISIO_SYNCED = "visio-synced"
    PROJECT_USERS = "project-users"
    PROJECT_MAIL = "project-mail"
    POWER_BI_DYNAMIC = "power-bi-dynamic"
    POWER_BI_NESTED = "power-bi-nested"
    COPILOT_TEAM = "copilot-team"
    COPILOT_PRIVILEGED = "copilot-privileged"
    COPILOT_RESTRICTED = "copilot-restricted"
    DESIGN_TOOLS = "design-tools"
    PHONE_SYNCED = "phone-synced"


class After(NamedTuple):
    """How a seat stands once the happening of its case is over.

    Attributes:
        allowed: Every outcome that would be right.
        idle: It still looks unused.
        stays: The person still has it, unless the product takes it.
    """

    allowed: tuple[Outcome, ...]
    idle: bool = False
    stays: bool = True


class SeatPlan(NamedTuple):
    """One seat as the generator means it.

    Attributes:
        sku: The product.
        allowed: Every outcome that would be right.
        idle: The holder does not use it.
        paths: The groups that hand it out; None stands for the direct assignment.
        disabled_plans: Ids of the service plans that are switched off.
        state: Graph's word for the assignment.
        error: Graph's word for what is wrong with it; None if nothing is.
        after: The second label of a case that changes.
    """

    sku: Sku
    allowed: tuple[Outcome, ...]
    idle: bool = True
    paths: tuple[GroupKey | None, ...] = (None,)
    disabled_plans: tuple[str, ...] = ()
    state: str = "Active"
    error: str | None = None
    after: After | None = None

    @property
    def counts(self) -> bool:
        """It takes one of the bought seats."""
        return gives_seat(self.state)


Recipe = tuple[SeatPlan, ...]

# The values of licenseAssignmentStates.error (resources/licenseassignmentstate; "Other" as on the wire,
# microsoft-graph-docs issue 15734).
LICENSE_ERRORS = (
    "CountViolation",
    "MutuallyExclusiveViolation",
    "DependencyViolation",
    "ProhibitedInUsageLocationViolation",
    "UniquenessViolation",
    "Other",
)

_FREE = (Outcome.REMOVED, Outcome.KEPT)
_HELD = (Outcome.HELD, Outcome.KEPT)
_BY_HAND = (Outcome.NOT_SUPPORTED, Outcome.KEPT)
_KEPT = (Outcome.KEPT,)
_GONE = (Outcome.ALREADY_ABSENT, Outcome.KEPT)


def gives_seat(state: str) -> bool:
    """Say whether an assignment in this state takes one of the bought seats."""
    return state in {"Active", "ActiveWithError"}


def _seats(allowed: tuple[Outcome, ...], *skus: Sku, idle: bool = True) -> Recipe:
    return tuple(SeatPlan(sku, allowed, idle) for sku in skus)


def in_use(*skus: Sku) -> Recipe:
    """Return seats that nobody may touch."""
    return _seats(_KEPT, *skus, idle=False)


def removable(*skus: Sku) -> Recipe:
    """Return idle direct seats that may go."""
    return _seats(_FREE, *skus)


def free(*skus: Sku) -> Recipe:
    """Return direct seats of products that nobody pays for: to take one saves nothing, so that nobody is asked."""
    return _seats(_KEPT, *skus, idle=False)


def left_out(*seats: SeatPlan) -> Recipe:
    """Return seats of an account that holds an admin role: idle by design, so that nobody is asked."""
    return tuple(seat._replace(allowed=_KEPT, idle=False) for seat in seats)


def held(*skus: Sku) -> Recipe:
    """Return idle direct seats that carry the person's only mailbox or files."""
    return _seats(_HELD, *skus)


def refused(sku: Sku, *paths: GroupKey | None) -> Recipe:
    """Return an idle seat whose removal Graph refuses although everything readable allows it."""
    return (SeatPlan(sku, (Outcome.FAILED, Outcome.NOT_SUPPORTED, Outcome.KEPT), paths=paths or (None,)),)


def dependent(sku: Sku) -> Recipe:
    """Return an idle seat that can go only after another one, so that a first attempt may fail."""
    return (SeatPlan(sku, (Outcome.REMOVED, Outcome.FAILED, Outcome.KEPT)),)


def through(sku: Sku, *groups: GroupKey | None) -> Recipe:
    """Return an idle seat that goes by leaving every group, and by the direct assignment where None is among them."""
    return (SeatPlan(sku, _FREE, paths=groups),)


def protected(sku: Sku, *groups: GroupKey) -> Recipe:
    """Return an idle seat through a group that must not be left: Graph refuses, or more than this seat would go."""
    return (SeatPlan(sku, _BY_HAND, paths=groups),)


def office_group(sku: Sku, group: GroupKey) -> Recipe:
    """Return an idle seat through a Microsoft 365 group: leaving works, refusing because it has mail is no mistake."""
    return (SeatPlan(sku, (Outcome.REMOVED, Outcome.NOT_SUPPORTED, Outcome.KEPT), paths=(group,)),)


def in_trouble(sku: Sku, state: str, error: str | None = None, group: GroupKey | None = None) -> Recipe:
    """Return an assignment that Graph does not call Active.

    It is never a saving, and so never idle, whether Microsoft counts a seat for it or not: an admin has to look.
    """
    return (SeatPlan(sku, _BY_HAND, idle=False, paths=(group,), state=state, error=error),)


def changing(sku: Sku, after: After, *paths: GroupKey | None) -> Recipe:
    """Return an idle seat that may go until the happening of its case gives it its second label."""
    return (SeatPlan(sku, _FREE, paths=paths or (None,), after=after),)


# A desktop-only seat: with its SharePoint plans off it carries no files, so that it may go although it stands alone.
PROJECT_DESKTOP_ONLY: Recipe = (
    SeatPlan(
        PROJECT,
        _FREE,
        disabled_plans=PROJECT.plan_ids("SHAREPOINTENTERPRISE", "SHAREPOINTWAC", "SHAREPOINT_PROJECT"),
    ),
)
TWO_SUITES: Recipe = _seats((Outcome.REMOVED, Outcome.HELD, Outcome.KEPT), E3, E5)

USED_AGAIN = After(_KEPT)
ENABLED_AGAIN = After(_KEPT, idle=True)  # blocked no more, and still without a sign-in
GONE = After(_GONE, stays=False)


class What(StrEnum):
    """What happens to somebody at a known time, without any request of ours."""

    SIGNS_IN = "signs_in"
    IS_ENABLED = "is_enabled"
    IS_LICENSED_ANEW = "is_licensed_anew"
    JOINS_GROUP = "joins_group"
    MOVES_TO_GROUP = "moves_to_group"
    LOSES_GROUP = "loses_group"
    LEAVES = "leaves"
    LOSES_LICENSE = "loses_license"


class Happening(NamedTuple):
    """One change, so many seconds after the start; `group` is the group that it is about, if any."""

    what: What
    after_s: int
    group: GroupKey | None = None


def _on_day(day: int) -> int:
    """Return the afternoon of a day of the campaign, so that it never falls on the hour at which clocks are moved."""
    return day * 86_400 + 5 * 3_600 + 17 * 60


HAPPENINGS: dict[Case, Happening] = {
    Case.RETURNS: Happening(What.SIGNS_IN, _on_day(3)),
    Case.BACK_FROM_LEAVE: Happening(What.IS_ENABLED, _on_day(4)),
    Case.REGRANTED: Happening(What.IS_LICENSED_ANEW, _on_day(4)),
    Case.GRANTED_BY_GROUP_TOO: Happening(What.JOINS_GROUP, _on_day(4), GroupKey.VISIO_USERS),
    Case.MOVED_TO_GROUP: Happening(What.MOVES_TO_GROUP, _on_day(5), GroupKey.VISIO_USERS),
    Case.GROUP_DELETED: Happening(What.LOSES_GROUP, _on_day(5), GroupKey.VISIO_PILOT),
    Case.TAKEN_BY_OTHERS: Happening(What.LOSES_LICENSE, _on_day(6)),
    Case.LEAVES: Happening(What.LEAVES, _on_day(6)),
}

# Accounts that are blocked; for all but the first and second kind that is how they should be.
BLOCKED = frozenset(
    {Case.DISABLED, Case.ON_LEAVE_DISABLED, Case.BACK_FROM_LEAVE, Case.ROOM_MAILBOX, Case.SHARED_MAILBOX}
)
# Accounts of which there is no sign-in at all.
WITHOUT_SIGN_INS = frozenset(
    {Case.NEVER_SIGNED_IN, Case.NO_DATA, Case.NEW_STARTER, Case.ROOM_MAILBOX, Case.SHARED_MAILBOX}
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

# What people of a case hold where they are not named in `traps`; the members of a case go through its list in turn.
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
        (*in_use(E3), SeatPlan(VISIO, _KEPT, idle=False, paths=(GroupKey.VISIO_USERS,))),
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
        through(VISIO, GroupKey.VISIO_USERS),
        held(E3) + through(PROJECT, GroupKey.PROJECT_USERS),
        through(VISIO, GroupKey.VISIO_USERS),
    ),
    Case.DYNAMIC_GROUP_SEAT: (protected(POWER_BI, GroupKey.POWER_BI_DYNAMIC),),
    Case.SYNCED_GROUP_SEAT: (protected(VISIO, GroupKey.VISIO_SYNCED),),
    Case.MAIL_GROUP_SEAT: (held(E3) + protected(PROJECT, GroupKey.PROJECT_MAIL),),
    Case.TWO_SUITES: (TWO_SUITES,),
    Case.ON_LEAVE: (removable(COPILOT), held(E3)),
    Case.SERVICE_ACCOUNT: (removable(POWER_BI), removable(VISIO)),
    Case.SHARED_MAILBOX: (held(EXCHANGE),),
    Case.GUEST: (removable(POWER_BI), removable(VISIO)),
    Case.PASSWORD_SPRAY: (in_use(E3, COPILOT), in_use(E3)),
    Case.BACKGROUND_ONLY: (in_use(E3, VISIO), in_use(E3)),
    Case.SUCCESS_ONLY: (removable(COPILOT), removable(POWER_BI)),
    Case.FRESH_ASSIGNMENT: (in_use(COPILOT), in_use(VISIO)),
    Case.DIRECT_AND_GROUP: (through(VISIO, None, GroupKey.VISIO_USERS),),
    Case.RETURNS: (changing(COPILOT, USED_AGAIN), changing(POWER_BI, USED_AGAIN)),
}

# Of every 100 people who lead nobody and whose manager is well; the rest is active.
SHARES: dict[Case, int] = {
    Case.IDLE_DIRECT: 8,
    Case.IDLE_MAILBOX: 2,
    Case.DISABLED: 2,
    Case.NEVER_SIGNED_IN: 2,
    Case.NO_DATA: 2,
    Case.NEW_STARTER: 2,
    Case.NO_MANAGER: 1,
    Case.GROUP_SEAT: 2,
    Case.DYNAMIC_GROUP_SEAT: 1,
    Case.SYNCED_GROUP_SEAT: 1,
    Case.MAIL_GROUP_SEAT: 1,
    Case.TWO_SUITES: 1,
    Case.ON_LEAVE: 1,
    Case.SERVICE_ACCOUNT: 1,
    Case.SHARED_MAILBOX: 1,
    Case.GUEST: 1,
    Case.PASSWORD_SPRAY: 1,
    Case.BACKGROUND_ONLY: 1,
    Case.SUCCESS_ONLY: 1,
    Case.FRESH_ASSIGNMENT: 1,
    Case.DIRECT_AND_GROUP: 1,
    Case.RETURNS: 1,
}
