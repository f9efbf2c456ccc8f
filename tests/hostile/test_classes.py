"""The table of classes of weakness: each has tests, and each test that it names is there."""

from tests.hostile.classes import CLASSES, missing, table


def test_every_class_has_tests_and_every_test_is_there() -> None:
    assert not list(missing())
    assert all(each.tests for each in CLASSES)
    assert str(len(CLASSES)) in table().splitlines()[-1]
