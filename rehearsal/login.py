"""Microsoft Entra's token service: discovery document and client credentials, by secret or by certificate.

Sources: v2-oauth2-client-creds-grant-flow (request, answer, errors), reference-error-codes (AADSTS numbers),
access-token-claims-reference (`roles` of a token for an application). Tokens live 3,600 seconds of real time. They are
signed with a key that nobody else has: only this service can tell whether one is its own.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto
from uuid import uuid4

import jwt
from aiohttp import web

from rehearsal.applications import ASSERTION_TYPE, Application
from rehearsal.clock import machine_now

TOKEN_LIFE_S = 3600
GRAPH = "https://graph.microsoft.com"
# Entra gives every application tokens for the Bot Connector too, so that a bot can be practised with.
BOT_CONNECTOR = "https://api.botframework.com/.default"


class TokenState(Enum):
    """What is known about a bearer token."""

    UNKNOWN = auto()
    LIVING = auto()
    EXPIRED = auto()


class TokenDesk:
    """Gives out bearer tokens and recognizes them."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ends: dict[str, float] = {}
        self._owners: dict[str, Application] = {}
        self._key = secrets.token_bytes(32)

    def issue(self, owner: Application) -> str:
        """Return a new token of an application."""
        claims: dict[str, object] = {"aud": GRAPH, "appid": owner.client_id, "uti": secrets.token_urlsafe(16)}
        if owner.granted:
            claims["roles"] = sorted(owner.granted)
        token = jwt.encode(claims, self._key, algorithm="HS256")
        self._ends[token] = self._monotonic() + TOKEN_LIFE_S
        self._owners[token] = owner
        return token

    def owner(self, token: str) -> Application:
        """Return whose token this is.

        Raises:
            KeyError: Nobody's.
        """
        return self._owners[token]

    def check(self, token: str) -> TokenState:
        """Return the state of a token."""
        if token not in self._ends:
            return TokenState.UNKNOWN
        return TokenState.LIVING if self._monotonic() < self._ends[token] else TokenState.EXPIRED

    def expire_all(self) -> None:
        """End every token at once."""
        self._ends = dict.fromkeys(self._ends, self._monotonic())


class LoginEndpoints:
    """The handlers of the login service."""

    def __init__(self, tokens: TokenDesk, applications: Sequence[Application], *, origin: str, tenant_id: str) -> None:
        self._tokens = tokens
        self._applications = {one.client_id: one for one in applications}
        self._origin = origin
        self._tenant_id = tenant_id

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the origin."""
        return [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery),
            web.post("/{tenant}/oauth2/v2.0/token", self._token),
        ]

    async def _discovery(self, request: web.Request) -> web.Response:
        if not self._is_ours(request):
            return self._unknown_tenant(request)
        base = f"{self._origin}/{self._tenant_id}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": self._token_address(),
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        if not self._is_ours(request):
            return self._unknown_tenant(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        refusal = self._refusal(form)
        if refusal is not None:
            return refusal
        token = self._tokens.issue(self._applications[form["client_id"]])
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": TOKEN_LIFE_S,
                "ext_expires_in": TOKEN_LIFE_S,
                "access_token": token,
            },
            headers={"Cache-Control": "no-store"},
        )

    def _refusal(self, form: dict[str, str]) -> web.Response | None:
        if form.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        application = self._applications.get(form.get("client_id", ""))
        if application is None:
            message = f"Application with identifier '{form.get('client_id', '')}' was not found in the directory."
            return _error(400, "unauthorized_client", 700016, message)
        if "client_assertion" in form:
            refusal = self._assertion_refusal(application, form)
            if refusal is not None:
                return refusal
        elif not application.knows_secret(form.get("client_secret", "")):
            message = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{application.client_id}'."
            )
            return _error(401, "invalid_client", 7000215, message)
        if not {f"{self._origin}/.default", BOT_CONNECTOR} & set(form.get("scope", "").split()):
            message = f"The provided value for the input parameter 'scope' is not valid: {form.get('scope', '')}."
            return _error(400, "invalid_scope", 70011, message)
        return None

    def _assertion_refusal(self, application: Application, form: dict[str, str]) -> web.Response | None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return _error(400, "invalid_request", 900144, "The request body must contain a client_assertion_type.")
        if application.signed(form["client_assertion"], audience=self._token_address()):
            return None
        message = (
            "The certificate with identifier used to sign the client assertion is not registered on application. "
            f"Client app ID: {application.client_id}."
        )
        return _error(401, "invalid_client", 700027, message)

    def _token_address(self) -> str:
        return f"{self._origin}/{self._tenant_id}/oauth2/v2.0/token"

    def _is_ours(self, request: web.Request) -> bool:
        return request.match_info["tenant"].lower() == self._tenant_id

    def _unknown_tenant(self, request: web.Request) -> web.Response:
        message = (
            f"Tenant '{request.match_info['tenant']}' not found. Check to make sure you have the correct tenant ID."
        )
        return _error(400, "invalid_request", 90002, message)


def _error(status: int, error: str, number: int, message: str) -> web.Response:
    """Return a refusal in the form of Microsoft Entra."""
    trace_id, correlation_id = str(uuid4()), str(uuid4())
    timestamp = machine_now().strftime("%Y-%m-%d %H:%M:%SZ")
    description = (
        f"AADSTS{number}: {message} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"
    )
    body = {
        "error": error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": timestamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
    }
    return web.json_response(body, status=status)
