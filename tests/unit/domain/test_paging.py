import pytest

from reclaim.domain.paging import page_count, page_of


@pytest.mark.parametrize(
    ("number", "page"),
    [(1, ([1, 2], 1, 3)), (3, ([5], 3, 3)), (0, ([1, 2], 1, 3)), (-7, ([1, 2], 1, 3)), (9, ([5], 3, 3))],
)
def test_a_number_beyond_either_end_is_the_nearest_page(number: int, page: tuple[list[int], int, int]) -> None:
    assert page_of([1, 2, 3, 4, 5], number, 2) == page


def test_there_is_always_a_page() -> None:
    assert page_of([], 1, 10) == ([], 1, 1)
    assert [page_count(total, 10) for total in (0, 1, 10, 11)] == [1, 1, 1, 2]
