"""Usage from a file: CSV as docs/consent.md describes it, or the same as a list of JSON objects, one a line.

A file is read piece by piece in a thread, so that neither its size nor a slow disk holds anything up. Whatever is wrong with
it is said with line and column. Nothing in a file is believed that does not say when it was seen.
"""

import asyncio
import codecs
import csv
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final, TextIO

from reclaim.connectors.usage_cells import (
    APPLICATION,
    DEVICE,
    LAST_USED,
    OBSERVED,
    UNUSED,
    WHO,
    BadCell,
    unknown_row,
    usage_row,
)
from reclaim.domain.usage import UsageRow
from reclaim.errors import InvalidRequest
from reclaim.ports.usage import BATCH, UsageBatch

MAX_BYTES: Final = 1_000_000_000
MAX_LINE: Final = 100_000  # characters
MAX_PROBLEMS: Final = 100
# Column → further names that it goes by, compared without case, blanks, hyphens and underscores.
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    WHO: ("upn", "userprincipalname", "userid", "user", "person", "objectid"),
    APPLICATION: ("app", "product", "sku"),
    LAST_USED: ("lastused", "lastuse", "lastusedat"),
    UNUSED: ("daysunused", "unuseddays", "dayswithoutuse"),
    DEVICE: ("device", "devicename", "computer"),
    OBSERVED: ("observed", "observedat", "seen", "seenat", "exportedat"),
}
_NOT_TEXT: Final = {b"PK\x03\x04": "a spreadsheet or archive", b"\x1f\x8b": "a compressed file", b"%PDF": "a PDF"}
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class BadRows(StrEnum):
    """What a file with rows that cannot be read becomes."""

    REFUSE = "refuse"  # none of it counts
    # Its good rows count, and the others are named. Whoever a bad row is of is unknown: it may have told of their latest use.
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Problem:
    """One cell or line that cannot be read."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        where = f"Line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{where}: {self.message}"


@dataclass
class UsageFile:
    """One file. `problems` holds, after reading, what was skipped; `skipped` counts it where there is more."""

    path: Path
    now: datetime
    application: str | None = None
    bad_rows: BadRows = BadRows.REFUSE
    problems: list[Problem] = field(default_factory=list)
    skipped: int = 0
    _torn: bool = False  # the line that was read last has no end

    async def read(self, application: str = "") -> AsyncIterator[UsageBatch]:
        """Yield all rows.

        Raises:
            InvalidRequest: The file cannot be read, its header does not fit, or a row cannot be read and `bad_rows` says
                that none counts then.
        """
        del application  # a file says itself of which it speaks
        try:
            raw, stream, size = await asyncio.to_thread(self._open)
        except OSError as error:
            raise InvalidRequest(f"{self.path} cannot be read: {error.strerror}.") from error
        try:
            rows = self._rows(stream)
            while True:
                try:
                    some = await asyncio.to_thread(lambda: list(islice(rows, BATCH)))
                except UnicodeError as error:
                    raise self._no_text() from error
                if not some:
                    break
                yield UsageBatch(rows=some, done=min(1.0, raw.tell() / size) if size else None)
        finally:
            await asyncio.to_thread(stream.close)

    def _open(self) -> tuple[IO[bytes], TextIOWrapper, int]:
        raw: IO[bytes] = self.path.open("rb")
        try:
            start = raw.read(4)
            size = self.path.stat().st_size
            for mark, what in _NOT_TEXT.items():
                if start.startswith(mark):
                    raise InvalidRequest(f"{self.path.name} is {what}. Save it as “CSV UTF-8”.")
            if size > MAX_BYTES:
                raise InvalidRequest(f"{self.path.name} has more than {MAX_BYTES:,} bytes. Cut it into several files.")
            raw.seek(0)
        except BaseException:
            raw.close()
            raise
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
        return raw, TextIOWrapper(raw, encoding=encoding, newline=""), size

    def _rows(self, stream: TextIO) -> Iterator[UsageRow]:
        lines = self._lines(stream)
        first = next(lines, "")
        if not first.strip():
            raise InvalidRequest(f"{self.path.name} is empty, or begins with an empty line.")
        if "\0" in first:
            raise self._no_text()
        yield from self._json(chain([first], lines)) if first.lstrip().startswith("{") else self._csv(lines, first)

    def _lines(self, stream: TextIO) -> Iterator[str]:
        number = 0
        while line := stream.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE and not line.endswith("\n"):
                raise InvalidRequest(f"{self.path.name}, line {number}: it is longer than {MAX_LINE:,} characters.")
            self._torn = not line.endswith(("\n", "\r"))
            yield line

    def _csv(self, lines: Iterator[str], first: str) -> Iterator[UsageRow]:
        delimiter = max(",;\t", key=first.count)
        header = next(csv.reader([first.rstrip("\r\n")], delimiter=delimiter))
        columns = self._header(header)
        reader = csv.reader(map(_without_nul, lines), delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 2  # where the row begins, behind the header
            try:
                cells = next(reader, None)
            except csv.Error as error:
                # What comes behind an unclosed quotation mark is one cell to the end of the file: nothing of it is sure.
                raise InvalidRequest(
                    f"{self.path.name}, line {line}: {error}. A quotation mark may be missing there, or the file is torn."
                ) from error
            if cells is None:
                return
            if not any(cell.strip() for cell in cells):
                continue
            named = {name: cells[place] for name, place in columns.items() if place < len(cells)}
            if len(cells) != len(header):
                problem = Problem(line, None, f"it has {len(cells)} cells, the header has {len(header)}")
                yield from self._bad(problem, named)
            else:
                yield from self._row(line, named)

    def _json(self, lines: Iterable[str]) -> Iterator[UsageRow]:
        for line, text in enumerate(lines, start=1):
            if not text.strip():
                continue
            try:
                document = json.loads(text.rstrip())
            except json.JSONDecodeError as error:
                yield from self._bad(Problem(line, str(error.colno), f"no JSON: {error.msg}"), {})
                continue
            except (ValueError, RecursionError):  # a number of thousands of digits; a list in a list in a list …
                yield from self._bad(Problem(line, None, "no JSON that can be read"), {})
                continue
            if not isinstance(document, dict):
                yield from self._bad(Problem(line, None, "a row is one JSON object"), {})
                continue
            known = [(name, _text(value)) for key, value in document.items() if (name := _known(str(key))) is not None]
            cells = dict(known)
            twice = next((name for name in cells if [one for one, _ in known].count(name) > 1), None)
            if twice is not None:
                yield from self._bad(Problem(line, twice, "it is given twice"), {})
            else:
                yield from self._row(line, cells)

    def _header(self, cells: Sequence[str]) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for place, cell in enumerate(cells):
            name = _known(cell)
            if name is None:
                continue
            if name in found:
                raise InvalidRequest(f"{self.path.name} has the column {name} twice.")
            found[name] = place
        needed = [WHO, OBSERVED, *([] if self.application else [APPLICATION])]
        missing = [name for name in needed if name not in found]
        if not {LAST_USED, UNUSED} & found.keys():
            missing.append(f"{LAST_USED} or {UNUSED}")
        if missing:
            there = [cell.strip().lower() for cell in cells if _known(cell) is None]
            near = [get_close_matches(name, there, n=1, cutoff=0.6) for name in missing[0].split(" or ")]
            hint = next((f" Is it “{some[0]}”?" for some in near if some), "")
            raise InvalidRequest(
                f"{self.path.name} has no column {missing[0]}.{hint} It needs: {WHO}, {APPLICATION}, {LAST_USED} or"
                f" {UNUSED}, {OBSERVED}."
            )
        return found

    def _row(self, line: int, cells: Mapping[str, str]) -> Iterator[UsageRow]:
        try:
            yield usage_row(cells, now=self.now, application=self.application)
        except BadCell as bad:
            said = f"“{bad.text[:30]}”" if bad.text else "it"
            yield from self._bad(Problem(line, bad.column, f"{said} {bad.problem}"), cells)

    def _bad(self, problem: Problem, cells: Mapping[str, str]) -> Iterator[UsageRow]:
        """Refuse the file, or skip a row: then yield one that makes its person unknown, where it says whose it is."""
        if self.bad_rows is BadRows.REFUSE:
            raise InvalidRequest(f"{self.path.name}: {problem}. Nothing was imported.")
        if self._torn:
            raise InvalidRequest(f"{self.path.name}: {problem}. The file breaks off there. Nothing was imported.")
        self.skipped += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        unknown = unknown_row(cells, application=self.application)
        if unknown is not None:
            yield unknown

    def _no_text(self) -> InvalidRequest:
        return InvalidRequest(f"{self.path.name} is not UTF-8, nor UTF-16 with a mark. Save it as “CSV UTF-8”.")


def _without_nul(line: str) -> str:
    """Return a line without the one character that the csv module may not take."""
    return line.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _known(cell: str) -> str | None:
    plain = "".join(one for one in cell.lower() if one.isalnum())
    return next((name for name, others in _COLUMNS.items() if plain == name.replace("_", "") or plain in others), None)


def _text(value: object) -> str:
    if value is None:
        return ""
    # What is neither text nor number has no meaning here; said of the cell as of one that was torn.
    return str(value) if isinstance(value, str | int | float) else "\N{REPLACEMENT CHARACTER}"
