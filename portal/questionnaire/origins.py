"""Where a prefilled answer comes from: carried on the answer until the patient says it is right."""

from __future__ import annotations

from dataclasses import dataclass

from . import extensions as ext
from .extensions import Json

OWN = "urn:previsit:"
"""What this product names itself: a URN, for there is no address where its definitions could be read. Extensions under
it are our notes on a draft: they are kept in drafts and left out of responses."""
ORIGIN = f"{OWN}prefilled-from"
ABSENT_REASONS = f"{OWN}absent-reason-option"
"""On an item of a form: the reasons for no answer (don't know, prefer not to say) that may be given beside it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """`how`: initial, expression, context or observation; `source` a reference or ""; `read` an ISO time or ""."""

    how: str
    source: str = ""
    read: str = ""


def origin(answer: Json) -> Origin | None:
    for extension in ext.of(answer).get(ORIGIN, ()):
        found = [ext.part(extension, name) for name in ("how", "source", "read")]
        return Origin(*(str(value or "") for value in found))
    return None


def marked(answer: Json, origin: Origin) -> Json:
    """The answer with its origin noted on it."""
    pieces = [
        ("how", "valueCode", origin.how),
        ("source", "valueString", origin.source),
        ("read", "valueDateTime", origin.read),
    ]
    note = {"url": ORIGIN, "extension": [{"url": url, key: value} for url, key, value in pieces if value]}
    return {**answer, "extension": [*answer.get("extension", ()), note]}


def own_words(answer: Json) -> Json:
    """The answer without our notes."""
    if "extension" not in answer:
        return answer
    listed = answer["extension"] if isinstance(answer["extension"], list) else []
    kept = [e for e in listed if not str(e.get("url") if isinstance(e, dict) else "").startswith(OWN)]
    rest = {key: value for key, value in answer.items() if key != "extension"}
    return {**rest, "extension": kept} if kept else rest
