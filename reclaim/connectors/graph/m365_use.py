"""Microsoft 365 usage reports as a usage source of consent programs: the services whose use the reports count.

Visio and Project are left out: their report tells activations only, and an old activation does not show that nobody uses it.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Final

from reclaim.domain.usage import UsageRow
from reclaim.domain.workloads import COUNTED_BY, Report, ReportLine, Workload
from reclaim.errors import InvalidRequest, PortError
from reclaim.ports.usage import BATCH, UsageBatch
from reclaim.ports.usage_reports import ReportEnd, UsageReports

APPLICATIONS: Final = {
    "exchange": Workload.EXCHANGE,
    "onedrive": Workload.ONEDRIVE,
    "sharepoint": Workload.SHAREPOINT,
    "viva engage": Workload.VIVA_ENGAGE,
    "teams": Workload.TEAMS,
    "microsoft 365 apps": Workload.APPS,
}


class M365Use:
    """Implements `ports.usage.UsageSource` over the reports of the tenant."""

    def __init__(self, reports: UsageReports) -> None:
        self._reports = reports

    async def read(self, application: str) -> AsyncIterator[UsageBatch]:
        """Yield a row for everybody of whom the report tells a last day of use; of the others nothing is known.

        Raises:
            InvalidRequest: The reports do not count this application.
            PortError: They cannot be had, hide names, or broke off.
        """
        workload = APPLICATIONS.get(application.strip().lower())
        if workload is None:
            raise InvalidRequest(
                f"Microsoft's usage reports do not count “{application[:40]}”. They count: {', '.join(APPLICATIONS)}.",
                field="source_application",
            )
        if not self._reports.offered:
            raise PortError("This cloud has no usage reports. Choose another source.", permanent=True)
        if await self._reports.concealed():
            raise PortError(
                "Microsoft hides names in usage reports. An admin can show them: Settings › Org settings › Reports.",
                permanent=True,
            )
        lines, covers = await self._whole(COUNTED_BY[workload])
        rows = (
            UsageRow(
                who=line.upn,
                application=application,
                # A day of use may have been used to its end.
                last_used_at=datetime.combine(line.last_used[workload] + timedelta(days=1), time.min, tzinfo=UTC),
                unused_days=None,
                device=None,
                observed_at=covers,
            )
            for line in lines
            if workload in line.counted and workload in line.last_used
        )
        while some := list(islice(rows, BATCH)):
            yield UsageBatch(rows=some)

    async def _whole(self, report: Report) -> tuple[Sequence[ReportLine], datetime]:
        """Return all lines and the end of the last day that they cover: a report counts whole or not at all."""
        lines: list[ReportLine] = []
        async for piece in self._reports.read(report):
            if isinstance(piece, ReportEnd):
                return lines, datetime.combine(piece.refreshed_on + timedelta(days=1), time.min, tzinfo=UTC)
            lines += piece
        raise PortError("Microsoft's usage report broke off. It is read again later.")
