"""Clicks in Slack: `reclaim serve`, a durable decision behind each, against a bare slack-bolt app with the same settings.

Both check the same signature, each in a process of its own; the load, and the Slack that takes the new cards, come from this
one. And digests against the rate that Slack allows, at a Slack that throttles beyond it.
"""

import asyncio
import itertools
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks import bots
from benchmarks.measure import Measure, within
from benchmarks.samples import CAMPAIGN, campaign, review_item
from bot.slack.guard import sign
from cards.block_kit import message
from cards.review import wave_card
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.domain.directory import Person
from reclaim.domain.ids import MessageId, PersonId, RunId
from reclaim.domain.notices import wave_matter
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


def measures() -> Iterator[Measure]:
    """Return clicks a second, and their p99 at the most that five thousand reviewers send."""
    yield from asyncio.run(_clicks())


async def _clicks() -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "reclaim.db"
        await _seed(database)
        slack = web.Application(client_max_size=1 << 20)
        slack.router.add_post("/api/auth.test", _whose)
        slack.router.add_post("/respond/{ref}", _taken)
        async with TestServer(slack, host="127.0.0.1") as server:
            url = str(server.make_url("/"))
            click = _Clicks(url)
            with bots.ours(database, _settings(url)) as ours, bots.bare("benchmarks.slack_bare", SECRET) as bare:
                found = await bots.compare(ours, bare, click.send)
        decided = await bots.decided(database)
    assert decided == click.sent["ours"], f"{click.sent['ours']} clicks were answered, {decided} decisions are stored"
    return [
        Measure(
            name="signed Slack clicks, each a durable decision",
            value=found.ours,
            unit="clicks/s",
            baseline="a bare slack-bolt app with the same settings that does nothing",
            baseline_value=found.bare,
            goal=0.5,
            better="higher",
        ),
        within("p99 of the answer to a Slack click at 50 clicks/s", found.p99_ms, "ms", 150.0),
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


def _settings(slack_url: str) -> dict[str, str]:
    return {
        "RECLAIM_TENANT_ID": TENANT_ID,
        "RECLAIM_CLIENT_ID": TENANT_ID,
        "RECLAIM_SLACK_SIGNING_SECRET": SECRET,
        "RECLAIM_SLACK_BOT_TOKEN": "xoxb-bench",
        "RECLAIM_SLACK_API_URL": f"{slack_url}api/",
    }


class _Clicks:
    """Signed clicks on a list of six seats, about 9 KB each; every one revokes another seat."""

    def __init__(self, slack_url: str) -> None:
        self.sent = {"ours": 0, "bare": 0}
        self._slack_url = slack_url
        self._numbers = itertools.count()
        drawn = message(wave_card(models.wave(), models.ZONE))
        self._message = quote(json.dumps({"ts": TS, **drawn}))

    async def send(self, session: aiohttp.ClientSession, bot: bots.Bot) -> None:
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
