"""General expressions, without a shape that is recognised: every case of the public suites on which both engines agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

from portal.fhirpath import compile
from tests.bench.figures import goal, median_cpu, told
from tests.fhirpath.agreeing import agree, floats, quiet
from tests.fhirpath.suites import CORPUS, Case, cases

NOW = datetime(2026, 11, 21, tzinfo=UTC)
Run = Callable[[], Any]


def run() -> None:
    if not CORPUS:
        told("general expressions: PORTAL_CORPUS does not name the corpus of public cases")
        return
    pairs = [pair for pair in map(both_ways, cases()) if pair is not None]
    mine = median_cpu(lambda: [ours() for ours, _ in pairs], 5)
    theirs = median_cpu(lambda: [other() for _, other in pairs], 3)
    goal(f"{len(pairs)} general expressions: faster than fhirpathpy (equal results)", theirs / mine, 5, least=True)
    told(f"{mine / len(pairs) * 1000:.0f} µs each")


def both_ways(case: Case) -> tuple[Run, Run] | None:
    """The case in our engine and in theirs; None where it is no part of the comparison."""
    told_time = "now()" in case.expression or "trace(" in case.expression
    if case.unusable or case.context or case.error or case.base or told_time:
        return None
    data = quiet(case.resource)
    theirs = quiet(lambda: fhirpathpy.compile(case.expression, models["r4"] if case.model else None))
    ours = quiet(lambda: compile(case.expression, case.model))
    if isinstance(data, Exception) or isinstance(theirs, Exception) or isinstance(ours, Exception):
        return None
    variables = {"resource": data, **case.variables}
    plain, given = floats(data), floats(variables)

    def mine() -> Any:
        return ours.evaluate(data, variables, now=NOW)

    def other() -> Any:
        return theirs(plain, given)

    return (mine, other) if agree(quiet(mine), quiet(other)) else None
