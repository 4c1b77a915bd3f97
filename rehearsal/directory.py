"""The state of the practice tenant: who holds what, who belongs where, what is still under way.

People and groups start as `people` and `groups` say; this module keeps what changed. Rules of the service live here
(a delayed group license, a seat count that lags), and so does what happens to people by itself; the form of requests and
answers does not.
"""

import heapq
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from rehearsal import errors
from rehearsal.cases import HAPPENINGS, GroupKey, Happening, What
from rehearsal.catalog import SKUS, TEAMS_PREMIUM, Sku
from rehearsal.changes import ChangeLog
from rehearsal.clock import MINUTE, TenantClock
from rehearsal.groups import GROUPS, GroupSpec
from rehearsal.identity import is_guid
from rehearsal.people import DOMAIN, License, People, Person, SignIns, group_seats
from rehearsal.traps import NUMBERS
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


@dataclass(frozen=True, slots=True)
class Left:
    """What somebody had who was deleted; `purged`: for good, so that it does not come back."""

    licenses: list[License]
    groups: list[str]
    purged: bool


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
        changes: Who has changed, in order.
    """

    def __init__(self, people: People, clock: TenantClock) -> None:
        self.people = people
        self.clock = clock
        self.writes: list[Write] = []
        self.group_delay = GROUP_DELAY
        self._touched: dict[int, Person] = {}
        self._gone: dict[int, Left] = {}
        self.changes = ChangeLog(secrets.token_bytes(16))
        self._due: list[tuple[int, int, str]] = []
        members, used, happenings = _count(people)
        self._coming = sorted(happenings, reverse=True)
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

    def is_purged(self, number: int) -> bool:
        """Say whether a person was deleted for good."""
        return number in self._gone and self._gone[number].purged

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

    def happening_of(self, number: int) -> tuple[Happening, int] | None:
        """Return what happens to a person by itself, and when, whether it is over or not; None for most people."""
        happening = HAPPENINGS.get(self.people.case_of(number)[0])
        return None if happening is None else (happening, self.people.start + happening.after_s)

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
        """Carry out, in the order of time, every happening and every delayed group license whose time has come."""
        now = self.clock.now
        while True:
            next_due = self._due[0][0] if self._due else now + 1
            next_coming = self._coming[-1][0] if self._coming else now + 1
            if min(next_due, next_coming) > now:
                return
            if next_coming <= next_due:
                at, number = self._coming.pop()
                if number not in self._gone:
                    self._happen(number, at)
                continue
            at, number, key = heapq.heappop(self._due)
            if number not in self._gone and key in self._groups:
                self._follow_group(number, self._groups[key], at)

    def _happen(self, number: int, at: int) -> None:
        found = self.happening_of(number)
        if found is None:
            return
        happening, _ = found
        person = self.person(number)
        match happening.what:
            case What.SIGNS_IN:
                self.sign_in(number, at)
            case What.IS_ENABLED:
                self.enable(number)
            case What.IS_LICENSED_ANEW:
                self.assign_direct(number, _first_sku(person), at)
            case What.JOINS_GROUP:
                self._enter(number, _needed(happening.group), at)
            case What.MOVES_TO_GROUP:
                sku = _first_sku(person)
                self._enter(number, _needed(happening.group), at)
                self.unassign_direct(number, sku)
            case What.LOSES_GROUP:
                if happening.group in self._groups:
                    self.delete_group(self._groups[_needed(happening.group)], at)
            case What.LOSES_LICENSE:
                self.unassign_direct(number, _first_sku(person))
            case What.LEAVES:
                self.leave(number)
            case _:
                assert_never(happening.what)

    def _enter(self, number: int, key: GroupKey, at: int) -> None:
        """Put somebody into a group whose license has already followed."""
        group = self._groups[key]
        group.members.add(number)
        self._follow_group(number, group, at)

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

    # What somebody else causes, at `at` or else now

    def sign_in(self, number: int, at: int | None = None) -> None:
        """Let a person sign in."""
        at = self.clock.now if at is None else at
        # Not among the changes: sign-ins lie outside the store that /users/delta tracks.
        self._state(number).sign_ins = SignIns(at, at, at)

    def assign_direct(self, number: int, sku: Sku, at: int | None = None) -> None:
        """Give a person a direct license, as an admin would by hand; one that is there already is given anew."""
        person = self._touch(number)
        kept = [license_ for license_ in person.licenses if license_.group is not None or license_.sku != sku]
        self._relicense(person, [*kept, License(sku, None, self.clock.now if at is None else at)])

    def unassign_direct(self, number: int, sku: Sku) -> None:
        """Take a direct license away, as another tool would."""
        person = self._touch(number)
        self._relicense(
            person, [license_ for license_ in person.licenses if license_.group is not None or license_.sku != sku]
        )

    def enable(self, number: int) -> None:
        """Unblock a person's account."""
        self._touch(number).enabled = True

    def delete_group(self, group: Group, at: int | None = None) -> None:
        """Delete a group; licenses that came from it become direct ones ([E] licensing-groups-resolve-problems)."""
        at = self.clock.now if at is None else at
        del self._groups[group.spec.key], self.groups[group.id]
        for number in sorted(group.members):
            person = self._touch(number)
            direct = {license_.sku for license_ in person.licenses if license_.group is None}
            self._relicense(
                person,
                [
                    license_ if license_.group != group.spec.key else replace(license_, group=None, updated_at=at)
                    for license_ in person.licenses
                    if license_.group != group.spec.key or license_.sku not in direct
                ],
            )

    def disable(self, number: int) -> None:
        """Block a person's account now; they stop signing in."""
        person = self._touch(number)
        person.enabled = False
        if person.sign_ins is not None:
            latest = person.sign_ins.at(self.clock.now)
            person.sign_ins = SignIns(latest.interactive, latest.background, latest.successful)

    def set_manager(self, number: int, manager: int | None) -> None:
        """Put a person below another manager, or below none."""
        person = self._touch(number)
        person.manager, person.contact_manager = manager, False

    def leave(self, number: int, *, purged: bool = False) -> None:
        """Delete a person: their seats are free and nothing finds them any more.

        Args:
            number: Whom.
            purged: For good; otherwise they may be restored.
        """
        person = self._touch(number)
        groups = self.groups_of(number)
        self._gone[number] = Left(list(person.licenses), [group.spec.key for group in groups], purged)
        self._relicense(person, [])
        for group in groups:
            group.members.discard(number)

    def restore(self, person_id: str) -> None:
        """Bring a deleted person back with licenses and groups.

        Raises:
            GraphError: Nobody by this id can be restored.
        """
        number = self.people.identities.number_of(person_id)
        if number is None or number not in self._gone or self._gone[number].purged:
            raise errors.not_found(person_id)
        left = self._gone.pop(number)
        self._relicense(self._touch(number), left.licenses)
        for key in left.groups:
            if key in self._groups:
                self._groups[key].members.add(number)

    def _touch(self, number: int) -> Person:
        """Return a person whom something is about to change."""
        self.changes.note(number)
        return self._state(number)

    def _state(self, number: int) -> Person:
        return self._touched.setdefault(number, self.person(number))

    def _note(self, kind: WriteKind, person: Person, target_id: str, client_request_id: str | None) -> None:
        self.writes.append(Write(len(self.writes) + 1, kind, person.id, target_id, client_request_id))

    def _schedule(self, number: int, group: Group) -> None:
        if group.spec.skus:
            heapq.heappush(self._due, (self.clock.now + self.group_delay, number, group.spec.key))
            self.settle()

    def _follow_group(self, number: int, group: Group, at: int) -> None:
        """Give or take the licenses of a group, whatever the person's membership is by now."""
        key, person = group.spec.key, self.person(number)
        has_path = any(license_.group == key for license_ in person.licenses)
        if not group.spec.skus or has_path == (number in group.members):
            return
        person = self._touch(number)
        if has_path:
            self._relicense(person, [license_ for license_ in person.licenses if license_.group != key])
            return
        held = person.held_skus()
        granted = [
            License(sku, key, at, state="Error", error="CountViolation")
            if sku not in held and self.units[sku].free == 0
            else License(sku, key, at)
            for sku in group.spec.skus
        ]
        self._relicense(person, [*person.licenses, *granted])

    def _relicense(self, person: Person, licenses: list[License]) -> None:
        before = person.held_skus()
        person.licenses = licenses
        after = person.held_skus()
        for sku in before ^ after:
            self.units[sku].change(1 if sku in after else -1, self.clock.now)
        # Whatever changes licenses has the mail addresses computed anew ([E] licensing-groups-resolve-problems).
        if _has_mailbox(before) and not person.guest:
            person.rerouted = not _has_mailbox(after)


