"""What a clinic asks its patients to confirm, as stored and as usual; every block as data."""

from __future__ import annotations

from typing import Any

import pytest

from portal.intake import asking
from portal.intake.sections import ORDER, PAGES, SECTIONS

Json = dict[str, Any]


def test_every_block_is_on_one_page_and_every_page_says_what_it_is_about() -> None:
    assert sorted(ORDER) == sorted(SECTIONS)
    assert len(ORDER) == len(set(ORDER))
    assert all(page.blocks for page in PAGES.values())


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"blocks": []},
        {"blocks": {"medication": "often", "unheard": {"asked": "always"}}},
        {
            "blocks": {"medication": {"asked": "sometimes", "days": True, "names": "abc"}},
            "authority": {"person": "nobody"},
        },
        {"blocks": {"medication": {"days": 6, "names": [1, "", " a  b ", "a b", "x" * 500]}}},
    ],
)
def test_rules_that_nobody_could_have_meant_are_as_usual(odd: Json) -> None:
    found = asking.read(odd)
    assert found.blocks["medication"].asked == "always" and found.blocks["medication"].days == 7
    assert found.authority == asking.WORDS_COUNT
    assert set(found.blocks) == set(SECTIONS)
    assert all(len(name) <= asking.LONGEST_NAME for name in found.blocks["medication"].names)
    assert asking.read(asking.stored(found)) == found
