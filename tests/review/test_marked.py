"""What differs between the record and the patient is marked in words that people read."""

from __future__ import annotations

import pytest

from portal.review.proposal import Row


@pytest.mark.parametrize(
    ("now", "said", "here", "there"),
    [
        ("2026-11-20", "2026-11-22", "20 Nov 2026", "22 Nov 2026"),
        ("2019", "2019-03", "2019", "Mar 2019"),
        ("", "2026-11-22", "", "22 Nov 2026"),
        ("one in the morning", "one at night", "one in the morning", "one at night"),
    ],
)
def test_a_day_is_read_as_people_say_it_also_where_it_differs(now: str, said: str, here: str, there: str) -> None:
    sides = Row("Date", "", now, said).sides
    assert ["".join(part.text for part in side) for side in sides] == [here, there]
