from datetime import UTC, datetime

from reclaim.domain.directory import Path, Seat
from reclaim.domain.ids import GroupId, PersonId, SeatId
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import PROJECT, VISIO, begin, row, seat, sync


async def stored(work: SqlWork, *ids: str) -> dict[SeatId, Seat]:
    async with work.read() as unit:
        return await unit.seats.get_many([SeatId(one) for one in ids])


async def test_a_seat_comes_back_with_every_path(work: SqlWork) -> None:
    direct = Path(
        group_id=None,
        state="ActiveWithError",
        error="CountViolation",
        disabled_plans=("plan-a", "plan-b"),
        updated_at=datetime(2025, 5, 1, 12, 0, 0, 5, tzinfo=UTC),
    )
    through = Path(group_id=GroupId("g1"), state="Active")
    whole = Seat(id=SeatId("anna:visio"), person_id=PersonId("anna"), product_id=VISIO, paths=(direct, through))

    await sync(work, 1, [row("anna", whole)])

    assert await stored(work, "anna:visio", "nobody:visio") == {"anna:visio": whole}


async def test_the_paths_of_a_seat_are_those_of_the_page_that_showed_it_last(work: SqlWork) -> None:
    await begin(
        work,
        1,
        [row("anna", seat("anna", groups=(None, "g1", "g2"))), row("ben", seat("ben", groups=("g1",)))],
        [row("anna", seat("anna", groups=("g2", "g3")))],
    )

    seats = await stored(work, "anna:visio", "ben:visio")

    assert [path.group_id for path in seats[SeatId("anna:visio")].paths] == ["g2", "g3"]
    assert [path.group_id for path in seats[SeatId("ben:visio")].paths] == ["g1"]


async def test_people_get_their_seats_and_gone_seats_are_left_out(work: SqlWork) -> None:
    await sync(work, 1, [row("anna", seat("anna"), seat("anna", PROJECT)), row("ben", seat("ben"))])
    await sync(work, 2, [row("anna", seat("anna", PROJECT)), row("ben", seat("ben")), row("carl")])

    async with work.read() as unit:
        held = await unit.seats.of_people([PersonId("anna"), PersonId("ben"), PersonId("carl")])

    assert held == {"anna": (seat("anna", PROJECT),), "ben": (seat("ben"),)}


async def test_a_seat_is_held_if_any_path_gives_it(work: SqlWork) -> None:
    await sync(
        work,
        1,
        [
            row("anna", seat("anna", groups=(None, "g1"))),
            row("ben", seat("ben", state="ActiveWithError"), seat("ben", PROJECT, state="Error")),
            row("carl", seat("carl", state="Disabled")),
        ],
    )

    async with work.read() as unit:
        assert await unit.seats.held() == {VISIO: 2}


async def test_all_seats_are_streamed_once_each_with_their_holder_and_paths(work: SqlWork) -> None:
    page = [row(f"p{number:03}", seat(f"p{number:03}"), seat(f"p{number:03}", PROJECT)) for number in range(25)]
    await sync(work, 1, page)
    await sync(work, 2, page[:-1])  # the last person is gone, with both seats

    async with work.read() as unit:
        chunks = [chunk async for chunk in unit.seats.all(chunk=7)]

    pairs = [pair for chunk in chunks for pair in chunk]
    assert [len(chunk) for chunk in chunks] == [7, 7, 7, 7, 7, 7, 6]
    assert [one.id for _, one in pairs] == sorted(one.id for person in page[:-1] for one in person.seats)
    assert all(person.id == one.person_id and len(one.paths) == 1 for person, one in pairs)
