"""Answers reads and searches over resources that are at hand, as a FHIR server would answer an x-fhir-query.

A search it does not understand is not answered at all: None says "could not look", an empty Bundle "there is none".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from portal.fhirpath import FhirDate, FhirDateTime, FhirPathError, compile
from portal.fhirpath.model import r4

from . import extensions as ext
from .comparing import number
from .definition import Form
from .extensions import Json
from .formulas import QUERY_LANGUAGE

_ADDRESS = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)(?:/([A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?)?\Z")
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(\d{4}.*)\Z")
_AMOUNT = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(-?\d+(?:\.\d+)?)(?:\|([^|]*)\|([^|]*))?\Z")
# Search parameters that are not called as their element is; FHIRPath over the resource.
PATHS = {
    "_id": "id",
    "patient": "subject | patient | participant.actor | beneficiary | individual | for",
    "subject": "subject | patient | for",
    "actor": "participant.actor",
    "recorder": "recorder",
    "date": "effective | performed | occurrence | period | date | recordedDate | start | issued",
    "recorded-date": "recordedDate",
    "onset-date": "onset",
    "authored": "authored",
    "authoredon": "authoredOn",
    "birthdate": "birthDate",
    "given": "name.given",
    "family": "name.family",
    "phone": "telecom.where(system = 'phone').value",
    "email": "telecom.where(system = 'email').value",
    "vaccine-code": "vaccineCode",
    "code": "code | medication | vaccineCode",
    "medication": "medication",
    "organization": "organization | managingOrganization",
    "based-on": "basedOn",
    "component-code": "component.code",
    "combo-code": "code | component.code",
    "value-quantity": "value.ofType(Quantity)",
    "value-concept": "value.ofType(CodeableConcept)",
    "value-string": "value.ofType(string)",
    "value-date": "value.ofType(dateTime) | value.ofType(Period)",
    "address-city": "address.city",
    "address-state": "address.state",
    "address-postalcode": "address.postalCode",
    "address-country": "address.country",
    "_lastUpdated": "meta.lastUpdated",
    "_profile": "meta.profile",
}
_ABOUT_THE_ANSWER = "_sort _count _include _revinclude _format _summary _elements _total _pretty _include:iterate"
ABOUT_THE_ANSWER = frozenset(_ABOUT_THE_ANSWER.split())


def kind_of(query: str) -> str:
    """The type of resource that a read or a search asks for; "" for what is neither."""
    found = _ADDRESS.match(query.partition("?")[0])
    return found[1] if found else ""


def looked_for(form: Form) -> list[str]:
    """The types of resource that a form's searches and observationLinkPeriods look for, in order of their names."""
    texts = [formula.text for batch in form.source_queries.values() for formula in batch]
    found = {kind_of(text) for text in [*texts, *_queries(form.raw)]}
    observed = any(ext.value(item.extensions, "observationLinkPeriod") is not None for item in form.all_items)
    return sorted((found | ({"Observation"} if observed else set())) - {""})


def _queries(raw: Any) -> Iterator[str]:
    """Every x-fhir-query in what a form holds."""
    if isinstance(raw, dict) and raw.get("language") == QUERY_LANGUAGE:
        yield str(raw.get("expression") or "")
    for part in raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ():
        yield from _queries(part)