def _refuse_protected(group: Group) -> None:
    """Refuse what Graph refuses, in the order group-delete-members and resources/groups-overview suggest.

    Raises:
        GraphError: The membership of this group cannot be written.
    """
    if group.spec.dynamic or group.spec.role_assignable or group.spec.restricted:
        raise errors.access_denied()
    if group.spec.synced:
        raise errors.synced_object()
    if group.spec.exchange_owned:
        raise errors.exchange_object()


def _has_mailbox(skus: set[Sku]) -> bool:
    return any(plan.name == "EXCHANGE_S_ENTERPRISE" for sku in skus for plan in sku.plans)


def _first_sku(person: Person) -> Sku:
    return person.licenses[0].sku


def _needed(group: GroupKey | None) -> GroupKey:
    if group is None:
        message = "this happening is about a group"
        raise ValueError(message)
    return group


def _count(people: People) -> tuple[dict[str, set[int]], dict[Sku, int], list[tuple[int, int]]]:
    """Return who is in which group at the start, how many seats of each product are used, and what is to happen.

    The happenings are pairs of an instant and the number of the person.
    """
    members = {spec.key: {NUMBERS[name] for name in spec.players if NUMBERS[name] < people.count} for spec in GROUPS}
    used = dict.fromkeys(SKUS, 0)
    happenings: list[tuple[int, int]] = []
    for number in range(people.count):
        case, recipe = people.case_of(number)
        for plan in recipe:
            used[plan.sku] += plan.counts
        for key in group_seats(recipe):
            members[key].add(number)
        if case in HAPPENINGS:
            happenings.append((people.start + HAPPENINGS[case].after_s, number))
    return members, used, happenings


def _spare(sku: Sku, used: int) -> int:
    """Return how many seats were bought too many; one product is used up, so that "none available" can be met."""
    if sku is TEAMS_PREMIUM:
        return 0
    return 5 + -(-(used + used // 12) // 5) * 5 - used
