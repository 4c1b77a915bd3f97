"""The rows of a usage file that were refused, in a file of their own: to be mended there, and imported alone."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from reclaim.domain.spreadsheet import harmless
from reclaim.errors import InvalidRequest

LINE, COLUMN, REASON = "line", "column", "reason"
HEADER: Final = (LINE, COLUMN, REASON)  # before the columns of the file itself


def rejects_of(path: Path) -> Path:
    """Return where the refused rows of a file go unless it is said."""
    return path.with_name(f"{path.name}.rejects.csv")


class Rejects:
    """Writes refused rows as they come. Nothing is there before the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: TextIO | None = None

    def check(self) -> None:
        """Refuse what would be written over: it may be half mended.

        Raises:
            InvalidRequest: The file is there.
        """
        if self.path.exists():
            raise InvalidRequest(
                f"{self.path} is there already, and may hold what you have mended. Move it away, or name another file"
                " with --rejects. Nothing was imported."
            )

    def add(self, header: Sequence[str], place: tuple[int, str, str], cells: Sequence[str]) -> None:
        """Write one row.

        Args:
            header: The columns of the file itself.
            place: Line or element, column and reason.
            cells: As they stand in the file.

        Raises:
            InvalidRequest: The file cannot be written.
        """
        try:
            if self._stream is None:
                self._stream = self._open()
                self._write(self._stream, [*HEADER, *header])
            self._write(self._stream, [str(place[0]), *place[1:], *cells])
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Let the file be read.

        Raises:
            InvalidRequest: It could not be written to its end.
        """
        if self._stream is not None:
            try:
                self._stream.close()
            except OSError as error:
                raise self._unwritable(error) from error

    def remove(self) -> None:
        """Leave no file: nothing was imported."""
        if self._stream is not None:
            self._stream.close()
            self.path.unlink(missing_ok=True)

    @property
    def written(self) -> bool:
        """There are rows."""
        return self._stream is not None

    def _open(self) -> TextIO:
        # For its owner alone, as the database: it names people and what they use.
        return os.fdopen(
            os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8", newline=""
        )

    def _write(self, stream: TextIO, cells: Sequence[str]) -> None:
        csv.writer(stream, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])

    def _unwritable(self, error: OSError) -> InvalidRequest:
        return InvalidRequest(f"{self.path} cannot be written: {error.strerror}. Nothing was imported.")
