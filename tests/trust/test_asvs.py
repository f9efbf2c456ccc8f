"""The table of OWASP ASVS is whole, and what it names as evidence is there."""

from __future__ import annotations

import pytest

from tests.trust import asvs


def test_every_requirement_of_levels_1_and_2_is_answered_once() -> None:
    found = asvs.requirements()
    assert {level: sum(each.level == level for each in found) for level in asvs.LEVELS} == asvs.LEVELS
    assert len({each.number for each in found}) == len(found) == 253


def test_what_is_named_as_evidence_is_there() -> None:
    assert [problem for each in asvs.requirements() for problem in each.problems()] == []


@pytest.mark.parametrize(
    "how",
    [
        "",
        "n/a:",
        "not met: later",
        "set PREVISIT_SCANNER:",
        "set PREVISIT_NONE: trust/test_asvs.py::test_evidence_that_is_none_is_noticed",
        "doc SECURITY.md#Nothing",
        "house/test_gets.py::test_nothing",
        "none.py::test_x",
    ],
)
def test_evidence_that_is_none_is_noticed(how: str) -> None:
    assert asvs.Requirement("1.1.1", "1", "x", how).problems()
