"""The keys that sign the Bot Connector's tokens: fetched off the click's way, kept while their server is down.

Microsoft publishes them through an OpenID document (`jwks_uri`) and rotates them without notice; each key names the channels
that it may speak for (`endorsements`). The SDK's own cache refuses a rotated key for up to a day, so it is never asked.
Source: "Authenticate requests from the Bot Connector service to your bot" of the Bot Framework documentation.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx
import jwt
import structlog

FRESH_S: Final = 24 * 3600.0  # Microsoft asks for a refresh at least once a day
PAUSE_S: Final = 30.0  # between two fetches: an unknown key id is anybody's to send
_TIMEOUT_S: Final = 5.0
_MAX_KEYS: Final = 200

log = structlog.get_logger(__name__)


class KeysUnavailable(Exception):
    """No key was ever fetched and the key server does not answer: nothing can be verified now."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key and the channel ids that it may speak for."""

    key: jwt.PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """Finds a signing key by its id.

    Args:
        openid_url: The address of the OpenID document.
        client: Reaches it; follows no redirects.
        monotonic: Seconds that only grow.
    """

    def __init__(self, *, openid_url: str, client: httpx.AsyncClient, monotonic: Callable[[], float]) -> None:
        self._openid_url = openid_url
        self._client = client
        self._monotonic = monotonic
        self._keys: dict[str, SigningKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str) -> SigningKey | None:
        """Return the key of this id, or None if there is none.

        Raises:
            KeysUnavailable: There are no keys at all.
        """
        if key_id not in self._keys or self._is_old():
            await self._refresh(key_id)
        if not self._keys:
            raise KeysUnavailable
        return self._keys.get(key_id)

    def holds(self, key_id: str) -> bool:
        """Whether this key still counts: what was verified with it earlier is forgotten when it is withdrawn."""
        return key_id in self._keys and not self._is_old()

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._monotonic() - self._fetched_at > FRESH_S

    async def _refresh(self, key_id: str) -> None:
        async with self._fetching:
            if key_id in self._keys and not self._is_old():
                return  # whoever held the lock has fetched it
            now = self._monotonic()
            if self._tried_at is not None and now - self._tried_at < PAUSE_S:
                return
            self._tried_at = now
            try:
                self._keys = await self._fetch()
            except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
                # The keys that we have stay good: a key server that is down must not stop answers.
                log.warning("signing keys could not be fetched", error=type(error).__name__, kept=len(self._keys))
            else:
                self._fetched_at = now

    async def _fetch(self) -> dict[str, SigningKey]:
        document = await self._json(self._openid_url)
        address = document.get("jwks_uri")
        if not isinstance(address, str):
            raise ValueError("the OpenID document names no jwks_uri")
        entries = (await self._json(address)).get("keys")
        if not isinstance(entries, list):
            raise ValueError("the key document holds no keys")
        keys = dict(found for entry in entries[:_MAX_KEYS] if (found := _read(entry)) is not None)
        if not keys:
            raise ValueError("the key document holds no key that can be used")
        return keys

    async def _json(self, address: str) -> dict[str, object]:
        answer = await self._client.get(address, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        body = answer.json()
        if not isinstance(body, dict):
            raise ValueError("not a JSON object")
        return body


def _read(entry: object) -> tuple[str, SigningKey] | None:
    """Return one key with its id; a key of another kind is passed over, so that it cannot hide the others."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or not isinstance(entry.get("kid"), str):
        return None
    try:
        key = jwt.PyJWK(entry, algorithm="RS256")
    except jwt.PyJWTError:
        return None
    names = entry.get("endorsements")
    endorsements = (
        frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()
    )
    return entry["kid"], SigningKey(key, endorsements)
