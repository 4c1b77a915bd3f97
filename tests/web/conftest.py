"""A practice world on a free port of loopback, and windows of the browser chat over it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestServer, unused_port

from bot.web.security import LAUNCH_COOKIE
from tests.web.fakes import TOKEN, World


class Window:
    """One window of the page: cookie, origin and, once a person is picked, the session's headers."""

    def __init__(self, http: ClientSession, origin: str) -> None:
        self.http, self.origin = http, origin
        self.headers: dict[str, str] = {}

    async def pick(self, persona: str) -> None:
        answer = await self.post(f"/rehearsal/personas/{persona}/session", {})
        found = await answer.json()
        self.headers = {"X-Persona-Session": found["session"], "X-CSRF-Token": found["csrf"]}

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.http.get(self.origin + path, headers={**self.headers, **headers})

    async def json(self, path: str) -> Any:
        answer = await self.get(path)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def post(self, path: str, body: Any, **headers: str) -> ClientResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Origin": self.origin, "Content-Type": "application/json", **self.headers, **headers}
        return await self.http.post(self.origin + path, data=data, headers=sent)

    async def command(self, text: str, key: str = "k1") -> Any:
        return await (await self.post("/rehearsal/commands", {"text": text, "key": key})).json()

    async def messages(self) -> list[Any]:
        found: list[Any] = (await self.json("/rehearsal/messages"))["messages"]
        return found


@pytest.fixture
def port() -> int:
    return unused_port()


@pytest.fixture
def world(port: int) -> World:
    return World(port)


@pytest.fixture
async def server(world: World, port: int) -> AsyncIterator[TestServer]:
    server = TestServer(world.app, host="127.0.0.1", port=port)
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def stranger(server: TestServer, port: int) -> AsyncIterator[Window]:
    """A browser that has not opened the printed address."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        yield Window(http, f"http://127.0.0.1:{port}")


@pytest.fixture
async def window(stranger: Window) -> Window:
    """A browser that has; nobody is picked yet."""
    stranger.http.cookie_jar.update_cookies({LAUNCH_COOKIE: TOKEN})
    return stranger


@pytest.fixture
async def allan(window: Window) -> Window:
    mine = Window(window.http, window.origin)
    await mine.pick("allan")
    return mine


@pytest.fixture
async def megan(window: Window) -> Window:
    mine = Window(window.http, window.origin)
    await mine.pick("megan")
    return mine
