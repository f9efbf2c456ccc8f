"""What expressions may ask of a form: items by linkId, scores of its options, members of its value sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from portal import fhirpath
from portal.fhirpath import ResponseIndex

from .comparing import same_coding
from .extensions import Json
from .scores import weight_of

if TYPE_CHECKING:
    from .evaluation import Evaluation


class FormHost(ResponseIndex):
    """One for each state of the answers. `bare` stands for the response in expressions that only look up items by
    linkId: it holds no items, these are found among the entries."""

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__()
        self._evaluation = evaluation
        self.bare: fhirpath.Node = fhirpath.node(evaluation.base)
        self._found: dict[tuple[str, str], list[Any]] = {}

    def items_by_link_id(self, node: fhirpath.Node, how: str, link_id: str) -> Sequence[Any] | None:
        if node is self.bare:
            key = (how, link_id)
            if key not in self._found:
                self._found[key] = self._among_entries(how, link_id)
            return self._found[key]
        return super().items_by_link_id(node, how, link_id) if "resourceType" in node.value else None

    def _among_entries(self, how: str, link_id: str) -> list[Any]:
        """repeat(item) goes through groups only, and leaves equal items out; descendants() goes through answers too."""
        item = self._evaluation.form.by_link.get(link_id)
        if item is None or (how == "item" and item.parent is not self._evaluation.form.root):
            return []
        if how == "repeat" and not item.in_groups:
            return []
        raws: list[Json] = []
        for entry in self._evaluation.top.made(item.chain):
            raw = self._evaluation.live_node(entry)
            if raw is not None and not any(raw is other or (how == "repeat" and raw == other) for other in raws):
                raws.append(raw)
        return [fhirpath.node(raw, "QuestionnaireResponse.item") for raw in raws]

    def resolve(self, reference: str) -> Json | None:
        """The resource a literal reference points to, where somebody can be asked for it."""
        fetch = self._evaluation.context.fetch
        return fetch(reference) if fetch is not None and "?" not in reference else None

    def score(self, value: Any, link_id: str | None) -> Any:
        """The weight that the form gives to this option of this question."""
        form = self._evaluation.form
        return weight_of(form, form.by_link.get(link_id or ""), value)

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
