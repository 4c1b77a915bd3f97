"""The practice tenant's usage reports and mailbox settings, as Microsoft gives them."""

import csv
import io

import httpx

ACTIVE = "/reports/getOffice365ActiveUserDetail(period='D180')"
APPS = "/reports/getM365AppUserDetail(period='D180')"


async def fetched(graph: httpx.AsyncClient, anonymous: httpx.AsyncClient, path: str) -> list[dict[str, str]]:
    answer = await graph.get(path)
    assert answer.status_code == 302
    found = await anonymous.get(answer.headers["Location"])
    assert found.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(found.content.decode("utf-8-sig"), newline="")))


async def test_a_report_lies_at_an_address_that_takes_no_token(
    graph: httpx.AsyncClient, anonymous: httpx.AsyncClient, token: str
) -> None:
    location = (await graph.get(ACTIVE)).headers["Location"]

    assert (await anonymous.get(location, headers={"Authorization": f"Bearer {token}"})).status_code == 400
    assert (await anonymous.get(location)).status_code == 200
    assert (await anonymous.get(location + "x")).status_code == 403


async def test_people_used_what_they_have_when_they_signed_in(
    graph: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    rows = {row["User Principal Name"]: row for row in await fetched(graph, anonymous, ACTIVE)}

    idle, active = rows["GradyA@contoso.example"], rows["MeganB@contoso.example"]
    assert idle["Report Refresh Date"] == "2026-11-21"
    assert idle["Teams Last Activity Date"] == "2026-07-05"
    assert active["Teams Last Activity Date"] >= "2026-11-14"
    visio_only = rows["AdeleV@contoso.example"]
    assert (visio_only["Has Exchange License"], visio_only["Exchange Last Activity Date"]) == ("False", "")


async def test_control_says_when_somebody_used_a_service_last_and_hides_names(
    graph: httpx.AsyncClient, anonymous: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    use = {"service": "Exchange", "at": "2026-07-01T00:00:00+00:00"}
    await control.post("/people/MeganB@contoso.example/use", json=use)
    rows = {row["User Principal Name"]: row for row in await fetched(graph, anonymous, ACTIVE)}
    assert rows["MeganB@contoso.example"]["Exchange Last Activity Date"] == "2026-07-01"

    await control.post("/usage-reports", json={"concealed": True})

    assert (await graph.get("/admin/reportSettings")).json()["displayConcealedNames"] is True
    assert not any("@" in row["User Principal Name"] for row in await fetched(graph, anonymous, APPS))


async def test_what_microsoft_refuses_is_refused(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    assert (await graph.get("/reports/getOffice365ActiveUserDetail(period='D9')")).status_code == 400
    assert (await graph.get("/reports/getMailboxUsageDetail(period='D7')")).status_code == 400
    await control.post("/permissions", json={"granted": ["User.Read.All"]})
    for path in (ACTIVE, "/admin/reportSettings", "/users/AdeleV@contoso.example/mailboxSettings/userPurpose"):
        assert (await graph.get(path)).status_code == 403


async def test_mailboxes_say_what_they_are_for(graph: httpx.AsyncClient) -> None:
    purposes = {
        upn: (await graph.get(f"/users/{upn}@contoso.example/mailboxSettings/userPurpose")).json().get("value")
        for upn in ("InfoD", "JungfrauR", "GradyA", "AdeleV")
    }

    assert purposes == {"InfoD": "shared", "JungfrauR": "room", "GradyA": "user", "AdeleV": None}
