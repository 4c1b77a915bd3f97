"""The practice tenant as a process of its own: `python -m rehearsal --directory DIR --now ISO`.

It prints one JSON line with the addresses and secrets, then serves until SIGTERM or SIGINT, or until
whoever started it with `--while-read` is gone.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rehearsal.server import PracticeTenant


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description="Serve a practice tenant on loopback.")
    parser.add_argument("--people", type=int, default=400, help="how many accounts (30 to 1,000,000)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same tenant")
    parser.add_argument("--now", type=datetime.fromisoformat, required=True, help="tenant time, ISO 8601 with zone")
    parser.add_argument("--directory", type=Path, required=True, help="folder that receives ca.pem")
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes a free one")
    parser.add_argument("--while-read", action="store_true", help="end when standard input does, as with its parent")
    return parser.parse_args()


def _at_end_of_input(call: Callable[[], None]) -> None:
    loop, source = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(source, 1024):
            loop.remove_reader(source)
            call()

    loop.add_reader(source, read)


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, stopped.set)
    words = vars(arguments)
    if words.pop("while_read"):
        _at_end_of_input(stopped.set)
    tenant = await PracticeTenant.start(**words)
    print(tenant.as_json(), flush=True)
    await stopped.wait()
    await tenant.stop()


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
