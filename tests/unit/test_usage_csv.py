"""A file of usage, and everything that can be wrong with one."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reclaim.connectors.usage_csv import MAX_LINE, MAX_PROBLEMS, BadRows, UsageFile
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
        pytest.param(f"{HEADER}\n{ADA.replace('DESK', 'Büro')}".encode("latin-1"), "is not UTF-8", id="latin-1"),
        pytest.param(f"{HEADER}\n{ADA}".encode("utf-16-le"), "is not UTF-8", id="utf-16-without-mark"),
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
