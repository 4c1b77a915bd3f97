"""Usage reports over TLS: whole and named, or nothing is taken from them; and the token stays with Graph."""

from datetime import date, timedelta

import httpx
import pytest

from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.reports import PIECE, GraphReports
from reclaim.domain.directory import MailboxPurpose
from reclaim.domain.workloads import Report, ReportLine, Workload
from reclaim.errors import ConcealedNames, DirectoryError
from reclaim.ports.checks import Permission
from reclaim.ports.usage_reports import ReportEnd
from tests.contract.graph.practice import START, Stage, held_by
from tests.contract.graph.support import ADELE, GRAPH, CountedTokens, HandedOut, ScriptedGraph, StillClock, error

BEHIND = 2  # days, of the practice tenant's reports
REFRESHED = (START - timedelta(days=BEHIND)).date()
READING = ["User.Read.All", "Reports.Read.All", "ReportSettings.Read.All"]
ACTIVE = "getOffice365ActiveUserDetail"
HEADER = "Report Refresh Date,User Principal Name,Last Activation Date,Last Activity Date"
ELSEWHERE = "https://reports.office.example/data/download/secret"


async def read(reports: object, report: Report) -> tuple[list[ReportLine], ReportEnd]:
    assert isinstance(reports, GraphReports)
    lines: list[ReportLine] = []
    async for piece in reports.read(report):
        if isinstance(piece, ReportEnd):
            return lines, piece
        lines += piece
    raise AssertionError("the report has no end")


async def refused(stage: Stage, report: Report = Report.ACTIVE_USERS) -> DirectoryError:
    with pytest.raises(DirectoryError) as raised:
        await read(stage.graph.reports, report)
    return raised.value


async def test_the_practice_tenant_tells_who_used_what_and_gets_no_token_at_the_address_it_gives(stage: Stage) -> None:
    # It answers 400 there to whoever sends one.
    lines, end = await read(stage.graph.reports, Report.ACTIVE_USERS)

    by_upn = {line.upn: line for line in lines}
    allan, grady = by_upn["AllanD@contoso.example"], by_upn["GradyA@contoso.example"]
    services = {one for one in Workload if one not in (Workload.APPS, Workload.VISIO, Workload.PROJECT)}
    assert end.refreshed_on == REFRESHED
    assert allan.counted == grady.counted == services
    assert allan.last_used[Workload.TEAMS] >= REFRESHED - timedelta(days=7)
    assert grady.last_used[Workload.TEAMS] == (START - timedelta(days=141)).date()
    assert grady.licensed_on is not None
    adele = by_upn["AdeleV@contoso.example"]  # holds Visio alone
    assert adele.counted == {Workload.ONEDRIVE}
    assert end.request.url.startswith(stage.tenant.graph_url)
    assert end.request.rows == len(lines) > 200


async def test_apps_and_activations_are_read_for_what_they_count(stage: Stage) -> None:
    apps, _ = await read(stage.graph.reports, Report.APPS)
    activated, end = await read(stage.graph.reports, Report.ACTIVATIONS)

    assert all(line.counted == {Workload.APPS} for line in apps)
    assert {one for line in activated for one in line.counted} == {Workload.VISIO, Workload.PROJECT}
    assert end.refreshed_on == REFRESHED


async def test_trap_26_hidden_names_are_told_by_the_settings_and_by_the_rows_themselves(stage: Stage) -> None:
    assert await stage.graph.reports.concealed() is False
    await stage.control("POST", "/usage-reports", {"concealed": True})

    assert await stage.graph.reports.concealed() is True
    with pytest.raises(ConcealedNames):
        await read(stage.graph.reports, Report.APPS)


async def test_a_tenant_that_does_not_let_its_settings_be_read_cannot_be_told_apart(stage: Stage) -> None:
    await stage.control("POST", "/permissions", {"granted": READING[:2]})

    assert await stage.graph.reports.concealed() is None
    lines, _ = await read(stage.graph.reports, Report.APPS)
    assert lines


