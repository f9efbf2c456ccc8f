"""The table of classes of weakness: each has tests that are there, each advisory a class; what is missing is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import classes
from tests.hostile.classes import advisories, problems, table


def test_every_class_has_tests_and_every_test_is_there() -> None:
    assert not list(problems())
    assert str(len(classes.classes())) in table().splitlines()[-1]


def test_openemrs_advisories_of_2026_are_there() -> None:
    """The audit of that year counts 38."""
    numbered = [each for each in advisories() if each.product == "OpenEMR 2026" and each.number != "-"]
    assert len(numbered) >= 38


@pytest.mark.parametrize(
    "line",
    [
        "CVE-2026-1 - | OpenEMR 2026 | sql | a number too short",
        "CVE-2026-99999 - | OpenEMR 2026 | nothing | of no class",
        "CVE-2026-23627 - | OpenEMR 2026 | sql | a second time",
        "- - | OpenEMR 2026 | sql | no id",
        "- GHSA-aaaa-bbbb-cccc | OpenEMR 2026 | sql | letters that no id has",
    ],
)
def test_a_line_that_says_nothing_true_is_noticed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = tmp_path / "advisories.txt"
    held.write_text(classes.ADVISORIES.read_text() + line + "\n")
    monkeypatch.setattr(classes, "ADVISORIES", held)
    assert list(problems())


@pytest.mark.parametrize("tests", ["house/test_gets.py::test_nothing", "none.py::*", "none.py::test_x", ""])
def test_a_class_that_nothing_holds_is_noticed(tests: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = tmp_path / "classes.txt"
    held.write_text(classes.CLASSES.read_text() + f"more | More | {tests}\n")
    monkeypatch.setattr(classes, "CLASSES", held)
    assert list(problems())
