"""What was extracted as FHIR R4 has it: what an element cannot hold is left out, and said with the element's name."""

from __future__ import annotations

import re
from typing import Any

from portal.fhir.structure import problems

from .extensions import Json

ROUNDS = 4
"""How often one that is left out may leave another, around it, without what it needs."""
SILENT = frozenset({"resourceType", "meta", "id"})
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def sound(resource: Json) -> tuple[Json, list[str], list[str]]:
    """The resource without what R4 does not let it hold, a sentence for each such element, and the elements that it lacks.
    A resource that says nothing any more is {}. What was given is used up."""
    said, lacking = list[str](), list[str]()
    kind = str(resource.get("resourceType") or "")
    for _ in range(ROUNDS):
        found = problems(resource)
        wrong = [one for one in found if one.code != "required" and _steps(one.path, kind)]
        wrong = [one for one in wrong if not any(one.path.startswith(f"{other.path}.") for other in wrong)]
        for one in reversed(wrong):
            _take_out(resource, _steps(one.path, kind))
        said += [f"{one.path} is left out: {one.words}" for one in wrong]
        if not wrong:
            lacking = [one.path for one in found]
            break
        resource = _without_empty(resource)
    return (resource if resource.keys() - SILENT else {}), list(dict.fromkeys(said)), lacking


def _steps(path: str, kind: str) -> list[str | int]:
    """`Patient.name[0].given` -> name, 0, given."""
    return [name or int(number) for name, number in _STEP.findall(path.removeprefix(kind))]


def _take_out(resource: Json, steps: list[str | int]) -> None:
    """The element at the end of the steps; one in a list leaves a gap, so that the others keep their numbers."""
    place: Any = resource
    for step in steps[:-1]:
        place = _at(place, step)
    if isinstance(place, dict) and isinstance(steps[-1], str):
        place.pop(steps[-1], None)
    elif isinstance(place, list) and isinstance(steps[-1], int) and steps[-1] < len(place):
        place[steps[-1]] = {}


def _at(place: Any, step: str | int) -> Any:
    if isinstance(place, list):
        return place[step] if isinstance(step, int) and step < len(place) else None
    return place.get(step) if isinstance(place, dict) else None


def _without_empty(element: Json) -> Json:
    """Without what is empty now; of a list whose primitives have twins the places stay."""
    made: Json = {}
    for key, value in element.items():
        kept = value
        if isinstance(value, dict):
            kept = _without_empty(value)
        elif isinstance(value, list):
            twins = f"_{key}" in element or key.startswith("_")
            each = [_without_empty(one) if isinstance(one, dict) else one for one in value]
            kept = [one or None if one == {} else one for one in each if twins or one != {}]
            kept = kept if any(one is not None for one in kept) else []
        if kept not in ({}, [], None):
            made[key] = kept
    return made
