"""Read a list of people, or of their seats, as somebody pasted or saved it; every row that cannot be used is named.

Two forms are read. A CSV begins with the header `person` or `person,sku`; commas, semicolons or tabs part its cells, cells
may be quoted, a byte order mark and a spreadsheet's `sep=;` are passed over. Without that header it is a plain list: people
one a line, or parted by commas or semicolons.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from reclaim.domain.lookup import shown
from reclaim.errors import InvalidRequest

PERSON, SKU = "person", "sku"
MAX_ROWS = 20_000
FIELD = "listed"
_NAMED = 8  # mistakes that a message tells; the rest is counted
_DELIMITERS = (";", "\t", ",")
_SEP = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_HEADER = "The first line must be person, or person,sku."


@dataclass(frozen=True, slots=True)
class Listed:
    """One row: a person as written, and a SKU as written or None for all that the person holds."""

    line: int
    person: str
    sku: str | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in one row; `column` None: with the row as such."""

    line: int
    column: str | None
    text: str


def refuse(mistakes: Sequence[Mistake]) -> InvalidRequest:
    """Return the refusal of a list, with the line and column of each mistake and what to do."""
    ordered = sorted(mistakes, key=lambda one: (one.line, one.column or ""))
    told = [
        f"Line {one.line}, {one.column}: {one.text}" if one.column else f"Line {one.line}: {one.text}"
        for one in ordered[:_NAMED]
    ]
    more = [f"And {len(ordered) - _NAMED:,} more."] if len(ordered) > _NAMED else []
    return InvalidRequest(" ".join([*told, *more, "Nothing was taken from this list."]), field=FIELD)


def read_list(text: str, *, csv_only: bool = False) -> tuple[list[Listed], list[Mistake]]:
    """Return the rows of a list and what is wrong with the others. An empty text has neither.

    Args:
        text: As pasted, or the content of a file.
        csv_only: A plain list is refused: the text comes from a CSV file.

    Raises:
        InvalidRequest: The header of a CSV is missing or unknown, or there are no rows, or too many.
    """
    body, start = _without_mark(text)
    if not body.strip():
        if csv_only:
            raise InvalidRequest(f"The file is empty. {_HEADER}", field=FIELD)
        return [], []
    delimiter, names = _header(body, text)
    if PERSON not in names:
        if csv_only:
            raise InvalidRequest(f"Line 1: the header is missing. {_HEADER}", field=FIELD)
        rows, mistakes = _plain(body, start), list[Mistake]()
    else:
        _check_header(names)
        rows, mistakes = _cells(body, delimiter, names, start)
    if len(rows) > MAX_ROWS:
        raise InvalidRequest(
            f"The list has {len(rows):,} rows. It may have {MAX_ROWS:,}: choose by SKU or department.", field=FIELD
        )
    if not rows and not mistakes:
        raise InvalidRequest("The list has a header and no rows.", field=FIELD)
    return rows, mistakes


def _without_mark(text: str) -> tuple[str, int]:
    """Return the text behind byte order mark and `sep=` line, and the number of its first line."""
    body = text.removeprefix("\ufeff")
    found = _SEP.match(body.split("\n", 1)[0])
    return (body.partition("\n")[2], 2) if found and found.end() == len(body.split("\n", 1)[0]) else (body, 1)


def _header(body: str, text: str) -> tuple[str, list[str]]:
    """Return what parts the cells, and the first line's cells in lower case."""
    first = body.lstrip("\r\n").split("\n", 1)[0]
    named = _SEP.match(text.removeprefix("\ufeff").split("\n", 1)[0])
    said = named[1] if named else ""
    delimiter = said if said in _DELIMITERS else next((one for one in _DELIMITERS if one in first), ",")
    return delimiter, [cell.strip().strip('"').strip().casefold() for cell in first.split(delimiter)]


def _check_header(names: Sequence[str]) -> None:
    known = [name for name in names if name]
    odd = [name for name in known if name not in (PERSON, SKU)]
    if odd:
        raise InvalidRequest(f"Line 1: the column {shown(odd[0])} is not known. {_HEADER}", field=FIELD)
    if len(known) != len(set(known)):
        raise InvalidRequest(f"Line 1: a column stands there twice. {_HEADER}", field=FIELD)


def _plain(body: str, start: int) -> list[Listed]:
    return [
        Listed(number, person)
        for number, line in enumerate(body.splitlines(), start)
        for part in re.split(r"[;,\t]", line)
        if (person := part.strip().strip('"').strip())
    ]


def _cells(body: str, delimiter: str, names: Sequence[str], start: int) -> tuple[list[Listed], list[Mistake]]:
    rows: list[Listed] = []
    mistakes: list[Mistake] = []
    wanted = len([name for name in names if name])
    for line, cells in _lines(body, delimiter, start, mistakes):
        if len(cells) < wanted or any(cells[len(names) :]):
            mistakes.append(Mistake(line, None, f"{len(cells)} cells instead of {wanted}."))
            continue
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name}
        if not row.get(PERSON):
            mistakes.append(Mistake(line, PERSON, "it is empty. Give a sign-in name, an address or an object id."))
            continue
        rows.append(Listed(line, row[PERSON], row.get(SKU) or None))
    return rows, mistakes


def _lines(body: str, delimiter: str, start: int, mistakes: list[Mistake]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line and the cells of every row below the header; blank ones are passed over."""
    reader = csv.reader(StringIO(body, newline=""), delimiter=delimiter, strict=True)
    header = True
    while True:
        line = start + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            mistakes.append(Mistake(line, None, f"it cannot be read as CSV: {error}. Check the quotation marks."))
            return
        if not any(cell.strip() for cell in cells):
            continue
        if header:
            header = False
            continue
        yield line, cells
