"""The customer's directory: reading it page by page, reading one person live, and the writes that take a seat away."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from reclaim.domain.activity import SignIns
from reclaim.domain.directory import Group, LivePerson, MailboxPurpose, Person, Seat, Sku
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import DirectoryError

Row = TypeVar("Row", covariant=True)

MOST_PEOPLE_NOW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as made, for the evidence of completeness.

    Attributes:
        url: With its query; an opaque continuation is kept as it is.
        request_id: Microsoft's `request-id`.
        rows: Rows in the answer.
        sha256: Of the raw answer body.
        at: When the answer came, calendar time.
    """

    url: str
    request_id: str
    rows: int
    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """One page; `next_cursor` None: the last one. A cursor is opaque and survives a restart."""

    rows: tuple[Row, ...]
    next_cursor: str | None
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A person (without sign-ins, which are a stream of their own) with all seats and paths."""

    person: Person
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRow:
    """The sign-in fields of one person."""

    person_id: PersonId
    sign_ins: SignIns


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage:
    """A page of who has changed: an id may come again, and a change of long ago may come late.

    Attributes:
        ids: Who was changed, came or went; what is true of them now has to be read.
        next_cursor: Of the next page; None on the last one.
        link: On the last page: where the next reading of changes begins. It lives for about a week.
    """

    ids: tuple[PersonId, ...]
    next_cursor: str | None
    link: str | None
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleNow:
    """What was read of some people: those who are there, whole, and the ids of those whom Microsoft does not know."""

    rows: tuple[PersonRow, ...]
    gone: tuple[PersonId, ...]
    requests: tuple[Request, ...]


class SignInSupport(StrEnum):
    """Whether the tenant gives sign-in data at all."""

    KNOWN = "known"
    NO_PREMIUM = "no_premium"  # no Entra ID P1
    NO_PERMISSION = "no_permission"  # AuditLog.Read.All is missing


class RoleSupport(StrEnum):
    """Whether a run has read who holds an admin role."""

    UNREAD = "unread"  # not yet, or Microsoft did not answer
    KNOWN = "known"
    PARTLY = "partly"  # the members of a group that holds a role could not be read
    NO_PERMISSION = "no_permission"  # RoleManagement.Read.Directory is missing


def sign_in_support(error: DirectoryError) -> SignInSupport | None:
    """Return why a read of sign-ins was refused, or None if the error does not tell (an outage, say).

    The second code of a missing permission is what signInActivity gives in practice (microsoft-graph-docs-contrib
    issue 8997).
    """
    match error.graph_code:
        case "Authentication_RequestFromNonPremiumTenantOrB2CTenant":
            return SignInSupport.NO_PREMIUM
        case "Authorization_RequestDenied" | "Authentication_MSGraphPermissionMissing":
            return SignInSupport.NO_PERMISSION
        case _:
            return None


def lost_track(error: DirectoryError) -> bool:
    """Whether Microsoft no longer knows the link behind which changes were asked for: only a full read helps.

    It answers 410, or a 40X such as syncStateNotFound (Microsoft Graph docs, concepts/delta-query-overview). The refusals
    of a caller, 401 and 403, are something else.
    """
    return error.status in (400, 404, 410)


class Directory(Protocol):
    """Reading. Every method raises DirectoryError when the directory fails; failed is never empty."""

    async def skus(self) -> Page[Sku]:
        """Return all SKUs of the tenant (one page, the source does not page)."""
        ...

    async def people(self, cursor: str | None) -> Page[PersonRow]:
        """Return a page of people with manager, account state and every path of every seat."""
        ...

    def time_for_sign_ins(self, people: int) -> timedelta | None:
        """Return how long the sign-ins of so many people take, at the pace that the source allows; None: no limit."""
        ...

    async def sign_ins(self, cursor: str | None) -> Page[SignInRow]:
        """Return a page of sign-in activity.

        Raises:
            DirectoryError: With `graph_code` Authentication_RequestFromNonPremiumTenantOrB2CTenant or
                Authorization_RequestDenied where the tenant gives none; see `sign_in_support`.
        """
        ...

    async def changes(self, cursor: str | None) -> ChangesPage:
        """Return a page of who has changed since the link that `cursor` is; None: nobody, and a link to begin at now.

        Raises:
            DirectoryError: See `lost_track`.
        """
        ...

    async def people_now(self, people: Sequence[PersonId]) -> PeopleNow:
        """Read up to `MOST_PEOPLE_NOW` people, each as in `people`."""
        ...

    async def groups(self, cursor: str | None) -> Page[Group]:
        """Return a page of groups that carry licenses; `has_nested_groups` is filled."""
        ...

    async def group_members(self, group: GroupId, cursor: str | None) -> Page[PersonId]:
        """Return a page of the direct user members of a group."""
        ...

    async def everyone_in(self, group: GroupId, cursor: str | None) -> Page[PersonId]:
        """Return a page of the users in a group or in a group inside it.

        Raises:
            DirectoryError: With `status` 404 where there is no such group.
        """
        ...

    async def groups_named(self, name: str) -> list[Group]:
        """Return up to five groups that are called exactly so, in any case, whether they carry licenses or not."""
        ...

    async def role_holders(self, cursor: str | None) -> Page[str]:
        """Return a page of object ids that hold an admin role: people, groups and applications.

        Raises:
            DirectoryError: With `status` 403 where RoleManagement.Read.Directory is missing.
        """
        ...

    async def role_eligible(self, cursor: str | None) -> Page[str]:
        """Return a page of object ids that may take up an admin role at any time (Privileged Identity Management).

        Raises:
            DirectoryError: With `status` 404 where the tenant has no such roles.
        """
        ...

    async def live_person(self, person: PersonId, *, with_sign_ins: bool) -> LivePerson | None:
        """Read one person now, with seats and direct groups; None if Microsoft does not know the person.

        `person.sign_ins` is None unless asked for and given.
        """
        ...

    async def mailbox_purpose(self, person: PersonId) -> MailboxPurpose:
        """Ask what the mailbox of one person is for; `NONE` where they have none in the cloud.

        Raises:
            DirectoryError: With `status` 403 where the permission is missing.
        """
        ...

    async def group(self, group: GroupId) -> Group | None:
        """Read one group's facts now; None if it does not exist."""
        ...

    async def still_through(self, person: PersonId, group: GroupId) -> tuple[str, ...]:
        """Return the names of the groups within `group`, at any depth, that the person is a direct member of.

        Whoever is in one of them is a member of `group` all the same, and cannot be taken out of it there.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What Microsoft Graph answered to a write. 200 or 204 is not "removed": read back.

    Attributes:
        already_absent: It said that there was nothing to remove.
    """

    status: int
    request_id: str
    already_absent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """A person's seat as read after a write; `seat` None: gone."""

    seat: Seat | None
    request_id: str


class SeatWriter(Protocol):
    """The only place that changes the directory. One call is one write for one person; it never retries a write."""

    async def turn(self, *, clicked: bool) -> None:
        """Wait until the installation's share of Microsoft's limits has room for one write, and count it.

        Asked before the intent of a write is stored, so that nothing waits in between.

        Args:
            clicked: A person waits for this write: it goes before all others.

        Raises:
            WriteBackError: That takes too long to wait for; `retry_after` says how long. Nothing was sent.
        """
        ...

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        """Unassign direct licenses, one or more: all of them, or none.

        Raises:
            WriteBackError: `maybe_applied` says whether to read back before anything else. Of several products one that
                is not there is an error too, since then none was taken.
        """
        ...

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        """Take the person's membership of `group` away; never the person.

        Raises:
            WriteBackError: As above.
        """
        ...

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        """Assign a license directly, with these service plans off. One that is there is set to the same.

        Raises:
            WriteBackError: As above; `refusal` says that no seat is free or that the person has no usage location.
        """
        ...

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        """Make the person a direct member of `group`; one who is a member already is no error.

        Raises:
            WriteBackError: As above.
        """
        ...

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        """Read the seat now.

        Raises:
            DirectoryError: The read failed; nothing is known.
        """
        ...
