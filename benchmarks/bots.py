"""Clicks at `reclaim serve` and at a bare bot, each in a process of its own and in turn; the load comes from this one."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.measure import RUNS
from benchmarks.samples import CAMPAIGN
from reclaim.domain.review import Choice
from storage.engine import Database
from storage.unit_of_work import SqlWork

SECONDS, CLIENTS = 5.0, 32
STEADY, STEADY_S = 50, 10


@dataclass(frozen=True, slots=True)
class Bot:
    """A server under load."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians: clicks a second of both, and the p99 of ours in milliseconds at 50 clicks a second."""

    ours: float
    bare: float
    p99_ms: float


# Sends one click and checks its answer.
Send = Callable[[aiohttp.ClientSession, Bot], Awaitable[None]]


@contextmanager
def ours(database: Path, settings: Mapping[str, str]) -> Iterator[Bot]:
    """Run `reclaim serve` on this database with these settings and no others."""
    port = _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RECLAIM_")},
        "RECLAIM_DATABASE_URL": f"sqlite:///{database}",
        "RECLAIM_LISTEN": f"127.0.0.1:{port}",
        "RECLAIM_CLIENT_SECRET": "not used",
        **settings,
    }
    with _process([sys.executable, "-c", "import app; app.main()", "serve"], environment):
        yield Bot("ours", f"http://127.0.0.1:{port}")


@contextmanager
def bare(module: str, *arguments: str) -> Iterator[Bot]:
    """Run a module that takes a port and these arguments."""
    port = _free_port()
    with _process([sys.executable, "-m", module, str(port), *arguments], dict(os.environ)):
        yield Bot("bare", f"http://127.0.0.1:{port}")


async def compare(one: Bot, other: Bot, send: Send) -> Figures:
    """Click at both in turn until there are enough runs, then at `one` at an even pace."""
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(_ready(session, one), _ready(session, other))
    per_second: dict[str, list[float]] = {one.name: [], other.name: []}
    for _ in range(RUNS):
        for bot in (one, other):
            per_second[bot.name].append(await _throughput(bot, send))
    p99 = [await _steady(one, send) for _ in range(RUNS)]
    return Figures(
        statistics.median(per_second[one.name]), statistics.median(per_second[other.name]), statistics.median(p99)
    )


async def decided(path: Path) -> int:
    """Return how many seats of the campaign are revoked."""
    database = Database(f"sqlite:///{path}")
    async with SqlWork(database, lambda _connection, _job: None).read() as reading:
        figures = await reading.items.figures(CAMPAIGN)
    await database.dispose()
    return sum(figure.items for figure in figures if figure.choice is Choice.REVOKE)


@contextmanager
def _process(words: Sequence[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own commands
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


async def _ready(session: aiohttp.ClientSession, bot: Bot) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with session.get(f"{bot.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)


async def _throughput(bot: Bot, send: Send) -> float:
    """Return answers a second in a closed loop."""
    until = time.perf_counter() + SECONDS
    done = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:

        async def client() -> None:
            nonlocal done
            while time.perf_counter() < until:
                await send(session, bot)
                done += 1

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return done / (time.perf_counter() - began)


async def _steady(bot: Bot, send: Send) -> float:
    """Return the p99 in milliseconds of clicks that come at an even pace, whether or not the earlier ones are answered."""
    spent: list[float] = []
    async with aiohttp.ClientSession() as session:

        async def one() -> None:
            began = time.perf_counter()
            await send(session, bot)
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
