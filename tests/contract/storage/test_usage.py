"""Usage in storage: rows count once their import is whole, the newest whole import counts, old rows go."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from sqlalchemy import func, select

from reclaim.domain.ids import PersonId
from reclaim.domain.usage import KnownUse, UsageRow, unknown_use, unreadable_use
from reclaim.ports.usage_storage import UsageImport
from storage.engine import Database
from storage.tables import usage_rows
from storage.unit_of_work import SqlWork
from tests.contract.storage.campaign_samples import HOUR, NOW

DAY = timedelta(days=1)
FIRST = UsageImport(id="i1", source="csv", application="Miro", name="one.csv", at=NOW, by="operator:ada")


def use(who: str, device: str | None = "DESK-1", **more: object) -> KnownUse:
    given: dict[str, object] = {"last_used_at": NOW - 30 * DAY, "unused_days": None, "observed_at": NOW - HOUR, **more}
    return KnownUse(
        person_id=PersonId(who),
        row=UsageRow(who=who, application="miro", device=device, **given),  # type: ignore[arg-type]
    )


async def take(work: SqlWork, one: UsageImport, *rows: KnownUse, whole: bool = True) -> None:
    async with work.write() as unit:
        await unit.usage.begin(one)
        await unit.usage.add_rows(unit.usage.packed(one.id, rows, first=0))
        if whole:
            await unit.usage.complete(replace(one, rows=len(rows)))
        await unit.commit()


async def current(work: SqlWork, application: str = "Miro") -> str | None:
    async with work.read() as unit:
        newest = await unit.usage.newest("csv", application)
    return newest.id if newest else None


async def erase(work: SqlWork, rows: int = 2) -> int:
    """Erase all that is old, and return in how many parts."""
    parts, done = 0, False
    while not done:
        async with work.write() as unit:
            done = await unit.usage.erase_old(rows)
            await unit.commit()
        parts += 1
    return parts


async def left(database: Database) -> dict[str, int]:
    async with database.reads.connect() as connection:
        counted = select(usage_rows.c.import_id, func.count()).group_by(usage_rows.c.import_id)
        return {row[0]: row[1] for row in await connection.execute(counted)}


async def test_an_import_and_its_rows_come_back_whole(work: SqlWork) -> None:
    by_days = use("bob", None, last_used_at=None, unused_days=45)
    one = replace(FIRST, unmatched=2, ambiguous=1, newest=NOW - HOUR)
    await take(work, one, use("ada"), by_days, use("ada", "DESK-2"))

    async with work.read() as unit:
        newest = await unit.usage.newest("csv", "MIRO")
        rows = await unit.usage.rows_of("i1", [PersonId("ada"), PersonId("bob"), PersonId("eve")])

    assert newest == replace(one, application="miro", rows=3)
    assert rows == [use("ada"), use("ada", "DESK-2"), by_days]


async def test_people_come_once_and_page_by_page(work: SqlWork) -> None:
    await take(work, FIRST, use("cy"), use("ada"), use("bob"), use("ada", "DESK-2"))

    async with work.read() as unit:
        assert await unit.usage.people("i1", after=None, limit=2) == ["ada", "bob"]
        assert await unit.usage.people("i1", after=PersonId("bob"), limit=2) == ["cy"]


async def test_an_import_counts_once_it_is_whole(work: SqlWork) -> None:
    await take(work, FIRST, use("ada"))
    await take(work, replace(FIRST, id="i2", at=NOW + HOUR), use("ada"), whole=False)
    assert await current(work) == "i1"

    async with work.write() as unit:
        await unit.usage.complete(replace(FIRST, id="i2", at=NOW + HOUR))
        await unit.commit()

    assert await current(work) == "i2"


async def test_an_import_that_ends_after_a_later_one_does_not_count(work: SqlWork, database: Database) -> None:
    await take(work, FIRST, use("ada"), whole=False)
    await take(work, replace(FIRST, id="i2", at=NOW + HOUR), use("ada"))

    async with work.write() as unit:
        await unit.usage.complete(FIRST)
        await unit.commit()

    assert await current(work) == "i2"
    await erase(work)
    assert await left(database) == {"i2": 1}


async def test_sources_and_applications_do_not_replace_each_other(work: SqlWork) -> None:
    await take(work, FIRST, use("ada"))
    await take(work, replace(FIRST, id="i2", source="nexthink"), use("ada"))
    await take(work, replace(FIRST, id="i3", application="Visio"), use("ada"))

    assert (await current(work), await current(work, "visio")) == ("i1", "i3")


async def test_replaced_rows_are_erased_in_parts(work: SqlWork, database: Database) -> None:
    await take(work, FIRST, *(use(f"p{number}") for number in range(5)))
    await take(work, replace(FIRST, id="i2", at=NOW + HOUR), use("ada"), use("ada", "DESK-2"))
    await take(work, replace(FIRST, id="i3", at=NOW + 2 * HOUR), use("ada"))

    assert await erase(work, rows=3) == 3
    assert await left(database) == {"i3": 1}


async def test_what_is_still_being_read_is_erased_only_where_nobody_ended_it_in_a_day(
    work: SqlWork, database: Database
) -> None:
    await take(work, replace(FIRST, source="nexthink"), use("ada"), whole=False)
    await take(work, replace(FIRST, id="i2", at=NOW + 23 * HOUR), use("ada"))
    await erase(work)
    assert await left(database) == {"i1": 1, "i2": 1}

    await take(work, replace(FIRST, id="i3", at=NOW + 25 * HOUR), use("ada"))
    await erase(work)
    assert await left(database) == {"i3": 1}


async def test_where_nothing_was_imported_there_is_nothing_to_erase(work: SqlWork) -> None:
    assert await erase(work) == 1
    assert await current(work) is None


async def test_the_bytes_of_a_file_are_found_again_and_those_that_count_first(work: SqlWork) -> None:
    first = replace(FIRST, sha256="a" * 64)
    await take(work, first, use("ada"))
    await take(work, replace(first, id="i2", at=NOW + HOUR, sha256="b" * 64), use("ada"))
    await take(work, replace(first, id="i3", application="Visio", at=NOW - HOUR), use("ada"))
    await take(work, replace(first, id="i4", sha256="c" * 64), use("ada"), whole=False)

    async with work.read() as unit:
        found = {sign: await unit.usage.of_bytes("csv", sign * 64) for sign in "abc"}
        other = await unit.usage.of_bytes("nexthink", "a" * 64)
        counting = await unit.usage.counting()

    assert {sign: one and (one[0].id, one[1]) for sign, one in found.items()} == {
        "a": ("i3", True),
        "b": ("i2", True),
        "c": None,
    }
    assert other is None
    assert [(one.id, one.sha256) for one in counting] == [("i2", "b" * 64), ("i3", "a" * 64)]


async def test_rows_are_copied_in_parts_without_those_that_were_mended(work: SqlWork) -> None:
    def unread(who: str) -> KnownUse:
        return replace(use(who), row=unreadable_use(who, "miro"))

    doubtful = replace(use("ada"), row=unknown_use("ada", "miro"))
    await take(work, FIRST, use("ada"), unread("ada"), doubtful, unread("bob"), use("cy"))
    await take(work, replace(FIRST, id="i2", at=NOW + HOUR), use("ada", "DESK-2"), whole=False)

    copied, after, parts = 0, None, 0
    while True:
        async with work.write() as unit:
            some = await unit.usage.copy_rows("i1", "i2", first=1, after=after, limit=2)
            await unit.commit()
        if some.last is None:
            break
        copied, after, parts = copied + some.rows, some.last, parts + 1

    async with work.read() as unit:
        rows = await unit.usage.rows_of("i2", [PersonId(one) for one in ("ada", "bob", "cy")])
    assert (copied, parts) == (4, 3)
    assert [(one.person_id, one.row.device, one.row.last_used_at, one.row.unused_days) for one in rows] == [
        ("ada", "DESK-2", NOW - 30 * DAY, None),
        ("ada", "DESK-1", NOW - 30 * DAY, None),
        ("ada", None, None, 0),  # more than one person was meant: no mended row tells who
        ("bob", None, None, None),
        ("cy", "DESK-1", NOW - 30 * DAY, None),
    ]


async def test_a_naive_instant_is_not_stored(work: SqlWork) -> None:
    with pytest.raises(ValueError, match="naive"):
        await take(work, FIRST, use("ada", observed_at=NOW.replace(tzinfo=None)))


async def test_instants_are_stored_as_every_other_table_has_them(work: SqlWork, database: Database) -> None:
    at = (NOW - HOUR).astimezone(timezone(timedelta(hours=2))).replace(microsecond=7)
    await take(work, FIRST, use("ada", last_used_at=at, observed_at=at))

    async with database.reads.connect() as connection:
        same = select(usage_rows.c.person_id).where(usage_rows.c.last_used_at == at, usage_rows.c.observed_at == at)
        assert list(await connection.scalars(same)) == ["ada"]
