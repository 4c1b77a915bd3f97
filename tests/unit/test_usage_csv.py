"""A file of usage, and everything that can be wrong with one."""

import codecs
import gzip
import hashlib
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclaim.connectors.json_array import elements
from reclaim.connectors.usage_csv import MAX_LINE, MAX_PROBLEMS, BadRows, UsageFile
from reclaim.connectors.usage_rejects import Rejects, rejects_of
from reclaim.connectors.usage_text import MAX_BYTES
from reclaim.domain.usage import UsageRow, no_use_of
from reclaim.errors import InvalidRequest
from reclaim.ports.usage import BATCH

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HEADER = "who,application,last_used,unused_days,device,observed_at"
ADA = "ada@contoso.example,Miro,2026-10-01T08:00:00Z,,DESK-1,2026-11-23T06:00:00Z"
BOB = "bob@contoso.example,Miro,,45,DESK-2,2026-11-23"
USED = datetime(2026, 10, 1, 8, tzinfo=UTC)
SEEN = datetime(2026, 11, 23, 6, tzinfo=UTC)


def file_of(folder: Path, content: str | bytes, **more: object) -> UsageFile:
    path = folder / "usage.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return UsageFile(path=path, now=NOW, **more)  # type: ignore[arg-type]


async def rows_of(file: UsageFile) -> list[UsageRow]:
    return [row async for batch in file.read() for row in batch.rows]


async def refused(file: UsageFile) -> str:
    with pytest.raises(InvalidRequest) as raised:
        await rows_of(file)
    return raised.value.message


async def test_a_row_says_who_used_what_where_and_when_that_was_seen(tmp_path: Path) -> None:
    ada, bob = await rows_of(file_of(tmp_path, f"{HEADER}\n{ADA}\n\n{BOB}\n"))

    assert ada == UsageRow(
        who="ada@contoso.example",
        application="Miro",
        last_used_at=USED,
        unused_days=None,
        device="DESK-1",
        observed_at=SEEN,
    )
    assert (bob.last_used_at, bob.unused_days, bob.observed_at) == (None, 45, NOW)  # the end of a day, but not later


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)
async def test_unicode_is_read_with_its_mark_and_without(tmp_path: Path, encoding: str, mark: bytes) -> None:
    row = ADA.replace("DESK-1", "Bürö")

    (ada,) = await rows_of(file_of(tmp_path, mark + f"{HEADER}\r\n{row}\r\n".encode(encoding)))

    assert ada.device == "Bürö"


@pytest.mark.parametrize("delimiter", [";", "\t"])
async def test_semicolons_and_tabs_separate_too(tmp_path: Path, delimiter: str) -> None:
    (ada,) = await rows_of(file_of(tmp_path, f"{HEADER}\n{ADA}".replace(",", delimiter)))

    assert (ada.who, ada.device) == ("ada@contoso.example", "DESK-1")


async def test_columns_go_by_usual_names_and_others_are_left_alone(tmp_path: Path) -> None:
    text = "Cost Centre,User Principal Name,APP,Days-Unused,Seen at\n7,ada@contoso.example,Miro,3,2026-11-23\n"

    (ada,) = await rows_of(file_of(tmp_path, text))

    assert (ada.who, ada.application, ada.unused_days, ada.device) == ("ada@contoso.example", "Miro", 3, None)


async def test_json_lines_say_the_same(tmp_path: Path) -> None:
    lines = [
        {
            "upn": "ada@contoso.example",
            "app": "Miro",
            "lastUsed": "2026-10-01T08:00:00Z",
            "observedAt": "2026-11-23T06:00Z",
        },
        {"who": "bob@contoso.example", "application": "Miro", "unused_days": 45, "observed_at": "2026-11-23", "x": [1]},
    ]

    ada, bob = await rows_of(file_of(tmp_path, "\n\n".join(json.dumps(line) for line in lines)))

    assert (ada.last_used_at, ada.observed_at, bob.unused_days) == (USED, SEEN, 45)


