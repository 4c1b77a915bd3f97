"""The lines of usage reports on both back ends: a report counts once it is whole, and what it replaces goes in parts."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import func, select

from reclaim.domain.ids import RunId
from reclaim.domain.workloads import Report, ReportLine, ReportReading, ReportState, UsageReport, Workload
from storage.engine import Database
from storage.repositories.workloads import BITS
from storage.tables import workload_use
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import NOW, begin, row

RUN = RunId("run0")
DAY = date(2026, 11, 20)
ANNA = ReportLine(
    upn="Anna@Contoso.Example",
    counted=frozenset({Workload.EXCHANGE, Workload.TEAMS}),
    last_used={Workload.EXCHANGE: date(2026, 8, 1)},
    licensed_on=date(2026, 1, 5),
)
BEN = replace(ANNA, upn="ben@contoso.example", last_used={})


async def whole(work: SqlWork, *lines: ReportLine, report: Report = Report.ACTIVE_USERS) -> UsageReport:
    async with work.write() as unit:
        reading = await unit.workload_use.begin(report, RUN, NOW)
        await unit.workload_use.save(reading, lines)
        found = UsageReport(
            id=reading, report=report, refreshed_on=DAY, read_at=NOW + timedelta(hours=1), rows=len(lines)
        )
        await unit.workload_use.finish(found)
        await unit.workload_use.note(ReportReading(report=report, state=ReportState.READ, at=NOW))
        await unit.commit()
    return found


async def lines_left(database: Database) -> int:
    async with database.reads.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(workload_use))).scalar_one()


async def erase(work: SqlWork) -> int:
    """Return how many transactions it takes, of one line each."""
    turns, done = 0, False
    while not done:
        async with work.write() as unit:
            done = await unit.workload_use.erase_some(1)
            await unit.commit()
        turns += 1
    return turns


def test_every_service_has_a_place_of_its_own() -> None:
    assert sorted(BITS.values()) == [1 << place for place in range(len(Workload))]


async def test_a_line_comes_back_by_the_exact_name_in_any_case(work: SqlWork) -> None:
    report = await whole(work, ANNA, BEN)

    async with work.read() as unit:
        found = await unit.workload_use.lines_of("ANNA@contoso.example", [report])
        nobody = await unit.workload_use.lines_of("ann@contoso.example", [report])
        (reading,) = await unit.workload_use.readings()

    assert found == {Report.ACTIVE_USERS: replace(ANNA, upn="anna@contoso.example")}
    assert nobody == {}
    assert reading.whole == report


async def test_several_lines_of_one_person_add_up(work: SqlWork) -> None:
    visio = ReportLine(upn="anna@contoso.example", counted=frozenset({Workload.VISIO}), last_used={Workload.VISIO: DAY})
    older = replace(visio, last_used={Workload.VISIO: date(2025, 1, 1)})
    project = replace(visio, counted=frozenset({Workload.PROJECT}), last_used={Workload.PROJECT: date(2026, 2, 2)})
    report = await whole(work, visio, older, project, report=Report.ACTIVATIONS)

    async with work.read() as unit:
        found = await unit.workload_use.lines_of("anna@contoso.example", [report])

    assert found[Report.ACTIVATIONS].counted == {Workload.VISIO, Workload.PROJECT}
    assert found[Report.ACTIVATIONS].last_used == {Workload.VISIO: DAY, Workload.PROJECT: date(2026, 2, 2)}


async def test_who_is_matched_is_counted_and_nobody_is_guessed(work: SqlWork) -> None:
    await begin(work, 0)
    async with work.write() as unit:
        await unit.syncs.save_people(RUN, [row("anna"), row("carl")], now=NOW)
        await unit.commit()
    report = await whole(work, ANNA, BEN)

    async with work.read() as unit:
        assert await unit.workload_use.matched(report.id) == (1, 2)


async def test_a_reading_that_is_not_whole_never_takes_the_place_of_one_that_is(
    work: SqlWork, database: Database
) -> None:
    before = await whole(work, ANNA)
    async with work.write() as unit:
        half = await unit.workload_use.begin(Report.ACTIVE_USERS, RUN, NOW)
        await unit.workload_use.save(half, [BEN])
        await unit.commit()
    assert await erase(work) == 1  # nothing: it may still become whole
    async with work.write() as unit:
        await unit.workload_use.drop(half)
        await unit.workload_use.note(
            ReportReading(report=Report.ACTIVE_USERS, state=ReportState.FAILED, at=NOW, said="broke off")
        )
        await unit.commit()

    async with work.read() as unit:
        (reading,) = await unit.workload_use.readings()
    assert (reading.state, reading.said, reading.whole) == (ReportState.FAILED, "broke off", before)
    assert await erase(work) == 3
    assert await lines_left(database) == 1


async def test_what_a_newer_one_replaces_is_erased_in_parts(work: SqlWork, database: Database) -> None:
    await whole(work, ANNA, BEN)
    apps = await whole(work, BEN, report=Report.APPS)
    newer = await whole(work, ANNA)

    assert await erase(work) == 4

    assert await lines_left(database) == 2
    async with work.read() as unit:
        assert [one.whole for one in await unit.workload_use.readings()] == [newer, apps]


async def test_of_a_tenant_that_hides_names_nothing_is_kept(work: SqlWork, database: Database) -> None:
    await whole(work, ANNA, BEN)
    async with work.write() as unit:
        await unit.workload_use.note(ReportReading(report=Report.ACTIVE_USERS, state=ReportState.CONCEALED, at=NOW))
        await unit.commit()

    await erase(work)

    assert await lines_left(database) == 0
    async with work.read() as unit:
        (reading,) = await unit.workload_use.readings()
    assert (reading.state, reading.whole) == (ReportState.CONCEALED, None)


async def test_a_reading_that_died_is_erased_once_a_later_one_is_whole(work: SqlWork, database: Database) -> None:
    async with work.write() as unit:
        dead = await unit.workload_use.begin(Report.ACTIVE_USERS, RUN, NOW)
        await unit.workload_use.save(dead, [ANNA, BEN])
        await unit.commit()
    await whole(work, ANNA)

    await erase(work)

    assert await lines_left(database) == 1
