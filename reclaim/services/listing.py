"""Whom exclusions list: who goes onto a list, and which lists name a person, before a write as Microsoft says it now."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from reclaim.domain.absences import counts_since
from reclaim.domain.directory import LivePerson
from reclaim.domain.exclusions import Exclusion, ExclusionId, ExclusionKind, strongest
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.domain.name_patterns import matches_name
from reclaim.ports.storage import PeopleList, UnitOfWork, Work
from reclaim.services.chunks import in_chunks

PEOPLE = 1_000  # put on a list in one transaction: about 20 ms under the write lock
PAGE = 2_000  # people read at once, before the event loop turns to others


async def listed(
    reading: UnitOfWork, person: PersonId, exclusions: Iterable[Exclusion], *, days: int, now: datetime
) -> frozenset[ExclusionId]:
    """Return the exclusions that list a person now, for an idle window of `days`."""
    return (await listed_many(reading, [person], list(exclusions), days=days, now=now)).get(person, frozenset())


async def listed_many(
    reading: UnitOfWork, people: Sequence[PersonId], exclusions: Sequence[Exclusion], *, days: int, now: datetime
) -> dict[PersonId, frozenset[ExclusionId]]:
    """Return the same for each of them who is on any list."""
    found = dict(await reading.people_lists.naming(people, now))
    away = frozenset(one.id for one in exclusions if one.kind is ExclusionKind.AWAY)
    if away:
        for person in await reading.absences.away_of(people, since=counts_since(now, days), now=now):
            found[person] = found.get(person, frozenset()) | away
    return found


def in_groups(live: LivePerson | None, exclusions: Sequence[Exclusion]) -> frozenset[ExclusionId]:
    """Return the exclusions of groups that a person is directly in, who may have joined since the last sync."""
    if live is None:
        return frozenset()
    return frozenset(
        one.id for one in exclusions if one.kind is ExclusionKind.GROUP and GroupId(one.value) in live.direct_group_ids
    )


async def live_exclusion(
    reading: UnitOfWork, live: LivePerson, product: ProductId, *, days: int, now: datetime
) -> Exclusion | None:
    """Return what leaves out a seat just before its write, by our lists and by what Microsoft says of the person now."""
    counting = await reading.exclusions.counting(now)
    by_list = await listed(reading, live.person.id, counting, days=days, now=now) | in_groups(live, counting)
    return strongest(counting, live.person, product, now, by_list)


async def all_away(reading: UnitOfWork, *, days: int, now: datetime) -> frozenset[PersonId]:
    """Return whom an absence holds for an idle window of `days`."""
    found: set[PersonId] = set()
    after = PersonId("")
    while True:
        some = await reading.absences.away(since=counts_since(now, days), now=now, after=after, limit=PAGE)
        found |= set(some)
        if len(some) < PAGE:
            return frozenset(found)
        after = some[-1]


async def list_people(work: Work, to: PeopleList, people: Sequence[PersonId], *, seen_at: datetime) -> None:
    """Put people on a list, in short transactions."""
    for some in in_chunks(people, PEOPLE):
        async with work.write() as unit:
            await unit.people_lists.add(to, some, seen_at=seen_at)
            await unit.commit()


async def people_names(work: Work) -> AsyncIterator[list[tuple[PersonId, str, str]]]:
    """Give everybody still there, page by page: id, user principal name, name."""
    after = PersonId("")
    while True:
        async with work.read() as reading:
            page = await reading.people.names(after, PAGE)
        if not page:
            return
        yield page
        after = page[-1][0]
        await asyncio.sleep(0)


def fitting(pattern: str, page: Iterable[tuple[PersonId, str, str]]) -> list[PersonId]:
    """Return whose user principal name or name fits a pattern."""
    return [person for person, upn, name in page if matches_name(pattern, upn, name)]
