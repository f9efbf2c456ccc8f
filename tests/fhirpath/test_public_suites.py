"""The public FHIRPath suites: every case holds, or stands in NOT_HONOURED with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from portal.fhirpath import FhirPathError, compile
from tests.fhirpath.not_honoured import NOT_HONOURED
from tests.fhirpath.suites import CORPUS, Case, Unusable, cases

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
ALL = cases()
USABLE = [case for case in ALL if not case.unusable]


def outcome(case: Case) -> Any:
    """The collection that the expression gives, or the error it raises."""
    resource = case.resource()
    variables = {"resource": resource, **case.variables}
    try:
        context = resource
        if case.context:
            context = compile(case.context, case.model).evaluate_items(resource, variables, now=NOW)
        return compile(case.expression, case.model).evaluate(context, variables, now=NOW)
    except FhirPathError as error:
        return error


def shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    return (
        Decimal(repr(value))
        if isinstance(value, float)
        else value
        if isinstance(value, Decimal)
        else (Decimal(value) if type(value) is int else str(value))
    )


def same(mine: Any, theirs: Any, precise: bool) -> bool:
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(same, mine, theirs, [precise] * len(mine)))
    mine, theirs = shown(mine), shown(theirs)
    if isinstance(mine, Decimal) and isinstance(theirs, Decimal) and not precise:
        return abs(mine - theirs) <= Decimal("1e-8") * max(1, abs(theirs))
    return bool(mine == theirs) or (isinstance(mine, Decimal) and str(mine) == theirs)


def holds(case: Case) -> bool:
    found = outcome(case)
    if case.error or isinstance(found, FhirPathError):
        return case.error and isinstance(found, FhirPathError)
    if case.predicate:
        found = [found[0] if len(found) == 1 and isinstance(found[0], bool) else bool(found)]
    return same(found, case.result, case.precise)


@pytest.mark.skipif(not CORPUS, reason="PORTAL_CORPUS does not name the corpus of public cases")
@pytest.mark.parametrize("file", sorted({(case.suite, case.file) for case in USABLE}), ids="/".join)
def test_every_public_case_of_the_file_holds_or_is_listed_with_its_reason(file: tuple[str, str]) -> None:
    wrong = [said for case in USABLE if (case.suite, case.file) == file for said in disagreements(case)]
    assert not wrong, "\n".join(wrong)


def disagreements(case: Case) -> Iterator[str]:
    """Why this case is not as it should be, if it is not; one whose input is not at hand says nothing."""
    try:
        kept = holds(case)
    except Unusable:
        return
    if kept and case.key in NOT_HONOURED:
        yield f"{case.name}: this case holds now: take it off the list"
    elif not kept and case.key not in NOT_HONOURED:
        expected = "an error" if case.error else repr(case.result)
        yield f"{case.name}: {case.expression} gives {outcome(case)!r} instead of {expected}"


@pytest.mark.skipif(not CORPUS, reason="PORTAL_CORPUS does not name the corpus of public cases")
def test_every_listed_case_is_in_the_corpus() -> None:
    assert set(NOT_HONOURED) <= {case.key for case in USABLE}


def table() -> str:
    """Counts by suite, for people: python -m tests.fhirpath.test_public_suites."""
    rows: dict[str, Counter[str]] = {}
    for case in ALL:
        row = rows.setdefault(case.suite, Counter())
        try:
            row["unusable" if case.unusable else "held" if holds(case) else "not held"] += 1
        except Unusable:
            row["unusable"] += 1
    lines = [f"{'suite':20} {'held':>6} {'not':>6} {'share':>7} {'other model or off':>20}"]
    for suite, row in rows.items():
        share = row["held"] / max(1, row["held"] + row["not held"])
        lines.append(f"{suite:20} {row['held']:6} {row['not held']:6} {share:7.1%} {row['unusable']:20}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
