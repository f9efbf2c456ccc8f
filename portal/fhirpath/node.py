"""One place in a FHIR document: its JSON value, its type, its primitive twin (`_birthDate`) and its parent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from portal.fhirpath.model import Element, Model, TypeDef
from portal.fhirpath.quantity import CALENDAR_WORDS, Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime
from portal.fhirpath.values import INTEGER_TEXT, Long, exact, sane

UNREAD: Any = object()
QUANTITY_KEYS = frozenset({"id", "extension", "value", "comparator", "unit", "system", "code"})
UCUM_SYSTEM = "http://unitsofmeasure.org"
CALENDAR_SYSTEM = "http://hl7.org/fhirpath/CodeSystem/calendar-units"


class Node:
    """`value` is JSON as it came: dict, str, bool, int, Decimal, float or None (a primitive with only extensions).

    `type` is None where the model does not know; `key` is the JSON key it was found under.
    """

    __slots__ = ("_system", "key", "model", "parent", "twin", "type", "value")

    def __init__(
        self,
        value: Any,
        type_: TypeDef | None,
        model: Model | None,
        twin: Any = None,
        parent: Node | None = None,
        key: str = "",
    ) -> None:
        self.value = value
        self.type = type_
        self.model = model
        self.twin = twin
        self.parent = parent
        self.key = key
        self._system = UNREAD

    def __repr__(self) -> str:
        return f"<Node {self.type.name if self.type else '?'}>"

    # -- values

    def system(self) -> Any:
        """The value as FHIRPath sees it: a primitive, a date, a Quantity, this node itself when complex, or None."""
        if self._system is UNREAD:
            self._system = self._read()
        return self._system

    def _read(self) -> Any:
        value = self.value
        if type(value) is dict:
            known = self.type.quantity if self.type is not None else self.model is not None and like_a_quantity(value)
            return self._quantity(value) if known else self
        if type(value) is list:  # a list in a list is no FHIR; it has no value and no children
            return self
        if type(value) is float:
            value = exact(value)
        if type(value) is Decimal or type(value) is int:
            value = sane(value)
        kind = self.type.kind if self.type is not None else ""
        return READERS[kind](value) if kind else value

    def _quantity(self, value: dict[str, Any]) -> Any:
        """FHIR's Quantity as FHIRPath's: by its code when that is UCUM, in calendar words as the duration that they say; one
        with a comparator stays a node."""
        number = value.get("value")
        unit = value.get("code") if value.get("system") in (UCUM_SYSTEM, CALENDAR_SYSTEM) else None
        if unit is None and "system" not in value and "code" not in value:
            unit = value.get("unit", "1")
        if isinstance(number, bool) or not isinstance(number, int | Decimal | float) or unit is None:
            return self
        if value.get("comparator"):
            return self
        number = sane(exact(number) if isinstance(number, float) else number)
        word = CALENDAR_WORDS.get(str(unit)) if value.get("system") != UCUM_SYSTEM else None
        return Quantity(Decimal(number), word or str(unit), calendar=word is not None, fhir=True)

    # -- children

    def collect(self, name: str, out: list[Any]) -> None:
        """Adds the children called `name` to `out`."""
        value = self.value
        if type(value) is not dict:
            if self.twin is not None and name in ("extension", "id"):
                self._collect_from_twin(name, out)
            return
        if self.type is not None:
            element = self.type.elements.get(name)
            if element is not None:
                self._collect_known(element, value, out)
                return
        self._collect_unknown(name, value, out)

    def _collect_known(self, element: Element, value: dict[str, Any], out: list[Any]) -> None:
        found = element.type
        if found is not None:
            if not found.primitive:
                raw = value.get(element.key)
                if type(raw) is list:
                    for one in raw:
                        out.append(Node(one, self._actual(found, one), self.model, None, self, element.key))
                elif raw is not None:
                    out.append(Node(raw, self._actual(found, raw), self.model, None, self, element.key))
                return
            raw, extra = value.get(element.key), value.get(element.twin)
            if extra is None and raw is not None and type(raw) is not list:
                out.append(Node(raw, found, self.model, None, self, element.key))
            else:
                self._add(raw, extra, found, element.key, out)
            return
        for key, twin, choice in element.choices:
            if key in value or (choice.primitive and twin in value):
                self._add(value.get(key), value.get(twin) if choice.primitive else None, choice, key, out)
                return
        if element.key in value:
            self._add(value[element.key], None, None, element.key, out)

    def _actual(self, declared: TypeDef, raw: Any) -> TypeDef:
        """Where a Resource is declared, the type that the resource says it has."""
        if declared.name == "Resource" and type(raw) is dict and self.model is not None:
            return self.model.type(str(raw.get("resourceType"))) or declared
        return declared

    def _collect_unknown(self, name: str, value: dict[str, Any], out: list[Any]) -> None:
        """An element that the model does not know: by its key, or as a choice by its key's ending."""
        if name in value or f"_{name}" in value:
            found = self._typed_by_content(value.get(name))
            self._add(value.get(name), value.get(f"_{name}"), found, name, out)
        elif self.model is not None and self.type is None:
            for suffix in self.model.choice_suffixes:
                key = name + suffix
                if key in value or f"_{key}" in value:
                    choice = self.model.type(suffix) or self.model.type(suffix[0].lower() + suffix[1:])
                    self._add(value.get(key), value.get(f"_{key}"), choice, key, out)
                    return

    def _typed_by_content(self, raw: Any) -> TypeDef | None:
        if self.model is None or type(raw) is not dict or "resourceType" not in raw:
            return None
        return self.model.type(str(raw["resourceType"]))

    def _add(self, raw: Any, twin: Any, type_: TypeDef | None, key: str, out: list[Any]) -> None:
        if type(raw) is list or type(twin) is list:
            values = raw if type(raw) is list else []
            twins = twin if type(twin) is list else []
            for index in range(max(len(values), len(twins))):
                one = values[index] if index < len(values) else None
                extra = twins[index] if index < len(twins) else None
                if one is not None or extra is not None:
                    out.append(Node(one, type_ or self._typed_by_content(one), self.model, extra, self, key))
        elif raw is not None or twin is not None:
            out.append(Node(raw, type_, self.model, twin, self, key))

    def _collect_from_twin(self, name: str, out: list[Any]) -> None:
        if type(self.twin) is dict and name in self.twin:
            element = None if self.model is None else self.model.type("Element")
            Node(self.twin, element, self.model, None, self, self.key).collect(name, out)

    def children(self) -> Iterator[Node]:
        """Every child, in the order of the JSON."""
        value = self.value if type(self.value) is dict else self.twin
        if type(value) is not dict:
            return
        found: list[Any] = []
        for key in value:
            if key == "resourceType":
                continue
            if key[:1] != "_":
                self.collect(key, found)
            elif key[1:] not in value:
                self.collect(key[1:], found)
        yield from found

    def resource(self) -> Node:
        """The nearest resource that holds this node, or the topmost node."""
        node = self
        while node.parent is not None and not (type(node.value) is dict and "resourceType" in node.value):
            node = node.parent
        return node

    def root(self) -> Node:
        """The topmost node."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node


def like_a_quantity(value: dict[str, Any]) -> bool:
    """Whether untyped JSON can only be a FHIR Quantity."""
    return value.keys() <= QUANTITY_KEYS and "value" in value and ("unit" in value or "code" in value)


def _date(value: Any) -> Any:
    return (FhirDate.parse(value) or value) if isinstance(value, str) else value


def _date_time(value: Any) -> Any:
    return (FhirDateTime.parse(value) or value) if isinstance(value, str) else value


def _time(value: Any) -> Any:
    return (FhirTime.parse(value) or value) if isinstance(value, str) else value


def _decimal(value: Any) -> Any:
    return Decimal(value) if type(value) is int else value


def _long(value: Any) -> Any:
    return Long(value) if isinstance(value, str) and INTEGER_TEXT.fullmatch(value) else value


READERS = {"date": _date, "dateTime": _date_time, "time": _time, "decimal": _decimal, "long": _long}