async def test_a_large_file_comes_in_batches_and_says_how_far_it_is(tmp_path: Path) -> None:
    file = file_of(tmp_path, f"{HEADER}\n" + f"{ADA}\n" * (BATCH * 2 + 5))

    batches = [batch async for batch in file.read()]

    assert [len(batch.rows) for batch in batches] == [BATCH, BATCH, 5]
    done = [batch.done or 0.0 for batch in batches]
    assert sorted(done) == done
    assert done[-1] == 1.0


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    message = await refused(UsageFile(path=tmp_path / "missing.csv", now=NOW))

    assert "missing.csv cannot be read: No such file or directory." in message


async def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read" in await refused(UsageFile(path=tmp_path, now=NOW))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "usage.csv is empty", id="empty"),
        pytest.param(f"\n{HEADER}\n{ADA}", "begins with an empty line", id="empty-line-first"),
        pytest.param(b"PK\x03\x04\x14\x00", "a spreadsheet or archive. Save it as “CSV UTF-8”", id="spreadsheet"),
        pytest.param(gzip.compress(HEADER.encode()), "a compressed file", id="gzip"),
        pytest.param(b"%PDF-1.7\n", "a PDF", id="pdf"),
        pytest.param(
            f"{HEADER}\n{ADA}\n{ADA.replace('DESK', 'Büro')}\n".encode("cp1252"),
            "usage.csv, line 3, character 49: the byte FC is not UTF-8. It looks like Windows-1252 (“ü” there). Save it",
            id="windows-1252",
        ),
        pytest.param(
            f"{HEADER}\n".encode() + b"\x81\n", "line 2, character 1: the byte 81 is not UTF-8. Save it", id="no-letter"
        ),
        pytest.param(
            f"{HEADER}\n{ADA}\n{'x' * 70_000}\n".encode() + b"ab\xff",
            "line 4, character 3: the byte FF",
            id="wrong-byte-far-behind",
        ),
        pytest.param(
            f"{HEADER}\n{ADA}ü".encode()[:-1], "line 2, character 75: the file breaks off inside", id="half-a-character"
        ),
        pytest.param(
            f"{HEADER}\n{ADA}".encode("utf-16-le"),
            "line 1: it is not UTF-8; it looks like UTF-16",
            id="utf-16-without-mark",
        ),
        pytest.param(
            codecs.BOM_UTF16_LE + f"{HEADER}\nab".encode("utf-16-le") + b"\x00\xd8a\x00",
            "line 2, character 3: it is marked as UTF-16 and is none there",
            id="broken-utf-16",
        ),
        pytest.param(
            f"{HEADER}\n{ADA}".encode("utf-32"), "line 1: it is not UTF-8; it looks like UTF-16 or UTF-32", id="utf-32"
        ),
        pytest.param("who,application,last_used\n", "has no column observed_at.", id="missing-column"),
        pytest.param(
            "who,application,last_usd,observed_at\n", "last_used or unused_days. Is it “last_usd”?", id="misspelt"
        ),
        pytest.param("whoo,application,last_used,observed_at\n", "no column who. Is it “whoo”?", id="misspelt-who"),
        pytest.param("who,UPN,application,last_used,observed_at\n", "has the column who twice", id="column-twice"),
        pytest.param(
            f"{HEADER}\n{ADA}\nbob@contoso.example,Mi", "Line 3: it has 2 cells, the header has 6", id="half-a-line"
        ),
        pytest.param(
            f'{HEADER}\n{ADA}\n"bob@contoso.example,Miro\n{ADA}\n', "line 3: unexpected end of data", id="unclosed"
        ),
        pytest.param(HEADER + '\n"' + "x\n" * 90_000, "line 2: field larger than field limit", id="unclosed-long"),
        pytest.param(f"{HEADER}\n{'x' * MAX_LINE}", "line 2: it is longer than 100,000 characters", id="endless-line"),
        pytest.param("x" * MAX_LINE + "\n", "line 1: it is longer than", id="endless-header"),
        pytest.param('{"who": \n', "Line 1, column 8: no JSON", id="half-json"),
        pytest.param(f'{{"who": {"[" * 50_000}\n', "Line 1: no JSON that can be read", id="deep-json"),
        pytest.param(f'{{"unused_days": {"9" * 5_000}}}\n', "Line 1: no JSON that can be read", id="long-number"),
        pytest.param('{"who": "a"}\n[]\n', "Line 1, column application: it is empty", id="json-without-application"),
        pytest.param('{"who": "a", "upn": "b"}\n', "Line 1, column who: it is given twice", id="json-twice"),
        pytest.param('{"who": ["a"], "app": "Miro"}\n', "Line 1, column who: it cannot be read", id="json-list"),
    ],
)
async def test_a_file_that_cannot_be_read_says_what_is_wrong_with_it(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert said in await refused(file_of(tmp_path, content))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (",Miro,2026-10-01,,,2026-11-23", "column who: it is empty"),
        ("a\0da,Miro,2026-10-01,,,2026-11-23", "column who: it cannot be read"),
        (f"{'x' * 321},Miro,2026-10-01,,,2026-11-23", "column who: it cannot be read"),
        ("ada,,2026-10-01,,,2026-11-23", "column application: it is empty"),
        ("ada,Miro,,,,2026-11-23", "column last_used: it is empty, and unused_days is not given either"),
        (
            "ada,Miro,01.10.2026,,,2026-11-23",
            "column last_used: “01.10.2026” is no date. Example: 2026-11-23T08:00:00Z",
        ),
        ("ada,Miro,9999-12-31,,,2026-11-23", "column last_used: “9999-12-31” is no date"),
        ("ada,Miro,2026-11-25,,,2026-11-23", "column last_used: “2026-11-25” lies in the future"),
        ("ada,Miro,2026-11-22T12:00Z,,,2026-11-20", "column last_used: it is later than it was observed"),
        ("ada,Miro,,forty,,2026-11-23", "column unused_days: “forty” is no number of days up to 3,650"),
        ("ada,Miro,,-1,,2026-11-23", "column unused_days: “-1” is no number"),
        ("ada,Miro,,3651,,2026-11-23", "column unused_days: “3651” is no number"),
        ("ada,Miro,,00000045,,2026-11-23", "column unused_days: “00000045” is no number"),
        ("ada,Miro,,45,,", "column observed_at: it is empty"),
        ("ada,Miro,,45,,2026-12-24", "column observed_at: “2026-12-24” lies in the future"),
    ],
)
async def test_a_bad_cell_is_named_by_line_and_column_and_refuses_the_whole(
    tmp_path: Path, cells: str, said: str
) -> None:
    message = await refused(file_of(tmp_path, f"{HEADER}\n{ADA}\n{cells}\n"))

    assert f"usage.csv: Line 3, {said}" in message
    assert message.endswith("Nothing was imported.")


