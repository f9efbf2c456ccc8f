"""What expressions may ask of a form: items by linkId from an index, scores of its options, members of its value sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.fhirpath import ResponseIndex

from .comparing import same_coding
from .extensions import Json
from .scores import score_table

if TYPE_CHECKING:
    from .evaluation import Evaluation


class FormHost(ResponseIndex):
    """One for each state of the response: the index it builds is only true for that state."""

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__()
        self._evaluation = evaluation

    def score(self, coding: Json) -> Any:
        """The weight that the form gives to the option with this code."""
        table = score_table(self._evaluation.form)
        return table.get((coding.get("system"), coding.get("code")), table.get((None, coding.get("code"))))

    def member_of(self, coded: Json | str, value_set: str) -> bool | None:
        codings = _codings(coded)
        found = self._evaluation.form.value_sets.expand(value_set)
        if found is not None:
            return any(same_coding(one, other) for one in codings for other in found)
        terminology = self._evaluation.context.terminology
        verdicts = [terminology.contains(value_set, coding) for coding in codings] if terminology else [None]
        return True if True in verdicts else (None if None in verdicts else False)


def _codings(coded: Json | str) -> list[Json]:
    if isinstance(coded, str):
        return [{"code": coded}]
    listed = coded.get("coding")
    return [c for c in listed if isinstance(c, dict)] if isinstance(listed, list) else [coded]
