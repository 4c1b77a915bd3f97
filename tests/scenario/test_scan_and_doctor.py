"""`reclaim scan` and `reclaim doctor` as somebody types them, against a practice tenant over TLS."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal import PracticeTenant
from tests.scenario.test_command_line import CommandLine

NOW = datetime.now(UTC)  # noqa: TID251 - the command runs on the machine's clock
THREE = ["User.Read.All", "AuditLog.Read.All", "LicenseAssignment.Read.All"]


@dataclass
class Shell:
    tenant: PracticeTenant
    line: CommandLine
    temporary: Path

    async def reclaim(self, *words: str, **more: str) -> tuple[int, str, str]:
        tenant = self.tenant
        given = {
            "RECLAIM_TENANT_ID": tenant.tenant_id,
            "RECLAIM_CLIENT_ID": tenant.client_id,
            "RECLAIM_CLIENT_SECRET": tenant.client_secret,
            "RECLAIM_LOGIN_URL": tenant.login_url,
            "RECLAIM_GRAPH_URL": tenant.graph_url,
            "RECLAIM_CA_FILE": str(tenant.ca_file),
            "TMPDIR": str(self.temporary),
            "COLUMNS": "120",
            **more,
        }
        return await asyncio.to_thread(self.line.run, *words, **given)

    async def control(self, method: str, path: str, body: object = None) -> Any:
        trust = ssl.create_default_context(cafile=str(self.tenant.ca_file))
        headers = {"X-Control-Key": self.tenant.control_key}
        async with httpx.AsyncClient(verify=trust, headers=headers, trust_env=False) as client:
            answer = await client.request(method, f"{self.tenant.control_url}{path}", json=body)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    for folder in ("home", "tmp"):
        (tmp_path / folder).mkdir()
    tenant = await PracticeTenant.start(people=120, seed=7, now=NOW, directory=tmp_path)
    yield Shell(tenant, CommandLine(tmp_path / "home"), tmp_path / "tmp")
    await tenant.stop()


def words_of(report: Path) -> str:
    body = report.read_text(encoding="utf-8").partition("<body>")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


async def test_a_scan_reads_with_three_permissions_writes_a_report_and_leaves_no_data(shell: Shell) -> None:
    await shell.control("POST", "/permissions", {"granted": THREE})

    code, out, err = await shell.reclaim("scan", "--html", "report.html")

    assert (code, err) == (0, "")
    idle, held = re.match(r"(\d+) idle seats of (\d+): ", out).groups()  # type: ignore[union-attr]
    assert "No person is named in it." in out
    report = words_of(shell.line.directory / "report.html")
    assert f"{idle} seats of {held} are idle." in report
    seats = re.search(r"120 people, (\d+) seats\.", report)
    assert seats is not None
    assert f"Every seat {seats.group(1)}" in report
    # Nothing is left but the report, and Graph was only read.
    assert [one.name for one in shell.line.directory.iterdir()] == ["report.html"]
    assert list(shell.temporary.iterdir()) == []
    calls = [one for one in await shell.control("GET", "/calls") if "/v1.0/" in one["path"]]
    assert {one["method"] for one in calls} == {"GET"}
    assert not any("/groups" in one["path"] for one in calls)


async def test_a_scan_names_people_only_when_told_to(shell: Shell) -> None:
    people = [person["name"] for person in await shell.control("GET", "/personas")]
    prices = (await shell.control("GET", "/setup"))["prices_csv"]
    (shell.line.directory / "prices.csv").write_text(prices, encoding="utf-8")

    await shell.reclaim("scan", "--html", "without.html", "--prices", "prices.csv")
    code, out, _ = await shell.reclaim("scan", "--html", "with.html", "--prices", "prices.csv", "--names")

    without, named = (words_of(shell.line.directory / f"{name}.html") for name in ("without", "with"))
    assert code == 0
    assert "think before you forward it" in out
    assert not any(person in without for person in people)
    assert "Every idle seat" in named
    idle = int(re.match(r"(\d+) idle", out).group(1))  # type: ignore[union-attr]
    html = (shell.line.directory / "with.html").read_text(encoding="utf-8")
    assert html.partition('id="population"')[2].count("<tr>") == idle + 1
    assert " a year" in without
    assert re.search(r"Renewals .* before that day\.", without)


async def test_a_scan_without_the_permission_to_read_people_says_so_and_writes_nothing(shell: Shell) -> None:
    await shell.control("POST", "/permissions", {"granted": ["LicenseAssignment.Read.All"]})

    code, out, err = await shell.reclaim("scan", "--html", "report.html")

    assert (code, out) == (1, "")
    assert "User.Read.All is missing" in err
    assert list(shell.line.directory.iterdir()) == []
    assert list(shell.temporary.iterdir()) == []


async def test_a_scan_of_a_tenant_without_sign_in_data_tells_disabled_accounts_only(shell: Shell) -> None:
    await shell.control("POST", "/premium", {"premium": False})

    code, _, _ = await shell.reclaim("scan", "--html", "report.html")

    assert code == 0
    assert "it needs Entra ID P1. Only disabled accounts were judged." in words_of(shell.line.directory / "report.html")


async def test_the_doctor_tells_what_is_missing_and_how_to_grant_it(shell: Shell) -> None:
    await shell.reclaim("db", "upgrade")
    await shell.reclaim("sync")
    program = ("--group", "App Miro users", "--name", "Miro", "--application", "Miro", "--source", "intune")
    assert (await shell.reclaim("consent", "new", *program))[0] == 0
    await shell.control(
        "POST", "/permissions", {"granted": [*THREE, "Group.Read.All", "RoleManagement.Read.Directory"]}
    )
    nexthink = {
        "RECLAIM_NEXTHINK_URL": shell.tenant.nexthink_url,
        "RECLAIM_NEXTHINK_LOGIN_URL": shell.tenant.nexthink_login_url,
        "RECLAIM_NEXTHINK_CLIENT_ID": shell.tenant.nexthink_client_id,
        "RECLAIM_NEXTHINK_CLIENT_SECRET": shell.tenant.nexthink_client_secret,
        "RECLAIM_NEXTHINK_QUERY": shell.tenant.nexthink_query,
    }

    code, out, err = await shell.reclaim("doctor", RECLAIM_WRITES="live", **nexthink)

    assert (code, err) == (1, "")
    said = " ".join(out.replace("▌", " ").split())
    assert "LicenseAssignment.ReadWrite.All is missing. Removals of direct seats would fail." in said
    link = f"{shell.tenant.login_url}/{shell.tenant.tenant_id}/adminconsent?client_id={shell.tenant.client_id}"
    assert link in said.replace(" ", "")
    assert "DeviceManagementManagedDevices.Read.All is missing. Consent programs that go by Intune do not run" in said
    assert "Nexthink · Works" in said
    assert "No chat service is connected, so nobody can be asked." in said
    assert "Reading people (User.Read.All) · Works" in said
    assert "Age of the data" in said


async def test_the_doctor_tells_a_wrong_secret_by_the_setting_to_mend(shell: Shell) -> None:
    await shell.reclaim("db", "upgrade")

    code, out, _ = await shell.reclaim("doctor", RECLAIM_CLIENT_SECRET="wrong")

    assert code == 1
    said = " ".join(out.replace("▌", " ").split())
    assert "AADSTS7000215" in said
    assert "Set RECLAIM_CLIENT_SECRET to the secret's Value" in said
