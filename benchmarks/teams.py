"""Card clicks in Teams: `reclaim serve`, with a durable decision and its card behind each, against a bare botbuilder bot.

Both check the same signed token, each in a process of its own; the load comes from this one. And proactive messages against
the rate that Teams allows, at a Connector that throttles beyond it.
"""

import asyncio
import itertools
import json
import socket
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks import bots
from benchmarks.measure import Measure, within
from benchmarks.samples import campaign, review_item, store_reviewer
from bot.teams.pace import PER_SECOND, Pace
from bot.teams.sdk import TeamsSdk
from bot.teams.transport import TeamsTransport
from cards.view import CardView, Headline
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.domain.ids import PersonId
from storage.engine import Database
from storage.migrate import upgrade
from storage.unit_of_work import SqlWork
from tests.teams.key_server import APP_ID, TENANT_ID, KeyServer, serving, token

SERVICE_URL = "http://127.0.0.1:9/"  # nobody is there: neither bot replies
ITEMS, REVIEWERS = 30_000, 3_000
MESSAGES = 600


def measures() -> Iterator[Measure]:
    """Return clicks a second, their p99 at Teams' own rate, and messages a second."""
    yield from asyncio.run(_clicks())
    yield from asyncio.run(_messages())


async def _clicks() -> list[Measure]:
    keys = KeyServer()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "reclaim.db"
        await _seed(database)
        async with serving(keys) as openid_url:
            bare_bot = bots.bare("benchmarks.teams_bare", APP_ID, TENANT_ID, openid_url)
            with bots.ours(database, _settings(openid_url)) as ours, bare_bot as bare:
                found = await bots.compare(ours, bare, partial(_send, _headers(), itertools.count()))
        decided = await bots.decided(database)
    assert decided > 0, "no click became a decision"
    return [
        Measure(
            name="authenticated Teams clicks, each a durable decision and its card",
            value=found.ours,
            unit="clicks/s",
            baseline="a bare botbuilder bot with the same authentication and no reply",
            baseline_value=found.bare,
            goal=1.0,
            better="higher",
        ),
        within("p99 of a Teams click at 50 clicks/s", found.p99_ms, "ms", 150.0),
    ]


async def _seed(path: Path) -> None:
    upgrade(f"sqlite:///{path}")
    migrate_engine(f"sqlite:///{path}")
    now = SystemClock().now()
    database = Database(f"sqlite:///{path}")
    work = SqlWork(database, lambda _connection, _job: None)
    async with work.write() as unit:
        await store_reviewer(unit, now)
        await unit.campaigns.add(campaign(now))
        items = [replace(review_item(n), assignee_id=PersonId(f"reviewer-{n % REVIEWERS}")) for n in range(ITEMS)]
        await unit.items.add_many(items, at=now)
        await unit.commit()
    await database.dispose()


def _settings(openid_url: str) -> dict[str, str]:
    return {
        "RECLAIM_TENANT_ID": TENANT_ID,
        "RECLAIM_CLIENT_ID": APP_ID,
        "RECLAIM_DEVELOPMENT": "true",
        "RECLAIM_TEAMS_APP_ID": APP_ID,
        "RECLAIM_TEAMS_APP_SECRET": "not used",
        "RECLAIM_TEAMS_OPENID_URL": openid_url,
    }


async def _send(
    headers: Mapping[str, str], numbers: Iterator[int], session: aiohttp.ClientSession, bot: bots.Bot
) -> None:
    number = next(numbers)
    body = _click(number) if bot.name == "ours" else _message(number)
    async with session.post(f"{bot.url}/api/messages", data=json.dumps(body), headers=headers) as answer:
        content = await answer.read()
        assert answer.status in (200, 202), answer.status
        if bot.name == "ours":
            assert b'"statusCode": 200' in content, content[:300]


def _headers() -> dict[str, str]:
    signed = token(SystemClock().now(), serviceurl=SERVICE_URL)
    return {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}


def _click(number: int) -> dict[str, object]:
    item = number % ITEMS
    action = {"type": "Action.Execute", "verb": "item.revoke", "data": {"v": 1, "ref": f"item-{item:06}"}}
    return _activity(number, f"reviewer-{item % REVIEWERS}") | {
        "type": "invoke",
        "name": "adaptiveCard/action",
        "value": {"action": action, "trigger": "manual"},
    }


def _message(number: int) -> dict[str, object]:
    return _activity(number, f"reviewer-{number % REVIEWERS}") | {"type": "message", "text": "echo"}


def _activity(number: int, person: str) -> dict[str, object]:
    return {
        "id": f"a{number}",
        "channelId": "msteams",
        "serviceUrl": SERVICE_URL,
        "from": {"id": f"29:{person}", "aadObjectId": person},
        "recipient": {"id": f"28:{APP_ID}"},
        "conversation": {"id": f"a:{person}", "conversationType": "personal", "tenantId": TENANT_ID},
        "channelData": {"tenant": {"id": TENANT_ID}},
    }


async def _messages() -> Sequence[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/reclaim.db")
        database = Database(f"sqlite:///{folder}/reclaim.db")
        async with _throttling() as (service_url, refused):

            async def own_token() -> str:
                return "x"

            clock = SystemClock()
            transport = TeamsTransport(
                connector=TeamsSdk(app_id=APP_ID, tenant_id=TENANT_ID, token=own_token),
                work=SqlWork(database, lambda _connection, _job: None),
                clock=clock,
                pace=Pace(monotonic=time.monotonic, sleep=clock.sleep),
                service_url=service_url,
            )
            people = [PersonId(f"person-{number}") for number in range(100)]
            chats = [await transport.reach(person) or "" for person in people]  # the warm-up
            refused.clear()
            card = CardView(kind="bench", headline=Headline(title="9 seats to check"), body=(), fallback="9 seats")
            began = time.perf_counter()
            await asyncio.gather(*(transport.send(chats[number % len(chats)], card) for number in range(MESSAGES)))
            rate = MESSAGES / (time.perf_counter() - began)
        await database.dispose()
    return [
        Measure(
            name="proactive Teams messages",
            value=rate,
            unit="messages/s",
            baseline="the rate that Teams allows a bot in a tenant",
            baseline_value=PER_SECOND,
            goal=0.95,
            better="higher",
        ),
        Measure(
            name=f"requests of these {MESSAGES:,} messages that were not turned away",
            value=MESSAGES - len(refused),
            unit="requests",
            baseline="all",
            baseline_value=MESSAGES,
            goal=1.0,
            better="higher",
        ),
    ]


@asynccontextmanager
async def _throttling() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a Connector that answers 429 to more than 50 requests in any second; yields its address and the refused paths."""
    recent: deque[float] = deque()
    refused: list[str] = []
    numbers = itertools.count(1)

    async def answer(request: web.Request) -> web.Response:
        now = time.monotonic()
        while recent and now - recent[0] >= 1.0:
            recent.popleft()
        if len(recent) >= PER_SECOND:
            refused.append(request.path)
            return web.json_response({"error": {"code": "TooManyRequests"}}, status=429, headers={"Retry-After": "1"})
        recent.append(now)
        return web.json_response({"id": f"x{next(numbers)}"}, status=200 if request.method == "GET" else 201)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/")).rstrip("/"), refused


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
