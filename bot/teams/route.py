"""`POST /api/messages`: the guard, then the card click on its own way, then the SDK's turn for all else.

A click never enters the SDK: its answer is the body of this response, and the stock adapter answers 500 to every invoke
that has one. Nothing that a sender wrote enters a log line.
"""

from typing import Final

import structlog
from aiohttp import web

from bot.background import Background
from bot.guard import Refused, SeenRequests
from bot.teams import clicks, files
from bot.teams.chat import TeamsChat
from bot.teams.guard import Guard, Incoming
from bot.teams.sdk import TeamsSdk
from reclaim.errors import InvalidRequest, ReclaimError

PATH: Final = "/api/messages"
INVOKE: Final = "invoke"
_SEEN: Final = "t:{}:{}"

log = structlog.get_logger(__name__)


class TeamsRoute:
    """Takes the Bot Connector's requests."""

    def __init__(
        self, *, guard: Guard, chat: TeamsChat, sdk: TeamsSdk, seen: SeenRequests, background: Background
    ) -> None:
        self._guard = guard
        self._chat = chat
        self._sdk = sdk
        self._seen = seen
        self._background = background

    def add_to(self, app: web.Application) -> None:
        """Serve this route, and finish what it began when the server stops."""
        app.router.add_post(PATH, self.answer)
        app.on_shutdown.append(self._finish)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        raw = await request.read()  # at most the application's client_max_size, else aiohttp answers 413
        try:
            incoming = await self._guard.vet(
                content_type=request.content_type if "Content-Type" in request.headers else "",
                authorization=request.headers.get("Authorization", ""),
                raw=raw,
            )
        except Refused as refused:
            log.info("an activity was refused", status=refused.status, cause=refused.cause)
            return web.Response(status=refused.status)
        try:
            return await self._vetted(incoming)
        except InvalidRequest as error:
            log.info("an activity was refused", status=400, cause=error.code)
            return web.Response(status=400)

    async def _vetted(self, incoming: Incoming) -> web.Response:
        if incoming.activity.get("type") == INVOKE:
            return await self._invoke(incoming)
        if await self._is_first(incoming):
            # Teams waits fifteen seconds and then sends again; what takes longer goes on behind the answer.
            self._background.start(self._turn(incoming))
        return web.Response(status=202)

    async def _invoke(self, incoming: Incoming) -> web.Response:
        match incoming.activity.get("name"):
            case clicks.INVOKE:
                return web.json_response(await self._chat.click(incoming))
            case files.INVOKE:
                if await self._is_first(incoming):
                    await self._chat.file_answered(incoming)
                return web.Response(status=200)
            case _:
                return web.Response(status=501)

    async def _turn(self, incoming: Incoming) -> None:
        try:
            await self._sdk.turn(incoming, self._chat)
        except ReclaimError as error:
            log.warning("an activity was not answered", error=error.code)

    async def _is_first(self, incoming: Incoming) -> bool:
        """Whether this activity is new: Teams repeats what was not answered in time. Clicks are told apart by the core."""
        activity_id = incoming.activity.get("id")
        if not isinstance(activity_id, str) or not activity_id:
            return True
        conversation = incoming.activity.get("conversation")
        where = conversation.get("id") if isinstance(conversation, dict) else None
        return await self._seen.first_time(_SEEN.format(str(where)[-80:], activity_id[:80]))

    async def _finish(self, _: web.Application) -> None:
        await self._background.finish()
