"""From DiagnosticReports and Observations to panels a person can read; nothing is altered, nothing is dropped. Pure.

A report finds its results by `result`, by contained resources and, where it names none, by the order they share
(`basedOn`); a panel finds its members by `hasMember`. What belongs to no report is shown by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from portal.labs import times
from portal.labs.documents import document_of
from portal.labs.names import code_key, names
from portal.labs.ranges import NOBODY, Person, ranges_of, standing
from portal.labs.results import Earlier, Report, Result
from portal.labs.surroundings import (
    about,
    contained,
    documents,
    labels,
    mapping,
    narrative,
    notes,
    objects,
    people,
    references,
    specimen,
)
from portal.labs.values import Value, value_of
from portal.labs.words import NO_VALUE, _, codings, concept_words, flag

Resource = Mapping[str, Any]
MAX_DEPTH = 8
ODD = (AttributeError, KeyError, TypeError, ValueError, IndexError, ArithmeticError)
"""What reading a resource of an impossible shape raises; it is then shown as one that we cannot read, never left out."""


def assemble(
    resources: Iterable[Resource],
    earlier: Mapping[str, Sequence[Resource]] | None = None,
    person: Person = NOBODY,
) -> tuple[Report, ...]:
    """Every report, newest first, then what came without one, grouped by day and kind.

    `earlier` holds previous versions of an Observation ("Observation/7": newest first), where they are known; `person` tells which
    of several ranges is theirs.
    """
    listed = [each for each in resources if isinstance(each, Mapping)]
    shelf = _Shelf(listed, earlier or {}, person)
    reports = [_readable_report(each, shelf) for each in listed if each.get("resourceType") == "DiagnosticReport"]
    loose = _loose(shelf)
    return tuple(
        sorted([*reports, *loose], key=lambda report: report.when.order if report.when else times.FIRST, reverse=True)
    )


class _Shelf:
    """Observations by the names that references use for them, and which of them already stand in a report or a panel."""

    def __init__(
        self, resources: Sequence[Resource], earlier: Mapping[str, Sequence[Resource]], person: Person
    ) -> None:
        self.earlier = earlier
        self.person = person
        self.observations = [each for each in resources if each.get("resourceType") == "Observation"]
        self.beside = {_own(each): each for each in resources if each.get("id")}
        named = [each for each in self.observations if each.get("id")]
        self.by_name = {f"urn:uuid:{each['id']}": each for each in named} | {_own(each): each for each in named}
        self.by_order: dict[str, list[Resource]] = {}
        for each in self.observations:
            for order in references(each.get("basedOn")):
                self.by_order.setdefault(_short(order), []).append(each)
        self.placed: set[int] = set()
        self.members = {_short(name) for each in self.observations for name in references(each.get("hasMember"))}

    def find(self, reference: str, holder: Resource) -> Resource | None:
        """An Observation."""
        if reference.startswith("#"):
            return contained(holder, reference[1:])
        return self.by_name.get(_short(reference))

    def look(self, reference: str, holder: Resource) -> Resource | None:
        """Anything else that was read beside the results."""
        return contained(holder, reference[1:]) if reference.startswith("#") else self.beside.get(_short(reference))


def _readable_report(raw: Resource, shelf: _Shelf) -> Report:
    before = set(shelf.placed)
    try:
        return _report(raw, shelf)
    except ODD:
        shelf.placed = before  # its results are shown by themselves
        unreadable = _("A report that we cannot read. Ask the clinic for it.")
        return Report(_own(raw), unreadable, "", "", "unknown", None, None)


def _report(raw: Resource, shelf: _Shelf) -> Report:
    found = [(name, shelf.find(name, raw)) for name in references(raw.get("result"))]
    observations = [each for _name, each in found if each is not None]
    if not found:
        observations = [
            each for order in references(raw.get("basedOn")) for each in shelf.by_order.get(_short(order), [])
        ]
    inside = {_short(name) for each in observations for name in references(each.get("hasMember"))}
    heads = [each for each in observations if not inside & _names(each)]
    results = tuple(_result(each, shelf, raw) for each in heads)
    short, long = names(raw.get("code"))
    papers = documents(raw, _own(raw))
    return Report(
        key=_own(raw),
        name=short,
        long_name=long,
        category=_category(raw),
        status=str(raw.get("status", "unknown")),
        measured=times.measured(raw),
        reported=times.reported(raw),
        performers=people(raw, "performer", shelf.look) or people(raw, "resultsInterpreter", shelf.look),
        specimens=tuple(filter(None, (specimen(each, raw, shelf.look) for each in objects(raw.get("specimen"))))),
        conclusion=str(raw.get("conclusion", "")),
        conclusion_codes=tuple(filter(None, (concept_words(each) for each in objects(raw.get("conclusionCode"))))),
        documents=papers,
        words="" if papers or results or raw.get("conclusion") else narrative(raw),
        results=results,
        missing=sum(each is None for _name, each in found),
    )


def _loose(shelf: _Shelf) -> Iterable[Report]:
    groups: dict[tuple[str, str], list[Result]] = {}
    for raw in shelf.observations:
        if id(raw) in shelf.placed or shelf.members & _names(raw):
            continue
        made = _result(raw, shelf, raw)
        day = made.when.text[:10] if made.when else ""
        groups.setdefault((day, _category(raw)), []).append(made)
    for raw in shelf.observations:  # members of a circle or of a panel that nobody could place
        if id(raw) not in shelf.placed:
            made = _result(raw, shelf, raw)
            groups.setdefault((made.when.text[:10] if made.when else "", _category(raw)), []).append(made)
    for (day, category), results in groups.items():
        yield _group(day, category, results)


def _group(day: str, category: str, results: list[Result]) -> Report:
    first = results[0]
    panel = first if len(results) == 1 else None
    return Report(
        key=f"{first.key}+",
        name=panel.name if panel else category or _("Results without a report"),
        long_name=panel.long_name if panel else "",
        category=category,
        status=panel.status if panel else "final",
        measured=first.when,
        reported=None,
        results=tuple(results),
        own=False,
    )


def _result(raw: Resource, shelf: _Shelf, holder: Resource, depth: int = 0) -> Result:
    shelf.placed.add(id(raw))
    try:
        return _read(raw, shelf, holder, depth)
    except ODD:
        name = _("A result that we cannot read. Ask the clinic for it.")
        return Result(_own(raw), "", name, "", Value("absent", NO_VALUE, translate=True), (), (), "unknown")


def _read(raw: Resource, shelf: _Shelf, holder: Resource, depth: int) -> Result:
    members, missing = _members(raw, shelf, holder, depth)
    at, before = times.measured(raw), shelf.earlier.get(_own(raw), [])
    made = _one(raw, _own(raw), shelf.person, at)
    parts = tuple(_components(raw, made, shelf.person, at, before))
    return replace(
        made,
        members=members,
        missing=missing,
        measured=at,
        reported=times.reported(raw),
        performers=people(raw, "performer", shelf.look),
        specimen=specimen(raw.get("specimen"), holder, shelf.look),
        method=concept_words(raw.get("method")),
        body_site=concept_words(raw.get("bodySite")),
        notes=notes(raw, shelf.look),
        components=parts,
        replaced=_replaced(made, [(each, each) for each in before]),
        labels=labels(raw),
        about=about(raw, shelf.look),
        words="" if made.value.present or parts or members else narrative(raw),
    )


def _components(
    raw: Resource, whole: Result, person: Person, at: times.When | None, before: Sequence[Resource]
) -> Iterable[Result]:
    for number, each in enumerate(objects(raw.get("component"))):
        made = replace(_one(each, f"{_own(raw)}.{number}", person, at, _own(raw)), status=whole.status)
        old = [
            (part, version)
            for version in before
            for part in objects(version.get("component"))
            if code_key(part.get("code")) == made.code
        ]
        yield replace(made, replaced=_replaced(made, old))


def _replaced(made: Result, before: Iterable[tuple[Resource, Resource]]) -> tuple[Earlier, ...]:
    """What it said in earlier versions, newest first, where that is not what it says now; each value once."""
    found: dict[tuple[str, str], Earlier] = {}
    for holder, version in before:
        value = value_of(holder)
        if value != made.value and (value.present or made.value.present):
            at = times.reported(version) or times.when(mapping(version.get("meta")).get("lastUpdated"))
            found.setdefault((value.text, value.unit), Earlier(value, at, version.get("status") == "preliminary"))
    return tuple(found.values())


def _members(raw: Resource, shelf: _Shelf, holder: Resource, depth: int) -> tuple[tuple[Result, ...], int]:
    found = [shelf.find(name, holder) or shelf.find(name, raw) for name in references(raw.get("hasMember"))]
    known = [each for each in found if each is not None and id(each) not in shelf.placed and depth < MAX_DEPTH]
    shelf.placed.update(id(each) for each in known)
    return tuple(_result(each, shelf, holder, depth + 1) for each in known), sum(each is None for each in found)


def _one(raw: Resource, key: str, person: Person, at: times.When | None, holder: str = "") -> Result:
    """`holder` is the resource that a component stands in."""
    value, ranges = value_of(raw), ranges_of(raw, person, at.day if at else None)
    said = tuple(filter(None, (flag(each) for each in objects(raw.get("interpretation")))))
    read = standing(value, ranges) if not said else None
    short, long = names(raw.get("code"))
    return Result(
        key=key,
        code=code_key(raw.get("code")),
        name=short,
        long_name=long,
        value=value,
        flags=said or ((read,) if read else ()),
        ranges=ranges,
        status=str(raw.get("status", "unknown")),
        document=document_of(value.attachment, f"{key}|value", holder or key) if value.attachment else None,
    )


def _category(raw: Resource) -> str:
    listed = objects(raw.get("category"))
    words = [concept_words(each) for each in listed]
    known = {
        "laboratory": _("Laboratory"),
        "LAB": _("Laboratory"),
        "vital-signs": _("Measurements"),
        "imaging": _("Imaging"),
    }
    for each in listed:
        for coding in codings(each):
            if str(coding.get("code")) in known:
                return known[str(coding["code"])]
    return next((each for each in words if each), "")


def _short(reference: str) -> str:
    """`https://ehr/r4/Observation/7/_history/2` and `Observation/7` are one; urn:uuid stays as it is."""
    if reference.startswith("urn:"):
        return reference
    return "/".join(reference.split("/_history/", maxsplit=1)[0].split("/")[-2:])


def _names(raw: Resource) -> set[str]:
    return {_own(raw), f"urn:uuid:{raw.get('id', '')}"}


def _own(raw: Resource) -> str:
    """`Type/id`; also of a resource without an id."""
    return f"{raw.get('resourceType', '')}/{raw.get('id', '')}"
