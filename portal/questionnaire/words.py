"""Which words of a form a person reads: translations of a text, languages offered, languages wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from . import extensions as ext
from .extensions import Json


def matches(wanted: str, offered: str) -> int:
    """0 not the same language, 1 the same language (es, es-MX), 2 the same tag."""
    wanted, offered = wanted.lower().replace("_", "-"), offered.lower().replace("_", "-")
    if wanted == offered:
        return 2
    return int(wanted.split("-")[0] == offered.split("-")[0])


def translation(twin: object, language: str) -> str | None:
    """The words for `language` in the translation extensions of a primitive's twin (`_text`), or None."""
    if not language or not isinstance(twin, dict):
        return None
    best, found = 0, None
    for extension in ext.of(twin).get("translation", ()):
        rank = matches(language, str(ext.part(extension, "lang") or ""))
        content = ext.part(extension, "content")
        if rank > best and isinstance(content, str):
            best, found = rank, content
    return found


def localised(element: Json, field: str, language: str) -> str:
    """The text of `element[field]` in the language, else as written, else ""."""
    written = element.get(field)
    return translation(element.get(f"_{field}"), language) or (written if isinstance(written, str) else "")


def languages(raw: Json) -> list[str]:
    """The languages a form can be read in: its own first, then those of its translations, in order of first use."""
    own = raw.get("language")
    seen: dict[str, None] = {own: None} if isinstance(own, str) else {}
    for tag in _translated(raw):
        seen.setdefault(tag)
    return list(seen)


def _translated(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(reversed(current))
        elif isinstance(current, dict):
            if current.get("url") == "http://hl7.org/fhir/StructureDefinition/translation":
                tag = ext.part(current, "lang")
                if isinstance(tag, str):
                    yield tag
            else:
                stack.extend(reversed([v for v in current.values() if isinstance(v, (dict, list))]))


def negotiated(offered: Iterable[str], wanted: Iterable[str]) -> str:
    """The offered language that suits the wanted ones best (first wanted first), or ""."""
    offers = list(offered)
    for language in wanted:
        ranked = sorted(offers, key=lambda offer: -matches(language, offer))
        if ranked and matches(language, ranked[0]):
            return ranked[0]
    return ""
