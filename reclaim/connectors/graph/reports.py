"""Microsoft's usage reports as CSV, read line by line: Graph answers with an address, which needs no token and gets none.

A report is whole or it is an error; what is misread here could be taken for no use. Sources: Microsoft Graph docs,
api/reportroot-getoffice365activeuserdetail, reportroot-getm365appuserdetail, reportroot-getoffice365activationsuserdetail
and adminreportsettings-get.
"""

import asyncio
import codecs
import csv
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from http import HTTPStatus

import httpx
import structlog

from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.fields import Record
from reclaim.domain.workloads import Report, ReportLine, Workload
from reclaim.errors import ConcealedNames, DirectoryError
from reclaim.ports.checks import Permission
from reclaim.ports.directory import Request
from reclaim.ports.usage_reports import ReportEnd

# Lines that are handed on together, and the longest that one may be.
PIECE = 500
LONGEST_LINE = 64 * 1024
_WHOLE_REPORT_S = 3600.0

_SETTINGS = "/admin/reportSettings"
_ADDRESSES: Mapping[Report, str] = {
    Report.ACTIVE_USERS: "/reports/getOffice365ActiveUserDetail(period='D180')",
    Report.APPS: "/reports/getM365AppUserDetail(period='D180')?$format=text/csv",
    Report.ACTIVATIONS: "/reports/getOffice365ActivationsUserDetail()",
}
_UPN, _REFRESHED, _DELETED = "User Principal Name", "Report Refresh Date", "Is Deleted"
_SERVICES: Mapping[Workload, str] = {
    Workload.EXCHANGE: "Exchange",
    Workload.ONEDRIVE: "OneDrive",
    Workload.SHAREPOINT: "SharePoint",
    Workload.SKYPE: "Skype For Business",
    Workload.VIVA_ENGAGE: "Yammer",
    Workload.TEAMS: "Teams",
}
_PRODUCTS: Mapping[str, Workload] = {"VISIO": Workload.VISIO, "PROJECT": Workload.PROJECT}
_COLUMNS: Mapping[Report, tuple[str, ...]] = {
    Report.ACTIVE_USERS: (
        _DELETED,
        *(f"Has {name} License" for name in _SERVICES.values()),
        *(f"{name} Last Activity Date" for name in _SERVICES.values()),
        *(f"{name} License Assign Date" for name in _SERVICES.values()),
    ),
    Report.APPS: ("Last Activation Date", "Last Activity Date"),
    Report.ACTIVATIONS: ("Product Type", "Last Activated Date"),
}

_log = structlog.get_logger(__name__)


class GraphReports:
    """Implements `UsageReports`.

    Args:
        client: Asks as the application that reads.
        offered: Whether this cloud has the reports. The clouds of the US Government and of China lack them in v1.0.
    """

    def __init__(self, client: GraphClient, *, offered: bool) -> None:
        self._client = client
        self._offered = offered

    @property
    def offered(self) -> bool:
        return self._offered

    async def concealed(self) -> bool | None:
        try:
            answer = await self._client.get(_SETTINGS, needs=Permission.READ_REPORT_SETTINGS)
        except DirectoryError as error:
            if error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                return None
            raise
        return Record(answer.document(), "report settings").flag("displayConcealedNames")

    async def read(self, report: Report) -> AsyncIterator[Sequence[ReportLine] | ReportEnd]:
        found = await self._client.location(_ADDRESSES[report], needs=Permission.READ_REPORTS)
        table = _Table(report)
        rows, digest = 0, hashlib.sha256()
        piece: list[ReportLine] = []
        try:
            async with asyncio.timeout(_WHOLE_REPORT_S), self._client.elsewhere(found.url) as response:
                if response.status_code != HTTPStatus.OK:
                    raise _not_whole(report, f"its address answered {response.status_code}")
                async for record in _records(response, digest.update, report):
                    line = table.read(record)
                    rows += 1
                    if line is not None:
                        piece.append(line)
                    if len(piece) == PIECE:
                        yield piece
                        piece = []
        except (httpx.RequestError, TimeoutError) as error:
            _log.warning("a usage report broke off", report=report.value, error=type(error).__name__)
            raise _not_whole(report, "the connection broke off") from error
        if piece:
            yield piece
        yield ReportEnd(
            refreshed_on=table.refreshed_on(),
            request=Request(
                url=found.asked,
                request_id=found.request_id,
                rows=max(0, rows - 1),
                sha256=digest.hexdigest(),
                at=found.at,
            ),
        )


