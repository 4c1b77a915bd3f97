"""A whole installation as people in Teams meet it: the real core on a practice tenant, a key server, a Bot Connector.

All of it speaks over HTTP on loopback; nothing inside the product is patched. A `Person` does what a person does in Teams:
writes, presses what stands on a card with its inputs as they stand, opens a card later.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

import app as product
from bot import server
from bot.guard import StoredRequests
from bot.inbound import Transport
from bot.practice import Calendar
from bot.teams.channel import TeamsChannel, teams_settings
from bot.teams.transport import Installer
from reclaim.connectors import graph
from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.connectors.practice import PracticeControl, PracticePersona
from reclaim.connectors.tokens import RandomTokens
from reclaim.ports.storage import Work
from rehearsal import PracticeTenant
from storage.migrate import upgrade
from tests.teams import connector as connectors
from tests.teams import key_server
from tests.teams.connector import TOKEN, Connector
from tests.teams.key_server import APP_ID, KeyServer, token

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
CARD = "application/vnd.microsoft.card.adaptive"
DRIVE = "https://contoso-my.sharepoint.com"
_PATIENCE_S = 20

Node = dict[str, Any]


@dataclass
class Message:
    """A message in a chat as it stands now."""

    id: str
    summary: str
    card: Node


def nodes(node: object) -> Iterator[Node]:
    """Yield every object of a card, outer ones first; what only other clients show is left out."""
    if isinstance(node, dict):
        yield node
        for name, part in node.items():
            if name not in ("fallback", "refresh"):
                yield from nodes(part)
    elif isinstance(node, list):
        for part in node:
            yield from nodes(part)


def texts(card: Node) -> str:
    """Return all that a reader sees."""
    shown = [str(node[key]) for node in nodes(card) for key in ("text", "title", "value", "label") if key in node]
    return "\n".join(shown)


def verbs(card: Node) -> list[str]:
    """Return what can be pressed, in order."""
    return [node["verb"] for node in nodes(card) if node.get("type") == "Action.Execute"]


def inputs(card: Node) -> dict[str, str]:
    """Return what a client would send of a card that nobody has touched."""
    return {
        node["id"]: str(node.get("value", ""))
        for node in nodes(card)
        if str(node.get("type", "")).startswith("Input.") and "id" in node
    }


def ticks(card: Node) -> list[str]:
    """Return the boxes of a list, in order."""
    return [name for name in inputs(card) if name.startswith("t.")]


@dataclass
class Campus:
    """The installation and its people."""

    client: TestClient[Any, Any]
    app: product.Application
    clock: SteppingClock
    calendar: Calendar
    connector: Connector
    keys: KeyServer
    service_url: str
    tenant: PracticeTenant
    cast: Sequence[PracticePersona]
    stored: dict[str, bytes] = field(default_factory=dict)
    number: int = 0

    def who(self, first_name: str) -> "Person":
        persona = next(each for each in self.cast if each.name.split()[0] == first_name)
        return Person(self, persona.id, persona.name)

    def person(self, person_id: str) -> "Person":
        name = next((each.name for each in self.cast if each.id == person_id), "")
        return Person(self, person_id, name)

    async def post(self, activity: Node, signed: str | None = None) -> tuple[int, Node]:
        signed = signed or token(self.clock.now(), serviceurl=self.service_url)
        answer = await self.client.post("/api/messages", json=activity, headers={"Authorization": f"Bearer {signed}"})
        return answer.status, await answer.json() if answer.content_type == "application/json" else {}

    async def until(self, met: Callable[[], object], what: str) -> None:
        """Wait until jobs and what goes on behind answers have led to this."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not met():  # noqa: ASYNC110 - what is waited for is another process' doing, seen from outside
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"waited {_PATIENCE_S} s in vain for: {what}") from None

    async def decisions(self) -> int:
        """Return how many seats have an answer in all campaigns."""
        async with self.app.work.read() as unit:
            campaigns = await unit.campaigns.all()
            figures = [figure for one in campaigns for figure in await unit.items.figures(one.id)]
        return sum(figure.items for figure in figures if figure.choice is not None)


