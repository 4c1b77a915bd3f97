"""What a changes run concludes, on both databases."""

from dataclasses import replace
from datetime import timedelta

from reclaim.domain.ids import PersonId, RunId, SeatId
from reclaim.ports.directory import Request
from reclaim.ports.storage import StreamCursor
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import NOW, PROJECT, VISIO, row, run, seat, sync

ANNA, BEN, CARL, DORA = (PersonId(one) for one in ("anna", "ben", "carl", "dora"))
PAGE = [
    row("anna", seat("anna"), seat("anna", PROJECT)),
    row("ben", seat("ben")),
    row("carl", seat("carl")),
    row("dora", seat("dora")),
]
CHANGED = replace(run(2), kind="changes")
REQUEST = Request(url="https://graph/users/delta", request_id="q", rows=1, sha256="ab", at=NOW)


async def begun(work: SqlWork) -> RunId:
    """Read everybody, then begin a changes run that hears of Anna, Ben and Carl."""
    await sync(work, 1, PAGE)
    async with work.write() as unit:
        await unit.syncs.add(CHANGED)
        await unit.changes.note(CHANGED.id, [CARL, ANNA, BEN, ANNA])
        await unit.commit()
    return CHANGED.id


async def keep_link(work: SqlWork, number: int, stream: str, link: str | None, *, done: bool = True) -> None:
    async with work.write() as unit:
        cursor = StreamCursor(stream=stream, next_cursor=link, done=done, page=1)
        await unit.syncs.save_cursor(run(number).id, cursor, REQUEST)
        await unit.commit()


async def test_who_was_heard_of_waits_until_they_are_looked_at(work: SqlWork) -> None:
    changes = await begun(work)

    async with work.write() as unit:
        first = await unit.changes.waiting(changes, 2)
        await unit.changes.looked_at(changes, there=[ANNA], gone=[BEN])
        await unit.changes.note(changes, [ANNA, BEN])  # a replay on a later page
        await unit.commit()

    async with work.read() as unit:
        assert first == [ANNA, BEN]
        assert await unit.changes.waiting(changes, 9) == [CARL]
        assert await unit.changes.count(changes) == 3


async def test_only_what_was_looked_at_and_not_found_is_gone(work: SqlWork) -> None:
    changes = await begun(work)
    now = NOW + timedelta(days=3)
    async with work.write() as unit:
        await unit.syncs.save_people(changes, [row("anna", seat("anna"))], now=now)
        await unit.changes.looked_at(changes, there=[ANNA], gone=[BEN])
        await unit.commit()

    async with work.read() as unit:
        assert await unit.changes.drop_if_completed(changes) == (4, 1, 5, 2)
    async with work.write() as unit:
        assert await unit.changes.mark_gone(changes, now) == (1, 2)
        await unit.commit()

    async with work.read() as unit:
        people = await unit.people.get_many([ANNA, BEN, CARL, DORA])
        held = await unit.seats.of_people([ANNA, BEN, CARL, DORA])
        assert {one for one, person in people.items() if person.gone_at is None} == {ANNA, CARL, DORA}
        assert {one: [s.product_id for s in seats] for one, seats in held.items() if seats} == {
            ANNA: [VISIO],
            CARL: [VISIO],
            DORA: [VISIO],
        }
        assert people[BEN].gone_at == now
        assert list(await unit.seats.get_many([SeatId("anna:visio")])) == [SeatId("anna:visio")]


async def test_who_is_seen_again_is_no_longer_gone(work: SqlWork) -> None:
    changes = await begun(work)
    async with work.write() as unit:
        await unit.changes.looked_at(changes, there=[], gone=[BEN])
        await unit.changes.mark_gone(changes, NOW)
        await unit.syncs.save(replace(CHANGED, state="complete"))
        await unit.syncs.add(replace(run(3), kind="changes"))
        await unit.syncs.save_people(run(3).id, [row("ben", seat("ben"))], now=NOW)
        await unit.commit()

    async with work.read() as unit:
        ben = await unit.people.get(BEN)
        assert ben is not None
        assert ben.gone_at is None
        assert [one.product_id for one in (await unit.seats.of_people([BEN]))[BEN]] == [VISIO]


async def test_a_full_run_after_it_marks_what_it_does_not_see(work: SqlWork) -> None:
    changes = await begun(work)
    async with work.write() as unit:
        await unit.syncs.save_people(changes, PAGE[:1], now=NOW)
        await unit.syncs.save(replace(CHANGED, state="complete"))
        await unit.commit()

    assert await sync(work, 3, PAGE[1:]) == (1, 2)


async def test_the_link_is_that_of_the_newest_complete_run_of_any_kind(work: SqlWork) -> None:
    await sync(work, 1, PAGE)

    async def link() -> str | None:
        async with work.read() as unit:
            return await unit.changes.link()

    found = [await link()]
    await keep_link(work, 1, "changes_from", "first")
    found.append(await link())
    async with work.write() as unit:
        await unit.syncs.add(CHANGED)
        await unit.commit()
    await keep_link(work, 2, "changes", "page", done=False)
    found.append(await link())
    await keep_link(work, 2, "changes", "second")
    async with work.write() as unit:
        await unit.syncs.save(replace(CHANGED, state="complete"))
        await unit.commit()
    found.append(await link())
    async with work.write() as unit:
        await unit.syncs.add(replace(run(3), kind="changes"))
        await unit.syncs.save(replace(run(3), kind="changes", state="failed"))
        await unit.commit()
    found.append(await link())
    await sync(work, 4, PAGE)  # it could not take a link: what is before it was read in full since
    found.append(await link())

    assert found == [None, "first", "first", "second", "second", None]


async def test_the_newest_full_run_and_the_newest_read_are_told_apart(work: SqlWork) -> None:
    await begun(work)
    async with work.write() as unit:
        await unit.syncs.save(replace(CHANGED, state="complete", resynced=False))
        await unit.commit()

    async with work.read() as unit:
        assert await unit.syncs.newest_complete() == run(1, state="complete")
        assert await unit.syncs.newest_read() == replace(CHANGED, state="complete")


async def test_a_run_that_starts_again_has_heard_and_read_nothing(work: SqlWork) -> None:
    changes = await begun(work)
    await keep_link(work, 2, "changes", "page", done=False)

    async with work.write() as unit:
        await unit.changes.start_again(changes)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.changes.waiting(changes, 9) == []
        assert await unit.syncs.cursor(changes, "changes") is None


async def test_what_older_runs_have_heard_of_is_forgotten(work: SqlWork) -> None:
    changes = await begun(work)

    async with work.write() as unit:
        await unit.changes.forget_all_but(changes)
        assert await unit.changes.count(changes) == 3
        await unit.changes.forget_all_but(run(1).id)
        assert await unit.changes.count(changes) == 0