class _Table:
    """Makes lines of a report's records; the first one names the columns."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._columns: Mapping[str, int] | None = None
        self._width = 0
        self._refreshed: date | None = None

    def refreshed_on(self) -> date:
        """Return the oldest refresh date of all rows.

        Raises:
            DirectoryError: There was no row.
        """
        if self._refreshed is None:
            raise _not_whole(self._report, "it has no rows")
        return self._refreshed

    def read(self, record: Sequence[str]) -> ReportLine | None:
        """Return the line of a person; None for the columns' names, and for what is about nobody who is there.

        Raises:
            DirectoryError: It is not understood.
            ConcealedNames: It names nobody.
        """
        if self._columns is None:
            self._columns = self._checked(record)
            return None
        if len(record) != self._width:
            raise _not_whole(self._report, "a row has not as many cells as there are columns")
        row = {name: record[place].strip() for name, place in self._columns.items()}
        refreshed = self._day(row, _REFRESHED)
        if refreshed is None:
            raise _not_whole(self._report, f"“{_REFRESHED}” is empty")
        self._refreshed = min(self._refreshed or refreshed, refreshed)
        if row.get(_DELETED, "").casefold() == "true" or not row[_UPN]:
            return None
        if "@" not in row[_UPN]:
            raise ConcealedNames("Microsoft hides names in usage reports.", permanent=True)
        match self._report:
            case Report.ACTIVE_USERS:
                return self._active(row)
            case Report.APPS:
                return self._apps(row)
            case Report.ACTIVATIONS:
                return self._activation(row)

    def _checked(self, names: Sequence[str]) -> Mapping[str, int]:
        places = {name.strip(): place for place, name in enumerate(names)}
        wanted = (_REFRESHED, _UPN, *_COLUMNS[self._report])
        missing = [name for name in wanted if name not in places]
        if missing:
            raise _not_whole(self._report, f"Microsoft has changed it: the column “{missing[0]}” is missing")
        self._width = len(names)
        return {name: places[name] for name in wanted}

    def _active(self, row: Mapping[str, str]) -> ReportLine:
        used = {one: self._day(row, f"{name} Last Activity Date") for one, name in _SERVICES.items()}
        given = [self._day(row, f"{name} License Assign Date") for name in _SERVICES.values()]
        return ReportLine(
            upn=row[_UPN],
            counted=frozenset(one for one, name in _SERVICES.items() if self._flag(row, f"Has {name} License")),
            last_used={one: day for one, day in used.items() if day is not None},
            licensed_on=max((day for day in given if day is not None), default=None),
        )

    def _apps(self, row: Mapping[str, str]) -> ReportLine:
        days = [self._day(row, name) for name in _COLUMNS[Report.APPS]]
        last = max((day for day in days if day is not None), default=None)
        return ReportLine(
            upn=row[_UPN],
            counted=frozenset({Workload.APPS}),
            last_used={} if last is None else {Workload.APPS: last},
        )

    def _activation(self, row: Mapping[str, str]) -> ReportLine | None:
        product = row["Product Type"].upper()
        workload = next((one for word, one in _PRODUCTS.items() if word in product), None)
        if workload is None:
            return None
        day = self._day(row, "Last Activated Date")
        return ReportLine(
            upn=row[_UPN], counted=frozenset({workload}), last_used={} if day is None else {workload: day}
        )

    def _day(self, row: Mapping[str, str], name: str) -> date | None:
        if not row[name]:
            return None
        try:
            return date.fromisoformat(row[name])
        except ValueError as error:
            raise _not_whole(self._report, f"“{name}” is no date") from error

    def _flag(self, row: Mapping[str, str], name: str) -> bool:
        match row[name].casefold():
            case "true":
                return True
            case "false" | "":
                return False
            case _:
                raise _not_whole(self._report, f"“{name}” is neither True nor False")


async def _records(
    response: httpx.Response, seen: Callable[[bytes], object], report: Report
) -> AsyncIterator[Sequence[str]]:
    """Give the records of a CSV file as they arrive. A quoted cell may hold line breaks, so that a record may span lines.

    Raises:
        DirectoryError: It is no CSV in UTF-8, or a record never ends.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest = ""
    try:
        async for piece in response.aiter_bytes():
            seen(piece)
            *lines, rest = (rest + decoder.decode(piece)).split("\n")
            begun = ""
            for line in lines:
                begun += line + "\n"
                if begun.count('"') % 2 == 0:
                    if begun.strip():
                        yield _cells(begun)
                    begun = ""
            rest = begun + rest
            if len(rest) > LONGEST_LINE:
                raise _not_whole(report, "a row never ends")
        rest += decoder.decode(b"", final=True)
        if rest.strip():
            yield _cells(rest)
    except (UnicodeDecodeError, csv.Error) as error:
        raise _not_whole(report, "it is no CSV") from error


def _cells(record: str) -> Sequence[str]:
    (cells,) = csv.reader(io.StringIO(record.rstrip("\r\n"), newline=""), strict=True)
    return cells


def _not_whole(report: Report, why: str) -> DirectoryError:
    return DirectoryError(
        f"The usage report {report.value.replace('_', ' ')} could not be read: {why}. Nothing was concluded from it."
    )