async def test_the_application_may_be_said_for_the_whole_file(tmp_path: Path) -> None:
    (ada,) = await rows_of(file_of(tmp_path, "who,unused_days,observed_at\nada,3,2026-11-23\n", application="Miro"))

    assert ada.application == "Miro"


async def test_a_row_over_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    text = f'{HEADER}\nada,Miro,,3,"one\ntwo",2026-11-23\nbob,Miro,,x,"one\ntwo",2026-11-23\n'

    assert "Line 4, column unused_days" in await refused(file_of(tmp_path, text))


async def test_good_rows_are_kept_where_that_is_wanted_and_the_others_are_named(tmp_path: Path) -> None:
    bad = ",Miro,,1,,2026-11-23\n" * (MAX_PROBLEMS + 20)
    file = file_of(tmp_path, f"{HEADER}\n{ADA}\n{bad}{BOB}\n", bad_rows=BadRows.SKIP)

    rows = await rows_of(file)

    assert [row.who for row in rows] == ["ada@contoso.example", "bob@contoso.example"]
    assert (file.skipped, len(file.problems)) == (MAX_PROBLEMS + 20, MAX_PROBLEMS)
    assert str(file.problems[0]) == "Line 3, column who: it is empty"


@pytest.mark.parametrize(
    "bad", ["ada@contoso.example,Miro,soon,,DESK-9,2026-11-23", "ada@contoso.example,Miro,2026-11"]
)
async def test_whose_row_is_skipped_is_unknown_and_never_unused(tmp_path: Path, bad: str) -> None:
    file = file_of(tmp_path, f"{HEADER}\n{ADA}\n{bad}\n", bad_rows=BadRows.SKIP)

    rows = await rows_of(file)

    assert {row.who for row in rows} == {"ada@contoso.example"}
    assert file.skipped == 1
    assert no_use_of(rows[:1], "csv", max_age=timedelta(days=14), now=NOW) is not None
    assert no_use_of(rows, "csv", max_age=timedelta(days=14), now=NOW) is None


