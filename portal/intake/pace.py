"""How long a page took and what was put right on it, kept beside a draft's answers: times and counts, never an answer. Pure.

A note lies in the draft's own sealed document, is written with it, and goes with it. Only the sum of many people is ever shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.questionnaire import Filling, addresses, origin

Json = dict[str, Any]
AWAY = timedelta(minutes=10)
"""Longer than this without saving, and somebody did something else meanwhile: that page is not timed."""
NOTE = "pace"


@dataclass(frozen=True)
class Turn:
    """One post of a page: when the page had been given to the person, and whether they wanted to go on to the next."""

    shown: datetime | None = None
    goes_on: bool = False


UNKNOWN = Turn()


@dataclass(frozen=True)
class Touch:
    """One question of a posted page. `given`: what stood there had been prefilled and not been looked at yet."""

    field: str
    given: bool
    changed: bool


@dataclass(frozen=True)
class Place:
    """A page that is saved, and the one that follows it (None after the last)."""

    page: str
    following: str | None


def after(
    before: Mapping[str, Any] | None,
    turn: Turn,
    place: Place,
    saved_at: datetime | None,
    at: datetime,
    touches: Iterable[Touch] = (),
    wrong: Iterable[str] = (),
) -> Json:
    """The note once a page is saved.

    {"pages": {page: seconds, or None when it could not be timed}, "next": the page that comes now, "given": {field: "kept" or
    "changed"}, "mended": {field: times}, "wrong": [fields with a problem that was shown]}. `saved_at`: the draft's last save.
    """
    kept: Json = {"pages": {}, "given": {}, "mended": {}, "wrong": [], **(before or {})}
    given, mended = dict(kept["given"]), dict(kept["mended"])
    for touch in touches:
        if touch.given or (touch.changed and touch.field in given):
            given[touch.field] = "changed" if touch.changed else "kept"
        if touch.changed and touch.field in kept["wrong"]:
            mended[touch.field] = mended.get(touch.field, 0) + 1
    found = sorted(set(wrong)) if turn.goes_on else []
    return {
        "pages": {**kept["pages"], place.page: _seconds(kept["pages"].get(place.page, 0), turn, saved_at, at)},
        "next": place.page if found else place.following,
        "given": given,
        "mended": mended,
        "wrong": found,
    }


def _seconds(before: float | None, turn: Turn, saved_at: datetime | None, at: datetime) -> float | None:
    """The time on a page so far; from when it was shown, or last saved when that was later."""
    if before is None or turn.shown is None:
        return None
    spent = at - max(turn.shown, saved_at or turn.shown)
    return None if spent > AWAY else before + max(0, round(spent.total_seconds()))


def touches(before: Filling, answers: Mapping[str, list[Json]]) -> list[Touch]:
    """What a post does to the questions of its page: to those that had been prefilled, and those that it changes."""
    asked = [(name, before.stored(name) or [], here) for name, here in answers.items()]
    noted = [(name, any(map(origin, stored)), stored, here) for name, stored, here in asked]
    return [
        Touch(field(before, name), given, values(stored) != values(here))
        for name, given, stored, here in noted
        if given or stored != here
    ]


def field(of: Filling, name: str) -> str:
    """The linkId behind a field name."""
    found = addresses.parse(name, of.form.all_items)
    return found[0].link_id if found else ""


def values(answers: Iterable[Mapping[str, Any]]) -> list[Json]:
    """What the answers say, without notes on them."""
    return [{key: value for key, value in answer.items() if key.startswith("value")} for answer in answers]
