"""The Nexthink source against the practice instance, over TLS."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

import app
from reclaim.connectors.nexthink import NexthinkClient, NexthinkUsage
from reclaim.connectors.practice import PracticeControl
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.usage import UsageRow
from reclaim.errors import InvalidRequest, PortError
from reclaim.settings import Settings
from rehearsal import PracticeTenant

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
PEOPLE = 400
VISIO, E5 = "VISIOCLIENT", "SPE_E5"
EXPORT, STATUS, EXECUTE, STORE, LOGIN = "/nql/export", "/nql/status", "/nql/execute", "/nexthink-store", "/token$"
ALWAYS = {"csv": "Files", "m365": "Microsoft usage reports", "intune": "Intune"}
COLUMNS = {"who": "user.upn", "last_used": "last_usage", "device": "device.name"}


class Waits:
    """A clock that does not wait, and remembers."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.at = START

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@dataclass
class Stage:
    tenant: PracticeTenant
    clock: Waits
    client: NexthinkClient
    people: int = PEOPLE

    def source(self, **other: Any) -> NexthinkUsage:
        given: dict[str, Any] = {"query_id": self.tenant.nexthink_query, "columns": COLUMNS, **other}
        return NexthinkUsage(self.client, clock=self.clock, **given)

    async def read(self, application: str = VISIO, **other: Any) -> list[UsageRow]:
        return [row async for batch in self.source(**other).read(application) for row in batch.rows]

    async def refused(self, **other: Any) -> PortError:
        with pytest.raises(PortError) as raised:
            await self.read(**other)
        return raised.value

    async def control(self, method: str, path: str, body: object = None) -> Any:
        trust = ssl.create_default_context(cafile=str(self.tenant.ca_file))
        headers = {"X-Control-Key": self.tenant.control_key}
        async with httpx.AsyncClient(verify=trust, headers=headers, trust_env=False) as client:
            answer = await client.request(method, f"{self.tenant.control_url}{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def fails(self, path: str, status: int | None = None, *, kind: str = "status", **fault: object) -> None:
        await self.control("POST", "/faults", {"kind": kind, "path": path, "status": status, **fault})

    async def calls(self) -> list[str]:
        """Return what was asked for, as words."""
        words = {"/token": "login", EXPORT: "export", STATUS: "status", EXECUTE: "execute", STORE: "results"}
        called = await self.control("GET", "/calls")
        return [next(word for part, word in words.items() if part in call["path"]) for call in called]


def client_of(tenant: PracticeTenant, clock: Waits, **other: Any) -> NexthinkClient:
    given = {
        "url": tenant.nexthink_url,
        "login_url": tenant.nexthink_login_url,
        "client_id": tenant.nexthink_client_id,
        "client_secret": tenant.nexthink_client_secret,
        "ca_file": tenant.ca_file,
        **other,
    }
    return NexthinkClient(clock=clock, **given)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    tenant = await PracticeTenant.start(people=PEOPLE, seed=7, now=START, directory=tmp_path)
    clock = Waits()
    client = client_of(tenant, clock)
    yield Stage(tenant, clock, client)
    await client.aclose()
    await tenant.stop()


async def test_an_export_gives_a_row_for_each_person_and_device(stage: Stage) -> None:
    rows = await stage.read(E5)

    holders = [
        one for one in await stage.control("GET", "/cases") if any(s["sku_part_number"] == E5 for s in one["seats"])
    ]
    named = {row.who for row in rows}
    assert 0 < len(named - {"(nobody)"}) < len(holders)  # some use no device that Nexthink sees
    assert named - {"(nobody)"} <= {one["upn"] for one in holders}
    assert "(nobody)" in named  # devices of nobody are told, so that they are counted
    known = [row for row in rows if row.who != "(nobody)"]
    assert len({row.device for row in known}) == len(known) > len(named)
    assert all(row.last_used_at is not None and row.last_used_at < START for row in known)
    assert {(row.application, row.observed_at) for row in rows} == {(E5, START)}
    assert await stage.calls() == ["login", "export", "status", "status", "status", "results"]
    assert stage.clock.waits == [2.0, 3.0]


async def test_an_export_without_compression_gives_the_same(stage: Stage) -> None:
    assert await stage.read(compression="NONE") == await stage.read()


async def test_an_application_that_nexthink_does_not_know_has_no_rows(stage: Stage) -> None:
    assert await stage.read("SOLITAIRE") == []


async def test_the_token_is_kept_until_shortly_before_its_end(stage: Stage) -> None:
    await stage.read()
    stage.clock.at += timedelta(minutes=13)
    await stage.read()
    assert (await stage.calls()).count("login") == 1

    stage.clock.at += timedelta(minutes=2)
    await stage.read()
    assert (await stage.calls()).count("login") == 2


async def test_a_token_that_is_refused_is_renewed_once(stage: Stage) -> None:
    await stage.read()
    await stage.control("POST", "/tokens/expire")

    assert await stage.read()
    assert (await stage.calls()).count("login") == 2


async def test_a_token_that_is_refused_twice_is_an_error(stage: Stage) -> None:
    await stage.fails(EXPORT, 401, times=2)

    error = await stage.refused()

    assert error.permanent
    assert "same instance" in error.message
    assert await stage.calls() == ["login", "export", "login", "export"]


async def test_wrong_credentials_name_the_settings(stage: Stage) -> None:
    client = client_of(stage.tenant, stage.clock, client_secret="guess")

    with pytest.raises(PortError, match="RECLAIM_NEXTHINK_CLIENT_SECRET") as raised:
        await client.begin_export(stage.tenant.nexthink_query, {}, compression="NONE")

    assert raised.value.permanent
    assert "guess" not in raised.value.message
    await client.aclose()


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "permission NQL API"), (404, "has no query #reclaim_usage"), (406, "406"), (400, "parameter")],
)
async def test_a_refusal_says_what_to_mend(stage: Stage, status: int, said: str) -> None:
    await stage.fails(EXPORT, status)

    error = await stage.refused()

    assert error.permanent
    assert said in error.message
    assert stage.clock.waits == []


