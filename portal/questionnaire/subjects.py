"""Whom an answer is about: a question marked isSubject names somebody else for all that stands beside and below it (SDC)."""

from __future__ import annotations

from . import extensions as ext
from .answers import Entry
from .extensions import Json
from .items import Item


def names_subject(item: Item) -> bool:
    return ext.value(item.extensions, "isSubject") is True


def is_about_another(item: Item) -> bool:
    """Whether a question beside the item, or beside what it stands in, says whom it is about."""
    return any(names_subject(one) for owner in item.ancestors() if owner.parent for one in owner.parent.children)


def subject_of(entry: Entry, response: Json) -> Json | None:
    """The reference an entry is about: the nearest isSubject answer (a group is about whom its questions are about), else
    the subject of the response.

    None when another person is meant and not named: what is said then belongs to nobody we know.
    """
    place: Entry | None = entry if entry.item.type == "group" else entry.parent
    while place is not None:
        for item in place.item.children:
            if names_subject(item):
                return _reference(place.existing(item))
        place = place.parent
    given = response.get("subject")
    return given if isinstance(given, dict) else {}


def _reference(entries: list[Entry]) -> Json | None:
    answers = (answer.get("valueReference") for entry in entries for answer in entry.answers)
    return next((one for one in answers if isinstance(one, dict) and one), None)
