"""Intune of the practice tenant, as Microsoft's pages describe it."""

import httpx

APPS, DEVICES = "/deviceManagement/detectedApps", "/deviceManagement/managedDevices"


async def all_rows(graph: httpx.AsyncClient, address: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    following: str | None = address
    while following is not None:
        answer = await graph.get(following)
        assert answer.status_code == 200
        rows += answer.json()["value"]
        following = answer.json().get("@odata.nextLink")
    return rows


async def test_applications_have_a_row_for_each_version_with_their_devices(
    graph: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    devices = (await control.get("/intune")).json()

    apps = await all_rows(graph, f"{APPS}?$top=2")

    assert sum(app["displayName"] == "Adobe Acrobat (64-bit)" for app in apps) == 3
    for app in apps:
        listed = await all_rows(graph, f"{APPS}/{app['id']}/managedDevices?$select=id&$top=50")
        having = [one["id"] for one in devices if [app["displayName"], app["version"]] in one["apps"]]
        assert [row["id"] for row in listed] == having
        assert app["deviceCount"] == len(having) > 0


async def test_devices_name_their_user_or_nobody(graph: httpx.AsyncClient) -> None:
    devices = await all_rows(graph, DEVICES)

    assert len(devices) > 300
    assert {row["managedDeviceOwnerType"] for row in devices} == {"company", "personal"}
    assert any(row["userId"] == row["userPrincipalName"] == "" for row in devices)
    assert all(str(row["lastSyncDateTime"]).endswith("Z") for row in devices)


async def test_what_microsoft_refuses_is_refused(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    assert (await graph.get(f"{APPS}/0000abcd/managedDevices")).status_code == 404
    assert (await graph.get(f"{DEVICES}?$select=shoeSize")).status_code == 400
    assert (await graph.get(f"{APPS}?$filter=displayName eq 'Miro'")).status_code == 400

    await control.post("/intune", json={"licensed": False})
    none = await graph.get(APPS)
    await control.post("/permissions", json={"granted": ["User.Read.All"]})

    assert (none.status_code, none.json()["error"]["message"]) == (400, "Request not applicable to target tenant.")
    assert (await graph.get(DEVICES)).status_code == 403


async def test_control_describes_devices(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    device = {"name": "D", "user": "MeganB@contoso.example", "owner": "personal", "apps": [["Miro", "1"]]}

    answer = await control.post("/intune", json={"devices": [device]})

    assert answer.json()["devices"] == 1
    (row,) = await all_rows(graph, DEVICES)
    assert (row["deviceName"], row["userPrincipalName"]) == ("D", "MeganB@contoso.example")
    assert row["lastSyncDateTime"] == "0001-01-01T00:00:00Z"
