"""A Slack on loopback: keeps messages, modals, Home tabs and files, refuses what Slack refuses, and throttles as Slack does.

Contract: https://docs.slack.dev/reference/methods, /apis/web-api/rate-limits, /interactivity/handling-user-interaction. A
trigger opens one modal within three seconds; a response_url takes five answers within thirty minutes; blocks and views are
held to the published schemas and to what those miss.
"""

import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.slack.rules import wrong_in_message, wrong_in_view

TEAM, BOT, TOKEN = "T01CONTOSO", "U0BOT", "xoxb-the-bots-token"
TRIGGER_S, RESPONSE_S, RESPONSE_USES = 3.0, 1800.0, 5
# Calls a minute by method, as Slack's tiers say; posts are "several hundred".
TIERS: Mapping[str, int] = {
    "users.list": 20,
    "chat.update": 50,
    "conversations.open": 50,
    "users.lookupByEmail": 50,
    "views.open": 100,
    "views.update": 100,
    "views.publish": 100,
    "users.info": 100,
    "chat.postMessage": 400,
}


@dataclass
class Call:
    """One request of the bot."""

    method: str
    arguments: Mapping[str, Any]
    at: float


@dataclass
class Message:
    """A message as people see it."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    ephemeral_for: str | None = None
    edits: int = 0


@dataclass
class Workspace:
    """All that stands in one workspace.

    Attributes:
        monotonic: Its clock, which stands still unless a test moves it.
        answers: (method, status, body, headers) to give instead, once each.
        throttle: Whether limits are held.
        refuse_direct: Members whom the bot may not write to, with Slack's word for it.
    """

    monotonic: Callable[[], float] = lambda: 0.0
    throttle: bool = False
    team: str = TEAM
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    shared: list[tuple[str, str, bytes]] = field(default_factory=list)
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)
    responses: dict[str, tuple[Message | None, str, float, int]] = field(default_factory=dict)
    refuse_direct: dict[str, str] = field(default_factory=dict)
    answers: deque[tuple[str, int, dict[str, Any], dict[str, str]]] = field(default_factory=deque)
    throttled: list[str] = field(default_factory=list)
    url: str = ""
    oauth_code: str = "a code"
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _recent: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _posted: dict[str, float] = field(default_factory=dict)

    def hire(self, user: str, mail: str | None, **flags: Any) -> None:
        """Add a member."""
        self.users[user] = {"id": user, "team_id": self.team, "profile": {"email": mail}, **flags}

    def seen_by(self, user: str) -> list[Message]:
        """Return what stands in the private conversation with the bot, and what this person alone was shown."""
        own = self.direct(user)
        return [m for m in self.messages.values() if m.channel == own or m.ephemeral_for == user]

    def direct(self, user: str) -> str:
        return f"D{user[1:]}"

    def of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def trigger(self, user: str) -> str:
        trigger = f"{next(self._numbers)}.0.{user}"
        self.triggers[trigger] = (user, self.monotonic())
        return trigger

    def response_url(self, message: Message | None, user: str) -> str:
        ref = f"r{next(self._numbers)}"
        self.responses[ref] = (message, user, self.monotonic(), 0)
        return f"{self.url}respond/{ref}"

    def show_ephemeral(self, user: str, body: Mapping[str, Any]) -> Message:
        message = Message("C01", self._ts(), body.get("text", ""), list(body.get("blocks", [])), ephemeral_for=user)
        self.messages[message.channel, message.ts] = message
        return message

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/respond/{ref}", self._respond)
        app.router.add_post("/upload/{ref}", self._upload)
        return app

    def _ts(self) -> str:
        return f"1764000000.{next(self._numbers):06d}"

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if request.content_type == "application/json":
            arguments = await request.json()
        else:
            arguments = {**request.query, **(await request.post())}
        self.calls.append(Call(method, arguments, self.monotonic()))
        if self.answers and self.answers[0][0] in (method, "*"):
            _, status, body, headers = self.answers.popleft()
            return web.json_response(body, status=status, headers=headers)
        if self.throttle and (wait := self._over_limit(method, arguments)):
            self.throttled.append(method)
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(wait)}
            )
        if (
            method != "oauth.v2.access"
            and request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens
        ):
            return _no("invalid_auth")
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        if handler is None:
            return _no("unknown_method")
        answer: web.Response = handler(arguments)
        return answer

    def _over_limit(self, method: str, arguments: Mapping[str, Any]) -> int:
        now = self.monotonic()
        recent = self._recent[method]
        while recent and now - recent[0] >= 60:
            recent.popleft()
        if len(recent) >= TIERS.get(method, 50):
            return max(1, int(recent[0] + 60 - now) + 1)
        if method == "chat.postMessage":
            channel = str(arguments.get("channel"))
            if now - self._posted.get(channel, -9.0) < 0.999:
                return 1
            self._posted[channel] = now
        recent.append(now)
        return 0

    def _auth_test(self, _: Mapping[str, Any]) -> web.Response:
        return _yes(team_id=self.team, user_id=BOT, enterprise_id=None, is_enterprise_install=False)

    def _users_info(self, arguments: Mapping[str, Any]) -> web.Response:
        user = self.users.get(arguments["user"])
        return _yes(user=user) if user else _no("user_not_found")

    def _users_lookupByEmail(self, arguments: Mapping[str, Any]) -> web.Response:  # noqa: N802 - Slack's name
        for user in self.users.values():
            if (user["profile"]["email"] or "").lower() == arguments["email"].lower():
                return _yes(user=user)
        return _no("users_not_found")

    def _users_list(self, arguments: Mapping[str, Any]) -> web.Response:
        limit, first = int(arguments["limit"]), int(arguments.get("cursor") or 0)
        every = list(self.users.values())
        following = str(first + limit) if first + limit < len(every) else ""
        return _yes(members=every[first : first + limit], response_metadata={"next_cursor": following})

    def _conversations_open(self, arguments: Mapping[str, Any]) -> web.Response:
        return _yes(channel={"id": self.direct(arguments["users"])})

    def _chat_postMessage(self, arguments: Mapping[str, Any]) -> web.Response:  # noqa: N802 - Slack's name
        if wrong := wrong_in_message(arguments):
            return _no("invalid_blocks", response_metadata={"messages": wrong})
        channel = arguments["channel"]
        if channel in self.refuse_direct:
            return _no(self.refuse_direct[channel])
        if channel in self.users:
            channel = self.direct(channel)
        message = Message(channel, self._ts(), arguments["text"], arguments.get("blocks", []))
        self.messages[channel, message.ts] = message
        return _yes(channel=channel, ts=message.ts)

    def _chat_update(self, arguments: Mapping[str, Any]) -> web.Response:
        message = self.messages.get((arguments["channel"], arguments["ts"]))
        if message is None or message.ephemeral_for:
            return _no("message_not_found")
        if wrong := wrong_in_message(arguments):
            return _no("invalid_blocks", response_metadata={"messages": wrong})
        message.text, message.blocks = arguments["text"], arguments.get("blocks", [])
        message.edits += 1
        return _yes(channel=message.channel, ts=message.ts)

    def _views_open(self, arguments: Mapping[str, Any]) -> web.Response:
        known = self.triggers.get(arguments["trigger_id"])
        if known is None:
            return _no("exchanged_trigger_id")
        if self.monotonic() - known[1] > TRIGGER_S:
            return _no("expired_trigger_id")
        if wrong := wrong_in_view(arguments["view"]):
            return _no("invalid_arguments", response_metadata={"messages": wrong})
        del self.triggers[arguments["trigger_id"]]
        return _yes(view=self.put_view(known[0], arguments["view"]))

    def put_view(self, user: str, view: Mapping[str, Any]) -> dict[str, Any]:
        ref = f"V{next(self._numbers)}"
        self.views[ref] = {**view, "id": ref, "user": user, "hash": f"h{next(self._numbers)}"}
        return self.views[ref]

    def _views_update(self, arguments: Mapping[str, Any]) -> web.Response:
        view = self.views.get(arguments["view_id"])
        if view is None:
            return _no("not_found")
        if wrong := wrong_in_view(arguments["view"]):
            return _no("invalid_arguments", response_metadata={"messages": wrong})
        view.update(arguments["view"], hash=f"h{next(self._numbers)}")
        return _yes(view=view)

    def _views_publish(self, arguments: Mapping[str, Any]) -> web.Response:
        if wrong := wrong_in_view(arguments["view"]):
            return _no("invalid_arguments", response_metadata={"messages": wrong})
        self.homes[arguments["user_id"]] = dict(arguments["view"])
        return _yes(view=arguments["view"])

    def _files_getUploadURLExternal(self, arguments: Mapping[str, Any]) -> web.Response:  # noqa: N802 - Slack's name
        ref = f"F{next(self._numbers)}"
        self.files[ref] = b""
        return _yes(upload_url=f"{self.url}upload/{ref}", file_id=ref)

    def _files_completeUploadExternal(self, arguments: Mapping[str, Any]) -> web.Response:  # noqa: N802 - Slack's name
        if not str(arguments.get("channel_id", "")).startswith(("C", "D")):
            return _no("channel_not_found")
        for each in arguments["files"]:
            self.shared.append((arguments["channel_id"], each["title"], self.files[each["id"]]))
        return _yes(files=arguments["files"])

    def _oauth_v2_access(self, arguments: Mapping[str, Any]) -> web.Response:
        if arguments.get("code") != self.oauth_code or arguments.get("client_secret") != "the client secret":
            return _no("invalid_code")
        return _yes(
            access_token=TOKEN,
            bot_user_id=BOT,
            scope="chat:write",
            team={"id": self.team},
            enterprise=None,
            is_enterprise_install=False,
        )

    async def _upload(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        self.files[request.match_info["ref"]] = await request.read()
        return web.Response(text="OK")

    async def _respond(self, request: web.Request) -> web.Response:
        ref, body = request.match_info["ref"], await request.json()
        self.calls.append(Call("response_url", body, self.monotonic()))
        if self.answers and self.answers[0][0] == "response_url":
            _, status, said, headers = self.answers.popleft()
            return web.json_response(said, status=status, headers=headers)
        message, user, at, used = self.responses[ref]
        if used >= RESPONSE_USES or self.monotonic() - at > RESPONSE_S:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        self.responses[ref] = (message, user, at, used + 1)
        if not body.get("text") or (body.get("blocks") and (wrong := wrong_in_message(body))):
            return web.json_response({"ok": False, "error": "invalid_blocks", "why": wrong}, status=400)
        if body.get("replace_original") and message is not None:
            message.text, message.blocks = body["text"], body.get("blocks", [])
            message.edits += 1
        else:
            self.show_ephemeral(user, body)
        return web.Response(text="ok")


def _yes(**said: Any) -> web.Response:
    return web.json_response({"ok": True, **said})


def _no(error: str, **more: Any) -> web.Response:
    return web.json_response({"ok": False, "error": error, **more})


@asynccontextmanager
async def serving(workspace: Workspace) -> AsyncIterator[str]:
    """Serve on loopback; yields the base URL of the API."""
    async with TestServer(workspace.app(), host="127.0.0.1") as server:
        workspace.url = str(server.make_url("/"))
        yield f"{workspace.url}api/"


def words(blocks: object) -> str:
    """Return all that stands in blocks, for looking something up."""
    return json.dumps(blocks, ensure_ascii=False)
