"""Read Microsoft's usage reports with a sync run: each whole or not at all, and none of them is needed for the run.

A report that cannot be read leaves the last whole one in its place, with its age. One that may not be read any more, or
hides names, does not.
"""

from collections.abc import Sequence
from http import HTTPStatus

import structlog

from reclaim.domain.ids import RunId
from reclaim.domain.syncing import SyncState
from reclaim.domain.workloads import Report, ReportLine, ReportReading, ReportState, UsageReport
from reclaim.errors import ConcealedNames, DirectoryError
from reclaim.ports.storage import StreamCursor, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.ports.usage_reports import ReportEnd, UsageReports
from reclaim.services.chunks import in_chunks
from reclaim.services.superseded import Superseded

USAGE_STREAM = "usage/"
PART = 250  # lines in one transaction
_ERASED = 2_000
_log = structlog.get_logger(__name__)


class ReadUsage:
    """Reads all reports, and clears away those that newer ones have replaced."""

    def __init__(self, *, work: Work, clock: Clock, reports: UsageReports) -> None:
        self._work = work
        self._clock = clock
        self._reports = reports

    async def read(self, run: RunId) -> None:
        """Read the reports that this run has not read yet, and keep how that went.

        Raises:
            Superseded: Another job reads this run, or the run has ended.
        """
        state, said = ReportState.READ, ""
        if not self._reports.offered:
            state = ReportState.NOT_OFFERED
        else:
            try:
                if await self._reports.concealed():
                    state = ReportState.CONCEALED
            except DirectoryError as error:
                state, said = ReportState.FAILED, error.message
        for report in Report:
            if state is ReportState.READ:
                await self._report(run, report)
            else:
                await self._note(run, report, state, said)

    async def after_sync(self, run: RunId) -> None:
        """Erase what newer readings have replaced, in short transactions."""
        whole = False
        while not whole:
            async with self._work.write() as unit:
                whole = await unit.workload_use.erase_some(_ERASED)
                await unit.commit()

    async def _report(self, run: RunId, report: Report) -> None:
        async with self._work.read() as reading:
            if await reading.syncs.cursor(run, _stream(report)) is not None:
                return
        async with self._work.write() as unit:
            await _check(unit, run, report)
            begun = await unit.workload_use.begin(report, run, self._clock.now())
            await unit.commit()
        try:
            await self._lines(run, report, begun)
        except ConcealedNames:
            await self._note(run, report, ReportState.CONCEALED, "", begun)
        except DirectoryError as error:
            refused = error.status == HTTPStatus.FORBIDDEN
            state = ReportState.NO_PERMISSION if refused else ReportState.FAILED
            (_log.info if refused else _log.warning)(
                "usage report not read", run=run, report=report.value, state=state.value
            )
            await self._note(run, report, state, error.message, begun)

    async def _lines(self, run: RunId, report: Report, begun: int) -> None:
        end: ReportEnd | None = None
        async for piece in self._reports.read(report):
            if isinstance(piece, ReportEnd):
                end = piece
            else:
                await self._save(run, report, begun, piece)
        if end is None:
            raise DirectoryError("The usage report ended without its end.")
        # Counted before the write lock is taken: every line is stored, and nobody but this run writes these.
        async with self._work.read() as reading:
            matched, lines = await reading.workload_use.matched(begun)
        async with self._work.write() as unit:
            await _check(unit, run, report)
            now = self._clock.now()
            whole = UsageReport(
                id=begun,
                report=report,
                refreshed_on=end.refreshed_on,
                read_at=now,
                rows=lines,
                unmatched=lines - matched,
            )
            await unit.workload_use.finish(whole)
            await unit.workload_use.note(ReportReading(report=report, state=ReportState.READ, at=now))
            done = StreamCursor(stream=_stream(report), next_cursor=None, done=True, page=1)
            await unit.syncs.save_cursor(run, done, end.request)
            await unit.commit()
        _log.info("usage report read", run=run, report=report.value, rows=lines, unmatched=lines - matched)

    async def _save(self, run: RunId, report: Report, begun: int, lines: Sequence[ReportLine]) -> None:
        for part in in_chunks(lines, PART):
            async with self._work.write() as unit:
                await _check(unit, run, report)
                await unit.workload_use.save(begun, part)
                await unit.commit()

    async def _note(self, run: RunId, report: Report, state: ReportState, said: str, begun: int | None = None) -> None:
        async with self._work.write() as unit:
            await _check(unit, run, report)
            if begun is not None:
                await unit.workload_use.drop(begun)
            await unit.workload_use.note(ReportReading(report=report, state=state, at=self._clock.now(), said=said))
            await unit.commit()


def _stream(report: Report) -> str:
    return f"{USAGE_STREAM}{report.value}"


async def _check(unit: UnitOfWork, run_id: RunId, report: Report) -> None:
    """Refuse to go on where the run has ended, or the report was read meanwhile.

    Raises:
        Superseded: So it is.
    """
    run = await unit.syncs.get(run_id)
    if run is None or run.state != SyncState.RUNNING or await unit.syncs.cursor(run_id, _stream(report)) is not None:
        raise Superseded
