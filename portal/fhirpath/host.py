"""What an evaluation may ask of its caller; every question has a default that says “not known here”."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.fhirpath.node import Node


class Host:
    """Subclass it and override what you can answer. Answers may be raw JSON dicts or Nodes."""

    def items_by_link_id(self, node: Node, how: str, link_id: str) -> Sequence[Any] | None:
        """The items below `node` with that linkId, or None to let the engine walk.

        how: "item" for `node.item.where(linkId = …)`, "repeat" for `node.repeat(item).where(linkId = …)`,
        "descendants" for `node.descendants().where(linkId = …)`. The order must be the engine's (level by level) and
        "repeat" leaves equal items out. ResponseIndex answers for any QuestionnaireResponse.
        """
        return None

    def resolve(self, reference: str) -> dict[str, Any] | None:
        """The resource that a literal reference or canonical points to."""
        return None

    def member_of(self, coded: dict[str, Any] | str, value_set: str) -> bool | None:
        """Whether a code, Coding or CodeableConcept is in the value set; None when that cannot be known."""
        return None

    def sound(self, resource: dict[str, Any]) -> bool | None:
        """Whether a resource is built as its type asks (conformsTo of R4's own definitions); None when that is not looked at."""
        return None

    def terminology(self, operation: str, arguments: list[list[Any]]) -> dict[str, Any] | bool | None:
        """What `%terminologies.operation(…)` gives: a ValueSet for expand, Parameters for the others; each argument is a
        collection of plain values. None when it cannot be known."""
        return None

    def trace(self, name: str, values: list[Any]) -> None:
        """Called by trace(); nothing is logged by default, the values are health data."""
        return

    def score(self, value: Any, link_id: str | None) -> Any:
        """The itemWeight or ordinalValue of a Coding (or a plain value) that carries none itself, as an answer to the
        question with this linkId where it is one; None when not known."""
        return None
