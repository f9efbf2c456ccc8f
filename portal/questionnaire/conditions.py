"""Does an answer meet an enableWhen; is the result of an expression yes or no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .answers import typed
from .comparing import compare
from .extensions import Json
from .items import Condition


def meets(condition: Condition, answer: Json) -> bool:
    kind, value = typed(answer)
    ordering = compare(condition.answer_type[6:], value, condition.answer)
    if condition.operator == "!=":
        return bool(kind) and ordering != 0
    return ordering is not None and _OPERATORS[condition.operator](ordering)


_OPERATORS: dict[str, Callable[[int], bool]] = {
    "=": lambda ordering: ordering == 0,
    ">": lambda ordering: ordering > 0,
    "<": lambda ordering: ordering < 0,
    ">=": lambda ordering: ordering >= 0,
    "<=": lambda ordering: ordering <= 0,
}


def truth(result: list[Any]) -> bool:
    """A condition's result as yes or no: nothing is no; a single value that is not a boolean is yes (FHIRPath 4.5)."""
    if len(result) == 1 and isinstance(result[0], bool):
        return result[0]
    return bool(result)
