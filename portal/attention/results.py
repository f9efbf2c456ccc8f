"""Results of forms that need no closer look: the clinic's rules, as data, over the entry a form makes for the record. Pure.

A rule names the codes it is about and a FHIRPath condition over the entry (%patient is the Patient as it was read) that holds
where the result is unremarkable. Everything else is looked at: what the condition does not hold for, what cannot be worked out,
what is marked as out of the ordinary, and what no rule knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal import fhirpath

Json = dict[str, Any]
ORDINARY = frozenset({"N", "NEG"})
"""HL7's ObservationInterpretation: normal, negative."""
NOT_CHECKED = "A rule about this result could not be checked here. Look at the result."
MARKED = "The form marks this result: {}."


@dataclass(frozen=True)
class Known:
    """What a clinic says of results with these codes: when they are plain, and what staff read when they are not."""

    key: str
    codes: frozenset[str]
    plain: fhirpath.Expression
    staff: str


@dataclass(frozen=True)
class Finding:
    """`plain`: nobody has to look at it by itself. `words`: why somebody has to; "" where only nobody knows it."""

    plain: bool
    words: str = ""


UNKNOWN = Finding(False)


def read(raw: Mapping[str, Any]) -> Known:
    """Raises KeyError, TypeError or FhirPathError for what is not a rule."""
    return Known(
        str(raw["key"]),
        frozenset(map(str, raw["in"])),
        fhirpath.compile(raw["plain"], fhirpath.R4),
        str(raw["staff"]),
    )


def finding(known: tuple[Known, ...], entry: Json, patient: Json, at: datetime) -> Finding:
    """Of one entry that a form makes. Every rule about it must find it plain."""
    marks = [mark for mark in _marks(entry) if mark[0] not in ORDINARY]
    if marks:
        return Finding(False, MARKED.format(marks[0][1]))
    about = [rule for rule in known if rule.codes & set(_codes(entry))]
    words = [text for rule in about if (text := _words(rule, entry, patient, at))]
    return Finding(False, words[0]) if words else Finding(bool(about))


def _words(rule: Known, entry: Json, patient: Json, at: datetime) -> str:
    try:
        found = rule.plain.evaluate(entry, {"resource": entry, "patient": patient or []}, now=at)
    except fhirpath.FhirPathError:
        return NOT_CHECKED
    return "" if found == [True] else rule.staff


def _codes(entry: Json) -> Iterator[str]:
    for coding in (entry.get("code") or {}).get("coding") or ():
        yield str(coding.get("code"))


def _marks(entry: Json) -> Iterator[tuple[str, str]]:
    """(code, words) of every interpretation, of its parts too."""
    for holder in (entry, *(entry.get("component") or ())):
        for concept in holder.get("interpretation") or ():
            codings = concept.get("coding") or [{}]
            for coding in codings:
                code = str(coding.get("code") or "")
                yield code, str(concept.get("text") or coding.get("display") or code or "not said how")
