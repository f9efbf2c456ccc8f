"""FHIR Parameters of $populate as a context: who the form is about, what is already at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from .context import Context, Terminology
from .extensions import Json, value_of

_OWN_NAMES = (
    "questionnaire Questionnaire canonical questionnaireRef identifier local terminologyEndpoint data dataEndpoint"
)
OWN_NAMES = frozenset(_OWN_NAMES.split())


def context_of(
    parameters: Json | None,
    now: datetime,
    *,
    language: str = "",
    fetch: Callable[[str], Json | None] | None = None,
    terminology: Terminology | None = None,
) -> Context:
    """The context that a $populate request describes.

    Takes both forms in use: `context` with the parts name and content (SDC 3 and 4; several contents are a collection), and a
    parameter named as the launch context itself. `subject` (a reference) stands for %patient where no resource is given for
    it.
    """
    launch: dict[str, Json] = {}
    variables: dict[str, Any] = {}
    unread: set[str] = set()
    for name, value, read in _named(parameters or {}, fetch):
        if read and name in unread:
            unread.discard(name)  # what was given itself goes before what a reference stands for
            del launch[name]
        if isinstance(value, dict) and "resourceType" in value and value["resourceType"] != "Bundle":
            unread |= set() if read or name in launch else {name}
            launch.setdefault(name, value)
        else:
            variables.setdefault(name, value)
    return Context(now, launch, language, terminology, variables, fetch, frozenset(unread))


def _named(parameters: Json, fetch: Callable[[str], Json | None] | None) -> Iterator[tuple[str, Any, bool]]:
    for parameter in _parts(parameters, "parameter"):
        name = str(parameter.get("name") or "")
        if name == "context":
            yield from _launch_part(_parts(parameter, "part"), fetch)
        elif name and name not in OWN_NAMES:
            value = parameter.get("resource", value_of(parameter))
            yield name, *_followed(value, fetch)
            if name == "subject":
                yield "patient", *_followed(value, fetch)


def _parts(element: Json, name: str) -> list[Json]:
    """The objects of a list that may not be one."""
    listed = element.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _launch_part(parts: list[Json], fetch: Callable[[str], Json | None] | None) -> Iterator[tuple[str, Any, bool]]:
    name = next((str(value_of(part)) for part in parts if part.get("name") == "name"), "")
    contents = [part.get("resource", value_of(part)) for part in parts if part.get("name") == "content"]
    if len(contents) > 1 and name:
        yield name, [_followed(content, fetch)[0] for content in contents], True
    elif contents and name:
        yield name, *_followed(contents[0], fetch)


def _followed(value: Any, fetch: Callable[[str], Json | None] | None) -> tuple[Any, bool]:
    """The resource a reference points to; where it cannot be had a stand-in that knows its type and id, and False."""
    if not isinstance(value, dict) or "resourceType" in value or not isinstance(value.get("reference"), str):
        return value, True
    found = fetch(value["reference"]) if fetch is not None else None
    kind, _, identity = value["reference"].rpartition("/")
    standing_in = {"resourceType": kind.rpartition("/")[2] or "Resource", "id": identity}
    return (standing_in, False) if found is None else (found, True)