async def test_a_torn_file_is_refused_also_where_bad_rows_are_skipped(tmp_path: Path) -> None:
    file = file_of(tmp_path, f'{HEADER}\n{ADA}\n"bob', bad_rows=BadRows.SKIP)

    assert "or the file is torn" in await refused(file)


@pytest.mark.parametrize("torn", ["bob@contoso.exam", '{"who": "bob@conto'])
async def test_a_last_line_that_breaks_off_refuses_a_file_of_which_bad_rows_are_skipped(
    tmp_path: Path, torn: str
) -> None:
    good = '{"who": "ada", "application": "Miro", "unused_days": 45, "observed_at": "2026-11-23"}'
    before = good if torn.startswith("{") else f"{HEADER}\n{ADA}"

    message = await refused(file_of(tmp_path, f"{before}\n{torn}", bad_rows=BadRows.SKIP))

    assert message.endswith("The file breaks off there. Nothing was imported.")


@pytest.mark.parametrize(
    ("last_used", "days", "expected"),
    [
        pytest.param("2026-09-01T12:00:00Z", "3", (None, 3), id="the days are the later use"),
        pytest.param("2026-11-20T12:00:00Z", "80", (datetime(2026, 11, 20, 12, tzinfo=UTC), None), id="the date is"),
        pytest.param("2026-11-20T12:00:00Z", "2", (datetime(2026, 11, 20, 12, tzinfo=UTC), None), id="they agree"),
    ],
)
async def test_of_a_date_and_days_that_differ_the_later_use_counts(
    tmp_path: Path, last_used: str, days: str, expected: tuple[datetime | None, int | None]
) -> None:
    line = f"ada@contoso.example,Miro,{last_used},{days},,2026-11-23T08:00:00Z"

    (row,) = await rows_of(file_of(tmp_path, f"{HEADER}\n{line}\n"))

    assert (row.last_used_at, row.unused_days) == expected


async def test_days_that_cannot_be_read_are_said_also_beside_a_date(tmp_path: Path) -> None:
    line = "ada@contoso.example,Miro,2026-09-01,many,,2026-11-23"

    assert "column unused_days: “many” is no number" in await refused(file_of(tmp_path, f"{HEADER}\n{line}\n"))


