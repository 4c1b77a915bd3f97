from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from reclaim.domain.activity import SignIns
from reclaim.domain.directory import Person
from reclaim.domain.ids import PersonId, RunId, SeatId
from reclaim.errors import Conflict, NotFound
from reclaim.ports.directory import PersonRow, Request, SignInRow
from reclaim.ports.storage import StreamCursor, StreamRequest, SyncRun
from storage.engine import Database
from storage.tables import seat_paths
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import LONG_AGO, NOW, PROJECT, begin, end, row, run, seat, sync

ANNA, BEN, CARL = PersonId("anna"), PersonId("ben"), PersonId("carl")
PAGE_1 = [row("anna", seat("anna"), seat("anna", PROJECT)), row("ben", seat("ben"))]
PAGE_2 = [row("carl", seat("carl"))]


async def people(work: SqlWork) -> dict[PersonId, Person]:
    async with work.read() as unit:
        return await unit.people.get_many([ANNA, BEN, CARL])


async def present(work: SqlWork) -> tuple[set[str], set[str]]:
    """Return who and which seats are there."""
    async with work.read() as unit:
        there = {person.id for person in (await unit.people.get_many([ANNA, BEN, CARL])).values() if not person.gone_at}
        ids = ["anna:visio", "anna:project", "ben:visio", "carl:visio"]
        return set(there), set(await unit.seats.get_many([SeatId(one) for one in ids]))


EVERYBODY = ({"anna", "ben", "carl"}, {"anna:visio", "anna:project", "ben:visio", "carl:visio"})


# Runs -----------------------------------------------------------------------------------------------------------------
async def test_a_run_comes_back_whole(work: SqlWork) -> None:
    whole = SyncRun(
        id=RunId("r"),
        state="stopped",
        started_at=NOW,
        requested_by=ANNA,
        completed_at=NOW + timedelta(hours=1),
        people=1,
        seats=2,
        gone_people=3,
        gone_seats=4,
        sign_ins="no_premium",
        error="too many are gone",
        attempt=5,
    )
    async with work.write() as unit:
        await unit.syncs.add(replace(whole, state="running"))
        await unit.syncs.save(whole)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.syncs.get(RunId("r")) == whole
        assert await unit.syncs.get(RunId("other")) is None


async def test_the_newest_runs_are_told_apart_by_state(work: SqlWork) -> None:
    async with work.read() as unit:
        assert (await unit.syncs.running(), await unit.syncs.newest(), await unit.syncs.newest_complete()) == (
            None,
            None,
            None,
        )
    await sync(work, 1, PAGE_1)
    await sync(work, 2, PAGE_1)
    await begin(work, 3)
    await end(work, 3, state="failed")
    await begin(work, 4)

    async with work.read() as unit:
        assert await unit.syncs.running() == run(4)
        assert await unit.syncs.newest() == run(4)
        assert await unit.syncs.newest_complete() == run(2, state="complete")


async def test_there_is_one_running_sync_at_a_time(work: SqlWork) -> None:
    await begin(work, 1)

    async with work.write() as unit:
        with pytest.raises(Conflict):
            await unit.syncs.add(run(2))
        assert await unit.syncs.running() == run(1)  # the transaction can go on


async def test_a_run_that_was_never_added_cannot_be_saved(work: SqlWork) -> None:
    async with work.write() as unit:
        with pytest.raises(NotFound):
            await unit.syncs.save(run(1))


async def test_a_cursor_is_kept_with_the_evidence_of_every_page(work: SqlWork) -> None:
    started = await begin(work, 1)

    def request(number: int) -> Request:
        return Request(url=f"https://graph/users?page={number}", request_id=f"q{number}", rows=9, sha256="ab", at=NOW)

    async with work.write() as unit:
        for page, done in ((1, False), (2, True)):
            cursor = StreamCursor(stream="people", next_cursor=None if done else "next", done=done, page=page)
            await unit.syncs.save_cursor(started, cursor, request(page))
        await unit.commit()

    async with work.read() as unit:
        assert await unit.syncs.cursor(started, "people") == StreamCursor(
            stream="people", next_cursor=None, done=True, page=2
        )
        assert await unit.syncs.cursor(started, "groups") is None
        assert await unit.syncs.requests(started) == [
            StreamRequest(stream="people", page=1, request=request(1)),
            StreamRequest(stream="people", page=2, request=request(2)),
        ]


# Generations ----------------------------------------------------------------------------------------------------------
async def test_a_run_that_is_killed_in_the_middle_takes_nobody_away(work: SqlWork) -> None:
    await sync(work, 1, PAGE_1, PAGE_2)

    await begin(work, 2, PAGE_1)

    assert await present(work) == EVERYBODY


async def test_a_complete_run_dates_what_it_did_not_see(work: SqlWork) -> None:
    await sync(work, 1, PAGE_1, PAGE_2)

    assert await sync(work, 2, [row("anna", seat("anna"))]) == (2, 3)

    assert await present(work) == ({"anna"}, {"anna:visio"})
    assert {one: person.gone_at for one, person in (await people(work)).items()} == {
        "anna": None,
        "ben": run(2).started_at,
        "carl": run(2).started_at,
    }


async def test_a_gone_seat_has_no_paths_left(work: SqlWork, database: Database) -> None:
    await sync(work, 1, PAGE_1, PAGE_2)

    await sync(work, 2, PAGE_1)

    async with database.reads.connect() as connection:
        rows = await connection.execute(select(seat_paths.c.seat_id).order_by(seat_paths.c.seat_id))
        assert rows.scalars().all() == ["anna:project", "anna:visio", "ben:visio"]


