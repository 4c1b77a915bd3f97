"""A long list in pages, numbered from 1; there is always one, and a number beyond either end is the nearest page."""

from collections.abc import Sequence
from typing import TypeVar

Row = TypeVar("Row")


def page_count(total: int, size: int) -> int:
    """Return how many pages of `size` rows there are."""
    return max(1, -(-total // size))


def page_of(rows: Sequence[Row], number: int, size: int) -> tuple[Sequence[Row], int, int]:
    """Return the rows of a page, its number as it is kept in bounds, and how many pages there are."""
    pages = page_count(len(rows), size)
    number = min(max(1, number), pages)
    return rows[(number - 1) * size : number * size], number, pages
