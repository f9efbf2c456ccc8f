"""A full pass over forms with their answers: every variable, condition and calculation, beside fhirpath.js and fhirpathpy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

from portal import fhirpath
from portal.fhirpath import FhirPathError, ResponseIndex
from portal.fhirpath.env import plain as as_values
from tests.bench import corpus, peers
from tests.bench.figures import goal, median_cpu, told
from tests.bench.forms import PATIENT, expressions, filled, large

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROUNDS = 3
Json = dict[str, Any]
Stated = list[tuple[str, str]]
Pass = Callable[[], list[Any]]


def run() -> None:
    form = large()
    measure("808 items, 431 expressions", form, filled(form), expressions(form), least_js=100, least_py=500)
    real = corpus.most_expressions()
    if real is None:
        told("a public form: PORTAL_CORPUS does not name the corpus")
        return
    path, form = real
    stated = expressions(form)
    measure(f"{Path(path).stem}, {len(stated)} expressions", form, filled(form), stated)


def measure(name: str, form: Json, response: Json, stated: Stated, least_js: float = 1, least_py: float = 1) -> None:
    known = {"patient": PATIENT, "questionnaire": form}
    before = time.process_time()
    mine = ours(stated, response, known)
    compiling = (time.process_time() - before) * 1000
    found, fast = mine(), median_cpu(mine)
    told(f"{name}: {fast:.1f} ms a pass with the index made anew, compiling {compiling:.0f} ms")
    try:
        theirs = peers.run("engine.cjs", {"resource": response, "variables": known, "expressions": stated}, ROUNDS)
    except peers.Missing as why:
        told(f"fhirpath.js: {why}")
    else:
        goal(
            f"{name}: faster than fhirpath.js{agreeing(found, theirs['results'])}",
            theirs["pass"] / fast,
            least_js,
            least=True,
        )
    other = fhirpathpys(stated, response, known)
    before = time.process_time()
    results = other()
    slow = (time.process_time() - before) * 1000
    goal(f"{name}: faster than fhirpathpy{agreeing(found, results)}", slow / fast, least_py, least=True)


def ours(stated: Stated, response: Json, known: Json) -> Pass:
    programs = [(name, compiled(text)) for name, text in stated]

    def once() -> list[Any]:
        index = ResponseIndex()
        variables: Json = {**known, "resource": fhirpath.node(response)}
        found = []
        for name, program in programs:
            try:
                items = (
                    program.evaluate_items(variables["resource"], variables, now=NOW, context=index)
                    if program
                    else None
                )
            except FhirPathError:
                items = None
            if name:
                variables[name] = items or []
            found.append(items)
        return found

    return once


def compiled(text: str) -> fhirpath.Expression | None:
    try:
        return fhirpath.compile(text)
    except FhirPathError:
        return None


def fhirpathpys(stated: Stated, response: Json, known: Json) -> Pass:
    plain, given = floats(response), floats(known)
    programs = [(name, quiet(lambda text=text: fhirpathpy.compile(text, models["r4"]))) for name, text in stated]

    def once() -> list[Any]:
        variables = {**given, "resource": plain}
        found = []
        for name, program in programs:
            items = quiet(lambda program=program: program(plain, variables)) if program else None
            if name:
                variables[name] = items or []
            found.append(items)
        return found

    return once


def quiet(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except Exception:  # the other engine raises anything
        return None


def floats(value: Any) -> Any:
    """The data as the other engines take it."""
    return json.loads(json.dumps(value, default=float))


def agreeing(mine: list[Any], theirs: list[Any]) -> str:
    """How many results differ, in words; nothing when all are the same."""
    apart = sum(not same(one, other) for one, other in zip(mine, theirs, strict=True))
    return " (equal results)" if not apart else f" ({apart} of {len(mine)} results differ)"


def same(mine: Any, theirs: Any) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return bool(comparable(as_values(mine)) == comparable(theirs))


def comparable(value: Any) -> Any:
    """Numbers rounded to ten digits and all else as text, so that binary and exact results compare."""
    if isinstance(value, list):
        return [comparable(one) for one in value]
    if isinstance(value, dict):
        return {key: comparable(one) for key, one in value.items()}
    if isinstance(value, bool) or value is None:
        return value
    return round(Decimal(str(value)), 10) if isinstance(value, int | float | Decimal) else str(value)
