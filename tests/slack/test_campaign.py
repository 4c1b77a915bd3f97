"""A whole campaign in Slack, on the real core: typed and pressed there, each request signed, each answer seen."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
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
from reclaim.domain.notices import Notice, WaveNotice
from reclaim.ports.chat import Delivery
from reclaim.ports.storage import MessageRecord, Work
from tests.databases import copy_sqlite
from tests.fakes import SequentialTokens
from tests.services.campaign_world import NORA, POLICY, ROSA, CampaignWorld
from tests.services.world import ALLAN, LYNNE, MEGAN
from tests.slack import workspace as workspaces
from tests.slack.conftest import Ticking
from tests.slack.member import SECRET, Slack
from tests.slack.workspace import TOKEN, Message, Workspace, words
from tests.unit.bot.test_on_the_real_core import services

USERS = {ALLAN: "U1ALLAN", LYNNE: "U2LYNNE", MEGAN: "U3MEGAN", NORA: "U4NORA", ROSA: "U5ROSA"}


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


@pytest.fixture
async def office(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
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
        settings = SlackSettings(api_url=api_url, signing_secret=SECRET, bot_token=TOKEN)
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


async def test_from_the_modal_to_seats_that_are_verified_gone(office: Office) -> None:
    await office.start()
    assert "4 seats to check" in words(office.newest(MEGAN).blocks)
    assert office.direct(MEGAN)[-1].edits == 0

    menu = next(block["accessory"] for block in office.newest(MEGAN).blocks if "accessory" in block)
    message = await office.press(MEGAN, menu["options"][0]["text"]["text"])
    assert "If you revoke" in words(message.blocks)
    await office.press(MEGAN, "Keep…")
    refused = await office.slack.submit(USERS[MEGAN], office.slack.open_view(USERS[MEGAN]))
    assert list(refused["errors"].values()) == ["Please pick a reason."]
    await office.submit(MEGAN, reason="current_work", note="Drawings")
    assert "You kept this seat" in words(office.newest(MEGAN).blocks)

    await office.press(MEGAN, "‹ All 3 seats")
    message = await office.press(MEGAN, "Revoke ticked")
    assert "All 4 answered" in words(message.blocks)
    await office.press(MEGAN, "Undo last")
    await office.press(MEGAN, "Revoke ticked")
    assert len(office.direct(MEGAN)) == 1  # one live message, redrawn in place
    await office.core.close()
    await office.settle()

    outcomes = sorted(str(one) for one in (await office.core.outcomes()).values())
    assert outcomes == ["kept", "removed", "removed", "removed"]
    assert "Visio review" in await office.type(ALLAN, "status")
    await office.type(ALLAN, "export")
    assert sorted(name.rpartition(".")[2] for _, name, _ in office.workspace.shared) == ["csv", "html", "json"]


async def test_delegating_moves_the_seats_to_a_list_of_their_own(office: Office) -> None:
    await office.start()
    await office.press(MEGAN, "Delegate ticked…")
    [found] = await office.slack.look_up(USERS[MEGAN], "nora")
    await office.submit(MEGAN, who=found["value"], reason="Leads the project")
    assert "Nothing left for you" in words(office.newest(MEGAN).blocks)
    assert "4 seats to check" in words(office.newest(NORA).blocks)
    await office.press(NORA, "Revoke ticked")
    answered = {item.answer.by for item in await office.core.items() if item.answer}
    assert answered == {NORA}


async def test_nobody_decides_for_others_whatever_the_button_says(office: Office) -> None:
    await office.start()
    [first, *_] = await office.core.items()
    forged = {"type": "button", "value": f"v1|item.revoke||{first.id}"}
    shared = {"type": "message", "channel_id": "C01", "message_ts": office.newest(MEGAN).ts, "is_ephemeral": False}
    await office.slack.interact(USERS[NORA], office.newest(MEGAN), forged, container=shared)
    await office.settle()
    assert [item for item in await office.core.items() if item.answer] == []
    assert "Megan" in office.told(NORA)
    assert office.newest(MEGAN).edits == 0


async def test_one_item_of_another_person_among_the_ticked_ones_changes_nothing(office: Office) -> None:
    office.core.hire("zoe", manager=NORA)
    await office.core.sync()
    await office.start()
    [foreign] = [item for item in await office.core.items() if item.person_id == "zoe"]
    own = next(item for item in await office.core.items() if item.person_id == "ada")
    button = {"type": "button", "value": f"v1|wave.revoke||{office.core.campaign_id}"}
    message = office.newest(MEGAN)
    block = next(block for block in message.blocks if str(block.get("block_id")).startswith("ticks:"))
    chosen = [{"value": f"t.{own.id}"}, {"value": f"t.{foreign.id}"}]
    state = {"values": {block["block_id"]: {"v": {"type": "checkboxes", "selected_options": chosen}}}}
    await office.slack.interact(USERS[MEGAN], message, button, state=state)
    await office.settle()
    assert [item.person_id for item in await office.core.items() if item.answer and item.person_id == "zoe"] == []


async def test_a_person_on_two_chats_gets_one_question_and_an_answer_in_one_redraws_the_other(office: Office) -> None:
    office.teams.reached.add(MEGAN)
    await office.start()
    assert office.direct(MEGAN) == []
    assert "4 seats to check" in office.teams.cards[0].headline.title

    await office.slack.event({"type": "app_home_opened", "tab": "home", "user": USERS[MEGAN]})
    await office.settle()
    home = office.workspace.homes[USERS[MEGAN]]
    await office.slack.press(USERS[MEGAN], home, "Open the list")
    await office.settle()
    await office.slack.press(USERS[MEGAN], office.workspace.homes[USERS[MEGAN]], "Revoke ticked")
    await office.settle()

    assert office.teams.cards[-1].headline.title == "All 4 answered"
    assert office.direct(MEGAN) == []  # no second question
    assert len(await office.records(MEGAN)) == 1


async def test_the_inbox_that_is_asked_for_here_comes_here(office: Office) -> None:
    office.teams.reached.add(MEGAN)
    await office.start()
    said = await office.type(MEGAN, "inbox")
    assert "direct messages" in said
    assert "4 seats to check" in words(office.newest(MEGAN).blocks)
    assert office.teams.cards[-1].kind == "review.moved"


async def test_whom_slack_does_not_know_is_reached_elsewhere(office: Office) -> None:
    del office.workspace.users[USERS[MEGAN]]
    office.teams.reached.add(MEGAN)
    await office.start()
    assert [card.kind for card in office.teams.cards] == ["review.wave"]


async def test_whom_no_chat_knows_is_left_as_not_reached(office: Office) -> None:
    del office.workspace.users[USERS[MEGAN]]
    await office.start()
    async with office.core.work.read() as reading:
        assert await reading.items.without_card(office.core.campaign_id) == [MEGAN]


async def test_a_message_is_updated_and_not_posted_again_by_a_process_that_starts_anew(office: Office) -> None:
    await office.start()
    [before] = await office.records(MEGAN)
    wave = await office.core.waves.wave(office.core.campaign_id, MEGAN)
    assert wave is not None
    office.workspace.calls.clear()
    fresh = Outbox(
        work=office.core.work,
        clock=office.core.clock,
        tokens=office.core.tokens,
        transports=(office.teams, office.channel.transport),
        zone_of=in_utc,
    )
    await fresh.deliver(MEGAN, WaveNotice(wave=wave))
    [after] = await office.records(MEGAN)
    assert len(office.direct(MEGAN)) == 1
    assert (after.id, after.external_id, after.version) == (before.id, before.external_id, before.version + 1)
    assert len(office.workspace.of("chat.update")) == 1


@pytest.mark.parametrize(
    "text", ["help", "seats mine", "why ada", "history", "campaigns", "status --by-reviewer", "spend"]
)
async def test_every_kind_of_answer_is_taken_by_slack(office: Office, text: str) -> None:
    await office.start()
    assert len(await office.type(ALLAN, text)) > 100
    assert not [m for m in office.workspace.messages.values() if m.ephemeral_for and "did not work" in m.text]
