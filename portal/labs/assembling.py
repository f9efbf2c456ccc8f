"""From DiagnosticReports and Observations to panels a person can read; nothing is altered, nothing is dropped. Pure.

A report finds its results by `result`, by contained resources and, where it names none, by the order they share
(`basedOn`); a panel finds its members by `hasMember`. What belongs to no report is shown by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from portal.labs import times
from portal.labs.names import code_key, names
from portal.labs.ranges import NOBODY, Person, ranges_of, standing
from portal.labs.results import Earlier, Note, Report, Result
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
        self.specimens = {_own(each): each for each in resources if each.get("resourceType") == "Specimen"}
        named = [each for each in self.observations if each.get("id")]
        self.by_name = {f"urn:uuid:{each['id']}": each for each in named} | {_own(each): each for each in named}
        self.by_order: dict[str, list[Resource]] = {}
        for each in self.observations:
            for order in _references(each.get("basedOn")):
                self.by_order.setdefault(_short(order), []).append(each)
        self.placed: set[int] = set()
        self.members = {_short(name) for each in self.observations for name in _references(each.get("hasMember"))}

    def find(self, reference: str, holder: Resource) -> Resource | None:
        if reference.startswith("#"):
            inside = holder.get("contained") or []
            return next(
                (each for each in inside if isinstance(each, Mapping) and each.get("id") == reference[1:]), None
            )
        return self.by_name.get(_short(reference))


def _readable_report(raw: Resource, shelf: _Shelf) -> Report:
    before = set(shelf.placed)
    try:
        return _report(raw, shelf)
    except ODD:
        shelf.placed = before  # its results are shown by themselves
        unreadable = _("A report that we cannot read. Ask the clinic for it.")
        return Report(_own(raw), unreadable, "", "", "unknown", None, None)


def _report(raw: Resource, shelf: _Shelf) -> Report:
    found = [(name, shelf.find(name, raw)) for name in _references(raw.get("result"))]
    observations = [each for _name, each in found if each is not None]
    if not found:
        observations = [
            each for order in _references(raw.get("basedOn")) for each in shelf.by_order.get(_short(order), [])
        ]
    inside = {_short(name) for each in observations for name in _references(each.get("hasMember"))}
    heads = [each for each in observations if not inside & _names(each)]
    results = tuple(_result(each, shelf, raw) for each in heads)
    short, long = names(raw.get("code"))
    return Report(
        key=_own(raw),
        name=short,
        long_name=long,
        category=_category(raw),
        status=str(raw.get("status", "unknown")),
        measured=times.measured(raw),
        reported=times.reported(raw),
        performers=_people(raw, "performer"),
        specimens=tuple(filter(None, (_specimen(each, raw, shelf) for each in _list(raw.get("specimen"))))),
        conclusion=str(raw.get("conclusion", "")),
        conclusion_codes=tuple(filter(None, (concept_words(each) for each in _list(raw.get("conclusionCode"))))),
        documents=tuple(value_of({"valueAttachment": each}) for each in _list(raw.get("presentedForm"))),
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
    return replace(
        made,
        members=members,
        missing=missing,
        measured=at,
        reported=times.reported(raw),
        performers=_people(raw, "performer"),
        specimen=_specimen(raw.get("specimen"), holder, shelf),
        method=concept_words(raw.get("method")),
        body_site=concept_words(raw.get("bodySite")),
        notes=_notes(raw),
        components=tuple(_components(raw, made, shelf.person, at, before)),
        replaced=_replaced(made, [(each, each) for each in before]),
        labels=_labels(raw),
    )


def _components(
    raw: Resource, whole: Result, person: Person, at: times.When | None, before: Sequence[Resource]
) -> Iterable[Result]:
    for number, each in enumerate(_list(raw.get("component"))):
        made = replace(_one(each, f"{_own(raw)}.{number}", person, at), status=whole.status)
        old = [
            (part, version)
            for version in before
            for part in _list(version.get("component"))
            if code_key(part.get("code")) == made.code
        ]
        yield replace(made, replaced=_replaced(made, old))


def _replaced(made: Result, before: Iterable[tuple[Resource, Resource]]) -> tuple[Earlier, ...]:
    """What it said in earlier versions, newest first, where that is not what it says now; each value once."""
    found: dict[tuple[str, str], Earlier] = {}
    for holder, version in before:
        value = value_of(holder)
        if value != made.value and (value.present or made.value.present):
            at = times.reported(version) or times.when(_mapping(version.get("meta")).get("lastUpdated"))
            found.setdefault((value.text, value.unit), Earlier(value, at, version.get("status") == "preliminary"))
    return tuple(found.values())


def _labels(raw: Resource) -> tuple[str, ...]:
    """`system|code` of everything in meta.security: what of it is sensitive travels with what is made from it."""
    marks = _list(_mapping(raw.get("meta")).get("security"))
    return tuple(f"{each.get('system', '')}|{each.get('code', '')}" for each in marks)


def _members(raw: Resource, shelf: _Shelf, holder: Resource, depth: int) -> tuple[tuple[Result, ...], int]:
    found = [shelf.find(name, holder) or shelf.find(name, raw) for name in _references(raw.get("hasMember"))]
    known = [each for each in found if each is not None and id(each) not in shelf.placed and depth < MAX_DEPTH]
    shelf.placed.update(id(each) for each in known)
    return tuple(_result(each, shelf, holder, depth + 1) for each in known), sum(each is None for each in found)


def _one(raw: Resource, key: str, person: Person, at: times.When | None) -> Result:
    value, ranges = value_of(raw), ranges_of(raw, person, at.day if at else None)
    said = tuple(filter(None, (flag(each) for each in _list(raw.get("interpretation")))))
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
    )


def _category(raw: Resource) -> str:
    listed = _list(raw.get("category"))
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


def _people(raw: Resource, name: str) -> tuple[str, ...]:
    found = []
    for each in _list(raw.get(name)):
        reference = str(each.get("reference", ""))
        inside = [held for held in raw.get("contained") or [] if reference == f"#{held.get('id')}"]
        found.append(
            str(
                each.get("display")
                or next((str(held.get("name", "")) for held in inside if isinstance(held.get("name"), str)), "")
            )
        )
    return tuple(filter(None, found))


def _specimen(reference: Any, holder: Resource, shelf: _Shelf) -> str:
    held = _mapping(reference)
    if held.get("display"):
        return str(held["display"])
    name = str(held.get("reference", ""))
    inside = {f"#{each.get('id')}": each for each in holder.get("contained") or [] if isinstance(each, Mapping)}
    found = inside.get(name) or shelf.specimens.get(_short(name))
    return concept_words(found.get("type")) if found else ""


def _notes(raw: Resource) -> tuple[Note, ...]:
    listed = [
        Note(str(each.get("text", "")), _writer(each, raw), times.when(each.get("time")))
        for each in _list(raw.get("note"))
    ]
    old = raw.get("comment")  # DSTU2 and STU3 servers
    return tuple(note for note in [*listed, Note(old if isinstance(old, str) else "")] if note.text)


def _writer(note: Resource, raw: Resource) -> str:
    """Who wrote it, where it says so: a name as written, what a reference shows, or a contained person's name."""
    if isinstance(note.get("authorString"), str):
        return str(note["authorString"])
    return next(iter(_people({**raw, "author": note.get("authorReference")}, "author")), "")


def _references(listed: Any) -> list[str]:
    return [str(each["reference"]) for each in _list(listed) if isinstance(each.get("reference"), str)]


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


def _list(value: Any) -> list[Any]:
    """The objects of a FHIR list; a lone object (as some servers send) is a list of one."""
    if isinstance(value, Mapping):
        return [value]
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