async def test_the_example_of_the_manual_is_one(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs/consent.md").read_text(encoding="utf-8")
    example = manual.partition("```csv\n")[2].partition("```")[0]

    rows = await rows_of(file_of(tmp_path, example))

    assert [(row.application, row.unused_days) for row in rows] == [("Miro", None), ("Miro", 45), ("Visio", None)]


# One JSON array --------------------------------------------------------------------------------------------------------
ROW = {"who": "ada", "application": "Miro", "unused_days": 45, "observed_at": "2026-11-23"}


@pytest.mark.parametrize("indent", [None, 2])
async def test_one_json_array_says_the_same_as_json_lines(tmp_path: Path, indent: int | None) -> None:
    many = [{**ROW, "who": f"p{number}", "device": "Bürö, [“{"} for number in range(3_000)]

    rows = await rows_of(file_of(tmp_path, " " + json.dumps(many, indent=indent) + "\n"))

    assert [row.who for row in rows] == [one["who"] for one in many]
    assert {(row.unused_days, row.device) for row in rows} == {(45, "Bürö, [“{")}


async def test_an_empty_json_array_has_no_row(tmp_path: Path) -> None:
    assert await rows_of(file_of(tmp_path, "[ ]\n")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param([ROW, {**ROW, "unused_days": "x"}], "Element 2, column unused_days: “x” is no number", id="cell"),
        pytest.param([ROW, 7], "Element 2: a row is one JSON object", id="no-object"),
        pytest.param([{**ROW, "upn": "bob"}], "Element 1, column who: it is given twice", id="twice"),
    ],
)
async def test_a_bad_element_is_named_by_number_and_field(tmp_path: Path, text: list[object], said: str) -> None:
    assert said in await refused(file_of(tmp_path, json.dumps(text)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(f"[{json.dumps(ROW)}, {{", "Element 2: no JSON, or the file breaks off in it", id="torn-inside"),
        pytest.param(f"[{json.dumps(ROW)},", "Element 2: the file breaks off before it", id="torn-before"),
        pytest.param(f"[{json.dumps(ROW)}", "Element 1: the file breaks off behind it", id="torn-behind"),
        pytest.param("[", "Element 1: the file breaks off before it", id="nothing"),
        pytest.param(f"[{json.dumps(ROW)} {json.dumps(ROW)}]", "Element 1: a comma or the closing", id="no-comma"),
        pytest.param(f"[{json.dumps(ROW)}] x", "Element 2: the array has ended, and more follows", id="more"),
        pytest.param(f'[{{"who": "{"x" * MAX_LINE}"}}]', "Element 1: longer than 100,000 characters", id="too-long"),
        pytest.param(f'[{{"who": "{"x" * 3 * MAX_LINE}', "Element 1: no JSON, or longer than", id="endless"),
        pytest.param("[" * 50_000, "Element 1: no JSON that can be read", id="deep"),
    ],
)
async def test_an_array_that_cannot_be_taken_apart_is_refused_also_where_bad_rows_are_skipped(
    tmp_path: Path, text: str, said: str
) -> None:
    message = await refused(file_of(tmp_path, text, bad_rows=BadRows.SKIP))

    assert said in message
    assert message.endswith("Nothing was imported.")


@given(
    array=st.lists(st.recursive(st.integers() | st.text() | st.none(), st.lists, max_leaves=4), max_size=8),
    indent=st.none() | st.just(1),
    piece=st.integers(1, 9),
)
@settings(max_examples=60)
def test_elements_are_those_of_the_whole_array_wherever_it_is_cut(
    array: list[object], indent: int | None, piece: int
) -> None:
    text = json.dumps(array, indent=indent)
    rest = StringIO(text[1:])

    found = list(elements(text[0], lambda _: rest.read(piece), longest=1_000))

    assert found == array


async def test_half_characters_and_nul_in_json_are_no_name_and_no_device(tmp_path: Path) -> None:
    device = (
        '{"who": "ada", "app": "Miro", "unused_days": 1, "device": "a\\u0000\\ud800", "observed_at": "2026-11-23"}\n'
    )
    (ada,) = await rows_of(file_of(tmp_path, device))
    assert ada.device == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"

    assert "column who: it cannot be read" in await refused(file_of(tmp_path, device.replace("ada", "\\ud800")))


# Refused rows ----------------------------------------------------------------------------------------------------------
def skipping(folder: Path, content: str) -> tuple[UsageFile, Path]:
    file = file_of(folder, content, bad_rows=BadRows.SKIP)
    file.rejects = Rejects(rejects_of(file.path))
    return file, file.rejects.path


async def test_refused_rows_are_written_with_line_column_reason_and_their_own_cells(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f'{HEADER}\n{ADA}\nbob,Miro,soon,,"=1+1,x",2026-11-23\ncy,Miro\n{ADA}\n')

    await rows_of(file)

    assert path == tmp_path / "usage.csv.rejects.csv"
    assert path.read_bytes().decode() == (
        f"line,column,reason,{HEADER}\r\n"
        '3,last_used,“soon” is no date. Example: 2026-11-23T08:00:00Z,bob,Miro,soon,,"\'=1+1,x",2026-11-23\r\n'
        '4,,"it has 2 cells, the header has 6",cy,Miro\r\n'
    )
    assert file.rejects is not None
    assert file.rejects.written


@pytest.mark.skipif(sys.platform == "win32", reason="modes do nothing on Windows")
async def test_refused_rows_are_for_their_owner_alone(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f"{HEADER}\nbob,Miro,soon,,,2026-11-23\n")

    await rows_of(file)

    assert path.stat().st_mode & 0o777 == 0o600


