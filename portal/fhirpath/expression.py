"""Compiled expressions: what callers hold and evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from portal.fhirpath.ast import Expr, summary
from portal.fhirpath.budget import Budget
from portal.fhirpath.compiler import Compiler
from portal.fhirpath.env import Env, Items, plain, wrap
from portal.fhirpath.errors import FhirPathBudgetExceeded, FhirPathSyntaxError
from portal.fhirpath.functions.registry import Body
from portal.fhirpath.host import Host
from portal.fhirpath.model import Model, r4
from portal.fhirpath.parser import parse

R4 = "R4"
DEFAULT = Budget()
LONGEST_CACHED = 2_000
NOTHING: Mapping[str, Any] = {}


class Expression:
    """An expression that was parsed, checked and compiled; it holds no data and may be shared between threads."""

    __slots__ = ("_body", "_model", "ast", "free_variables", "text")

    def __init__(self, text: str, ast: Expr, body: Body, model: Model | None) -> None:
        self.text = text
        self.ast = ast
        self._body = body
        self._model = model
        found = summary(ast)
        self.free_variables: frozenset[str] = frozenset(found.variables - found.defined)

    def __repr__(self) -> str:
        return f"<Expression {self.text!r}>"

    def evaluate(
        self,
        resource: Any,
        variables: Mapping[str, Any] = NOTHING,
        *,
        budget: Budget | None = None,
        now: datetime | None = None,
        context: Host | None = None,
    ) -> list[Any]:
        """The result as Python values: bool, int, Decimal, str, FhirDate, FhirDateTime, FhirTime, Quantity, and the raw
        JSON dict of a complex element (a FHIR Quantity too).

        resource: raw JSON (dict), a Node from evaluate_items(), a list of them, or a plain value; it is `%context`.
        variables: name without `%` to a value, a raw dict, a Node, or a list of them.
        Raises FhirPathEvaluationError, FhirPathBudgetExceeded, and FhirPathError where `now` is needed and missing.
        """
        return plain(self.evaluate_items(resource, variables, budget=budget, now=now, context=context))

    def evaluate_items(
        self,
        resource: Any,
        variables: Mapping[str, Any] = NOTHING,
        *,
        budget: Budget | None = None,
        now: datetime | None = None,
        context: Host | None = None,
    ) -> Items:
        """The result as items: elements stay Nodes that know their type, parent and key."""
        model = self._model
        env = Env(wrap(resource, model), variables, model, budget or DEFAULT, now, context)
        try:
            found = self._body(env)
        except RecursionError:
            raise FhirPathBudgetExceeded("the expression is too deep") from None
        if env.left < 0:
            raise FhirPathBudgetExceeded("the expression takes too many steps")
        return found


def compile(text: str, model: str | None = R4) -> Expression:
    """The compiled expression, from a cache when it was compiled before.

    model: R4, or None for plain JSON without types. Raises FhirPathSyntaxError (and its kind FhirPathUnsupported) only.
    """
    return _cached(text, model) if len(text) <= LONGEST_CACHED else _compiled(text, model)


def _compiled(text: str, model: str | None) -> Expression:
    known = r4() if model == R4 else None
    try:
        tree = parse(text)
        return Expression(text, tree, Compiler(known).body(tree), known)
    except RecursionError:
        raise FhirPathSyntaxError("the expression is too deep", 0) from None


_cached = lru_cache(maxsize=4096)(_compiled)


def node(value: Any, type_name: str | None = None) -> Any:
    """Raw JSON as a typed Node of the R4 model, for elements that do not say what they are.

    node(item, "QuestionnaireResponse.item") makes `answer.value` of it know its types.
    """
    (found,) = wrap(value, r4())
    if type_name is not None:
        found.type = r4().type(type_name)
    return found
