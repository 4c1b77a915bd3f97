"""Play the selected cases of a module, some of them at once.

Most of a life is waiting for the disk and for polls.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

import pytest

AT_ONCE = 3
Case = TypeVar("Case")


@contextmanager
def some_at_once(
    request: pytest.FixtureRequest, folder: Path, play: Callable[[Case, Path], Coroutine[None, None, None]]
) -> Iterator[dict[Case, Future[None]]]:
    """Give the future of each case: what the module's tests have as their parameter `case`.

    Args:
        request: That of a fixture of the module.
        folder: Where each case gets a folder of its own.
        play: One case in its folder; it raises where something is wrong.
    """
    tests = [one for one in request.session.items if isinstance(one, pytest.Function) and one.module is request.module]
    wanted = [cast("Case", one.callspec.params["case"]) for one in tests]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            case: pool.submit(asyncio.run, play(case, folder / f"case-{number}")) for number, case in enumerate(wanted)
        }
        pool.shutdown(cancel_futures=True)
