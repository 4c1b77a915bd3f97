"""Our names of products against Microsoft's table, and the operator's copy of it."""

import csv
from pathlib import Path

import pytest

from reclaim.connectors.graph.sku_names import SKU_NAMES, SkuNames, read_sku_names
from reclaim.errors import InvalidRequest

TABLE = Path(__file__).parents[4] / "shared" / "data" / "licensing-product-names.csv"
NEW = "0DBD4CB3-93C0-4CD5-B7B3-2E0C9B3C6D3F"
HEADER = "Product_Display_Name,String_Id,GUID,Service_Plan_Name\n"
microsofts = pytest.mark.skipif(
    not TABLE.exists(), reason="Microsoft's table is not beside this checkout (../shared/data)"
)


def test_an_unknown_part_number_is_its_own_name() -> None:
    assert SkuNames().name_of(NEW, "NEW_THING") == "NEW_THING"


@microsofts
def test_every_part_number_is_one_of_microsofts() -> None:
    with TABLE.open(encoding="utf-8", newline="") as text:
        known = {row["String_Id"].strip() for row in csv.DictReader(text)}

    assert set(SKU_NAMES) <= known


@microsofts
def test_microsofts_own_file_names_what_we_do_not_know() -> None:
    names = read_sku_names(TABLE)

    with TABLE.open(encoding="utf-8-sig", newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["String_Id"].strip() not in SKU_NAMES]
    assert rows
    assert all(names.name_of(row["GUID"], "renamed") == row["Product_Display_Name"].strip() for row in rows[:50])


def test_an_operators_table_extends_ours_by_id_and_by_part_number(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text(f"{HEADER}New Thing,NEW_THING,{NEW},PLAN\nOther,SPE_E3,{NEW[:-1]}A,PLAN\n", encoding="utf-8-sig")

    names = read_sku_names(file)

    assert names.name_of(NEW.lower(), "CHANGED") == "New Thing"
    assert names.name_of("else", "NEW_THING") == "New Thing"
    assert names.name_of("else", "SPE_E3") == "Microsoft 365 E3"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "has no column GUID, Product_Display_Name, String_Id"),
        (b"Product_Display_Name,String_Id\n", "has no column GUID"),
        (HEADER.encode() + b"Thing,THING,,PLAN\n", "in line 2"),
        (HEADER.encode() + b'Thing,THING,1,PLAN\n"torn,THING', "cannot be read in line"),
        (HEADER.encode("utf-16"), "is no UTF-8 text"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "names.csv"
    file.write_bytes(content)

    with pytest.raises(InvalidRequest, match=why) as raised:
        read_sku_names(file)

    assert raised.value.field == "RECLAIM_SKU_NAMES"
