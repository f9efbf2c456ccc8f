"""What of a form has no words in a language that it is offered in, so that its author sees it before a patient does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portal.questionnaire import Form
from portal.questionnaire.words import translation

Json = dict[str, Any]


@dataclass(frozen=True)
class Untranslated:
    """`texts` (in the order of the form, each once) are read as they were written by people who chose `language`; `of` are all."""

    language: str
    texts: tuple[str, ...]
    of: int


def untranslated(form: Form) -> list[Untranslated]:
    """For each language beside the form's own in which something is missing."""
    own = form.raw.get("language")
    read = _read(form)
    told = []
    for language in form.languages:
        missing = [text for text, twins in read.items() if any(translation(twin, language) is None for twin in twins)]
        if language != own and missing:
            told.append(Untranslated(language, tuple(missing), len(read)))
    return told


def _read(form: Form) -> dict[str, list[Any]]:
    """Each text that patients read, with the twins (`_text`) that may hold its translations."""
    found: dict[str, list[Any]] = {}
    for text, twin in _texts(form):
        if isinstance(text, str) and any(letter.isalpha() for letter in text):
            found.setdefault(" ".join(text.split()), []).append(twin)
    return found


def _texts(form: Form) -> Iterator[tuple[Any, Any]]:
    yield form.raw.get("title"), form.raw.get("_title")
    for item in form.all_items:
        if item.hidden:
            continue
        yield item.raw.get("text"), item.raw.get("_text")
        for option in item.raw.get("answerOption") or ():
            coding = option.get("valueCoding") or {}
            yield coding.get("display"), coding.get("_display")
            yield option.get("valueString"), option.get("_valueString")
