"""Texts that a database or a FHIR server would choke on are refused where they would be kept, with a sentence."""

from __future__ import annotations

import pytest

from portal.errors import Unreadable
from tests import make


@pytest.mark.parametrize("odd", ["A\x00na", "A\ud800na", "\udfff"])
def test_a_sealed_column_refuses_what_cannot_be_kept(app: object, odd: str) -> None:
    with pytest.raises(Unreadable, match="cannot be kept") as told:
        make.patient(make.clinic(forms=()), odd)
    assert told.value.status == 400
    assert odd not in told.value.sentence