async def test_what_was_gone_keeps_its_date(work: SqlWork) -> None:
    await sync(work, 1, PAGE_1, PAGE_2)
    await sync(work, 2, PAGE_1)

    assert await sync(work, 3, PAGE_1) == (0, 0)

    assert (await people(work))[CARL].gone_at == run(2).started_at


async def test_what_comes_back_is_there_again(work: SqlWork) -> None:
    await sync(work, 1, PAGE_1, PAGE_2)
    await sync(work, 2, PAGE_1)

    await sync(work, 3, PAGE_1, PAGE_2)

    assert await present(work) == EVERYBODY
    async with work.read() as unit:
        assert (await unit.seats.get_many([SeatId("carl:visio")]))[SeatId("carl:visio")].paths == seat("carl").paths


async def test_the_drop_counts_only_what_was_there_before(work: SqlWork) -> None:
    await sync(work, 1, PAGE_1, PAGE_2)
    await sync(work, 2, PAGE_1)  # Carl is gone

    # Ben is missing, Carl is back, Dora is new: neither of those two was there before.
    third = await begin(work, 3, [row("anna", seat("anna"))], PAGE_2, [row("dora", seat("dora"))])

    async with work.read() as unit:
        assert await unit.syncs.drop_if_completed(third) == (2, 1, 3, 2)
    assert await end(work, 3) == (1, 2)


async def test_the_first_run_drops_nothing(work: SqlWork) -> None:
    first = await begin(work, 1, PAGE_1, PAGE_2)

    async with work.read() as unit:
        assert await unit.syncs.drop_if_completed(first) == (0, 0, 0, 0)


async def test_the_same_person_twice_on_a_page_counts_once_as_shown_last(work: SqlWork) -> None:
    await sync(work, 1, [row("anna", seat("anna"), name="Old"), row("anna", seat("anna", groups=("g1",)), name="New")])

    async with work.read() as unit:
        assert await unit.people.count() == 1
        assert (await unit.people.get_many([ANNA]))[ANNA].name == "New"


# People ---------------------------------------------------------------------------------------------------------------
async def test_a_person_comes_back_whole(work: SqlWork) -> None:
    whole = Person(
        id=ANNA,
        name="Anna Müller",
        upn="anna@contoso.example",
        mail="anna.mueller@contoso.example",
        enabled=True,
        user_type="Member",
        department="Sales",
        employee_type="Contractor",
        usage_location="CH",
        created_at=LONG_AGO,
        manager_id=BEN,
    )
    await sync(work, 1, [PersonRow(person=whole, seats=())])

    async with work.read() as unit:
        assert await unit.people.get(ANNA) == whole
        assert await unit.people.get(BEN) is None


async def test_a_disabled_account_is_dated_by_its_first_sight(work: SqlWork) -> None:
    dates = []
    for number, enabled in enumerate([True, False, False, None, False, True, None, False], start=1):
        await sync(work, number, [row("anna", enabled=enabled)])
        dates.append((await people(work))[ANNA].disabled_seen_at)

    second, eighth = run(2).started_at, run(8).started_at
    assert dates == [None, second, second, second, second, None, None, eighth]


# Sign-ins -------------------------------------------------------------------------------------------------------------
SIGN_INS = SignIns(
    success_at=datetime(2026, 1, 1, tzinfo=UTC),
    interactive_at=datetime(2026, 1, 2, tzinfo=UTC),
    background_at=datetime(2026, 1, 3, tzinfo=UTC),
)


async def save_sign_ins(work: SqlWork, started: RunId, *rows: SignInRow) -> None:
    async with work.write() as unit:
        await unit.syncs.save_sign_ins(started, rows, read_at=NOW)
        await unit.commit()


async def test_nobody_has_sign_ins_until_they_are_read_and_read_as_empty_is_not_unread(work: SqlWork) -> None:
    started = await begin(work, 1, PAGE_1, PAGE_2)
    await save_sign_ins(
        work,
        started,
        SignInRow(person_id=ANNA, sign_ins=SIGN_INS),
        SignInRow(person_id=BEN, sign_ins=SignIns()),
        SignInRow(person_id=PersonId("stranger"), sign_ins=SIGN_INS),
    )

    found = await people(work)

    assert {one: person.sign_ins for one, person in found.items()} == {ANNA: SIGN_INS, BEN: SignIns(), CARL: None}
    assert {one: person.sign_ins_read_at for one, person in found.items()} == {ANNA: NOW, BEN: NOW, CARL: None}
    async with work.read() as unit:
        assert await unit.people.get(PersonId("stranger")) is None


async def test_a_page_of_people_leaves_sign_ins_as_they_are(work: SqlWork) -> None:
    started = await begin(work, 1, PAGE_1)
    await save_sign_ins(work, started, SignInRow(person_id=ANNA, sign_ins=SIGN_INS))
    await end(work, 1)

    await begin(work, 2, PAGE_1)

    assert (await people(work))[ANNA].sign_ins == SIGN_INS


async def test_sign_ins_that_a_run_did_not_cover_are_unknown_again(work: SqlWork) -> None:
    first = await begin(work, 1, PAGE_1, PAGE_2)
    await save_sign_ins(work, first, *(SignInRow(person_id=person, sign_ins=SIGN_INS) for person in (ANNA, BEN, CARL)))
    await end(work, 1)
    second = await begin(work, 2, PAGE_1, PAGE_2)
    await save_sign_ins(work, second, SignInRow(person_id=BEN, sign_ins=SignIns()))

    async with work.write() as unit:
        await unit.syncs.forget_sign_ins(second)
        await unit.commit()

    found = await people(work)
    assert {one: person.sign_ins for one, person in found.items()} == {ANNA: None, BEN: SignIns(), CARL: None}
    assert found[ANNA].sign_ins_read_at is None
