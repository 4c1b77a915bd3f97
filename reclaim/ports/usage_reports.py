"""Microsoft's usage reports: reading them, line by line, and where the lines are kept."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from reclaim.domain.ids import ProductId, RunId
from reclaim.domain.workloads import ProductUse, Report, ReportLine, ReportReading, UsageReport
from reclaim.ports.directory import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEnd:
    """That a report was read to its end, and what it is.

    Attributes:
        refreshed_on: The last day that it covers.
        request: The request for it; of the address that it was fetched from only what is no secret.
    """

    refreshed_on: date
    request: Request


class UsageReports(Protocol):
    """The reports of the tenant."""

    @property
    def offered(self) -> bool:
        """Whether this cloud has them."""
        ...

    async def concealed(self) -> bool | None:
        """Whether the tenant hides names in its reports; None if it does not tell us.

        Raises:
            DirectoryError: Graph did not answer.
        """
        ...

    def read(self, report: Report) -> AsyncIterator[Sequence[ReportLine] | ReportEnd]:
        """Give the lines of a report in pieces of a bounded size, and at last its end, without which it is not whole.

        Raises:
            DirectoryError: It cannot be had, broke off, or is not understood.
            ConcealedNames: Its names turned out to be hidden.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRules:
    """What the scan goes by where it judges by reports.

    Attributes:
        reports: Whole and fresh.
        products: Those of whose use a report says something.
    """

    reports: Mapping[Report, UsageReport]
    products: Mapping[ProductId, ProductUse]


class WorkloadUse(Protocol):
    """The lines of reports as read. A report counts once it is whole, and then in place of the one before."""

    async def begin(self, report: Report, run: RunId, at: datetime) -> int:
        """Return the id under which the lines of a new reading are kept; nothing of it counts yet."""
        ...

    async def save(self, reading: int, lines: Sequence[ReportLine]) -> None:
        """Keep lines; of several of one person the latest days count."""
        ...

    async def matched(self, reading: int) -> tuple[int, int]:
        """Return how many people of the directory have a line, by their exact user principal name in any case.

        And how many have one at all.
        """
        ...

    async def drop(self, reading: int) -> None:
        """Give a reading up that did not become whole."""
        ...

    async def finish(self, whole: UsageReport) -> None:
        """Let a reading count."""
        ...

    async def note(self, reading: ReportReading) -> None:
        """Keep how the last attempt at a report went; `whole` is not looked at.

        Of a report that hides names now, nothing that was read before is kept.
        """
        ...

    async def readings(self) -> list[ReportReading]:
        """Return the last attempt at each report, with the last whole one."""
        ...

    async def lines_of(self, upn: str, reports: Iterable[UsageReport]) -> dict[Report, ReportLine]:
        """Return what these reports say of one person."""
        ...

    async def erase_some(self, rows: int) -> bool:
        """Delete some lines of readings that count no more or broke off; return whether none is left."""
        ...
