"""Exact JSON: what is refused at the door, and that what was written comes back as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.fhir import exact

DEEPEST = exact.MAX_DEPTH


@pytest.mark.parametrize(
    "text",
    [
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "[" * DEEPEST + "1" + "]" * DEEPEST,
        '{"a":' * DEEPEST + '"x"' + "}" * DEEPEST,
        "[" * 100_000 + "]" * 100_000,
        '"\\u0000"',
        '{"a\\u0000": 1}',
        '[[{"a": ["\\ud800"]}]]',
        '{"\\udc00": 1}',
        '"\ud800"',
        b'"\xed\xa0\x80"',
        '{"a": 1, "a": 1}',
        "NaN",
        "-Infinity",
        "1E+200000",
        "1" * 30,
        '{"a": 1',
    ],
)
def test_what_cannot_be_believed_is_refused(text: str | bytes) -> None:
    with pytest.raises(exact.UnreadableJson):
        exact.loads(text)


@pytest.mark.parametrize("text", ["[" * DEEPEST + "]" * DEEPEST, '["\\ud83d\\ude00", "\\u00e9"]', '{"a": [1.10, 5]}'])
def test_what_only_looks_odd_is_read(text: str) -> None:
    assert exact.dumps(exact.loads(text))


numbers = st.integers(-(10**17), 10**17) | st.decimals(-(10**9), 10**9, places=3)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=25,
)


@given(values)
def test_what_was_written_comes_back_as_it_was_both_ways(value: Any) -> None:
    text = exact.dumps(value)
    assert exact.loads(text) == exact.reloads(text.encode()) == value
    assert exact.dumps(exact.reloads(text.encode())) == text


def test_decimals_keep_their_digits() -> None:
    (found,) = exact.reloads(b"[1.10]")
    assert isinstance(found, Decimal)
    assert str(found) == "1.10"


@given(values, st.sampled_from(["\x00", "\ud800", "a\udfffé", "\\\x00"]), st.sampled_from(["text", "name", "deep"]))
def test_what_no_database_keeps_is_never_written(value: Any, odd: str, where: str) -> None:
    hidden = {"text": [value, odd], "name": {odd: value}, "deep": {"a": [{"b": [value, {"c": odd}]}]}}[where]
    with pytest.raises(exact.UnwritableJson) as told:
        exact.dumps(hidden)
    assert odd not in str(told.value)


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "a\\u0000b", "\u2028", "😀"])
def test_what_only_looks_like_it_is_written(text: str) -> None:
    assert exact.loads(exact.dumps([text])) == [text]
