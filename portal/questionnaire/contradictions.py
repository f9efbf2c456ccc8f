"""What a form says that can never be: limits that no answer keeps, conditions that never hold, answers offered twice. Said to
its author, for the form can be asked all the same."""

from __future__ import annotations

from collections.abc import Iterator

from . import extensions as ext
from .answers import TYPE_KEYS
from .comparing import compare, same_answer
from .extensions import Json
from .findings import Findings
from .initial import fixed_answers
from .items import Condition, Item
from .valuesets import ValueSets

ALIKE = ({"Integer", "Decimal"}, {"Date", "DateTime"}, {"String", "Uri"})
"""Types whose values are compared with one another."""


def note(items: list[Item], value_sets: ValueSets, findings: Findings) -> None:
    for item in items:
        for reason in _limits(item):
            findings.defect(item.link_id, "limits", reason)
        for condition in item.conditions:
            for reason in _condition(condition, value_sets):
                findings.defect(item.link_id, "condition", reason)
        for reason in _values(item):
            findings.defect(item.link_id, "options", reason)


def _limits(item: Item) -> Iterator[str]:
    found = item.extensions
    least, most = ext.value(found, "minLength"), item.raw.get("maxLength")
    if _above("Integer", least, most):
        yield f"an answer has at least {least} characters and at most {most}"
    if item.max_occurs is not None and item.min_occurs > item.max_occurs:
        yield f"it is answered at least {item.min_occurs} times and at most {item.max_occurs}"
    if max(item.min_occurs, item.max_occurs or 0) > 1 and not item.repeats:
        yield "it is to be answered several times (minOccurs, maxOccurs) and does not repeat"
    lower, upper = (ext.value(found, f"{end}Quantity") or ext.value(found, f"{end}Value") for end in ("min", "max"))
    kind = TYPE_KEYS[item.type][0].removeprefix("value") if item.is_question else ""
    worked_out = item.bounds.keys() & {"minValue", "maxValue", "minQuantity", "maxQuantity"}
    if not worked_out and (_above(kind, lower, upper) or _above("Decimal", lower, upper)):
        yield "the least that is allowed (minValue) is more than the most (maxValue)"


def _above(kind: str, lower: object, upper: object) -> bool:
    return lower is not None and upper is not None and compare(kind, lower, upper) == 1


def _condition(condition: Condition, value_sets: ValueSets) -> Iterator[str]:
    asked = condition.question
    if not asked.is_question:
        yield f"enableWhen looks at {asked.link_id!r}, a {asked.type}, which never has an answer"
    elif condition.operator != "exists":
        offered = value_sets.answers(asked)
        told = {f"value{condition.answer_type.removeprefix('answer')}": condition.answer}
        if not _kinds(asked, offered) & _alike(condition.answer_type.removeprefix("answer")):
            yield f"enableWhen compares {asked.link_id!r} with a value of another type than its answers"
        elif _closed(asked) and condition.operator in ("=", "!=") and not _offers(offered, told):
            yield f"enableWhen compares {asked.link_id!r} with an answer that it does not offer"


def _offers(offered: list[Json], told: Json) -> bool:
    return not offered or any(same_answer(told, one) for one in offered)


def _closed(item: Item) -> bool:
    """Whether the options that the form lists are all there are."""
    return item.type == "choice" and not (item.open or item.answer_formula or item.candidate_formula)


def _kinds(item: Item, offered: list[Json]) -> set[str]:
    listed = {key.removeprefix("value") for one in offered for key in one if key.startswith("value")}
    plain = {"String"} if item.type == "choice" and item.answer_formula else set()
    return {*(key.removeprefix("value") for key in TYPE_KEYS[item.type]), *listed, *plain}


def _alike(kind: str) -> set[str]:
    return next((kinds for kinds in ALIKE if kind in kinds), {kind})


def _values(item: Item) -> Iterator[str]:
    listed = [_told_apart(one) for one in item.raw.get("answerOption") or () if isinstance(one, dict)]
    if len(set(listed)) < len(listed):
        yield "the same answer is offered twice"
    initial = item.raw.get("initial") or ()
    if item.is_question and initial and not fixed_answers(item):
        yield "the initial value is of another type than its answers: the question begins empty"


def _told_apart(option: Json) -> str:
    """What tells an option from others: of a coding its system and code."""
    key, value = next(((key, value) for key, value in option.items() if key.startswith("value")), ("", None))
    if isinstance(value, dict) and value.get("code"):
        value = (value.get("system"), value["code"])
    return f"{key} {value!r}"