async def test_a_missing_permission_is_named(stage: Stage) -> None:
    await stage.control("POST", "/permissions", {"granted": READING[:1]})

    found = await refused(stage)

    assert (found.status, found.permanent) == (403, True)
    assert "Reports.Read.All" in found.message


async def test_half_a_report_is_an_error_and_no_end(stage: Stage) -> None:
    await stage.fail_next(kind="half_body", path="/usage-report/", times=1)

    assert "broke off" in (await refused(stage)).message


async def test_a_column_of_another_name_is_named_and_nothing_is_read_as_no_use(stage: Stage) -> None:
    renamed = {"Teams Last Activity Date": "Teams Last Used"}
    await stage.control("POST", "/usage-reports", {"renamed": renamed})

    assert "“Teams Last Activity Date” is missing" in (await refused(stage)).message
    assert await read(stage.graph.reports, Report.APPS)


async def test_throttling_is_waited_for_and_too_long_a_wait_is_an_error(stage: Stage) -> None:
    await stage.fail_next(kind="throttle", path=ACTIVE, times=1, retry_after=7)

    lines, _ = await read(stage.graph.reports, Report.ACTIVE_USERS)

    assert lines
    assert stage.clock.waits == [7.0]


# What the practice tenant does not do ------------------------------------------------------------------------------


class Far:
    """Graph that points to a file elsewhere."""

    def __init__(self, body: bytes, *, location: str = ELSEWHERE, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []
        self._body, self._location, self._status = body, location, status
        self.client = GraphClient(
            graph_url=GRAPH,
            access=HandedOut(),
            clock=StillClock(),
            tokens=CountedTokens(),
            transport=httpx.MockTransport(self._answer),
        )
        self.reports = GraphReports(self.client, offered=True)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if str(request.url).startswith(GRAPH):
            return httpx.Response(302, headers={"Location": self._location, "request-id": "r1"})
        return httpx.Response(self._status, content=self._body)


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join((header, *rows, "")).encode("utf-8-sig")


async def test_the_address_of_a_report_stays_out_of_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Far(csv_of("2026-11-21,a@contoso.example,,2026-11-02"))

    lines, end = await read(far.reports, Report.APPS)

    asked, fetched = far.requests
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert "Authorization" not in fetched.headers
    assert "secret" not in end.request.url
    assert lines[0].last_used == {Workload.APPS: date(2026, 11, 2)}


@pytest.mark.parametrize(
    "location", ["http://reports.office.example/x", "", "//evil.example", "https://u:p@reports.office.example/x"]
)
async def test_only_an_https_address_is_followed(location: str) -> None:
    far = Far(csv_of(), location=location)

    with pytest.raises(DirectoryError, match="https"):
        await read(far.reports, Report.APPS)

    assert len(far.requests) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (csv_of(), "no rows"),
        (b"", "no rows"),
        (csv_of("2026-11-21,a@contoso.example,"), "cells"),
        (csv_of("2026-11-21,a@contoso.example,,yesterday"), "no date"),
        (csv_of(",a@contoso.example,,"), "Report Refresh Date"),
        (csv_of('2026-11-21,"a@contoso.example,,'), "no CSV"),
        (csv_of("2026-11-21,a@contoso.example,,", header="Report Refresh Date,UPN,x,y"), "User Principal Name"),
        (b"\xff\xfe\x00", "no CSV"),
        (csv_of('2026-11-21,"' + "x" * 70_000), "never ends"),
    ],
)
async def test_what_is_not_understood_is_an_error_that_says_what(body: bytes, why: str) -> None:
    with pytest.raises(DirectoryError, match=why):
        await read(Far(body).reports, Report.APPS)


async def test_an_address_that_is_good_no_more_is_an_error() -> None:
    with pytest.raises(DirectoryError, match="answered 403"):
        await read(Far(b"", status=403).reports, Report.APPS)


