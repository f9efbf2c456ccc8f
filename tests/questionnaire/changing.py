"""A form said in another way that means the same: other linkIds, another order, one group deeper, one language more."""

from __future__ import annotations

import copy
import json
import operator
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

Json = dict[str, Any]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
TESTS: dict[str, Callable[[str, str], object]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
    "matches": lambda name, pattern: re.search(pattern, name),
}
TAKEN_APART = re.compile(rf"linkId\.({'|'.join(TESTS)})\(\s*(['\"])(.*?)\2\s*\)")


def items(holder: Json) -> Iterator[Json]:
    for item in holder.get("item") or ():
        yield item
        yield from items(item)
        for answer in item.get("answer") or ():
            yield from items(answer)


def names(raw: Json) -> dict[str, str]:
    """A new name for every linkId but those that an expression of the form takes apart."""
    kept = {name for tell in taken_apart(raw) for name in (item["linkId"] for item in items(raw)) if tell(name)}
    return {item["linkId"]: f"z{number}.x" for number, item in enumerate(items(raw)) if item["linkId"] not in kept}


def taken_apart(value: Any) -> Iterator[Callable[[str], bool]]:
    """What the form asks of the letters of linkIds: `where(linkId.startsWith('bpi.'))`."""
    if isinstance(value, str):
        for how, _, said in TAKEN_APART.findall(value):
            word = said.replace("\\\\", "\\")
            yield lambda name, how=how, word=word: bool(TESTS[how](name, word))  # type: ignore[misc]
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from taken_apart(one)


def renamed(value: Any, new: dict[str, str]) -> Any:
    """With other linkIds: of items, conditions, and in the texts of expressions; there not where a code is called the same."""
    old = "|".join(re.escape(name) for name in sorted(new, key=len, reverse=True)) or "(?!)"
    quoted = re.compile(rf"(\w+\s*!?[=~]\s*)?(['\"])({old})\2")

    def go(held: Any, key: str) -> Any:
        if isinstance(held, dict):
            return {name: go(one, name) for name, one in held.items()}
        if isinstance(held, list):
            return [go(one, key) for one in held]
        if key in ("linkId", "question") and held in new:
            return new[held]
        if isinstance(held, str) and key in ("expression", "valueString") and ("linkId" in held or "%" in held):
            return quoted.sub(_named_anew, held)
        return held

    def _named_anew(found: re.Match[str]) -> str:
        before, mark, name = found[1] or "", found[2], found[3]
        return f"{before}{mark}{new[name]}{mark}" if not before or before.startswith("linkId") else found[0]

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
