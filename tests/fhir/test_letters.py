"""Normal forms cost no more than the text is long, and say the same as Unicode's own for everything that people write."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.fhir.letters import MOST_ON_ONE, PARTING, SHORT, normal

LONG = {
    "two kinds of marks": "a" + "\u0315" * 6000 + "\u0300" * 6000,
    "marks in turns": "\u0315\u0300" * 6000,
    "marks of two marks": "\u0f73" * 6000,
    "letters with marks, then marks": "\u0390\u0315\u0300" * 100 + "\u0315" * 6000 + "\u0300" * 6000,
}


@pytest.mark.parametrize("name", sorted(LONG))
@pytest.mark.parametrize("form", ["NFC", "NFKC", "NFD", "NFKD"])
def test_a_row_of_marks_without_end_costs_what_its_length_costs(name: str, form: str) -> None:
    """Python's own takes a second for the first of these, and four for twice as much."""
    began = time.process_time()
    made = normal(form, LONG[name])  # type: ignore[arg-type]
    assert time.process_time() - began < 0.2
    assert made.replace(PARTING, "") and len(made) < 3 * len(LONG[name])


@given(st.text(max_size=60), st.sampled_from(["NFC", "NFKC", "NFD", "NFKD"]))
def test_what_people_write_has_unicodes_own_form(text: str, form: str) -> None:
    """Also in a long text, and up to thirty marks on one letter."""
    whole = ("Ünïcode é́ " + text) * (SHORT // 10)
    runs = max((len(run) for run in _runs(unicodedata.normalize("NFKD", whole))), default=0)
    if runs <= MOST_ON_ONE:
        assert normal(form, whole) == unicodedata.normalize(form, whole)  # type: ignore[arg-type]
    assert normal(form, whole).replace(PARTING, "").strip() or not whole.strip()  # type: ignore[arg-type]


def _runs(text: str) -> list[str]:
    found, run = list[str](), ""
    for letter in text:
        run = run + letter if unicodedata.combining(letter) else ""
        found.append(run)
    return found
