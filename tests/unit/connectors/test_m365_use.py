"""Usage reports as a source of consent programs: only a day of use tells anything, and only a whole report counts."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from reclaim.connectors.graph.m365_use import M365Use
from reclaim.domain.workloads import Report, ReportLine, Workload
from reclaim.errors import InvalidRequest, PortError
from reclaim.ports.directory import Request
from reclaim.ports.usage_reports import ReportEnd

END = ReportEnd(
    refreshed_on=date(2026, 11, 20),
    request=Request(
        url="https://graph.test/reports", request_id="r", rows=3, sha256="0", at=datetime(2026, 11, 23, tzinfo=UTC)
    ),
)
LINES = [
    ReportLine(
        upn="ada@contoso.example",
        counted=frozenset({Workload.TEAMS}),
        last_used={Workload.TEAMS: date(2026, 9, 1)},
    ),
    ReportLine(upn="never@contoso.example", counted=frozenset({Workload.TEAMS}), last_used={}),
    ReportLine(
        upn="other@contoso.example",
        counted=frozenset({Workload.EXCHANGE}),
        last_used={Workload.EXCHANGE: date(2026, 11, 1)},
    ),
]


@dataclass
class Reports:
    """Reports in memory."""

    pieces: list[Sequence[ReportLine] | ReportEnd] = field(default_factory=lambda: [LINES, END])
    offered: bool = True
    hides: bool = False
    asked: list[Report] = field(default_factory=list)

    async def concealed(self) -> bool | None:
        return self.hides

    async def read(self, report: Report) -> AsyncIterator[Sequence[ReportLine] | ReportEnd]:
        self.asked.append(report)
        for piece in self.pieces:
            yield piece


async def test_a_day_of_use_is_a_row_and_whoever_has_none_is_unknown() -> None:
    reports = Reports()

    rows = [row async for batch in M365Use(reports).read("Teams") for row in batch.rows]

    assert [row.who for row in rows] == ["ada@contoso.example"]
    assert rows[0].last_used_at == datetime(2026, 9, 2, tzinfo=UTC)
    assert rows[0].observed_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert reports.asked == [Report.ACTIVE_USERS]


@pytest.mark.parametrize("application", ["Visio", "Miro"])
async def test_what_the_reports_do_not_count_is_refused(application: str) -> None:
    with pytest.raises(InvalidRequest, match="do not count"):
        await anext(aiter(M365Use(Reports()).read(application)))


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        (Reports(hides=True), "hides names"),
        (Reports(offered=False), "no usage reports"),
        (Reports(pieces=[LINES]), "broke off"),
    ],
)
async def test_trap_26_reports_that_name_nobody_or_broke_off_say_nothing(reports: Reports, said: str) -> None:
    with pytest.raises(PortError, match=said):
        await anext(aiter(M365Use(reports).read("Teams")))
