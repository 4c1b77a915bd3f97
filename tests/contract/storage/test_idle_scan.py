"""The idle scan in SQL against the pure domain, on random worlds and on both back ends: the domain is the oracle."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from reclaim.domain.activity import SignIns
from reclaim.domain.directory import Path, Person, Seat, ServicePlan, Sku
from reclaim.domain.exclusions import ALL, Exclusion, ExclusionId, ExclusionKind, strongest
from reclaim.domain.idle import Finding, Rule, judge_seat, rules_of
from reclaim.domain.ids import GroupId, PersonId, ProductId, seat_id
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import SeatFilter
from reclaim.domain.workloads import (
    COUNTED_BY,
    Report,
    ReportLine,
    ReportReading,
    ReportState,
    UsageReport,
    Workload,
    product_use,
    read_use,
)
from reclaim.ports.directory import PersonRow, SignInRow
from reclaim.ports.storage import PeopleList, SyncRun, UnitOfWork
from reclaim.services.find_idle_seats import FindIdleSeats, Steps, as_read, mark_excluded
from storage import tables
from storage.engine import Database
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import run
from tests.databases import store_job
from tests.fakes import FixedClock

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PRODUCTS = [ProductId(f"product-{letter}") for letter in "abc"]
TICK = timedelta(microseconds=1)
_TABLES = (
    tables.finding_days,
    tables.scan_verdicts,
    tables.finding_order,
    tables.findings,
    tables.idle_scans,
    tables.exclusions,
    tables.listed_people,
    tables.seat_paths,
    tables.seats,
    tables.people,
    tables.workload_use,
    tables.usage_reports,
    tables.report_readings,
    tables.pool_changes,
    tables.skus,
    tables.products,
    tables.sync_runs,
)

# Instants around every limit that the rules know: the windows, the grace, the start of the records.
LIMITS = [NOW - timedelta(days=days) for days in (0, 14, 30, 90)] + [datetime(2023, 12, 1, tzinfo=UTC)]
instants = st.one_of(
    st.builds(lambda at, ticks: at + ticks * TICK, st.sampled_from(LIMITS), st.integers(-1, 1)),
    st.integers(0, 1200).map(lambda days: NOW - timedelta(days=days)),
)
some = st.none() | instants
sign_ins = st.none() | st.builds(SignIns, success_at=some, interactive_at=some, background_at=some)
paths = st.lists(
    st.builds(
        Path,
        group_id=st.none() | st.sampled_from([GroupId("g1"), GroupId("g2")]),
        state=st.sampled_from(["Active", "ActiveWithError", "Error", "Disabled"]),
        updated_at=some,
    ),
    max_size=3,
    unique_by=lambda path: path.group_id,
).map(tuple)
people = st.builds(
    Person,
    id=st.just(PersonId("")),
    name=st.just("Anna"),
    upn=st.just("anna@contoso.example"),
    enabled=st.sampled_from([True, True, False, None]),
    user_type=st.sampled_from(["Member", "Guest", "guest", None]),
    department=st.sampled_from(["Sales", "sales ", "Ümläut", "ÜMLÄUT", None]),
    employee_type=st.sampled_from(["Contractor", "Intern", None]),
    created_at=some,
    sign_ins=sign_ins,
    gone_at=st.sampled_from([None, None, None, NOW]),
)
holders = st.tuples(people, st.dictionaries(st.sampled_from(PRODUCTS), paths, max_size=3))
targets = st.sampled_from(
    [
        (ExclusionKind.PERSON, "person-0"),
        (ExclusionKind.PERSON, "person-1"),
        (ExclusionKind.PRODUCT, PRODUCTS[0]),
        (ExclusionKind.DEPARTMENT, "SALES"),
        (ExclusionKind.DEPARTMENT, "ümläut"),
        (ExclusionKind.GUESTS, "Guest"),
        (ExclusionKind.EMPLOYEE_TYPE, "contractor"),
        (ExclusionKind.GROUP, "Group-VIP"),
        (ExclusionKind.ADMIN_ROLES, ALL),
        (ExclusionKind.AWAY, ALL),
    ]
)
excluding = st.lists(
    st.tuples(targets, st.none() | st.sampled_from([NOW - TICK, NOW, NOW + TICK, NOW + timedelta(days=9)])),
    max_size=4,
    unique_by=lambda one: one[0],
)


days_ago = st.integers(0, 400).map(lambda days: (NOW - timedelta(days=days)).date())
used_on = st.dictionaries(st.sampled_from(Workload), days_ago, max_size=4)
counted = st.just(set(Workload)) | st.sets(st.sampled_from(Workload))
in_reports = st.just(set(Report)) | st.sets(st.sampled_from(Report))
ages = st.integers(0, 7)
aged = st.fixed_dictionaries(dict.fromkeys(Report, ages)) | st.dictionaries(st.sampled_from(Report), ages)
# One product that reports count whole, by two of them; one that they count in part; and one of which they say nothing.
PLANS = {
    PRODUCTS[0]: ("EXCHANGE_S_ENTERPRISE", "TEAMS1", "OFFICESUBSCRIPTION", "AAD_PREMIUM"),
    PRODUCTS[1]: ("ONEDRIVE_BASIC", "VISIOONLINE", "VISIO_CLIENT_SUBSCRIPTION"),
    PRODUCTS[2]: ("SWAY",),
}
SKUS = [
    Sku(
        id=product,
        part_number=product,
        name=product,
        enabled=9,
        plans=tuple(ServicePlan(name, name) for name in PLANS[product]),
    )
    for product in PRODUCTS
]
USE = {sku.id: product_use(sku.plans) for sku in SKUS}


@dataclass(frozen=True)
class Case:
    """One random world."""

    rows: tuple[tuple[Person, tuple[Seat, ...]], ...]
    exclusions: tuple[Exclusion, ...]
    later: tuple[Exclusion, ...]
    known: bool
    by_reports: bool
    never_seen_since: datetime | None
    lists: Mapping[ExclusionKind, frozenset[PersonId]]

    def listed(self, person: Person, exclusions: tuple[Exclusion, ...]) -> frozenset[ExclusionId]:
        """Return the exclusions whose list names a person."""
        return frozenset(one.id for one in exclusions if person.id in self.lists.get(one.kind, ()))

    reports: dict[Report, UsageReport]
    lines: dict[tuple[PersonId, Report], ReportLine]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows = []
    for number, (person, held) in enumerate(draw(st.lists(holders, max_size=6))):
        ref = PersonId(f"person-{number}")
        seats = tuple(
            Seat(id=seat_id(ref, product), person_id=ref, product_id=product, paths=ways)
            for product, ways in held.items()
        )
        rows.append((replace(person, id=ref, upn=f"{ref.upper()}@contoso.example"), seats))
    made = [
        Exclusion(
            id=ExclusionId(f"x{number}"),
            kind=kind,
            value=value,
            reason="why",
            by=PersonId("lynne"),
            at=NOW,
            until=until,
        )
        for number, ((kind, value), until) in enumerate(draw(excluding))
    ]
    split = draw(st.integers(0, len(made)))
    reports = {
        kind: UsageReport(id=number, report=kind, refreshed_on=(NOW - timedelta(days=age)).date(), read_at=NOW)
        for number, (kind, age) in enumerate(sorted(draw(aged).items()))
    }
    lines = {
        (person.id, kind): ReportLine(
            upn=f"{person.id}@Contoso.example",
            counted=frozenset(one for one in draw(counted) if COUNTED_BY[one] is kind),
            last_used={one: day for one, day in draw(used_on).items() if COUNTED_BY[one] is kind},
            licensed_on=draw(st.none() | days_ago),
        )
        for person, _ in rows
        for kind in sorted(draw(in_reports) & reports.keys())
    }
    return Case(
        rows=tuple(rows),
        exclusions=tuple(made[:split]),
        later=tuple(made[split:]),
        known=draw(st.booleans()) or draw(st.booleans()),
        lists={
            kind: frozenset(draw(st.sets(st.integers(0, 5).map(lambda number: PersonId(f"person-{number}")))))
            for kind in (ExclusionKind.GROUP, ExclusionKind.ADMIN_ROLES, ExclusionKind.AWAY)
        },
        by_reports=draw(st.booleans()),
        never_seen_since=draw(st.none() | st.sampled_from([datetime(2020, 1, 1, tzinfo=UTC), NOW])),
        reports=reports,
        lines=lines,
    )


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(case=cases())
def test_the_scan_in_sql_says_what_the_domain_says(database_url: str, case: Case) -> None:
    asyncio.run(_compare(database_url, case))


async def _compare(url: str, case: Case) -> None:
    database = Database(url)
    try:
        async with database.writes.begin() as connection:
            for table in _TABLES:
                await connection.execute(delete(table))
        await _compare_in(SqlWork(database, store_job), database, case)
    finally:
        await database.dispose()


async def _compare_in(work: SqlWork, database: Database, case: Case) -> None:
    done = await _synced(work, case)
    gone = [person.id for person, _ in case.rows if person.gone_at is not None]
    async with database.writes.begin() as connection:
        await connection.execute(update(tables.people).where(tables.people.c.id.in_(gone)).values(gone_at=NOW))
    policy = Policy(never_seen_since=case.never_seen_since, judges_by_reports=case.by_reports)
    steps = Steps(seats=3, span=4, ordered=2, sums=2)  # several of each even here
    scan_service = FindIdleSeats(work=work, clock=FixedClock(NOW), policy=policy, steps=steps)
    assert await scan_service.scan(done.id) == len(_expected(case, done, case.exclusions)[0])
    await _check(work, case, done, case.exclusions)
    # Exclusions that come later are marked without another scan, and say the same as one.
    async with work.write() as unit:
        for one in case.later:
            await unit.exclusions.add(one)
        await unit.commit()
    async with work.read() as reading:
        named = await reading.people_lists.naming([person.id for person, _ in case.rows], NOW)
        now_counting = tuple(await reading.exclusions.counting(NOW))
    assert named == {person.id: listing for person, _ in case.rows if (listing := case.listed(person, now_counting))}
    async with work.read() as reading:
        scan = await reading.scans.newest()
        counting = await reading.exclusions.counting(NOW)
    assert scan is not None
    await mark_excluded(work, scan, counting, NOW, steps=steps)
    await _check(work, case, done, (*case.exclusions, *case.later))


async def _synced(work: SqlWork, case: Case) -> SyncRun:
    done = replace(run(0), started_at=NOW - timedelta(hours=1), sign_ins="known" if case.known else "no_permission")
    async with work.write() as unit:
        await unit.syncs.add(done)
        await unit.syncs.save_people(done.id, [PersonRow(person=p, seats=s) for p, s in case.rows], now=NOW)
        read = [SignInRow(person_id=p.id, sign_ins=p.sign_ins) for p, _ in case.rows if p.sign_ins is not None]
        await unit.syncs.save_sign_ins(done.id, read, read_at=NOW)
        await unit.syncs.save_skus(done.id, SKUS)
        for report, whole in case.reports.items():
            reading = await unit.workload_use.begin(report, done.id, NOW)
            await unit.workload_use.save(reading, [line for (_, of), line in case.lines.items() if of is report])
            await unit.workload_use.finish(replace(whole, id=reading))
            await unit.workload_use.note(ReportReading(report=report, state=ReportState.READ, at=NOW))
        await unit.syncs.save(replace(done, state="complete", completed_at=NOW))
        for one in case.exclusions:
            await unit.exclusions.add(one)
        for kind, members in case.lists.items():
            value = "group-vip" if kind is ExclusionKind.GROUP else ALL
            await unit.people_lists.add(PeopleList(kind, value), sorted(members), seen_at=NOW)
        await unit.commit()
    return done


def _expected(case: Case, done: SyncRun, exclusions: tuple[Exclusion, ...]) -> tuple[list[Finding], Counter[str]]:
    found: list[Finding] = []
    verdicts: Counter[str] = Counter()
    for person, seats in case.rows:
        mine = {kind: line for (of, kind), line in case.lines.items() if of == person.id}
        for seat in seats:
            judged = judge_seat(
                as_read(person, done),
                seat,
                now=NOW,
                data_as_of=done.started_at,
                days=30,
                never_seen_since=case.never_seen_since,
                use=read_use(USE[seat.product_id], case.reports, mine) if case.by_reports else None,
            )
            if isinstance(judged, Finding):
                listed = case.listed(person, exclusions)
                holding = strongest(exclusions, person, seat.product_id, NOW, listed)
                found.append(replace(judged, exclusion_id=holding.id if holding else None))
                verdicts["idle"] += 1
            else:
                verdicts[judged.value] += 1
    return sorted(found, key=lambda one: one.seat_id), verdicts


async def _check(work: SqlWork, case: Case, done: SyncRun, exclusions: tuple[Exclusion, ...]) -> None:
    found, verdicts = _expected(case, done, exclusions)
    await _check_lists(work, found)
    async with work.read() as reading:
        assert await reading.findings.get_many(one.seat_id for one in found) == {one.seat_id: one for one in found}
        assert await reading.findings.verdicts() == verdicts
        assert sum(verdicts.values()) == sum(len(seats) for _, seats in case.rows)
        assert await reading.findings.held() == await reading.seats.held()
        for days in (30, 31, 90, 400):
            idle = [one for one in found if one.is_idle_for(days, NOW)]
            assert await reading.findings.select(days=days, now=NOW) == idle
            free = [one for one in idle if one.exclusion_id is None]
            tally = Counter(one.product_id for one in free)
            assert await reading.findings.tally(days=days, now=NOW) == tally
            assert await reading.findings.excluded(days=days, now=NOW) == Counter(
                one.exclusion_id for one in idle if one.exclusion_id is not None
            )
            await _check_population(reading, case, done, exclusions, days)
            for rules in ((), (Rule.DISABLED,), (Rule.NEVER_SEEN, Rule.IDLE)):
                listed = [one for one in free if not rules or one.rule in rules_of(rules)]
                rows, total, _ = await reading.findings.page(
                    SeatFilter(days=days, rules=rules), now=NOW, offset=1, limit=3
                )
                in_order = sorted(listed, key=lambda one: (one.product_id, one.quiet_since, one.seat_id))
                assert [row.finding for row in rows] == in_order[1:4]
                assert total == len(listed)


async def _check_population(
    reading: UnitOfWork, case: Case, done: SyncRun, exclusions: tuple[Exclusion, ...], days: int
) -> None:
    """Every seat is in exactly one part, and the parts are what the domain says."""
    found, _ = _expected(case, done, exclusions)
    told = await reading.findings.population(days=days, now=NOW)
    held = await reading.seats.held()
    for product in {seat.product_id for _, seats in case.rows for seat in seats}:
        mine, one = [finding for finding in found if finding.product_id == product], told[product]
        idle = [finding for finding in mine if finding.is_idle_for(days, NOW)]
        assert one.read == sum(seat.product_id == product for _, seats in case.rows for seat in seats)
        assert one.held == held.get(product, 0)
        assert one.idle == sum(finding.exclusion_id is None for finding in idle)
        assert one.excluded == Counter(finding.exclusion_id for finding in idle if finding.exclusion_id is not None)
        assert (one.shorter, one.gone) == (len(mine) - len(idle), 0)
        assert one.read == one.idle + sum(one.excluded.values()) + one.shorter + sum(one.verdicts.values())


async def _check_lists(work: SqlWork, found: list[Finding]) -> None:
    """Each finding stands in the order of lists once, as it is, and in the sum of its day."""
    order, days = tables.finding_order.c, tables.finding_days.c
    async with work._database.reads.connect() as connection:
        listed = await connection.execute(
            select(order.seat_id, order.product_id, order.quiet_since, order.rule, order.exclusion_id)
        )
        sums = await connection.execute(select(days.product_id, days.day, days.rule, days.exclusion_id, days.seats))
    assert sorted(tuple(row) for row in listed) == [
        (one.seat_id, one.product_id, one.quiet_since, one.rule, one.exclusion_id) for one in found
    ]
    assert {tuple(key): number for *key, number in sums if number} == Counter(
        (one.product_id, f"{one.quiet_since:%Y-%m-%d}", one.rule, one.exclusion_id or "") for one in found
    )
