"""A usage file as text: which encoding it is in, the SHA-256 of its bytes, and where it stops being text."""

import codecs
import hashlib
import io
from pathlib import Path
from typing import IO, Final

from reclaim.errors import InvalidRequest

MAX_BYTES: Final = 1_000_000_000
_PIECE: Final = 1 << 16  # bytes
_NOT_TEXT: Final = {b"PK\x03\x04": "a spreadsheet or archive", b"\x1f\x8b": "a compressed file", b"%PDF": "a PDF"}
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MEND: Final = "Save it as “CSV UTF-8” and import that."


class TextFile:
    """An open file, read once from its beginning to its end.

    Attributes:
        text: Its characters behind the mark of their encoding; lines keep their ends.
    """

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: It cannot be read.
            InvalidRequest: It is no text, or larger than `MAX_BYTES`.
        """
        self._path = path
        raw: IO[bytes] = path.open("rb", buffering=0)
        try:
            self._size = path.stat().st_size
            start = raw.read(4)
            for mark, what in _NOT_TEXT.items():
                if start.startswith(mark):
                    raise InvalidRequest(f"{path.name} is {what}. Save it as “CSV UTF-8”.")
            if self._size > MAX_BYTES:
                raise InvalidRequest(f"{path.name} has more than {MAX_BYTES:,} bytes. Cut it into several files.")
            raw.seek(0)
        except BaseException:
            raw.close()
            raise
        mark, self._encoding = next((pair for pair in _MARKS if start.startswith(pair[0])), (b"", "utf-8"))
        self._bytes = _Hashed(raw)
        behind_mark = io.BufferedReader(self._bytes, _PIECE)
        behind_mark.read(len(mark))
        self.text = io.TextIOWrapper(behind_mark, encoding=self._encoding, newline="")

    @property
    def done(self) -> float | None:
        """How much of it is read, from 0 to 1; None: it has no size."""
        return min(1.0, self._bytes.count / self._size) if self._size else None

    @property
    def sha256(self) -> str:
        """Of the bytes that were read so far, in hexadecimal."""
        return self._bytes.sha256.hexdigest()

    def close(self) -> None:
        """Close it."""
        self.text.close()

    def undecodable(self) -> InvalidRequest:
        """Return what to tell where `text` raised a UnicodeError: the first bytes that are none of its characters."""
        line, column, wrong = _first_wrong(self._path, self._encoding)
        where = f"{self._path.name}, line {line}, character {column}"
        if not wrong:
            return InvalidRequest(f"{where}: the file breaks off inside of a character. Nothing was imported.")
        if self._encoding != "utf-8":
            return InvalidRequest(f"{where}: it is marked as UTF-16 and is none there. {_MEND}")
        guess = _in_western(wrong)
        hint = f" It looks like Windows-1252 (“{guess}” there)." if guess else ""
        return InvalidRequest(f"{where}: the byte {wrong.hex().upper()} is not UTF-8.{hint} {_MEND}")

    def without_mark(self) -> InvalidRequest:
        """Return what to tell of a file whose text begins with zero bytes."""
        return InvalidRequest(
            f"{self._path.name}, line 1: it is not UTF-8; it looks like UTF-16 or UTF-32 without a mark that says so."
            f" {_MEND}"
        )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Hashed(io.RawIOBase):
    """Hashes and counts what is read through it."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.sha256 = hashlib.sha256()
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # of all buffers, these two
        piece = self._raw.read(len(buffer))
        buffer[: len(piece)] = piece
        self.sha256.update(piece)
        self.count += len(piece)
        return len(piece)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _first_wrong(path: Path, encoding: str) -> tuple[int, int, bytes]:
    """Return line and character, from one, of the first bytes that are none of `encoding`, and the first of them."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, line_begins_with = 0, 0  # line ends so far, and the characters behind the last of them
    with path.open("rb") as stream:
        while True:
            piece = stream.read(_PIECE)
            wrong: bytes | None = None
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode(encoding)
                wrong = error.object[error.start : error.start + 1] if piece else b""
            if "\n" in text:
                lines += text.count("\n")
                line_begins_with = 0
            line_begins_with += len(text) - (text.rfind("\n") + 1)
            if wrong is not None or not piece:
                mark = 1 if lines == 0 and encoding != "utf-8" else 0
                return lines + 1, line_begins_with + 1 - mark, wrong or b""


def _in_western(wrong: bytes) -> str:
    """Return the letter that Windows-1252 means by a byte, or nothing where it means none."""
    try:
        letter = wrong.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return letter if letter.isalpha() else ""
