"""`reclaim usage import` in the terminal: a bar over the file, and what was taken and what was not."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reclaim.ports.usage_storage import UsageImport
from reclaim.services.import_usage import Imported


@contextmanager
def reading(name: str, stream: TextIO) -> Iterator[Callable[[int, float | None], None]]:
    """Show how far a file is read; where `stream` is no terminal nothing is drawn."""
    console = Console(file=stream)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[read]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(f"Reading {name}", total=1.0, read="")

        def told(rows: int, done: float | None) -> None:
            progress.update(bar, completed=done or 0.0, read=f"{rows:,} rows")

        yield told


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Rows that were not taken.

    Attributes:
        problems: Of the first of them.
        file: Where all of them are; None: nowhere.
    """

    rows: int
    problems: Sequence[str]
    file: Path | None


def finish(done: Imported, sha256: str, skipped: Skipped, out: TextIO) -> None:
    """Say what was taken, application by application, and who or what was not."""
    for one in done.imports:
        seen = f", seen until {one.newest:%Y-%m-%d %H:%M} UTC" if one.newest else ""
        print(f"{one.application}: {one.rows:,} rows{seen}.", file=out)
        if one.unmatched:
            print(f"  {one.unmatched:,} rows of nobody in this tenant.", file=out)
        if one.ambiguous:
            print(f"  {one.ambiguous:,} rows that fit more than one person.", file=out)
    if not done.imports:
        print("The file has no row. Nothing was imported.", file=out)
    for title, some in (("Nobody here", done.unmatched), ("More than one person", done.ambiguous)):
        if some:
            print(f"{title}: {', '.join(some)}", file=out)
    print(f"SHA-256 of the file: {sha256}", file=out)
    if skipped.rows:
        print(f"{skipped.rows:,} rows were skipped. Whoever they name is unknown, and is not asked:", file=out)
        for problem in skipped.problems:
            print(f"  {problem}", file=out)
        if skipped.file is not None:
            print(f"All of them are in {skipped.file}, which only you can read. Mend them there, then:", file=out)
            print(f"  reclaim usage import --add {shlex.quote(str(skipped.file))}", file=out)


def list_imports(imports: Sequence[UsageImport], out: TextIO) -> None:
    """List imports with what each was read from."""
    if not imports:
        print("Nothing was imported.", file=out)
    for one in imports:
        seen = f", seen until {one.newest:%Y-%m-%d %H:%M} UTC" if one.newest else ""
        print(f"{one.application} ({one.source}): {one.rows:,} rows{seen}", file=out)
        print(f"  imported at {one.at:%Y-%m-%d %H:%M} UTC by {one.by} from {one.name}", file=out)
        if one.sha256:
            print(f"  SHA-256 {one.sha256}", file=out)
