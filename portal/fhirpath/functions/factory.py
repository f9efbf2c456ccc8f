"""FHIR's type factory: `%factory.Coding('http://loinc.org', '1234-5')` and its like make elements (FHIR, FHIRPath §factory)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from portal.fhirpath.env import Env, Items, system
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.conversion import to_boolean, to_decimal, to_integer, to_string
from portal.fhirpath.functions.registry import Function
from portal.fhirpath.model import r4
from portal.fhirpath.node import UCUM_SYSTEM, Node
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime, Temporal
from portal.fhirpath.types import TypeName, type_of

# What the text of a primitive must be (FHIR R4, datatypes); those not named here take any text that is not empty.
FORMS = {
    "base64Binary": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "canonical": r"\S*",
    "code": r"\S+(?: \S+)*",
    "id": r"[A-Za-z0-9.\-]{1,64}",
    "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
    "uri": r"\S*",
    "url": r"\S*",
    "uuid": r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "string": r"[\s\S]+",
    "markdown": r"[\s\S]+",
}
LEAST = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}
MOMENTS: dict[str, Callable[[str], Temporal | None]] = {
    "date": FhirDate.parse,
    "dateTime": FhirDateTime.parse,
    "instant": FhirDateTime.parse,
    "time": FhirTime.parse,
}
EXTENSION_KEYS = {
    "Boolean": "valueBoolean", "String": "valueString", "Integer": "valueInteger", "Decimal": "valueDecimal",
    "Date": "valueDate", "DateTime": "valueDateTime", "Time": "valueTime",
}  # fmt: skip

# The parts of complex types in the order of the arguments; * takes several.
COMPLEX = {
    "Extension": ("url", "value"),
    "Identifier": ("system", "value", "use", "type"),
    "HumanName": ("family", "given*", "prefix*", "suffix*", "text", "use"),
    "ContactPoint": ("system", "value", "use"),
    "Address": ("line*", "city", "state", "postalCode", "country", "use", "type"),
    "Quantity": ("system", "code", "value", "unit"),
    "Coding": ("system", "code", "display", "version"),
    "CodeableConcept": ("coding*", "text"),
}

FACTORY: dict[str, Function] = {}


def bad(name: str) -> FhirPathEvaluationError:
    return FhirPathEvaluationError(f"%factory cannot make a {name} of this")


def made(name: str, value: Any, twin: Any = None) -> Items:
    model = r4()
    return [Node(value, model.type(name), model, twin)]


def json_of(item: Any) -> Any:
    """An item as JSON."""
    value = item.value if type(item) is Node else item
    if isinstance(value, Quantity):
        return {"value": value.value, "unit": value.unit, "system": UCUM_SYSTEM, "code": value.unit}
    return value if isinstance(value, bool | int | Decimal | str | dict) or value is None else str(value)


def primitive_value(name: str, value: Any) -> Any:
    if name == "boolean":
        return to_boolean(value)
    if name == "decimal":
        return to_decimal(value)
    if name in LEAST:
        number = to_integer(value)
        return number if number is not None and number >= LEAST[name] and not isinstance(value, bool) else None
    if name in MOMENTS:
        text = to_string(value) or ""
        return text if MOMENTS[name](text) is not None else None
    return value if isinstance(value, str) and re.fullmatch(FORMS[name], value) else None


def primitive(name: str) -> None:
    def run(env: Env, items: Items, value: Any = None, extensions: Items | None = None) -> Items:
        found = None if value is None else primitive_value(name, value)
        if value is not None and found is None:
            raise bad(name)
        twin = {"extension": [json_of(one) for one in extensions]} if extensions else None
        return made(name, found, twin)

    FACTORY[name] = Function(name, run, ("value", "items"), 1, many=False)


def complex_type(name: str, parts: tuple[str, ...]) -> None:
    def run(env: Env, items: Items, *given: Items) -> Items:
        value: dict[str, Any] = {}
        for part, found in zip(parts, given, strict=False):
            if found:
                value.update(put(name, part, found))
        return made(name, value)

    FACTORY[name] = Function(name, run, ("items",) * len(parts), 1, many=False)


def put(name: str, part: str, found: Items) -> dict[str, Any]:
    """One part of a complex type, checked against the model."""
    key = part.rstrip("*")
    if name == "Extension" and key == "value":
        return {extension_key(found[0]): json_of(found[0])}
    if not part.endswith("*") and len(found) > 1:
        raise bad(name)
    values = [fitted(name, key, item) for item in found]
    return {key: values if part.endswith("*") else values[0]}


def fitted(name: str, key: str, item: Any) -> Any:
    owner = r4().type(name)
    element = owner.elements[key].type if owner else None
    value = system(item)
    if element is None or not element.primitive:
        fits = (
            type(item) is Node and item.type is not None and element is not None and element.name in item.type.ancestors
        )
        if not fits:
            raise bad(name)
        return json_of(item)
    if element.name == "decimal":
        value = to_decimal(value)
    elif not isinstance(value, str):
        value = None
    if value is None:
        raise bad(name)
    return value


def extension_key(item: Any) -> str:
    found = type_of(item)
    if found is None:
        raise bad("Extension")
    name = found.name
    return (
        EXTENSION_KEYS[name]
        if found.namespace == "System" and name in EXTENSION_KEYS
        else f"value{name[0].upper()}{name[1:]}"
    )


def create(env: Env, items: Items, name: TypeName) -> Items:
    kind = r4().type(name.name)
    return made(name.name, None if kind is not None and kind.primitive else {})


def with_extension(env: Env, items: Items, instance: Items, url: Any, value: Items) -> Items:
    added = put("Extension", "value", value) if value else {}
    return changed(instance, "extension", {"url": url, **added}, many=True)


def with_property(env: Env, items: Items, instance: Items, name: Any, value: Items) -> Items:
    if not isinstance(name, str) or len(value) != 1:
        raise bad("property")
    return changed(instance, name, json_of(value[0]), many=False)


def changed(instance: Items, name: str, value: Any, many: bool) -> Items:
    """A copy of the instance with one part more; a primitive keeps its parts in its twin."""
    if len(instance) != 1 or type(instance[0]) is not Node:
        raise bad("copy")
    node = instance[0]
    complex_value = type(node.value) is dict
    parts = dict(node.value if complex_value else node.twin or {})
    parts[name] = [*parts.get(name, ()), value] if many else value
    return [Node(parts if complex_value else node.value, node.type, node.model, node.twin if complex_value else parts)]


for _name in (*FORMS, *LEAST, *MOMENTS, "boolean", "decimal"):
    primitive(_name)
for _name, _parts in COMPLEX.items():
    complex_type(_name, _parts)
FACTORY["create"] = Function("create", create, ("type",), 1, many=False)
FACTORY["withExtension"] = Function("withExtension", with_extension, ("items", "value", "items"), 3, many=False)
FACTORY["withProperty"] = Function("withProperty", with_property, ("items", "value", "items"), 3, many=False)
