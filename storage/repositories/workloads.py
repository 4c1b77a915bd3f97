"""The lines of usage reports, one reading of a report beside another until the newer one is whole.

A line is found by the user principal name in lower case: Microsoft's reports name people by nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import ProductId, RunId
from reclaim.domain.workloads import (
    COUNTED_BY,
    REPORT_PERIOD,
    ProductUse,
    Report,
    ReportLine,
    ReportReading,
    ReportState,
    UsageReport,
    Workload,
    noon,
)
from reclaim.ports.usage_reports import UseRules
from storage.sql import latest
from storage.tables import Instant, people, report_readings, usage_reports, workload_use
from storage.upsert import Excluded, upsert

READING, WHOLE, DROPPED = "reading", "whole", "dropped"
# The place of each workload in `workload_use.counted`. A stored number: never change one.
BITS: Mapping[Workload, int] = {
    Workload.EXCHANGE: 1,
    Workload.ONEDRIVE: 2,
    Workload.SHAREPOINT: 4,
    Workload.SKYPE: 8,
    Workload.VIVA_ENGAGE: 16,
    Workload.TEAMS: 32,
    Workload.APPS: 64,
    Workload.VISIO: 128,
    Workload.PROJECT: 256,
}


def mask(workloads: Iterable[Workload]) -> int:
    """Return workloads as the bits of a number."""
    return reduce(or_, (BITS[one] for one in workloads), 0)


def column_of(workload: Workload) -> str:
    """Return the name of the column with the last use."""
    return f"{workload.value}_at"


def with_use(
    joined: FromClause, rules: UseRules, product: ColumnElement[str]
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """Join what the reports say of each person, and return with it `domain.workloads.read_use` in SQL.

    Args:
        joined: With `people` in it.
        rules: The reports, and how the use of each product can be seen.
        product: Of the seat that is asked about.
    """
    lines: dict[Report, FromClause] = {}
    needed = {report for use in rules.products.values() for report in use.reports}
    for report in sorted(needed & rules.reports.keys()):
        whole = rules.reports[report]
        line = lines[report] = workload_use.alias(f"use_{report.value}")
        joined = joined.outerjoin(line, and_(line.c.report_id == whole.id, line.c.upn == func.lower(people.c.upn)))
    alike: dict[ProductUse, list[ProductId]] = {}
    for one, use in sorted(rules.products.items()):
        alike.setdefault(use, []).append(one)
    used: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
    quiet: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
    reported: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
    for use, products in alike.items():
        here = [one for one in use.workloads if COUNTED_BY[one] in lines]
        if not here:
            continue
        is_one = product.in_(products)
        last = latest(*(lines[COUNTED_BY[one]].c[column_of(one)] for one in here))
        used.append((is_one, last))
        if not use.whole or len(here) < len(use.workloads):
            continue
        mine = {report: lines[report] for report in sorted(use.reports)}
        spoken = [rules.reports[report].refreshed_on for report in use.reports]
        counted = and_(
            *(line.c.counted.bitwise_and(_of(use, report)) == _of(use, report) for report, line in mine.items())
        )
        floor = literal(noon(max(spoken)) - REPORT_PERIOD, Instant())
        since = latest(func.coalesce(last, floor), *(line.c.licensed_at for line in mine.values()))
        quiet.append((and_(is_one, counted), since))
        reported.append((is_one, literal(noon(min(spoken)), Instant())))
    nothing = literal(None, Instant())
    said = {"used_at": used, "used_quiet_since": quiet, "reported_at": reported}
    return joined, {name: case(*cases, else_=nothing) if cases else nothing for name, cases in said.items()}


def _of(use: ProductUse, report: Report) -> int:
    return mask(one for one in use.workloads if COUNTED_BY[one] is report)


class SqlWorkloadUse:
    """Implements `WorkloadUse`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, report: Report, run: RunId, at: datetime) -> int:
        row = {"report": report.value, "run_id": run, "state": READING, "read_at": at, "rows": 0, "unmatched": 0}
        made = await self._connection.execute(insert(usage_reports).values(row).returning(usage_reports.c.id))
        return int(made.scalar_one())

    async def save(self, reading: int, lines: Sequence[ReportLine]) -> None:
        await upsert(self._connection, workload_use, [_row(reading, line) for line in lines], special=_together)

    async def matched(self, reading: int) -> tuple[int, int]:
        known = people.join(
            workload_use,
            and_(workload_use.c.report_id == reading, workload_use.c.upn == func.lower(people.c.upn)),
        )
        query = select(func.count()).select_from(known).where(people.c.gone_at.is_(None))
        lines = select(func.count()).select_from(workload_use).where(workload_use.c.report_id == reading)
        row = await self._connection.execute(select(query.scalar_subquery(), lines.scalar_subquery()))
        matched, there = row.one()
        return matched, there

    async def drop(self, reading: int) -> None:
        await self._drop(usage_reports.c.id == reading)

    async def _drop(self, *where: ColumnElement[bool]) -> None:
        await self._connection.execute(update(usage_reports).where(*where).values(state=DROPPED))

    async def finish(self, whole: UsageReport) -> None:
        facts = {"refreshed_on": whole.refreshed_on, "read_at": whole.read_at}
        counts = {"rows": whole.rows, "unmatched": whole.unmatched}
        await self._connection.execute(
            update(usage_reports).where(usage_reports.c.id == whole.id).values(state=WHOLE, **facts, **counts)
        )

    async def note(self, reading: ReportReading) -> None:
        row = {"report": reading.report.value, "state": reading.state.value, "at": reading.at, "said": reading.said}
        await upsert(self._connection, report_readings, [row])
        if reading.state is ReportState.CONCEALED:
            await self._drop(usage_reports.c.report == reading.report.value)

    async def readings(self) -> list[ReportReading]:
        newest = select(func.max(usage_reports.c.id)).where(usage_reports.c.state == WHOLE).group_by("report")
        rows = await self._connection.execute(select(usage_reports).where(usage_reports.c.id.in_(newest)))
        whole = {row["report"]: _to_report(row) for row in rows.mappings()}
        tried = await self._connection.execute(select(report_readings))
        found = {
            row["report"]: ReportReading(
                report=Report(row["report"]),
                state=ReportState(row["state"]),
                at=row["at"],
                said=row["said"],
                whole=whole.get(row["report"]),
            )
            for row in tried.mappings()
        }
        return [found[report] for report in Report if report in found]

    async def lines_of(self, upn: str, reports: Iterable[UsageReport]) -> dict[Report, ReportLine]:
        wanted = {one.id: one.report for one in reports}
        rows = await self._connection.execute(
            select(workload_use).where(workload_use.c.report_id.in_(wanted), workload_use.c.upn == upn.lower())
        )
        return {wanted[row["report_id"]]: _to_line(row) for row in rows.mappings()}

    async def erase_some(self, rows: int) -> bool:
        # The newest whole reading of each report, and one that is newer: one that is older died on its way.
        newest = select(func.max(usage_reports.c.id)).group_by(usage_reports.c.report)
        kept = (newest.where(usage_reports.c.state.in_(states)) for states in ((WHOLE,), (READING, WHOLE)))
        old = (usage_reports.c.id.not_in(one) for one in kept)
        first = await self._connection.execute(select(func.min(usage_reports.c.id)).where(*old))
        reading = first.scalar_one()
        if reading is None:
            return True
        mine: ColumnElement[bool] = workload_use.c.report_id == reading
        bound = await self._connection.execute(
            select(workload_use.c.upn).where(mine).order_by(workload_use.c.upn).limit(1).offset(rows - 1)
        )
        upto = bound.scalar_one_or_none()
        if upto is not None:
            mine = and_(mine, workload_use.c.upn <= upto)
        await self._connection.execute(delete(workload_use).where(mine))
        if upto is None:
            await self._connection.execute(delete(usage_reports).where(usage_reports.c.id == reading))
        return False


