"""What only the durable engine does: surviving, throttling, draining, and living beside other processes."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from reclaim.connectors.engine import DbosEngine, migrate
from reclaim.connectors.engine.dbos_engine import QUEUES
from reclaim.errors import NotFound
from reclaim.ports.engine import Job
from reclaim.services import jobs
from tests.contract.engine.conftest import DRAIN, POLL_S, started

NONE = timedelta()
# Runs a job that never ends, says so, and waits to be killed.
CHILD = """
import asyncio, sys
from reclaim.connectors.engine import DbosEngine
from reclaim.ports.engine import Job

async def hang(job):
    print("in the handler", flush=True)
    await asyncio.Event().wait()

async def main(url):
    engine = DbosEngine(url, polling_interval_s=0.02)
    engine.register("writeback", hang)
    await engine.start()
    await engine.enqueue(Job(kind="writeback", key="writeback:o:1", args={"order": "o"}))
    await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


def engine_on(url: str, *, concurrency: int = 4) -> DbosEngine:
    return DbosEngine(url, polling_interval_s=POLL_S, worker_concurrency=concurrency)


def job(number: int) -> Job:
    return Job(kind="writeback", key=f"writeback:{number}")


async def settle(engine: DbosEngine) -> None:
    await asyncio.wait_for(engine.idle(), timeout=20)


async def run_all(engine: DbosEngine) -> list[str]:
    """Start an engine that notes the keys of what it runs, and stop it once it is idle."""
    ran: list[str] = []

    async def note(each: Job) -> None:
        ran.append(each.key)

    engine.register("writeback", note)
    async with started(engine):
        await settle(engine)
    return ran


@pytest.fixture
def killed_in_the_handler(database_url: str, child_environment: dict[str, str], tmp_path: Path) -> None:
    """A process that died by kill -9 while its handler ran."""
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    with subprocess.Popen(
        [sys.executable, script, database_url], stdout=subprocess.PIPE, text=True, env=child_environment
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the handler\n"
        child.kill()


@pytest.mark.usefixtures("killed_in_the_handler")
async def test_a_job_that_a_killed_process_began_runs_again(database_url: str) -> None:
    ran = await run_all(engine_on(database_url))

    assert ran == ["writeback:o:1"]


async def test_a_job_that_outlives_the_drain_is_cut_and_runs_at_the_next_start(database_url: str) -> None:
    began = asyncio.Event()

    async def hang(_: Job) -> None:
        began.set()
        await asyncio.Event().wait()

    first = engine_on(database_url)
    first.register("writeback", hang)
    await first.start()
    await first.enqueue(job(1))
    await began.wait()
    await first.stop(NONE)

    assert await run_all(engine_on(database_url)) == ["writeback:1"]


async def test_stop_waits_for_a_job_that_ends_in_time(database_url: str) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def wait(_: Job) -> None:
        began.set()
        await may_end.wait()

    first = engine_on(database_url)
    first.register("writeback", wait)
    await first.start()
    await first.enqueue(job(1))
    await began.wait()
    stopping = asyncio.create_task(first.stop(DRAIN))
    await asyncio.sleep(0)
    may_end.set()
    await stopping

    assert first.counters.done == 1
    assert await run_all(engine_on(database_url)) == []


async def test_a_job_that_comes_while_draining_is_left_for_the_next_start(database_url: str) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def wait(each: Job) -> None:
        began.set()
        await may_end.wait()

    first = engine_on(database_url)
    first.register("writeback", wait)
    await first.start()
    await first.enqueue(job(1))
    await began.wait()
    stopping = asyncio.create_task(first.stop(DRAIN))
    await asyncio.sleep(0)
    await first.enqueue(job(2))
    await asyncio.wait_for(first.held_one.wait(), timeout=10)
    may_end.set()
    await stopping

    assert first.counters.done == 1
    assert await run_all(engine_on(database_url)) == ["writeback:2"]


async def test_no_more_jobs_of_a_queue_run_at_once_than_allowed(database_url: str) -> None:
    now, most = 0, 0

    async def count(_: Job) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(POLL_S)
        now -= 1

    engine = engine_on(database_url, concurrency=2)
    engine.register("writeback", count)
    for number in range(8):
        await engine.enqueue(job(number))
    async with started(engine):
        await settle(engine)

    assert engine.counters.done == 8
    assert most == 2


async def test_a_full_queue_does_not_hold_up_another(database_url: str) -> None:
    may_end, reminded = asyncio.Event(), asyncio.Event()

    async def wait(_: Job) -> None:
        await may_end.wait()

    async def remind(_: Job) -> None:
        reminded.set()

    engine = engine_on(database_url, concurrency=1)
    engine.register("writeback", wait)
    engine.register("reminder", remind)
    async with started(engine):
        for number in range(3):
            await engine.enqueue(job(number))
        await engine.enqueue(Job(kind="reminder", key="reminder:1"))
        await asyncio.wait_for(reminded.wait(), timeout=10)
        may_end.set()
        await settle(engine)


async def test_a_failed_job_is_logged_with_its_key_and_without_what_its_message_says(database_url: str) -> None:
    async def fail(_: Job) -> None:
        raise NotFound("Ada Lovelace holds no such seat.")

    engine = engine_on(database_url)
    engine.register("writeback", fail)
    async with started(engine):
        with capture_logs(processors=[merge_contextvars]) as logs:
            await engine.enqueue(job(1))
            await settle(engine)

    assert [(entry["event"], entry["error"], entry["correlation_id"]) for entry in logs] == [
        ("job failed", "not_found", "writeback:1")
    ]
    assert (engine.counters.failed, engine.counters.done) == (1, 0)


async def test_a_process_that_only_enqueues_launches_nothing_and_the_job_runs_elsewhere(database_url: str) -> None:
    command_line = engine_on(database_url)
    await command_line.enqueue(job(1))
    await command_line.stop(NONE)

    assert await run_all(engine_on(database_url)) == ["writeback:1"]


async def test_an_engine_that_is_not_started_does_not_wait_for_idle_for_ever(sqlite_url: str) -> None:
    engine = engine_on(sqlite_url)

    with pytest.raises(RuntimeError, match="not started"):
        await engine.idle()

    await engine.stop(NONE)


async def test_a_second_engine_in_one_process_is_refused(sqlite_url: str) -> None:
    second = engine_on(sqlite_url)
    async with started(engine_on(sqlite_url)):
        with pytest.raises(RuntimeError, match="another engine"):
            await second.start()
    await second.stop(NONE)


async def test_a_start_without_tables_fails_and_leaves_the_way_free(tmp_path: Path, sqlite_url: str) -> None:
    broken = engine_on(f"sqlite:///{tmp_path / 'empty.db'}")

    with pytest.raises(Exception, match="no such table"):
        await broken.start()
    await broken.stop(NONE)

    assert await run_all(engine_on(sqlite_url)) == []


def test_migrate_may_be_repeated(sqlite_url: str) -> None:
    migrate(sqlite_url)


@pytest.mark.parametrize("kind", ["unknown", "wave"])
async def test_a_kind_without_a_queue_or_with_a_handler_already_is_refused(sqlite_url: str, kind: str) -> None:
    async def nothing(_: Job) -> None: ...

    engine = engine_on(sqlite_url)
    engine.register("wave", nothing)

    with pytest.raises(ValueError, match=kind):
        engine.register(kind, nothing)

    await engine.stop(NONE)


def test_every_kind_of_job_has_a_queue() -> None:
    kinds = {value for name, value in vars(jobs).items() if name.isupper() and isinstance(value, str)}

    assert kinds == {kind for queue in QUEUES.values() for kind in queue}