@dataclass
class Person:
    """Somebody in Teams, in their own chat with the bot unless `where` says otherwise."""

    campus: Campus
    id: str
    name: str

    @property
    def chat(self) -> str:
        """The private conversation, made by Teams when the person installs the app or the bot speaks first."""
        known = self.campus.connector.conversations
        return known.setdefault(self.id, f"a:{len(known) + 1};x=@")

    @property
    def messages(self) -> list[Message]:
        found = []
        for (where, message), body in self.campus.connector.messages.items():
            if self.id in self.campus.connector.conversations and where == self.chat:
                attachment = body["attachments"][0]  # type: ignore[index]
                found.append(Message(message, str(body.get("summary", "")), attachment["content"]))
        return found

    def sees(self, text: str) -> Message | None:
        """Return the newest message with this text."""
        return next((each for each in reversed(self.messages) if text in texts(each.card)), None)

    async def gets(self, text: str) -> Message:
        await self.campus.until(lambda: self.sees(text), f"{self.name} gets “{text}”")
        found = self.sees(text)
        assert found is not None
        return found

    async def installs(self) -> None:
        await self.campus.post(self.activity(type="installationUpdate", action="add"))

    async def writes(self, text: str, where: Node | None = None) -> int:
        status, _ = await self.campus.post(self.activity(where, type="message", text=text))
        return status

    async def asks(self, text: str, answer: str) -> Message:
        """Write in the private chat, and return the new message that has the text `answer`."""
        before = {each.id for each in self.messages}
        await self.writes(text)
        found: list[Message] = []

        def answered() -> bool:
            found[:] = [each for each in self.messages if each.id not in before and answer in texts(each.card)]
            return bool(found)

        await self.campus.until(answered, f"an answer to “{text}” with “{answer}”")
        return found[-1]

    async def presses(self, message: Message, verb: str, *, ref: str | None = None, **given: str) -> Node:
        """Press a button as a client does, and return the body of the answer."""
        action = next(
            node
            for node in nodes(message.card)
            if node.get("type") == "Action.Execute"
            and node["verb"] == verb
            and (ref is None or node["data"]["ref"] == ref)
        )
        return await self.clicks(message, action, given)

    async def clicks(
        self, message: Message, action: Node, given: Mapping[str, str] | None = None, *, key: str | None = None
    ) -> Node:
        sent = {} if action.get("associatedInputs") == "none" else inputs(message.card) | dict(given or {})
        assert set(given or {}) <= set(inputs(message.card)), "the card has no such field"
        value = {"action": {**action, "data": {**action["data"], **sent}}, "trigger": "manual"}
        return await self._invokes(message, value, key)

    async def opens(self, message: Message) -> Node | None:
        """Open a card after a while; None: Teams asks nothing for this person."""
        refresh = message.card.get("refresh")
        if refresh is None or f"29:{self.id}" not in refresh["userIds"]:
            return None
        return await self._invokes(message, {"action": refresh["action"], "trigger": "automatic"}, None)

    async def answers_file(self, message: Message, action: str) -> int:
        upload = {
            "uploadUrl": f"{DRIVE}/upload/{message.id}",
            "contentUrl": f"{DRIVE}/files/{message.id}",
            "uniqueId": message.id,
            "fileType": "json",
        }
        value = {"type": "fileUpload", "action": action, "context": message.card[f"{action}Context"]}
        value |= {"uploadInfo": upload} if action == "accept" else {}
        activity = self.activity(type="invoke", name="fileConsent/invoke", value=value)
        return (await self.campus.post(activity))[0]

    async def _invokes(self, message: Message, value: Node, key: str | None) -> Node:
        activity = self.activity(type="invoke", name="adaptiveCard/action", value=value, replyToId=message.id)
        status, body = await self.campus.post(activity | ({"id": key} if key else {}))
        assert status == 200, status
        return body

    def activity(self, where: Node | None = None, **said: Any) -> Node:
        self.campus.number += 1
        tenant = self.campus.tenant.tenant_id
        own = {"id": self.chat, "conversationType": "personal"}
        return {
            "id": str(self.campus.number),
            "channelId": "msteams",
            "serviceUrl": self.campus.service_url + "/",
            "from": {"id": f"29:{self.id}", "name": self.name, "aadObjectId": self.id},
            "recipient": {"id": f"28:{APP_ID}", "name": "Reclaim"},
            "conversation": {**(where or own), "tenantId": tenant},
            "channelData": {"tenant": {"id": tenant}},
            **said,
        }