def _row(reading: int, line: ReportLine) -> dict[str, object]:
    used = {column_of(one): noon(line.last_used[one]) if one in line.last_used else None for one in COUNTED_BY}
    return {
        "report_id": reading,
        "upn": line.upn.lower(),
        "counted": mask(line.counted),
        "licensed_at": noon(line.licensed_on) if line.licensed_on else None,
        **used,
    }


def _together(new: Excluded) -> Mapping[str, ColumnElement[Any]]:
    """What a second line of a person adds to the first: a report on activations has one for each product."""
    used = ("licensed_at", *(column_of(one) for one in COUNTED_BY))
    return {
        "counted": workload_use.c.counted.bitwise_or(new.counted),
        **{name: latest(workload_use.c[name], new[name]) for name in used},
    }


def _to_line(row: RowMapping) -> ReportLine:
    used = {one: row[column_of(one)] for one in COUNTED_BY}
    return ReportLine(
        upn=row["upn"],
        counted=frozenset(one for one, bit in BITS.items() if row["counted"] & bit),
        last_used={one: at.date() for one, at in used.items() if at is not None},
        licensed_on=row["licensed_at"].date() if row["licensed_at"] else None,
    )


def _to_report(row: RowMapping) -> UsageReport:
    return UsageReport(
        id=row["id"],
        report=Report(row["report"]),
        refreshed_on=row["refreshed_on"],
        read_at=row["read_at"],
        rows=row["rows"],
        unmatched=row["unmatched"],
    )