class Records:
    """Resources that can be read and searched. `complete` says that a search that finds nothing means there is nothing.

    `unanswered` holds the searches that could not be done.
    """

    def __init__(self, resources: Iterable[Json], *, complete: bool = True) -> None:
        self.resources = list(resources)
        self.complete = complete
        self.unanswered: list[str] = []

    def fetch(self, query: str) -> Json | None:
        """A read (`Patient/1`) or a search (`Observation?code=…`): the resource, a searchset, or None."""
        address, _, search = query.partition("?")
        found = _ADDRESS.match(address)
        if found is None:
            return None
        kind, identity = found.groups()
        if identity:
            return self.read(kind, identity)
        done = self.search(kind, parse_qsl(search, keep_blank_values=True)) if self.complete else None
        if done is None:
            self.unanswered.append(query)
        return done

    def read(self, kind: str, identity: str) -> Json | None:
        same = (r for r in self.resources if r.get("resourceType") == kind and r.get("id") == identity)
        return next(same, None)

    def search(self, kind: str, asked: list[tuple[str, str]]) -> Json | None:
        found = [r for r in self.resources if r.get("resourceType") == kind]
        for name, text in asked:
            if name in ABOUT_THE_ANSWER:
                continue
            kept = _matching(kind, found, name, text)
            if kept is None:
                return None
            found = kept
        found = _sliced(_sorted(found, dict(asked).get("_sort", "")), dict(asked).get("_count", ""))
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "entry": [{"resource": resource, "search": {"mode": "match"}} for resource in found],
        }


def _matching(kind: str, found: list[Json], name: str, text: str) -> list[Json] | None:
    """The resources with that parameter, None for one that is not known here."""
    bare, _, modifier = name.partition(":")
    path = _path(kind, bare)
    if path is not None and modifier in _WORDED:
        return [r for r in found if any(_WORDED[modifier](w, text) for v in _values(r, path) for w in _words(v))]
    if path is not None and modifier == "missing" and text in ("true", "false"):
        return [r for r in found if bool(_values(r, path)) is (text == "false")]
    if path is None or (modifier and modifier != "not" and not modifier[:1].isupper()):
        return None
    wanted = [f"{modifier}/{one}" if modifier[:1].isupper() and "/" not in one else one for one in text.split(",")]
    unwanted = modifier == "not"
    return [r for r in found if any(_fits(v, one) for v in _values(r, path) for one in wanted) is not unwanted]


