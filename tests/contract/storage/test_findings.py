from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import event, func, select

from reclaim.domain.activity import SignInKind, SignIns
from reclaim.domain.exclusions import GUEST, Exclusion, ExclusionId, ExclusionKind
from reclaim.domain.idle import Finding, Rule
from reclaim.domain.ids import PersonId, ProductId, RunId, SeatId, seat_id
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import SeatFilter
from reclaim.errors import Conflict
from reclaim.ports.directory import SignInRow
from reclaim.ports.storage import ScanRules, Span, UnitOfWork
from reclaim.services.find_idle_seats import FindIdleSeats, Steps, mark_excluded
from storage.engine import Database
from storage.tables import finding_days, finding_order, findings, scan_verdicts
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import LONG_AGO, NOW, PROJECT, VISIO, begin, end, group, row, seat, sku, sync
from tests.databases import store_job
from tests.fakes import FixedClock

ANNA_PROJECT_GIVEN = NOW - timedelta(days=45)
RUN = RunId("run1")  # the first of `sync` and `begin`
PEOPLE = [
    row("anna", seat("anna"), seat("anna", PROJECT, groups=(None, "g2", "g1"), given=ANNA_PROJECT_GIVEN), name="anna"),
    row("ben", seat("ben", groups=("g1",)), name="Ben"),
    row("carl", seat("carl"), name="Carl"),
    row("dora", seat("dora", given=NOW - timedelta(days=14)), name="", enabled=False),
]
CARL_SEEN = NOW - timedelta(days=90) + timedelta(microseconds=1)
SIGN_INS = [
    SignInRow(person_id=PersonId("anna"), sign_ins=SignIns(interactive_at=NOW - timedelta(days=90))),
    SignInRow(person_id=PersonId("ben"), sign_ins=SignIns(interactive_at=NOW - timedelta(days=400))),
    SignInRow(person_id=PersonId("carl"), sign_ins=SignIns(interactive_at=CARL_SEEN)),
]


def finding(ref: str, seen: datetime | None, quiet: datetime, *, product: ProductId = VISIO) -> Finding:
    """What the scan must find on a seat."""
    given = {"dora": NOW - timedelta(days=14)}.get(ref, ANNA_PROJECT_GIVEN if product == PROJECT else LONG_AGO)
    return Finding(
        seat_id=seat_id(PersonId(ref), product),
        person_id=PersonId(ref),
        product_id=product,
        rule=Rule.DISABLED if ref == "dora" else Rule.IDLE,
        quiet_since=quiet,
        last_seen_at=seen,
        last_seen_kind=SignInKind.INTERACTIVE if seen else None,
        assigned_at=given,
        data_as_of=NOW + timedelta(days=1),
    )


ANNA_PROJECT = finding("anna", NOW - timedelta(days=90), ANNA_PROJECT_GIVEN, product=PROJECT)
ANNA_VISIO = finding("anna", NOW - timedelta(days=90), NOW - timedelta(days=90))
BEN = finding("ben", NOW - timedelta(days=400), NOW - timedelta(days=400))
CARL = finding("carl", CARL_SEEN, CARL_SEEN)
DORA = finding("dora", None, NOW - timedelta(days=14))
ALL = [ANNA_PROJECT, ANNA_VISIO, BEN, CARL, DORA]


async def scanned(work: SqlWork) -> RunId:
    """A complete sync, and its scan: the findings are those of the people below."""
    started = await begin(work, 1, PEOPLE)
    async with work.write() as unit:
        await unit.syncs.save_skus(started, [sku(VISIO, "visio Plan 2", "V2"), sku(PROJECT, "Project Plan 3", "P3")])
        await unit.syncs.save_groups(started, [group("g1", "Sales"), group("g2", "Engineering")])
        await unit.syncs.save_sign_ins(started, SIGN_INS, read_at=NOW)
        await unit.commit()
    await end(work, 1)
    assert await scan(work)(started) == 5
    return started


def scan(work: SqlWork, clock: FixedClock | None = None) -> Callable[[RunId], Awaitable[int]]:
    return FindIdleSeats(work=work, clock=clock or FixedClock(NOW), policy=Policy()).scan


