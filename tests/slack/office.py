"""The people at Slack on the real core: typed and pressed there, each request signed, each answer seen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.guard import MAX_BODY, Rate, StoredRequests
from bot.inbound import Sent
from bot.mirror import LiveMessages
from bot.outbound import Outbox
from bot.router import Router
from bot.slack.channel import SlackChannel, SlackSettings
from cards.view import CardView
from reclaim.domain.campaign import WriteMode
from reclaim.domain.ids import PersonId
from reclaim.domain.notices import Notice
from reclaim.ports.chat import Delivery
from reclaim.ports.storage import MessageRecord, Work
from tests.databases import copy_sqlite
from tests.fakes import SequentialTokens
from tests.services.campaign_world import NORA, POLICY, ROSA, CampaignWorld
from tests.services.world import ALLAN, LYNNE, MEGAN
from tests.slack import workspace as workspaces
from tests.slack.member import SECRET, Slack
from tests.slack.workspace import TOKEN, Message, Workspace, words
from tests.unit.bot.test_on_the_real_core import services

USERS = {ALLAN: "U1ALLAN", LYNNE: "U2LYNNE", MEGAN: "U3MEGAN", NORA: "U4NORA", ROSA: "U5ROSA"}


# How long an answer waits for the core: as long as it takes, that a slow machine sees what a quick one does.
WITHIN_S = 60.0


class Ticking:
    """Real time that only grows, by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class LateMessenger:
    """The real outbox, which can only be made when the services' storage is open."""

    work: Work
    outbox: Outbox

    async def deliver(self, person: PersonId, notice: Notice) -> Delivery:
        return await self.outbox.deliver(person, notice)

    async def retire(self, matter: str, notice: Notice) -> None:
        await self.outbox.retire(matter, notice)


class OtherChat:
    """Another channel, which reaches whom it is told to; it comes before Slack."""

    channel = "teams"

    def __init__(self) -> None:
        self.reached: set[PersonId] = set()
        self.cards: list[CardView] = []

    async def check(self) -> None:
        return None

    async def reach(self, person: PersonId) -> str | None:
        return f"teams-{person}" if person in self.reached else None

    async def send(self, conversation: str, card: CardView) -> Sent:
        self.cards.append(card)
        return Sent(external_id=f"t{len(self.cards)}", payload_sha256="0" * 64)

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        self.cards.append(card)
        return Sent(external_id=external_id, payload_sha256="0" * 64)


@dataclass
class Office:
    """The people at Slack, and the campaign's world behind it."""

    slack: Slack
    workspace: Workspace
    core: CampaignWorld
    channel: SlackChannel
    teams: OtherChat

    async def settle(self) -> None:
        await self.channel.background.finish()
        await self.core.settle()
        await self.channel.background.finish()
        self.slack.now = self.core.clock.now()

    async def type(self, person: PersonId, text: str) -> str:
        """Type a command; return all that the person alone then sees of it."""
        said = await self.slack.type(USERS[person], text)
        await self.settle()
        return words(said)

    async def press(self, person: PersonId, label: str) -> Message:
        """Press a button of the newest message with the bot; return it as it then stands."""
        message = self.newest(person)
        assert await self.slack.press(USERS[person], message, label) == 200
        await self.settle()
        return message

    async def submit(self, person: PersonId, **filled: object) -> None:
        await self.slack.submit(USERS[person], self.slack.open_view(USERS[person]), **filled)
        await self.settle()

    def direct(self, person: PersonId) -> list[Message]:
        own = self.workspace.direct(USERS[person])
        return [message for message in self.workspace.messages.values() if message.channel == own]

    def newest(self, person: PersonId) -> Message:
        return self.direct(person)[-1]

    def told(self, person: PersonId) -> str:
        alone = [each for each in self.workspace.messages.values() if each.ephemeral_for == USERS[person]]
        return alone[-1].text + words(alone[-1].blocks)

    async def records(self, person: PersonId) -> list[MessageRecord]:
        async with self.core.work.read() as reading:
            live = await reading.messages.live_of_matter(f"wave:{self.core.campaign_id}")
        return [each for each in live if each.person_id == person]

    async def start(self) -> None:
        """Start a campaign through the modal, as an admin does."""
        await self.slack.type(USERS[ALLAN], "start Visio")
        await self.settle()
        view = self.slack.open_view(USERS[ALLAN])
        form = {
            "name": "Visio review",
            "until": "2026-12-04",
            "strategy": "manager",
            "silence": "keep",
            "fallback": LYNNE,
        }
        await self.slack.submit(USERS[ALLAN], view, **form)
        view = self.slack.open_view(USERS[ALLAN])
        labels = [e["text"]["text"] for b in view["blocks"] for e in b.get("elements", []) if e.get("type") == "button"]
        await self.slack.press(USERS[ALLAN], view, next(label for label in labels if label.startswith("Start")))
        await self.settle()
        [running] = (await self.core.statuses.campaigns()).rows
        self.core.campaign_id = running.campaign_id


async def in_utc(_: PersonId) -> str:
    return "UTC"


@asynccontextmanager
async def opened(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    """Open it, with four people who hold a Visio seat that looks idle."""
    rules = replace(POLICY, admins=frozenset({ALLAN}), license_managers=frozenset({LYNNE}), writes=WriteMode.LIVE)
    core = CampaignWorld(copy_sqlite(sqlite_template, tmp_path), policy=rules)
    for ref in ("ada", "ben", "cleo", "dora"):
        core.hire(ref)
    messenger = LateMessenger()
    core.messenger = messenger  # the real one in place of the fake
    await core.start()
    workspace = Workspace()
    for person, user in USERS.items():
        workspace.hire(user, f"{person}@contoso.example")

    async with workspaces.serving(workspace) as api_url, aiohttp.ClientSession() as http:
        settings = SlackSettings(api_url=api_url, signing_secret=SECRET, bot_token=TOKEN, within_s=WITHIN_S)
        channel = SlackChannel(
            settings,
            work=core.work,
            clock=core.clock,
            tokens=SequentialTokens(),
            http=http,
            monotonic=Ticking(),
        )
        teams = OtherChat()
        messenger.outbox = Outbox(
            work=core.work,
            clock=core.clock,
            tokens=core.tokens,
            transports=(teams, channel.transport),
            zone_of=in_utc,
        )
        seen = StoredRequests(work=core.work, clock=core.clock)
        router = Router(services(core), seen=seen, rate=Rate(monotonic=lambda: 0.0, burst=1000))
        app = web.Application(client_max_size=MAX_BODY)
        mirror = LiveMessages(work=core.work, waves=core.waves, messenger=messenger)
        channel.serve(app, dispatch=router, seen=seen, mirror=mirror)
        await core.sync()
        async with TestClient(TestServer(app, host="127.0.0.1")) as client:
            yield Office(Slack(client, workspace, core.clock.now()), workspace, core, channel, teams)
        await channel.background.finish()
    await core.stop()
