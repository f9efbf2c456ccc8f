"""Put a value at an element of an R4 resource: lists where the element repeats, valueCoding where it is a choice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from itertools import zip_longest
from typing import Any

from portal.fhirpath.model import r4

from .extensions import Json

Path = tuple[str, ...]
SHARED = {
    "BundleEntryLink": "BundleLink",
    "CapabilityStatementRestOperation": "CapabilityStatementRestResourceOperation",
    "ClaimResponseAddItemAdjudication": "ClaimResponseItemAdjudication",
    "ContractTermAssetAnswer": "ContractTermOfferAnswer",
    "ExplanationOfBenefitAddItemAdjudication": "ExplanationOfBenefitItemAdjudication",
    "ObservationComponentReferenceRange": "ObservationReferenceRange",
    "ValueSetComposeExclude": "ValueSetComposeInclude",
}
"""Parts that R4 defines once and uses in two places: the name they go by among the lists."""
NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
ALWAYS_LISTS = frozenset({"extension", "modifierExtension", "contained"})


class Slices(dict[int, str]):
    """Of elements in lists, by their id(): the name of the slice that each was made for. `whole`: the values with parts that
    were put as one."""

    def __init__(self) -> None:
        super().__init__()
        self.whole: set[int] = set()


@dataclass(frozen=True, slots=True)
class Place:
    """An element that was opened: the object itself and its type."""

    element: Json
    type_name: str


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    text = (files("portal.questionnaire") / "r4_lists.txt").read_text("utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {name: frozenset(fields) for name, *fields in rows}


def repeats(type_name: str, element: str) -> bool:
    """Whether Patient.contact … has many of this element."""
    key = "".join(piece[:1].upper() + piece[1:] for piece in type_name.split("."))
    for here, there in SHARED.items():
        key = there + key.removeprefix(here) if key.startswith(here) else key
    return element in ALWAYS_LISTS or element in _lists().get(key, frozenset())


def put(
    kind: str,
    resource: Json,
    opened: dict[Path, Place],
    path: Path,
    value: tuple[str, Any] | None,
    *,
    new: bool,
    slices: Slices | None = None,
) -> Place:
    """Put (value[x] key, value) at a path; without a value open the element there. `new` adds to the nearest list.

    Starts from the nearest element that a group opened; elements of different slices stay apart.
    Raises ValueError for an element that R4 does not have, and for a value that the element cannot hold.
    """
    slices = Slices() if slices is None else slices
    start = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in opened and n < len(path)), ())
    place = opened[start] if start else Place(resource, kind)
    left = _chosen(place, path[len(start) :])
    another = _list_above(place, left) if value is not None else -1
    new = new or (another >= 0 and _taken(place, left, slices))
    another = another if new else -1
    for number, step in enumerate(left[:-1]):
        place = _into(place, step, slices, new=number == another)
    if value is None:
        return _into(place, left[-1], slices, new=new)
    held = _set(place, left[-1], value[0], value[1], more=new and another < 0)
    slices.whole |= {id(held)} if isinstance(held, dict) else set()
    return place


def _taken(place: Place, steps: Path, slices: Slices) -> bool:
    """Whether there is a value already where a further one has no place beside it."""
    for step in steps[:-1]:
        place = _into(place, step, slices, new=False)
    key, element = _named(place, steps[-1])
    if element is not None and element.choices:
        return any(json_key in place.element for json_key, _, _ in element.choices)
    held = place.element.get(key)
    return isinstance(held, (str, bool, int, Decimal)) or id(held) in slices.whole


def _chosen(place: Place, steps: Path) -> Path:
    """The steps with value[x] as the type that has what is named under it: effective[x].start is effectivePeriod.start."""
    made, type_name = list[str](), place.type_name
    for step, below in zip_longest(steps, steps[1:]):
        taken = step
        key, element = _named(Place({}, type_name), step)
        if below is not None and element is not None and element.choices and not _type_of(element, key):
            under = below.partition(":")[0].removesuffix("[x]")
            taken = key = next((name for name, _, type_ in element.choices if under in type_.elements), step)
        made.append(taken)
        type_name = _type_of(element, key)
    return tuple(made)


def _list_above(place: Place, steps: Path) -> int:
    """Which of the steps before the last is the nearest list, where the last is none itself; -1 for none of them."""
    type_name, lists = place.type_name, list[bool]()
    for step in steps:
        key, element = _named(Place({}, type_name), step)
        lists.append(repeats(type_name, key))
        type_name = _type_of(element, key)
    return -1 if lists[-1] else max((number for number, many in enumerate(lists[:-1]) if many), default=-1)


def nearest_list(kind: str, path: Path) -> Path:
    """The path up to its last element that there may be many of; () where there is none."""
    type_name, longest = kind, 0
    for number, step in enumerate(path, 1):
        key, element = _named(Place({}, type_name), step)
        longest = number if repeats(type_name, key) else longest
        type_name = _type_of(element, key)
    return path[:longest]


def _domain() -> Any:
    return r4().type("Patient")


def _named(place: Place, step: str) -> tuple[str, Any]:
    """The element's name without slices and [x], and what the model knows of it."""
    bare, _, piece = step.partition(":")
    name = bare.removesuffix("[x]")
    known = r4().type(place.type_name)
    element = known.elements.get(name) if known is not None else None
    if element is None and name == "extension":
        element = _domain().elements[name]  # every element may have them
    if known is not None and element is None:
        raise ValueError(f"{place.type_name} has no element {name}")
    return (piece if bare.endswith("[x]") and piece else name), element


