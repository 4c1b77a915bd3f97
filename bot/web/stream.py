"""The live stream of one window: JSON lines over a fetch, because EventSource sends no headers.

Lines: message, updated, told (with `seq`: a broken stream resumes after it) and unread, clock, tenant, calls, ping (the
present state, said again after a break). Waiting is in real time here; the practice clock is only shown.
"""

import asyncio
import dataclasses
import json

import structlog
from aiohttp import web

from bot.web.chat import WebChat
from bot.web.conversations import Conversation
from bot.web.wire import Json, message_json, people_json, told_json
from reclaim.errors import PortError

PING_S = 15
LOOK_S = 1  # how often the practice tenant is asked for new calls

log = structlog.get_logger(__name__)


class Stream:
    """One window's stream.

    Args:
        after: Number of the last change that the page has.
        calls_after: Number of the last call that the page has.
    """

    def __init__(self, chat: WebChat, conversation: Conversation, *, after: int, calls_after: int) -> None:
        self._chat = chat
        self._conversation = conversation
        self._after = after
        self._calls_after = calls_after
        self._people: list[Json] = []
        self._now = ""

    async def run(self, response: web.StreamResponse) -> None:
        """Write lines until the page goes away or the server closes."""
        conversations = self._chat.conversations
        waker = conversations.subscribe()
        idle = 0.0
        try:
            while not conversations.closed:
                waker.clear()
                lines = [*self._changes(), *self._state(), *await self._calls()]
                idle = 0 if lines else idle + LOOK_S
                if idle >= PING_S:
                    lines, idle = [{"type": "ping"}], 0
                for line in lines:
                    await response.write(json.dumps(line).encode() + b"\n")
                await _wait(waker)
        finally:
            conversations.unsubscribe(waker)

    def _changes(self) -> list[Json]:
        conversations = self._chat.conversations
        lines: list[Json] = []
        for change in conversations.changes(self._conversation, self._after):
            if change[0] == "told":
                lines.append({"type": "told", **told_json(change[1])})
            else:
                lines.append({"type": change[0], "seq": change[1].seq, "message": message_json(change[1])})
        if conversations.seq > self._after:
            self._after = conversations.seq
            conversations.read(self._conversation, self._after)
            lines.append({"type": "tenant"})  # a change in any chat may have changed the numbers
        return lines

    def _state(self) -> list[Json]:
        lines: list[Json] = []
        people = people_json(self._chat.conversations.listed())
        if people != self._people:
            self._people = people
            lines.append({"type": "unread", "personas": people})
        now = self._chat.clock.now().isoformat()
        if now != self._now:
            self._now = now
            lines.append({"type": "clock", "now": now})
        return lines

    async def _calls(self) -> list[Json]:
        try:
            calls = await self._chat.watch.calls(self._calls_after)
        except PortError as error:
            log.warning("practice tenant did not answer", code=error.code)
            return []
        if not calls:
            return []
        self._calls_after = max(call.seq for call in calls)
        return [{"type": "calls", "calls": [dataclasses.asdict(call) for call in calls]}]


async def _wait(waker: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_S):
            await waker.wait()
    except TimeoutError:
        return