def shown(body: Node) -> Node:
    """Return the card of an answer."""
    assert (body["statusCode"], body["type"]) == (200, CARD), body
    card: Node = body["value"]
    return card


@asynccontextmanager
async def campus(
    folder: Path,
    *,
    people: int = 110,
    installer: Callable[[Connector], Installer] | None = None,
    fallback: Sequence[Transport] = (),
) -> AsyncIterator[Campus]:
    """Start all of it. `fallback`: channels behind Teams."""
    clock, tokens, connector, keys = SteppingClock(START), RandomTokens(), Connector(limited=True), KeyServer()
    channels: list[TeamsChannel] = []
    stored: dict[str, bytes] = {}

    async def own_token() -> str:
        return TOKEN

    def drive(request: httpx.Request) -> httpx.Response:
        assert "Authorization" not in request.headers
        stored[request.url.path] = request.content
        return httpx.Response(201, json={"id": "1"})

    async with AsyncExitStack() as closing:
        tenant = await PracticeTenant.start(people=people, seed=7, now=START, directory=folder)
        closing.push_async_callback(tenant.stop)
        control = PracticeControl(
            control_url=tenant.control_url, control_key=tenant.control_key, ca_file=tenant.ca_file
        )
        closing.push_async_callback(control.aclose)
        openid_url = await closing.enter_async_context(key_server.serving(keys))
        service_url = await closing.enter_async_context(connectors.serving(connector))
        http = await closing.enter_async_context(
            httpx.AsyncClient(trust_env=False, mounts={DRIVE: httpx.MockTransport(drive)})
        )
        settings = await product.practice_settings(
            tenant,
            control,
            people=people,
            database=folder / "reclaim.db",
            development=True,
            teams_app_id=APP_ID,
            teams_app_secret=SecretStr("not used: the token comes from the test"),
            teams_openid_url=openid_url,
        )
        url = settings.database_url.get_secret_value()
        await asyncio.to_thread(upgrade, url)
        await asyncio.to_thread(migrate_engine, url)
        teams = teams_settings(settings)
        assert teams is not None

        def transports(work: Work, _: graph.GraphConnection) -> Sequence[Transport]:
            channel = TeamsChannel(
                teams,
                work=work,
                clock=clock,
                tokens=tokens,
                token=own_token,
                http=http,
                installer=installer(connector) if installer else None,
                monotonic=time.monotonic,
                service_url=service_url,
            )
            channels.append(channel)
            return (channel.transport, *fallback)

        running = await closing.enter_async_context(
            product.compose(settings, clock=clock, tokens=tokens, transports=transports, polling_interval_s=0.02)
        )
        await running.use.prices.from_csv((await control.setup()).prices_csv, "practice tenant")
        await running.use.sync.run_to_end(None)
        await running.engine.start()
        web = server.application(running.ready)
        channels[0].serve(web, dispatch=running.dispatch, seen=StoredRequests(work=running.work, clock=clock))
        client = await closing.enter_async_context(TestClient(TestServer(web, host="127.0.0.1")))
        yield Campus(
            client=client,
            app=running,
            clock=clock,
            calendar=Calendar(
                tenant=control,
                step=clock.move_to,
                clock=clock,
                engine=running.engine,
                due=running.use.due,
                status=running.use.status,
            ),
            connector=connector,
            keys=keys,
            service_url=service_url,
            tenant=tenant,
            cast=await control.personas(),
            stored=stored,
        )


def file_questions(person: Person) -> list[Message]:
    """Return the questions whether a file may be stored."""
    return [each for each in person.messages if "sizeInBytes" in json.dumps(each.card)]
