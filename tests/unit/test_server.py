import asyncio
import os
import signal
import socket

import httpx
import pytest

from bot.server import application, serving, until_stopped
from reclaim.errors import PortError, ReclaimError

LOOPBACK = "127.0.0.1"


async def ready() -> tuple[str, ...]:
    return ()


async def not_ready() -> tuple[str, ...]:
    return ("engine",)


async def broken() -> tuple[str, ...]:
    raise PortError("password authentication failed for user reclaim")


async def get(check: object, path: str) -> httpx.Response:
    async with serving(application(check), LOOPBACK, 0) as port, httpx.AsyncClient() as client:  # type: ignore[arg-type]
        return await client.get(f"http://{LOOPBACK}:{port}{path}")


@pytest.mark.parametrize("check", [ready, not_ready, broken])
async def test_it_is_alive_whatever_else_is_not(check: object) -> None:
    answer = await get(check, "/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("check", "status", "body"),
    [
        (ready, 200, {"ready": True, "missing": []}),
        (not_ready, 503, {"ready": False, "missing": ["engine"]}),
        (broken, 503, {"ready": False, "missing": ["database"]}),
    ],
)
async def test_it_is_ready_only_when_nothing_is_missing_and_tells_no_details(
    check: object, status: int, body: dict[str, object]
) -> None:
    answer = await get(check, "/readyz")

    assert (answer.status_code, answer.json()) == (status, body)


async def test_an_address_that_is_taken_is_said_in_words() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ReclaimError, match=f"Cannot listen on {LOOPBACK}:{port}"):
            async with serving(application(ready), LOOPBACK, port):
                pass


async def test_a_request_in_flight_ends_before_the_server_does() -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> tuple[str, ...]:
        began.set()
        await may_end.wait()
        return ()

    async with httpx.AsyncClient() as client:
        async with serving(application(slow), LOOPBACK, 0) as port:
            asking = asyncio.create_task(client.get(f"http://{LOOPBACK}:{port}/readyz"))
            await began.wait()
            asyncio.get_running_loop().call_later(0.05, may_end.set)

        assert (await asking).status_code == 200


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it(number: signal.Signals) -> None:
    waiting = asyncio.create_task(until_stopped())
    await asyncio.sleep(0)

    os.kill(os.getpid(), number)
    await asyncio.wait_for(waiting, timeout=5)

    asyncio.get_running_loop().remove_signal_handler(number)
