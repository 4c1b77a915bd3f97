"""The HTTP server of the product: health for whoever runs it, and the routes that channels add.

It listens on loopback unless told otherwise: TLS and the way in from outside belong to a proxy in front of it.
"""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from reclaim.errors import ReclaimError

MAX_BODY: Final = 256 * 1024
_FINISH_S: Final = 10.0  # requests in flight at a stop

# Returns what is not ready, as words for an operator; empty when all is.
Ready = Callable[[], Awaitable[tuple[str, ...]]]

log = structlog.get_logger(__name__)


def application(ready: Ready) -> web.Application:
    """Return the application with the health routes; channels add theirs before it is served."""
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _Readiness(ready).answer)
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block is left; yields the port, which differs from the one asked for if that was 0.

    On leaving, new connections are refused and requests in flight get a few seconds to end.

    Raises:
        ReclaimError: The address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_FINISH_S)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def settle_memory() -> None:
    """Spare the garbage collector what is loaded by now, as it stays for the life of the process.

    Each full collection went through all libraries: 110 ms, measured, in which no click is answered.
    """
    gc.collect()
    gc.freeze()


async def until_stopped() -> None:
    """Return at SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(name, stopped.set)
        except NotImplementedError:  # Windows: its loops take no handlers
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ReclaimError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


class _Readiness:
    """Answers whether the product can do its work now."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready

    async def answer(self, _: web.Request) -> web.Response:
        try:
            missing = await self._ready()
        except ReclaimError as error:
            # Only the code: whoever may ask for health may not read our data.
            log.warning("readiness check failed", error=error.code)
            missing = ("database",)
        return web.json_response({"ready": not missing, "missing": list(missing)}, status=503 if missing else 200)
