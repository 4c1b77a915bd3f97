import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reclaim.connectors.process_lock import DatabaseInUseError, ProcessLock

CHILD = """
import sys
from pathlib import Path
from reclaim.connectors.process_lock import ProcessLock
lock = ProcessLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "reclaim.db"


@pytest.fixture
def holder(database: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it is killed."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_the_second_process_is_refused_and_told_who_holds_the_database(
    database: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(DatabaseInUseError, match=f"in use by process {holder.pid}") as refused:
        ProcessLock(database).acquire()

    assert refused.value.process == holder.pid


def test_a_killed_process_holds_nothing(database: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    lock = ProcessLock(database)

    lock.acquire()

    assert lock.holder() == os.getpid()
    lock.release()


def test_a_lock_that_was_given_back_can_be_taken_again(database: Path) -> None:
    first = ProcessLock(database)
    first.acquire()
    first.release()

    second = ProcessLock(database)
    second.acquire()
    second.release()

    assert second.holder() is None


def test_giving_back_what_is_not_held_takes_nothing_from_who_holds_it(
    database: Path, holder: subprocess.Popen[str]
) -> None:
    ProcessLock(database).release()

    assert ProcessLock(database).holder() == holder.pid


def test_a_holder_that_did_not_tell_its_number_is_another_process(
    database: Path, holder: subprocess.Popen[str]
) -> None:
    database.with_name("reclaim.db.pid").write_text("?")

    with pytest.raises(DatabaseInUseError, match="another process"):
        ProcessLock(database).acquire()
