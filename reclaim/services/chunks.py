"""How much a bulk write stores in one transaction: the one way in which long work leaves room for everybody else.

Each chunk is loaded outside of the write lock, stored in one short transaction, and leaves a state from which a killed job
goes on: what is done is no longer found, or is the same again.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

# Items with their events. Measured on SQLite: about 20 ms under the write lock, so that an answer that comes meanwhile does
# not wait noticeably; twice as many take twice as long and save nothing.
CHUNK: Final = 250
# Jobs, each of which costs the engine two statements: about as long.
JOBS: Final = 50
# Items that are made without a pause: a few milliseconds, so that the event loop turns to answers in between.
AT_ONCE: Final = 15

Value = TypeVar("Value")


def in_chunks(values: Sequence[Value], size: int) -> Iterator[Sequence[Value]]:
    """Cut values into runs of at most `size`, in their order."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


@asynccontextmanager
async def ahead(work: Coroutine[Any, Any, Value]) -> AsyncIterator[asyncio.Task[Value]]:
    """Let `work` run beside the block: the next chunk is read while this one is stored.

    An error of `work` is raised where its task is awaited; if the block fails, `work` is ended and its outcome dropped.
    """
    task = asyncio.create_task(work)
    try:
        yield task
    except BaseException:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
