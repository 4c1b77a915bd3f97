"""Card clicks in Teams: `reclaim serve`, with a durable decision and its card behind each, against a bare botbuilder bot.

Both check the same signed token, each in a process of its own; the load comes from this one. And proactive messages against
the rate that Teams allows, at a Connector that throttles beyond it.
"""

import asyncio
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.measure import RUNS, Measure
from benchmarks.samples import CAMPAIGN, campaign, review_item, store_reviewer
from bot.teams.pace import PER_SECOND, Pace
from bot.teams.sdk import TeamsSdk
from bot.teams.transport import TeamsTransport
from cards.view import CardView, Headline
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.domain.ids import PersonId
from reclaim.domain.review import Choice
from storage.engine import Database
from storage.migrate import upgrade
from storage.unit_of_work import SqlWork
from tests.teams.key_server import APP_ID, TENANT_ID, KeyServer, serving, token

SERVICE_URL = "http://127.0.0.1:9/"  # nobody is there: neither bot replies
ITEMS, REVIEWERS = 30_000, 3_000
SECONDS, CLIENTS = 5.0, 32
STEADY, STEADY_S = 50, 10
MESSAGES = 600


def measures() -> Iterator[Measure]:
    """Return clicks a second, their p99 at Teams' own rate, and messages a second."""
    yield from asyncio.run(_clicks())
    yield from asyncio.run(_messages())


@dataclass(frozen=True, slots=True)
class _Bot:
    name: str
    url: str


async def _clicks() -> list[Measure]:
    keys = KeyServer()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "reclaim.db"
        await _seed(database)
        async with serving(keys) as openid_url, aiohttp.ClientSession() as session:
            with _ours(database, openid_url) as ours, _bare(openid_url) as bare:
                await asyncio.gather(_ready(session, ours), _ready(session, bare))
                numbers = itertools.count()
                per_second: dict[str, list[float]] = {ours.name: [], bare.name: []}
                for _ in range(RUNS):
                    for bot in (ours, bare):
                        per_second[bot.name].append(await _throughput(bot, numbers))
                p99 = [await _steady(ours, numbers) for _ in range(RUNS)]
        decided = await _decided(database)
    assert decided > 0, "no click became a decision"
    return [
        Measure(
            name="authenticated Teams clicks, each a durable decision and its card",
            value=statistics.median(per_second[ours.name]),
            unit="clicks/s",
            baseline="a bare botbuilder bot with the same authentication and no reply",
            baseline_value=statistics.median(per_second[bare.name]),
            goal=1.0,
            better="higher",
        ),
        Measure(
            name="p99 of a Teams click at 50 clicks/s",
            value=statistics.median(p99),
            unit="ms",
            baseline="limit",
            baseline_value=150.0,
            goal=1.0,
            better="lower",
        ),
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


async def _decided(path: Path) -> int:
    database = Database(f"sqlite:///{path}")
    async with SqlWork(database, lambda _connection, _job: None).read() as reading:
        figures = await reading.items.figures(CAMPAIGN)
    await database.dispose()
    return sum(figure.items for figure in figures if figure.choice is Choice.REVOKE)


@contextmanager
def _ours(database: Path, openid_url: str) -> Iterator[_Bot]:
    port = _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RECLAIM_")},
        "RECLAIM_DATABASE_URL": f"sqlite:///{database}",
        "RECLAIM_LISTEN": f"127.0.0.1:{port}",
        "RECLAIM_TENANT_ID": TENANT_ID,
        "RECLAIM_CLIENT_ID": APP_ID,
        "RECLAIM_CLIENT_SECRET": "not used",
        "RECLAIM_DEVELOPMENT": "true",
        "RECLAIM_TEAMS_APP_ID": APP_ID,
        "RECLAIM_TEAMS_APP_SECRET": "not used",
        "RECLAIM_TEAMS_OPENID_URL": openid_url,
    }
    with _process([sys.executable, "-c", "import app; app.main()", "serve"], environment):
        yield _Bot("ours", f"http://127.0.0.1:{port}")


@contextmanager
def _bare(openid_url: str) -> Iterator[_Bot]:
    port = _free_port()
    words = [sys.executable, "-m", "benchmarks.teams_bare", str(port), APP_ID, TENANT_ID, openid_url]
    with _process(words, dict(os.environ)):
        yield _Bot("bare", f"http://127.0.0.1:{port}")


@contextmanager
def _process(words: Sequence[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own commands
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


async def _ready(session: aiohttp.ClientSession, bot: _Bot) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with session.get(f"{bot.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)


async def _throughput(bot: _Bot, numbers: Iterator[int]) -> float:
    """Return answers a second in a closed loop."""
    until = time.perf_counter() + SECONDS
    done = 0
    headers = _headers()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS), headers=headers) as session:

        async def client() -> None:
            nonlocal done
            while time.perf_counter() < until:
                await _one(session, bot, next(numbers))
                done += 1

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return done / (time.perf_counter() - began)


async def _steady(bot: _Bot, numbers: Iterator[int]) -> float:
    """Return the p99 in milliseconds of clicks that come at an even pace, whether or not the earlier ones are answered."""
    spent: list[float] = []
    async with aiohttp.ClientSession(headers=_headers()) as session:

        async def click() -> None:
            began = time.perf_counter()
            await _one(session, bot, next(numbers))
            spent.append((time.perf_counter() - began) * 1000)

        began = time.perf_counter()
        tasks = []
        for number in range(STEADY * STEADY_S):
            await asyncio.sleep(max(0.0, began + number / STEADY - time.perf_counter()))
            tasks.append(asyncio.create_task(click()))
        await asyncio.gather(*tasks)
    return statistics.quantiles(spent, n=100)[98]


async def _one(session: aiohttp.ClientSession, bot: _Bot, number: int) -> None:
    body = _click(number) if bot.name == "ours" else _message(number)
    async with session.post(f"{bot.url}/api/messages", data=json.dumps(body)) as answer:
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
