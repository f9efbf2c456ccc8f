"""Whether a resource has the shape of FHIR R4: every problem with its path and a sentence, nothing changed.

fhir.resources (the R4B package, whose elements are R4's for what we use) knows the elements, cardinalities and
primitive patterns. It is lenient where the standard is not, so a walk over its own models adds what it lets pass:
codes outside a required list, `"true"` for `true`, null, and empty objects or arrays. It checks no invariants.
Models are imported by resource type when first needed: a process that never sees a Claim never pays for it.
"""

from __future__ import annotations

import datetime
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

MAX_DEPTH = 60

# Lists that fhir.resources cuts short with "+", as the published pages do.
LONG_LISTS: dict[tuple[str, str], str] = {
    ("Observation", "status"): "registered preliminary final amended corrected cancelled entered-in-error unknown",
    ("DiagnosticReport", "status"): "registered partial preliminary final amended corrected appended cancelled "
    "entered-in-error unknown",
    ("QuestionnaireItem", "type"): "group display boolean decimal integer date dateTime time string text url choice "
    "open-choice attachment reference quantity",
    ("Task", "status"): "draft requested received accepted rejected ready cancelled in-progress on-hold failed "
    "completed entered-in-error",
    ("CapabilityStatement", "format"): "",  # mime types, not a list
    ("Encounter", "status"): "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
}
JSON_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    Decimal: ((int, float, Decimal), "a number"),
    float: ((int, float, Decimal), "a number"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: `path` as FHIRPath writes it (`Patient.name[0].family`), `words` a sentence without the value."""

    path: str
    words: str
    code: str = "structure"


def problems(resource: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with the shape of one resource (JSON as parsed, decimals as Decimal or float); [] when sound."""
    name = resource.get("resourceType")
    if not isinstance(name, str):
        return [Problem("resourceType", "A resource needs a resourceType.", "required")]
    model = model_of(name)
    if model is None:
        return [Problem("resourceType", "This is not a resource type of FHIR R4.", "value")]
    found = list(_walk(name, resource, model, 0))
    seen = {problem.path for problem in found}
    if any(problem.code == "too-long" for problem in found):
        return found
    return found + [problem for problem in _by_model(name, resource, model) if problem.path not in seen]


@cache
def model_of(name: str) -> type[BaseModel] | None:
    """The R4B class of a resource type, or None for a name that is no resource type."""
    if not re.fullmatch(r"[A-Z][A-Za-z]{1,60}", name):
        return None
    try:
        module = importlib.import_module(f"fhir.resources.R4B.{name.lower()}")
    except ModuleNotFoundError:
        return None
    found = getattr(module, name, None)
    resource = importlib.import_module("fhir.resources.R4B.resource").Resource
    if not (isinstance(found, type) and issubclass(found, resource)):
        return None
    return found if issubclass(found, BaseModel) and name not in ("Resource", "DomainResource") else None


@dataclass(frozen=True, slots=True)
class Element:
    """What the model says of one element: a list or not, its JSON kind or its complex type, its codes."""

    many: bool
    leaf: type | None
    complex: str | None
    codes: frozenset[str]


@cache
def elements(model: type[BaseModel]) -> dict[str, Element]:
    """The elements of a model by their name in JSON (`_birthDate` and `class` included)."""
    return {field.alias or name: _element(model, name, field) for name, field in model.model_fields.items()}


def _element(model: type[BaseModel], name: str, field: Any) -> Element:
    leaves = list(_leaves(field.annotation))
    first = leaves[0] if leaves else None
    complex_type = first.__name__.removesuffix("Type") if first and hasattr(first, "get_model_klass") else None
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    codes = [str(code) for code in extra.get("enum_values", [])]
    if "+" in codes or (model.__name__, name) in LONG_LISTS:
        codes = LONG_LISTS.get((model.__name__, name), "").split()
    many = any(get_origin(part) is list for part in (field.annotation, *get_args(field.annotation)))
    return Element(many, None if complex_type else first, complex_type, frozenset(codes))


def _leaves(annotation: Any) -> Iterator[type]:
    """The classes inside Optional[List[Annotated[str, …]]], without None and the annotations."""
    if isinstance(annotation, type) and not get_args(annotation):
        if annotation is not type(None):
            yield annotation
        return
    parts = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        parts = parts[:1]
    for part in parts:
        yield from _leaves(part)


def _walk(path: str, value: Mapping[str, Any], model: type[BaseModel], depth: int) -> Iterator[Problem]:
    if depth > MAX_DEPTH:
        yield Problem(path, f"Nested deeper than {MAX_DEPTH} levels.", "too-long")
        return
    known = elements(model)
    for name, held in value.items():
        if name in ("resourceType", "fhir_comments"):
            continue
        yield from _held(f"{path}.{name}", held, known.get(name), depth, primitive_extension=name.startswith("_"))


def _held(path: str, held: Any, element: Element | None, depth: int, *, primitive_extension: bool) -> Iterator[Problem]:
    if held is None:
        yield Problem(path, "null is not a value in FHIR; leave the element out.")
    elif held in ("", {}, []):
        yield Problem(path, "An element may not be empty; leave it out.")
    elif element is None:
        if not _twin(path):
            yield Problem(path, "This is not an element here.")
    elif isinstance(held, list) != element.many and not primitive_extension:
        yield Problem(path, "This must be a list." if element.many else "This must not be a list.")
    elif isinstance(held, list):
        for index, part in enumerate(held):
            if part is not None:  # null keeps the place of a primitive beside its extension
                yield from _one(f"{path}[{index}]", part, element, depth)
    else:
        yield from _one(path, held, element, depth)


def _one(path: str, held: Any, element: Element, depth: int) -> Iterator[Problem]:
    if element.complex:
        yield from _complex(path, held, element.complex, depth)
        return
    kinds, words = JSON_KINDS.get(element.leaf or str, ((str,), "text"))
    if element.leaf in (datetime.date, datetime.datetime, datetime.time):
        words = "a date or time written as text"
    if not isinstance(held, kinds) or (isinstance(held, bool) and bool not in kinds):
        yield Problem(path, f"This must be {words}.", "value")
    elif element.codes and held not in element.codes:
        yield Problem(path, f"The code must be one of: {', '.join(sorted(element.codes))}.", "code-invalid")


def _complex(path: str, held: Any, name: str, depth: int) -> Iterator[Problem]:
    if not isinstance(held, Mapping):
        yield Problem(path, "This must be an object.")
        return
    if name in ("Resource", "DomainResource"):
        inner = held.get("resourceType")
        model = model_of(inner) if isinstance(inner, str) else None
        if model is None:
            yield Problem(path, "This is not a resource of FHIR R4.", "value")
            return
    else:
        model = _model_of_type(name)
    if not held:
        yield Problem(path, "An element may not be empty; leave it out.")
    yield from _walk(path, held, model, depth + 1)


@cache
def _model_of_type(name: str) -> type[BaseModel]:
    types = importlib.import_module("fhir.resources.R4B.fhirtypes")
    found: type[BaseModel] = getattr(types, name + "Type").get_model_klass()
    return found


def _by_model(name: str, resource: Mapping[str, Any], model: type[BaseModel]) -> Iterator[Problem]:
    """What the model itself refuses. What it wrongly refuses (`_valueString` in an extension) is taken out first."""
    try:
        model.model_validate(_without_twins(resource))
    except ValidationError as refused:
        for error in refused.errors(include_url=False, include_context=False, include_input=False):
            where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
            yield Problem(name + where, _words(error["type"], error["msg"]), _code(error["type"]))
    except (KeyError, LookupError, ValueError, TypeError):
        yield Problem(name, "This is not a resource of FHIR R4.")


DATE_WORDS = {
    "Date ": "This is not a date: YYYY, YYYY-MM or YYYY-MM-DD.",
    "DateTime ": "This is not a date and time: YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with a zone.",
    "Instant ": "This is not an instant: YYYY-MM-DDThh:mm:ss with a zone.",
    "Time ": "This is not a time: hh:mm:ss.",
}
WORDS = {
    "extra_forbidden": "This is not an element here.",
    "missing": "This is required.",
    "model_field_validation.missing": "This is required.",
    "value_error.missing": "This is required.",
}


def _words(kind: str, message: str) -> str:
    first = message.removeprefix("Value error, ").splitlines()[0]
    dates = (words for start, words in DATE_WORDS.items() if first.startswith(start + "value"))
    return WORDS.get(kind) or next(dates, first.rstrip(".!") + ".")


def _code(kind: str) -> str:
    return "required" if "missing" in kind else "structure" if kind == "extra_forbidden" else "value"


def _twin(path: str) -> bool:
    """`extension[0]._valueString` is FHIR, though the models do not know it."""
    return bool(re.search(r"(xtension\[\d+\])\._value[A-Z]\w+$", path))


def _without_twins(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _without_twins(held)
            for name, held in value.items()
            if not (name.startswith("_value") and "url" in value) and name != "fhir_comments"
        }
    return [_without_twins(part) for part in value] if isinstance(value, list) else value
