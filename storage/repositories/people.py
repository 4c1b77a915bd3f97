"""Synced people and the members of role groups."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.activity import SignIns
from reclaim.domain.directory import Person
from reclaim.domain.ids import GroupId, PersonId
from reclaim.domain.syncing import MEMBERS_STREAM, SyncKind, SyncState
from storage.one_parameter import among
from storage.tables import people, person_addresses, role_members, sync_cursors, sync_runs
from storage.upsert import CHUNK, in_chunks

# The stored columns that are a person's own fields, one to one.
PLAIN = (
    "id",
    "name",
    "upn",
    "mail",
    "enabled",
    "user_type",
    "department",
    "employee_type",
    "usage_location",
    "created_at",
    "manager_id",
)


_PLAIN_COLUMNS = tuple((name, people.c[name]) for name in PLAIN)


def to_person(row: RowMapping) -> Person:
    """Read a row of `people`."""
    fields: dict[str, Any] = {name: row[column] for name, column in _PLAIN_COLUMNS}
    read_at = row[people.c.sign_ins_read_at]
    return Person(
        **fields,
        sign_ins=None if read_at is None else to_sign_ins(row),
        sign_ins_read_at=read_at,
        disabled_seen_at=row[people.c.disabled_seen_at],
        gone_at=row[people.c.gone_at],
    )


def to_sign_ins(row: RowMapping) -> SignIns:
    """Read the three sign-in fields of a row of `people`."""
    return SignIns(
        success_at=row[people.c.success_at],
        interactive_at=row[people.c.interactive_at],
        background_at=row[people.c.background_at],
    )


def folded(*texts: str | None) -> str:
    """Return texts as a search compares them, one a line: without case and accents, so that “muller” finds Müller.

    Done here and not in SQL, since SQLite folds ASCII only.
    """
    lines = (" ".join((text or "").split()) for text in texts)
    parts = unicodedata.normalize("NFKD", "\n".join(lines).casefold())
    return "\n" + "".join(sign for sign in parts if not unicodedata.combining(sign)) + "\n"


def can_review() -> ColumnElement[bool]:
    """`Person.can_review` in SQL."""
    member = or_(people.c.user_type.is_(None), people.c.user_type != "Guest")
    return and_(people.c.enabled.is_(True), people.c.gone_at.is_(None), member)


def members_were_read() -> ColumnElement[bool]:
    """Whether the newest complete full sync read the members of the group of a `role_members` row to the end."""
    return exists().where(
        sync_cursors.c.run_id == _newest_complete(),
        sync_cursors.c.stream == literal(MEMBERS_STREAM) + role_members.c.group_id,
        sync_cursors.c.done.is_(True),
    )


def reviewers_in(connection: Connection, groups: Iterable[GroupId]) -> dict[GroupId, frozenset[PersonId]]:
    """Return who may answer what these groups have, by `People.reviewers_in`; synchronous for the decision threads."""
    found: dict[GroupId, frozenset[PersonId]] = {}
    for some in in_chunks(groups):
        streams = connection.scalars(
            select(sync_cursors.c.stream).where(
                sync_cursors.c.run_id == _newest_complete(),
                sync_cursors.c.stream.in_([f"{MEMBERS_STREAM}{group}" for group in some]),
                sync_cursors.c.done.is_(True),
            )
        )
        read = {GroupId(stream.removeprefix(MEMBERS_STREAM)): set[PersonId]() for stream in streams}
        rows = connection.execute(
            select(role_members.c.group_id, people.c.id)
            .join(people, people.c.id == role_members.c.person_id)
            .where(role_members.c.group_id.in_(read), can_review())
        )
        for group, person in rows:
            read[GroupId(group)].add(PersonId(person))
        found |= {group: frozenset(members) for group, members in read.items()}
    return found


def _newest_complete() -> ScalarSelect[str]:
    return (
        select(sync_runs.c.id)
        .where(sync_runs.c.state == SyncState.COMPLETE.value, sync_runs.c.kind == SyncKind.FULL.value)
        .order_by(sync_runs.c.started_at.desc(), sync_runs.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _with_ids(ids: Sequence[PersonId]) -> Select[Any]:
    return select(people).where(people.c.id.in_(ids))


class SqlPeople:
    """Implements `People`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, person: PersonId) -> Person | None:
        return (await self.get_many([person])).get(person)

    async def get_many(self, people: Iterable[PersonId]) -> dict[PersonId, Person]:
        found: dict[PersonId, Person] = {}
        for ids in in_chunks(people):
            rows = await self._connection.execute(_with_ids(ids))
            found |= {person.id: person for person in map(to_person, rows.mappings())}
        return found

    async def search(self, text: str, limit: int) -> list[Person]:
        wanted = folded(text).strip("\n")
        key = people.c.folded
        # `folded` sets every field between line feeds, so a line feed before or after means its start or end.
        rank = case(
            (key.contains(f"\n{wanted}\n", autoescape=True), 0),
            (key.contains(f"\n{wanted}", autoescape=True), 1),
            (key.contains(f" {wanted}", autoescape=True), 2),
            else_=3,
        )
        rows = await self._connection.execute(
            select(people)
            .where(people.c.gone_at.is_(None), key.contains(wanted, autoescape=True))
            .order_by(rank, key, people.c.id)
            .limit(limit)
        )
        return [to_person(row) for row in rows.mappings()]

    async def count(self) -> int:
        query = select(func.count()).select_from(people).where(people.c.gone_at.is_(None))
        return (await self._connection.execute(query)).scalar_one()

    async def names(self, after: PersonId, limit: int) -> list[tuple[PersonId, str, str]]:
        rows = await self._connection.execute(
            select(people.c.id, people.c.upn, people.c.name)
            .where(people.c.id > after, people.c.gone_at.is_(None))
            .order_by(people.c.id)
            .limit(limit)
        )
        return [(PersonId(row.id), row.upn, row.name) for row in rows]

    async def named(self, texts: Iterable[str]) -> list[Person]:
        found: dict[PersonId, Person] = {}
        # Three lists in one statement, which may hold CHUNK values in all.
        for some in in_chunks((text.lower() for text in texts), CHUNK // 3):
            key = [people.c.id.in_(some), func.lower(people.c.upn).in_(some), func.lower(people.c.mail).in_(some)]
            rows = await self._connection.execute(select(people).where(people.c.gone_at.is_(None), or_(*key)))
            found |= {person.id: person for person in map(to_person, rows.mappings())}
        return list(found.values())

    async def ids_by_name(self, texts: Iterable[str]) -> dict[str, list[PersonId]]:
        wanted = set(texts)
        found: dict[str, list[PersonId]] = {}
        # Each by its own index; there is none of names in lower case.
        for column, names in (
            (people.c.id, [text for text in wanted if "@" not in text]),
            (people.c.upn, [text for text in wanted if "@" in text]),
        ):
            if names:
                fits = among(self._connection, column, names)
                query = select(column, people.c.id).where(fits, people.c.gone_at.is_(None))
                for text, person in await self._connection.execute(query):
                    found.setdefault(text, []).append(PersonId(person))
        return found

    async def by_address(self, addresses: Iterable[str]) -> dict[str, list[Person]]:
        wanted = {address.lower() for address in addresses}
        found: dict[str, dict[PersonId, Person]] = {}
        for person in await self.named(wanted):
            for address in {person.upn.lower(), (person.mail or "").lower()} & wanted:
                found.setdefault(address, {})[person.id] = person
        for some in in_chunks(wanted):
            rows = await self._connection.execute(
                select(people, person_addresses.c.address)
                .join(person_addresses, person_addresses.c.person_id == people.c.id)
                .where(person_addresses.c.address.in_(some), people.c.gone_at.is_(None))
            )
            for row in rows.mappings():
                person = to_person(row)
                found.setdefault(row[person_addresses.c.address], {})[person.id] = person
        return {address: list(each.values()) for address, each in found.items()}

    async def addresses_of(self, person: PersonId) -> list[str]:
        own = await self.get(person)
        if own is None:
            return []
        rows = await self._connection.execute(
            select(person_addresses.c.address)
            .where(person_addresses.c.person_id == person)
            .order_by(person_addresses.c.address)
        )
        first = [address.lower() for address in (own.mail, own.upn) if address]
        return list(dict.fromkeys((*first, *rows.scalars())))

    async def departments(self) -> list[str]:
        own = people.c.department
        rows = await self._connection.execute(
            select(own).where(people.c.gone_at.is_(None), own.is_not(None)).distinct().order_by(own)
        )
        return list(rows.scalars())

    async def members(self, group: GroupId) -> frozenset[PersonId]:
        rows = await self._connection.execute(select(role_members.c.person_id).where(role_members.c.group_id == group))
        return frozenset(rows.scalars())

    async def reviewers_in(self, groups: Iterable[GroupId]) -> dict[GroupId, frozenset[PersonId]]:
        return await self._connection.run_sync(reviewers_in, groups)

    async def groups_of(self, person: PersonId) -> frozenset[GroupId]:
        return (await self.groups_of_many([person])).get(person, frozenset())

    async def groups_of_many(self, people_: Iterable[PersonId]) -> dict[PersonId, frozenset[GroupId]]:
        found: dict[PersonId, set[GroupId]] = defaultdict(set)
        for some in in_chunks(people_):
            rows = await self._connection.execute(
                select(people.c.id, role_members.c.group_id)
                .join(role_members, role_members.c.person_id == people.c.id)
                .where(people.c.id.in_(some), can_review(), members_were_read())
            )
            for person, group in rows:
                found[PersonId(person)].add(GroupId(group))
        return {person: frozenset(groups) for person, groups in found.items()}
