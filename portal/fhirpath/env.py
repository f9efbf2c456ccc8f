"""The state of one evaluation: `$this`, variables, the budget that is left; and how callers' values become items."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from portal.fhirpath.budget import Budget
from portal.fhirpath.errors import FhirPathBudgetExceeded, FhirPathEvaluationError
from portal.fhirpath.host import Host
from portal.fhirpath.model import Model
from portal.fhirpath.node import Node
from portal.fhirpath.temporal import of_python
from portal.fhirpath.values import exact, sane

Items = list[Any]
"""A collection: Nodes, and values of FHIRPath's own types (bool, int, Long, Decimal, str, FhirDate…, Quantity)."""

CONSTANTS = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
PREFIXES = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


NONE_DEFINED: dict[str, Items] = {}


class Env:
    """One per evaluation; `this`, `index` and `total` are set and put back by the functions that loop."""

    __slots__ = (
        "context", "defined", "given", "host", "index", "left", "model", "now", "room", "this", "total", "wrapped",
    )  # fmt: skip

    def __init__(
        self,
        context: Items,
        given: Mapping[str, Any],
        model: Model | None,
        budget: Budget,
        now: datetime | None,
        host: Host | None,
    ) -> None:
        self.context = context
        self.this = context
        self.index = 0
        self.total: Items = []
        self.given = given
        self.defined = NONE_DEFINED
        self.wrapped: dict[str, Items] = {}
        self.model = model
        self.left = budget.steps
        self.room = budget.size
        self.now = now
        self.host = host

    def spend(self, steps: int) -> None:
        """Counts work that is about to be done."""
        self.left -= steps
        if self.left < 0:
            raise FhirPathBudgetExceeded("the expression takes too many steps")

    def text(self, value: str) -> str:
        """Counts text that was made."""
        self.room -= len(value)
        if self.room < 0:
            raise FhirPathBudgetExceeded("the expression makes too much text")
        return value

    def zone(self) -> int | None:
        """Minutes east of UTC of `now`: the zone of values that name none."""
        away = None if self.now is None else self.now.utcoffset()
        return None if away is None else int(away.total_seconds() // 60)

    def variable(self, name: str) -> Items:
        """The value of %name."""
        if name in self.defined:
            return self.defined[name]
        found = self.wrapped.get(name)
        if found is None:
            found = self._look_up(name)
            self.wrapped[name] = found
        return found

    def has_variable(self, name: str) -> bool:
        return (
            name in self.defined
            or name in self.given
            or name in CONSTANTS
            or name in ("context", "resource", "rootResource")
        )

    def _look_up(self, name: str) -> Items:
        if name in self.given:
            return wrap(self.given[name], self.model)
        if name == "context":
            return self.context
        if name == "resource":
            return [item.resource() if isinstance(item, Node) else item for item in self.context[:1]]
        if name == "rootResource":
            return [item.root() if isinstance(item, Node) else item for item in self.context[:1]]
        if name in CONSTANTS:
            return [CONSTANTS[name]]
        for prefix, url in PREFIXES.items():
            if name.startswith(prefix):
                return [url + name[len(prefix) :]]
        raise FhirPathEvaluationError(f"there is no variable %{name}")


def wrap(value: Any, model: Model | None) -> Items:
    """A caller's value as a collection: raw JSON becomes nodes, None nothing, lists are flattened one level."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [item for one in value for item in wrap(one, model)]
    if isinstance(value, dict):
        kind = value.get("resourceType")
        return [Node(value, model.type(kind) if model is not None and isinstance(kind, str) else None, model)]
    if isinstance(value, float):
        return [sane(exact(value))]
    if isinstance(value, Decimal) or type(value) is int:
        return [sane(value)]
    if isinstance(value, date | time):
        return [of_python(value)]
    return [value]


def system(item: Any) -> Any:
    """The item as a value of FHIRPath's own types; a complex node stays a node, a primitive without a value is None."""
    return item.system() if type(item) is Node else item


def one(items: Items, what: str) -> Any:
    """The single value of a collection, None when it is empty."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathEvaluationError(f"{what} takes one value, not {len(items)}")
    return system(items[0])


def truth(items: Items, what: str) -> bool | None:
    """A collection where a Boolean is due: empty is None, one item that is no Boolean counts as true (FHIRPath 4.5)."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathEvaluationError(f"{what} takes one value, not {len(items)}")
    value = system(items[0])
    if value is True or value is False or value is None:
        return value
    return True


def plain(items: Items) -> list[Any]:
    """The collection for a caller: nodes become their value, primitives without a value are left out."""
    found = []
    for item in items:
        if type(item) is not Node:
            found.append(item)
            continue
        value = item.value if type(item.value) in (dict, list) else item.system()
        if value is not None:
            found.append(value)
    return found