def _into(place: Place, step: str, slices: Slices, *, new: bool) -> Place:
    key, element = _named(place, step)
    type_name = _type_of(element, key)
    if element is not None and element.type is not None and element.type.primitive:
        return Place(_beside(place, key), type_name)
    if not repeats(place.type_name, key):
        return Place(place.element.setdefault(key, {}), type_name)
    listed, name = place.element.setdefault(key, []), step.partition(":")[2]
    own = [one for one in listed if slices.get(id(one), "") == name]
    if new or not own:
        own = [{}]
        listed += own
        slices[id(own[0])] = name
    return Place(own[-1], type_name)


def _beside(place: Place, key: str) -> Json:
    """What stands beside a primitive value: `_birthDate` for its extensions; of a list, beside its last value."""
    if not repeats(place.type_name, key):
        made: Json = place.element.setdefault(f"_{key}", {})
        return made
    values, twins = place.element.setdefault(key, []), place.element.setdefault(f"_{key}", [])
    twins += [None] * (len(values) - len(twins))
    if not twins or twins[-1] is None:
        twins[-1:] = [{}]
    last: Json = twins[-1]
    return last


def found(kind: str, resource: Json, path: Path, slices: Slices) -> list[Place]:
    """The elements that are there at a path already, of its slices where it names some."""
    places = [Place(resource, kind)]
    for step in path:
        name = step.partition(":")[2]
        inner: list[Place] = []
        for place in places:
            key, element = _named(place, step)
            if element is not None and element.choices:
                keys = [json_key for json_key, _, _ in element.choices]
                held = [each for each in keys if isinstance(place.element.get(each), dict)]
                wanted = [each for each in held if name not in keys or each == name]
                inner += [Place(place.element[each], _type_of(element, each)) for each in wanted]
                continue
            listed = place.element.get(key)
            for one in listed if isinstance(listed, list) else [listed]:
                if isinstance(one, dict) and (not name or slices.get(id(one), "") == name):
                    inner.append(Place(one, _type_of(element, key)))
        places = inner
    return places


def _type_of(element: Any, key: str) -> str:
    if element is None:
        return ""
    if element.type is not None:
        return str(element.type.name)
    return next((str(type_.name) for json_key, _, type_ in element.choices if json_key == key), "")


def _set(place: Place, step: str, kind: str, value: Any, *, more: bool) -> Any:
    """The value as the element holds it. `more`: another value beside the one that is there."""
    key, element = _named(place, step)
    if element is not None and element.choices and not any(json_key == key for json_key, _, _ in element.choices):
        key, value = _choice(key, element, kind, value)
    elif element is not None and element.type is not None:
        value = _held(element.type, kind, value)
    if repeats(place.type_name, key):
        place.element.setdefault(key, []).append(value)
    elif more and place.element.get(key, value) != value:
        raise ValueError(f"{place.type_name}.{key} holds one value: a further one has no place")
    else:
        place.element[key] = value
    return value


def _held(type_: Any, kind: str, value: Any) -> Any:
    """A value as an element of that type holds it. Raises ValueError for one that it cannot hold."""
    name, primitive = str(type_.name), bool(type_.primitive)
    value = _turned(name, _fitted(name, kind, value))
    counted = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    fits = isinstance(value, bool) is (name == "boolean") and counted is (name in NUMBERS)
    other = kind in _STAND_FOR and not primitive and name not in _STAND_FOR[kind]
    if isinstance(value, dict) is primitive or (primitive and not fits) or other:
        raise ValueError(f"an element of the type {name} cannot hold such an answer")
    return value


