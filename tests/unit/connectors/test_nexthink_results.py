"""The file of an export, in whatever pieces it comes."""

import gzip
import tracemalloc
from collections.abc import AsyncIterator, Sequence

import pytest

from reclaim.connectors.nexthink.results import LONGEST_RECORD, records
from reclaim.errors import PortError

TEXT = 'user.upn,last_usage\r\nada@contoso.example,"a ""b"", \r\nc"\r\n\r\nbürö@contoso.example,x\x0by\u2028z\r\n'
RECORDS = [
    ["user.upn", "last_usage"],
    ["ada@contoso.example", 'a "b", \r\nc'],
    ["bürö@contoso.example", "x\x0by\u2028z"],
]


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(content: bytes, size: int = 7) -> list[Sequence[str]]:
    return [record async for some in records(pieces(content, size)) for record in some]


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
async def test_records_do_not_depend_on_the_pieces(size: int, packed: bool, mark: bytes) -> None:
    plain = mark + TEXT.encode()

    assert await read(gzip.compress(plain) if packed else plain, size) == RECORDS


async def test_the_last_line_needs_no_end(tmp_path: object) -> None:
    assert await read(TEXT.rstrip().encode()) == RECORDS


async def test_files_that_were_compressed_one_by_one_are_one_file() -> None:
    first, second = TEXT.encode()[:30], TEXT.encode()[30:]

    assert await read(gzip.compress(first) + gzip.compress(second)) == RECORDS


@pytest.mark.parametrize("content", [b"", b"\r\n", gzip.compress(b"")], ids=["no bytes", "one line end", "packed"])
async def test_an_empty_file_has_no_records(content: bytes) -> None:
    assert await read(content) == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(TEXT.encode())[:-9], id="gzip without its end"),
        pytest.param(gzip.compress(TEXT.encode())[:12], id="gzip without content"),
        pytest.param(gzip.compress(TEXT.encode()) + b"more", id="gzip with something behind it"),
        pytest.param(b'user.upn\r\n"ada', id="open quotation mark"),
    ],
)
async def test_a_torn_file_is_said_and_may_be_tried_again(content: bytes) -> None:
    with pytest.raises(PortError, match="broke off") as raised:
        await read(content)

    assert not raised.value.permanent


@pytest.mark.parametrize("content", ["bürö".encode("latin-1") + b"\n", "x".encode("utf-16"), b'a,"b"c\n', b"ab\xc3"])
async def test_what_is_no_csv_in_utf_8_is_said(content: bytes) -> None:
    with pytest.raises(PortError, match="no CSV in UTF-8") as raised:
        await read(content)

    assert raised.value.permanent


async def test_neither_a_long_line_nor_a_bomb_fills_the_memory() -> None:
    bomb = gzip.compress(b"x" * (LONGEST_RECORD * 40))
    tracemalloc.start()

    with pytest.raises(PortError, match="line without end"):
        await read(bomb, 65_536)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * LONGEST_RECORD
