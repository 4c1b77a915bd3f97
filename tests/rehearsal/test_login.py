"""The token service, met as the product meets it: with msal over TLS."""

import asyncio
import stat

import httpx
import msal
import pytest
import requests

from rehearsal import PracticeTenant
from rehearsal.applications import Application
from rehearsal.login import TokenDesk, TokenState


async def test_msal_obtains_a_token_that_graph_accepts(tenant: PracticeTenant, anonymous: httpx.AsyncClient) -> None:
    def acquire() -> dict[str, str]:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(tenant.ca_file)
            application = msal.ConfidentialClientApplication(
                tenant.client_id,
                authority=f"{tenant.login_url}/{tenant.tenant_id}",
                client_credential=tenant.client_secret,
                instance_discovery=False,
                http_client=session,
            )
            result: dict[str, str] = application.acquire_token_for_client([f"{tenant.login_url}/.default"])
            return result

    result = await asyncio.to_thread(acquire)

    headers = {"Authorization": f"Bearer {result['access_token']}"}
    answer = await anonymous.get(f"{tenant.graph_url}/users?$top=1", headers=headers)
    assert answer.status_code == 200


async def test_a_client_that_does_not_know_the_authority_refuses_the_certificate(tenant: PracticeTenant) -> None:
    async with httpx.AsyncClient() as stranger:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get(tenant.login_url)


async def test_the_folder_receives_the_certificate_and_no_key(tenant: PracticeTenant) -> None:
    files = list(tenant.ca_file.parent.iterdir())

    assert [file.name for file in files] == ["ca.pem"]
    assert "PRIVATE" not in files[0].read_text()
    assert stat.S_ISREG(files[0].stat().st_mode)


@pytest.mark.parametrize(
    ("change", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, 400, "unauthorized_client", 700016),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_scope", 70011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
async def test_a_faulty_token_request_is_refused_in_the_form_of_entra(
    tenant: PracticeTenant,
    anonymous: httpx.AsyncClient,
    change: dict[str, str],
    status: int,
    error: str,
    number: int,
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "scope": f"{tenant.login_url}/.default",
    } | change

    answer = await anonymous.post(f"/{tenant.tenant_id}/oauth2/v2.0/token", data=form)

    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (status, error, [number])
    assert answer.json()["error_description"].startswith(f"AADSTS{number}: ")


async def test_another_tenant_is_unknown_here(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/common/v2.0/.well-known/openid-configuration")

    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


@pytest.mark.parametrize(
    ("header", "message"),
    [("", "Access token is empty."), ("Bearer nonsense", "Access token validation failure. Invalid token.")],
)
async def test_graph_refuses_a_missing_or_unknown_token(
    tenant: PracticeTenant, anonymous: httpx.AsyncClient, header: str, message: str
) -> None:
    answer = await anonymous.get(f"{tenant.graph_url}/users", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert answer.json()["error"]["message"] == message


async def test_graph_refuses_an_expired_token(graph: httpx.AsyncClient, control: httpx.AsyncClient) -> None:
    await control.post("/tokens/expire")

    answer = await graph.get("/users")

    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "Lifetime validation failed, the token is expired."


def test_a_token_lives_for_3600_real_seconds() -> None:
    real_time = [1000.0]
    desk = TokenDesk(lambda: real_time[0])
    token = desk.issue(Application("main", "id", "secret", frozenset()))

    real_time[0] = 4599.9
    shortly_before = desk.check(token)
    real_time[0] = 4600.0

    assert (shortly_before, desk.check(token)) == (TokenState.LIVING, TokenState.EXPIRED)
