"""The outside world of one command: the time, who the form is about, and the records that queries are answered from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from portal import clock
from portal.questionnaire import Context, context_of
from portal.questionnaire.searching import Records

from . import files
from .exits import CannotRead
from .files import Json

_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)=(.+)\Z", re.DOTALL)


def moment(text: str | None) -> datetime:
    """`--now`: an ISO date or date-time (UTC where it names no zone), or the time it is."""
    if not text:
        return clock.now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise CannotRead(f"{text!r} is not a date and time: write it like 2026-03-27T14:30:00Z.") from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def context(
    parameters: Iterable[Json], given: Iterable[str], data: list[str], now: datetime, lang: str
) -> tuple[Context, Records]:
    """The context that Parameters (of $populate) and `--context NAME=FILE` describe; `data` are files of records."""
    listed = [*(part for one in parameters for part in _parts(one)), *_from_files(given)]
    about = {"resourceType": "Parameters", "parameter": listed}
    lost: list[CannotRead] = []
    records = Records(
        [f.resource for f in files.gathered(data, lost.append)],
        complete=bool(data) or any(part["name"] == "data" for part in listed),
    )
    if lost:
        raise lost[0]
    records.resources.extend(resource for part in listed for resource in _resources(part))
    return context_of(about, now, language=lang, fetch=records.fetch), records


def _from_files(given: Iterable[str]) -> Iterator[Json]:
    for text in given:
        named = _NAMED.match(text)
        name, file = named.groups() if named else ("", text)
        raw = files.resource(file)
        if raw.get("resourceType") == "Parameters":
            yield from _parts(raw)
        elif name or isinstance(raw.get("resourceType"), str):
            kind = str(raw.get("resourceType"))
            yield {"name": name or kind[:1].lower() + kind[1:], "resource": raw}
        else:
            raise CannotRead(f"{file} holds no resource: it has no resourceType.")


def _parts(parameters: Json) -> Iterator[Json]:
    """The parameters of a Parameters resource. Raises CannotRead for one that is not shaped as FHIR shapes it."""
    listed = parameters.get("parameter", [])
    if not isinstance(listed, list) or not all(map(_sound, listed)):
        raise CannotRead("The Parameters cannot be read: a parameter has a name and a value, a resource or parts.")
    yield from listed


def _sound(part: Any) -> bool:
    if not isinstance(part, dict) or not isinstance(part.get("name"), str):
        return False
    inner, resource = part.get("part", []), part.get("resource", {})
    return isinstance(inner, list) and all(map(_sound, inner)) and isinstance(resource, dict)


def _resources(part: Json) -> Iterator[Json]:
    for held in (part, *part.get("part", ())):
        if "resource" in held:
            yield from files.unpacked(held["resource"])


def resources(parameters: Iterable[Json]) -> Iterator[Json]:
    """Every resource that Parameters bring with them, those in Bundles too."""
    for one in parameters:
        for part in _parts(one):
            yield from _resources(part)


def subject_of(parameters: Iterable[Json]) -> Json | None:
    """The reference that $populate calls `subject`, as it was given."""
    found = _value(parameters, "subject")
    return found if isinstance(found, dict) and found else None


def form_of(parameters: Iterable[Json]) -> str:
    """The canonical by which $populate names the form, or ""."""
    found = _value(parameters, "canonical") or _value(parameters, "questionnaire")
    return found if isinstance(found, str) else ""


def _value(parameters: Iterable[Json], name: str) -> Any:
    parts = (part for one in parameters for part in _parts(one) if part["name"] == name)
    return next((held for part in parts for key, held in part.items() if key.startswith("value")), None)
