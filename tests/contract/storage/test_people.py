from dataclasses import replace
from typing import Any

import pytest

from reclaim.domain.ids import GroupId, PersonId
from reclaim.ports.directory import PersonRow
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import begin, end, row, run, sync

PAGE = [
    row("anna", name="Anna Müller"),
    row("ben", name="Ben 100% Ltd"),
    row("carl", name="Carl Annan"),
    row("dora", name="Joanna Öz"),
    row("eve", name=""),
    row("under_score", name="Uma"),
]


def somebody(ref: str, **fields: Any) -> PersonRow:
    one = row(ref)
    return replace(one, person=replace(one.person, **fields))


async def found(work: SqlWork, text: str, limit: int = 10) -> list[PersonId]:
    async with work.read() as unit:
        return [person.id for person in await unit.people.search(text, limit)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("anna", ["anna", "carl", "dora"]),  # the start of a name before the start of a word before the rest
        ("ANNA MULLER", ["anna"]),
        ("müller", ["anna"]),
        ("öz", ["dora"]),
        ("OZ", ["dora"]),
        ("eve@contoso.example", ["eve"]),
        ("%", ["ben"]),
        ("r_s", ["under_score"]),
        ("\\", []),
        ("nobody", []),
    ],
)
async def test_search_finds_parts_of_names_and_addresses_best_first(work: SqlWork, text: str, ids: list[str]) -> None:
    await sync(work, 1, PAGE)

    assert await found(work, text) == ids


async def test_search_gives_at_most_the_limit_and_nobody_who_is_gone(work: SqlWork) -> None:
    await sync(work, 1, PAGE)
    await sync(work, 2, [one for one in PAGE if one.person.id != "carl"])

    assert await found(work, "anna") == ["anna", "dora"]
    assert await found(work, "anna", limit=1) == ["anna"]


async def test_an_exact_address_comes_before_longer_ones(work: SqlWork) -> None:
    await sync(work, 1, [row("jo.ann", name="A"), row("ann", name="B"), row("ann.b", name="C")])

    assert await found(work, "ann@contoso.example") == ["ann", "jo.ann"]


async def test_many_people_are_read_at_once_gone_ones_too(work: SqlWork) -> None:
    crowd = [row(f"p{number:04}") for number in range(2_000)]
    await sync(work, 1, crowd)
    await sync(work, 2, crowd[1:])

    async with work.read() as unit:
        people = await unit.people.get_many([PersonId(f"p{number:04}") for number in range(2_001)])
        assert await unit.people.count() == 1_999
    assert len(people) == 2_000
    assert people[PersonId("p0000")].gone_at == run(2).started_at
    assert people[PersonId("p0001")].gone_at is None


async def test_role_groups_have_the_members_of_the_last_complete_sync(work: SqlWork) -> None:
    admins = GroupId("admins")
    first = await begin(work, 1, PAGE)
    async with work.write() as unit:
        await unit.syncs.save_members(first, admins, [PersonId("anna"), PersonId("ben")])
        await unit.commit()
    await end(work, 1)
    second = await begin(work, 2, PAGE)
    async with work.write() as unit:
        await unit.syncs.save_members(second, admins, [PersonId("ben"), PersonId("carl")])
        await unit.commit()

    async with work.read() as unit:
        assert await unit.people.members(admins) == {"anna", "ben", "carl"}
    await end(work, 2)

    async with work.read() as unit:
        assert await unit.people.members(admins) == {"ben", "carl"}
        assert await unit.people.members(GroupId("nobody")) == frozenset()


async def test_people_are_named_by_id_sign_in_name_or_address_in_any_case(work: SqlWork) -> None:
    people = [somebody("anna", mail="a.mueller@contoso.example"), row("ben"), row("carl")]
    await sync(work, 1, people)
    await sync(work, 2, people[:2])

    async with work.read() as unit:
        found = await unit.people.named(
            ["A.MUELLER@contoso.example", "Ben@Contoso.Example", "carl", "ann", "anna", "%"]
        )
        many = await unit.people.named([f"nobody-{number}" for number in range(2_000)] + ["anna"])

    assert sorted(person.id for person in found) == ["anna", "ben"]  # Carl has left, and a part of a name is no name
    assert [person.id for person in many] == ["anna"]


async def test_departments_are_those_of_people_who_are_there(work: SqlWork) -> None:
    people = [
        somebody("anna", department="Sales"),
        somebody("ben", department="Sales"),
        somebody("carl", department="Legal"),
        somebody("dora", department=None),
    ]
    await sync(work, 1, people)
    await sync(work, 2, [one for one in people if one.person.id != "carl"])

    async with work.read() as unit:
        assert await unit.people.departments() == ["Sales"]


async def test_people_are_found_by_any_of_their_addresses_in_any_case(work: SqlWork) -> None:
    megan = somebody("megan", mail="m.bowen@contoso.example", aliases=("meg@contoso.example",))
    adele = somebody("adele", aliases=("meg@contoso.example", "a.vance@contoso.example"))
    await sync(work, 1, [megan, adele])

    async with work.read() as reading:
        found = await reading.people.by_address(
            [
                "MEGAN@contoso.example",
                "m.bowen@contoso.example",
                "meg@contoso.example",
                "A.Vance@contoso.example",
                "no@x",
            ]
        )
        own = await reading.people.addresses_of(PersonId("megan"))

    assert {address: sorted(each.id for each in people) for address, people in found.items()} == {
        "megan@contoso.example": ["megan"],
        "m.bowen@contoso.example": ["megan"],
        "meg@contoso.example": ["adele", "megan"],
        "a.vance@contoso.example": ["adele"],
    }
    assert own == ["m.bowen@contoso.example", "megan@contoso.example", "meg@contoso.example"]


async def test_an_address_that_was_taken_away_no_longer_finds_its_former_owner(work: SqlWork) -> None:
    await sync(work, 1, [somebody("megan", aliases=("meg@contoso.example",)), somebody("adele")])
    await sync(work, 2, [somebody("megan"), somebody("adele", aliases=("meg@contoso.example",))])

    async with work.read() as reading:
        found = await reading.people.by_address(["meg@contoso.example"])

    assert [each.id for each in found["meg@contoso.example"]] == ["adele"]


async def test_people_are_found_by_id_and_exact_user_principal_name_while_they_are_there(work: SqlWork) -> None:
    await sync(work, 1, [somebody("megan", aliases=("meg@contoso.example",)), somebody("adele")])
    await sync(work, 2, [somebody("megan", aliases=("meg@contoso.example",))])

    async with work.read() as reading:
        found = await reading.people.ids_by_name(
            [
                "megan",
                "megan@contoso.example",
                "Megan@contoso.example",
                "meg@contoso.example",
                "adele",
                "adele@contoso.example",
            ]
        )

    assert found == {"megan": ["megan"], "megan@contoso.example": ["megan"]}
