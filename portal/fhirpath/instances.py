"""Instance selectors, `Coding { system: 's', code: 'c' }`: elements that an expression makes (FHIRPath 3.0, §5.2.3)."""

from __future__ import annotations

from typing import Any

from portal.fhirpath.env import Env, Items, system
from portal.fhirpath.errors import FhirPathEvaluationError, FhirPathSyntaxError
from portal.fhirpath.functions.factory import json_of, primitive_value
from portal.fhirpath.functions.registry import Body
from portal.fhirpath.model import Element, TypeDef, r4
from portal.fhirpath.node import Node
from portal.fhirpath.types import TypeName, type_of

VALUE = "value"
SYSTEM_KEYS = {"DateTime": "dateTime", "Long": "integer64"}


def made_element(name: TypeName, parts: dict[str, Body], pos: int) -> Body:
    """One element, whose parts are read from the one item of input. FhirPathSyntaxError where the type has no such element."""
    kind = r4().type(name.name)
    if kind is None:
        raise FhirPathSyntaxError(f"{name.name} is no type of FHIR that could be made", pos)
    unknown = next((part for part in parts if part not in kind.elements and not (kind.primitive and part == VALUE)), "")
    if unknown:
        raise FhirPathSyntaxError(f"{name.name} has no element {unknown[:60]}", pos)

    def run(env: Env) -> Items:
        if len(env.this) > 1:
            raise FhirPathEvaluationError(f"{kind.name} {{…}} takes one item, not {len(env.this)}")
        env.spend(5 + 3 * len(parts))
        found = {part: body(env) for part, body in parts.items()}
        return [primitive(kind, found) if kind.primitive else assembled(kind, found)]

    return run


def primitive(kind: TypeDef, found: dict[str, Items]) -> Node:
    given = found.pop(VALUE, [])
    value = primitive_value(kind.name, single(kind, VALUE, given)) if given else None
    if given and value is None:
        raise FhirPathEvaluationError(f"this cannot be a {kind.name}")
    twin = assembled(kind, found).value if any(found.values()) else None
    return Node(value, kind, r4(), twin)


def assembled(kind: TypeDef, found: dict[str, Items]) -> Node:
    made: dict[str, Any] = {"resourceType": kind.name} if "Resource" in kind.ancestors else {}
    for part, items in found.items():
        if items:
            element = kind.elements[part]
            if element.many:
                made[element.key] = [json_of(item) for item in items]
            else:
                made[json_key(kind, element, items[0])] = json_of(single(kind, part, items))
    return Node(made, kind, r4())


def single(kind: TypeDef, part: str, items: Items) -> Any:
    if len(items) > 1:
        raise FhirPathEvaluationError(f"{kind.name}.{part} is one value, not {len(items)}")
    return system(items[0]) if part == VALUE and kind.primitive else items[0]


def json_key(kind: TypeDef, element: Element, item: Any) -> str:
    """`valueCoding` for the value[x] that is a Coding."""
    if element.type is not None:
        return element.key
    found = type_of(item)
    name = "" if found is None else SYSTEM_KEYS.get(found.name, found.name)
    key = next((key for key, _, choice in element.choices if choice.name.lower() == name.lower()), None)
    if key is None:
        raise FhirPathEvaluationError(f"{kind.name}.{element.name} cannot be this")
    return key
