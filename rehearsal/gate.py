"""What stands before every Graph request: the bearer token, the permissions, and the form of errors.

Sources: concepts/errors (bodies), concepts/best-practices (request-id, client-request-id), auth-v2-service.
"""

import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from email.utils import formatdate
from uuid import uuid4

from aiohttp import web

from rehearsal import errors
from rehearsal.applications import Application
from rehearsal.clock import machine_now
from rehearsal.login import TokenDesk, TokenState
from rehearsal.permissions import READ_SIGN_INS
from rehearsal.throttle import Throttle

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_ID, CLIENT_REQUEST_ID = "request-id", "client-request-id"
_caller: ContextVar[Application] = ContextVar("caller")


class Gate:
    """Decides whether a caller may pass.

    Attributes:
        premium: The tenant has Entra ID P1, without which there is no sign-in data.
        throttle: The limits of the service.
    """

    def __init__(self, tokens: TokenDesk) -> None:
        self._tokens = tokens
        self.premium = True
        self.throttle = Throttle()

    def require(self, alternatives: frozenset[str]) -> None:
        """Refuse unless the calling application has one of the permissions.

        Raises:
            GraphError: None of them is.
        """
        if not _caller.get().granted & alternatives:
            raise errors.access_denied()

    def require_sign_ins(self) -> None:
        """Refuse unless sign-in data may be read and exists.

        Raises:
            GraphError: The tenant is not premium, or the permission is missing.
        """
        if not self.premium:
            raise errors.no_premium()
        self.require(READ_SIGN_INS)

    def check_token(self, request: web.Request) -> None:
        """Refuse without a living bearer token, and know from then on whose request this is.

        Raises:
            GraphError: There is none, or it is unknown or expired.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise errors.invalid_token("Access token is empty.")
        match self._tokens.check(token):
            case TokenState.UNKNOWN:
                raise errors.invalid_token("Access token validation failure. Invalid token.")
            case TokenState.EXPIRED:
                raise errors.invalid_token("Lifetime validation failed, the token is expired.")
            case TokenState.LIVING:
                _caller.set(self._tokens.owner(token))


def client_request_id(request: web.Request) -> str | None:
    """Return the id that the caller gave to this request, if any."""
    return request.headers.get(CLIENT_REQUEST_ID)


async def read_json(request: web.Request) -> object:
    """Return the body of a request.

    Raises:
        GraphError: It is not JSON.
    """
    try:
        return json.loads(await request.text())
    except ValueError as error:
        raise errors.bad_request("Unable to read JSON request payload.") from error


def error_response(request: web.Request, error: errors.GraphError) -> web.Response:
    """Return a refusal in Graph's form."""
    request_id = str(uuid4())
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "innerError": {
                "date": machine_now().strftime("%Y-%m-%dT%H:%M:%S"),
                REQUEST_ID: request_id,
                CLIENT_REQUEST_ID: client_request_id(request) or request_id,
            },
        }
    }
    response = web.json_response(body, status=error.status, headers={REQUEST_ID: request_id, **error.headers})
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def stamp(request: web.Request, response: web.StreamResponse, now: int) -> None:
    """Put the ids of a request and the tenant's time on its answer, unless it is on its way already."""
    if not response.prepared:
        response.headers["Date"] = formatdate(now, usegmt=True)
        request_id = response.headers.setdefault(REQUEST_ID, str(uuid4()))
        response.headers[CLIENT_REQUEST_ID] = client_request_id(request) or request_id


async def answer(request: web.Request, handler: Handler, gate: Gate) -> web.StreamResponse:
    """Answer a Graph request, turning every refusal into Graph's form."""
    used: dict[str, str] = {}
    try:
        gate.check_token(request)
        used = gate.throttle.count(request)
        response = await handler(request)
    except errors.GraphError as error:
        response = error_response(request, error)
    except web.HTTPException as error:
        if error.status not in {404, 405}:
            raise
        response = error_response(request, errors.no_such_path(request.path.rsplit("/", 1)[-1]))
    response.headers.update(used)
    return response
