"""The answer to a click leaves when its decision is stored: a server that is killed at its first byte has kept it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.samples import CAMPAIGN, REVIEWER, campaign, review_item, store_reviewer
from bot.slack.guard import sign
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.domain.review import Choice
from reclaim.ports.storage import Identity
from storage.engine import Database
from storage.migrate import upgrade
from storage.unit_of_work import SqlWork
from tests.databases import store_job
from tests.slack.member import SECRET
from tests.slack.workspace import TEAM

GUID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
PATIENCE_S = 60


async def seed(url: str) -> None:
    now = SystemClock().now()
    database = Database(url)
    async with SqlWork(database, store_job).write() as unit:
        await store_reviewer(unit, now)
        known = Identity(channel="slack", person_id=REVIEWER, user_ref="U1", conversation=f"{TEAM}/U1", updated_at=now)
        await unit.identities.put(known)
        await unit.campaigns.add(campaign(now))
        await unit.items.add_many([review_item(0)], at=now)
        await unit.commit()
    await database.dispose()


async def choice_in(url: str) -> Choice | None:
    database = Database(url)
    async with SqlWork(database, store_job).read() as reading:
        [item] = await reading.items.of_campaign(CAMPAIGN)
    await database.dispose()
    return item.answer.choice if item.answer else None


def click(slack_url: str) -> bytes:
    told = {
        "type": "block_actions",
        "trigger_id": "t1",
        "team": {"id": TEAM},
        "user": {"id": "U1", "team_id": TEAM},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "D1"},
        "response_url": f"{slack_url}respond/1",
        "actions": [{"type": "button", "action_id": "x", "block_id": "b", "value": "v1|item.revoke||item-000000"}],
    }
    return f"payload={quote(json.dumps(told))}".encode()


def request(raw: bytes) -> bytes:
    at = str(int(SystemClock().now().timestamp()))
    return (
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        + f"X-Slack-Request-Timestamp: {at}\r\nX-Slack-Signature: {sign(SECRET.encode(), at, raw)}\r\n".encode()
        + f"Content-Length: {len(raw)}\r\n\r\n".encode()
        + raw
    )


def first_byte(port: int, raw: bytes, process: "subprocess.Popen[bytes]") -> bytes:
    """Send a request, and kill the server at the first byte of its answer."""
    until = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "the server has ended"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(raw)
                byte = connection.recv(1)
                os.kill(process.pid, signal.SIGKILL)
                rest = connection.recv(200) if byte else b""
                return byte + rest
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the server does not listen"
            time.sleep(0.1)


def served_and_killed(environment: dict[str, str], port: int, raw: bytes) -> tuple[bytes, int | None]:
    """Serve, send a request, kill; return what came of the answer, and how the process ended."""
    words = [sys.executable, "-c", "import app; app.main()", "serve"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            answer = first_byte(port, raw, process)
        finally:
            process.kill()
    return answer, process.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")
async def test_killed_at_the_first_byte_of_the_answer_the_decision_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/reclaim.db"
    await asyncio.to_thread(upgrade, url)
    await asyncio.to_thread(migrate_engine, url)
    await seed(url)

    async def whose(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "team_id": TEAM, "user_id": "U0", "is_enterprise_install": False})

    app = web.Application()
    app.router.add_post("/api/auth.test", whose)
    async with TestServer(app, host="127.0.0.1") as slack:
        slack_url = str(slack.make_url("/"))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RECLAIM_")} | {
            "RECLAIM_DATABASE_URL": url,
            "RECLAIM_LISTEN": f"127.0.0.1:{port}",
            "RECLAIM_TENANT_ID": GUID,
            "RECLAIM_CLIENT_ID": GUID,
            "RECLAIM_CLIENT_SECRET": "not used",
            "RECLAIM_SLACK_SIGNING_SECRET": SECRET,
            "RECLAIM_SLACK_BOT_TOKEN": "xoxb-1",
            "RECLAIM_SLACK_API_URL": f"{slack_url}api/",
        }
        answer, ended = await asyncio.to_thread(served_and_killed, environment, port, request(click(slack_url)))
    assert answer.startswith(b"HTTP/1.1 200")
    assert ended == -signal.SIGKILL
    assert await choice_in(url) is Choice.REVOKE
