"""Our names of products against Microsoft's table."""

import csv
from pathlib import Path

import pytest

from reclaim.connectors.graph.sku_names import SKU_NAMES, product_name

TABLE = Path(__file__).parents[4] / "shared" / "data" / "licensing-product-names.csv"


def test_an_unknown_part_number_is_its_own_name() -> None:
    assert product_name("NEW_THING") == "NEW_THING"


@pytest.mark.skipif(not TABLE.exists(), reason="Microsoft's table is not beside this checkout (../shared/data)")
def test_every_part_number_is_one_of_microsofts() -> None:
    with TABLE.open(encoding="utf-8", newline="") as text:
        known = {row["String_Id"].strip() for row in csv.DictReader(text)}

    assert set(SKU_NAMES) <= known
