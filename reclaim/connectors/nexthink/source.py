"""The use of an application as a Nexthink query tells it: a row for each person and device."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final

import structlog

from reclaim.connectors.nexthink.client import ExportState, LinkExpired, NexthinkClient
from reclaim.connectors.nexthink.results import records
from reclaim.connectors.usage_cells import APPLICATION, NOBODY, OBSERVED, UNUSED, WHO, BadCell, RowJudge, usage_row
from reclaim.domain.lookup import folded
from reclaim.domain.usage import UsageRow
from reclaim.errors import PortError
from reclaim.ports.system import Clock
from reclaim.ports.usage import BATCH, UsageBatch

# How many rows Nexthink gives at most to a query that is executed rather than exported (observed, not documented).
CUT_AT: Final = 1_000
POLLS_S: Final = 15 * 60.0  # seconds in which an export has to be ready
FIRST_POLL_S, LONGEST_POLL_S = 2.0, 30.0
PARAMETER: Final = "application"
CHECKED: Final = "(checkup)"  # an application that nobody has

_log = structlog.get_logger(__name__)


class NexthinkUsage:
    """Implements `ports.usage.UsageSource`.

    Args:
        client: Closed by who made it.
        clock: Waits between questions after an export; dates rows whose query does not.
        query_id: As Nexthink shows it, with its #. It gets the application as its parameter `application`.
        columns: Our column → the query's.
        small: Execute the query rather than export it, for as long as nothing is cut.
        compression: Of the export: GZIP or NONE.
    """

    def __init__(
        self,
        client: NexthinkClient,
        *,
        clock: Clock,
        query_id: str,
        columns: Mapping[str, str],
        small: bool = False,
        compression: str = "GZIP",
    ) -> None:
        self._client = client
        self._clock = clock
        self._query_id = query_id
        self._columns = {name: column.lower() for name, column in columns.items()}
        self._small = small
        self._compression = compression

    async def read(self, application: str) -> AsyncIterator[UsageBatch]:
        """See `UsageSource`. Everything that can be wrong is a PortError."""
        # From before the query: what happens while it runs was not seen.
        rows = _Rows(self._columns, query_id=self._query_id, application=application, now=self._clock.now())
        if self._small:
            found = await self._client.execute(self._query_id, {PARAMETER: application})
            if len(found) < CUT_AT:
                for start in range(0, len(found), BATCH):
                    yield UsageBatch(rows=rows.of_objects(found[start : start + BATCH]))
                return
            _log.info("nexthink query is too large to execute and is exported", rows=len(found))
        async with aclosing(self._exported(application)) as some:
            async for part in some:
                ready = rows.of_records(part)
                for start in range(0, len(ready), BATCH):
                    yield UsageBatch(rows=ready[start : start + BATCH])
        if not rows.headed:
            raise PortError(f"The results of the Nexthink query {self._query_id} are empty: not even a header.")

    async def check(self) -> None:
        """See `SourceCheck`: runs the query for an application that nobody has, which shows login, permission and query."""
        await self._client.execute(self._query_id, {PARAMETER: CHECKED})

    async def _exported(self, application: str) -> AsyncGenerator[list[Sequence[str]]]:
        """Yield the records of an export. An expired link is asked for again, then the export is made once more."""
        for _ in range(2):
            export_id = await self._client.begin_export(
                self._query_id, {PARAMETER: application}, compression=self._compression
            )
            for _ in range(2):
                link = await self._ready(export_id)
                try:
                    async with self._client.download(link) as stored, aclosing(records(stored)) as some:
                        async for part in some:
                            yield part
                        return
                except LinkExpired:
                    _log.info("the link to a nexthink export has expired")
        raise PortError("The results of the Nexthink export cannot be fetched: each link that it gives has expired.")

    async def _ready(self, export_id: str) -> str:
        """Wait for an export and return the link to its results."""
        waited_s, wait_s = 0.0, FIRST_POLL_S
        while True:
            status = await self._client.export_status(export_id)
            if status.state is ExportState.COMPLETED and status.results_url is not None:
                return status.results_url
            if status.state is ExportState.ERROR:
                raise PortError(
                    f"Nexthink could not run the query {self._query_id}: {status.error or 'it gives no reason'}.",
                    permanent=True,
                )
            if waited_s >= POLLS_S:
                raise PortError(f"The export of the Nexthink query {self._query_id} is not ready after 15 minutes.")
            await self._clock.sleep(wait_s)
            waited_s += wait_s
            wait_s = min(LONGEST_POLL_S, wait_s * 1.5)


class _Rows:
    """Makes rows of records; the first record is the header."""

    def __init__(self, columns: Mapping[str, str], *, query_id: str, application: str, now: datetime) -> None:
        self._columns = columns
        self._query_id = query_id
        self._application = application
        self._now = now
        self._judge = RowJudge(now=now, application=application, observed_at=None if OBSERVED in columns else now)
        self._places: Mapping[str, int] | None = None
        self._width = 0
        self._number = 0

    @property
    def headed(self) -> bool:
        """There was a header."""
        return self._places is not None

    def of_records(self, some: Sequence[Sequence[str]]) -> list[UsageRow]:
        """Return the rows of records as a CSV file has them."""
        if self._places is None:
            self._places = self._header(some[0])
            self._width = len(some[0])
            some = some[1:]
        rows: list[UsageRow] = []
        for record in some:
            if len(record) != self._width:
                self._number += 1
                raise self._bad(f"it has {len(record)} cells, the header has {self._width}")
            self._add(rows, {name: record[place] for name, place in self._places.items()})
        return rows

    def of_objects(self, some: Sequence[Mapping[str, object]]) -> list[UsageRow]:
        """Return the rows of JSON objects."""
        rows: list[UsageRow] = []
        for one in some:
            lower = {str(key).lower(): value for key, value in one.items()}
            places = self._header(list(lower))
            cells = list(lower.values())
            self._add(rows, {name: _text(cells[place]) for name, place in places.items()})
        return rows

    def _header(self, names: Sequence[str]) -> Mapping[str, int]:
        there = [name.strip().lower() for name in names]
        for column in self._columns.values():
            if there.count(column) != 1:
                has = "has twice" if column in there else "lacks"
                raise PortError(
                    f"The Nexthink query {self._query_id} {has} the column {column}. It gives: {', '.join(there)[:200]}."
                    " Mend the query or RECLAIM_NEXTHINK_COLUMNS.",
                    permanent=True,
                )
        return {name: there.index(column) for name, column in self._columns.items()}

    def _add(self, rows: list[UsageRow], cells: Mapping[str, str]) -> None:
        self._number += 1
        if APPLICATION in cells and folded(cells[APPLICATION]) != folded(self._application):
            return
        # A device that nobody is known to use tells of nobody, whatever else stands in its row: counted, and no more.
        nobody = {WHO: NOBODY, UNUSED: "0", OBSERVED: self._now.isoformat()}
        try:
            row = usage_row(cells if cells[WHO].strip() else nobody, self._judge)
        except BadCell as bad:
            raise self._bad(f"the column {self._columns.get(bad.column, bad.column)} {bad.problem}") from None
        rows.append(row)

    def _bad(self, problem: str) -> PortError:
        return PortError(
            f"Row {self._number:,} of the Nexthink query {self._query_id}: {problem}. Nothing was taken.",
            permanent=True,
        )


def _text(value: object) -> str:
    return "" if value is None else str(value)
