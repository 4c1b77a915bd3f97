"""The end of `reclaim scan`: the report is written, and what it says stands in one line."""

from pathlib import Path
from typing import TextIO

from cards.scan import summary
from reclaim.domain.read_models import ScanReport


def finish(report: ScanReport, content: bytes, file: Path, out: TextIO) -> None:
    """Write the report and say what it found. `file` is written over: a scan is a look, not evidence."""
    file.write_bytes(content)
    print(summary(report), file=out)
    print(f"Wrote {file}. {_people(report)}", file=out)


def _people(report: ScanReport) -> str:
    if report.rows is None:
        return "No person is named in it."
    return "It names people: think before you forward it."
