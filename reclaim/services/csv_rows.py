"""Rows of a small CSV file, read strictly: one mistake refuses the whole of it, named by its line."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO

from reclaim.errors import InvalidRequest


def read_rows(
    text: str, check_header: Callable[[Sequence[str]], None], *, field: str
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield line number and cells by column; blank lines are passed over.

    Args:
        text: The file; a byte order mark is taken.
        check_header: Given the names of the columns, in lower case; raises `InvalidRequest` where they do not fit.
        field: Of the form that the file came in, for errors.

    Raises:
        InvalidRequest: It is no CSV, or a row has more or fewer cells than the header.
    """
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        names = [cell.strip().casefold() for cell in next(reader, [])]
        check_header(names)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise InvalidRequest(
                    f"Line {reader.line_num}: {len(cells)} columns instead of {len(names)}. Nothing was loaded.",
                    field=field,
                )
            yield reader.line_num, {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    except csv.Error as error:
        raise InvalidRequest(
            f"Line {reader.line_num} cannot be read as CSV: {error}. Nothing was loaded.", field=field
        ) from error


def mistake(line: int, column: str, what: str, *, field: str) -> InvalidRequest:
    """Return the error about one cell."""
    return InvalidRequest(f"Line {line}, {column}: {what} Nothing was loaded.", field=field)
