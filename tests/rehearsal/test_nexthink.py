"""The practice Nexthink is as strict as the real one."""

import httpx
import pytest

from rehearsal import PracticeTenant


@pytest.fixture
async def bearer(tenant: PracticeTenant, anonymous: httpx.AsyncClient) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "scope": "service:integration"}
    answer = await anonymous.post(
        tenant.nexthink_login_url, data=form, auth=(tenant.nexthink_client_id, tenant.nexthink_client_secret)
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_the_store_takes_the_link_alone_and_refuses_a_token(
    tenant: PracticeTenant, anonymous: httpx.AsyncClient, control: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    await control.post("/nexthink", json={"polls": 0})
    asked = {"queryId": tenant.nexthink_query, "parameters": {"application": "SPE_E5"}, "compression": "NONE"}
    api = f"{tenant.nexthink_url}/api/v1/nql"
    export = (await anonymous.post(f"{api}/export", json=asked, headers=bearer)).json()["exportId"]
    link = (await anonymous.get(f"{api}/status/{export}", headers=bearer)).json()["resultsFileUrl"]

    assert (await anonymous.get(link, headers=bearer)).status_code == 400
    answer = await anonymous.get(link)

    assert answer.status_code == 200
    assert answer.text.startswith("user.upn,last_usage,device.name\r\n")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Authorization": "Bearer guess"}, {}, 401),
        ({"Accept": "text/html"}, {}, 406),
        ({}, {"queryId": "#other"}, 404),
        ({}, {"parameters": {}}, 400),
    ],
)
async def test_a_query_is_refused_as_nexthink_refuses_it(
    tenant: PracticeTenant,
    anonymous: httpx.AsyncClient,
    bearer: dict[str, str],
    headers: dict[str, str],
    body: dict[str, object],
    status: int,
) -> None:
    asked = {"queryId": tenant.nexthink_query, "parameters": {"application": "SPE_E5"}, **body}

    answer = await anonymous.post(
        f"{tenant.nexthink_url}/api/v2/nql/execute", json=asked, headers={**bearer, **headers}
    )

    assert answer.status_code == status


@pytest.mark.parametrize(("secret", "scope"), [("guess", "service:integration"), (None, "openid")])
async def test_the_login_refuses_wrong_credentials_and_scopes(
    tenant: PracticeTenant, anonymous: httpx.AsyncClient, secret: str | None, scope: str
) -> None:
    answer = await anonymous.post(
        tenant.nexthink_login_url,
        data={"grant_type": "client_credentials", "scope": scope},
        auth=(tenant.nexthink_client_id, secret or tenant.nexthink_client_secret),
    )

    assert answer.status_code in {400, 401}


async def test_it_knows_the_applications_of_groups_as_the_generator_does(
    tenant: PracticeTenant, anonymous: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    asked = {"queryId": tenant.nexthink_query, "parameters": {"application": "acrobat pro"}}

    answer = await anonymous.post(f"{tenant.nexthink_url}/api/v2/nql/execute", json=asked, headers=bearer)

    rows = {(row["user.upn"].partition("@")[0], row["device.name"]) for row in answer.json()["data"]}
    assert rows == {("NestorW", "DESK-0180"), ("PradeepG", "LAP-2252"), ("BenW", "LAP-2260")}