def exclusion(ref: str, kind: ExclusionKind, value: str, until: datetime | None = None) -> Exclusion:
    return Exclusion(
        id=ExclusionId(ref), kind=kind, value=value, reason="Legal hold", by=PersonId("lynne"), at=NOW, until=until
    )


async def exclude(work: SqlWork, *exclusions: Exclusion) -> None:
    """Store exclusions and mark what they hold."""
    async with work.write() as unit:
        for one in exclusions:
            await unit.exclusions.add(one)
        await unit.commit()
    async with work.read() as reading:
        newest, counting = await reading.scans.newest(), await reading.exclusions.counting(NOW)
    assert newest is not None
    await mark_excluded(work, newest, counting, NOW)


async def test_a_finding_comes_back_whole(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        found = await unit.findings.get_many([ANNA_VISIO.seat_id, DORA.seat_id, SeatId("nobody:visio")])
    assert found == {ANNA_VISIO.seat_id: ANNA_VISIO, DORA.seat_id: DORA}


async def test_a_window_counts_what_is_quiet_for_all_of_it_and_disabled_accounts_after_their_grace(
    work: SqlWork,
) -> None:
    await scanned(work)

    async with work.read() as unit:
        tallies = {days: await unit.findings.tally(days=days, now=NOW) for days in (30, 45, 46, 90, 400, 401)}
        early = await unit.findings.tally(days=30, now=NOW - timedelta(microseconds=1))
    assert tallies == {
        30: {VISIO: 4, PROJECT: 1},
        45: {VISIO: 4, PROJECT: 1},
        46: {VISIO: 4},
        90: {VISIO: 3},  # Carl lacks a microsecond
        400: {VISIO: 2},
        401: {VISIO: 1},
    }
    assert early == {VISIO: 3, PROJECT: 1}  # Dora lacks a microsecond of her grace


async def test_the_window_in_sql_is_the_one_of_the_domain(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        for days in (14, 30, 45, 89, 90, 91, 399, 400, 401):
            selected = await unit.findings.select(days=days, now=NOW)
            assert selected == sorted((one for one in ALL if one.is_idle_for(days, NOW)), key=lambda one: one.seat_id)


async def test_a_scope_narrows_by_product_and_rule(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        assert await unit.findings.select(days=30, now=NOW, products=[PROJECT]) == [ANNA_PROJECT]
        assert await unit.findings.select(days=30, now=NOW, rules=[Rule.NEVER_SEEN, Rule.DISABLED]) == [DORA]
        assert await unit.findings.select(days=30, now=NOW, products=[PROJECT], rules=[Rule.DISABLED]) == []


async def test_a_page_is_ordered_by_product_and_the_longest_quiet_with_the_sums_of_all_pages(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        first, total, tally = await unit.findings.page(SeatFilter(days=30), now=NOW, offset=0, limit=2)
        second, _, _ = await unit.findings.page(SeatFilter(days=30), now=NOW, offset=2, limit=9)

    assert [(one.sku_name, one.person.shown_name, one.group_name) for one in first + second] == [
        ("Project Plan 3", "anna", "Engineering"),
        ("visio Plan 2", "Ben", "Sales"),
        ("visio Plan 2", "anna", None),
        ("visio Plan 2", "Carl", None),
        ("visio Plan 2", "dora@contoso.example", None),
    ]
    assert [one.finding for one in first + second] == [ANNA_PROJECT, BEN, ANNA_VISIO, CARL, DORA]
    assert (total, tally) == (5, {PROJECT: 1, VISIO: 4})


async def test_a_page_follows_its_filter(work: SqlWork) -> None:
    await scanned(work)
    where = SeatFilter(product_id=VISIO, days=90, rules=(Rule.IDLE,))

    async with work.read() as unit:
        rows, total, tally = await unit.findings.page(where, now=NOW, offset=0, limit=10)

    assert [one.finding for one in rows] == [BEN, ANNA_VISIO]
    assert (total, tally) == (2, {VISIO: 2})


async def test_a_new_scan_counts_only_once_it_is_complete_and_the_old_one_is_erased(work: SqlWork) -> None:
    run = await scanned(work)
    async with work.write() as unit:
        begun = await unit.scans.begin(run, judged_at=NOW)  # killed half-way: nothing of it may ever be read
        marks = await unit.exclusions.marks([], NOW)
        rules = ScanRules(days=30, gives_sign_ins=True, never_seen_since=None, marks=marks)
        await unit.scans.judge(begun, rules, after=SeatId(""), seats=9)
        judged = await unit.scans.span(begun, None, 9)
        assert judged is not None
        await unit.scans.put_in_order(begun, judged, first="2025-01-01", last="2026-12-31")
        await unit.commit()

    async with work.read() as reading:
        assert len(await reading.findings.select(days=30, now=NOW)) == 5
        assert await reading.findings.tally(days=30, now=NOW) == {VISIO: 4, PROJECT: 1}
        assert (await reading.findings.page(SeatFilter(days=30), now=NOW, offset=0, limit=9))[1] == 5

    assert await scan(work)(run) == 5

    async with work.read() as reading:
        newest = await reading.scans.newest()
        assert newest is not None
        assert newest.id > begun.id
        assert await reading.findings.tally(days=30, now=NOW) == {VISIO: 4, PROJECT: 1}

    async with work._database.reads.connect() as connection:
        for table in (findings, finding_order, finding_days, scan_verdicts):
            assert set((await connection.execute(select(table.c.scan_id))).scalars()) == {newest.id}


async def test_no_transaction_enters_more_findings_than_it_may_though_all_are_of_one_day(work: SqlWork) -> None:
    refs = [f"person-{number}" for number in range(7)]
    await sync(work, 1, [row(ref, seat(ref), enabled=False) for ref in refs])
    entered: list[int] = []

    class Counting(SqlWork):
        """Notes how many findings are in order after each transaction."""

        @asynccontextmanager
        async def write(self) -> AsyncIterator[UnitOfWork]:
            async with super().write() as unit:
                yield unit
            async with self._database.reads.connect() as connection:
                entered.append((await connection.execute(select(func.count()).select_from(finding_order))).scalar_one())

    counting = Counting(work._database, store_job)
    steps = Steps(seats=3, span=5, ordered=2, sums=1)
    found = await FindIdleSeats(work=counting, clock=FixedClock(NOW), policy=Policy(), steps=steps).scan(RUN)

    assert found == 7
    assert entered[-1] == 7
    assert {later - before for before, later in pairwise(entered)} == {0, 1, 2}
    async with work.read() as reading:
        rows, total, _ = await reading.findings.page(SeatFilter(days=30), now=NOW, offset=0, limit=9)
    assert [one.finding.person_id for one in rows] == refs
    assert total == 7


@pytest.mark.parametrize(("size", "ends"), [(1, "abcd-"), (2, "bd-"), (3, "c-"), (4, "d-"), (5, "-")])
async def test_the_pieces_of_a_span_adjoin_and_leave_nothing_out(work: SqlWork, size: int, ends: str) -> None:
    refs = ("anna", "ben", "carl", "dora")
    await sync(work, 1, [row(ref, seat(ref), enabled=False) for ref in refs])
    await scan(work)(RUN)

    async with work.read() as reading:
        newest = await reading.scans.newest()
        assert newest is not None
        span = await reading.scans.span(newest, None, 9)
        assert span == Span(product_id=VISIO, after=SeatId(""), upto=None)
        pieces = await reading.scans.cut(newest, span, size)
        assert await reading.scans.span(newest, span, 9) is None

    assert [piece.upto[0] if piece.upto else "-" for piece in pieces] == list(ends)
    assert [piece.after for piece in pieces] == ["", *(piece.upto for piece in pieces[:-1])]


async def test_nothing_reads_every_person_under_the_write_lock(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    work = SqlWork(database, store_job)
    said: list[str] = []

    @event.listens_for(database.writes.sync_engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    run = await scanned(work)
    await exclude(
        work, exclusion("x1", ExclusionKind.DEPARTMENT, "Sales"), exclusion("x2", ExclusionKind.GUESTS, GUEST)
    )
    await scan(work)(run)
    await database.dispose()

    assert [one for one in said if "judged_seats" in one]
    assert [one for one in said if "DISTINCT" in one] == []


async def test_a_scan_that_a_newer_sync_overtakes_does_not_count(work: SqlWork) -> None:
    first = await scanned(work)
    clock = FixedClock(NOW)

    class Overtaken(SqlWork):
        """Completes another sync as soon as the first chunk is judged."""

        done = False

        @asynccontextmanager
        async def write(self) -> AsyncIterator[UnitOfWork]:
            async with super().write() as unit:
                yield unit
            if not self.done:
                self.done = True
                await sync(work, 2, PEOPLE)

    with pytest.raises(Conflict):
        await scan(Overtaken(work._database, store_job), clock)(first)

    async with work.read() as reading:
        newest = await reading.scans.newest()
    assert newest is not None
    assert newest.id == 1


async def test_what_an_exclusion_holds_is_counted_apart_and_listed_nowhere(work: SqlWork) -> None:
    await scanned(work)

    await exclude(work, exclusion("x1", ExclusionKind.PERSON, "ben"), exclusion("x2", ExclusionKind.PRODUCT, PROJECT))

    async with work.read() as unit:
        rows, total, tally = await unit.findings.page(SeatFilter(days=30), now=NOW, offset=0, limit=10)
        assert [row.finding for row in rows] == [ANNA_VISIO, CARL, DORA]
        assert (total, tally) == (3, {VISIO: 3})
        assert await unit.findings.tally(days=90, now=NOW) == {VISIO: 2}
        assert await unit.findings.excluded(days=30, now=NOW) == {"x1": 1, "x2": 1}
        assert await unit.findings.excluded(days=90, now=NOW) == {"x1": 1}
        assert await unit.findings.excluded(days=30, now=NOW, product=VISIO, rules=[Rule.DISABLED]) == {}
        marked = {one.seat_id: one.exclusion_id for one in await unit.findings.select(days=30, now=NOW)}
    assert marked == {ANNA_PROJECT.seat_id: "x2", ANNA_VISIO.seat_id: None, BEN.seat_id: "x1", CARL.seat_id: None,
                      DORA.seat_id: None}  # fmt: skip


async def test_an_exclusion_stops_counting_when_it_expires_without_another_scan(work: SqlWork) -> None:
    await scanned(work)
    end = NOW + timedelta(days=3)

    await exclude(work, exclusion("x1", ExclusionKind.PERSON, "ben", end))

    async with work.read() as unit:
        before = await unit.findings.tally(days=30, now=end - timedelta(microseconds=1))
        after = await unit.findings.tally(days=30, now=end)
        rows, total, _ = await unit.findings.page(SeatFilter(days=30), now=end, offset=0, limit=10)
    assert (before[VISIO], after[VISIO]) == (3, 4)
    assert BEN.seat_id in {row.finding.seat_id for row in rows}
    assert total == 5


async def test_of_two_exclusions_the_one_that_lasts_longer_is_named_and_outlives_the_other(work: SqlWork) -> None:
    await scanned(work)
    soon = NOW + timedelta(days=1)

    await exclude(
        work, exclusion("x1", ExclusionKind.PERSON, "ben", soon), exclusion("x2", ExclusionKind.PRODUCT, VISIO)
    )

    async with work.read() as unit:
        assert await unit.findings.excluded(days=30, now=NOW) == {"x2": 4}
        assert await unit.findings.tally(days=30, now=soon) == {PROJECT: 1}


async def test_a_second_exclusion_of_the_same_is_a_conflict(work: SqlWork) -> None:
    await exclude_nothing(work, exclusion("x1", ExclusionKind.DEPARTMENT, "Sales"))

    with pytest.raises(Conflict):
        await exclude_nothing(work, exclusion("x2", ExclusionKind.DEPARTMENT, " SALES "))


async def exclude_nothing(work: SqlWork, one: Exclusion) -> None:
    async with work.write() as unit:
        await unit.exclusions.add(one)
        await unit.commit()


async def test_a_seat_that_has_gone_since_the_scan_is_in_no_answer(work: SqlWork) -> None:
    await scanned(work)

    await sync(work, 2, [one for one in PEOPLE if one.person.id != "ben"])

    async with work.read() as unit:
        assert BEN not in await unit.findings.select(days=30, now=NOW)
        assert await unit.findings.get_many([BEN.seat_id]) == {}
        assert await unit.findings.tally(days=30, now=NOW) == {VISIO: 3, PROJECT: 1}
