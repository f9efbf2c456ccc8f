"""Chains of operators as closures: `a + b + c` is one loop, and logic stops where the answer is settled."""

from __future__ import annotations

from portal.fhirpath.env import Env, Items, truth
from portal.fhirpath.functions.registry import Body
from portal.fhirpath.operators import LOGIC, OPERATORS
from portal.fhirpath.sets import distinct


def joined(operator: str, first: Body, rest: list[Body]) -> Body:
    """One operator, applied from the left."""
    if operator == "|":
        return union(first, rest)
    if operator in LOGIC:
        return logical(operator, first, rest)
    run = OPERATORS[operator]
    if len(rest) == 1:
        second = rest[0]

        def pair(env: Env) -> Items:
            env.left -= 2
            return run(env, first(env), second(env))

        return pair

    def several(env: Env) -> Items:
        found = first(env)
        for body in rest:
            env.left -= 2
            found = run(env, found, body(env))
        return found

    return several


def union(first: Body, rest: list[Body]) -> Body:
    def run(env: Env) -> Items:
        found = list(first(env))
        for body in rest:
            found.extend(body(env))
        return distinct(env, found)

    return run


def logical(operator: str, first: Body, rest: list[Body]) -> Body:
    """The right side is left alone when the left one settles the answer."""
    combine, settles = LOGIC[operator]
    what = f"“{operator}”"

    def run(env: Env) -> Items:
        found = truth(first(env), what)
        for body in rest:
            env.left -= 1
            if found is settles and settles is not None:
                if operator == "implies":
                    found = True
                    continue
                return [found]
            found = combine(found, truth(body(env), what))
        return [] if found is None else [found]

    return run
