"""Intune as a usage source, over TLS against the practice tenant: what shows an absence, and all that does not."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import unquote

import pytest

from reclaim.connectors.graph import intune_use
from reclaim.connectors.graph.intune_use import IntuneUse
from reclaim.domain.usage import Tells, UsageRow
from reclaim.errors import DirectoryError, InvalidRequest
from tests.contract.graph.practice import PEOPLE, START, Stage
from tests.contract.graph.support import ScriptedGraph, ok, page

ADA, BEN, CARA = "AdeleV@contoso.example", "GradyA@contoso.example", "MeganB@contoso.example"
SYNCED = START - timedelta(days=2)
MIRO = [["Miro", "0.8.1"]]


def device(user: str | None, *apps: list[str], **facts: object) -> dict[str, object]:
    """Describe a company's device that has been managed for long and synced two days ago."""
    return {
        "user": user,
        "apps": list(apps),
        "enrolled_at": (START - timedelta(days=400)).isoformat(),
        "synced_at": SYNCED.isoformat(),
        **facts,
    }


async def tell(stage: Stage, *devices: dict[str, object], **more: object) -> None:
    """Let these be all devices of the tenant, besides one of somebody else that has Miro."""
    await stage.control("POST", "/intune", {"devices": [device(CARA, *MIRO, name="OTHER"), *devices], **more})


async def read(stage: Stage, application: str = "Miro") -> list[UsageRow]:
    return [row async for batch in IntuneUse(stage.graph.client).read(application) for row in batch.rows]


async def refused(stage: Stage, application: str = "Miro") -> DirectoryError:
    with pytest.raises(DirectoryError) as raised:
        await read(stage, application)
    return raised.value


async def of(stage: Stage, user: str, application: str = "Miro") -> list[UsageRow]:
    people = {one["upn"]: one["person_id"] for one in await stage.control("GET", "/cases")}
    return [row for row in await read(stage, application) if row.who == people[user]]


def told(rows: Sequence[UsageRow]) -> set[Tells]:
    return {row.tells for row in rows}


async def test_whose_devices_all_lack_it_has_it_nowhere_as_of_a_week_before_their_sync(stage: Stage) -> None:
    earlier = SYNCED - timedelta(days=3)
    await tell(
        stage, device(ADA, name="PC-1"), device(ADA, name="MAC-1", system="macOS", synced_at=earlier.isoformat())
    )

    rows = await of(stage, ADA)

    assert [(row.device, row.last_used_at, row.observed_at) for row in rows] == [
        ("PC-1", SYNCED, SYNCED - timedelta(days=7)),
        ("MAC-1", earlier, earlier - timedelta(days=7)),
    ]
    assert told(rows) == {Tells.ABSENCE}
    assert {(row.application, row.unused_days) for row in rows} == {("Miro", None)}


async def test_an_application_that_is_there_tells_nothing_of_its_use(stage: Stage) -> None:
    await tell(stage)

    assert told(await of(stage, CARA)) == {Tells.NOTHING}


async def test_one_device_of_two_with_it_is_enough_to_know_nothing(stage: Stage) -> None:
    await tell(stage, device(ADA, name="PC-1"), device(ADA, *MIRO, name="PC-2"))

    rows = await of(stage, ADA)

    assert len(rows) == 2
    assert told(rows) == {Tells.NOTHING}


@pytest.mark.parametrize(
    "facts",
    [
        {"owner": "personal"},
        {"owner": "unknown"},
        {"system": "Android"},
        {"agent": "configurationManagerClientMdm"},
        {"enrolled_at": (SYNCED - timedelta(days=6)).isoformat()},
        {"enrolled_at": None},
        {"synced_at": None},
    ],
)
async def test_a_device_that_might_not_show_it_makes_its_person_unknown(stage: Stage, facts: dict[str, object]) -> None:
    await tell(stage, device(ADA, name="PC-1"), device(ADA, name="PC-2", **facts))

    assert told(await of(stage, ADA)) == {Tells.NOTHING}


async def test_a_device_that_syncs_no_more_is_dated_so_that_it_is_too_old(stage: Stage) -> None:
    stale = START - timedelta(days=90)
    await tell(stage, device(ADA, name="PC-1"), device(ADA, name="OLD", synced_at=stale.isoformat()))

    rows = {row.device: row for row in await of(stage, ADA)}

    assert rows["OLD"].observed_at == stale - timedelta(days=7)


async def test_a_device_without_a_user_is_nobodys(stage: Stage) -> None:
    await tell(stage, device(None, name="KIOSK"))

    (row,) = [row for row in await read(stage) if row.device == "KIOSK"]

    assert (row.who, row.tells) == ("(nobody)", Tells.NOTHING)


async def test_two_devices_of_one_name_are_told_apart(stage: Stage) -> None:
    await tell(stage, device(ADA, name="MacBook"), device(ADA, name="MacBook"))

    assert len({row.device for row in await of(stage, ADA)}) == 2


async def test_every_version_counts_and_case_does_not(stage: Stage) -> None:
    await tell(stage, device(ADA, ["MIRO", "0.9.2"]), device(BEN, ["Miro Desktop", "1.0"]))

    assert told(await of(stage, ADA)) == {Tells.NOTHING}
    assert told(await of(stage, BEN)) == {Tells.ABSENCE}


