"""The Web API of Slack, as far as we use it: paced, bounded in time, its errors as `DeliveryError`. No Any leaves it.

A call is repeated here only where Slack said that it did not carry it out (429) or never got it: a post whose answer was lost
may stand in the chat already, so its repeat is for the caller to decide.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.pace import LONGEST_WAIT_S, Pace
from reclaim.errors import DeliveryError

API_URL: Final = "https://slack.com/api/"
RESPONSE_HOSTS: Final = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
FILE_HOSTS: Final = frozenset({"files.slack.com", "files.slack-gov.com"})
TIMEOUT_S: Final = 10.0
_TRIES: Final = 3
# What passes by itself. https://docs.slack.dev/reference/methods/chat.postMessage (errors)
PASSING: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
     "team_added_to_org", "accesslimited", "message_limit_exceeded"}
)  # fmt: skip
# The person, or their workspace, does not let us write to them.
BLOCKED: Final = frozenset(
    {"user_not_found", "user_disabled", "cannot_dm_bot", "messages_tab_disabled", "account_inactive", "restricted_action",
     "user_is_bot", "user_is_restricted", "channel_not_found", "not_in_channel", "is_archived", "user_not_visible"}
)  # fmt: skip
_READS: Final = frozenset({"users.info", "users.list", "users.lookupByEmail", "files.getUploadURLExternal"})

log = structlog.get_logger(__name__)


class SlackError(DeliveryError):
    """Slack refused a call.

    Attributes:
        reason: Slack's own word for it (`users_not_found`), never anything that a person wrote.
    """

    code = "slack_error"

    def __init__(self, reason: str, *, retry_after: timedelta | None = None, permanent: bool = True) -> None:
        super().__init__(f"Slack refused: {reason}.", retry_after=retry_after, permanent=permanent)
        self.reason = reason


class SlackApi:
    """Calls Slack for any of our workspaces.

    Args:
        http: One session for all calls; follows no redirects.
        base_url: Ends in "/api/"; another than Slack's own is a stand-in, whose host may then also be answered at.
        pace: When a call may be made.
        sleep: Waits so many seconds of real time.
    """

    def __init__(
        self, *, http: aiohttp.ClientSession, base_url: str, pace: Pace, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._pace = pace
        self._sleep = sleep
        own = urlsplit(base_url)
        self._own_host = own.netloc if base_url != API_URL else None
        self._clients: dict[str, AsyncWebClient] = {}

    def client(self, token: str | None = None) -> AsyncWebClient:
        """Return a client of the SDK that repeats nothing by itself."""
        return AsyncWebClient(
            token=token, base_url=self._base_url, session=self._http, retry_handlers=[], timeout=int(TIMEOUT_S)
        )

    async def call(
        self, team: str, token: str | None, method: str, arguments: Mapping[str, object], *, channel: str | None = None
    ) -> Mapping[str, object]:
        """Call a method and return its answer.

        Args:
            team: The workspace, for the pace.
            token: Its bot token; None where the method takes none.
            method: As `chat.postMessage`.
            arguments: Of the method; those of None are left out.
            channel: Of a new message, for the pace.

        Raises:
            DeliveryError: Slack refused (`SlackError`) or did not answer.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        for left in reversed(range(_TRIES)):
            await self._pace.turn(team, method, channel)
            try:
                return await self._once(token, method, given)
            except SlackError as error:
                wait = error.retry_after.total_seconds() if error.retry_after else 0.0
                if error.reason != "ratelimited" or wait > LONGEST_WAIT_S or not left:
                    raise
                log.info("Slack asks to wait", method=method, seconds=wait)
                self._pace.throttled(team, method, wait)
            except _NotSent:
                if not left:
                    raise
                await self._sleep(1.0)
        raise AssertionError("the last try returns or raises")

    async def respond(self, response_url: str, body: Mapping[str, object]) -> None:
        """Answer a click or a command at the address that came with it; five times within thirty minutes.

        Raises:
            DeliveryError: It is no address of Slack's, or Slack did not take the answer.
        """
        await self._post(response_url, RESPONSE_HOSTS, json=body)

    async def upload(self, upload_url: str, content: bytes) -> None:
        """Send a file to where Slack said.

        Raises:
            DeliveryError: It is no address of Slack's, or Slack did not take the file.
        """
        await self._post(upload_url, FILE_HOSTS, data=content, headers={"Content-Type": "application/octet-stream"})

    def knows(self, address: str, hosts: frozenset[str]) -> bool:
        """Whether something may be sent to this address."""
        try:
            url = urlsplit(address)
            port = url.port
        except ValueError:
            return False
        if url.username is not None or url.password is not None or not address.isascii():
            return False
        if self._own_host is not None and url.netloc == self._own_host:
            return True
        return url.scheme == "https" and url.hostname in hosts and port in (None, 443)

    async def _post(self, address: str, hosts: frozenset[str], **sent: object) -> None:
        if not self.knows(address, hosts):
            raise SlackError("an address that is not Slack’s")
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._http.post(address, allow_redirects=False, timeout=timeout, **sent) as answer:  # type: ignore[arg-type]  # json, data or headers
                if answer.status == 200:
                    return
                wait = _seconds(answer.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeliveryError("Slack does not answer.") from error
        raise SlackError(
            f"http_{answer.status}", retry_after=wait, permanent=answer.status < 500 and answer.status != 429
        )

    async def _once(self, token: str | None, method: str, given: Mapping[str, object]) -> Mapping[str, object]:
        client = self._clients.get(token or "")
        if client is None:
            client = self._clients[token or ""] = self.client(token)
        try:
            if method in _READS:
                answer = await client.api_call(method, http_verb="GET", params=dict(given))
            elif method == "oauth.v2.access":
                answer = await client.api_call(method, data=dict(given))
            else:
                answer = await client.api_call(method, json=dict(given))
        except SlackApiError as error:
            raise _refused(error) from error
        except aiohttp.ClientConnectorError as error:
            raise _NotSent("Slack cannot be reached.") from error
        except (TimeoutError, aiohttp.ClientError, SlackClientError, ValueError) as error:
            raise DeliveryError("Slack does not answer.") from error
        data = answer.data
        return data if isinstance(data, Mapping) else {}


class _NotSent(DeliveryError):
    """The call never reached Slack."""


def _refused(error: SlackApiError) -> SlackError:
    answer = error.response
    status = getattr(answer, "status_code", 0)
    headers = getattr(answer, "headers", {}) or {}
    data = getattr(answer, "data", None)
    reason = data.get("error") if isinstance(data, Mapping) else None
    if status == 429:
        return SlackError("ratelimited", retry_after=_seconds(headers.get("Retry-After")), permanent=False)
    word = reason if isinstance(reason, str) and reason.replace("_", "").isalnum() else f"http_{status}"
    return SlackError(word, permanent=word not in PASSING and status < 500)


def _seconds(header: object) -> timedelta:
    text = str(header) if header is not None else ""
    return timedelta(seconds=int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1)
