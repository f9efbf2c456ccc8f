"""Regular expressions of a form: bounded in length (bar 52)."""

from __future__ import annotations

import pytest

from portal.questionnaire import patterns


@pytest.mark.parametrize(("length", "read"), [(499, True), (500, True), (501, False), (5_000, False)])
def test_a_pattern_of_more_than_500_characters_is_not_run_and_it_is_said_why(length: int, read: bool) -> None:
    pattern = "a" * length
    assert patterns.matches(pattern, pattern) and patterns.matches(pattern, "b") is not read
    assert ("longer than 500" in patterns.unchecked(pattern)) is not read
