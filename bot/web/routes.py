"""The HTTP side of the browser chat: the page at `/`, its files under `/assets/`, its requests under `/rehearsal/`."""

import dataclasses
import uuid
from collections.abc import Awaitable, Callable
from importlib import resources
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.chat import WebChat
from bot.web.conversations import Conversation
from bot.web.security import HEADERS, LAUNCH_COOKIE, LaunchGate, PersonaSessions
from bot.web.stream import Stream
from bot.web.wire import (
    MAX_KEY,
    MAX_TEXT,
    Refused,
    body_of,
    click_of,
    message_json,
    number_of,
    people_json,
    step_of,
    text_of,
    told_json,
)
from reclaim.errors import InvalidRequest, NotAuthorized, NotFound, ReclaimError

MEDIA_TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}

log = structlog.get_logger(__name__)


def setup(app: web.Application, chat: WebChat, *, gate: LaunchGate, sessions: PersonaSessions) -> None:
    """Serve the browser chat from this application."""
    pages = _Pages(gate)
    app.router.add_get("/", pages.index)
    app.router.add_get("/assets/{name}", pages.asset)
    api = web.Application(middlewares=[_Guard(gate).check])
    api.on_response_prepare.append(_no_store)
    _Api(chat, sessions).register(api.router)
    app.add_subapp("/rehearsal/", api)
    app.on_shutdown.append(_closing(chat))


class _Pages:
    """The page and its files, read once: a name that is not among them is not found."""

    def __init__(self, gate: LaunchGate) -> None:
        self._gate = gate
        folder = resources.files("bot.web") / "assets"
        self._files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    async def index(self, request: web.Request) -> web.Response:
        """Take the launch token into a cookie, or show the page to who has the cookie."""
        if not self._gate.knows_host(request.host):
            return self._file("closed.html", status=403)
        if self._gate.opens(request.query.get("token")):
            answer = web.Response(status=303, headers={**HEADERS, "Location": "/", "Cache-Control": "no-store"})
            answer.set_cookie(LAUNCH_COOKIE, request.query["token"], path="/", httponly=True, samesite="Strict")
            return answer
        if not self._gate.opens(request.cookies.get(LAUNCH_COOKIE)):
            return self._file("closed.html", status=403)
        return self._file("index.html")

    async def asset(self, request: web.Request) -> web.Response:
        """Return a file of the page; it holds nothing of the tenant."""
        name = request.match_info["name"]
        if name not in self._files:
            raise web.HTTPNotFound(headers=HEADERS)
        return self._file(name)

    def _file(self, name: str, *, status: int = 200) -> web.Response:
        return web.Response(
            body=self._files[name],
            status=status,
            content_type=MEDIA_TYPES[name.rsplit(".", 1)[-1]],
            charset="utf-8",
            headers={**HEADERS, "Cache-Control": "no-cache"},
        )


