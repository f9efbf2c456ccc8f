"""The client matrix is whole: every point of every row has a test, and every test that is named for a row belongs to a point."""

from pathlib import Path

from tests.ehr.matrix import MATRIX, ROOT, held, named, names_in


def test_every_row_stands_and_every_point_has_a_test() -> None:
    assert [row.number for row in MATRIX] == list(range(1, 16))
    assert not [f"{row.number} {point}" for (row, point), tests in held().items() if not tests]


def test_tests_that_are_named_elsewhere_are_there() -> None:
    for row in MATRIX:
        assert set(row.elsewhere) <= set(row.points), row.number
        for tests in row.elsewhere.values():
            for test in tests:
                path, _, name = test.partition("::")
                assert name in set(names_in(Path(ROOT / path))), test


def test_every_test_that_is_named_for_a_row_holds_one_of_its_points() -> None:
    begins = tuple(f"test_row_{row.number:02}_{row.slug}__" for row in MATRIX)
    assert not [name for name in named() if not name.startswith(begins)]
