"""Names that expressions use and nobody gives: neither the form, nor SDC, nor what a form is filled in from."""

from __future__ import annotations

from collections.abc import Iterator

from . import extensions as ext
from .findings import Findings
from .formulas import Formula
from .items import Item
from .shapes import ROOTS

KNOWN = ROOTS | {
    "context",
    "questionnaire",
    "Questionnaire",
    "qitem",
    "ucum",
    "sct",
    "loinc",
    "factory",
    "terminologies",
}
"""What FHIRPath, FHIR and SDC give to every expression; with names that begin like PREFIXES."""
PREFIXES = ("vs-", "ext-")


def note(root: Item, items: list[Item], given: frozenset[str], findings: Findings) -> None:
    """Told once an item and name. given: what comes from outside, because the form or SDC says so."""
    given |= {str(name) for name in ext.values(root.extensions, "assembleContext")}
    declared = {item.ordinal: _declared(item) for item in (root, *items)}
    for item in (root, *items):
        around = set(given).union(*(declared[one.ordinal] for one in item.ancestors()))
        for feature, formula in _formulas(item):
            for name in sorted(_names(formula) - around - KNOWN):
                if not name.startswith(PREFIXES):
                    why = f"%{name} is declared nowhere: without a value given from outside the expression fails"
                    findings.defect(item.link_id, feature, why)


def _declared(item: Item) -> set[str]:
    population = {item.population.name} if item.population is not None else set()
    return population | item.named.keys()


def _formulas(item: Item) -> Iterator[tuple[str, Formula]]:
    single = {
        "enableWhenExpression": item.enable_formula, "calculatedExpression": item.calculation,
        "initialExpression": item.initial_formula, "itemPopulationContext": item.population,
        "answerExpression": item.answer_formula, "candidateExpression": item.candidate_formula,
    }  # fmt: skip
    yield from ((name, formula) for name, formula in single.items() if formula is not None)
    yield from (("variable", variable.formula) for variable in item.variables)
    yield from (("targetConstraint", rule.formula) for rule in item.rules)
    yield from (("answerOptionsToggleExpression", formula) for _, formula in item.toggles)
    yield from ((f"cqf-expression of {name}", one) for name, one in (*item.text_formulas.items(), *item.bounds.items()))


def _names(formula: Formula) -> frozenset[str]:
    if formula.program is not None:
        return formula.program.free_variables
    return frozenset().union(*(_names(hole) for hole in formula.holes))
