"""What the R4 model knows: types, their bases and their elements, read once from r4_types.txt."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

SYSTEM_TYPES = ("Any", "Boolean", "String", "Integer", "Long", "Decimal", "Date", "DateTime", "Time", "Quantity")

# FHIR primitives: name, base, and how a JSON value becomes a value of FHIRPath ("" = as it is).
PRIMITIVES = {
    "boolean": ("Element", ""), "string": ("Element", ""), "integer": ("Element", ""), "decimal": ("Element", "decimal"),
    "uri": ("Element", ""), "base64Binary": ("Element", ""), "instant": ("Element", "dateTime"),
    "date": ("Element", "date"), "dateTime": ("Element", "dateTime"), "time": ("Element", "time"),
    "code": ("string", ""), "id": ("string", ""), "markdown": ("string", ""),
    "url": ("uri", ""), "canonical": ("uri", ""), "uuid": ("uri", ""), "oid": ("uri", ""),
    "unsignedInt": ("integer", ""), "positiveInt": ("integer", ""), "integer64": ("Element", "long"),
    "xhtml": ("Element", ""),
}  # fmt: skip


class TypeDef:
    """One type; `ancestors` holds its own name too. Backbone elements are named by their path (Patient.contact)."""

    __slots__ = ("ancestors", "base", "elements", "kind", "name", "namespace", "primitive", "quantity")

    def __init__(
        self, namespace: str, name: str, base: TypeDef | None, kind: str = "", primitive: bool = False
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.base = base
        self.kind = kind
        self.primitive = primitive
        self.ancestors: frozenset[str] = (base.ancestors if base else frozenset()) | {name}
        self.quantity = namespace == "FHIR" and "Quantity" in self.ancestors
        self.elements: dict[str, Element] = {}

    def __repr__(self) -> str:
        return f"<{self.namespace}.{self.name}>"


class Element:
    """One element of a type: `type` alone, or `choices` as (JSON key, twin key, type) when it is value[x]; `many`: a list."""

    __slots__ = ("choices", "key", "many", "name", "twin", "type")

    def __init__(
        self, name: str, key: str, type_: TypeDef | None, choices: tuple[Choice, ...] = (), many: bool = False
    ) -> None:
        self.name = name
        self.key = key
        self.twin = f"_{key}"
        self.type = type_
        self.choices = choices
        self.many = many


Choice = tuple[str, str, TypeDef]

SYSTEM: dict[str, TypeDef] = {}
for _name in SYSTEM_TYPES:
    SYSTEM[_name] = TypeDef("System", _name, None if _name == "Any" else SYSTEM["Any"], primitive=_name != "Any")


class Model:
    """Types by name; elements of a type are read when the type is first asked for."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, tuple[str, str]] = {}
        self._types: dict[str, TypeDef] = {}
        self._open = ""
        for line in text.splitlines():
            if line.startswith("*="):
                self._open = line[2:]
            elif line and not line.startswith("#"):
                head, _, elements = line.partition(" ")
                name, _, base = head.partition(":")
                self._lines[name] = (base, elements)
        self.choice_suffixes = tuple(name[0].upper() + name[1:] for name in self._open.split("|"))

    def has(self, name: str) -> bool:
        return name in self._lines or name in PRIMITIVES

    def type(self, name: str) -> TypeDef | None:
        """The type of that name, None when R4 has none."""
        found = self._types.get(name)
        if found is not None or not self.has(name):
            return found
        if name in PRIMITIVES:
            base, kind = PRIMITIVES[name]
            made = TypeDef("FHIR", name, self.type(base), kind, primitive=True)
            self._types[name] = made
            made.elements = dict(self._known("Element").elements)
            return made
        base_name, elements = self._lines[name]
        base_type = self.type(base_name) if base_name else None
        made = TypeDef("FHIR", name, base_type)
        self._types[name] = made
        before = len(self._types)
        self._fill(made, elements)
        for other in list(self._types.values())[before:]:
            if (
                name in other.ancestors
            ):  # met while this one was being read: Element.extension leads to nearly all types
                other.elements = {**made.elements, **other.elements}
        return made

    def _known(self, name: str) -> TypeDef:
        if name.startswith("System."):
            return SYSTEM[name[7:]]
        found = self.type(name)
        if found is None:
            raise LookupError(name)
        return found

    def _fill(self, made: TypeDef, elements: str) -> None:
        if made.base is not None:
            made.elements.update(made.base.elements)
        for entry in elements.split():
            key, _, types = entry.partition("=")
            names = (self._open if types == "*" else types).split("|")
            if not key.endswith("[x]"):
                name = key.removesuffix("*")
                made.elements[name] = Element(name, name, self._known(names[0]), many=name != key)
                continue
            stem = key[:-3]
            choices = tuple(self._choice(stem, name) for name in names)
            made.elements[stem] = Element(stem, stem, None, choices)
            for json_key, _, type_ in choices:
                made.elements[json_key] = Element(stem, json_key, type_)

    def _choice(self, stem: str, name: str) -> Choice:
        key = f"{stem}{name[0].upper()}{name[1:]}"
        return key, f"_{key}", self._known(name)


@lru_cache(maxsize=1)
def r4() -> Model:
    """The R4 model; reading the table takes a few milliseconds, once."""
    return Model(files("portal.fhirpath").joinpath("r4_types.txt").read_text(encoding="utf-8"))
