"""A Bot Connector on loopback: records what the bot sends, and throttles, blocks or breaks on demand.

Contract: "Connector REST API reference" of the Bot Framework documentation; limits: "Optimize your bot with rate limiting".
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "the bot's own token"


@dataclass
class Call:
    """One request of the bot."""

    method: str
    path: str
    body: Mapping[str, object]


@dataclass
class Connector:
    """Conversations and messages; `answers` are (status, headers) to give instead, in their order."""

    calls: list[Call] = field(default_factory=list)
    messages: dict[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)
    conversations: dict[str, str] = field(default_factory=dict)  # person id -> conversation
    strangers: set[str] = field(default_factory=set)  # people of whom it names no member
    blocked: set[str] = field(default_factory=set)  # conversations, or people for a new one
    page: str | None = None  # what `answers` say instead of JSON
    answers: deque[tuple[int, Mapping[str, str]]] = field(default_factory=deque)
    slow_s: float = 0.0
    limited: bool = False  # answers 429 to what is over Teams' limits
    throttled: list[str] = field(default_factory=list)
    recent: dict[str, deque[float]] = field(default_factory=dict)
    number: int = 0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/v3/conversations", self._create)
        app.router.add_post("/v3/conversations/{conversation}/activities", self._post)
        app.router.add_post("/v3/conversations/{conversation}/activities/{activity}", self._post)
        app.router.add_get("/v3/conversations/{conversation}/members/{person}", self._member)
        app.router.add_put("/v3/conversations/{conversation}/activities/{activity}", self._put)
        return app

    def sent(self, conversation: str) -> list[Mapping[str, object]]:
        """Return the present state of the messages of a conversation, oldest first."""
        return [body for (where, _), body in self.messages.items() if where == conversation]

    async def _begin(self, request: web.Request) -> Mapping[str, object]:
        body = await request.json() if request.can_read_body else {}
        self.calls.append(Call(request.method, request.path, body))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise _error(web.HTTPUnauthorized, "Unauthorized")
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.answers:
            status, headers = self.answers.popleft()
            raise _Other(status, headers, self.page)
        if self.limited and self._is_over(request):
            self.throttled.append(request.path)
            raise _Other(429, {"Retry-After": "1"})
        found: Mapping[str, object] = body
        return found

    def _is_over(self, request: web.Request) -> bool:
        """Count as Teams does: sends and creates of one conversation, and all requests of the bot."""
        sends = [("all", 50, 1.0)]
        if request.method != "GET":
            where = request.match_info.get("conversation", "new")
            sends += [(where, 7, 1.0), (where, 60, 30.0)] if where != "new" else []
        now = time.monotonic()
        counted = [
            (self.recent.setdefault(f"{where} {within}", deque()), most, within) for where, most, within in sends
        ]
        for recent, _, within in counted:
            while recent and now - recent[0] >= within:
                recent.popleft()
        if any(len(recent) >= most for recent, most, _ in counted):
            return True
        for recent, _, _ in counted:
            recent.append(now)
        return False

    async def _create(self, request: web.Request) -> web.Response:
        body = await self._begin(request)
        members = body.get("members")
        assert isinstance(members, list)
        person = members[0]["id"]
        if person in self.blocked:
            raise _error(web.HTTPForbidden, "ForbiddenOperationException")
        conversation = self.conversations.setdefault(person, f"a:{len(self.conversations) + 1};x=@")
        return web.json_response({"id": conversation, "activityId": None}, status=201)

    async def _post(self, request: web.Request) -> web.Response:
        body = await self._begin(request)
        conversation = request.match_info["conversation"]
        if conversation in self.blocked:
            raise _error(web.HTTPForbidden, "MessageWritesBlocked")
        self.number += 1
        self.messages[conversation, f"m{self.number}"] = body
        return web.json_response({"id": f"m{self.number}"}, status=201)

    async def _member(self, request: web.Request) -> web.Response:
        await self._begin(request)
        person = request.match_info["person"]
        if person in self.strangers:
            raise _error(web.HTTPNotFound, "MemberNotFoundInConversation")
        return web.json_response({"id": f"29:{person}", "aadObjectId": person, "name": "Whoever"})

    async def _put(self, request: web.Request) -> web.Response:
        body = await self._begin(request)
        place = (request.match_info["conversation"], request.match_info["activity"])
        if place not in self.messages:
            raise _error(web.HTTPNotFound, "ActivityNotFoundInConversation")
        self.messages[place] = body
        return web.json_response({"id": place[1]})


class _Other(web.HTTPException):
    def __init__(self, status: int, headers: Mapping[str, str], page: str | None = None) -> None:
        self.status_code = status
        text = page or '{"error":{"code":"Scripted","message":"as told"}}'
        super().__init__(headers=headers, text=text, content_type="text/html" if page else "application/json")


@asynccontextmanager
async def serving(connector: Connector) -> AsyncIterator[str]:
    """Serve on loopback; yields the service URL, without a slash at the end."""
    async with TestServer(connector.app(), host="127.0.0.1") as server:
        yield str(server.make_url("/")).rstrip("/")


def _error(kind: type[web.HTTPException], code: str) -> web.HTTPException:
    return kind(text=f'{{"error":{{"code":"{code}","message":"{code}"}}}}', content_type="application/json")
