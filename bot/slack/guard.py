"""The front guard of `POST /slack/events`: what it lets through was signed by Slack for our app within five minutes.

The SDK behind it would answer 500 to a bad timestamp, signature, encoding or JSON from anybody, and log the body of a request
that it refuses. Order: size, timestamp, signature over the raw bytes, and only then the body. A refusal names a status and a
cause for the log, never a detail for the sender. https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

from bot.guard import MAX_BODY, Refused, read_body
from reclaim.errors import InvalidRequest, ReclaimError
from reclaim.ports.system import Clock

WINDOW_S: Final = 300
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
_MAX_FIELDS: Final = 40  # a slash command has about fifteen
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An authentic request.

    Attributes:
        text: The body as received, for the SDK.
        body: What it says: an event, an interaction, or the fields of a command.
    """

    text: str
    body: Mapping[str, object]


class Guard:
    """Vets requests for one app.

    Raises:
        ValueError: Without a secret anybody could sign.
    """

    def __init__(self, signing_secret: str, clock: Clock) -> None:
        if not signing_secret.strip():
            raise ValueError("the guard needs the signing secret")
        self._secret = signing_secret.encode()
        self._clock = clock

    def vet(self, *, content_type: str, timestamp: str, signature: str, raw: bytes) -> Incoming:
        """Return an authentic request.

        Args:
            content_type: Of the request, without parameters; "" if it names none.
            timestamp: `X-Slack-Request-Timestamp`, "" if there is none.
            signature: `X-Slack-Signature`, "" if there is none.
            raw: The body.

        Raises:
            Refused: With the status to answer.
        """
        if len(raw) > MAX_BODY:
            raise Refused(413, "size")
        if _TIMESTAMP.fullmatch(timestamp) is None:
            raise Refused(401, "timestamp")
        if abs(self._clock.now().timestamp() - int(timestamp)) > WINDOW_S:
            raise Refused(401, "stale")
        if _SIGNATURE.fullmatch(signature) is None or not hmac.compare_digest(
            sign(self._secret, timestamp, raw), signature
        ):
            raise Refused(401, "signature")
        try:
            text = raw.decode("utf-8")
            return Incoming(text=text, body=_read(content_type.lower(), raw, text))
        except (UnicodeDecodeError, InvalidRequest) as error:
            raise Refused(400, "body") from error


def sign(secret: bytes, timestamp: str, raw: bytes) -> str:
    """Return the signature of a body, as Slack writes it."""
    return "v0=" + hmac.new(secret, b":".join((b"v0", timestamp.encode(), raw)), sha256).hexdigest()


def check_configured(*, signing_secret: bool, app_token: bool, bot_token: bool, client: bool, token_key: bool) -> None:
    """Refuse to start where anybody could speak to the bot, or where it cannot speak itself.

    Args:
        signing_secret: Whether requests over HTTP can be told to be Slack's.
        app_token: Whether Slack is asked for requests instead (Socket Mode).
        bot_token: Whether the token of one workspace is given.
        client: Whether the app can be installed from the browser.
        token_key: Whether tokens from there can be kept encrypted.

    Raises:
        ReclaimError: With what to set.
    """
    if not (signing_secret or app_token):
        raise ReclaimError(
            "Slack needs RECLAIM_SLACK_SIGNING_SECRET, or RECLAIM_SLACK_APP_TOKEN where Slack cannot reach this server."
            " Without them anybody could speak to the bot."
        )
    if not (bot_token or client):
        raise ReclaimError(
            "Slack needs RECLAIM_SLACK_BOT_TOKEN, or RECLAIM_SLACK_CLIENT_ID and RECLAIM_SLACK_CLIENT_SECRET to install it"
            " from the browser."
        )
    if client and not token_key:
        raise ReclaimError(
            "Installing from the browser needs RECLAIM_TOKEN_KEY, with which Slack’s tokens are encrypted. Make one with:"
            " reclaim token-key"
        )


def _read(content_type: str, raw: bytes, text: str) -> Mapping[str, object]:
    if content_type == JSON:
        return read_body(raw)
    if content_type != FORM:
        raise InvalidRequest("This is neither JSON nor a form.")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise InvalidRequest("This is not a form.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest("A field stands twice.")
    if "payload" in fields:
        return read_body(fields["payload"].encode(errors="surrogatepass"))
    return dict(fields)
