"""What somebody typed, picked or pasted becomes a scope, or is refused with what to do; nothing is guessed."""

from dataclasses import replace

import pytest

from reclaim.domain.campaign import Scope
from reclaim.domain.ids import PersonId, ProductId
from reclaim.errors import InvalidRequest
from reclaim.services.choose_seats import ChooseSeats, ScopeAsked
from tests.services.world import PROJECT, VISIO, World, person, sku


@pytest.fixture
async def choose(world: World) -> ChooseSeats:
    world.hire(["ada", "ben"])
    world.directory.add(replace(person("cleo"), department="Research, Basel", mail="c.meier@contoso.example"))
    world.directory.add(replace(person("twin1"), name="Sam Doe"))
    world.directory.add(replace(person("twin2"), name="Sam Doe", mail="TWIN1@contoso.example"))
    other = ProductId("sku-visio-2")
    world.directory.sold[other] = sku(other, "Visio Plan 2", "VISIO_OTHER")
    await world.read()
    return ChooseSeats(work=world.work)


async def test_skus_departments_and_people_are_found_in_any_case(choose: ChooseSeats) -> None:
    scope = await choose.scope(
        ScopeAsked(
            days=60,
            rules=("idle",),
            skus=("visioclient, project plan 3",),
            departments=("sales; research, basel",),
            listed="ADA@contoso.example\nben\nc.meier@contoso.example",
        )
    )

    assert scope == Scope(
        days=60,
        rules=("idle",),
        product_ids=(VISIO, PROJECT),
        departments=("Sales", "Research, Basel"),
        person_ids=(PersonId("ada"), PersonId("ben"), PersonId("cleo")),
    )


async def test_a_name_with_a_comma_is_one_name(choose: ChooseSeats) -> None:
    scope = await choose.scope(ScopeAsked(days=90, departments=("Research, Basel",)))

    assert scope.departments == ("Research, Basel",)


async def test_a_csv_names_people_and_single_seats(choose: ChooseSeats) -> None:
    text = "person;sku\nada@contoso.example;VISIOCLIENT\nben;\nada@contoso.example;visioclient\n"

    scope = await choose.scope(ScopeAsked(days=90, listed=text, csv_only=True))

    assert (scope.person_ids, scope.seat_ids) == (("ben",), ("ada:sku-visio",))


async def test_every_row_of_a_csv_that_is_unknown_or_ambiguous_is_named(choose: ChooseSeats) -> None:
    text = "person,sku\nnobody@x.com,VISIOCLIENT\nada,VISIOCLEINT\ntwin1@contoso.example,\nben,Visio Plan 2\n,VISIOCLIENT\n"

    with pytest.raises(InvalidRequest) as caught:
        await choose.scope(ScopeAsked(days=90, listed=text, csv_only=True))

    assert caught.value.field == "listed"
    for part in (
        "Line 2, person: nobody in the tenant is “nobody@x.com”. Use the sign-in name, the address or the object id.",
        "Line 3, sku: No SKU is called “VISIOCLEINT”. Did you mean Visio Plan 2",
        "Line 4, person: 2 people are “twin1@contoso.example”: twin1@contoso.example, twin2@contoso.example.",
        "Line 5, sku: 2 SKUs are called “Visio Plan 2”. Use the part number: VISIOCLIENT or VISIO_OTHER.",
        "Line 6, person: it is empty.",
        "Nothing was taken from this list.",
    ):
        assert part in caught.value.message


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        (ScopeAsked(days=90, skus=("Visoi",)), "sku", "No SKU is called “Visoi”. Did you mean Visio Plan 2"),
        (ScopeAsked(days=90, skus=("VISIOCLIENT, zzzz",)), "sku", "No SKU is called “zzzz”."),
        (
            ScopeAsked(days=90, departments=("Slaes",)),
            "department",
            "No department is called “Slaes”. Did you mean Sales?",
        ),
        (ScopeAsked(days=90, listed="Sam Doe"), "listed", "Line 1, person: 2 people are “Sam Doe”"),
        (ScopeAsked(days=90, listed="ada", csv_only=True), "listed", "Line 1: the header is missing."),
    ],
)
async def test_what_is_unknown_names_its_field_and_the_nearest(
    choose: ChooseSeats, asked: ScopeAsked, field: str, said: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await choose.scope(asked)

    assert caught.value.field == field
    assert caught.value.message.startswith(said)


async def test_one_person_is_found_by_address_or_full_name_and_else_refused(choose: ChooseSeats) -> None:
    assert await choose.person("Cleo Example", field="reviewer") == "cleo"
    assert await choose.person("c.meier@contoso.example", field="reviewer") == "cleo"
    for text in ("Cleo Exam", "Sam Doe", "@"):
        with pytest.raises(InvalidRequest) as caught:
            await choose.person(text, field="reviewer")
        assert caught.value.field == "reviewer"


async def test_somebody_who_has_left_is_unknown(world: World, choose: ChooseSeats) -> None:
    world.directory.remove(PersonId("ben"))
    await world.read()

    with pytest.raises(InvalidRequest, match="nobody in the tenant is “ben”"):
        await choose.scope(ScopeAsked(days=90, listed="ben"))
