"""A first sync that is killed at random pages, again and again, ends with the rows of one that nobody disturbed."""

import random
from pathlib import Path

from tests.crash.stage import START, Chat, Death, Snapshot, Stage

KILLS = 4
PAGE = "syncs.save_cursor"  # what is stored together with every page, whatever stream it is of
# Made anew by every sync, or by every process: ids of rows that nothing refers to by content, and what names them.
_OWN = ("attestation_events", "event_values", "alembic_version")


async def test_a_sync_that_is_killed_at_random_pages_ends_as_one_that_was_not(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    chance = random.Random(seed)
    async with Stage.set_up(tmp_path / "whole", Snapshot(None, Chat(), START)) as whole:
        await whole.run("read")
        pages = len(whole.tables()["sync_requests"])
        killed = whole.beside(tmp_path / "killed")
        deaths: list[str] = []

        for _ in range(KILLS):
            stored = len(killed.tables()["sync_requests"]) if deaths else 0
            point = f"start: {chance.choice(('before', 'after'))} {PAGE}"
            # Not the last page, so that there is one left to be killed at.
            nth = chance.randint(1, max(1, (pages - stored) // 2))
            death = await killed.run("read", at=point, nth=nth)
            assert isinstance(death, Death)
            deaths.append(death.at)
            now_stored = len(killed.tables()["sync_requests"])
            # A page counts with its commit, and none that was stored is read again.
            assert now_stored == stored + nth - point.startswith("start: before")
        await killed.run("read")

        assert len(deaths) == KILLS
        assert _plain(killed) == _plain(whole)


def _plain(stage: Stage) -> dict[str, list[str]]:
    """Return all rows without what differs from one sync to the next: the run's id, and the ids of requests."""
    tables = stage.tables()
    ((run, *_),) = tables["sync_runs"]
    plain = {
        name: sorted(repr(row).replace(str(run), "RUN") for row in rows)
        for name, rows in tables.items()
        if name not in (*_OWN, "exclusions", "sync_runs", "sync_requests")
    }
    # A reading of a usage report that died is begun again, as the next one.
    numbers = {report: place for place, (report, *_) in enumerate(sorted(tables["usage_reports"]))}
    for name in ("usage_reports", "workload_use"):
        plain[name] = sorted(repr((numbers[number], *rest)).replace(str(run), "RUN") for number, *rest in tables[name])
    plain["exclusions"] = sorted(repr(row[1:4]) for row in tables["exclusions"])  # kind and value
    # run, stream, page, url, request id, rows, SHA-256 of the page, when
    plain["sync_requests"] = [repr((*row[1:4], *row[5:])) for row in tables["sync_requests"]]
    # id, state, started, completed, by, people, seats, gone people and seats, sign-ins, error, attempt
    plain["sync_runs"] = [repr(row[1:11]) for row in tables["sync_runs"]]
    return plain
