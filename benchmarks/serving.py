"""The product as it serves, for measures that go through its real dispatch."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app import Application, compose
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.tokens import RandomTokens
from reclaim.settings import Settings


def percentile(figures: Sequence[float], of_hundred: int) -> float:
    """Return the figure that so many of a hundred do not exceed (nearest rank)."""
    ordered = sorted(figures)
    return ordered[max(0, -(-len(ordered) * of_hundred // 100) - 1)]


@asynccontextmanager
async def served(path: Path, **settings: Any) -> AsyncIterator[Application]:
    """Wire the product on a SQLite file; its engine is not started."""
    url = SecretStr(f"sqlite:///{path}")
    async with compose(
        Settings(database_url=url, **settings), clock=SystemClock(), tokens=RandomTokens()
    ) as application:
        yield application
