"""Usage from a file: CSV as docs/consent.md describes it, or the same as JSON objects, one a line or in one array.

A file is read piece by piece in a thread, so that neither its size nor a slow disk holds anything up. Whatever is wrong with
it is said with line and column. Nothing in a file is believed that does not say when it was seen.
"""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from reclaim.connectors.json_array import BadElement, elements
from reclaim.connectors.usage_cells import (
    APPLICATION,
    COLUMNS,
    DEVICE,
    LAST_USED,
    OBSERVED,
    UNUSED,
    WHO,
    BadCell,
    RowJudge,
)
from reclaim.connectors.usage_rejects import HEADER, Rejects
from reclaim.connectors.usage_text import TextFile, sha256_of
from reclaim.domain.spreadsheet import as_it_was
from reclaim.domain.usage import UsageRow
from reclaim.errors import InvalidRequest
from reclaim.ports.usage import BATCH, UsageBatch

MAX_LINE: Final = 100_000  # characters
MAX_PROBLEMS: Final = 100
# Column → further names that it goes by, compared without case, blanks, hyphens and underscores.
_NAMES: Final[Mapping[str, Sequence[str]]] = {
    WHO: ("upn", "userprincipalname", "userid", "user", "person", "objectid"),
    APPLICATION: ("app", "product", "sku"),
    LAST_USED: ("lastused", "lastuse", "lastusedat"),
    UNUSED: ("daysunused", "unuseddays", "dayswithoutuse"),
    DEVICE: ("device", "devicename", "computer"),
    OBSERVED: ("observed", "observedat", "seen", "seenat", "exportedat"),
}
_JSON_HEADER: Final = (*COLUMNS, "row")  # of refused rows: the last has what could not be taken apart


class BadRows(StrEnum):
    """What a file with rows that cannot be read becomes."""

    REFUSE = "refuse"  # none of it counts
    # Its good rows count, and the others are named. Whoever a bad row is of is unknown: it may have told of their latest use.
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Problem:
    """One cell or row that cannot be read.

    Attributes:
        line: From one; in a JSON array the element, which `unit` says.
    """

    line: int
    column: str | None
    message: str
    unit: str = "Line"

    def __str__(self) -> str:
        where = f"{self.unit} {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{where}: {self.message}"