async def test_a_query_that_nobody_has_made_is_named(stage: Stage) -> None:
    error = await stage.refused(query_id="#no_such_query")

    assert error.permanent
    assert "#no_such_query" in error.message


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("path", [LOGIN, EXPORT, STATUS])
async def test_what_passes_is_tried_again(stage: Stage, path: str, status: int) -> None:
    await stage.fails(path, status, times=2)

    assert await stage.read()
    assert stage.clock.waits[:2] == [2.0, 4.0]


async def test_what_does_not_pass_is_given_up_for_now(stage: Stage) -> None:
    await stage.fails(EXPORT, 503, times=None)

    error = await stage.refused()

    assert not error.permanent
    assert await stage.calls() == ["login", *["export"] * 4]


async def test_a_short_retry_after_is_waited_for(stage: Stage) -> None:
    await stage.fails(EXPORT, kind="throttle", retry_after=7)

    assert await stage.read()
    assert stage.clock.waits[0] == 7.0


async def test_a_long_retry_after_is_handed_on(stage: Stage) -> None:
    await stage.fails(EXPORT, kind="throttle", retry_after=600)

    error = await stage.refused()

    assert (error.permanent, error.retry_after, stage.clock.waits) == (False, timedelta(seconds=600), [])


@pytest.mark.parametrize("kind", ["lost", "garbage", "wrong_type"])
async def test_an_answer_that_is_none_is_asked_for_again(stage: Stage, kind: str) -> None:
    await stage.fails(STATUS, kind=kind)

    assert await stage.read()


async def test_a_query_that_fails_in_nexthink_says_why(stage: Stage) -> None:
    await stage.control("POST", "/nexthink", {"ending": "ERROR"})

    error = await stage.refused()

    assert error.permanent
    assert error.message == "Nexthink could not run the query #reclaim_usage: The query takes too long."


