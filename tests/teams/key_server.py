"""A key server as Microsoft runs one, and tokens as the Bot Connector signs them. Source: reference facts on the protocol."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

APP_ID = "5c0f6f5e-7a37-4f0f-9f3e-0d7c0e7f1a11"
TENANT_ID = "9b2c1d5e-33aa-4c58-8f6e-6f1d2c3b4a50"
PERSON_ID = "0a1b2c3d-0000-4000-8000-00000000000a"
HOSTS = ("smba.trafficmanager.net", ".botframework.com", ".teams.microsoft.com", ".teams.microsoft.us")
SERVICE_URL = "https://smba.trafficmanager.net/teams/"


@lru_cache
def key(name: str) -> rsa.RSAPrivateKey:
    """A key of this name, made once per test run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class KeyServer:
    """Serves the OpenID document and the keys named in `published`; counts requests; can be down."""

    def __init__(self) -> None:
        self.published: dict[str, list[str] | None] = {"one": ["msteams", "directline"]}
        self.extra: list[object] = []
        self.requests = 0
        self.down = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openidconfiguration", self._document)
        app.router.add_get("/keys", self._keys)
        return app

    async def _document(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.down:
            return web.Response(status=503)
        return web.json_response({"issuer": "https://api.botframework.com", "jwks_uri": f"http://{request.host}/keys"})

    async def _keys(self, _: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        return web.json_response(
            {"keys": [*self.extra, *(_jwk(name, names) for name, names in self.published.items())]}
        )


@asynccontextmanager
async def serving(server: KeyServer) -> AsyncIterator[str]:
    """Serve on loopback; yields the address of the OpenID document."""
    async with TestServer(server.app(), host="127.0.0.1") as running:
        yield str(running.make_url("/.well-known/openidconfiguration"))


def token(
    now: datetime,
    *,
    signed_by: str = "one",
    kid: str | None = "one",
    algorithm: str = "RS256",
    without: tuple[str, ...] = (),
    **claims: object,
) -> str:
    """Return a token that is right but for what is said otherwise."""
    at = int(now.timestamp())
    said: dict[str, object] = {
        "iss": "https://api.botframework.com",
        "aud": APP_ID,
        "exp": at + 3600,
        "nbf": at - 10,
        "serviceurl": SERVICE_URL,
        **claims,
    }
    for name in without:
        del said[name]
    secret: rsa.RSAPrivateKey | str = {"HS256": "s" * 64, "none": ""}.get(algorithm, key(signed_by))
    return jwt.encode(said, secret, algorithm=algorithm, headers={"kid": kid} if kid else {})


def activity(**changes: object) -> dict[str, object]:
    """Return a message as Teams sends it from a personal chat."""
    return {
        "type": "message",
        "id": "1700000000000",
        "channelId": "msteams",
        "serviceUrl": SERVICE_URL,
        "from": {"id": "29:1abc", "name": "Megan Bowen", "aadObjectId": PERSON_ID},
        "recipient": {"id": f"28:{APP_ID}", "name": "Reclaim"},
        "conversation": {"id": "a:1xyz", "conversationType": "personal", "tenantId": TENANT_ID},
        "channelData": {"tenant": {"id": TENANT_ID}},
        "text": "status",
        **changes,
    }


def _jwk(name: str, endorsements: list[str] | None) -> Mapping[str, object]:
    entry: dict[str, object] = json.loads(RSAAlgorithm.to_jwk(key(name).public_key())) | {
        "kid": name,
        "use": "sig",
        "alg": "RS256",
    }
    return entry if endorsements is None else entry | {"endorsements": endorsements}
