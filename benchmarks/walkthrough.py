"""From a clean clone to the end of `make run ARGS=--auto`: what a newcomer waits for, installation included."""

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Measure

HERE = Path(__file__).resolve().parent.parent


def measures() -> list[Measure]:
    """Return the seconds of one whole walkthrough; over 60 s, so it is run once."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        _run(["git", "clone", "--quiet", str(HERE), "reclaim"], Path(folder))
        _run(["make", "run", "ARGS=--auto"], Path(folder) / "reclaim")
        seconds = time.perf_counter() - began
    return [
        Measure(
            name="clean clone to the end of make run ARGS=--auto",
            value=seconds,
            unit="s",
            baseline=None,
            baseline_value=None,
            goal=None,
            better="lower",
        )
    ]


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)  # noqa: S603
    if done.returncode != 0:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
