"""Lists of people and CSV files: what is read, and how every row that cannot be used is named."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.people_list import MAX_ROWS, Listed, Mistake, read_list, refuse
from reclaim.errors import InvalidRequest


@pytest.mark.parametrize(
    "text",
    [
        "person,sku\nada@x.com,VISIOCLIENT\nben@x.com,\n",
        "\ufeffperson,sku\r\nada@x.com,VISIOCLIENT\r\nben@x.com,\r\n",
        "Person;SKU\nada@x.com;VISIOCLIENT\nben@x.com;\n",
        "sep=;\nperson;sku\nada@x.com;VISIOCLIENT\nben@x.com;\n",
        "person\tsku\nada@x.com\tVISIOCLIENT\nben@x.com\t\n",
        'sku,person\n"VISIOCLIENT","ada@x.com"\n,ben@x.com\n',
        "person,sku,\nada@x.com,VISIOCLIENT,\nben@x.com,,\n",
    ],
)
def test_the_same_rows_come_from_every_way_to_write_them(text: str) -> None:
    rows, mistakes = read_list(text, csv_only=True)

    assert mistakes == []
    assert [(row.person, row.sku) for row in rows] == [("ada@x.com", "VISIOCLIENT"), ("ben@x.com", None)]


def test_a_plain_list_needs_no_header() -> None:
    rows, mistakes = read_list('ada@x.com\n\nben@x.com; "cleo@x.com"\n')

    assert (rows, mistakes) == ([Listed(1, "ada@x.com"), Listed(3, "ben@x.com"), Listed(3, "cleo@x.com")], [])
    assert read_list("  \n") == ([], [])


def test_quoting_hides_separators_and_line_breaks_and_lines_are_counted_on() -> None:
    rows, _ = read_list('person,sku\n"Ada, Lovelace",VISIO\n"Ben\nFranklin",\ncleo,\n')

    assert rows == [Listed(2, "Ada, Lovelace", "VISIO"), Listed(3, "Ben\nFranklin"), Listed(5, "cleo")]


def test_every_row_that_cannot_be_used_is_named_with_its_line_and_column() -> None:
    rows, mistakes = read_list("person,sku\n,VISIO\nada\nben,VISIO,extra\ncleo,VISIO\n")

    assert [row.person for row in rows] == ["cleo"]
    assert [(one.line, one.column) for one in mistakes] == [(2, "person"), (3, None), (4, None)]
    assert refuse(mistakes).message == (
        "Line 2, person: it is empty. Give a sign-in name, an address or an object id. "
        "Line 3: 1 cells instead of 2. Line 4: 3 cells instead of 2. Nothing was taken from this list."
    )


def test_a_quotation_mark_without_a_partner_is_named() -> None:
    _, mistakes = read_list('person\nada\n"ben\n')

    assert [(one.line, one.column) for one in mistakes] == [(3, None)]
    assert "Check the quotation marks" in mistakes[0].text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The file is empty. The first line must be person, or person,sku."),
        ("ada@x.com\n", "Line 1: the header is missing."),
        ("upn,sku\nada,VISIO\n", "Line 1: the header is missing."),
        ("person,licence\nada,VISIO\n", "Line 1: the column “licence” is not known."),
        ("person,person\nada,ben\n", "Line 1: a column stands there twice."),
        ("person,sku\n", "The list has a header and no rows."),
        ("person\n" + "ada\n" * (MAX_ROWS + 1), f"The list has {MAX_ROWS + 1:,} rows. It may have {MAX_ROWS:,}"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_list(text, csv_only=True)

    assert caught.value.message.startswith(said)
    assert caught.value.field == "listed"


def test_many_mistakes_are_counted() -> None:
    message = refuse([Mistake(line, "person", "it is empty.") for line in range(2, 22)]).message

    assert message.count("Line ") == 8
    assert message.endswith("And 12 more. Nothing was taken from this list.")


CELL = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from(' ,;"\n'), max_size=12)


@given(st.lists(st.tuples(CELL.filter(str.strip), CELL), min_size=1, max_size=8), st.sampled_from(",;\t"))
def test_what_a_spreadsheet_writes_comes_back_row_by_row(cells: list[tuple[str, str]], delimiter: str) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows([("person", "sku"), *cells])

    rows, mistakes = read_list(written.getvalue(), csv_only=True)

    assert mistakes == []
    assert [(row.person, row.sku) for row in rows] == [(one.strip(), two.strip() or None) for one, two in cells]


@given(st.text(max_size=200), st.booleans())
def test_no_text_is_too_strange(text: str, csv_only: bool) -> None:
    try:
        rows, _ = read_list(text, csv_only=csv_only)
    except InvalidRequest:
        return
    assert all(row.person.strip() for row in rows)
