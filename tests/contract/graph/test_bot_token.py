"""The bot's own tokens, over HTTP: what is sent to the login and metadata services, how long it counts, how they fail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reclaim.connectors.graph import BotTokens, bot_tokens
from reclaim.errors import DirectoryError, InvalidRequest
from rehearsal.certificate import make_server_context
from tests.certificates import NOW, Pair, make_pair

APP_ID = "5c0f6f5e-7a37-4f0f-9f3e-0d7c0e7f1a11"
TENANT = "48a80680-7326-48cd-9935-b556b81d3a4e"
SECRET = "made-up-secret"
SCOPE = "https://api.botframework.com/.default"


@dataclass
class Service:
    """A login service and a metadata service. `replies` are (status, body), the last one again and again."""

    replies: list[tuple[int, object]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    headers: list[str | None] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._document)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_get("/metadata/identity/oauth2/token", self._metadata)
        return app

    async def _document(self, request: web.Request) -> web.Response:
        own = f"{self.url}/{request.match_info['tenant']}"
        document = {
            "issuer": f"{own}/v2.0",
            "authorization_endpoint": f"{own}/oauth2/v2.0/authorize",
            "token_endpoint": f"{own}/oauth2/v2.0/token",
        }
        return web.json_response(document)

    async def _token(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        return self._reply()

    async def _metadata(self, request: web.Request) -> web.Response:
        self.queries.append(dict(request.query))
        self.headers.append(request.headers.get("Metadata"))
        return self._reply()

    def _reply(self) -> web.Response:
        status, body = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status)


def token(text: str, lasts_s: int = 3_600) -> tuple[int, object]:
    return 200, {"token_type": "Bearer", "expires_in": lasts_s, "access_token": text}


@pytest.fixture
async def login(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service()
    context = await asyncio.to_thread(make_server_context, NOW, tmp_path / "ca.pem")
    server = TestServer(service.app(), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    service.url = str(server.make_url("/")).rstrip("/")
    yield service
    await server.close()


@pytest.fixture
async def metadata(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    service = Service()
    async with TestServer(service.app(), host="127.0.0.1") as server:
        service.url = str(server.make_url("/")).rstrip("/")
        # Where msal looks for the metadata service of a machine; the real one is at 169.254.169.254.
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.url)
        yield service


@pytest.fixture
def own(login: Service, tmp_path: Path) -> Callable[..., BotTokens]:
    """Make tokens that trust the login service."""

    def make(secret: str | None = None, certificate_file: Path | None = None) -> BotTokens:
        return bot_tokens(
            app_id=APP_ID,
            tenant_id=TENANT,
            secret=secret,
            certificate_file=certificate_file,
            login_url=login.url,
            ca_file=tmp_path / "ca.pem",
        )

    return make


def identity() -> BotTokens:
    return bot_tokens(
        app_id=APP_ID, tenant_id=TENANT, secret=None, certificate_file=None, login_url="https://x.test", ca_file=None
    )


@pytest.fixture(scope="module")
def pair() -> Pair:
    return make_pair()


async def test_a_secret_is_sent_for_the_connector_s_scope_and_the_token_is_kept(
    login: Service, own: Callable[..., BotTokens]
) -> None:
    login.replies = [token("one")]
    tokens = own(secret=SECRET)

    assert [await tokens.current() for _ in range(3)] == ["one"] * 3

    (form,) = login.forms
    assert (form["client_id"], form["client_secret"], form["scope"]) == (APP_ID, SECRET, SCOPE)
    assert form["grant_type"] == "client_credentials"
    await tokens.aclose()


async def test_a_certificate_signs_and_no_secret_is_sent(
    login: Service, own: Callable[..., BotTokens], pair: Pair, tmp_path: Path
) -> None:
    file = tmp_path / "teams.pem"
    file.write_bytes(pair.pem())
    login.replies = [token("one")]
    tokens = own(certificate_file=file)

    assert await tokens.current() == "one"

    (form,) = login.forms
    assert "client_secret" not in form
    assert form["scope"] == SCOPE
    said = jwt.decode(
        form["client_assertion"],
        pair.key.public_key(),
        algorithms=["RS256", "PS256"],
        audience=f"{login.url}/{TENANT}/oauth2/v2.0/token",
    )
    assert (said["iss"], said["sub"]) == (APP_ID, APP_ID)
    header = jwt.get_unverified_header(form["client_assertion"])
    assert "x5t#S256" in header or "x5t" in header
    await tokens.aclose()


async def test_many_that_ask_at_once_cause_one_request(login: Service, own: Callable[..., BotTokens]) -> None:
    login.replies = [token("one")]
    tokens = own(secret=SECRET)

    assert set(await asyncio.gather(*(tokens.current() for _ in range(20)))) == {"one"}

    assert len(login.forms) == 1
    await tokens.aclose()


async def test_a_token_near_its_end_is_replaced_before_it_ends(login: Service, own: Callable[..., BotTokens]) -> None:
    login.replies = [token("one", lasts_s=290), token("two")]
    tokens = own(secret=SECRET)

    assert [await tokens.current() for _ in range(3)] == ["one", "two", "two"]

    assert len(login.forms) == 2
    await tokens.aclose()


@pytest.mark.parametrize(
    ("number", "setting"),
    [
        (7000215, "RECLAIM_TEAMS_APP_SECRET"),
        (7000222, "RECLAIM_TEAMS_APP_SECRET"),
        (700016, "RECLAIM_TEAMS_APP_ID"),
        (700027, "certificate"),
    ],
)
async def test_what_an_admin_must_mend_is_named_by_the_bot_s_own_setting(
    login: Service, own: Callable[..., BotTokens], number: int, setting: str
) -> None:
    description = f"AADSTS{number}: Text."
    login.replies = [(401, {"error": "invalid_client", "error_description": description, "error_codes": [number]})]
    tokens = own(secret=SECRET)

    with pytest.raises(DirectoryError) as refused:
        await tokens.current()

    assert refused.value.permanent
    assert setting in refused.value.message
    assert "RECLAIM_CLIENT" not in refused.value.message
    assert SECRET not in str(refused.value)
    await tokens.aclose()


@pytest.mark.parametrize("reply", [(503, {"error": "temporarily_unavailable"}), (500, "<html>"), (200, {})])
async def test_a_login_service_that_is_out_of_order_may_be_asked_again(
    login: Service, own: Callable[..., BotTokens], reply: tuple[int, object]
) -> None:
    login.replies = [reply]
    tokens = own(secret=SECRET)

    with pytest.raises(DirectoryError) as refused:
        await tokens.current()

    assert not refused.value.permanent
    await tokens.aclose()


async def test_a_login_service_that_is_not_there_may_be_asked_again(tmp_path: Path) -> None:
    await asyncio.to_thread(make_server_context, NOW, tmp_path / "ca.pem")
    tokens = bot_tokens(
        app_id=APP_ID,
        tenant_id=TENANT,
        secret=SECRET,
        certificate_file=None,
        login_url="https://127.0.0.1:9",
        ca_file=tmp_path / "ca.pem",
    )

    with pytest.raises(DirectoryError) as refused:
        await tokens.current()

    assert not refused.value.permanent
    await tokens.aclose()


def broken(pair: Pair) -> dict[str, bytes | None]:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = pair.certificate.public_bytes(Encoding.PEM)
    return {
        "no such file": None,
        "empty": b"",
        "no PEM": b"\x00\xff garbage",
        "without the key": certificate,
        "without the certificate": pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "another key": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate,
        "with a password": pair.pem(b"password"),
    }


@pytest.mark.parametrize(
    "how",
    ["no such file", "empty", "no PEM", "without the key", "without the certificate", "another key", "with a password"],
)
def test_a_certificate_that_cannot_be_used_is_refused_at_the_start(pair: Pair, tmp_path: Path, how: str) -> None:
    file, content = tmp_path / "teams.pem", broken(pair)[how]
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidRequest, match="RECLAIM_TEAMS_CERTIFICATE must be a PEM file"):
        bot_tokens(
            app_id=APP_ID,
            tenant_id=TENANT,
            secret=None,
            certificate_file=file,
            login_url="https://x.test",
            ca_file=None,
        )


async def test_a_managed_identity_is_asked_for_the_connector_and_its_token_is_kept(metadata: Service) -> None:
    metadata.replies = [token("one", lasts_s=86_400)]
    tokens = identity()

    assert [await tokens.current() for _ in range(3)] == ["one"] * 3

    (query,) = metadata.queries
    assert query["resource"] == "https://api.botframework.com"
    assert query["client_id"] == APP_ID
    assert metadata.headers == ["true"]  # without it the service answers nobody: a page cannot set it
    await tokens.aclose()


async def test_a_managed_identity_s_token_near_its_end_is_replaced(metadata: Service) -> None:
    metadata.replies = [token("one", lasts_s=290), token("two")]
    tokens = identity()

    assert [await tokens.current() for _ in range(3)] == ["one", "two", "two"]
    await tokens.aclose()


@pytest.mark.parametrize(
    ("reply", "permanent"),
    [
        ((400, {"error": "invalid_request", "error_description": "Identity not found"}), True),
        ((429, {"error": "too_many_requests"}), False),
        ((500, "<html>"), False),
    ],
)
async def test_a_machine_without_the_identity_is_told_from_one_that_is_busy(
    metadata: Service, reply: tuple[int, Any], permanent: bool
) -> None:
    metadata.replies = [reply]
    tokens = identity()

    with pytest.raises(DirectoryError) as refused:
        await tokens.current()

    assert refused.value.permanent is permanent
    await tokens.aclose()


async def test_a_machine_without_a_metadata_service_is_said_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    tokens = identity()

    with pytest.raises(DirectoryError, match="no metadata service"):
        await tokens.current()
    await tokens.aclose()
