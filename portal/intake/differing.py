"""Who said what about each fact, and where people who answer for one patient contradict each other. Pure.

Each page that is saved keeps the newest word of whoever saved it beside the answers. The patient's own word, when it is the
newest, stands alone; otherwise the newest words of everybody since count, as with consents.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.actors import Actor

Json = dict[str, Any]
NONE, ADDED = "any", "added"
"""What a page asks besides its facts: whether there are any, and what is missing."""


def with_said(actor: Actor, before: Mapping[str, Any], entry: Json, at: str) -> Json:
    """A section as it is to be kept, with what this person says now in place of what they said before."""
    said = {key: dict(words) for key, words in before.get("said", {}).items()}
    who = actor.account_id or ""
    person = {"by": actor.name, "relation": actor.behalf.relation if actor.behalf else "", "at": at}
    for key, label, words in _words(entry):
        said.setdefault(key, {})[who] = {**person, "label": label, "says": words}
    return {**entry, "said": said}


def _words(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for line in entry.get("lines", []):
        if line.get("answer"):
            yield line["key"], line["label"], [line["answer"], line.get("change") or {}]
    if entry.get("any"):
        yield NONE, "", [entry["any"], {}]
    yield ADDED, "", sorted(str(row.get("what", "")).strip() for row in entry.get("added", []))


def by_another(entry: Mapping[str, Any], key: str, account_id: str | None) -> str:
    """Who gave the answer that stands, when that was somebody else than who reads it now."""
    newest = max(entry.get("said", {}).get(key, {}).items(), key=lambda each: each[1]["at"], default=None)
    return newest[1]["by"] if newest and newest[0] != account_id else ""


def without_said(entry: Mapping[str, Any]) -> Json:
    """What two tabs are compared by."""
    return {name: held for name, held in entry.items() if name not in ("said", "version")}


def found(document: Mapping[str, Any]) -> list[Json]:
    """Every contradiction in the sections of a visit: {"section", "key", "label", "said": [{"by", "relation", "at", "says"}]}."""
    return [
        {"section": section, "key": key, "label": words[0]["label"], "said": words}
        for section, entry in document.get("sections", {}).items()
        for key, said in entry.get("said", {}).items()
        for words in [_counting(said)]
        if _differ(key, words)
    ]


def _counting(said: Mapping[str, Json]) -> list[Json]:
    """The newest word of each person, newest first, down to the patient's own."""
    counting = []
    for words in sorted(said.values(), key=lambda each: each["at"], reverse=True):
        counting.append(words)
        if not words["relation"]:
            break
    return counting


def _differ(key: str, words: list[Json]) -> bool:
    """Whoever adds something to what another wrote contradicts nobody; whoever takes something away does."""
    if len(words) < 2:
        return False
    if key == ADDED:
        return any(not set(earlier["says"]) <= set(words[0]["says"]) for earlier in words[1:])
    return any(earlier["says"] != words[0]["says"] for earlier in words[1:])