class _Guard:
    """Stands before every request under `/rehearsal/`."""

    def __init__(self, gate: LaunchGate) -> None:
        self._gate = gate

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse strangers; answer every error in JSON."""
        try:
            self._admit(request)
            return await handler(request)
        except Refused as refused:
            return _error(refused.status, refused.code, refused.message)
        except ReclaimError as error:
            return _error(_status(error), error.code, error.message)
        except web.HTTPException as error:
            return _error(error.status, "http_error", error.reason)
        except ConnectionResetError:
            raise
        except Exception:
            reference = uuid.uuid4().hex[:8]
            log.exception("request failed", reference=reference, path=request.path)
            return _error(500, "unexpected", f"That did not work. Reference {reference}.")

    def _admit(self, request: web.Request) -> None:
        if not self._gate.knows_host(request.host):
            raise Refused(403, "host", "This address is not ours.")
        if not self._gate.opens(request.cookies.get(LAUNCH_COOKIE)):
            raise Refused(403, "launch", "Open the address that the program printed.")
        origin, writes = request.headers.get("Origin"), request.method not in {"GET", "HEAD"}
        if not self._gate.knows_origin(origin, host=request.host, required=writes):
            raise Refused(403, "origin", "This request comes from another page.")


class _Api:
    """The requests of the page. The actor is the session's persona and nothing else."""

    def __init__(self, chat: WebChat, sessions: PersonaSessions) -> None:
        self._chat = chat
        self._sessions = sessions

    def register(self, router: web.UrlDispatcher) -> None:
        router.add_get("/personas", self.personas)
        router.add_post("/personas/{id}/session", self.session)
        router.add_get("/messages", self.messages)
        router.add_get("/events", self.events)
        router.add_post("/commands", self.command)
        router.add_post("/actions", self.action)
        router.add_get("/suggestions", self.suggestions)
        router.add_get("/people", self.people)
        router.add_get("/files/{id}", self.file)
        router.add_get("/tenant", self.tenant)
        router.add_get("/calls", self.calls)
        router.add_get("/clock", self.clock)
        router.add_post("/clock", self.advance)

    async def personas(self, _: web.Request) -> web.Response:
        people = people_json(self._chat.conversations.listed())
        return web.json_response({"personas": people, "tenant": self._chat.tenant, "run": self._chat.run})

    async def session(self, request: web.Request) -> web.Response:
        await body_of(request)
        chat = self._chat.conversations.find(request.match_info["id"])
        if chat is None:
            raise NotFound("Nobody of the practice tenant has this id.")
        session = self._sessions.open(chat.persona.id)
        return web.json_response({"session": session.id, "csrf": session.csrf, "persona": chat.persona.id})

    async def messages(self, request: web.Request) -> web.Response:
        chat, conversations = self._actor(request), self._chat.conversations
        messages = [message_json(message) for message in chat.messages.values()]
        conversations.read(chat, conversations.seq)
        return web.json_response(
            {
                "messages": messages,
                "told": [told_json(told) for told in conversations.told()],
                "seq": conversations.seq,
                "now": self._chat.clock.now().isoformat(),
                "zone": self._chat.zone,
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        chat = self._actor(request)
        after, calls = number_of(request.query.get("after")), number_of(request.query.get("calls"))
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        try:
            await Stream(self._chat, chat, after=after, calls_after=calls).run(response)
        except ConnectionResetError:
            log.debug("page went away")
        return response

    async def command(self, request: web.Request) -> web.Response:
        chat, body = self._actor(request), await body_of(request)
        text, key = text_of(body, "text", longest=MAX_TEXT), text_of(body, "key", longest=MAX_KEY)
        return web.json_response(dataclasses.asdict(await self._chat.command(chat, text, key)))

    async def action(self, request: web.Request) -> web.Response:
        chat, click = self._actor(request), click_of(await body_of(request))
        return web.json_response(dataclasses.asdict(await self._chat.action(chat, click)))

    async def suggestions(self, request: web.Request) -> web.Response:
        found = await self._chat.suggestions(self._actor(request))
        return web.json_response({"suggestions": [dataclasses.asdict(each) for each in found]})

    async def people(self, request: web.Request) -> web.Response:
        found = await self._chat.people(self._actor(request), request.query.get("q", "")[:MAX_KEY])
        return web.json_response({"people": [{"id": person, "name": name} for person, name in found]})

    async def file(self, request: web.Request) -> web.Response:
        file = self._chat.conversations.file(self._actor(request).persona.person_id, request.match_info["id"])
        if file is None:
            raise NotFound("This file is not in this chat.")
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        return web.Response(
            body=file.content, headers={"Content-Type": file.media_type, "Content-Disposition": disposition}
        )

    async def tenant(self, request: web.Request) -> web.Response:
        self._actor(request)
        return web.json_response(dataclasses.asdict(await self._chat.watch.panel()))

    async def calls(self, request: web.Request) -> web.Response:
        self._actor(request)
        calls = await self._chat.watch.calls(number_of(request.query.get("after")))
        return web.json_response({"calls": [dataclasses.asdict(call) for call in calls]})

    async def clock(self, request: web.Request) -> web.Response:
        self._actor(request)
        return web.json_response({"now": self._chat.clock.now().isoformat(), "zone": self._chat.zone})

    async def advance(self, request: web.Request) -> web.Response:
        self._actor(request)
        by, label = step_of(await body_of(request))
        told = await self._chat.advance(by, label)
        return web.json_response({"now": self._chat.clock.now().isoformat(), "told": list(told)})

    def _actor(self, request: web.Request) -> Conversation:
        """Return the chat of the session's persona."""
        headers = request.headers
        persona = self._sessions.persona(headers.get("X-Persona-Session"), headers.get("X-CSRF-Token"))
        chat = self._chat.conversations.find(persona) if persona is not None else None
        if chat is None:
            raise Refused(403, "session", "Pick a person first.")
        return chat


def _status(error: ReclaimError) -> int:
    match error:
        case InvalidRequest():
            return 400
        case NotAuthorized():
            return 403
        case NotFound():
            return 404
        case _:
            return 409


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


async def _no_store(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update({**HEADERS, "Cache-Control": "no-store"})


def _closing(chat: WebChat) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        chat.conversations.close()

    return close