async def test_mended_rows_are_read_as_they_were_and_only_to_be_added(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f"{HEADER}\nbob,Miro,soon,,-PC,2026-11-23\n")
    await rows_of(file)
    path.write_text(path.read_text(encoding="utf-8").replace(",soon,", ",2026-11-20,"), encoding="utf-8")

    (bob,) = await rows_of(UsageFile(path=path, now=NOW, adds=True))

    assert (bob.who, bob.device) == ("bob", "-PC")
    assert "Add them with --add" in await refused(UsageFile(path=path, now=NOW))


async def test_rows_that_are_refused_again_keep_their_own_columns_only(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f"{HEADER}\nbob,Miro,soon,,,2026-11-23\n")
    await rows_of(file)

    again = UsageFile(path=path, now=NOW, adds=True, bad_rows=BadRows.SKIP, rejects=Rejects(tmp_path / "again.csv"))
    await rows_of(again)

    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes().replace(b"\r\n3,", b"\r\n2,")


async def test_refused_json_rows_are_written_by_our_columns_or_as_they_are(tmp_path: Path) -> None:
    bad = json.dumps({"upn": "bob", "app": "Miro", "lastUsed": "soon", "seen": "2026-11-23"})
    file, path = skipping(tmp_path, f"{bad}\nnonsense\n[7]\n")

    await rows_of(file)

    _, bob, nonsense, seven = path.read_text(encoding="utf-8").splitlines()
    assert bob.endswith(",bob,Miro,soon,,,2026-11-23,")
    assert nonsense.startswith("2,1,") and nonsense.endswith(",,,,,,nonsense")  # noqa: PT018 - one line of a file
    assert seven == "3,,a row is one JSON object,,,,,,,[7]"


async def test_nothing_is_written_where_every_row_is_good(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f"{HEADER}\n{ADA}\n")

    await rows_of(file)

    assert not path.exists()


async def test_refused_rows_of_a_file_that_is_refused_as_a_whole_are_not_left_behind(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f"{HEADER}\nbob,Miro,soon,,,2026-11-23\ncy,Mi")

    assert "breaks off" in await refused(file)
    assert not path.exists()


async def test_refused_rows_that_may_be_half_mended_are_not_written_over(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f"{HEADER}\nbob,Miro,soon,,,2026-11-23\n")
    path.write_text("mine", encoding="utf-8")

    assert "is there already" in await refused(file)
    assert path.read_text(encoding="utf-8") == "mine"


async def test_where_refused_rows_cannot_be_written_the_file_is_refused(tmp_path: Path) -> None:
    file, _ = skipping(tmp_path, f"{HEADER}\nbob,Miro,soon,,,2026-11-23\n")
    file.rejects = Rejects(tmp_path / "missing" / "rejects.csv")

    assert "cannot be written: No such file or directory. Nothing was imported." in await refused(file)


# Its bytes -------------------------------------------------------------------------------------------------------------
async def test_the_digest_is_of_the_bytes_and_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    content = codecs.BOM_UTF8 + f"{HEADER}\r\n{ADA}\r\n".encode()
    file = file_of(tmp_path, content)
    assert await file.digest() == hashlib.sha256(content).hexdigest()
    assert len(await rows_of(file)) == 1

    file.path.write_bytes(content + f"{BOB}\r\n".encode())

    assert "has changed while it was read. Nothing was imported." in await refused(file)


async def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = file_of(tmp_path, f"{HEADER}\n{ADA}\n")
    os.truncate(file.path, MAX_BYTES + 1)  # sparse: it takes no room

    assert "has more than 1,000,000,000 bytes. Cut it into several files." in await refused(file)


async def test_who_stops_in_the_middle_leaves_nothing_open_and_no_refused_rows(tmp_path: Path) -> None:
    file, path = skipping(tmp_path, f"{HEADER}\nbob,Miro,soon,,,2026-11-23\n" + f"{ADA}\n" * BATCH * 3)
    reading = file.read()

    await anext(reading)
    await reading.aclose()  # type: ignore[attr-defined]  # an async generator, which the port does not promise

    assert not path.exists()
