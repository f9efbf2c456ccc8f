"""Every public case with an expected outcome holds when put to the commands, or is listed with its reason."""

from __future__ import annotations

import pytest

from tests.authoring.not_honoured import OWN, reason
from tests.authoring.suites import Case, every
from tests.corpus.corpus import needed

CASES = every()


@needed
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key[:120])
def test_a_public_case_holds_or_is_listed_with_its_reason(case: Case) -> None:
    differs = case.run()
    if why := reason(case.key):
        assert differs, f"this case holds now: take it off the list ({why})"
    else:
        assert not differs, differs


@needed
def test_every_listed_case_is_in_the_corpus() -> None:
    assert set(OWN) <= {case.key for case in CASES}
