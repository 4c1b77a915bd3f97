"""The check that a report prints for whoever has its files and nothing else."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from reclaim.domain.read_models import ExportedFile
from tests.golden.report.reading import read


def offline_check(
    files: Sequence[ExportedFile], folder: Path, changed: Mapping[str, bytes] | None = None
) -> tuple[int, list[str]]:
    """Run the command of the report, the last of the files, in a folder with all of them.

    Args:
        changed: Name → what stands there in place of the file's content.

    Returns:
        The exit status, and the names of the files that are not what they were.
    """
    if shutil.which("sha256sum") is None:
        pytest.skip("there is no sha256sum here")
    for file in files:
        (folder / file.name).write_bytes((changed or {}).get(file.name, file.content))
    (command,) = read(files[-1].content.decode()).all("pre")
    done = subprocess.run(["sh", "-c", command.text], cwd=folder, capture_output=True, text=True, check=False)
    failed = [line.partition(":")[0] for line in done.stdout.splitlines() if line.endswith(": FAILED")]
    return done.returncode, failed
