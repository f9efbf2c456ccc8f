"""Expressions of a form, compiled once: FHIRPath as a program, x-fhir-query as a text with holes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from portal import fhirpath
from portal.fhirpath import ast

from .extensions import Json
from .shapes import Use, use_of

QUERY_LANGUAGE = "application/x-fhir-query"
_FHIRPATH = {"text/fhirpath", "fhirpath", ""}
_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
MAX_LENGTH = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """One Expression datatype. `program` is None when it is a query or when `error` says why it cannot run."""

    text: str
    name: str
    language: str
    program: fhirpath.Expression | None
    holes: tuple[Formula, ...] = ()
    error: str = ""
    use: Use = field(default_factory=Use)
    strings: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()

    @property
    def is_query(self) -> bool:
        return self.language == QUERY_LANGUAGE

    def literals(self) -> frozenset[str]:
        """Every string literal: the linkIds among them are the questions it reads."""
        return self.strings

    def names(self) -> frozenset[str]:
        """Every %name it uses."""
        return self.variables


def supported(language: object) -> bool:
    return language is None or str(language).lower() in _FHIRPATH or language == QUERY_LANGUAGE


def formula(expression: object) -> Formula | None:
    """Compile an Expression (or a bare FHIRPath string); None when it holds no expression at all."""
    if isinstance(expression, str):
        expression = {"language": "text/fhirpath", "expression": expression}
    if not isinstance(expression, dict) or not isinstance(expression.get("expression"), str):
        return None
    return _compiled(expression)


def query(url: str) -> Formula | None:
    """A search with holes as a formula."""
    return formula({"language": QUERY_LANGUAGE, "expression": url}) if url else None


def _compiled(expression: Json) -> Formula:
    text, name = expression["expression"], str(expression.get("name") or "")
    language = str(expression.get("language") or "text/fhirpath")
    if len(text) > MAX_LENGTH:
        return Formula(text, name, language, None, (), f"longer than {MAX_LENGTH} characters")
    if language == QUERY_LANGUAGE:
        holes = tuple(made for hole in _HOLE.findall(text) if (made := formula(hole)) is not None)
        wrong = next((hole.error for hole in holes if hole.error), "")
        strings = frozenset[str]().union(*(hole.strings for hole in holes))
        return Formula(text, name, language, None, holes, wrong, Use(), strings, _named(holes))
    compiled, error = program(text)
    if compiled is None:
        return Formula(text, name, "text/fhirpath", None, (), error)
    tree = compiled.ast
    strings = frozenset(p.value for p in ast.walk(tree) if isinstance(p, ast.Literal) and isinstance(p.value, str))
    return Formula(text, name, "text/fhirpath", compiled, (), "", use_of(tree), strings, compiled.free_variables)


def _named(holes: tuple[Formula, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(hole.variables for hole in holes))


def program(text: str) -> tuple[fhirpath.Expression | None, str]:
    """The compiled FHIRPath, or None and why it is not FHIRPath."""
    try:
        return fhirpath.compile(text, model=fhirpath.R4), ""
    except fhirpath.FhirPathError as error:
        return None, str(error)


def filled_query(formula: Formula, values: list[list[Any]]) -> str | None:
    """The query with each hole filled by its values joined with commas; None when a hole has no value."""
    if any(not found for found in values):
        return None
    texts = iter([",".join(_plain(value) for value in found) for found in values])
    return _HOLE.sub(lambda _: next(texts), formula.text)


def _plain(value: Any) -> str:
    """A value as a search parameter has it: a code with its system, of a reference what it points to."""
    if isinstance(value, dict):
        return _parameter(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quote(text, safe=":/|,-_.~")


def _parameter(value: Json) -> str:
    if isinstance(listed := value.get("coding"), list):
        return ",".join(_parameter(one) for one in listed if isinstance(one, dict))
    amount, code, system = value.get("value"), value.get("code"), value.get("system")
    if amount is not None and not isinstance(amount, str):
        return _plain("|".join(str(part or "") for part in (amount, system, code)).rstrip("|"))
    plain = code or amount or value.get("reference") or ""
    return _plain(f"{system}|{plain}" if system and plain else plain)
