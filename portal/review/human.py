"""What of an entry made by a form a person may put in other words: its human parts, each within its element's type. Pure.

The answers themselves are never touched. A concept that carries a code keeps it only as long as its words stay; other words stand
alone, for nobody guesses a code, and only in elements whose binding lets words stand alone. A number keeps its unit; totals that a
form has worked out are not for anybody to word.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.fhir.resources import Json, at, text_at, type_of
from portal.fhir.values import concept_text, number_text
from portal.review.ruling import dated

Path = tuple[str | int, ...]


class Unfit(ValueError):
    """These words do not fit their element; its text is an English msgid."""


@dataclass(frozen=True)
class Part:
    """One human part: its name among the fields, where it stands, how it is read and put."""

    name: str
    path: Path
    read: Callable[[Any], str]
    put: Callable[[Any, str], Any]


def _words(held: Any, text: str) -> Json:
    return {"text": text}


def _plain(held: Any, text: str) -> str:
    return text


def _number(held: Json, text: str) -> Json:
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise Unfit("Write a number here; the unit stays.")
    return {**held, "value": value}


CONCEPT, TEXT = (concept_text, _words), (str, _plain)
PARTS: Mapping[str, tuple[Part, ...]] = {
    "Condition": (Part("text", ("code",), *CONCEPT),),
    "AllergyIntolerance": (
        Part("text", ("code",), *CONCEPT),
        Part("more", ("reaction", 0, "manifestation", 0), *CONCEPT),
    ),
    "MedicationStatement": (
        Part("text", ("medicationCodeableConcept",), *CONCEPT),
        Part("more", ("dosage", 0, "text"), *TEXT),
    ),
    "Immunization": (Part("text", ("vaccineCode",), *CONCEPT),),
    "Procedure": (Part("text", ("code",), *CONCEPT),),
    "FamilyMemberHistory": (
        Part("text", ("relationship",), *CONCEPT),
        Part("more", ("condition", 0, "code"), *CONCEPT),
    ),
    "Observation": (
        Part("value", ("valueString",), *TEXT),
        Part("value", ("valueQuantity",), lambda held: number_text(at(held, "value")), _number),
    ),
}
DATES = {"Condition": "onset", "Immunization": "occurrence", "Procedure": "performed"}
"""When it was, as a date as exact as it was said, or in words."""


def fields(resource: Json) -> tuple[tuple[str, str], ...]:
    """(name, words) of every part that is there."""
    return tuple((part.name, part.read(_at(resource, part.path))) for part in _parts(resource)) + _when(resource)


def put(resource: Json, words: Mapping[str, str]) -> Json:
    """The entry in these words; what was left as it was keeps its code. Raises Unfit."""
    made = copy.deepcopy(resource)
    for part in _parts(resource):
        held = _at(resource, part.path)
        text = words.get(part.name, "").strip()
        if text and text != part.read(held).strip():
            _at(made, part.path[:-1])[part.path[-1]] = part.put(held, text)
    before, when = dict(_when(resource)).get("when", ""), words.get("when", "").strip()
    if before and when and when != before:
        element = DATES[type_of(resource)]
        made = {name: held for name, held in made.items() if not name.startswith(element)} | dated(element, when)
    return made


def _parts(resource: Json) -> Iterator[Part]:
    for part in PARTS.get(type_of(resource), ()):
        held = _at(resource, part.path)
        if held and part.read(held) and not _worked_out(held):
            yield part


def _worked_out(held: Any) -> bool:
    """A total is a number without a unit of its own."""
    return isinstance(held, dict) and text_at(held, "code").startswith("{")


def _when(resource: Json) -> tuple[tuple[str, str], ...]:
    element = DATES.get(type_of(resource), "")
    said = text_at(resource, f"{element}DateTime") or text_at(resource, f"{element}String") if element else ""
    return (("when", said),) if said else ()


def _at(resource: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            resource = resource[step] if isinstance(resource, list) and len(resource) > step else None
        else:
            resource = resource.get(step) if isinstance(resource, dict) else None
    return resource
