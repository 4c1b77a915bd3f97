"""The files that a command names: the command line reads them, the core gets their text."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from reclaim.errors import InvalidRequest

MAX_BYTES: Final = 2_000_000
_OPTIONS: Final = ("--csv", "--file")


def read_files(words: Sequence[str]) -> Mapping[str, str]:
    """Return name as typed → content for every file behind `--csv` or `--file`.

    Raises:
        InvalidRequest: A file is not there, too large, or not UTF-8.
    """
    return {name: _read(Path(name)) for name in _named(words)}


def _named(words: Sequence[str]) -> Iterator[str]:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        name, equals, value = word.partition("=")
        if name in _OPTIONS and (equals or not following.startswith("--")) and (value or following):
            yield value if equals else following


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    if len(raw) > MAX_BYTES:
        raise InvalidRequest(f"{path} has more than {MAX_BYTES:,} bytes. Cut it into several files.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path} is not UTF-8. Save it as UTF-8.") from error
