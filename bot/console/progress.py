"""A running sync in the terminal: a bar that counts up, and one sentence at its end."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from reclaim.domain.read_models import SyncView
from reclaim.domain.syncing import SyncKind

RUNNING: Final = "running"
_LOOK_EVERY_S: Final = 0.3

Result = TypeVar("Result")
View = Callable[[], Awaitable[SyncView | None]]


async def follow(work: Coroutine[Any, Any, Result], view: View, stream: TextIO) -> Result:
    """Do the work and meanwhile show how far the running sync has come; return what the work returned.

    Where `stream` is no terminal nothing is drawn: a log has no use for a bar.
    """
    console = Console(file=stream)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[read]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        # How many there are is not known before the last page.
        bar = progress.add_task("Reading the tenant", total=None, read="")
        task = asyncio.create_task(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_LOOK_EVERY_S)
                seen = await view()
                if seen is not None and seen.state == RUNNING:
                    progress.update(bar, read=_so_far(seen))
        finally:
            task.cancel()  # somebody pressed Ctrl-C; does nothing to work that is done
    return await task


def _so_far(seen: SyncView) -> str:
    read = f"{seen.people:,} people, {seen.seats:,} seats"
    return read if seen.left is None else f"{read}, about {math.ceil(seen.left.total_seconds() / 60)} min left"


def outcome(sync: SyncView) -> tuple[str, bool]:
    """Return how a sync ended in one sentence, and whether it is complete."""
    read = f"{sync.people:,} people and {sync.seats:,} seats"
    match sync.state:
        case "complete":
            idle = "" if sync.idle is None else f" {sync.idle:,} seats look idle."
            if sync.kind is SyncKind.CHANGES:
                return f"Read what has changed: {read}.{idle}", True
            return f"Read {read}.{idle}", True
        case "stopped":
            gone = f"{sync.gone_people:,} people and {sync.gone_seats:,} seats"
            return f"Stopped: {gone} would be gone. If that is right: reclaim sync --accept {sync.run_id}", False
        case _:
            return f"The sync did not finish after {read}. {sync.error or 'Please try again later.'}", False
