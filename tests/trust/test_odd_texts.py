"""Texts that a database or a FHIR server would choke on are refused where they would be kept, with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from portal import guard
from portal.errors import Unreadable
from tests import make


@pytest.mark.parametrize("odd", ["A\x00na", "A\ud800na", "\udfff"])
def test_a_sealed_column_refuses_what_cannot_be_kept(app: object, odd: str) -> None:
    with pytest.raises(Unreadable, match="cannot be kept") as told:
        make.patient(make.clinic(forms=()), odd)
    assert told.value.status == 400
    assert odd not in told.value.sentence


@pytest.mark.parametrize("word", ["c" * 40, "0123456789abcdef" * 3, "5f2d995791523bc8f0c1d2e3a4b5c6d7e8f90a1b", "x"])
def test_a_page_knows_when_it_was_given_out_however_its_token_was_packed(word: str) -> None:
    """What is signed may be packed or not: the time is before the signature in both."""
    token = str(URLSafeTimedSerializer("key", salt="wtf-csrf-token").dumps(word))
    with Flask("page").test_request_context(method="POST", data={"csrf_token": token}):
        found = guard.shown_at()
    assert found is not None and abs((found - datetime.now(UTC)).total_seconds()) < 5


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", ".a.b.c", "x" * 5000, "é.é.é", "a." + "A" * 30 + ".c", "\x00.\x00.\x00"]
)
def test_a_token_that_tells_no_time_tells_none(token: str) -> None:
    with Flask("page").test_request_context(method="POST", data={"csrf_token": token}):
        assert guard.shown_at() is None
