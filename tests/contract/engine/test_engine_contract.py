"""What every engine does, in memory and on DBOS."""

import pytest

from reclaim.connectors.engine import DbosEngine
from reclaim.ports.engine import Job
from tests.contract.engine.conftest import DRAIN, Rig


def wave(number: int, person: str = "ada") -> Job:
    return Job(kind="wave", key=f"wave:{number}", args={"person": person, "number": number})


class Seen:
    """A handler that notes what it got."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    async def __call__(self, job: Job) -> None:
        self.jobs.append(job)

    @property
    def keys(self) -> list[str]:
        return sorted(job.key for job in self.jobs)


async def test_a_job_arrives_with_its_kind_its_key_and_its_arguments(rig: Rig) -> None:
    seen = Seen()
    rig.engine.register("wave", seen)
    await rig.engine.start()

    await rig.engine.enqueue(wave(1))
    await rig.settle()

    assert seen.jobs == [Job(kind="wave", key="wave:1", args={"person": "ada", "number": 1})]


async def test_a_job_that_was_there_before_the_start_runs(rig: Rig) -> None:
    seen = Seen()
    rig.engine.register("wave", seen)

    await rig.engine.enqueue(wave(1))
    await rig.engine.start()
    await rig.settle()

    assert seen.keys == ["wave:1"]


async def test_the_same_key_runs_once_even_after_it_is_done(rig: Rig) -> None:
    seen = Seen()
    rig.engine.register("wave", seen)
    await rig.engine.start()

    await rig.engine.enqueue(wave(1))
    await rig.engine.enqueue(wave(1, person="grace"))
    await rig.settle()
    await rig.engine.enqueue(wave(1, person="grace"))
    await rig.settle()

    assert seen.jobs == [wave(1)]


async def test_the_same_key_twice_in_one_transaction_is_one_job(rig: Rig) -> None:
    seen = Seen()
    rig.engine.register("wave", seen)
    await rig.engine.start()

    await rig.enqueue_in_transaction(wave(1), wave(1), wave(2), commit=True)
    await rig.settle()

    assert seen.keys == ["wave:1", "wave:2"]


async def test_a_transaction_that_is_rolled_back_leaves_no_job(rig: Rig) -> None:
    seen = Seen()
    rig.engine.register("wave", seen)
    await rig.engine.start()

    await rig.enqueue_in_transaction(wave(1), commit=False)
    await rig.enqueue_in_transaction(wave(2), commit=True)
    await rig.settle()

    assert seen.keys == ["wave:2"]


async def test_a_handler_that_fails_stops_no_other_job_and_does_not_run_again(rig: Rig) -> None:
    seen = Seen()

    async def fail_on_two(job: Job) -> None:
        await seen(job)
        if job.key == "wave:2":
            raise LookupError("the second one")

    rig.engine.register("wave", fail_on_two)
    await rig.engine.start()

    for number in (1, 2, 3):
        await rig.engine.enqueue(wave(number))
    await rig.settle()
    await rig.engine.enqueue(wave(2))
    await rig.settle()

    assert seen.keys == ["wave:1", "wave:2", "wave:3"]


async def test_idle_waits_for_jobs_that_jobs_enqueue(rig: Rig) -> None:
    seen = Seen()

    async def open_campaign(job: Job) -> None:
        await rig.engine.enqueue(wave(7))

    rig.engine.register("open", open_campaign)
    rig.engine.register("wave", seen)
    await rig.engine.start()

    await rig.engine.enqueue(Job(kind="open", key="open:c"))
    await rig.settle()

    assert seen.keys == ["wave:7"]


async def test_idle_returns_when_there_was_nothing_to_do(rig: Rig) -> None:
    await rig.engine.start()

    await rig.settle()


@pytest.mark.parametrize("key", ["1", "wave", "reminder:1", "waves:1"])
async def test_a_key_that_does_not_start_with_its_kind_is_refused(database_url: str, key: str) -> None:
    engine = DbosEngine(database_url)

    with pytest.raises(ValueError, match="must start with its kind"):
        await engine.enqueue(Job(kind="wave", key=key))

    await engine.stop(DRAIN)
