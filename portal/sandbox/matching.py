"""Patient/$match: how alike a described person and the clinic's patients are. Simple on purpose; a person decides.

The score is the weight of what agrees over the weight of what both sides state; a contradiction in birth date caps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.sandbox.indexing import folded, walk
from portal.sandbox.query import Query
from portal.sandbox.search import Hit, entry, matches
from portal.sandbox.store import Unit

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
WEIGHTS = {"family": 3, "given": 2, "birthDate": 4, "phone": 2, "email": 2, "gender": 1, "postalCode": 1}
CERTAIN, PROBABLE, POSSIBLE = 0.95, 0.75, 0.5


def candidates(unit: Unit, patient: Mapping[str, Any], certain_only: bool, count: int) -> list[dict[str, Any]]:
    """Bundle entries with `search.score`, best first; the possible ones are left out when only certain ones are asked."""
    scored = [(score(patient, hit.stored.resource()), hit) for hit in matches(unit, Query("Patient"), limit=10_000)]
    kept = sorted((pair for pair in scored if pair[0] >= POSSIBLE), key=lambda pair: -pair[0])
    if certain_only:
        kept = [pair for pair in kept if pair[0] >= CERTAIN]
        kept = kept if len(kept) == 1 else []
    return [_entry(unit, found, hit) for found, hit in kept[:count]]


def _entry(unit: Unit, found: float, hit: Hit) -> dict[str, Any]:
    grade = "certain" if found >= CERTAIN else "probable" if found >= PROBABLE else "possible"
    extension = [{"url": GRADE, "valueCode": grade}]
    return entry(unit.base_url, hit.stored) | {
        "search": {"extension": extension, "mode": "match", "score": round(found, 2)}
    }


def score(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """0 to 1. A shared identifier is 1; otherwise only what both state is weighed, and it must be enough to weigh."""
    if _identifiers(one) & _identifiers(other):
        return 1.0
    ours, theirs = _traits(one), _traits(other)
    stated = [name for name in WEIGHTS if ours[name] and theirs[name]]
    weight = sum(WEIGHTS[name] for name in stated)
    if weight < WEIGHTS["family"] + WEIGHTS["birthDate"]:
        return 0.0
    agreed = sum(WEIGHTS[name] for name in stated if ours[name] & theirs[name]) / weight
    return min(agreed, 0.5) if "birthDate" in stated and not ours["birthDate"] & theirs["birthDate"] else agreed


def _identifiers(patient: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (found["system"], found["value"])
        for found in patient.get("identifier", [])
        if found.get("system") and found.get("value")
    }


def _traits(patient: Mapping[str, Any]) -> dict[str, set[str]]:
    def at(path: str) -> set[str]:
        return _plain(walk(patient, path.split(".")))

    return {
        "family": at("name.family"),
        "given": at("name.given"),
        "birthDate": at("birthDate"),
        "phone": {"".join(filter(str.isdigit, phone))[-10:] for phone in at("telecom[system=phone].value")},
        "email": at("telecom[system=email].value"),
        "gender": at("gender"),
        "postalCode": at("address.postalCode"),
    }


def _plain(values: Iterable[Any]) -> set[str]:
    return {folded(value).strip() for value in values if isinstance(value, str) and value.strip()}
