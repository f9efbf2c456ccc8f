"""Expressions in a language this engine does not speak (CQL): which a form can do without, and which decide what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .findings import Findings
from .formulas import Formula
from .graph import reads
from .items import Item

LEFT_OUT = {
    "initialExpression": "the question begins empty",
    "cqf-calculatedValue": "the question begins empty",
    "itemPopulationContext": "nothing is filled in from it",
    "candidateExpression": "its suggestions are not offered",
    "variable": "what uses it has no value",
    "targetConstraint": "the rule is not checked",
}
"""Features without which a form asks the same questions; the rest are refused."""


PREFILLING = frozenset({"initialExpression", "cqf-calculatedValue"})


def left_out(item: Item, feature: str) -> str:
    """What a form goes without when this expression of an item cannot be run; "" when it must not go without."""
    _, texts, name = feature.partition("cqf-expression of ")
    if not texts:
        return LEFT_OUT.get(feature, "")
    if name in ("text", "title") and not item.raw.get(name):
        return ""
    return "the limit is not checked" if name.startswith(("min", "max")) else "what is written is shown instead"


def note(item: Item, feature: str, language: object, findings: Findings) -> None:
    """An expression that cannot be run: named as not honoured, or a reason to refuse the form."""
    said = f"written in {language}, not in FHIRPath"
    if without := left_out(item, feature):
        findings.miss(item.link_id, feature, f"{said}: {without}")
        findings.unheard.setdefault(item.ordinal, set()).add(feature)
    else:
        findings.refuse(item.link_id, "expression-language", f"{feature} is {said}, and decides what is asked")


def refuse_deciding(items: list[Item], by_link: Mapping[str, Item], findings: Findings) -> None:
    """A value that only such an expression could give, and on which it depends what is asked, is no mere prefill:
    the form would pass over questions and nobody would know."""
    if not findings.unheard:
        return
    blind = {item for item in items if _only_prefilled(item, findings)}
    for item in items:
        asked = {condition.question for condition in item.conditions}
        for formula in _deciding(item):
            asked |= reads(formula, item, by_link).items
            for name in formula.names() & findings.unheard_names:
                findings.refuse(item.link_id, "expression-language", f"what is asked depends on %{name}, which is CQL")
        for question in sorted(asked & blind, key=lambda one: one.ordinal):
            findings.refuse(
                item.link_id,
                "expression-language",
                f"what is asked depends on {question.link_id!r}, which nobody can answer: it is hidden or read-only, "
                "and what fills it in is not in FHIRPath",
            )


def _only_prefilled(item: Item, findings: Findings) -> bool:
    """Whether nothing but the lost expression could answer it."""
    lost = PREFILLING & findings.unheard.get(item.ordinal, set())
    return bool(lost) and any(owner.hidden or owner.read_only for owner in item.ancestors()) and not item.calculated


def _deciding(item: Item) -> Iterator[Formula]:
    yield from (formula for formula in (item.enable_formula, item.calculation) if formula is not None)
    yield from (formula for _, formula in item.toggles)
