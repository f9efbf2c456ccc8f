"""Speed beside fhirpathpy, same expressions, same data, equal results: python -m tests.fhirpath.bench (ratios of processor time, medians).

general  every case of the public suites on which both engines agree, each evaluated on its resource
form     one full pass over a filled response of 808 items with 414 expressions in the shapes that real forms use
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

from portal.fhirpath import ResponseIndex, compile
from tests.fhirpath.suites import CORPUS, Case, cases
from tests.fhirpath.test_public_suites import same

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROUNDS = 5
Run = Callable[[], Any]

# How real forms write (counted over the corpus), x and y being questions.
SHAPES = [
    ("%resource.repeat(item).where(linkId='{x}').answer.first().value = true", 30),
    ("%resource.repeat(item).where(linkId='{x}').answer.value", 20),
    ("%resource.descendants().where(linkId='{x}').answer.value", 15),
    ("%resource.repeat(item).where(linkId='{x}').answer.first().empty()", 10),
    ("iif(%resource.repeat(item).where(linkId='{x}').answer.exists(), 1, 0)", 10),
    (
        "%resource.repeat(item).where(linkId='{x}').answer.value = true or %resource.repeat(item).where(linkId='{y}').answer.value = true",
        10,
    ),
    ("%resource.repeat(item).where(linkId='{x}').answer.where(value = 3).exists()", 5),
]


def median_time(run: Run) -> float:
    run()
    taken = []
    for _ in range(ROUNDS):
        before = time.process_time()
        run()
        taken.append(time.process_time() - before)
    return statistics.median(taken)


def floats(value: Any) -> Any:
    """The data as fhirpathpy takes it."""
    return json.loads(json.dumps(value, default=float))


def quiet(run: Run) -> Any:
    try:
        return run()
    except Exception as error:  # the other engine raises anything
        return error


def form_response(sections: int = 8, groups: int = 10, questions: int = 9) -> dict[str, Any]:
    """A response of 808 items: sections of groups of questions, every question answered."""

    def question(name: str, number: int) -> dict[str, Any]:
        return {
            "linkId": name,
            "text": f"Question {name}",
            "answer": [{"valueBoolean": True} if number % 3 else {"valueInteger": number}],
        }

    def group(name: str) -> dict[str, Any]:
        return {"linkId": name, "item": [question(f"{name}.{n}", n) for n in range(questions)]}

    items = [{"linkId": f"s{s}", "item": [group(f"s{s}.{g}") for g in range(groups)]} for s in range(sections)]
    return {"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": items}


def form_expressions(count: int = 414) -> list[str]:
    mixed = [shape for shape, weight in SHAPES for _ in range(weight)]
    names = [f"s{s}.{g}.{n}" for s in range(8) for g in range(10) for n in range(9)]
    return [
        mixed[(number * 37) % len(mixed)].format(
            x=names[(number * 101) % len(names)], y=names[(number * 53 + 7) % len(names)]
        )
        for number in range(count)
    ]


def agree(found: Any, expected: Any) -> bool:
    """Whether both engines gave the same collection."""
    if not (isinstance(found, list) and isinstance(expected, list)):
        return False
    read = quiet(lambda: json.loads(json.dumps(expected, default=str), parse_float=Decimal))
    return isinstance(read, list) and same(found, read, precise=False)


def both_ways(case: Case) -> tuple[Run, Run] | None:
    """The case in our engine and in theirs; None where it is no part of the comparison."""
    if (
        case.unusable
        or case.context
        or case.error
        or case.base
        or "now()" in case.expression
        or "trace(" in case.expression
    ):
        return None
    data = quiet(case.resource)
    theirs = quiet(lambda: fhirpathpy.compile(case.expression, models["r4"] if case.model else None))
    ours = quiet(lambda: compile(case.expression, case.model))
    if isinstance(data, Exception) or isinstance(theirs, Exception) or isinstance(ours, Exception):
        return None
    variables = {"resource": data, **case.variables}
    plain = floats(data)
    plain_variables = floats({"resource": data, **case.variables})

    def mine() -> Any:
        return ours.evaluate(data, variables, now=NOW)

    def other() -> Any:
        return theirs(plain, plain_variables)

    return (mine, other) if agree(quiet(mine), quiet(other)) else None


def bench_general() -> str:
    pairs = [pair for pair in map(both_ways, cases()) if pair is not None]
    ours_time = median_time(lambda: [mine() for mine, _ in pairs])
    theirs_time = median_time(lambda: [other() for _, other in pairs])
    each = f"{ours_time / len(pairs) * 1e6:.0f} µs each"
    return f"general: {len(pairs)} expressions, equal results: {theirs_time / ours_time:.0f} times faster than fhirpathpy ({each})"


def bench_form() -> str:
    response, expressions = form_response(), form_expressions()
    variables = {"resource": response}
    before = time.process_time()
    ours = [compile(text) for text in expressions]
    ours_compile = time.process_time() - before
    before = time.process_time()
    theirs = [fhirpathpy.compile(text, models["r4"]) for text in expressions]
    theirs_compile = time.process_time() - before

    def indexed() -> list[Any]:
        index = ResponseIndex()
        return [one.evaluate(response, variables, context=index) for one in ours]

    def walked() -> list[Any]:
        return [one.evaluate(response, variables) for one in ours]

    before = time.process_time()
    expected = [one(response, variables) for one in theirs]
    theirs_time = time.process_time() - before
    if not indexed() == walked() == expected:
        raise SystemExit("the engines differ")
    fast, slow = median_time(indexed), median_time(walked)
    return "\n".join(
        [
            f"form: {len(expressions)} expressions over 808 items, equal results",
            f"  with the index  {theirs_time / fast:6.0f} times faster than fhirpathpy ({fast * 1e3:.1f} ms a pass, index built anew)",
            f"  by walking      {theirs_time / slow:6.0f} times faster ({slow * 1e3:.0f} ms)",
            f"  compiling       {theirs_compile / ours_compile:6.0f} times faster ({ours_compile * 1e3:.0f} ms)",
        ]
    )


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(bench_form())
    print(bench_general() if CORPUS else "general: PORTAL_CORPUS does not name the corpus of public cases")
