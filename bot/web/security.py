"""Who may talk to the browser chat: launch token, hosts, persona sessions. Every secret is compared in constant time.

The threat is another page in the same browser (cross-site requests, DNS rebinding) and another user of the machine.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from reclaim.ports.system import Tokens

LAUNCH_COOKIE = "reclaim_launch"
MAX_SESSIONS = 500  # a page load opens one; the oldest go first

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # default-src says nothing about who may frame us
}


def same(given: str | None, secret: str) -> bool:
    """Tell whether both are equal, in constant time."""
    return given is not None and hmac.compare_digest(_bytes(given), _bytes(secret))


class LaunchGate:
    """Lets in whoever opened the printed address on this machine.

    Args:
        token: The launch token that the program prints.
        port: The port that the server is bound to.
    """

    def __init__(self, *, token: str, port: int) -> None:
        self._token = token
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    def opens(self, token: str | None) -> bool:
        """Tell whether this is the launch token."""
        return same(token, self._token)

    def knows_host(self, host: str) -> bool:
        """Tell whether the request was meant for us; a rebound DNS name was not."""
        return host in self._hosts

    def knows_origin(self, origin: str | None, *, host: str, required: bool) -> bool:
        """Tell whether the request comes from our own page at this very host."""
        if origin is None:
            return not required
        return self.knows_host(host) and origin == f"http://{host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaSession:
    """One window that plays one persona."""

    id: str
    csrf: str
    persona: str


class PersonaSessions:
    """The open persona sessions: two windows can be two people.

    Kept under the hash of their id, so that the time of a lookup tells nothing about an id.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._sessions: dict[bytes, PersonaSession] = {}

    def open(self, persona: str) -> PersonaSession:
        """Start a session as this persona."""
        while len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session = PersonaSession(id=self._tokens.new_id(), csrf=self._tokens.new_id(), persona=persona)
        self._sessions[_key(session.id)] = session
        return session

    def persona(self, session_id: str | None, csrf: str | None) -> str | None:
        """Return who acts in this session, or None if it is unknown or the CSRF token is not its own."""
        session = self._sessions.get(_key(session_id or ""))
        return session.persona if session is not None and same(csrf, session.csrf) else None


def _key(session_id: str) -> bytes:
    return sha256(_bytes(session_id)).digest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")  # a header with bytes that are no UTF-8 comes as lone surrogates
