"""Beside fhirpathpy, where it is right: the expressions of public forms on filled responses, and expressions made up at random."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.fhirpath import FhirPathError, compile
from tests.bench.corpus import questionnaires
from tests.bench.forms import PATIENT, filled
from tests.fhirpath.agreeing import agree, floats, quiet
from tests.fhirpath.suites import CORPUS
from tests.fhirpath.test_public_suites import NOW

WRONG = {
    "a clock of its own": re.compile(r"\b(?:now|today|timeOfDay)\(\)"),
    "the sum of nothing is 0": re.compile(r"\.sum\(\)"),
    "a Quantity comes back as an object of its own": re.compile(r"DE1[34]|Respiratory|B6\.DE07|AgeInMonths"),
    "an escape that is none is taken for a pattern's": re.compile(r"matches\('[^']*[^\\]\\[^\\'nrtfu\"`]"),
    "what follows an expression is passed over": re.compile(r"^Not valid$"),
}
"""Where fhirpathpy is wrong or apart, by what stands in the expression."""
Given = tuple[Any, dict[str, Any]]
FEWEST = 300
LONGEST = 1_500
logging.getLogger("fhirpathpy").disabled = True


def stated(raw: Any) -> Iterator[str]:
    """Every FHIRPath expression in a form, wherever it stands."""
    waiting = [raw]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            text = part.get("expression")
            if isinstance(text, str) and str(part.get("language", "")).startswith("text/fhirpath"):
                yield text
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def of_public_forms() -> Iterator[tuple[str, Given, Given]]:
    """(expression, response and variables for us, the same for them), each once; none that wants variables of its form."""
    seen: set[str] = set()
    for _, raw in questionnaires():
        texts = [text for text in stated(raw) if text not in seen and len(text) < LONGEST]
        response = quiet(lambda raw=raw: filled(raw)) if texts else None
        if not isinstance(response, dict):
            continue
        variables = {"patient": PATIENT, "questionnaire": raw, "resource": response, "context": response}
        plain = floats(response), floats(variables)
        for text in texts:
            seen.add(text)
            program = quiet(lambda text=text: compile(text))
            if isinstance(program, FhirPathError) or program.free_variables <= variables.keys():
                yield text, (response, variables), plain


@pytest.mark.skipif(not CORPUS, reason="PORTAL_CORPUS does not name the corpus of public forms")
def test_expressions_of_public_forms_give_what_fhirpathpy_gives() -> None:
    compared, apart = 0, []
    for text, ours, plain in of_public_forms():
        if any(pattern.search(text) for pattern in WRONG.values()):
            continue
        theirs = quiet(lambda text=text, plain=plain: fhirpathpy.compile(text, models["r4"])(*plain))
        if isinstance(theirs, Exception):
            continue
        compared += 1
        mine = quiet(lambda text=text, ours=ours: compile(text).evaluate(*ours, now=NOW))
        if not agree(mine, theirs):
            apart.append((text[:200], type(mine).__name__, str(theirs)[:80]))
    assert not apart
    assert compared >= FEWEST


numbers = st.sampled_from(["1", "2", "7", "10", "(3)", "Patient.name.count()", "Patient.telecom.count()"])
texts = st.sampled_from(
    ["'a'", "'abc'", "''", "Patient.gender", "Patient.name.given.first()", "Patient.name.family.first()"]
)
truths = st.sampled_from(["true", "false", "{}", "Patient.active", "Patient.deceased.exists()"])
groups = st.sampled_from(
    ["Patient.name.given", "Patient.telecom.system", "(1 | 2 | 3)", "('a' | 'b' | 'a')", "Patient.nothing"]
)


def joined(
    side: st.SearchStrategy[str], signs: list[str], other: st.SearchStrategy[str] | None = None
) -> st.SearchStrategy[str]:
    return st.tuples(side, st.sampled_from(signs), other or side).map(
        lambda three: f"({three[0]} {three[1]} {three[2]})"
    )


def called(side: st.SearchStrategy[str], functions: list[str]) -> st.SearchStrategy[str]:
    return st.tuples(side, st.sampled_from(functions)).map(lambda two: f"{two[0]}.{two[1]}")


sums = st.recursive(numbers, lambda inner: joined(inner, ["+", "-", "*"]), max_leaves=5)
words = st.recursive(
    texts, lambda inner: joined(inner, ["&", "+"]) | called(inner, ["upper()", "lower()", "substring(1)"]), max_leaves=4
)
tests = (
    joined(sums, ["<", ">", "<=", ">=", "=", "!="])
    | joined(words, ["=", "!=", "~"])
    | called(words, ["startsWith('a')", "empty()"])
)
logic = st.recursive(
    truths | tests,
    lambda inner: joined(inner, ["and", "or", "xor", "implies"]) | called(inner, ["not()"]),
    max_leaves=5,
)
subsets = called(
    groups, ["first()", "last()", "tail()", "skip(1)", "take(2)", "distinct()", "where($this = 'a')", "select($this)"]
)
counts = called(groups | subsets, ["count()", "exists()", "empty()", "isDistinct()"]) | joined(groups, ["|"])


@settings(max_examples=150, deadline=None)
@given(sums | words | logic | subsets | counts)
def test_plain_expressions_give_what_fhirpathpy_gives(text: str) -> None:
    theirs = quiet(lambda: fhirpathpy.compile(text, models["r4"])(PATIENT, {}))
    if not isinstance(theirs, Exception):
        mine = quiet(lambda: compile(text).evaluate(PATIENT, {}, now=NOW))
        assert agree(mine, theirs), (text, mine, theirs)
