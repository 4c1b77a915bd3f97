"""The bot on its route with a made-up core, and a workspace of Slack around it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.guard import MAX_BODY
from bot.inbound import Action, Dispatch
from bot.slack.channel import SlackChannel, SlackSettings
from reclaim.domain.ids import PersonId
from reclaim.ports.directory import PersonRow
from reclaim.ports.storage import Identity, Work
from storage.engine import Database
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import row, sync
from tests.databases import store_job
from tests.fakes import FixedClock, SequentialTokens
from tests.golden.cards.models import NOW
from tests.slack import workspace as workspaces
from tests.slack.member import SECRET, Slack
from tests.slack.office import WITHIN_S, Office, Ticking, opened
from tests.slack.workspace import TOKEN, Workspace
from tests.unit.bot.fakes import ADMIN, AUDITOR, MANAGER, NOBODY, Bot, Seen

USERS = {ADMIN: "U1ALLAN", MANAGER: "U2LYNNE", AUDITOR: "U3CHRIS", NOBODY: "U4ADELE"}
ALLAN, LYNNE, ADELE = USERS[ADMIN], USERS[MANAGER], USERS[NOBODY]


@dataclass
class Mirrored:
    """Notes which answers are to be shown elsewhere too."""

    actions: list[Action]

    async def answered(self, action: Action) -> None:
        self.actions.append(action)


@dataclass
class World:
    """`settle` waits for what goes on behind answers."""

    slack: Slack
    workspace: Workspace
    bot: Bot
    channel: SlackChannel
    work: Work
    clock: FixedClock
    mirrored: Mirrored
    app: web.Application

    async def settle(self) -> None:
        await self.channel.background.finish()

    async def type(self, user: str, text: str) -> None:
        await self.slack.type(user, text)
        await self.settle()

    async def identity(self, person: PersonId) -> Identity | None:
        async with self.work.read() as reading:
            return await reading.identities.get("slack", person)


def somebody(person: PersonId, **fields: object) -> PersonRow:
    one = row(person)
    return replace(one, person=replace(one.person, **{"mail": f"{person}@contoso.example", **fields}))  # type: ignore[arg-type]


@pytest.fixture
async def slack_work(sqlite_url: str) -> AsyncIterator[SqlWork]:
    database = Database(sqlite_url)
    yield SqlWork(database, store_job)
    await database.dispose()


@pytest.fixture
async def world(slack_work: SqlWork) -> AsyncIterator[World]:
    bot = Bot()
    async with serving(slack_work, bot.router, FixedClock(NOW)) as made:
        made.bot = bot
        yield made


class serving:  # noqa: N801 - reads as the function that it is
    """Serve the channel over a dispatch, with everybody of `USERS` in the directory and in Slack."""

    def __init__(self, work: Work, dispatch: Dispatch, clock: FixedClock, **settings: object) -> None:
        self._work = work
        self._dispatch = dispatch
        self._clock = clock
        self._settings = settings
        self._stack: list[object] = []

    async def __aenter__(self) -> World:
        workspace = Workspace()
        for person, user in USERS.items():
            workspace.hire(user, f"{person}@contoso.example")
        await sync(self._work, 1, [somebody(person) for person in USERS])
        self._api = workspaces.serving(workspace)
        api_url = await self._api.__aenter__()
        self._http = aiohttp.ClientSession()
        given = {
            "api_url": api_url,
            "signing_secret": SECRET,
            "bot_token": TOKEN,
            "within_s": WITHIN_S,
            **self._settings,
        }
        settings = SlackSettings(**given)  # type: ignore[arg-type]
        ticking = Ticking()
        channel = SlackChannel(
            settings,
            work=self._work,
            clock=self._clock,
            tokens=SequentialTokens(),
            http=self._http,
            monotonic=ticking,
        )
        app = web.Application(client_max_size=MAX_BODY)
        mirrored = Mirrored([])
        channel.serve(app, dispatch=self._dispatch, seen=Seen(), mirror=mirrored)
        self._client = TestClient(TestServer(app, host="127.0.0.1"))
        await self._client.start_server()
        slack = Slack(self._client, workspace, self._clock.now())
        return World(slack, workspace, Bot(), channel, self._work, self._clock, mirrored, app)

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()
        await self._http.close()
        await self._api.__aexit__(None, None, None)


@pytest.fixture
async def office(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(sqlite_template, tmp_path) as running:
        yield running
