"""A hand-written fake of Microsoft's usage reports, with public state."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta

from reclaim.domain.workloads import COUNTED_BY, Report, ReportLine, Workload
from reclaim.errors import DirectoryError
from reclaim.ports.directory import Request
from reclaim.ports.usage_reports import ReportEnd
from tests.fakes import FixedClock

LACKING = DirectoryError("Reports.Read.All is missing.", permanent=True, status=403)


class FakeReports:
    """Reports in memory.

    Attributes:
        used: Last use by user principal name and service; whoever is in here has the service.
        behind: How many days the reports lag behind.
        hidden: What `concealed` says.
        errors: What reading a report raises, after its first piece.
        asked: Reports that were asked for.
    """

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.offered = True
        self.used: dict[str, dict[Workload, int | None]] = {}
        self.behind = 2
        self.hidden: bool | None = False
        self.errors: dict[Report, Exception] = {}
        self.asked: list[Report] = []
        self._day = clock.now().date()

    def use(self, upn: str, **days_ago: int | None) -> None:
        """Say how many days before now a person used each service last; None: they have it and never did."""
        self.used[upn] = {Workload(name): days for name, days in days_ago.items()}
        self._day = self.clock.now().date()

    async def concealed(self) -> bool | None:
        return self.hidden

    async def read(self, report: Report) -> AsyncIterator[Sequence[ReportLine] | ReportEnd]:
        self.asked.append(report)
        lines = [line for upn, used in self.used.items() if (line := self._line(report, upn, used)) is not None]
        yield lines[:1]
        if (error := self.errors.get(report)) is not None:
            raise error
        yield lines[1:]
        request = Request(
            url=f"https://graph.test/{report.value}", request_id="r", rows=len(lines), sha256="00", at=self.clock.now()
        )
        yield ReportEnd(refreshed_on=self.clock.now().date() - timedelta(days=self.behind), request=request)

    def _line(self, report: Report, upn: str, used: dict[Workload, int | None]) -> ReportLine | None:
        mine = {one: days for one, days in used.items() if COUNTED_BY[one] is report}
        if not mine:
            return None
        days = {one: self._on(days) for one, days in mine.items() if days is not None}
        return ReportLine(upn=upn, counted=frozenset(mine), last_used=days)

    def _on(self, days: int) -> date:
        return self._day - timedelta(days=days)
