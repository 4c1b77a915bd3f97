"""The file of an export as records, piece by piece: neither its size nor one long line fills the memory."""

import codecs
import csv
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from io import StringIO
from typing import Final

from reclaim.errors import PortError

PIECE: Final = 1 << 18  # bytes of text at once, however well they were compressed
LONGEST_RECORD: Final = 1 << 20  # characters
MAX_TEXT: Final = 1_000_000_000  # characters
_GZIP: Final = b"\x1f\x8b"


async def records(stored: AsyncIterator[bytes]) -> AsyncGenerator[list[Sequence[str]]]:
    """Yield the records of a CSV file, gzipped or plain, some at a time, the header first.

    Raises:
        PortError: It is no such file, or not whole.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest, size = "", 0
    try:
        async for plain in _plain(stored):
            text = decoder.decode(plain)
            size += len(text)
            if size > MAX_TEXT:
                raise PortError(f"The results of the Nexthink query are over {MAX_TEXT:,} characters.", permanent=True)
            whole, rest = _split(rest + text)
            if whole:
                yield list(_parsed(whole))
        rest += decoder.decode(b"", final=True)
    except (UnicodeDecodeError, csv.Error) as error:
        raise PortError("The results of the Nexthink query are no CSV in UTF-8.", permanent=True) from error
    if rest.count('"') % 2:
        raise _torn()
    if rest.strip():
        yield list(_parsed(rest))


async def _plain(stored: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the file without its compression. What is compressed says where it ends; the rest is HTTP's to know."""
    start, unpacker = b"", None
    async for piece in stored:
        if len(start) < len(_GZIP):
            start += piece
            if len(start) < len(_GZIP):
                continue
            piece = start
            unpacker = zlib.decompressobj(wbits=31) if start.startswith(_GZIP) else None
        if unpacker is None:
            yield piece
            continue
        while piece:
            if unpacker.eof:  # files that were compressed one by one and put together
                unpacker = zlib.decompressobj(wbits=31)
            try:
                plain = unpacker.decompress(piece, PIECE)
            except zlib.error as error:
                raise _torn() from error
            if plain:
                yield plain
            piece = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if unpacker is not None and not unpacker.eof:
        raise _torn()
    if unpacker is None and 0 < len(start) < len(_GZIP):
        yield start


def _split(text: str) -> tuple[str, str]:
    """Return the whole records at the start, and what follows them: a line ends a record outside of quotation marks."""
    end = text.rfind("\n") + 1
    while end and text.count('"', 0, end) % 2:
        end = text.rfind("\n", 0, end - 1) + 1
    if len(text) - end > LONGEST_RECORD:
        raise PortError("The results of the Nexthink query have a line without end.", permanent=True)
    return text[:end], text[end:]


def _parsed(text: str) -> Iterator[Sequence[str]]:
    lines = StringIO(text.replace("\0", "\N{REPLACEMENT CHARACTER}"), newline="")
    return (record for record in csv.reader(lines, strict=True) if record)


def _torn() -> PortError:
    return PortError("The results of a Nexthink export broke off. Nothing of them counts.")
