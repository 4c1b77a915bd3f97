"""Who and what is left out of every campaign, why, until when and by whose word.

An exclusion names what it holds by kind and value. The seats that it holds stay findings: they are counted, shown with the
reason, and asked about again once it has ended.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from reclaim.domain.directory import Person
from reclaim.domain.ids import PersonId, ProductId
from reclaim.domain.name_patterns import matches_name

ExclusionId = NewType("ExclusionId", str)

REASON_LENGTH: Final = 500
GUEST: Final = "Guest"  # `userType` of who was invited from another tenant
ALL: Final = "all"  # the value of a kind of which there is one: whoever is listed

# Part numbers of products for which nobody pays: free plans, trials, and what people sign up for by themselves.
_FREE: Final = frozenset(
    {
        "AX7_USER_TRIAL",
        "CCIBOTS_PRIVPREV_VIRAL",
        "DYN365_AI_SERVICE_INSIGHTS",
        "FLOW_FREE",
        "FORMS_PRO",
        "MICROSOFT_BUSINESS_CENTER",
        "NONPROFIT_PORTAL",
        "POWERAPPS_DEV",
        "POWERAPPS_VIRAL",
        "POWER_BI_STANDARD",
        "POWER_PAGES_VTRIAL_FOR_MAKERS",
        "RIGHTSMANAGEMENT_ADHOC",
        "STREAM",
        "TEAMS_EXPLORATORY",
        "TEAMS_FREE",
        "VIVA_GOALS_USER_LED",
        "WINDOWS_STORE",
    }
)
_VIRAL: Final = "_VIRAL"  # how Microsoft names what spreads by itself


class ExclusionKind(StrEnum):
    """What an exclusion goes by.

    A new kind is a member here, and either a line in `_VALUES` with its column in the repository, or one in `LISTED`.
    """

    PERSON = "person"  # value: object id
    DEPARTMENT = "department"  # value: the department as text, without case
    PRODUCT = "product"  # value: product id
    GUESTS = "guests"  # value: GUEST
    EMPLOYEE_TYPE = "employee_type"  # value: the employee type as text, without case
    GROUP = "group"  # value: object id; who is in a group inside it is a member too
    NAME = "name"  # value: a pattern, see domain.name_patterns
    ADMIN_ROLES = "admin_roles"  # value: ALL
    AWAY = "away"  # value: ALL; nobody but the database is told whom it holds


# Whom these hold stands in a list of people that is kept beside them: see services.follow_lists.
LISTED: Final = frozenset({ExclusionKind.GROUP, ExclusionKind.NAME, ExclusionKind.ADMIN_ROLES, ExclusionKind.AWAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One exclusion.

    Attributes:
        value: See the kinds.
        until: The first instant at which it no longer counts; None: until somebody ends it.
        ended_at, ended_by: Set once it was ended by hand, or once another took the place of an expired one.
    """

    id: ExclusionId
    kind: ExclusionKind
    value: str
    reason: str
    by: PersonId
    at: datetime
    until: datetime | None = None
    ended_at: datetime | None = None
    ended_by: PersonId | None = None

    def counts_at(self, now: datetime) -> bool:
        """Whether it holds seats now."""
        return self.ended_at is None and (self.until is None or now < self.until)

    def holds(self, person: Person, product: ProductId, listed: Set[ExclusionId] = frozenset()) -> bool:
        """Whether it speaks of this person's seat of this product; `listed`: those whose list names the person."""
        if self.kind is ExclusionKind.NAME:
            return matches_name(self.value, person.upn, person.name)
        if self.kind in LISTED:
            return self.id in listed
        value = _VALUES[self.kind](person, product)
        return value is not None and same_value(value) == same_value(self.value)

    @property
    def strength(self) -> str:
        """Sorts by how long it lasts: of several that hold a seat the greatest is named, so that none outlasts it."""
        return f"{_micros(self.until):020d}{self.id}"


_VALUES: Mapping[ExclusionKind, Callable[[Person, ProductId], str | None]] = {
    ExclusionKind.PERSON: lambda person, _: person.id,
    ExclusionKind.DEPARTMENT: lambda person, _: person.department,
    ExclusionKind.PRODUCT: lambda _, product: product,
    ExclusionKind.GUESTS: lambda person, _: person.user_type,
    ExclusionKind.EMPLOYEE_TYPE: lambda person, _: person.employee_type,
}


def is_free(part_number: str) -> bool:
    """Say whether nobody pays for a product, so that a seat of it saves nothing."""
    name = part_number.upper()
    return name in _FREE or name.endswith(_VIRAL)


def same_value(text: str) -> str:
    """Return a value as values are compared: without case, spaces at the ends, or runs of spaces."""
    return " ".join(text.split()).casefold()


def strongest(
    exclusions: Iterable[Exclusion],
    person: Person,
    product: ProductId,
    now: datetime,
    listed: Set[ExclusionId] = frozenset(),
) -> Exclusion | None:
    """Return the exclusion that holds a seat now, the one that lasts longest if there are several; None: it is free.

    Args:
        listed: The exclusions whose list of people names this person.
    """
    holding = (one for one in exclusions if one.counts_at(now) and one.holds(person, product, listed))
    return max(holding, key=lambda one: one.strength, default=None)


def _micros(until: datetime | None) -> int:
    return 10**20 - 1 if until is None else int(until.timestamp() * 1_000_000)
