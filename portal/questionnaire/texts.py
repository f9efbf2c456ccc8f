"""The words of an item in this place: translated, or given by an expression (whose values are always plain text)."""

from __future__ import annotations

from typing import Any

from .answers import Entry
from .converting import words
from .evaluation import Evaluation
from .extensions import Json
from .items import Item
from .patterns import looks_like_a_pattern
from .richtext import Text, rich
from .words import localised


def text_of(evaluation: Evaluation, entry: Entry, field: str) -> Text:
    """`text` or `prefix` (or the form's `title`); a cqf-expression wins over what is written, and is never markup."""
    formula = entry.item.text_formulas.get(field)
    if formula is not None and field == "text" and evaluation.sent is not None:
        return evaluation.sent.get(entry.item.link_id) or static_text(evaluation, entry.item, field)
    if formula is not None:
        result = evaluation.evaluate(formula, entry, f"cqf-expression of {field}")
        if result:
            return " ".join(words(value) for value in result)
    return static_text(evaluation, entry.item, field)


def asked(response: Json) -> dict[str, str]:
    """The words each question of a response was asked in, by linkId."""
    found: dict[str, str] = {}
    stack: list[Any] = [response]
    while stack:
        current = stack.pop()
        if isinstance(current.get("linkId"), str) and isinstance(current.get("text"), str):
            found[current["linkId"]] = current["text"]
        inner = [one for name in ("item", "answer") if isinstance(current.get(name), list) for one in current[name]]
        stack += [one for one in inner if isinstance(one, dict)]
    return found


def static_text(evaluation: Evaluation, item: Item, field: str) -> Text:
    cache: dict[tuple[int, str], Text] = evaluation.form.cache("text", evaluation.context.language)
    key = (item.ordinal, field)
    if key not in cache:
        cache[key] = rich(item.raw, field, evaluation.context.language)
    return cache[key]


def hint(item: Item, name: str, language: str) -> str:
    """The string value of an extension (entryFormat, shortText, openLabel …), translated."""
    for extension in item.extensions.get(name, ()):
        key: Any = next((key for key in ("valueString", "valueMarkdown", "valueCode") if key in extension), None)
        if key:
            words = localised(extension, key, language)
            return "" if name == "entryFormat" and looks_like_a_pattern(words) else words
    return ""
