"""Tokens through the real msal against a scripted login service, which is an adapter of msal's HTTP session."""

import json
import traceback
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from reclaim.connectors.graph.token import CONNECT_S, READ_S, MsalTokens, make_session
from reclaim.errors import DirectoryError

LOGIN = "https://login.test"
TENANT = "48a80680-7326-48cd-9935-b556b81d3a4e"
SECRET = "made-up-secret"  # shown in no error
Reply = tuple[int, object] | Exception


class Login(BaseAdapter):
    """A login service: discovery works, the token endpoint answers as scripted."""

    def __init__(self) -> None:
        super().__init__()
        self.discovery: Reply = (
            200,
            {
                "issuer": f"{LOGIN}/{TENANT}/v2.0",
                "authorization_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/authorize",
                "token_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/token",
            },
        )
        self.replies: list[Reply] = []
        self.forms: list[str] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if request.method == "GET":
            return self._respond(request, self.discovery)
        self.forms.append(str(request.body))
        return self._respond(request, self.replies.pop(0))

    def close(self) -> None:
        return None

    def _respond(self, request: requests.PreparedRequest, reply: Reply) -> requests.Response:
        if isinstance(reply, Exception):
            raise reply
        status, body = reply
        response = requests.Response()
        response.status_code = status
        response.request = request
        response.raw = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        return response


@pytest.fixture
def login() -> Login:
    return Login()


@pytest.fixture
def access(login: Login) -> Iterator[MsalTokens]:
    session = make_session(None)
    session.mount("https://", login)
    yield MsalTokens(
        login_url=f"{LOGIN}/",
        tenant_id=TENANT,
        client_id="client",
        credential=SECRET,
        scope="https://graph.microsoft.com/.default",
        session=session,
    )
    session.close()


def token(text: str) -> Reply:
    return 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": text}


def refusal(number: int, name: str = "invalid_client") -> Reply:
    """Entra's form, from its docs on the client credentials flow."""
    return 401, {"error": name, "error_description": f"AADSTS{number}: Text. Trace ID: x", "error_codes": [number]}


async def failure(access: MsalTokens) -> DirectoryError:
    with pytest.raises(DirectoryError) as raised:
        await access.current()
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    return raised.value


async def test_a_token_is_asked_for_once_and_kept(login: Login, access: MsalTokens) -> None:
    login.replies = [token("one")]

    assert [await access.current(), await access.current()] == ["one", "one"]
    assert "grant_type=client_credentials" in login.forms[0]
    assert "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default" in login.forms[0]


async def test_a_refused_token_is_replaced(login: Login, access: MsalTokens) -> None:
    login.replies = [token("one"), token("two")]
    await access.current()

    assert await access.renewed("one") == "two"
    assert await access.current() == "two"


async def test_a_token_that_another_request_replaced_already_is_not_replaced_again(
    login: Login, access: MsalTokens
) -> None:
    login.replies = [token("one"), token("two")]
    await access.current()
    await access.renewed("one")

    assert await access.renewed("one") == "two"


@pytest.mark.parametrize(
    ("number", "name", "setting"),
    [
        (7000215, "invalid_client", "RECLAIM_CLIENT_SECRET"),
        (7000222, "invalid_client", "RECLAIM_CLIENT_SECRET"),
        (700016, "unauthorized_client", "RECLAIM_CLIENT_ID"),
        (90002, "invalid_request", "RECLAIM_TENANT_ID"),
        (70011, "invalid_scope", "RECLAIM_GRAPH_URL"),
    ],
)
async def test_a_wrong_setting_is_named_and_final(
    login: Login, access: MsalTokens, number: int, name: str, setting: str
) -> None:
    login.replies = [refusal(number, name)]

    raised = await failure(access)

    assert raised.permanent
    assert setting in raised.message
    assert f"AADSTS{number}" in raised.message


async def test_an_unknown_refusal_is_final_with_its_number(login: Login, access: MsalTokens) -> None:
    login.replies = [(400, {"error": "invalid_grant", "error_description": "AADSTS53003: Blocked by policy."})]

    raised = await failure(access)

    assert raised.permanent
    assert "AADSTS53003" in raised.message


@pytest.mark.parametrize(
    "reply",
    [
        refusal(90033, "invalid_request"),
        refusal(90055, "temporarily_unavailable"),
        (429, {"error": "temporarily_unavailable"}),
        (200, {}),
        (500, b"<html>"),
        (503, {}),
        (200, b"<html>portal</html>"),
        requests.exceptions.ConnectionError("refused"),
        requests.exceptions.ReadTimeout("slow"),
    ],
)
async def test_a_login_service_that_is_out_of_order_may_come_back(
    login: Login, access: MsalTokens, reply: Reply
) -> None:
    login.replies = [reply]

    assert not (await failure(access)).permanent


@pytest.mark.parametrize(
    ("discovery", "permanent"),
    [
        ((400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}), True),
        ((200, b"<html>portal</html>"), False),
        ((200, {"issuer": "x"}), False),
        ((503, b""), False),
        (requests.exceptions.ConnectionError("no route"), False),
        (requests.exceptions.SSLError("certificate verify failed: CERTIFICATE_VERIFY_FAILED"), True),
        (OSError("Could not find a suitable TLS CA certificate bundle, invalid path"), True),
    ],
)
async def test_a_tenant_that_cannot_be_discovered_is_told_from_an_outage(
    login: Login, access: MsalTokens, discovery: Reply, permanent: bool
) -> None:
    login.discovery = discovery

    assert (await failure(access)).permanent is permanent


async def test_the_next_try_starts_anew_after_an_outage(login: Login, access: MsalTokens) -> None:
    working, login.discovery = login.discovery, requests.exceptions.ConnectionError("no route")
    login.replies = [token("one")]
    await failure(access)

    login.discovery = working

    assert await access.current() == "one"


def test_the_environment_does_not_decide_whom_to_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    ours = Path("ours.pem")

    with make_session(ours) as session:
        settings = session.merge_environment_settings(LOGIN, {}, None, None, None)

    assert settings["verify"] == "ours.pem"


def test_every_request_to_the_login_service_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def record(*args: Any, **kwargs: Any) -> requests.Response:
        seen.append(kwargs["timeout"])
        return requests.Response()

    send: Callable[..., requests.Response] = record
    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)

    with make_session(None) as session:
        session.get_adapter(LOGIN).send(requests.Request("GET", LOGIN).prepare())

    assert seen == [(CONNECT_S, READ_S)]
