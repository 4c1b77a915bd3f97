"""What we use of slack-bolt: which kind of request leads to what, and Socket Mode. Nothing of it leaves this file.

Bolt's own checks are off where the guard made them already; it never logs above a warning, since it would log bodies. Each
listener answers inline (`process_before_response`): bolt's other mode runs it in a task that nobody keeps and looks for its
answer every ten milliseconds.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.chat import SlackChat
from bot.slack.clicks import From
from bot.slack.installs import Installs
from cards.block_kit import FORM
from reclaim.errors import InvalidRequest, ReclaimError

COMMAND: Final = "/reclaim"
_ANY: Final = re.compile(".*", re.DOTALL)
_NAME: Final = "reclaim"

Body = dict[str, Any]
FirstTime = Callable[[str], Awaitable[bool]]

log = structlog.get_logger(__name__)


class Bolt:
    """One app of slack-bolt, whose listeners lead to the chat.

    Args:
        client: The SDK's; used for nothing but to carry the API's address.
        first_time: Whether an event has not been seen yet: Slack sends an event again that was not answered in time.
    """

    def __init__(self, *, client: AsyncWebClient, installs: Installs, chat: SlackChat, first_time: FirstTime) -> None:
        self._installs = installs
        self._chat = chat
        self._first_time = first_time

        # A function, not a method: bolt passes arguments by name, and counts a bound `self` among them.
        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            workspace = await installs.find(team_id, enterprise_id)
            if workspace is None:
                raise InvalidRequest("The app is not installed in this workspace.")
            return AuthorizeResult(
                enterprise_id=enterprise_id, team_id=team_id, bot_user_id=workspace.bot_user, bot_token=workspace.token
            )

        logger = logging.getLogger("slack_bolt")
        logger.setLevel(logging.ERROR)
        self._app = AsyncApp(
            name=_NAME,
            logger=logger,
            client=client,
            signing_secret="checked by the guard",  # noqa: S106 - not used: see the next line but one
            authorize=authorize,
            request_verification_enabled=False,
            process_before_response=True,
            ssl_check_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        self._listen()

    async def answer(self, text: str, headers: Mapping[str, str]) -> tuple[int, str, str]:
        """Return status, content type and body of the answer to a vetted request."""
        said = await self._app.async_dispatch(AsyncBoltRequest(body=text, headers=dict(headers)))
        kind = said.headers.get("content-type", ["text/plain"])
        return said.status, kind[0] if isinstance(kind, list) else str(kind), said.body or ""

    async def connect(self, app_token: str, base_url: str) -> Callable[[], Awaitable[None]]:
        """Ask Slack for requests over a web socket instead of HTTP; returns what ends it.

        The SDK tries again for as long as Slack opens none, and later whenever the socket breaks.
        """
        web_client = AsyncWebClient(token=app_token, base_url=base_url)
        handler = AsyncSocketModeHandler(self._app, app_token=app_token, web_client=web_client, logger=self._app.logger)
        close: Callable[[], Awaitable[None]] = handler.close_async
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            await close()
            raise
        return close

    def _listen(self) -> None:
        app = self._app

        @app.command(COMMAND)
        async def command(ack: AsyncAck, body: Body) -> None:
            await _answer(ack, self._chat.command(body))

        @app.action(_ANY)
        async def click(ack: AsyncAck, body: Body) -> None:
            try:
                await self._chat.click(body)
            except InvalidRequest as error:
                log.info("a click could not be read", cause=error.code)
            await ack()

        @app.view(FORM)
        async def submitted(ack: AsyncAck, body: Body) -> None:
            await _answer(ack, self._chat.submitted(body))

        @app.options(_ANY)
        async def options(ack: AsyncAck, body: Body) -> None:
            await _answer(ack, self._chat.options(body))

        @app.event("app_home_opened")
        async def home(body: Body, event: Body) -> None:
            if event.get("tab") == "home" and await self._is_first(body):
                user = event.get("user")
                if isinstance(user, str):
                    sender = From(
                        team=_text(body, "team_id"), enterprise=body.get("enterprise_id"), user=user, home=None
                    )
                    await self._chat.home_opened(sender, _text(body, "event_id"))

        @app.event("app_uninstalled")
        async def uninstalled(body: Body) -> None:
            await self._gone(body)

        @app.event("tokens_revoked")
        async def revoked(body: Body, event: Body) -> None:
            tokens = event.get("tokens")
            if isinstance(tokens, dict) and tokens.get("bot"):
                await self._gone(body)

    async def _gone(self, body: Body) -> None:
        workspace = await self._installs.find(_text(body, "team_id"), body.get("enterprise_id"))
        if workspace is not None:
            await self._installs.remove(workspace.id)

    async def _is_first(self, body: Body) -> bool:
        event = _text(body, "event_id")
        return not event or await self._first_time(f"s:{event[:120]}")


async def _answer(ack: AsyncAck, work: Awaitable[Mapping[str, Any]]) -> None:
    """Acknowledge with what the chat says; what it cannot read is acknowledged with nothing."""
    try:
        said: Body = dict(await work)
    except ReclaimError as error:
        log.info("a request could not be read", cause=error.code)
        said = {}
    await ack(**said)


def _text(body: Body, name: str) -> str:
    found = body.get(name)
    return found if isinstance(found, str) else ""
