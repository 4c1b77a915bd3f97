"""From click to answer at 50 decisions a second, while a campaign of 100,000 items opens and a sync of 100,000 people runs.

One process serves HTTP through the real dispatch and runs the engine with both jobs, on one SQLite file. The load comes
from this process, at fixed times whatever the answers take: a late answer does not spare the next click.
"""

import asyncio
import logging
import multiprocessing
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from benchmarks import large, samples
from benchmarks.measure import Measure, within
from benchmarks.serving import percentile, served
from benchmarks.syncing import PEOPLE, Tenant, tenant
from bot.inbound import Action
from bot.server import settle_memory
from reclaim import log_context
from reclaim.domain.ids import PersonId
from reclaim.services.jobs import open_job

PER_SECOND = 50
SECONDS = 20
REVIEWERS = 200
CLICKS = PER_SECOND * SECONDS
P99_MS = 100.0
_ITEMS_EACH = -(-CLICKS // REVIEWERS)


@dataclass(frozen=True, slots=True)
class _Done:
    """What the two jobs had stored when the load began, or ended."""

    items: int
    pages: int


def measures() -> list[Measure]:
    """Return p99 and median of one run of 20 s, and how far both jobs came meanwhile."""
    with tempfile.TemporaryDirectory() as folder, tenant(PEOPLE, Path(folder)) as there:
        path = Path(folder) / "clicks.db"
        large.fill(f"sqlite:///{path}")
        asyncio.run(_fill_decided(path))
        calm = _run(path, None, first=0)
        spent = _run(path, there, first=CLICKS)
    print(f"  clicks without that work: p99 {percentile(calm, 99):.1f} ms, median {statistics.median(calm):.1f} ms")
    return [
        within(f"click to answer, 50 decisions/s while a campaign opens and a sync runs, {label}", value, "ms", P99_MS)
        for label, value in (("p99", percentile(spent, 99)), ("median", statistics.median(spent)))
    ]


def _reviewer(number: int) -> PersonId:
    return large.person_id(number % REVIEWERS)


async def _fill_decided(path: Path) -> None:
    """Store an open campaign, with an item for every click of both runs, and the launched one."""
    async with large.opened(path) as there:
        async with there.work.write() as unit:
            await unit.campaigns.add(samples.campaign(large.NOW + timedelta(days=3650)))
            items = [
                replace(samples.review_item(number), assignee_id=_reviewer(number)) for number in range(2 * CLICKS)
            ]
            await unit.items.add_many(items, at=large.NOW)
            await unit.commit()
        await large.launch(there.work)


def _run(path: Path, there: Tenant | None, *, first: int) -> list[float]:
    """Serve in a process of its own and click; return the milliseconds of each answer."""
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(path, there, far), daemon=True)
    process.start()
    try:
        address: str = near.recv()
        before = _stored(path)
        spent = asyncio.run(_click(address, first))
        after = _stored(path)
    finally:
        process.terminate()
        process.join()
    if there is not None:
        print(f"  meanwhile: {after.items - before.items:,} items opened, {after.pages - before.pages:,} pages synced")
        assert after.items > before.items
        assert after.pages > before.pages
    with closing(sqlite3.connect(path)) as stored:
        (decided,) = stored.execute("SELECT count(*) FROM decisions").fetchone()
    assert decided == first + CLICKS
    return spent


def _stored(path: Path) -> _Done:
    with closing(sqlite3.connect(path)) as stored:
        (items,) = stored.execute("SELECT count(*) FROM review_items WHERE campaign_id = ?", (large.LARGE,)).fetchone()
        (pages,) = stored.execute("SELECT count(*) FROM sync_requests").fetchone()
    return _Done(items, pages)


async def _click(address: str, first: int) -> list[float]:
    async with aiohttp.ClientSession() as http:
        begin = asyncio.get_running_loop().time() + 0.5

        async def click(number: int) -> float:
            await asyncio.sleep(begin + number / PER_SECOND - asyncio.get_running_loop().time())
            item = first + number
            asked = {"person": _reviewer(item), "item": samples.review_item(item).id}
            began = time.perf_counter()
            async with http.post(address, json=asked) as answer:
                assert (await answer.json()) == {"error": False}
            return (time.perf_counter() - began) * 1000

        return list(await asyncio.gather(*(click(number) for number in range(CLICKS))))


def _serve(path: Path, there: Tenant | None, parent: Connection) -> None:
    asyncio.run(_serving(path, there, parent))


async def _serving(path: Path, there: Tenant | None, parent: Connection) -> None:
    settings = (
        {
            "login_url": there.login_url,
            "graph_url": there.graph_url,
            "ca_file": there.ca_file,
            "tenant_id": there.tenant_id,
            "client_id": there.client_id,
            "client_secret": SecretStr(there.client_secret),
        }
        if there
        else {}
    )
    log_context.configure(readable=False, level=logging.WARNING)
    async with served(path, **settings) as app:

        async def click(request: web.Request) -> web.Response:
            asked = await request.json()
            reply = await app.dispatch.action(
                Action(
                    person_id=PersonId(asked["person"]),
                    channel="web",
                    verb="item.revoke",
                    ref=asked["item"],
                    key=f"click-{asked['item']}",
                )
            )
            return web.json_response({"error": reply.error})

        site = web.Application()
        site.router.add_post("/click", click)
        runner = web.AppRunner(site, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        if there is not None:
            await app.engine.start()
            await app.use.sync.request(None)
            await app.engine.enqueue(open_job(large.LARGE))
            await asyncio.sleep(2)  # both are at work
        settle_memory()
        port = runner.addresses[0][1]
        parent.send(f"http://127.0.0.1:{port}/click")
        await asyncio.Event().wait()
