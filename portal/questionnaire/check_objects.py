"""Is a quantity in a unit of its question, a file of its kind and size, a reference to something it may point to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from portal.fhirpath.model import r4

from . import extensions as ext
from .bounds import Limits
from .comparing import same_coding, unit_of
from .evaluation import Evaluation
from .extensions import Json
from .items import Item
from .options import further_units
from .partly_known import rules_out
from .units import units_open

Finding = tuple[str, str, Mapping[str, object]]
"""(code, severity, params) of an Issue."""

_BASE64 = re.compile(r"(?:\s*[A-Za-z0-9+/]){2,}\s*={0,2}\s*\Z", re.ASCII)
_REFERENCE = re.compile(
    r"(?:https?://\S+|urn:(?:uuid|oid):\S+|#\S*|[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/\S+)?)\Z"
)


_URN = re.compile(
    r"urn:(?:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|oid:[0-2](?:\.(?:0|[1-9][0-9]*))+)\Z", re.ASCII
)
COMPARATORS = (None, "<", "<=", ">=", ">")


def is_uri(text: str) -> bool:
    """Whether a text is an address as FHIR has them: without spaces, and a uuid or oid as those are written."""
    if text.startswith(("urn:uuid:", "urn:oid:")):
        return _URN.match(text) is not None
    return bool(text) and not re.search(r"\s", text)


def nothing(evaluation: Evaluation, item: Item, limit: Limits, value: Any) -> Iterator[Finding]:
    return iter(())


def _check_quantity(evaluation: Evaluation, item: Item, limit: Limits, value: Any) -> Iterator[Finding]:
    if value.get("comparator") not in COMPARATORS:
        yield "type", "error", {"expected": item.type}
    if evaluation.given and value.get("code") and not value.get("system"):
        yield "unit-code", "warning", {}
    units = [coding for coding in ext.values(item.extensions, "unitOption") if isinstance(coding, dict)]
    canonical = ext.value(item.extensions, "unitValueSet")
    if isinstance(canonical, str):
        units.extend(evaluation.form.value_sets.expand(canonical) or [])
    if units_open(item):
        yield from _further(evaluation, item, units, value)
        return
    if not units:
        if isinstance(canonical, str) and rules_out(evaluation.form, canonical, value):
            yield "unit", "error", {}
        return
    if not unit_of(value):
        yield "unit-missing", "error", {}
    elif not any(same_coding(unit, value) or value.get("unit") in _called(unit, value) for unit in units):
        yield "unit", "error", {}


def _further(evaluation: Evaluation, item: Item, units: list[Json], value: Json) -> Iterator[Finding]:
    """A coded unit outside the list is expected to be of the system that the form names (SDC unitSupplementalSystem)."""
    system = further_units(item)
    if not (evaluation.given and system and value.get("code")) or any(same_coding(unit, value) for unit in units):
        return
    known = evaluation.form.value_sets.concepts(system)
    if value.get("system") not in (None, system) or not (
        known is None or any(same_coding(unit, value) for unit in known)
    ):
        yield "unit-system", "warning", {"system": system}


def _called(unit: Json, value: Json) -> tuple[str, ...]:
    """What a unit of the list may be called: by its code only where the answer gives none."""
    names = (unit.get("display") or unit.get("code"), None if value.get("code") else unit.get("code"))
    return tuple(str(name) for name in names if name)


def _check_attachment(evaluation: Evaluation, item: Item, limit: Limits, value: Any) -> Iterator[Finding]:
    size, data = value.get("size"), value.get("data")
    if isinstance(data, str):
        if not _BASE64.match(data):
            yield "type", "error", {"expected": item.type}
            return
        stated, size = size, len("".join(data.split())) * 3 // 4 - data.count("=", -2)
        if evaluation.given and stated is not None and stated != size:
            yield "file-stated", "error", {"stated": stated, "size": size}
    if limit.max_size is not None and isinstance(size, int) and size > limit.max_size:
        yield "file-size", "error", {"max": limit.largest}
    kind, address = str(value.get("contentType") or ""), value.get("url")
    if evaluation.given and (
        (data and not kind and not limit.mime_types) or (isinstance(address, str) and not is_uri(address))
    ):
        yield "type", "error", {"expected": item.type}  # data needs its contentType (att-1)
    if limit.mime_types and not any(_same_kind(kind, allowed) for allowed in limit.mime_types):
        yield "file-kind", "error", {"kinds": limit.kinds}


def _same_kind(kind: str, allowed: str) -> bool:
    bare, wanted = kind.split(";", maxsplit=1)[0].strip().lower(), allowed.strip().lower()
    return fnmatchcase(bare, wanted)


def _check_reference(evaluation: Evaluation, item: Item, limit: Limits, value: Any) -> Iterator[Finding]:
    reference = value.get("reference")
    said, pointed = str(value.get("type") or "").rpartition("/")[2], type_of(reference)
    if isinstance(reference, str) and not (_REFERENCE.match(reference) and is_uri(reference)):
        yield "reference", "error", {}
    elif unknown := next((kind for kind in (pointed, said) if kind and not _resource(kind)), ""):
        yield "reference-type", "error", {"type": unknown}
    if evaluation.given and isinstance(reference, str) and len(reference) > 1 and reference.startswith("#"):
        pointed = evaluation.contained.get(reference[1:], "")
        if not pointed:
            yield "reference", "error", {}
    if said and pointed and said != pointed:
        yield "reference-kind", "error", {"kinds": said}
    named = pointed or said
    if limit.resource_types and named and named not in limit.resource_types:
        yield "reference-kind", "error", {"kinds": ", ".join(limit.resource_types)}


def _resource(name: str) -> bool:
    found = r4().type(name)
    return found is not None and "Resource" in found.ancestors


def type_of(reference: Any) -> str:
    """The resource type a reference names, or ""."""
    pieces = str(reference or "").split("/_history")[0].split("/")
    return pieces[-2] if len(pieces) > 1 and pieces[-2][:1].isupper() else ""


BY_KIND: dict[str, Callable[[Evaluation, Item, Limits, Any], Iterator[Finding]]] = {
    "valueQuantity": _check_quantity,
    "valueAttachment": _check_attachment,
    "valueReference": _check_reference,
}
