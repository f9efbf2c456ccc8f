"""`portal questionnaire check`: one JSON line a form, from the same report that staff see."""

from __future__ import annotations

from portal.questionnaire import report

from . import files, material, writing
from .arguments import Arguments
from .exits import FINE, PROBLEMS, UNREADABLE, CannotRead
from .files import Found, Json


def check(given: Arguments) -> int:
    """A line for each form in the order given; a file that holds neither a form nor what a form needs counts as a form
    refused, and so does one that cannot be read."""
    found: list[Found] = []
    looked_at: list[Found | CannotRead] = []
    for name in given.files:
        lost: list[CannotRead] = []
        try:
            here = files.gathered([name], lost.append)
        except CannotRead as wrong:
            looked_at.append(wrong)
            continue
        found.extend(here)
        looked_at.extend(sorted([*_to_check(name, here), *lost], key=lambda one: one.file))
    at_hand = material.registry(found)
    lines = [_unread(one) if isinstance(one, CannotRead) else _line(one, at_hand, found) for one in looked_at]
    for line in lines:
        writing.line(line)
    if not lines:
        raise CannotRead(f"There is no Questionnaire in {', '.join(given.files[:3])}.")
    if any(isinstance(one, CannotRead) for one in looked_at):
        return UNREADABLE
    return FINE if all(line["status"] == "ok" for line in lines) else PROBLEMS


def _unread(wrong: CannotRead) -> Json:
    writing.sentence(wrong)
    return {
        "file": wrong.file,
        "status": "refused",
        "reasons": [{"linkId": "", "code": "unreadable", "reason": str(wrong)}],
    }


def _to_check(name: str, here: list[Found]) -> list[Found]:
    listed = material.forms(here)
    nothing_of_use = not any(one.resource.get("resourceType") in material.TERMS for one in here)
    named_itself = bool(here) and not files.is_folder(name)
    return here[:1] if not listed and named_itself and nothing_of_use else listed


def _line(one: Found, at_hand: dict[str, Json], found: list[Found]) -> Json:
    raw = one.resource
    made = report(raw, file=one.file, registry=at_hand)
    if made["status"] != "ok":
        return {"file": made["file"], "status": made["status"], **_head(raw), "reasons": made["reasons"]}
    parts = material.parts_of(raw)
    if parts and material.whole(raw, found) is raw:
        missed = {"linkId": "", "feature": "subQuestionnaire", "reason": f"not all at hand: {', '.join(parts)}"}
        made["not_honoured"] = [*made["not_honoured"], missed]
    return made


def _head(raw: Json) -> Json:
    """What can be told of a form that is refused."""
    texts = {key: raw[key] for key in ("url", "version", "title") if isinstance(raw.get(key), str)}
    return {**texts, "items": material.items_in(raw)} if material.is_form(raw) else {}
