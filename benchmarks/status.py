"""`/reclaim status` of a campaign of 100,000 items, in a database that also holds 2,000,000 seats.

Through the real dispatch: authorization, reading, the finished card.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from benchmarks import large
from benchmarks.measure import Measure, within
from benchmarks.serving import percentile, served
from bot.inbound import Command
from bot.router import OPERATOR
from cards.text import render
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.ids import PersonId
from reclaim.domain.policy import Policy
from reclaim.services.jobs import open_job
from reclaim.services.open_campaign import OpenCampaign
from storage.engine import plain_url, sync_engine

SEATS_BESIDE = 2_000_000
ASKED = 200
P99_MS = 300.0


def measures() -> list[Measure]:
    """Return the p99 of the command, with its median beside; over 60 s with what it takes to get there, so run once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "status.db"
        large.fill(f"sqlite:///{path}")
        _seats_beside(path)
        asyncio.run(_opened(path))
        spent = asyncio.run(_ask(path))
    return [
        within(f"/reclaim status, {label}", value, "ms", P99_MS)
        for label, value in (("p99", percentile(spent, 99)), ("median", statistics.median(spent)))
    ]


def _seats_beside(path: Path) -> None:
    """Give 1,000,000 more people two seats each, by SQL."""
    engine = sync_engine(plain_url(f"sqlite:///{path}"))
    # Fixed text, no value of anybody's: SQLite makes the rows by itself in a quarter of the time.
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :people)"
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO people (id, name, upn, enabled, folded, since_run, seen_run)"  # noqa: S608 - fixed text
            f" {numbers} SELECT printf('x%07d', i), 'X', printf('x%d@contoso.com', i), 1, 'x', 'run-1', 'run-1' FROM n",
            "INSERT INTO seats (id, person_id, product_id, since_run, seen_run)"  # noqa: S608 - fixed text
            f" {numbers} SELECT printf('x%07d:p%d', i, p), printf('x%07d', i), printf('p%d', p), 'run-1', 'run-1'"
            " FROM n, (SELECT 1 AS p UNION ALL SELECT 2)",
            "INSERT INTO seat_paths (seat_id, via, state, disabled_plans, seen_run)"
            " SELECT id, 'direct', 'Active', '[]', 'run-1' FROM seats WHERE id LIKE 'x%'",
        ):
            given = {"people": SEATS_BESIDE // 2} if ":people" in statement else {}
            connection.execute(text(statement), given)
        seats = connection.execute(text("SELECT count(*) FROM seats")).scalar_one()
    engine.dispose()
    assert seats == SEATS_BESIDE + large.ITEMS


async def _opened(path: Path) -> None:
    """Open the campaign of everybody, and let two in five reviewers have answered."""
    async with large.opened(path) as there:
        await large.launch(there.work)
        opening = OpenCampaign(work=there.work, clock=there.clock, tokens=RandomTokens(), policy=Policy())
        await opening.handle(open_job(large.LARGE))
        async with there.database.writes.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE review_items SET choice = 'revoke', answered_by = assignee_id, answered_at = :at, batch_id = 'b'"
                    " WHERE assignee_id IN (SELECT assignee_id FROM review_items GROUP BY assignee_id LIMIT :some)"
                ),
                {"at": "2026-11-23 09:00:00.000000", "some": large.REVIEWERS * 2 // 5},
            )


async def _ask(path: Path) -> list[float]:
    """Return the milliseconds of each answer."""
    spent: list[float] = []
    async with served(path) as app:
        for number in range(ASKED):
            # Each person may ask so often at once (bot/guard.py).
            who = PersonId(f"{OPERATOR}{number // 50}")
            command = Command(person_id=who, channel="console", text="status", key=f"status-{number}")
            began = time.perf_counter()
            reply = await app.dispatch.command(command)
            spent.append((time.perf_counter() - began) * 1000)
    shown = "\n".join(render(card, 100) for card in reply.cards)
    assert "40,000 of 100,000" in shown, shown
    return spent
