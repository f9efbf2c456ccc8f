"""Writes portal/fhirpath/r4_types.txt from the R4B models of fhir.resources: python -m tests.fhirpath.write_r4_types."""

from __future__ import annotations

import importlib
import pkgutil
import re
import typing
from pathlib import Path

from fhir.resources import R4B
from pydantic import BaseModel

TARGET = Path(__file__).parents[2] / "portal" / "fhirpath" / "r4_types.txt"
SPECIAL = {"bool": "boolean", "EncodedBytes": "base64Binary", "Base64Binary": "base64Binary", "UuidVersion": "uuid"}
HEADER = "# FHIR R4 types: name:base element=type|type (element[x]: a choice, element*: a list, *: every open type). A script writes it."


def classes() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for module in sorted(name for _, name, package in pkgutil.iter_modules(R4B.__path__) if not package):
        if module in {"fhirtypes", "fhirtypesvalidators"}:
            continue
        loaded = importlib.import_module(f"fhir.resources.R4B.{module}")
        for name, value in vars(loaded).items():
            if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == loaded.__name__:
                found[name] = value
    return found


def primitive_of(annotation: object) -> str | None:
    for argument in typing.get_args(annotation):
        if argument is bool:
            return "boolean"
        for marker in getattr(argument, "__metadata__", ()):
            name = type(marker).__name__
            return SPECIAL.get(name, name[0].lower() + name[1:])
        inner = primitive_of(argument)
        if inner:
            return inner
    return None


def class_named_in(annotation: object) -> str | None:
    match = re.search(r"(\w+?)Type\b", str(annotation).replace("typing.", ""))
    return match.group(1) if match else None


class Table:
    """Collects lines; backbone classes get the path of the element that holds them."""

    def __init__(self) -> None:
        self.classes = classes()
        self.paths: dict[str, str] = {}
        self.lines: dict[str, str] = {}

    def base_of(self, model: type[BaseModel]) -> str:
        name = model.__mro__[1].__name__
        return {"FHIRAbstractModel": "", "FHIRResourceModel": "", "BaseModel": ""}.get(name, name)

    def type_of(self, owner: type[BaseModel], path: str, element: str, annotation: object) -> str:
        primitive = primitive_of(annotation)
        if element == "id" or (path == "Extension" and element == "url"):
            return "System.String"
        if primitive:
            return primitive
        name = class_named_in(annotation)
        if name is None:
            raise ValueError(f"{path}.{element}: {annotation}")
        held = self.classes.get(name)
        if held is None or held.__module__ != owner.__module__ or name == owner.__name__ == path:
            return name
        if name not in self.paths:
            self.paths[name] = f"{path}.{element}"
            self.add(held, f"{path}.{element}")
        return self.paths[name]

    def add(self, model: type[BaseModel], path: str) -> None:
        if path in self.lines:
            return
        self.lines[path] = ""
        base = self.base_of(model)
        inherited = set(self.classes[base].model_fields) if base else set()
        elements: dict[str, list[str]] = {}
        for name, field in model.model_fields.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            if name in inherited or name.endswith("__ext") or not extra.get("element_property"):
                continue
            json_name = field.alias or name
            group = extra.get("one_of_many")
            many = "*" if "List[" in str(field.annotation) else ""
            key = f"{group}[x]" if group else f"{json_name}{many}"
            elements.setdefault(key, []).append(self.type_of(model, path, json_name, field.annotation))
        listed = " ".join(f"{key}={'|'.join(types)}" for key, types in sorted(elements.items()))
        self.lines[path] = f"{path}:{base} {listed}".rstrip()

    def text(self) -> str:
        for name, model in self.classes.items():
            shared = [n for n, other in self.classes.items() if other.__module__ == model.__module__]
            if (
                not name.startswith("FHIR")
                and name == min(shared, key=len)
                and model.__module__.endswith("." + name.lower())
            ):
                self.add(model, name)
        open_types = self.lines["Extension"].split("value[x]=")[1]
        lines = [HEADER, f"*={open_types}", *(self.lines[key].replace(open_types, "*") for key in sorted(self.lines))]
        return "\n".join(lines) + "\n"


def main() -> None:
    TARGET.write_text(Table().text(), encoding="utf-8")


if __name__ == "__main__":
    main()