async def test_an_export_that_stalls_is_given_up_after_a_quarter_of_an_hour(stage: Stage) -> None:
    await stage.control("POST", "/nexthink", {"ending": "STALLED"})

    error = await stage.refused()

    assert not error.permanent
    assert "not ready after 15 minutes" in error.message
    assert 900 <= sum(stage.clock.waits) < 930
    assert max(stage.clock.waits) == 30
    assert sorted(stage.clock.waits) == stage.clock.waits


async def test_an_expired_link_is_asked_for_again(stage: Stage) -> None:
    await stage.control("POST", "/nexthink", {"expired_links": 1, "polls": 0})

    assert await stage.read()
    assert await stage.calls() == ["login", "export", "status", "results", "status", "results"]


@pytest.mark.parametrize("status", [403, 404])
async def test_a_second_expired_link_leads_to_a_new_export(stage: Stage, status: int) -> None:
    await stage.control("POST", "/nexthink", {"polls": 0})
    await stage.fails(STORE, status, times=2)

    assert await stage.read()
    assert (await stage.calls()).count("export") == 2


async def test_links_that_always_expire_are_given_up(stage: Stage) -> None:
    await stage.control("POST", "/nexthink", {"expired_links": 9, "polls": 0})

    error = await stage.refused()

    assert not error.permanent
    assert "expired" in error.message
    assert (await stage.calls()).count("export") == 2


@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
async def test_half_a_file_is_never_taken_for_the_whole(stage: Stage, compression: str) -> None:
    await stage.fails(STORE, kind="half_body")

    error = await stage.refused(compression=compression)

    assert not error.permanent
    assert "broke off" in error.message


async def test_a_small_query_is_executed(stage: Stage) -> None:
    assert await stage.read(small=True) == await stage.read()
    assert (await stage.calls())[:2] == ["login", "execute"]


async def test_an_answer_that_may_be_cut_is_exported_instead(tmp_path: Path) -> None:
    tenant = await PracticeTenant.start(people=6_000, seed=7, now=START, directory=tmp_path)
    clock = Waits()
    stage = Stage(tenant, clock, client_of(tenant, clock))

    rows = await stage.read(E5, small=True)

    assert len(rows) > 1_000
    assert "export" in await stage.calls()
    await stage.client.aclose()
    await tenant.stop()


async def test_a_column_that_the_query_lacks_is_named_with_those_it_has(stage: Stage) -> None:
    error = await stage.refused(columns={**COLUMNS, "who": "user.name"})

    assert error.permanent
    assert "lacks the column user.name. It gives: user.upn, last_usage, device.name." in error.message


async def test_a_cell_that_cannot_be_read_is_named_without_what_stands_in_it(stage: Stage) -> None:
    error = await stage.refused(columns={"who": "user.upn", "last_used": "device.name"})

    assert error.permanent
    assert "Row 1 of" in error.message
    assert "column device.name is no date" in error.message
    assert "PC-" not in error.message


async def test_rows_of_other_applications_are_left_out_where_the_query_names_them(stage: Stage) -> None:
    columns = {"who": "user.upn", "last_used": "last_usage", "application": "device.name"}

    assert await stage.read(columns=columns) == []


async def test_neither_secrets_nor_people_are_logged(stage: Stage) -> None:
    with structlog.testing.capture_logs() as logs:
        await stage.control("POST", "/nexthink", {"expired_links": 1})
        await stage.fails(EXPORT, 503)
        await stage.read()

    text = str(logs)
    assert logs
    assert "@" not in text
    assert "Amz" not in text
    assert stage.tenant.nexthink_client_secret not in text


async def test_a_certificate_that_is_not_trusted_is_said(stage: Stage) -> None:
    client = client_of(stage.tenant, stage.clock, ca_file=None)

    with pytest.raises(PortError, match="RECLAIM_CA_FILE"):
        await client.export_status("x")

    await client.aclose()


