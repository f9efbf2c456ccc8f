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
    """`how`: initial, expression, context or observation; `source` a reference or ""; `read` an ISO time, or "" for what the
    form alone says; `where` the name of the system it was read from; `of` the FHIR date it was true on, or ""."""

    how: str
    source: str = ""
    read: str = ""
    where: str = ""
    of: str = ""


_PARTS = (
    ("how", "valueCode"),
    ("source", "valueString"),
    ("read", "valueDateTime"),
    ("where", "valueString"),
    ("of", "valueDateTime"),
)


def origin(answer: Json) -> Origin | None:
    for extension in ext.of(answer).get(ORIGIN, ()):
        return Origin(*(str(ext.part(extension, name) or "") for name, _ in _PARTS))
    return None


def marked(answer: Json, origin: Origin) -> Json:
    """The answer with its origin noted on it."""
    pieces = [{"url": name, key: value} for name, key in _PARTS if (value := getattr(origin, name))]
    note = {"url": ORIGIN, "extension": pieces}
    return {**answer, "extension": [*answer.get("extension", ()), note]}


def confirmed(holder: Json) -> Json:
    """A draft (or an item of it) without the answers that were filled in and that nobody has confirmed."""
    made = {name: held for name, held in holder.items() if name not in ("item", "answer")}
    for name in ("item", "answer"):
        listed = holder.get(name)
        if isinstance(listed, list):
            kept = [
                confirmed(each) for each in listed if isinstance(each, dict) and not (name == "answer" and origin(each))
            ]
            if kept:
                made[name] = kept
    return made


def own_words(answer: Json) -> Json:
    """The answer without our notes."""
    if "extension" not in answer:
        return answer
    listed = answer["extension"] if isinstance(answer["extension"], list) else []
    kept = [e for e in listed if not str(e.get("url") if isinstance(e, dict) else "").startswith(OWN)]
    rest = {key: value for key, value in answer.items() if key != "extension"}
    return {**rest, "extension": kept} if kept else rest
