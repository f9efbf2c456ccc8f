"""A world in which every string of every resource, form and answer wants to be more than text; one string at a time and all at once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.accounts.models import Account, Clinic, Patient
from portal.db import session, transaction
from portal.ehr.models import RecordReading
from portal.intake.models import Submission, Visit
from tests.hostile.payloads import PAYLOADS, PLAIN
from tests.house.world import MARKS, World, build

Json = dict[str, Any]
Path_ = tuple[str | int, ...]

IDENTITY = frozenset({"resourceType", "id", "reference", "versionId"})
"""What a resource is told apart by: changed, it would be dropped as another patient's, and nothing would be shown."""

OURS = frozenset({"key", "kind", "answer"})
"""Words of a fact that only our own code writes."""


def leaves(node: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The place of every string."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in IDENTITY:
                yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from leaves(value, (*path, place))
    elif isinstance(node, str):
        yield path


def changed(node: Json, path: Path_, text: str) -> Json:
    made = copy.deepcopy(node)
    held: Any = made
    for step in path[:-1]:
        held = held[step]
    held[path[-1]] = text
    return made


def variants(resource: Json, text: str) -> list[Json]:
    """The resource with one string changed, for each of its strings, and with all of them."""
    made = [changed(resource, path, text) for path in leaves(resource)]
    every = resource
    for path in leaves(resource):
        every = changed(every, path, text)
    return [{**each, "id": f"{resource.get('id', 'x')}-{number}"} for number, each in enumerate([*made, every])]


def hostile_world(folder: Path, turn: int = 0) -> World:
    """The world of the house with every payload in every text; `turn` says which payload comes first (a text may be cut off)."""
    order = (*PAYLOADS[turn:], *PAYLOADS[:turn])
    text = " ".join((PLAIN, *order))
    world = build(folder, f"sqlite:///{folder / 'previsit.db'}", marks=dict.fromkeys(MARKS, text))
    with transaction() as current:
        for reading in current.scalars(select(RecordReading)):
            held = reading.document
            more = (
                [each for one in held["resources"] for each in variants(one, text)] if reading.kind != "patient" else []
            )
            reading.document = {**held, "resources": [*held["resources"], *more]}
        for each in current.scalars(select(Clinic)):
            each.name = text[:200]
        _say(Account, "profile", lambda held: {**held, "name": text[:2000]})
        _say(
            Patient,
            "person",
            lambda held: {**held, **{key: text for key in ("name", "phone", "email") if held.get(key)}},
        )
        _say(Visit, "detail", lambda held: dict.fromkeys(held, text))
        _say(Submission, "document", lambda held: _told(held, text))
    return world


def _say(table: type[Any], column: str, change: Callable[[Json], Json]) -> None:
    for row in session().scalars(select(table)).unique():
        setattr(row, column, change(getattr(row, column)))


def _told(held: Json, text: str) -> Json:
    """What was sent: each fact and each response besides with one string changed."""
    facts = [changed(fact, path, text) for fact in held["facts"] for path in leaves(fact) if path[0] not in OURS]
    numbered = [{**fact, "key": f"{fact['key']}-{number}"} for number, fact in enumerate(facts)]
    responses = [each for one in held["responses"] for each in variants(one, text)]
    return {**held, "facts": [*held["facts"], *numbered], "responses": [*held["responses"], *responses]}
