"""The front guard of `POST /api/messages`: what it lets through is an authentic activity of our tenant, sent through Teams.

The SDK behind it would accept a token without expiry, answer 500 to nine kinds of bad token, and switch authentication off
for an empty app id; none of that can be reached through this door. Order: shape of the request, token, then the body, which
must agree with what the token says. A refusal names a status and a cause for the log, never a detail for the sender.

Rules: "Authenticate requests from the Bot Connector service to your bot" of the Bot Framework documentation.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import jwt

from bot.guard import MAX_BODY, Refused, read_body
from bot.teams.keys import KeysUnavailable, SigningKeys
from reclaim.errors import InvalidRequest, ReclaimError
from reclaim.ports.system import Clock

ISSUER: Final = "https://api.botframework.com"
WIRE_CHANNEL: Final = "msteams"
LEEWAY_S: Final = 300  # Microsoft's own clock skew
MAX_TOKEN: Final = 8_192
MAX_CACHED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What an installation lets in.

    Attributes:
        app_id: The bot's; tokens for another audience are refused.
        tenant_id: The one tenant whose people may speak.
        service_hosts: Hosts (a leading dot: any host below it) to which answers, and so our token, may go.
        development: Also lets a plain http service address on this machine through.
    """

    app_id: str
    tenant_id: str
    service_hosts: tuple[str, ...]
    development: bool = False

    def __post_init__(self) -> None:
        if not (self.app_id.strip() and self.tenant_id.strip()):
            # The SDK takes an empty id as "authentication off".
            raise ValueError("the door needs an app id and a tenant id")

    def knows(self, service_url: str) -> bool:
        """Whether an answer may go to this address."""
        try:
            url = urlsplit(service_url)
            host, port = url.hostname or "", url.port
        except ValueError:
            return False
        if (
            url.username is not None
            or url.password is not None
            or url.query
            or url.fragment
            or not service_url.isascii()
        ):
            return False
        if self.development and host in ("127.0.0.1", "localhost", "::1"):
            return url.scheme in ("http", "https")
        return (
            url.scheme == "https"
            and port in (None, 443)
            and any(host == known or (known.startswith(".") and host.endswith(known)) for known in self.service_hosts)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says.

    Attributes:
        service_url: To where it lets us answer, without a slash at the end.
        endorsements: Channels that its key may speak for.
        key_id: Of its key.
        expires_at: Seconds since 1970.
    """

    service_url: str
    endorsements: frozenset[str]
    key_id: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An authentic activity.

    Attributes:
        activity: As received, a JSON object within our limits.
        service_url: Where it is answered; equals the token's.
        person_id: `from.aadObjectId`, lower case; None where no person acts (an installation for a team).
    """

    activity: Mapping[str, object]
    service_url: str
    person_id: str | None


class Guard:
    """Vets requests for one bot."""

    def __init__(self, door: Door, keys: SigningKeys, clock: Clock) -> None:
        self._door = door
        self._keys = keys
        self._clock = clock
        # A wave of clicks comes with one token; verifying its signature costs more than all the rest of the guard.
        self._verified: dict[str, Claims] = {}

    async def vet(self, *, content_type: str, authorization: str, raw: bytes) -> Incoming:
        """Return the activity of an authentic request.

        Args:
            content_type: Of the request, without parameters; "" if it names none.
            authorization: The header, "" if there is none.
            raw: The body.

        Raises:
            Refused: With the status to answer.
        """
        if content_type.lower() != "application/json":
            raise Refused(400, "content_type")
        if len(raw) > MAX_BODY:
            raise Refused(413, "size")
        claims = await self._claims(authorization)
        try:
            activity = read_body(raw)
        except InvalidRequest as error:
            raise Refused(400, "body") from error
        return self._incoming(activity, claims)

    async def _claims(self, authorization: str) -> Claims:
        scheme, _, token = authorization.partition(" ")
        if (
            not hmac.compare_digest(scheme.lower().encode(errors="replace"), b"bearer")
            or not 0 < len(token) <= MAX_TOKEN
        ):
            raise Refused(401, "no_token")
        known = self._verified.get(token)
        if known is None or not self._keys.holds(known.key_id):
            known = await self._verify(token)
            if len(self._verified) >= MAX_CACHED:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = known
        if known.expires_at + LEEWAY_S <= self._clock.now().timestamp():
            self._verified.pop(token, None)
            raise Refused(401, "expired")
        return known

    async def _verify(self, token: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise Refused(401, "token") from error
        key_id = header.get("kid")
        if not isinstance(key_id, str) or header.get("alg") != "RS256":
            raise Refused(401, "key")
        try:
            key = await self._keys.find(key_id)
        except KeysUnavailable as error:
            raise Refused(503, "no_keys") from error
        if key is None:
            raise Refused(401, "key")
        try:
            said = jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self._door.app_id,
                issuer=ISSUER,
                # Times are compared with our own clock below.
                options={
                    "require": ["exp", "nbf", "iss", "aud"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            raise Refused(401, "token") from error
        return self._read(said, key_id, key.endorsements)

    def _read(self, said: Mapping[str, object], key_id: str, endorsements: frozenset[str]) -> Claims:
        expires_at, begins_at, service_url = _seconds(said["exp"]), _seconds(said["nbf"]), said.get("serviceurl")
        if expires_at is None or begins_at is None or not isinstance(service_url, str) or not service_url:
            raise Refused(401, "claims")
        if begins_at > self._clock.now().timestamp() + LEEWAY_S:
            raise Refused(401, "not_yet")
        return Claims(
            service_url=service_url.rstrip("/"),
            endorsements=endorsements,
            key_id=key_id,
            expires_at=expires_at,
        )

    def _incoming(self, activity: Mapping[str, object], claims: Claims) -> Incoming:
        service_url = activity.get("serviceUrl")
        if not isinstance(service_url, str) or not isinstance(activity.get("type"), str):
            raise Refused(400, "activity")
        if service_url.rstrip("/") != claims.service_url:
            raise Refused(401, "service_url")
        if not self._door.knows(service_url):
            raise Refused(403, "service_host")
        if activity.get("channelId") != WIRE_CHANNEL or WIRE_CHANNEL not in claims.endorsements:
            raise Refused(403, "channel")
        if not self._is_ours(activity):
            raise Refused(403, "tenant")
        return Incoming(activity=activity, service_url=service_url.rstrip("/"), person_id=_person(activity))

    def _is_ours(self, activity: Mapping[str, object]) -> bool:
        """Whether every place that names a tenant names ours, and at least one does."""
        named = [
            _text(activity, "channelData", "tenant", "id"),
            _text(activity, "conversation", "tenantId"),
            _text(activity, "from", "tenantId"),
        ]
        told = [tenant.lower() for tenant in named if tenant is not None]
        return bool(told) and all(tenant == self._door.tenant_id.lower() for tenant in told)


def check_configured(*, app_id: str | None, credentials: int, development: bool, loopback: bool) -> None:
    """Refuse to start where anybody could speak to the bot, or where it is not said who it is.

    Args:
        app_id: The bot's.
        credentials: How many ways to prove it are set.
        development: Whether services on this machine are let in.
        loopback: Whether nobody else can reach us.

    Raises:
        ReclaimError: With what to set.
    """
    if development and not loopback:
        raise ReclaimError(
            "RECLAIM_DEVELOPMENT is on, so RECLAIM_LISTEN must be an address of this machine: 127.0.0.1:3978."
        )
    if not app_id or not credentials:
        raise ReclaimError(
            "Teams needs RECLAIM_TEAMS_APP_ID and one of RECLAIM_TEAMS_APP_SECRET, RECLAIM_TEAMS_CERTIFICATE and"
            " RECLAIM_TEAMS_MANAGED_IDENTITY. Without them anybody could speak to the bot."
        )
    if credentials > 1:
        raise ReclaimError(
            "Set one of RECLAIM_TEAMS_APP_SECRET, RECLAIM_TEAMS_CERTIFICATE and RECLAIM_TEAMS_MANAGED_IDENTITY, not more."
        )


def _person(activity: Mapping[str, object]) -> str | None:
    found = _text(activity, "from", "aadObjectId")
    return found.lower() if found else None


def _text(value: object, *path: str) -> str | None:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
