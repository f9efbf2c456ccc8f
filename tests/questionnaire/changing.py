"""A form said in another way that means the same: other linkIds, another order, one group deeper, one language more."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

Json = dict[str, Any]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
MATCHES = ("startsWith(", "endsWith(", "contains(", "matches(", "replace(", "descendants(")
"""Where an expression takes linkIds apart, renaming them changes what it says."""


def items(holder: Json) -> Iterator[Json]:
    for item in holder.get("item") or ():
        yield item
        yield from items(item)
        for answer in item.get("answer") or ():
            yield from items(answer)


def names(raw: Json) -> dict[str, str]:
    """A new name for every linkId."""
    return {item["linkId"]: f"z{number}.x" for number, item in enumerate(items(raw))}


def renamed(value: Any, new: dict[str, str]) -> Any:
    """With other linkIds: of items, conditions, and in the texts of expressions."""
    old = "|".join(re.escape(name) for name in sorted(new, key=len, reverse=True))
    quoted = re.compile(rf"(['\"])({old})\1")

    def go(held: Any, key: str) -> Any:
        if isinstance(held, dict):
            return {name: go(one, name) for name, one in held.items()}
        if isinstance(held, list):
            return [go(one, key) for one in held]
        if key in ("linkId", "question") and held in new:
            return new[held]
        if isinstance(held, str) and key in ("expression", "valueString") and ("linkId" in held or "%" in held):
            return quoted.sub(lambda found: found[1] + new[found[2]] + found[1], held)
        return held

    return go(value, "")


def shuffled(raw: Json, chance: Random) -> Json:
    made = copy.deepcopy(raw)
    for holder in [made, *items(made)]:
        if holder.get("item"):
            chance.shuffle(holder["item"])
    return made


def spoken(raw: Json) -> Json:
    """In Spanish too."""
    made = copy.deepcopy(raw)
    for item in items(made):
        if isinstance(item.get("text"), str):
            parts = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": f"ES {item['text']}"}]
            twin = item.setdefault("_text", {})
            twin["extension"] = [*twin.get("extension", []), {"url": TRANSLATION, "extension": parts}]
    return made


def deeper(raw: Json) -> Json:
    return {**raw, "item": [{"linkId": "around", "type": "group", "item": raw["item"]}]}


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unordered(one) for key, one in value.items()}
    return sorted((unordered(one) for one in value), key=text) if isinstance(value, list) else value


def nameless(value: Any) -> Any:
    """Without the identities that are made of linkIds."""
    return json.loads(UUID.sub("U", text(value)))


def swapped(value: Any, pairs: list[tuple[str, str]]) -> Any:
    """With some words in place of others throughout."""
    made = json.dumps(value, default=str)
    for old, new in pairs:
        made = made.replace(old, new)
    return json.loads(made, parse_float=Decimal)
