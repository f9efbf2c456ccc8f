"""FHIR XML to FHIR JSON, for the inputs of public suites that exist as XML only."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pydantic import BaseModel

from tests.fhirpath.write_r4_types import class_named_in, classes, primitive_of

NUMBERS = {"integer", "positiveInt", "unsignedInt"}


@lru_cache(maxsize=1)
def known() -> dict[str, type[BaseModel]]:
    return classes()


def read(path: Path) -> dict[str, Any]:
    """The resource in an XML file, as JSON with exact decimals."""
    return resource(ElementTree.fromstring(path.read_text(encoding="utf-8").strip()))


def name_of(element: ElementTree.Element) -> str:
    return element.tag.partition("}")[2] or element.tag


def resource(element: ElementTree.Element) -> dict[str, Any]:
    name = name_of(element)
    return {"resourceType": name, **content(element, known()[name])}


def content(element: ElementTree.Element, model: type[BaseModel]) -> dict[str, Any]:
    made: dict[str, Any] = {key: value for key, value in element.attrib.items() if key in ("id", "url")}
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for child in element:
        name = name_of(child)
        field = fields[name]
        many = "typing.List" in str(field.annotation)
        primitive = primitive_of(field.annotation)
        if primitive == "xhtml" or name == "div":
            made[name] = ElementTree.tostring(child, encoding="unicode")
        elif primitive:
            add_primitive(made, name, child, primitive, many)
        else:
            type_name = class_named_in(field.annotation) or ""
            value = resource(child[0]) if type_name == "Resource" else content(child, known()[type_name])
            made[name] = [*made.get(name, []), value] if many else value
    return made


def add_primitive(made: dict[str, Any], name: str, child: ElementTree.Element, kind: str, many: bool) -> None:
    value = converted(child.get("value"), kind)
    twin = content(child, known()["Element"]) if len(child) or child.get("id") else None
    if not many:
        made.update({key: one for key, one in ((name, value), (f"_{name}", twin)) if one is not None})
        return
    made.setdefault(name, []).append(value)
    twins = made.setdefault(f"_{name}", [None] * (len(made[name]) - 1))
    twins.append(twin)
    if not any(twins):
        del made[f"_{name}"]


def converted(text: str | None, kind: str) -> Any:
    if text is None:
        return None
    if kind == "boolean":
        return text == "true"
    if kind in NUMBERS:
        return int(text)
    return Decimal(text) if kind == "decimal" else text
