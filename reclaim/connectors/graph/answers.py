"""What Microsoft Graph answered: the raw facts of one answer, its error body, and how long it asks us to wait.

Nothing here judges an answer; `client` and `writer` do. Source of the forms: Microsoft Graph docs, concepts/errors and
concepts/throttling; RFC 9110 section 10.2.3 for Retry-After.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property

import httpx

NO_PIM = "AadPremiumLicenseRequired"
NO_PREMIUM = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
NOT_FOUND = "Request_ResourceNotFound"
SYNC_STATE_NOT_FOUND = "syncStateNotFound"
UNSUPPORTED_QUERY = "Request_UnsupportedQuery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The error body of an answer; None where it has none. `message` is English and may change without notice."""

    code: str | None
    message: str | None


@dataclass(frozen=True, kw_only=True)  # without slots, for the document that is read once
class Answer:
    """One answer.

    Attributes:
        url: As requested, with its query.
        content: The body after content decoding (gzip); never shown in a repr, since it holds personal data.
        at: When it came, calendar time.
        client_request_id: The id that we gave to the request.
    """

    url: str
    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)
    at: datetime
    client_request_id: str

    @property
    def request_id(self) -> str:
        """Microsoft's `request-id`, from the header or else the error body; empty if it gave none."""
        return self.headers.get("request-id") or _inner_request_id(self._error()) or ""

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the body."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def fault(self) -> Fault:
        """The error body, read tolerantly: proxies and gateways answer in other forms."""
        error = self._error()
        return Fault(code=_text(error.get("code")), message=_text(error.get("message")))

    @property
    def retry_after(self) -> timedelta | None:
        """How long the answer asks us to wait; None where it does not say, or says nothing sensible.

        A date is compared with the `Date` of the same answer, because our calendar time may be a rehearsal's.
        """
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit() and len(value) < 10:
            return timedelta(seconds=int(value))
        until = _http_date(value)
        if until is None:
            return None
        wait = until - (self.date or self.at)
        return wait if wait > timedelta(0) else None

    @property
    def date(self) -> datetime | None:
        """The server's time; None if it did not say."""
        return _http_date(self.headers.get("date", ""))

    @property
    def is_document(self) -> bool:
        """Whether the body is a JSON object, as every body of Microsoft Graph is."""
        try:
            self.document()
        except ValueError:
            return False
        return True

    def document(self) -> dict[str, object]:
        """Return the body as a JSON object.

        Raises:
            ValueError: It is none: half a body, a proxy's page, an empty answer.
        """
        return self._document

    @cached_property
    def _document(self) -> dict[str, object]:
        document = json.loads(self.content)
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        return document

    def _error(self) -> dict[str, object]:
        try:
            error = self.document().get("error")
        except ValueError:
            return {}
        return error if isinstance(error, dict) else {}


def _inner_request_id(error: dict[str, object]) -> str | None:
    # Both spellings are on the wire (Microsoft Graph docs, concepts/errors).
    inner = error.get("innerError") or error.get("innererror")
    return _text(inner.get("request-id")) if isinstance(inner, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _http_date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