@dataclass
class UsageFile:
    """One file, read once.

    Attributes:
        adds: Its rows are added to others: only then may it be a file of refused rows.
        rejects: Where the rows go that are skipped; None: nowhere.
        problems: After reading, what was skipped; `skipped` counts it where there is more.
    """

    path: Path
    now: datetime
    application: str | None = None
    bad_rows: BadRows = BadRows.REFUSE
    adds: bool = False
    rejects: Rejects | None = None
    problems: list[Problem] = field(default_factory=list)
    skipped: int = 0
    _last_line: str = "\n"
    _digest: str | None = None

    async def digest(self) -> str:
        """Return the SHA-256 of the file's bytes, in hexadecimal; reading it checks that they are still the same.

        Raises:
            InvalidRequest: It cannot be read.
        """
        try:
            self._digest = await asyncio.to_thread(sha256_of, self.path)
        except OSError as error:
            raise self._unreadable(error) from error
        return self._digest

    async def read(self, application: str = "") -> AsyncIterator[UsageBatch]:
        """Yield all rows.

        Raises:
            InvalidRequest: The file cannot be read, its header does not fit, or a row cannot be read and `bad_rows` says
                that none counts then; or it has changed since `digest`.
        """
        del application  # a file says itself of which it speaks
        if self.rejects is not None:
            self.rejects.check()
        try:
            file = await asyncio.to_thread(TextFile, self.path)
        except OSError as error:
            raise self._unreadable(error) from error
        batches = self._batches(file)
        whole = False
        try:
            # Not one ahead while another is stored: that would take the interpreter lock from who holds the write lock.
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                yield batch
            whole = True
        finally:
            await asyncio.to_thread(self._close, file, whole=whole)

    def _close(self, file: TextFile, *, whole: bool) -> None:
        file.close()
        if self.rejects is not None:
            (self.rejects.close if whole else self.rejects.remove)()

    def _batches(self, file: TextFile) -> Iterator[UsageBatch]:
        try:
            rows = self._rows(file)
            while some := list(islice(rows, BATCH)):
                yield UsageBatch(rows=some, done=file.done)
        except UnicodeError as error:
            raise file.undecodable() from error
        if self._digest not in (None, file.sha256):
            raise InvalidRequest(f"{self.path.name} has changed while it was read. Nothing was imported.")

    def _rows(self, file: TextFile) -> Iterator[UsageRow]:
        start = file.text.readline(MAX_LINE)
        if not start.strip():
            raise InvalidRequest(f"{self.path.name} is empty, or begins with an empty line.")
        if "\0" in start:
            raise file.without_mark()
        if start.lstrip().startswith("["):
            return self._json_array(start.lstrip(), file.text)
        lines = self._lines(start, file.text)
        return self._json_lines(lines) if start.lstrip().startswith("{") else self._csv(lines)

    def _lines(self, first: str, stream: TextIO) -> Iterator[str]:
        line, number = first, 0
        while line:
            number += 1
            if len(line) == MAX_LINE and not line.endswith("\n"):
                raise InvalidRequest(f"{self.path.name}, line {number}: it is longer than {MAX_LINE:,} characters.")
            self._last_line = line
            yield line.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in line else line
            line = stream.readline(MAX_LINE)

    def _csv(self, lines: Iterator[str]) -> Iterator[UsageRow]:
        first = next(lines)
        delimiter = max(",;\t", key=first.count)
        header = next(csv.reader([first.rstrip("\r\n")], delimiter=delimiter))
        places = self._header(header)
        who, application, last_used, unused, device, observed = (places.get(column, -1) for column in COLUMNS)
        mended = [cell.strip().lower() for cell in header[: len(HEADER)]] == list(HEADER)
        if mended and not self.adds:
            raise InvalidRequest(
                f"{self.path.name} has the refused rows of another file: alone they would replace it. Add them with --add."
            )
        own = len(HEADER) if mended else 0  # before it stands what we have said of the rows
        judge, width = self._judge(), len(header)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
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
            if mended:
                cells = [as_it_was(cell) for cell in cells]
            if len(cells) == width:
                cells.append("")  # a column that the file does not have is at -1
                try:
                    yield judge.row(
                        cells[who], cells[application], cells[last_used], cells[unused], cells[device], cells[observed]
                    )
                    continue
                except BadCell as bad:
                    problem = _problem(line, bad)
                    del cells[-1]
            else:
                problem = Problem(line, None, f"it has {len(cells)} cells, the header has {width}")
            if any(cell.strip() for cell in cells):
                named = {name: cells[place] for name, place in places.items() if place < len(cells)}
                yield from self._bad(problem, named, (header[own:], cells[own:]), judge)

    def _json_lines(self, lines: Iterable[str]) -> Iterator[UsageRow]:
        judge = self._judge()
        for line, text in enumerate(lines, start=1):
            if not text.strip():
                continue
            try:
                document = json.loads(text.rstrip())
            except json.JSONDecodeError as error:
                problem = Problem(line, str(error.colno), f"no JSON: {error.msg}")
                yield from self._bad(problem, {}, _given({}, text), judge)
            except (ValueError, RecursionError):  # a number of thousands of digits; a list in a list in a list …
                yield from self._bad(Problem(line, None, "no JSON that can be read"), {}, _given({}, text), judge)
            else:
                yield from self._object(line, document, "Line", judge)

    def _json_array(self, first: str, stream: TextIO) -> Iterator[UsageRow]:
        judge = self._judge()
        try:
            for number, document in enumerate(elements(first, stream.read, longest=MAX_LINE), start=1):
                yield from self._object(number, document, "Element", judge)
        except BadElement as error:
            # Where the next element would begin is not sure any more.
            problem = Problem(error.number, None, error.problem, unit="Element")
            raise InvalidRequest(f"{self.path.name}: {problem}. Nothing was imported.") from error

    def _object(self, number: int, document: object, unit: str, judge: RowJudge) -> Iterator[UsageRow]:
        if not isinstance(document, dict):
            problem = Problem(number, None, "a row is one JSON object", unit)
            yield from self._bad(problem, {}, _given({}, json.dumps(document)), judge)
            return
        known = [(name, _text(value)) for key, value in document.items() if (name := _known(str(key))) is not None]
        cells = dict(known)
        twice = next((name for name in cells if [one for one, _ in known].count(name) > 1), None)
        try:
            if twice is not None:
                raise BadCell(twice, "is given twice")
            yield judge.row(*(cells.get(column, "") for column in COLUMNS))
        except BadCell as bad:
            named = {} if twice is not None else cells
            yield from self._bad(_problem(number, bad, unit), named, _given(cells, json.dumps(document)), judge)

    def _judge(self) -> RowJudge:
        return RowJudge(now=self.now, application=self.application)

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

    def _bad(
        self,
        problem: Problem,
        cells: Mapping[str, str],
        given: tuple[Sequence[str], Sequence[str]],
        judge: RowJudge,
    ) -> Iterator[UsageRow]:
        """Refuse the file, or skip a row: then yield one that makes its person unknown, where it says whose it is.

        Args:
            problem: What is wrong with it.
            cells: Its cells by our columns, as far as they are sure.
            given: Header and cells as they stand in the file.
            judge: Of the file.
        """
        if self.bad_rows is BadRows.REFUSE:
            raise InvalidRequest(f"{self.path.name}: {problem}. Nothing was imported.")
        if not self._last_line.endswith(("\n", "\r")):
            raise InvalidRequest(f"{self.path.name}: {problem}. The file breaks off there. Nothing was imported.")
        self.skipped += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        if self.rejects is not None:
            self.rejects.add(given[0], (problem.line, problem.column or "", problem.message), given[1])
        unknown = judge.unknown(cells.get(WHO, ""), cells.get(APPLICATION, ""))
        if unknown is not None:
            yield unknown

    def _unreadable(self, error: OSError) -> InvalidRequest:
        return InvalidRequest(f"{self.path} cannot be read: {error.strerror}.")


def _problem(line: int, error: BadCell, unit: str = "Line") -> Problem:
    said = f"“{error.text[:30]}”" if error.text else "it"
    return Problem(line, error.column, f"{said} {error.problem}", unit)


def _given(cells: Mapping[str, str], text: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return a JSON row as a CSV has it: by our columns, or its text where it has none of them."""
    return _JSON_HEADER, [*(cells.get(column, "") for column in COLUMNS), "" if cells else text.strip()]


def _known(cell: str) -> str | None:
    plain = "".join(one for one in cell.lower() if one.isalnum())
    return next((name for name, others in _NAMES.items() if plain == name.replace("_", "") or plain in others), None)


def _text(value: object) -> str:
    if value is None:
        return ""
    # What is neither text nor number has no meaning here; said of the cell as of one that was torn.
    if not isinstance(value, str | int | float):
        return "\N{REPLACEMENT CHARACTER}"
    # Halves of a character and NUL can be written in JSON, and stored nowhere.
    return (
        str(value)
        .replace("\0", "\N{REPLACEMENT CHARACTER}")
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
    )
