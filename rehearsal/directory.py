"""The state of the practice tenant: who holds what, who belongs where, what is still under way.

People and groups start as `people` and `groups` say; this module keeps what changed. Rules of the service live here
(a delayed group license, a seat count that lags); the form of requests and answers does not.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rehearsal import errors
from rehearsal.cast import NUMBERS
from rehearsal.catalog import SKUS, Sku
from rehearsal.clock import MINUTE, TenantClock
from rehearsal.groups import GROUPS, GroupSpec
from rehearsal.identity import is_guid
from rehearsal.people import DOMAIN, License, People, Person, SignIns, group_seats
from rehearsal.units import Units

GROUP_DELAY = 20 * MINUTE


class WriteKind(StrEnum):
    """What a write through Graph did."""

    LICENSE_REMOVED = "license_removed"
    LICENSE_ADDED = "license_added"
    MEMBER_REMOVED = "member_removed"
    MEMBER_ADDED = "member_added"


@dataclass(frozen=True, slots=True)
class Write:
    """One effective change through Graph; `target_id` is a SKU id or a group id, as the kind says."""

    seq: int
    kind: WriteKind
    person_id: str
    target_id: str
    client_request_id: str | None


@dataclass(slots=True)
class Group:
    """One group and the numbers of the people directly in it."""

    id: str
    spec: GroupSpec
    created_at: int
    members: set[int]


class Directory:
    """People, groups and seats of one tenant.

    Attributes:
        people: Everybody as at the start.
        clock: Tenant time.
        groups: All groups by id.
        units: Bought and used seats per product.
        writes: What Graph writes have changed, oldest first.
        group_delay: Seconds of tenant time until joining or leaving a group changes the license.
    """

    def __init__(self, people: People, clock: TenantClock) -> None:
        self.people = people
        self.clock = clock
        self.writes: list[Write] = []
        self.group_delay = GROUP_DELAY
        self._touched: dict[int, Person] = {}
        self._gone: set[int] = set()
        self._due: list[tuple[int, int, str]] = []
        members, used = _count(people)
        self.units = {sku: Units(used[sku], spare=_spare(sku, used[sku])) for sku in SKUS}
        created_at = people.baseline(0).created_at
        self._groups = {
            spec.key: Group(people.identities.named(f"group/{spec.key}"), spec, created_at, members[spec.key])
            for spec in GROUPS
        }
        self.groups = {group.id: group for group in self._groups.values()}

    # Reading

    def person(self, number: int) -> Person:
        """Return a person as they are now; the answer is for reading only."""
        return self._touched.get(number) or self.people.baseline(number)

    def numbers(self, after: int = -1) -> Iterator[int]:
        """Return the numbers of everybody who is still there, from the one behind `after` on."""
        return (number for number in range(after + 1, self.people.count) if number not in self._gone)

    def is_present(self, number: int) -> bool:
        """Say whether a person is still there."""
        return number not in self._gone

    def find(self, key: str) -> Person:
        """Return a person by object id or user principal name.

        Raises:
            GraphError: There is nobody by this key.
        """
        number = self.people.identities.number_of(key)
        if number is None and not is_guid(key):
            alias, _, domain = key.rpartition("@")
            number = self.people.number_of_alias(alias) if domain.lower() == DOMAIN else None
        if number is None or number >= self.people.count or number in self._gone:
            raise errors.not_found(key)
        return self.person(number)

    def group(self, group_id: str) -> Group:
        """Return a group by id.

        Raises:
            GraphError: The id is no GUID, or there is no such group.
        """
        if not is_guid(group_id):
            raise errors.invalid_identifier(group_id)
        if group_id.lower() not in self.groups:
            raise errors.not_found(group_id)
        return self.groups[group_id.lower()]

    def group_by_key(self, key: str) -> Group:
        """Return a group by its short name in `groups`."""
        return self._groups[key]

    def nested_in(self, group: Group) -> list[Group]:
        """Return the groups directly inside a group."""
        return [self._groups[key] for key in group.spec.nested]

    def groups_of(self, number: int) -> list[Group]:
        """Return the groups that a person is directly in."""
        return [group for group in self.groups.values() if number in group.members]

    def everyone_in(self, group: Group) -> set[int]:
        """Return the numbers of everybody in a group or in a group inside it."""
        found = set(group.members)
        for inner in self.nested_in(group):
            found |= self.everyone_in(inner)
        return found

    def is_processing(self, group: Group) -> bool:
        """Say whether somebody's license still has to follow a change of this group."""
        return any(key == group.spec.key for _, _, key in self._due)

    # Time

    def settle(self) -> None:
        """Carry out every delayed group license whose time has come."""
        while self._due and self._due[0][0] <= self.clock.now:
            _, number, key = heapq.heappop(self._due)
            if number not in self._gone:
                self._follow_group(number, self._groups[key])

    # Writing through Graph

    def replace_direct_licenses(self, number: int, direct: list[License], client_request_id: str | None) -> None:
        """Replace all direct licenses of a person, at once, and note what came and went."""
        person = self._touch(number)
        before = {license_.sku for license_ in person.licenses if license_.group is None}
        inherited = [license_ for license_ in person.licenses if license_.group is not None]
        self._relicense(person, direct + inherited)
        after = {license_.sku for license_ in direct}
        for sku in SKUS:
            if sku in before - after:
                self._note(WriteKind.LICENSE_REMOVED, person, sku.sku_id, client_request_id)
            elif sku in after - before:
                self._note(WriteKind.LICENSE_ADDED, person, sku.sku_id, client_request_id)

    def remove_member(self, group: Group, number: int, client_request_id: str | None) -> None:
        """Take somebody out of a group; the license follows after the delay ([E] licensing-group-advanced).

        Raises:
            GraphError: The group is protected, or the person is not directly in it.
        """
        _refuse_protected(group)
        person = self.person(number)
        if number not in group.members:
            raise errors.not_found(person.id)
        group.members.discard(number)
        self._note(WriteKind.MEMBER_REMOVED, person, group.id, client_request_id)
        self._schedule(number, group)

    def add_member(self, group: Group, number: int, client_request_id: str | None) -> None:
        """Put somebody into a group; the license follows after the delay ([E] licensing-group-advanced).

        Raises:
            GraphError: The group is protected, or the person is in it already.
        """
        _refuse_protected(group)
        if number in group.members:
            raise errors.already_a_member()
        group.members.add(number)
        self._note(WriteKind.MEMBER_ADDED, self.person(number), group.id, client_request_id)
        self._schedule(number, group)

    # Happenings that somebody else causes

    def sign_in(self, number: int) -> None:
        """Let a person sign in now."""
        now = self.clock.now
        self._touch(number).sign_ins = SignIns(now, now, now)

    def assign_direct(self, number: int, sku: Sku) -> None:
        """Give a person a direct license now, as an admin would by hand."""
        person = self._touch(number)
        kept = [license_ for license_ in person.licenses if license_.group is not None or license_.sku != sku]
        self._relicense(person, [*kept, License(sku, None, self.clock.now)])

    def disable(self, number: int) -> None:
        """Block a person's account now; they stop signing in."""
        person = self._touch(number)
        person.enabled = False
        if person.sign_ins is not None:
            latest = person.sign_ins.at(self.clock.now)
            person.sign_ins = SignIns(latest.interactive, latest.background, latest.successful)

    def leave(self, number: int) -> None:
        """Delete a person: their seats are free and nothing finds them any more."""
        self._relicense(self._touch(number), [])
        for group in self.groups_of(number):
            group.members.discard(number)
        self._gone.add(number)

    def _touch(self, number: int) -> Person:
        return self._touched.setdefault(number, self.person(number))

    def _note(self, kind: WriteKind, person: Person, target_id: str, client_request_id: str | None) -> None:
        self.writes.append(Write(len(self.writes) + 1, kind, person.id, target_id, client_request_id))

    def _schedule(self, number: int, group: Group) -> None:
        if group.spec.sku is not None:
            heapq.heappush(self._due, (self.clock.now + self.group_delay, number, group.spec.key))
            self.settle()

    def _follow_group(self, number: int, group: Group) -> None:
        """Give or take the license of a group, whatever the person's membership is by now."""
        sku, key = group.spec.sku, group.spec.key
        person = self.person(number)
        has_path = any(license_.group == key for license_ in person.licenses)
        if sku is None or has_path == (number in group.members):
            return
        person = self._touch(number)
        if has_path:
            self._relicense(person, [license_ for license_ in person.licenses if license_.group != key])
            return
        short = sku not in person.held_skus() and self.units[sku].free == 0
        granted = License(sku, key, self.clock.now, error="CountViolation" if short else None)
        self._relicense(person, [*person.licenses, granted])

    def _relicense(self, person: Person, licenses: list[License]) -> None:
        before = person.held_skus()
        person.licenses = licenses
        after = person.held_skus()
        for sku in before ^ after:
            self.units[sku].change(1 if sku in after else -1, self.clock.now)


def _refuse_protected(group: Group) -> None:
    """Refuse what Graph refuses, in the order group-delete-members and resources/groups-overview suggest.

    Raises:
        GraphError: The membership of this group cannot be written.
    """
    if group.spec.dynamic or group.spec.role_assignable:
        raise errors.access_denied()
    if group.spec.synced:
        raise errors.synced_object()
    if group.spec.exchange_owned:
        raise errors.exchange_object()


def _count(people: People) -> tuple[dict[str, set[int]], dict[Sku, int]]:
    """Return who is in which group at the start, and how many seats of each product are used."""
    members = {spec.key: {NUMBERS[name] for name in spec.players} for spec in GROUPS}
    used = dict.fromkeys(SKUS, 0)
    for number in range(people.count):
        _, recipe = people.case_of(number)
        for plan in recipe:
            used[plan.sku] += 1
        for key in group_seats(recipe):
            members[key].add(number)
    return members, used


def _spare(sku: Sku, used: int) -> int:
    """Return how many seats were bought too many; one product is used up, so that "none available" can be met."""
    if sku == SKUS[-1]:
        return 0
    return 5 + -(-(used + used // 12) // 5) * 5 - used