async def test_quoted_cells_line_breaks_and_deleted_people_are_read_as_they_are_meant() -> None:
    services = ("Exchange", "OneDrive", "SharePoint", "Skype For Business", "Yammer", "Teams")
    header = ",".join(
        [
            "Report Refresh Date,User Principal Name,Display Name,Is Deleted,Deleted Date",
            *(f"Has {one} License" for one in services),
            *(f"{one} Last Activity Date" for one in services),
            *(f"{one} License Assign Date" for one in services),
            "Assigned Products,Something New",
        ]
    )
    rest = "True,False,False,False,False,False,2026-08-01,,,,,,2026-10-05,,,,,,E3,?"
    rows = [
        f'2026-11-21,a@contoso.example,"Vance, ""Adele""\r\nRetail",False,,{rest}',
        f"2026-11-20,b@contoso.example,Bo,False,,{rest}",
        f"2026-11-21,0A4FBE,Gone,True,2026-11-01,{rest}",
    ]

    lines, end = await read(Far(csv_of(*rows, header=header)).reports, Report.ACTIVE_USERS)

    assert [line.upn for line in lines] == ["a@contoso.example", "b@contoso.example"]
    assert lines[0] == ReportLine(
        upn="a@contoso.example",
        counted=frozenset({Workload.EXCHANGE}),
        last_used={Workload.EXCHANGE: date(2026, 8, 1)},
        licensed_on=date(2026, 10, 5),
    )
    assert end.refreshed_on == date(2026, 11, 20)  # the oldest


async def test_a_long_report_comes_in_pieces() -> None:
    rows = [f"2026-11-21,p{number}@contoso.example,,2026-11-02" for number in range(2 * PIECE + 1)]
    pieces = [piece async for piece in Far(csv_of(*rows)).reports.read(Report.APPS)]

    assert [len(piece) for piece in pieces if not isinstance(piece, ReportEnd)] == [PIECE, PIECE, 1]


async def test_an_unknown_error_of_the_report_service_is_tried_again(graph: ScriptedGraph) -> None:
    graph.will(*(error(429, "UnknownError") for _ in range(5)))

    with pytest.raises(DirectoryError, match="busy") as raised:
        await read(GraphReports(graph.client, offered=True), Report.APPS)

    assert not raised.value.permanent


# Kinds of mailboxes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "purpose"),
    [
        ("shared_mailbox", MailboxPurpose.SHARED),
        ("room_mailbox", MailboxPurpose.ROOM),
        ("idle_mailbox", MailboxPurpose.USER),
        ("success_only", MailboxPurpose.NONE),  # holds no mailbox
    ],
)
async def test_what_a_mailbox_is_for_is_asked_of_its_owner(stage: Stage, case: str, purpose: MailboxPurpose) -> None:
    (person, _), *_ = await held_by(stage, case)

    assert await stage.graph.directory.mailbox_purpose(person) is purpose


async def test_without_the_permission_a_mailbox_is_refused_by_its_name(stage: Stage) -> None:
    (person, _), *_ = await held_by(stage, "shared_mailbox")
    assert await stage.graph.checks.may(Permission.READ_MAILBOXES)
    await stage.control("POST", "/permissions", {"granted": READING})
    await stage.control("POST", "/tokens/expire", {})

    with pytest.raises(DirectoryError, match=r"MailboxSettings\.Read") as raised:
        await stage.graph.directory.mailbox_purpose(person)

    assert raised.value.status == 403
    assert await stage.graph.checks.may(Permission.READ_MAILBOXES) is False


async def test_a_purpose_that_we_do_not_know_is_nobodys_business(graph: ScriptedGraph) -> None:
    graph.will(httpx.Response(200, json={"value": "somethingNew"}))

    assert await graph.directory.mailbox_purpose(ADELE) is MailboxPurpose.OTHERS
