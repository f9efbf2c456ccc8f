"""ValueSet/$expand: what a value set of this clinic holds, filtered by words and cut to a count. Simple on purpose: no code systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portal.sandbox.errors import BadRequest, NotFound, Unprocessable
from portal.sandbox.query import Pairs, parse
from portal.sandbox.search import matches
from portal.sandbox.store import Unit

MOST = 10_000
KNOWN = ("url", "valueSetVersion", "filter", "count", "offset", "_format", "displayLanguage", "includeDesignations")


def expand(unit: Unit, name: str | None, pairs: Pairs) -> dict[str, Any]:
    """The value set with this id, or of the `url` among the parameters, with its expansion."""
    asked = dict(pairs)
    odd = [each for each in asked if each not in KNOWN]
    if odd:
        raise BadRequest(f"$expand takes no parameter {odd[0]} here.")
    found = _found(unit, name, asked)
    held = [each for each in _held(found) if asked.get("filter", "").casefold() in each["display"].casefold()]
    first, count = _number(asked, "offset", 0), _number(asked, "count", MOST)
    expansion = {
        "timestamp": found["meta"]["lastUpdated"],
        "total": len(held),
        "offset": first,
        "contains": held[first : first + count],
    }
    return {key: value for key, value in found.items() if key != "compose"} | {"expansion": expansion}


def _found(unit: Unit, name: str | None, asked: Mapping[str, str]) -> dict[str, Any]:
    if name is not None:
        stored = unit.get("ValueSet", name)
        return stored.resource()
    if not asked.get("url"):
        raise BadRequest("$expand needs the url of a value set.")
    wanted = [("url", asked["url"])]
    wanted += [("version", asked["valueSetVersion"])] if asked.get("valueSetVersion") else []
    hits = matches(unit, parse("ValueSet", wanted, strict=True), limit=1)
    if not hits:
        raise NotFound("There is no such value set here.")
    return hits[0].stored.resource()


def _held(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    compose = found.get("compose")
    if not isinstance(compose, dict) or "exclude" in compose:
        raise Unprocessable("This clinic expands only value sets that list their codes.")
    return [each for part in compose.get("include", []) for each in _concepts(part)]


def _concepts(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if not isinstance(part.get("concept"), list) or "valueSet" in part or "filter" in part:
        raise Unprocessable("This clinic expands only value sets that list their codes.")
    for concept in part["concept"]:
        shown = {"system": part.get("system"), "code": concept.get("code"), "display": concept.get("display") or ""}
        yield shown | ({"designation": concept["designation"]} if concept.get("designation") else {})


def _number(asked: Mapping[str, str], name: str, otherwise: int) -> int:
    text = asked.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise BadRequest(f"{name} must be a whole number.")
    return int(text)
