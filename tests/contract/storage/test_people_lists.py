"""Lists of people and of absences, on both back ends."""

from datetime import UTC, datetime, timedelta

from reclaim.domain.absences import Absence, AbsenceList
from reclaim.domain.exclusions import ALL, Exclusion, ExclusionId, ExclusionKind
from reclaim.domain.ids import PersonId
from reclaim.ports.directory import PersonRow
from reclaim.ports.storage import PeopleList
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import person, run

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
VIPS = PeopleList(ExclusionKind.GROUP, "VIPs")
ADMINS = PeopleList(ExclusionKind.ADMIN_ROLES, ALL)
ADA, BEN, CLEO = (PersonId(one) for one in ("ada", "ben", "cleo"))


async def test_a_list_names_people_until_they_are_forgotten_some_at_a_time(work: SqlWork) -> None:
    made = Exclusion(
        id=ExclusionId("x1"), kind=ExclusionKind.GROUP, value="vips", reason="why", by=PersonId("lynne"), at=NOW
    )
    async with work.write() as unit:
        await unit.syncs.add(run(0))
        await unit.syncs.save_people(run(0).id, [PersonRow(person=person("ada"), seats=())], now=NOW)
        await unit.exclusions.add(made)
        await unit.people_lists.add(VIPS, [ADA, BEN, CLEO, ADA], seen_at=NOW)
        await unit.people_lists.add(ADMINS, [ADA], seen_at=NOW)
        await unit.people_lists.add(VIPS, [CLEO], seen_at=NOW + DAY)
        await unit.commit()

    async with work.read() as reading:
        assert await reading.people_lists.all() == [ADMINS, PeopleList(ExclusionKind.GROUP, "vips")]
        assert await reading.people_lists.naming([ADA, BEN], NOW) == {ADA: {made.id}, BEN: {made.id}}
        assert await reading.people_lists.sizes([made]) == {made.id: 1}
        assert await reading.people_lists.strangers(VIPS) == [BEN, CLEO]
        assert await reading.people.names(PersonId(""), 5) == [(ADA, person("ada").upn, person("ada").name)]
    async with work.write() as unit:
        more = await unit.people_lists.forget(VIPS, seen_before=NOW + DAY, rows=1)
        named = await unit.people_lists.naming([ADA, BEN, CLEO], NOW)
        assert (more, set(named)) == (True, {BEN, CLEO})
        while await unit.people_lists.forget(VIPS, seen_before=NOW + DAY, rows=1):
            pass
        assert set(await unit.people_lists.naming([ADA, BEN, CLEO], NOW)) == {CLEO}
        await unit.exclusions.end(made.id, by=PersonId("lynne"), at=NOW)
        assert await unit.people_lists.naming([CLEO], NOW) == {}
        await unit.people_lists.forget(VIPS, seen_before=None, rows=9)
        assert await unit.people_lists.all() == [ADMINS]


async def test_one_list_of_absences_counts_and_the_others_are_erased_in_parts(work: SqlWork) -> None:
    def away(who: PersonId, first: int, last: int) -> Absence:
        return Absence(person_id=who, starts_at=NOW + first * DAY, ends_at=NOW + last * DAY)

    async def add(name: str, *rows: Absence) -> None:
        async with work.write() as unit:
            await unit.absences.begin(AbsenceList(id=name, by=PersonId("hr"), at=NOW, absences=len(rows)))
            await unit.absences.add(name, rows)
            await unit.commit()

    async def count_only(name: str) -> None:
        async with work.write() as unit:
            await unit.absences.count_only(name)
            await unit.commit()

    await add("old", away(ADA, -9, 9), away(BEN, -9, 9), away(CLEO, -9, 9))
    await count_only("old")
    await add("broken off", away(ADA, -9, 9))
    await add("new", away(ADA, -9, -5), away(ADA, 2, 4), away(BEN, 1, 3), away(CLEO, -1, 0))
    async with work.read() as reading:
        before = await reading.absences.away(since=NOW, now=NOW, after=PersonId(""), limit=2)
    await count_only("new")

    async with work.read() as reading:
        assert before == [ADA, BEN]
        assert await reading.absences.away(since=NOW - 6 * DAY, now=NOW, after=PersonId(""), limit=9) == [ADA, CLEO]
        assert await reading.absences.away(since=NOW - 6 * DAY, now=NOW, after=ADA, limit=9) == [CLEO]
        assert await reading.absences.away_of([ADA, BEN, CLEO], since=NOW - 5 * DAY, now=NOW) == {CLEO}
        assert await reading.absences.away_of([CLEO], since=NOW, now=NOW) == frozenset()
        counting, dropped = await reading.absences.counting(), await reading.absences.dropped()
    assert counting is not None
    assert (counting.id, counting.absences, dropped) == ("new", 4, ["broken off", "old"])
    async with work.write() as unit:
        assert not await unit.absences.erase_some("old", 2)
        assert await unit.absences.erase_some("old", 2)
        assert await unit.absences.erase_some("broken off", 2)
        assert await unit.absences.dropped() == []
