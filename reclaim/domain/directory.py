"""The synced facts: people, products with their SKU, groups, seats and the paths that give them."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from reclaim.domain.activity import SignIns
from reclaim.domain.ids import AssigneeId, GroupId, PersonId, ProductId, SeatId


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as last synced.

    Attributes:
        aliases: Further mail addresses, lower case; read from Microsoft, and not given back by storage.
        enabled: `accountEnabled`; None where Microsoft did not say.
        sign_ins: None if no completed sign-in read covers this person.
        disabled_seen_at: When we first saw the account disabled; Microsoft gives no date.
        gone_at: When a complete sync no longer found the person.
    """

    id: PersonId
    name: str
    upn: str
    mail: str | None = None
    aliases: tuple[str, ...] = ()
    enabled: bool | None = None
    user_type: str | None = None
    department: str | None = None
    employee_type: str | None = None
    usage_location: str | None = None
    created_at: datetime | None = None
    manager_id: PersonId | None = None
    sign_ins: SignIns | None = None
    sign_ins_read_at: datetime | None = None
    disabled_seen_at: datetime | None = None
    gone_at: datetime | None = None

    @property
    def shown_name(self) -> str:
        """The display name, or the user principal name where there is none."""
        return self.name or self.upn

    @property
    def can_review(self) -> bool:
        """Whether cards may be assigned to this person: an enabled member who is still there."""
        return self.enabled is True and self.gone_at is None and self.user_type != "Guest"


class MailboxPurpose(StrEnum):
    """What a mailbox is for (Microsoft Graph docs, resource type mailboxSettings, userPurpose)."""

    USER = "user"
    LINKED = "linked"
    SHARED = "shared"
    ROOM = "room"
    EQUIPMENT = "equipment"
    OTHERS = "others"
    NONE = "none"  # ours: there is no mailbox in the cloud


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One service plan of a SKU, by Microsoft's id and technical name.

    Attributes:
        needs: Ids of the plans of which it needs one beside it, as far as that is known; empty: none.
    """

    id: str
    name: str
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """A product that is sold as a SKU, with its pool.

    Attributes:
        id: Microsoft's skuId, which is also our product id.
        name: The product name as Microsoft sells it, or the part number where it is not known.
        enabled: Seats bought (`prepaidUnits.enabled`); warning, suspended: the other pools of `prepaidUnits`.
        consumed: `consumedUnits`; lags writes by minutes, so it never proves a removal.
        assignable: `appliesTo` is User.
    """

    id: ProductId
    part_number: str
    name: str
    enabled: int
    warning: int = 0
    suspended: int = 0
    consumed: int = 0
    assignable: bool = True
    status: str = "Enabled"
    plans: tuple[ServicePlan, ...] = ()

    @property
    def available(self) -> int:
        """Seats that could be given to somebody now."""
        return max(0, self.enabled + self.warning - self.consumed)

    @property
    def unassigned(self) -> int:
        """Seats that are paid for and held by nobody."""
        return max(0, self.enabled - self.consumed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group's facts that decide whether Reclaim may write to it. None means that Microsoft did not say: not writable."""

    id: GroupId
    name: str
    dynamic: bool
    security_enabled: bool | None
    mail_enabled: bool | None
    unified: bool
    synced: bool | None
    role_assignable: bool | None
    restricted: bool | None
    has_nested_groups: bool | None
    sku_ids: tuple[ProductId, ...] = ()


class AssigneeKind(StrEnum):
    """Who may have a seat to answer, or own a product: one person, or whoever of a group answers first."""

    PERSON = "person"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOwner:
    """Who answers for the seats of a product: its license owner.

    Attributes:
        by: Who said so: an object id, or `operator:<os user>`.
    """

    product_id: ProductId
    owner: AssigneeId
    kind: AssigneeKind
    by: PersonId
    at: datetime


DIRECTLY: Final = "direct"  # in place of a group, where a list says through what somebody holds a seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way in which a person holds a product: directly (`group_id` None) or through a group.

    Attributes:
        state: licenseAssignmentStates.state: Active, ActiveWithError, Disabled, Error; unknown values are kept as they are.
        updated_at: lastUpdatedDateTime: newer than a frozen snapshot means that somebody touched the assignment.
    """

    group_id: GroupId | None
    state: str
    error: str | None = None
    disabled_plans: tuple[str, ...] = ()
    updated_at: datetime | None = None

    @property
    def through(self) -> str:
        """The group that gives it, or `DIRECTLY`."""
        return self.group_id or DIRECTLY

    @property
    def gives_seat(self) -> bool:
        """Whether Microsoft counts a seat for this path."""
        return self.state in ("Active", "ActiveWithError")

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it: a path in an error state is never a saving, and needs a person."""
        return self.state == "Active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One product held by one person, whatever the number of paths."""

    id: SeatId
    person_id: PersonId
    product_id: ProductId
    paths: tuple[Path, ...]

    @property
    def assigned_at(self) -> datetime | None:
        """The newest change of any path: the seat is at least as young as this. None if a path gives no date."""
        dates = [path.updated_at for path in self.paths]
        known = [at for at in dates if at is not None]
        return max(known) if known and len(known) == len(dates) else None

    @property
    def sound_part(self) -> "Seat":
        """The seat by its sound paths only. A license in trouble may be gone tomorrow: nothing can rely on it."""
        return replace(self, paths=tuple(path for path in self.paths if path.sound))


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePerson:
    """A person as Microsoft Graph shows them right now: the basis of the plan at the write."""

    person: Person
    seats: tuple[Seat, ...]
    direct_group_ids: tuple[GroupId, ...] = field(default=())