@pytest.mark.parametrize("named", ["miro*", "Miro | Miro Desktop", "Miro|miro d*"])
async def test_several_names_are_one_application_where_the_program_says_so(stage: Stage, named: str) -> None:
    await tell(stage, device(BEN, ["Miro Desktop", "1.0"]))

    assert told(await of(stage, BEN, named)) == {Tells.NOTHING}


async def test_a_name_that_intune_does_not_know_is_an_error_with_similar_ones(stage: Stage) -> None:
    await tell(stage, device(ADA, ["Miro Desktop", "1.0"]))

    error = await refused(stage, "Miro | Miro Desk")

    assert error.permanent
    assert error.message == (
        "Intune has never detected “Miro Desk”: check the name in source_application. It knows: “Miro Desktop”."
    )


@pytest.mark.parametrize("named", ["*", "Miro | ", " | "])
async def test_a_name_that_means_everything_or_nothing_is_refused(stage: Stage, named: str) -> None:
    with pytest.raises(InvalidRequest, match="as Intune has it"):
        await read(stage, named)


async def test_devices_that_are_counted_and_not_listed_are_an_error_for_now(stage: Stage) -> None:
    await tell(stage, device(ADA), lists_devices=False)

    error = await refused(stage)

    assert not error.permanent
    assert "counts 1 devices with “Miro” and lists none" in error.message


async def test_an_application_that_is_on_no_device_any_more_is_an_error(graph: ScriptedGraph) -> None:
    app = {"id": "0000abcd", "displayName": "Miro", "deviceCount": 0}
    graph.will(page(app), page())

    with pytest.raises(DirectoryError, match="on no device any more") as raised:
        await anext(aiter(IntuneUse(graph.client).read("Miro")))

    assert raised.value.permanent


async def test_a_device_that_only_the_application_lists_keeps_its_person(graph: ScriptedGraph) -> None:
    user = "87d349ed-44d7-43e1-9a83-5f2406dee5bd"
    app = {"id": "a/b", "displayName": "Miro", "deviceCount": 1}
    gone = {"id": "d-1", "userId": user, "userPrincipalName": "ada@contoso.com"}
    there = {
        "id": "d-2",
        "userId": "",
        "userPrincipalName": "Ada@contoso.com",
        "deviceName": "PC-2",
        "managedDeviceOwnerType": "company",
        "managementAgent": "mdm",
        "operatingSystem": "Windows",
        "enrolledDateTime": "2016-12-31T23:59:43.797191-08:00",
        "lastSyncDateTime": "2026-11-22T00:02:49.3205976-08:00",
    }
    graph.will(page(app), page(gone), page(there))

    (batch,) = [batch async for batch in IntuneUse(graph.client).read("Miro")]

    assert told(batch.rows) == {Tells.NOTHING}
    assert graph.asked[1].startswith("GET /deviceManagement/detectedApps/a%2Fb/managedDevices?")


async def test_a_missing_permission_is_named(stage: Stage) -> None:
    await stage.control("POST", "/permissions", {"granted": ["User.Read.All"]})

    for error in (await refused(stage), await unchecked(stage)):
        assert (error.permanent, error.status) == (True, 403)
        assert "DeviceManagementManagedDevices.Read.All is missing" in error.message


async def test_a_tenant_without_intune_is_told_so(stage: Stage) -> None:
    await stage.control("POST", "/intune", {"licensed": False})

    for error in (await refused(stage), await unchecked(stage)):
        assert error.permanent
        assert "no active Intune license" in error.message


async def unchecked(stage: Stage) -> DirectoryError:
    with pytest.raises(DirectoryError) as raised:
        await IntuneUse(stage.graph.client).check()
    return raised.value


async def test_the_checkup_asks_for_one_device(stage: Stage) -> None:
    await IntuneUse(stage.graph.client).check()

    (call,) = [call for call in await stage.control("GET", "/calls") if "/v1.0/" in call["path"]]
    assert (call["method"], call["status"]) == ("GET", 200)
    assert call["path"].endswith("/deviceManagement/managedDevices?$select=id&$top=1")


async def test_all_pages_of_a_tenant_are_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intune_use, "_DEVICES", small("_DEVICES"))
    monkeypatch.setattr(intune_use, "_APPS", small("_APPS", rows=2))
    devices = await stage.control("GET", "/intune")
    having = {one["person_id"] for one in devices if any(name == "Miro" for name, _ in one["apps"])}
    await stage.fail_next(kind="throttle", path="managedDevices", times=1, retry_after=3)

    rows = await read(stage)

    assert len(rows) == len(devices) > PEOPLE
    absent = {row.who for row in rows if row.tells is Tells.ABSENCE}
    assert 20 < len(absent) < PEOPLE
    assert not absent & having
    assert stage.clock.waits == [3.0]
    paths = [unquote(call["path"]) for call in await stage.control("GET", "/calls")]
    assert sum("/managedDevices?" in path and "skiptoken" in path for path in paths) >= 2
    assert sum("/detectedApps?" in path for path in paths) == 3


def small(name: str, rows: int = 100) -> str:
    """Return an address of the connector with fewer rows a page."""
    return str(getattr(intune_use, name)).replace(f"$top={intune_use.ROWS_PER_PAGE}", f"$top={rows}")


async def test_half_a_list_is_no_list(graph: ScriptedGraph) -> None:
    graph.will(ok({"@odata.context": "x"}))

    with pytest.raises(DirectoryError, match="“value” is missing"):
        await anext(aiter(IntuneUse(graph.client).read("Miro")))