async def test_a_file_of_certificates_that_is_none_is_said(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no")

    with pytest.raises(InvalidRequest, match="certificates"):
        client_of(stage.tenant, stage.clock, ca_file=tmp_path / "no.pem")


@pytest.mark.parametrize("link", ["http://127.0.0.1/x.csv", "https://user:pass@127.0.0.1/x.csv", "file:///etc/passwd"])
async def test_results_outside_of_plain_https_are_not_followed(stage: Stage, link: str) -> None:
    with pytest.raises(PortError, match="did not follow"):
        async with stage.client.download(link):
            raise AssertionError("it was opened")


async def test_an_installation_that_is_told_of_nexthink_asks_it(stage: Stage, tmp_path: Path) -> None:
    control = PracticeControl(
        control_url=stage.tenant.control_url, control_key=stage.tenant.control_key, ca_file=stage.tenant.ca_file
    )
    settings = await app.practice_settings(stage.tenant, control, people=PEOPLE, database=tmp_path / "reclaim.db")
    async with AsyncExitStack() as closing:
        closing.push_async_callback(control.aclose)
        tenant = app._connect(settings, clock=stage.clock, tokens=RandomTokens())
        closing.push_async_callback(tenant.aclose)
        sources = app._usage(settings, clock=stage.clock, tenant=tenant, closing=closing)
        rows = [row async for batch in sources.asked["nexthink"].read(VISIO) for row in batch.rows]

    assert sources.titles == {**ALWAYS, "nexthink": "Nexthink"}
    assert set(sources.checks) == {"intune", "nexthink"}
    assert rows == await stage.read()


async def test_an_installation_without_nexthink_does_not_know_it() -> None:
    async with AsyncExitStack() as closing:
        settings = Settings(tenant_id="72f988bf-86f1-41af-91ab-2d7cd011db47")
        tenant = app._connect(settings, clock=Waits(), tokens=RandomTokens())
        closing.push_async_callback(tenant.aclose)
        sources = app._usage(settings, clock=Waits(), tenant=tenant, closing=closing)

    assert sources.titles == ALWAYS
    assert set(sources.asked) == {"m365", "intune"}
    assert set(sources.checks) == {"intune"}


# The checkup ----------------------------------------------------------------------------------------------------------


async def test_the_checkup_runs_the_query_once_and_begins_no_export(stage: Stage) -> None:
    await stage.source().check()

    assert await stage.calls() == ["login", "execute"]


async def test_the_checkup_of_an_instance_with_other_credentials_names_the_settings(stage: Stage) -> None:
    client = client_of(stage.tenant, stage.clock, client_secret="guess")
    source = NexthinkUsage(client, clock=stage.clock, query_id=stage.tenant.nexthink_query, columns=COLUMNS)

    with pytest.raises(PortError, match="RECLAIM_NEXTHINK_CLIENT_SECRET") as raised:
        await source.check()

    assert raised.value.permanent
    await client.aclose()


@pytest.mark.parametrize(
    ("status", "said", "permanent"),
    [
        (401, "belong to the same instance", True),
        (403, "permission NQL API", True),
        (404, "Administration › NQL API queries, or mend RECLAIM_NEXTHINK_QUERY", True),
        (400, "parameter called application", True),
        (503, "busy or out of order", False),
    ],
)
async def test_the_checkup_says_what_to_mend(stage: Stage, status: int, said: str, permanent: bool) -> None:
    await stage.fails(EXECUTE, status, times=None)

    with pytest.raises(PortError, match=said) as raised:
        await stage.source().check()

    assert raised.value.permanent is permanent


async def test_the_checkup_of_an_instance_that_is_not_there_names_the_addresses(stage: Stage) -> None:
    client = client_of(stage.tenant, stage.clock, url="https://127.0.0.1:9")
    source = NexthinkUsage(client, clock=stage.clock, query_id=stage.tenant.nexthink_query, columns=COLUMNS)

    with pytest.raises(PortError, match="RECLAIM_NEXTHINK_URL") as raised:
        await source.check()

    assert not raised.value.permanent
    await client.aclose()