def _words(value: Any) -> Iterator[str]:
    """The texts of a value: of a name or an address its parts, of a concept what it and its codes are called."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and ("coding" in value or "code" in value):
        yield from (
            str(one[key]) for one in (value, *value.get("coding", ())) for key in ("text", "display") if key in one
        )
    elif isinstance(value, dict):
        yield from (
            w for part in value.values() for w in (part if isinstance(part, list) else [part]) if isinstance(w, str)
        )


_WORDED: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda word, wanted: word == wanted,
    "contains": lambda word, wanted: wanted.lower() in word.lower(),
    "text": lambda word, wanted: word.lower().startswith(wanted.lower()),
}
"""Modifiers of a search that are about words."""


def _path(kind: str, name: str) -> str | None:
    """FHIRPath to what a parameter is about; None for one that is not known, or that is about a part of the resource."""
    if name in PATHS:
        return PATHS[name]
    first, *others = name.split("-")
    element = first + "".join(word.capitalize() for word in others)
    known = r4().type(kind)
    found = known.elements.get(element) if known is not None else None
    plain = found is not None and (found.choices or (found.type is not None and "." not in found.type.name))
    return f"`{element}`" if plain else None


def _values(resource: Json, path: str) -> list[Any]:
    try:
        return compile(path).evaluate(resource)
    except FhirPathError:
        return []


def _fits(value: Any, wanted: str) -> bool:
    if isinstance(value, FhirDate | FhirDateTime):
        return _in_time(str(value), str(value), wanted)
    if isinstance(value, bool):
        return wanted == str(value).lower()
    if isinstance(value, dict):
        return _complex_fits(value, wanted)
    return str(value) == wanted or (
        isinstance(value, str) and value.lower().startswith(wanted.lower()) and "|" not in wanted
    )


def _complex_fits(value: Json, wanted: str) -> bool:
    if "reference" in value or "resourceType" in value:
        return _points(value, wanted)
    if "start" in value or "end" in value:
        return _in_time(str(value.get("start") or "0001"), str(value.get("end") or "9999"), wanted)
    if (amount := number(value.get("value"))) is not None:
        return _measures(value, amount, wanted)
    codings = value.get("coding")
    listed = [c for c in codings if isinstance(c, dict)] if isinstance(codings, list) else [value]
    if any("code" in one or isinstance(one.get("value"), str) for one in listed):
        return any(_token(one, wanted) for one in listed)
    return any(word.lower().startswith(wanted.lower()) for word in _words(value))


def _measures(value: Json, held: Decimal, wanted: str) -> bool:
    """`gt5.4|http://unitsofmeasure.org|mg`; without a prefix to the digits that are given."""
    asked = _AMOUNT.match(wanted)
    if asked is None or (asked[3] and value.get("system") != asked[3]):
        return False
    if asked[4] and asked[4] not in (value.get("code"), value.get("unit")):
        return False
    sought = Decimal(asked[2])
    half = Decimal(5).scaleb(int(sought.as_tuple().exponent) - 1)
    near = sought - half <= held < sought + half
    verdicts = {"gt": held > sought, "lt": held < sought, "ge": held >= sought, "le": held <= sought}
    verdicts |= {"sa": held > sought, "eb": held < sought, "ne": not near}
    return verdicts.get(asked[1] or "", near)


def _points(value: Json, wanted: str) -> bool:
    target = str(value.get("reference") or f"{value.get('resourceType')}/{value.get('id')}").partition("/_history")[0]
    return target == wanted or target.endswith(f"/{wanted}") or wanted.endswith(f"/{target}")


def _token(coding: Json, wanted: str) -> bool:
    system, bar, code = wanted.rpartition("|")
    code_fits = not code or code in (coding.get("code"), coding.get("value"))
    return code_fits and (not bar or (coding.get("system") or "") == system)


Span = tuple[datetime, datetime]


def _in_time(start: str, end: str, wanted: str) -> bool:
    """FHIR's comparison of dates: of the spans that their precision leaves open."""
    asked = _PREFIX.match(wanted)
    first, last, sought = _span(start), _span(end), _span(asked[2]) if asked else None
    if first is None or last is None or sought is None or asked is None:
        return False
    low, high = first[0], last[1]
    verdicts = {
        "eq": sought[0] <= low and high <= sought[1],
        "gt": high > sought[1],
        "ge": high >= sought[1] or low >= sought[0],
        "lt": low < sought[0],
        "le": low <= sought[0] or high <= sought[1],
        "sa": low >= sought[1],
        "eb": high <= sought[0],
    }
    return not verdicts["eq"] if asked[1] == "ne" else verdicts[asked[1] or "eq"]


def _span(text: str) -> Span | None:
    """The first moment of what a date of any precision says, and the first moment after it."""
    padded = {4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text)
    try:
        start = datetime.fromisoformat(padded)
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
        if len(text) == 4:
            return start, start.replace(year=start.year + 1)
        if len(text) == 7:
            return start, (start + timedelta(days=32)).replace(day=1)
        return start, start + (timedelta(days=1) if len(text) == 10 else timedelta(seconds=1))
    except (ValueError, OverflowError):
        return (datetime.max.replace(tzinfo=UTC),) * 2 if text == "9999" else None


def _sorted(found: list[Json], order: str) -> list[Json]:
    for name in reversed([part for part in order.split(",") if part]):
        path = PATHS.get(name.lstrip("-")) or f"`{name.lstrip('-')}`"
        found = sorted(found, key=lambda r, path=path: _sort_key(r, path), reverse=name.startswith("-"))  # type: ignore[misc]
    return found


def _sort_key(resource: Json, path: str) -> tuple[Any, ...]:
    first = next(iter(_values(resource, path)), None)
    text = str((first.get("start") or "") if isinstance(first, dict) else "" if first is None else first)
    span = _span(text) if isinstance(first, FhirDate | FhirDateTime | dict) else None
    return (span[0] if span else datetime.min.replace(tzinfo=UTC), text)


def _sliced(found: list[Json], count: str) -> list[Json]:
    return found[: int(count)] if re.fullmatch(r"[0-9]{1,6}", count) else found
