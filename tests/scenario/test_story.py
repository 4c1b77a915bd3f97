"""The whole job played over HTTP, and the three ways of breaking it on purpose that the books must notice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def rehearse(directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `reclaim rehearse --auto` in an empty directory; the small tenant has every case all the same."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RECLAIM_", "REHEARSAL_"))}
    return subprocess.run(
        [sys.executable, "-c", "import app; app.main()", "rehearse", "--auto", "--people", "110"],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_story_ends_with_books_that_agree_whatever_the_environment_names(tmp_path: Path) -> None:
    """It speaks to its own tenant and database only: a real Graph, database or dry run in the environment is ignored."""
    real = tmp_path / "real.db"

    played = rehearse(
        tmp_path,
        RECLAIM_GRAPH_URL="https://graph.example.invalid/v1.0",
        RECLAIM_LOGIN_URL="https://login.example.invalid",
        RECLAIM_DATABASE_URL=f"sqlite:///{real}",
        RECLAIM_CLIENT_SECRET="not-for-a-rehearsal",
        RECLAIM_WRITES="dry_run",
    )

    assert played.returncode == 0, played.stdout + played.stderr
    assert "Everything agrees." in played.stdout
    assert "≠" not in played.stdout
    assert not real.exists()


@pytest.mark.parametrize("fault", ["skip_write", "wrong_user", "no_readback"])
def test_the_books_notice_a_writer_that_lies(tmp_path: Path, fault: str) -> None:
    played = rehearse(tmp_path, REHEARSAL_FAULT=fault)

    assert played.returncode == 1, played.stdout + played.stderr
    assert "≠ approved, free to go, and still there" in played.stdout


def test_another_fault_is_refused(tmp_path: Path) -> None:
    played = rehearse(tmp_path, REHEARSAL_FAULT="nonsense")

    assert played.returncode == 2
    assert "REHEARSAL_FAULT is one of" in played.stderr
