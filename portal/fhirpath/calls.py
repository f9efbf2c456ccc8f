"""Calls of functions: names and numbers of arguments are checked when compiled, arguments evaluated by their kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from portal.fhirpath.ast import Call, Expr, Literal
from portal.fhirpath.env import Env, Items, one
from portal.fhirpath.errors import FhirPathSyntaxError, FhirPathUnsupported
from portal.fhirpath.functions import FUNCTIONS, REFUSED, Function
from portal.fhirpath.functions.factory import FACTORY
from portal.fhirpath.functions.fhir import base_type
from portal.fhirpath.functions.terminologies import TERMINOLOGIES

APIS = {"": FUNCTIONS, "factory": FACTORY, "terminologies": TERMINOLOGIES}


class Compiled(NamedTuple):
    """An argument: its kind, and a Body, a TypeName, or a pair of Body and direction."""

    kind: str
    what: Any


class Checked(NamedTuple):
    """A function that exists, and its arguments with their kinds."""

    function: Function
    pairs: list[tuple[str, Expr]]


def checked(call: Call, api: str = "") -> Checked:
    """Raises FhirPathUnsupported for names that are refused or unknown, FhirPathSyntaxError for a wrong number of arguments.

    api: the variable that the call follows, when that is %factory or %terminologies.
    """
    if call.name in REFUSED and not api:
        raise FhirPathUnsupported(REFUSED[call.name], call.pos)
    if call.name == "conformsTo" and call.arguments:
        _known_profile(call)
    function = APIS[api].get(call.name)
    if function is None:
        raise FhirPathUnsupported(f"there is no function {call.name[:60]}()", call.pos)
    count, kinds = len(call.arguments), function.kinds
    if count < function.least or (count > len(kinds) and not function.many):
        raise FhirPathSyntaxError(f"{call.name}() has the wrong number of arguments", call.pos)
    if function.many and count > len(kinds):
        kinds = kinds + (kinds[-1],) * (count - len(kinds))
    return Checked(function, list(zip(kinds, call.arguments, strict=False)))


def _known_profile(call: Call) -> None:
    """A profile that is written down and nobody here can check is refused before anything runs."""
    named = call.arguments[0]
    if isinstance(named, Literal) and not base_type(named.value):
        raise FhirPathUnsupported(
            f"conformsTo() of {str(named.value)[:200]} needs profile validation, which is not done here", call.pos
        )


def argument_run(function: Function, arguments: list[Compiled]) -> Callable[[Env, Items], Items]:
    """The call as a stride; bodies, types and sort keys are handed over as they are, values are evaluated first."""
    run, name = function.run, f"{function.name}()"
    fixed = [argument.what for argument in arguments]
    if not arguments:

        def plain(env: Env, items: Items) -> Items:
            env.left -= 1
            return run(env, items)

        return plain
    if all(argument.kind not in ("value", "items") for argument in arguments):

        def lazy(env: Env, items: Items) -> Items:
            env.left -= 1
            return run(env, items, *fixed)

        return lazy

    def evaluated(env: Env, items: Items) -> Items:
        env.left -= 1
        found = []
        for kind, what in arguments:
            if kind == "value":
                found.append(one(what(env), name))
            else:
                found.append(what(env) if kind == "items" else what)
        return run(env, items, *found)

    return evaluated
