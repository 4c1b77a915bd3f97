"""How the app gets into a workspace and out of it: the browser, the token of the settings, Socket Mode, the manifest."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from cryptography.fernet import Fernet
from sqlalchemy import text

from bot.slack.bolt import Bolt
from bot.slack.chat import SlackChat
from bot.slack.installs import Installs, Workspace, fernet
from bot.slack.manifest import EVENTS, SCOPES, build
from bot.slack.oauth import COOKIE, STATE_S
from reclaim.errors import DeliveryError, InvalidRequest
from storage.engine import Database
from storage.unit_of_work import SqlWork
from tests.fakes import FixedClock
from tests.golden.cards.models import NOW
from tests.slack.conftest import ALLAN, World, serving
from tests.slack.rules import DATA
from tests.slack.workspace import TEAM, TOKEN
from tests.unit.bot.fakes import Bot

KEY = Fernet.generate_key().decode()
SCHEMA = DATA / "slack-app-manifest-2.0.0.schema.json"
# Of the docs' lists, those that we may ask for: anything else in the manifest is a slip of the pen.
KNOWN_SCOPES = {"chat:write", "commands", "files:write", "im:write", "users:read", "users:read.email"}
KNOWN_EVENTS = {"app_home_opened", "app_uninstalled", "tokens_revoked"}


@pytest.fixture
async def installable(slack_work: SqlWork) -> AsyncIterator[World]:
    settings = {"bot_token": None, "client_id": "1.2", "client_secret": "the client secret", "token_key": KEY}
    bot = Bot()
    async with serving(slack_work, bot.router, FixedClock(NOW), **settings) as world:
        world.bot = bot
        yield world


async def begin(world: World) -> tuple[str, str]:
    """Follow the link; return the state and the cookie that holds it."""
    answer = await world.slack.client.get("/slack/install", allow_redirects=False)
    assert answer.status == 302
    address = urlsplit(answer.headers["Location"])
    asked = parse_qs(address.query)
    assert asked["scope"] == [",".join(SCOPES)]
    cookie = answer.cookies[COOKIE]
    assert cookie["secure"]
    assert cookie["httponly"]
    return asked["state"][0], cookie.value


async def finish(world: World, state: str, cookie: str, code: str = "a code") -> tuple[int, str]:
    headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
    async with world.slack.client.get(
        "/slack/oauth_redirect", params={"state": state, "code": code}, headers=headers
    ) as answer:
        return answer.status, await answer.text()


async def test_the_app_is_installed_from_the_browser_and_then_answers(installable: World) -> None:
    status, _ = await installable.slack.send(b"command=/reclaim&text=spend&team_id=" + TEAM.encode() + b"&user_id=U1")
    assert status == 403
    assert (await finish(installable, *await begin(installable)))[0] == 200
    said = await installable.slack.type(ALLAN, "spend")
    assert "Recoverable spend" in json.dumps(said)


async def test_the_token_is_not_stored_in_clear(installable: World, sqlite_url: str) -> None:
    await finish(installable, *await begin(installable))
    database = Database(sqlite_url)
    async with database.reads.connect() as connection:
        [stored] = (await connection.execute(text("SELECT token FROM slack_installations"))).scalars()
    await database.dispose()
    assert TOKEN not in stored
    assert fernet(KEY).decrypt(stored.encode()).decode() == TOKEN


async def test_a_state_is_good_once(installable: World) -> None:
    state, cookie = await begin(installable)
    assert (await finish(installable, state, cookie))[0] == 200
    assert (await finish(installable, state, cookie))[0] == 400


async def test_a_state_dies_after_ten_minutes(installable: World) -> None:
    state, cookie = await begin(installable)
    installable.clock.advance(timedelta(seconds=STATE_S + 1))
    assert (await finish(installable, state, cookie))[0] == 400


@pytest.mark.parametrize("wrong", ["", "junk", "é", "gAAAA"])
async def test_a_state_that_was_not_begun_here_keeps_no_token(installable: World, wrong: str) -> None:
    state, cookie = await begin(installable)
    for given, held in ((wrong, cookie), (state, ""), (wrong, wrong if wrong.isascii() else "")):
        assert (await finish(installable, given, held))[0] == 400
    assert installable.workspace.of("oauth.v2.access") == []


async def test_a_code_that_slack_does_not_know_keeps_nothing(installable: World) -> None:
    state, cookie = await begin(installable)
    assert (await finish(installable, state, cookie, "stolen"))[0] == 502
    async with installable.work.read() as reading:
        assert await reading.slack_installations.all() == []


async def test_who_cancels_at_slack_is_told_that_nothing_changed(installable: World) -> None:
    async with installable.slack.client.get("/slack/oauth_redirect", params={"error": "access_denied"}) as answer:
        assert answer.status == 200
        assert "Nothing was changed" in await answer.text()


@pytest.mark.parametrize(
    "event",
    [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOT"]}}],
    ids=["app_uninstalled", "tokens_revoked"],
)
async def test_an_app_that_was_removed_is_forgotten(installable: World, event: dict[str, Any]) -> None:
    await finish(installable, *await begin(installable))
    assert await installable.slack.event(event) == 200
    async with installable.work.read() as reading:
        assert await reading.slack_installations.all() == []
    status, _ = await installable.slack.send(b"command=/reclaim&text=spend&team_id=" + TEAM.encode() + b"&user_id=U1")
    assert status == 403


async def test_a_revoked_token_of_a_person_is_none_of_ours(installable: World) -> None:
    await finish(installable, *await begin(installable))
    await installable.slack.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}})
    async with installable.work.read() as reading:
        assert len(await reading.slack_installations.all()) == 1


async def test_an_org_wide_installation_serves_every_workspace_of_the_organisation(world: World) -> None:
    installs = world.channel.installs
    keyed = Installs(
        api=world.channel._api,
        work=world.work,
        clock=world.clock,
        bot_token=None,
        key=KEY,
        monotonic=lambda: 0.0,
    )
    await keyed.put(Workspace(id="E1", token="xoxb-org", bot_user="U0", org_wide=True), "chat:write")
    assert (await keyed.find("T77", "E1")) is not None
    assert (await keyed.find("T77", "E2")) is None
    assert (await keyed.find("E1", None)) is None
    # Another process without the key sees that there is one, and cannot use it.
    assert await installs.find("T77", "E1") is None


async def test_a_key_that_was_changed_makes_its_tokens_useless_and_says_so(
    slack_work: SqlWork, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    made = {"api": world.channel._api, "work": slack_work, "clock": world.clock, "bot_token": None}
    old = Installs(**made, key=KEY, monotonic=lambda: 0.0)  # type: ignore[arg-type]
    await old.put(Workspace(id="T5", token="xoxb-5", bot_user="U0"), "")
    new = Installs(**made, key=Fernet.generate_key().decode(), monotonic=lambda: 0.0)  # type: ignore[arg-type]
    assert await new.find("T5") is None


@pytest.mark.parametrize("key", ["", "short", "é" * 44, "A" * 43])
def test_a_key_that_is_none_is_refused_in_words(key: str) -> None:
    with pytest.raises(InvalidRequest, match="reclaim token-key"):
        fernet(key)


async def test_a_token_of_the_settings_that_slack_does_not_know_serves_nobody(slack_work: SqlWork) -> None:
    async with serving(slack_work, Bot().router, FixedClock(NOW), bot_token="xoxb-wrong") as world:
        with pytest.raises(DeliveryError):
            await world.channel.installs.find(TEAM)
        status, _ = await world.slack.send(b"command=/reclaim&text=spend&team_id=" + TEAM.encode() + b"&user_id=U1")
        assert status == 503


class SocketSlack:
    """The web socket of Socket Mode: says hello, sends one command, keeps what comes back."""

    def __init__(self) -> None:
        self.acknowledged: list[dict[str, Any]] = []
        self.heard = asyncio.Event()

    def app(self, url: list[str]) -> web.Application:
        async def opened(_: web.Request) -> web.Response:
            return web.json_response({"ok": True, "url": url[0].replace("http", "ws") + "link"})

        async def link(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_json({"type": "hello", "num_connections": 1})
            command = {
                "command": "/reclaim",
                "text": "spend",
                "team_id": TEAM,
                "user_id": ALLAN,
                "trigger_id": "s1",
                "response_url": "",
            }
            await socket.send_json(
                {"type": "slash_commands", "envelope_id": "e1", "accepts_response_payload": True, "payload": command}
            )
            async for message in socket:
                if message.type is WSMsgType.TEXT and message.data.startswith("{"):
                    self.acknowledged.append(json.loads(message.data))
                    self.heard.set()
            return socket

        app = web.Application()
        app.router.add_post("/api/apps.connections.open", opened)
        app.router.add_get("/link", link)
        return app


async def test_socket_mode_answers_without_an_address_of_our_own(slack_work: SqlWork) -> None:
    bot, slack, url = Bot(), SocketSlack(), [""]
    async with (
        serving(slack_work, bot.router, FixedClock(NOW)) as world,
        TestServer(slack.app(url), host="127.0.0.1") as server,
    ):
        url[0] = str(server.make_url("/"))
        chat = SlackChat(
            dispatch=bot.router,
            transport=world.channel.transport,
            api=world.channel._api,
            installs=world.channel.installs,
            people=world.channel._people,
            background=world.channel.background,
        )

        async def first_time(_: str) -> bool:
            return True

        bolt = Bolt(
            client=world.channel._api.client(), installs=world.channel.installs, chat=chat, first_time=first_time
        )
        close = await bolt.connect("xapp-1", f"{url[0]}api/")
        async with asyncio.timeout(10):
            await slack.heard.wait()
        await close()
    [said] = slack.acknowledged
    assert said["envelope_id"] == "e1"
    assert "Recoverable spend" in json.dumps(said["payload"])


@pytest.mark.parametrize(
    "given", [{"host": "reclaim.contoso.com"}, {"host": None}, {"host": "r.contoso.com", "org_wide": True}]
)
def test_the_manifest_is_valid_and_asks_for_the_least(given: dict[str, Any]) -> None:
    made = json.loads(build(**given))
    if SCHEMA.exists():
        jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(made)
    assert set(made["oauth_config"]["scopes"]["bot"]) == set(SCOPES) == KNOWN_SCOPES
    assert set(made["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS) == KNOWN_EVENTS
    assert "user" not in made["oauth_config"]["scopes"]
    assert made["settings"]["org_deploy_enabled"] is given.get("org_wide", False)
    written = json.dumps(made)
    assert "{host}" not in written
    if given["host"] is None:
        assert made["settings"]["socket_mode_enabled"]
        assert "https://" not in written
    else:
        assert set(re.findall(r"https://([^/\"]+)", written)) == {given["host"]}


@pytest.mark.parametrize("host", ["", "localhost", "a b.c", "https://", "x" * 300 + ".com", "evil.com/path"])
def test_a_host_that_slack_cannot_reach_is_refused(host: str) -> None:
    with pytest.raises(InvalidRequest, match="Example"):
        build(host=host)


def test_the_manifest_of_the_folder_is_the_only_one() -> None:
    folder = Path(__file__).parents[2] / "manifest" / "slack"
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json"]


async def test_storage_keeps_one_row_a_workspace(slack_work: SqlWork, world: World) -> None:
    keyed = Installs(
        api=world.channel._api, work=slack_work, clock=world.clock, bot_token=None, key=KEY, monotonic=lambda: 0.0
    )
    await keyed.put(Workspace(id="T5", token="xoxb-old", bot_user="U0"), "chat:write")
    await keyed.put(Workspace(id="T5", token="xoxb-new", bot_user="U0"), "chat:write")
    found = await keyed.find("T5")
    assert found is not None
    assert found.token == "xoxb-new"


async def test_a_server_starts_and_stops_although_slack_opens_no_socket(slack_work: SqlWork) -> None:
    bot = Bot()
    async with serving(slack_work, bot.router, FixedClock(NOW), app_token="xapp-1") as world:  # it knows no such method
        assert "Recoverable spend" in json.dumps(await world.slack.type(ALLAN, "spend"))
        assert world.workspace.of("apps.connections.open") != []
