"""An import of usage: who is meant, what counts, and what an import that breaks off leaves."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reclaim.domain.directory import Person
from reclaim.domain.ids import PersonId
from reclaim.domain.usage import UsageRow, no_use_of, unknown_use, unreadable_use
from reclaim.errors import Conflict, InvalidRequest
from reclaim.ports.usage import UsageBatch
from reclaim.ports.usage_storage import UsageImport
from reclaim.services.import_usage import NAMED, Imported, ImportUsage
from tests.services.world import NOW, World, days_ago, person

GUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def row(who: str, application: str = "Miro", *, device: str | None = None, observed: datetime = NOW) -> UsageRow:
    return UsageRow(
        who=who,
        application=application,
        last_used_at=days_ago(30),
        unused_days=None,
        device=device,
        observed_at=observed,
    )


async def batches(*parts: Sequence[UsageRow], error: Exception | None = None) -> AsyncIterator[UsageBatch]:
    for number, part in enumerate(parts, start=1):
        yield UsageBatch(rows=part, done=number / len(parts))
    if error is not None:
        raise error


def importer(world: World) -> ImportUsage:
    return ImportUsage(work=world.work, clock=world.clock, tokens=world.tokens)


async def take(
    world: World,
    *parts: Sequence[UsageRow],
    application: str | None = None,
    error: Exception | None = None,
    sha256: str | None = None,
    adds: bool = False,
) -> Imported:
    read = batches(*parts, error=error)
    return await importer(world).take(
        "csv", "usage.csv", read, by="operator:ada", application=application, sha256=sha256, adds=adds
    )


async def people_in(world: World, application: str = "Miro") -> list[str]:
    """Return whose rows count."""
    async with world.work.read() as work:
        newest = await work.usage.newest("csv", application)
        return [*await work.usage.people(newest.id, after=None, limit=100)] if newest is not None else []


async def known(world: World, *people: Person, aliases: dict[str, Sequence[str]] | None = None) -> None:
    """Have a sync read these people, and nobody else."""
    for ref in list(world.directory.everybody):
        world.directory.remove(ref)
    for one in people:
        world.directory.add(replace(one, aliases=tuple((aliases or {}).get(one.id, ()))))
    await world.read()


async def test_people_are_found_by_object_id_user_principal_name_and_any_address(world: World) -> None:
    await known(
        world,
        replace(person("ada"), id=PersonId(GUID)),
        person("bob"),
        person("cy"),
        aliases={"cy": ["cyril@contoso.example"]},
    )

    done = await take(
        world, [row(f" {GUID.upper()} "), row("BOB@contoso.example"), row("Cyril@Contoso.example"), row("nobody")]
    )

    assert sorted(await people_in(world)) == sorted([GUID, "bob", "cy"])
    assert (done.imports[0].rows, done.imports[0].unmatched, done.unmatched) == (3, 1, ["nobody"])


async def test_a_user_principal_name_goes_before_the_alias_of_another(world: World) -> None:
    await known(world, person("ada"), person("bob"), aliases={"bob": ["ada@contoso.example"]})

    done = await take(world, [row("ada@contoso.example")])

    assert await people_in(world) == ["ada"]
    assert done.imports[0].ambiguous == 0


async def test_an_address_of_two_people_is_nobodys(world: World) -> None:
    shared = ["team@contoso.example"]
    await known(world, person("ada"), person("bob"), aliases={"ada": shared, "bob": shared})

    done = await take(world, [row("team@contoso.example"), row("ada@contoso.example")])

    assert (done.imports[0].ambiguous, done.ambiguous) == (1, shared)
    # Either of them may have used it: both are unknown, whatever other rows say of them.
    async with world.work.read() as work:
        rows = await work.usage.rows_of(done.imports[0].id, [PersonId("ada"), PersonId("bob")])
    for one in ("ada", "bob"):
        theirs = [found.row for found in rows if found.person_id == one]
        assert theirs
        assert no_use_of(theirs, "csv", max_age=timedelta(days=14), now=NOW) is None


async def test_who_has_left_is_nobody_here(world: World) -> None:
    await known(world, person("ada"), person("bob"))
    await known(world, person("bob"))

    done = await take(world, [row("ada"), row("ada@contoso.example"), row("bob")])

    assert await people_in(world) == ["bob"]
    assert done.imports[0].unmatched == 2


async def test_of_many_that_are_nobody_some_are_named_and_all_are_counted(world: World) -> None:
    done = await take(world, [row(f"x{number}") for number in range(NAMED + 5)])

    assert (len(done.unmatched), done.imports[0].unmatched, done.imports[0].rows) == (NAMED, NAMED + 5, 0)


async def test_a_torn_import_does_not_replace_the_whole_one_before_it(world: World) -> None:
    await known(world, person("ada"), person("bob"))
    await take(world, [row("ada")])

    with pytest.raises(InvalidRequest, match="torn"):
        await take(world, [row("bob")], error=InvalidRequest("torn"))

    assert await people_in(world) == ["ada"]


async def test_a_whole_import_replaces_the_one_before_it(world: World) -> None:
    await known(world, person("ada"), person("bob"))
    await take(world, [row("ada")])

    await take(world, [row("bob", "MIRO")])

    assert await people_in(world) == ["bob"]


async def test_a_file_may_speak_of_several_applications(world: World) -> None:
    await known(world, person("ada"), person("bob"))
    await take(world, [row("ada", "Visio")])

    newest = days_ago(3)
    done = await take(
        world, [row("ada"), row("bob", "Mural", observed=newest)], [row("bob", "miro"), row("x", "Mural")]
    )

    assert {one.application: (one.rows, one.unmatched, one.newest) for one in done.imports} == {
        "Miro": (2, 0, NOW),
        "Mural": (1, 1, newest),
    }
    assert [await people_in(world, name) for name in ("Miro", "mural", "Visio")] == [["ada", "bob"], ["bob"], ["ada"]]


async def test_the_application_that_is_named_goes_before_what_rows_say(world: World) -> None:
    await known(world, person("ada"))

    await take(world, [row("ada", "miro.exe")], application="Miro")

    assert await people_in(world, "Miro") == ["ada"]
    assert await people_in(world, "miro.exe") == []


async def test_an_import_without_rows_says_that_the_application_has_none(world: World) -> None:
    await known(world, person("ada"))
    await take(world, [row("ada")])

    done = await take(world, application="Miro")

    assert [(one.rows, one.newest) for one in done.imports] == [(0, None)]
    assert await people_in(world) == []


async def test_devices_of_a_person_are_kept_apart_also_over_batches(world: World) -> None:
    await known(world, person("ada"))

    await take(world, [row("ada", device="A"), row("ada", device="B")], [row("ada@contoso.example", device="C")])

    async with world.work.read() as work:
        newest = await work.usage.newest("csv", "Miro")
        assert newest is not None
        rows = await work.usage.rows_of(newest.id, [PersonId("ada")])
    assert [one.row.device for one in rows] == ["A", "B", "C"]


async def test_how_far_it_is_is_told_after_each_batch(world: World) -> None:
    told: list[tuple[int, float | None]] = []

    await importer(world).take(
        "csv",
        "usage.csv",
        batches([row("x")], [row("y"), row("z")]),
        by="operator:ada",
        told=lambda rows, done: told.append((rows, done)),
    )

    assert told == [(1, 0.5), (3, 1.0)]


# The same file again ---------------------------------------------------------------------------------------------------
async def test_a_file_that_was_imported_is_refused_and_told_when_and_by_whom(world: World) -> None:
    await known(world, person("ada"))
    await importer(world).check_new("csv", "a" * 64)
    await take(world, [row("ada")], sha256="a" * 64)

    with pytest.raises(Conflict) as raised:
        await importer(world).check_new("csv", "a" * 64)

    assert f"{NOW:This file was already imported at %Y-%m-%d %H:%M} UTC as usage.csv by operator:ada, and counts." in (
        raised.value.message
    )
    assert "give --again" in raised.value.message
    assert [(one.application, one.sha256) for one in await importer(world).counting()] == [("miro", "a" * 64)]


async def test_a_file_that_a_later_one_replaced_is_refused_too(world: World) -> None:
    await known(world, person("ada"))
    await take(world, [row("ada")], sha256="a" * 64)
    await take(world, [row("ada")], sha256="b" * 64)

    with pytest.raises(Conflict, match="a later import has replaced it since"):
        await importer(world).check_new("csv", "a" * 64)


async def test_a_file_that_broke_off_may_be_imported_again(world: World) -> None:
    with pytest.raises(InvalidRequest):
        await take(world, [row("ada")], error=InvalidRequest("torn"), sha256="a" * 64)

    await importer(world).check_new("csv", "a" * 64)


async def test_the_same_file_again_doubles_nothing(world: World) -> None:
    await known(world, person("ada"))
    await take(world, [row("ada")], sha256="a" * 64)

    done = await take(world, [row("ada")], sha256="a" * 64)

    async with world.work.read() as work:
        assert len(await work.usage.rows_of(done.imports[0].id, [PersonId("ada")])) == 1
    assert [one.rows for one in await importer(world).counting()] == [1]


# Rows that are added ---------------------------------------------------------------------------------------------------
async def no_use(world: World, who: str) -> bool:
    """Return whether it is known since when somebody did not use Miro."""
    async with world.work.read() as work:
        newest = await work.usage.newest("csv", "Miro")
        assert newest is not None
        rows = [one.row for one in await work.usage.rows_of(newest.id, [PersonId(who)])]
    return no_use_of(rows, "csv", max_age=timedelta(days=14), now=NOW) is not None


async def test_mended_rows_make_their_people_known_again_and_leave_all_others(world: World) -> None:
    await known(world, person("ada"), person("bob"), person("cy"))
    await take(world, [row("ada"), unreadable_use("ada", "Miro"), unreadable_use("bob", "Miro"), row("cy"), row("x")])
    assert [await no_use(world, one) for one in ("ada", "bob", "cy")] == [False, False, True]

    done = await take(world, [row("ada", device="B")], adds=True)

    assert [await no_use(world, one) for one in ("ada", "bob", "cy")] == [True, False, True]
    assert [(one.rows, one.unmatched, one.name) for one in done.imports] == [(4, 1, "usage.csv + usage.csv")]
    assert await people_in(world) == ["ada", "bob", "cy"]


async def test_who_was_meant_by_an_ambiguous_row_stays_unknown_whatever_is_added(world: World) -> None:
    await known(world, person("ada"))
    await take(world, [row("ada"), unknown_use("ada", "Miro")])

    await take(world, [row("ada", device="B")], adds=True)

    assert not await no_use(world, "ada")


async def test_rows_that_are_added_where_there_is_nothing_are_an_import(world: World) -> None:
    await known(world, person("ada"))

    done = await take(world, [row("ada")], adds=True)

    assert [(one.rows, one.name) for one in done.imports] == [(1, "usage.csv")]
    assert await people_in(world) == ["ada"]


async def test_rows_are_not_added_to_what_another_import_replaced_meanwhile(world: World) -> None:
    await known(world, person("ada"), person("bob"), person("cy"))
    await take(world, [row("ada")])

    class Overtaken(ImportUsage):
        """Another import is completed just before the rows are copied."""

        async def _add(self, base: UsageImport, one: UsageImport) -> UsageImport:
            await take(world, [row("bob")])
            return await super()._add(base, one)

    overtaken = Overtaken(work=world.work, clock=world.clock, tokens=world.tokens)

    with pytest.raises(Conflict, match="imported anew meanwhile"):
        await overtaken.take("csv", "more.csv", batches([row("cy")]), by="operator:ada", adds=True)

    assert await people_in(world) == ["bob"]


async def test_a_half_added_import_is_never_seen(world: World) -> None:
    await known(world, person("ada"), person("bob"))
    await take(world, [row("ada")])

    with pytest.raises(InvalidRequest, match="torn"):
        await take(world, [row("bob")], adds=True, error=InvalidRequest("torn"))

    assert await people_in(world) == ["ada"]
