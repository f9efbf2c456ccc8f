"""The limits of a question in this place: fixed, or worked out by an expression beside the value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.fhirpath.quantity import Quantity
from portal.fhirpath.temporal import Temporal

from . import extensions as ext
from .answers import Entry
from .comparing import number
from .evaluation import Evaluation
from .extensions import Json
from .items import Item

LEAST_BYTES = 50
"""maxSize was in megabytes by R4's words; validators, the guide's examples and today's definition count bytes. A number below
this is megabytes, for no file is that small."""

KINDS = {
    "text/plain": "text",
    "image/svg+xml": "SVG",
    "application/msword": "Word",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.ms-excel": "Excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
}
"""What people call kinds of file whose names are not short."""


@dataclass(frozen=True, slots=True)
class Limits:
    """None where there is no limit. `least` and `most` are FHIR values of the question's type (a Quantity for one)."""

    min_occurs: int = 0
    max_occurs: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    least: Any = None
    most: Any = None
    decimals: int | None = None
    step: Decimal | None = None
    pattern: str = ""
    max_size: int | None = None
    mime_types: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()

    @property
    def largest(self) -> str:
        """The most that a file may hold, as people say it: 2 MB."""
        most = self.max_size or 0
        for unit, name in ((1024 * 1024, "MB"), (1024, "KB")):
            if most >= unit:
                return f"{round(most / unit, 1):g} {name}"
        return f"{most} bytes"

    @property
    def kinds(self) -> str:
        """The kinds of file that are taken, as people call them: PNG, JPEG, PDF, audio."""
        return ", ".join(dict.fromkeys(_kind(each) for each in self.mime_types))


def _kind(mime_type: str) -> str:
    """image/png is PNG, image/* is image; what is nobody's short name stays as it is."""
    bare = mime_type.split(";", maxsplit=1)[0].strip().lower()
    group, _, name = bare.partition("/")
    if name == "*":
        return group
    short = name.removeprefix("x-")
    return KINDS.get(bare) or (short.upper() if short.isalnum() and len(short) < len("octet") else bare)


def limits(evaluation: Evaluation, entry: Entry) -> Limits:
    item = entry.item
    fixed = _fixed(evaluation, item)
    if not item.bounds:
        return fixed
    return _computed(evaluation, entry, fixed)


def _fixed(evaluation: Evaluation, item: Item) -> Limits:
    cache: dict[int, Limits] = evaluation.form.cache("limits")
    if item.ordinal not in cache:
        cache[item.ordinal] = _read(item)
    return cache[item.ordinal]


def _read(item: Item) -> Limits:
    found = item.extensions
    most_text = item.raw.get("maxLength")
    most_size = number(ext.value(found, "maxSize"))
    return Limits(
        min_occurs=item.min_occurs,
        max_occurs=item.max_occurs if item.repeats else 1,
        min_length=_count(ext.value(found, "minLength")),
        max_length=_count(most_text if most_text is not None else ext.value(found, "maxLength")),
        least=_end(item, "minValue", "minQuantity"),
        most=_end(item, "maxValue", "maxQuantity"),
        decimals=_count(ext.value(found, "maxDecimalPlaces")),
        step=number(ext.value(found, "sliderStepValue")),
        pattern=str(ext.value(found, "regex") or ""),
        max_size=None if most_size is None else int(most_size * (1 if most_size >= LEAST_BYTES else 1024 * 1024)),
        mime_types=tuple(str(value) for value in ext.values(found, "mimeType") if value),
        resource_types=tuple(_resource_types(item)),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _end(item: Item, name: str, quantity: str) -> Any:
    value = ext.value(item.extensions, quantity)
    return value if value is not None else ext.value(item.extensions, name)


def _resource_types(item: Item) -> list[str]:
    codes = [*ext.values(item.extensions, "referenceResource"), *ext.values(item.extensions, "allowedResource")]
    return [code for code in codes if isinstance(code, str) and code]


def _computed(evaluation: Evaluation, entry: Entry, fixed: Limits) -> Limits:
    """The limits with those replaced that an expression gives; one that gives nothing leaves the limit off."""
    changes: dict[str, Any] = {}
    for name, formula in entry.item.bounds.items():
        field = _FIELDS.get(name)
        if field is None:
            continue
        result = evaluation.evaluate(formula, entry, f"cqf-expression of {name}")
        value = result[0] if result else None
        whole = _count(value)
        changes[field] = _end_value(value) if field in ("least", "most") else _NONE[field] if whole is None else whole
    return Limits(**{name: changes.get(name, getattr(fixed, name)) for name in Limits.__slots__})


def _end_value(value: Any) -> Any:
    """What an expression gave as a FHIR value: dates as text, quantities as JSON."""
    if isinstance(value, Temporal):
        return str(value).removeprefix("T").removesuffix("T")
    if isinstance(value, Quantity):
        return {"value": value.value, "code": value.unit}
    return value


_NONE: Json = {"min_occurs": 0, "max_occurs": None, "min_length": None, "max_length": None}
_FIELDS = {
    "minValue": "least",
    "minQuantity": "least",
    "maxValue": "most",
    "maxQuantity": "most",
    "minOccurs": "min_occurs",
    "maxOccurs": "max_occurs",
    "minLength": "min_length",
    "maxLength": "max_length",
}
