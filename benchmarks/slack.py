"""Clicks in Slack: `reclaim serve`, a durable decision behind each, against a bare slack-bolt app with the same settings.

Both check the same signature, each in a process of its own; the load, and the Slack that takes the new cards, come from this
one. And digests against the rate that Slack allows, at a Slack that throttles beyond it.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.measure import RUNS, Measure
from benchmarks.samples import CAMPAIGN, campaign, review_item
from bot.slack.guard import sign
from cards.block_kit import message
from cards.review import wave_card
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.domain.directory import Person
from reclaim.domain.ids import MessageId, PersonId, RunId
from reclaim.domain.notices import wave_matter
from reclaim.domain.review import Choice
from reclaim.ports.directory import PersonRow
from reclaim.ports.storage import Identity, MessageRecord, SyncRun
from storage.engine import Database
from storage.migrate import upgrade
from storage.unit_of_work import SqlWork
from tests.golden.cards import models

TEAM, SECRET = "T01BENCH", "the signing secret of a benchmark"
TS = "1764000000.000100"
TENANT_ID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ITEMS, REVIEWERS = 60_000, 3_000
SECONDS, CLIENTS = 5.0, 32
STEADY, STEADY_S = 50, 10


def measures() -> Iterator[Measure]:
    """Return clicks a second, and their p99 at the most that five thousand reviewers send."""
    yield from asyncio.run(_clicks())


@dataclass(frozen=True, slots=True)
class _Bot:
    name: str
    url: str


async def _clicks() -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "reclaim.db"
        await _seed(database)
        slack = web.Application(client_max_size=1 << 20)
        slack.router.add_post("/api/auth.test", _whose)
        slack.router.add_post("/respond/{ref}", _taken)
        async with TestServer(slack, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
            url = str(server.make_url("/"))
            with _ours(database, url) as ours, _bare() as bare:
                await asyncio.gather(_ready(session, ours), _ready(session, bare))
                click = _Clicks(url)
                per_second: dict[str, list[float]] = {ours.name: [], bare.name: []}
                for _ in range(RUNS):
                    for bot in (ours, bare):
                        per_second[bot.name].append(await _throughput(bot, click))
                p99 = [await _steady(ours, click) for _ in range(RUNS)]
        decided = await _decided(database)
    assert decided == click.sent["ours"], f"{click.sent['ours']} clicks were answered, {decided} decisions are stored"
    return [
        Measure(
            name="signed Slack clicks, each a durable decision",
            value=statistics.median(per_second[ours.name]),
            unit="clicks/s",
            baseline="a bare slack-bolt app with the same settings that does nothing",
            baseline_value=statistics.median(per_second[bare.name]),
            goal=0.5,
            better="higher",
        ),
        Measure(
            name="p99 of the answer to a Slack click at 50 clicks/s",
            value=statistics.median(p99),
            unit="ms",
            baseline="limit",
            baseline_value=150.0,
            goal=1.0,
            better="lower",
        ),
    ]


async def _whose(_: web.Request) -> web.Response:
    return web.json_response({"ok": True, "team_id": TEAM, "user_id": "U0BOT", "is_enterprise_install": False})


async def _taken(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(text="ok")


async def _seed(path: Path) -> None:
    upgrade(f"sqlite:///{path}")
    migrate_engine(f"sqlite:///{path}")
    now = SystemClock().now()
    database = Database(f"sqlite:///{path}")
    work = SqlWork(database, lambda _connection, _job: None)
    run = SyncRun(id=RunId("run1"), state="running", started_at=now, requested_by=None)
    people = [
        Person(id=_reviewer(n), name=f"Reviewer {n}", upn=f"r{n}@contoso.example", enabled=True)
        for n in range(REVIEWERS)
    ]
    async with work.write() as unit:
        await unit.syncs.add(run)
        await unit.syncs.save_people(run.id, [PersonRow(person=each, seats=()) for each in people], now=now)
        for number, each in enumerate(people):
            user = f"U{number}"
            await unit.identities.put(
                Identity(
                    channel="slack", person_id=each.id, user_ref=user, conversation=f"{TEAM}/{user}", updated_at=now
                )
            )
            await unit.messages.put(
                MessageRecord(
                    id=MessageId(f"message-{number}"),
                    person_id=each.id,
                    channel="slack",
                    conversation=f"{TEAM}/{user}",
                    matter=wave_matter(CAMPAIGN),
                    kind="review.wave",
                    state="sent",
                    version=1,
                    external_id=f"D{number}/{TS}",
                    payload_sha256="0" * 64,
                    data_as_of=None,
                    created_at=now,
                    sent_at=now,
                )
            )
        await unit.campaigns.add(campaign(now))
        await unit.items.add_many(
            [replace(review_item(n), assignee_id=_reviewer(n % REVIEWERS)) for n in range(ITEMS)], at=now
        )
        await unit.commit()
    await database.dispose()


def _reviewer(number: int) -> PersonId:
    return PersonId(f"reviewer-{number}")


async def _decided(path: Path) -> int:
    database = Database(f"sqlite:///{path}")
    async with SqlWork(database, lambda _connection, _job: None).read() as reading:
        figures = await reading.items.figures(CAMPAIGN)
    await database.dispose()
    return sum(figure.items for figure in figures if figure.choice is Choice.REVOKE)


@contextmanager
def _ours(database: Path, slack_url: str) -> Iterator[_Bot]:
    port = _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RECLAIM_")},
        "RECLAIM_DATABASE_URL": f"sqlite:///{database}",
        "RECLAIM_LISTEN": f"127.0.0.1:{port}",
        "RECLAIM_TENANT_ID": TENANT_ID,
        "RECLAIM_CLIENT_ID": TENANT_ID,
        "RECLAIM_CLIENT_SECRET": "not used",
        "RECLAIM_SLACK_SIGNING_SECRET": SECRET,
        "RECLAIM_SLACK_BOT_TOKEN": "xoxb-bench",
        "RECLAIM_SLACK_API_URL": f"{slack_url}api/",
    }
    with _process([sys.executable, "-c", "import app; app.main()", "serve"], environment):
        yield _Bot("ours", f"http://127.0.0.1:{port}")


@contextmanager
def _bare() -> Iterator[_Bot]:
    port = _free_port()
    with _process([sys.executable, "-m", "benchmarks.slack_bare", str(port), SECRET], dict(os.environ)):
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


class _Clicks:
    """Signed clicks on a list of six seats, about 9 KB each; every one revokes another seat."""

    def __init__(self, slack_url: str) -> None:
        self.sent = {"ours": 0, "bare": 0}
        self._slack_url = slack_url
        self._numbers = itertools.count()
        drawn = message(wave_card(models.wave(), models.ZONE))
        self._message = quote(json.dumps({"ts": TS, **drawn}))

    async def send(self, session: aiohttp.ClientSession, bot: _Bot) -> None:
        number = next(self._numbers)
        assert number < ITEMS, "more clicks than seats: make ITEMS larger"
        raw = self._body(number)
        at = str(int(SystemClock().now().timestamp()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": sign(SECRET.encode(), at, raw),
        }
        async with session.post(f"{bot.url}/slack/events", data=raw, headers=headers) as answer:
            content = await answer.read()
            assert answer.status == 200, (answer.status, content[:200])
        self.sent[bot.name] += 1

    def _body(self, number: int) -> bytes:
        user = f"U{number % REVIEWERS}"
        told = {
            "type": "block_actions",
            "trigger_id": f"t{number}",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "container": {"type": "message", "message_ts": TS, "channel_id": f"D{user[1:]}"},
            "channel": {"id": f"D{user[1:]}"},
            "response_url": f"{self._slack_url}respond/{number}",
            "state": {"values": {}},
            "actions": [
                {
                    "type": "button",
                    "action_id": "item.revoke:1",
                    "block_id": "act:2",
                    "value": f"v1|item.revoke||item-{number:06}",
                }
            ],
        }
        return f"payload={quote(json.dumps(told)[:-1])}%2C%22message%22%3A{self._message}%7D".encode()


async def _throughput(bot: _Bot, click: _Clicks) -> float:
    """Return answers a second in a closed loop."""
    until = time.perf_counter() + SECONDS
    done = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:

        async def client() -> None:
            nonlocal done
            while time.perf_counter() < until:
                await click.send(session, bot)
                done += 1

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return done / (time.perf_counter() - began)


async def _steady(bot: _Bot, click: _Clicks) -> float:
    """Return the p99 in milliseconds of clicks that come at an even pace, whether or not the earlier ones are answered."""
    spent: list[float] = []
    async with aiohttp.ClientSession() as session:

        async def one() -> None:
            began = time.perf_counter()
            await click.send(session, bot)
            spent.append((time.perf_counter() - began) * 1000)

        began = time.perf_counter()
        tasks = []
        for number in range(STEADY * STEADY_S):
            await asyncio.sleep(max(0.0, began + number / STEADY - time.perf_counter()))
            tasks.append(asyncio.create_task(one()))
        await asyncio.gather(*tasks)
    return statistics.quantiles(spent, n=100)[98]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
