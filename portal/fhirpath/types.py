"""Types of items: what `is`, `as`, `ofType` and type() go by."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from portal.fhirpath.errors import FhirPathSyntaxError
from portal.fhirpath.model import SYSTEM, Model, TypeDef, r4
from portal.fhirpath.node import Node
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime
from portal.fhirpath.values import Long

PYTHON_TYPES = {
    bool: "Boolean", str: "String", int: "Integer", Long: "Long", Decimal: "Decimal", float: "Decimal",
    FhirDate: "Date", FhirDateTime: "DateTime", FhirTime: "Time", Quantity: "Quantity",
}  # fmt: skip

# What ofType() reads of FHIR primitives.
SYSTEM_ALONE = frozenset(SYSTEM) - {"Any"}
# JSON that no model types may be asked for by FHIR's names too.
UNTYPED = {"String": "string", "Boolean": "boolean", "Integer": "integer", "Decimal": "decimal"}


def type_of(item: Any) -> TypeDef | None:
    """The type of an item; None for an element that the model does not know."""
    if type(item) is Node:
        if item.type is not None:
            return item.type
        name = PYTHON_TYPES.get(type(item.value))
        return None if name is None else SYSTEM[name]
    return SYSTEM[PYTHON_TYPES[type(item)]]


def name_of(item: Any) -> str:
    """The name of a type, for messages."""
    found = type_of(item)
    return "an element" if found is None else found.name


class TypeName:
    """A type as an expression names it; `System.` and `FHIR.` narrow it, a bare name means either."""

    __slots__ = ("name", "namespace")

    def __init__(self, parts: tuple[str, ...], model: Model | None, pos: int) -> None:
        namespace, name = ("", parts[0]) if len(parts) == 1 else (parts[0], ".".join(parts[1:]))
        if namespace not in ("", "System", "FHIR"):
            namespace, name = "FHIR", ".".join(parts)
        known = namespace == "System" or (name in SYSTEM and not namespace) or (model or r4()).has(name)
        if not known:
            raise FhirPathSyntaxError(f"there is no type {'.'.join(parts)[:60]}", pos)
        self.namespace = namespace
        self.name = name

    def fits(self, item: Any) -> bool:
        """Whether the item is of this type or of one derived from it."""
        found = type_of(item)
        if found is None:
            return type(item) is Node and type(item.value) is dict and item.value.get("resourceType") == self.name
        if self.namespace and found.namespace != self.namespace:
            return False
        if self.name in found.ancestors:
            return True
        return type(item) is Node and item.type is None and self.name == UNTYPED.get(found.name)

    def converted(self, item: Any) -> Any:
        """For ofType(System.X), or X where FHIR has no such type: the value of a FHIR primitive that is an X, else None."""
        if self.namespace == "FHIR" or self.name not in SYSTEM_ALONE or type(item) is not Node:
            return None
        value = item.system()
        return value if type(value) in PYTHON_TYPES and PYTHON_TYPES[type(value)] == self.name else None