_STAND_FOR = {
    "valueCoding": frozenset({"Coding", "CodeableConcept"}),
    "valueQuantity": frozenset({"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"}),
    "valueReference": frozenset({"Reference"}),
    "valueAttachment": frozenset({"Attachment"}),
}
"""The types with parts that an answer with parts can be."""


def _turned(name: str, value: Any) -> Any:
    """A primitive value as one of another primitive type that says the same; as it is where there is none."""
    if isinstance(value, str):
        if name == "boolean" and value in ("true", "false"):
            return value == "true"
        if name == "date":
            return value.partition("T")[0]
        value = _number(value) if name in NUMBERS else value
    whole = name in NUMBERS - {"decimal"} and isinstance(value, Decimal) and value.is_finite() and value == int(value)
    return int(value) if whole else value


def _number(text: str) -> Decimal | int | str:
    return (int(text) if text.lstrip("-").isdigit() else Decimal(text)) if _NUMBER.fullmatch(text) else text


_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)


def _choice(key: str, element: Any, kind: str, value: Any) -> tuple[str, Any]:
    """`value` and a Coding -> valueCodeableConcept; `effective` and a text -> effectiveDateTime."""
    allowed = {json_key: type_ for json_key, _, type_ in element.choices}
    wanted = becomes(kind, value)
    for name in wanted:
        if f"{key}{name}" in allowed:
            return f"{key}{name}", _held(allowed[f"{key}{name}"], kind or f"value{wanted[0]}", value)
    raise ValueError(f"{element.name}[x] takes no {wanted[0]}")


def becomes(kind: str, value: Any) -> list[str]:
    """The types that a value may have in a choice of types, as they are written there; its own first."""
    own = [kind.removeprefix("value")] if kind else _guesses(value)
    return [*own, *(other for one in own for other in _NEXT.get(one, ()))]


_NEXT = {
    "Coding": ("CodeableConcept", "Code", "String"), "Decimal": ("Quantity",), "Date": ("DateTime",), "DateTime": ("Date",),
    "Integer": ("Decimal", "Quantity", "PositiveInt", "UnsignedInt"), "Uri": ("Url", "String"),
    "String": ("CodeableConcept", "Annotation"), "Quantity": ("Age", "Duration"),
}  # fmt: skip
"""What else a value may become where a choice of types does not have its own."""


def _guesses(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["Boolean"]
    if isinstance(value, int):
        return ["Integer", "Decimal"]
    if isinstance(value, Decimal):
        return ["Decimal"]
    if isinstance(value, dict):
        if "coding" in value:
            return ["CodeableConcept"]
        return ["Quantity"] if "value" in value else (["Reference"] if "reference" in value else ["Coding"])
    text = str(value)
    dated = len(text) >= 4 and text[:4].isdigit() and (len(text) == 4 or text[4] == "-")
    return ["DateTime", "Date", "String"] if dated else ["String", "Code", "Uri"]


WORDS = {
    "Reference": "reference", "Identifier": "value", "ContactPoint": "value", "HumanName": "text", "Address": "text",
    "CodeableConcept": "text", "Annotation": "text", "Coding": "display",
}  # fmt: skip
"""Where the words go that are said for an element with parts."""


def type_at(type_name: str, key: str) -> str:
    """The type of an element of a type, by its JSON name; "" where it is not known."""
    known = r4().type(type_name) if type_name else None
    if known is None:
        return ""
    return _type_of(known.elements.get(key), key) or next(
        (found for element in known.elements.values() if element.choices and (found := _type_of(element, key))), ""
    )


def fitted(type_name: str, value: Any) -> Any:
    """A value as an element of that type holds it; as it is where the type is not known."""
    return _turned(type_name, _fitted(type_name, "", value)) if type_name else value


def _fitted(type_name: str, kind: str, value: Any) -> Any:
    """A coding as a code or concept, a number as a quantity and the other way round, as the element asks."""
    if kind == "valueQuantity" and type_name in NUMBERS and isinstance(value, dict):
        return value.get("value")
    if kind == "valueCoding" or (isinstance(value, dict) and "code" in value and "value" not in value):
        if type_name in ("code", "string", "uri", "id"):
            return value.get("code") if type_name != "string" else value.get("display") or value.get("code")
        return {"coding": [value]} if type_name == "CodeableConcept" else value
    if type_name == "Date" and isinstance(value, str):
        return value.partition("T")[0]
    if type_name == "Quantity" and not isinstance(value, dict):
        return {"value": _turned("decimal", value)}
    if type_name in ("code", "string", "uri", "id", "markdown") and not isinstance(value, (dict, list)):
        return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, str) and type_name in WORDS:
        return {WORDS[type_name]: value}
    return value
