"""The answers a question offers, from its options or a value set: contained, expanded, composed, or asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import extensions as ext
from .builtin_sets import BUILTIN
from .concepts import filtered, placed
from .extensions import Json
from .findings import Findings
from .items import Item
from .shape import problem

MAX_EXPANDED, MAX_DEPTH = 20_000, 8
WEIGHT = "http://hl7.org/fhir/concept-properties#itemWeight"
PROPERTY = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property"


class ValueSets:
    """Looks up and expands value sets of one form, from its contained resources and a registry; each only once."""

    def __init__(self, raw: Json, registry: Mapping[str, Json]) -> None:
        self._raw = raw
        self._registry = registry
        self._expanded: dict[str, list[Json] | None] = {}
        self._answers: dict[int, list[Json]] = {}

    def answers(self, item: Item) -> list[Json]:
        """The item's options as FHIR answers ({"valueCoding": …}); [] when there are none or they are elsewhere."""
        found = self._answers.get(item.ordinal)
        if found is None:
            found = self._answers[item.ordinal] = list(self._of(item))
        return found

    def _of(self, item: Item) -> Iterator[Json]:
        for option in item.raw.get("answerOption") or ():
            value = next(((k, v) for k, v in option.items() if k.startswith("value")), None)
            if value is not None:
                yield {value[0]: value[1]}
        canonical = item.raw.get("answerValueSet")
        if isinstance(canonical, str):
            yield from ({"valueCoding": coding} for coding in self.expand(canonical) or ())

    def elsewhere(self, item: Item) -> str:
        """The canonical of a value set that only a terminology server can expand, or ""."""
        canonical = item.raw.get("answerValueSet")
        return canonical if isinstance(canonical, str) and self.expand(canonical) is None else ""

    def told_in_part(self, item: Item) -> str:
        """The canonical of a value set of which what is at hand may lack some, or "": it has only some codes of a code system
        (CodeSystem.content), or the first of a long expansion."""
        canonical = item.raw.get("answerValueSet")
        own = isinstance(canonical, str) and not item.raw.get("answerOption")
        return str(canonical) if own and self._in_part(str(canonical), 0) else ""

    def _in_part(self, canonical: str, depth: int) -> bool:
        resource = self.resource(canonical)
        if not resource or depth > MAX_DEPTH or problem(resource):
            return False
        if resource.get("resourceType") == "CodeSystem":
            return resource.get("content") in ("fragment", "example")
        expansion, compose = resource.get("expansion"), resource.get("compose")
        if isinstance(expansion, dict) and isinstance(listed := expansion.get("contains"), list):
            total = expansion.get("total")
            return "valueset-unclosed" in ext.of(expansion) or (isinstance(total, int) and total > _count(listed))
        parts = compose.get("include") if isinstance(compose, dict) else None
        inner = [name for part in parts or () if isinstance(part, dict) for name in _leaned_on(part)]
        return any(self._in_part(name, depth + 1) for name in inner)

    def rules_out(self, canonical: str, coding: Json) -> bool:
        """Whether a coding cannot be in a value set that cannot be worked out: none of its parts is of that system."""
        system = coding.get("system")
        if not isinstance(system, str) or not system:
            return False
        known = self._systems(canonical, 0)
        return known is not None and system not in known

    def _systems(self, canonical: str, depth: int) -> set[str] | None:
        """Every system a member may be of; None where that cannot be told."""
        resource = self.resource(canonical)
        if not resource or resource.get("resourceType") != "ValueSet" or depth > MAX_DEPTH or problem(resource):
            return None
        compose = resource.get("compose")
        parts = compose.get("include") if isinstance(compose, dict) else None
        found: set[str] = set()
        for part in parts or ():
            if part.get("system"):
                found.add(str(part["system"]))
                continue
            for inner in part.get("valueSet") or (None,):
                systems = self._systems(str(inner), depth + 1) if inner else None
                if systems is None:
                    return None
                found |= systems
        return found or None

    def survey(self, items: list[Item], findings: Findings) -> None:
        """Note every value set that is not at hand."""
        for item in items:
            if canonical := self.elsewhere(item):
                findings.miss(item.link_id, "answerValueSet", f"{canonical} needs a terminology server")
            system = ext.value(item.extensions, "unitSupplementalSystem")
            if isinstance(system, str) and self.concepts(system) is None:
                why = "is not at hand: a unit outside the list is kept in the words it is given in, without a code"
                findings.miss(item.link_id, "unitSupplementalSystem", f"{system} {why}")

    def concepts(self, system: str) -> list[Json] | None:
        """The codings of a whole code system, or None when it is not at hand."""
        key = f"all of {system}"
        if key not in self._expanded:
            found = self._named({"system": system})
            self._expanded[key] = None if found is None else found[:MAX_EXPANDED]
        return self._expanded[key]

    def expand(self, canonical: str) -> list[Json] | None:
        """The codings of a value set, or None when it cannot be worked out from what is at hand."""
        if canonical not in self._expanded:
            self._expanded[canonical] = None  # a set that includes itself adds nothing
            resource = self.resource(canonical)
            self._expanded[canonical] = self._expansion(resource) if resource else None
        return self._expanded[canonical]

    def resource(self, canonical: str) -> Json | None:
        """A contained resource (#id), one of the registry (with or without its version), or one every FHIR has."""
        if canonical.startswith("#"):
            wanted = canonical[1:]
            contained = self._raw.get("contained") or ()
            return next((r for r in contained if isinstance(r, dict) and str(r.get("id")).lstrip("#") == wanted), None)
        bare = canonical.split("|", maxsplit=1)[0]
        by_url = (r for r in self._raw.get("contained") or () if isinstance(r, dict) and r.get("url") == bare)
        return self._registry.get(canonical) or self._registry.get(bare) or next(by_url, None) or BUILTIN.get(bare)

    def _expansion(self, resource: Json) -> list[Json] | None:
        if resource.get("resourceType") != "ValueSet" or problem(resource):
            return None
        expansion = resource.get("expansion")
        if isinstance(expansion, dict) and expansion.get("total") == 0:
            return []
        if isinstance(expansion, dict) and isinstance(expansion.get("contains"), list):
            return list(_contained(expansion["contains"], _weights(expansion)))[:MAX_EXPANDED]
        compose = resource.get("compose")
        if not isinstance(compose, dict) or not compose.get("include"):
            return None
        included = self._parts(compose["include"])
        excluded = self._parts(compose.get("exclude") or [])
        if included is None or excluded is None:
            return None
        gone = {(coding.get("system"), coding.get("code")) for coding in excluded}
        kept: dict[tuple[Any, Any], Json] = {}
        for coding in included:
            key = (coding.get("system"), coding.get("code"))
            if key not in gone:
                kept.setdefault(key, coding)
        return list(kept.values())[:MAX_EXPANDED]

    def _parts(self, parts: list[Json]) -> list[Json] | None:
        found: list[Json] = []
        for part in parts:
            codings = self._part(part) if isinstance(part, dict) else []
            if codings is None:
                return None
            found.extend(codings)
        return found

    def _part(self, part: Json) -> list[Json] | None:
        """One include: the concepts it names, or a code system's, restricted to the value sets it names."""
        codings = self._named(part) if part.get("system") else None
        for canonical in part.get("valueSet") or ():
            members = self.expand(str(canonical))
            if members is None:
                return None
            keys = {(member.get("system"), member.get("code")) for member in members}
            codings = members if codings is None else [c for c in codings if (c.get("system"), c.get("code")) in keys]
        return codings

    def _named(self, part: Json) -> list[Json] | None:
        system = str(part["system"])
        resource = self.resource(system) or {}
        defines = resource.get("resourceType") == "CodeSystem" and resource.get("content") != "supplement"
        usable = defines and resource.get("concept") and not problem(resource)
        weights = _weights(resource)
        if isinstance(part.get("concept"), list):
            known = {str(c.get("code")): c for c, _ in placed(resource)} if usable else {}
            listed = [concept for concept in part["concept"] if isinstance(concept, dict)]
            whole = (_completed(concept, known.get(str(concept.get("code")), {})) for concept in listed)
            return [_coding(system, concept, weights) for concept in whole]
        if not usable:
            return None
        concepts = list(placed(resource))
        for rule in part.get("filter") or ():
            kept = filtered(concepts, rule)
            if kept is None:
                return None
            concepts = kept
        return [_coding(system, concept, weights) for concept, _ in concepts]


def _leaned_on(part: Json) -> Iterator[str]:
    """The code system that a part takes whole, and the value sets it names."""
    if not part.get("concept"):
        yield from filter(None, (str(part.get("system") or ""), *map(str, part.get("valueSet") or ())))


def _count(entries: list[Json]) -> int:
    return sum(1 + _count(entry.get("contains") or []) for entry in entries if isinstance(entry, dict))


def _completed(concept: Json, defined: Json) -> Json:
    """A concept as a value set lists it, with what only its code system says: display, weight, translations."""
    if "display" in concept:
        defined = {name: held for name, held in defined.items() if name not in ("_display", "designation")}
    listed = [*concept.get("extension", ()), *defined.get("extension", ())]
    return {**defined, **concept, **({"extension": listed} if listed else {})}


def _contained(entries: list[Json], weights: frozenset[str]) -> Iterator[Json]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        if not entry.get("abstract") and not entry.get("inactive") and entry.get("code") is not None:
            yield _coding(str(entry.get("system") or ""), entry, weights)
        yield from _contained(entry.get("contains") or [], weights)


def _coding(system: str, concept: Json, weights: frozenset[str]) -> Json:
    """A Coding of a concept, its translations (designation) and weights carried as extensions."""
    coding: Json = {"system": system} if system else {}
    coding |= {key: concept[key] for key in ("code", "display") if isinstance(concept.get(key), str)}
    kept = [one for one in ext.inner(concept) if one.get("url") != PROPERTY]
    listed = [*kept, *_weighed(concept, weights)]
    coding |= {"extension": listed} if listed else {}
    given = concept.get("_display")
    twin = dict(given) if isinstance(given, dict) else {}
    spoken = [d for d in concept.get("designation") or () if d and d.get("language") and d.get("value")]
    if spoken:
        twin["extension"] = [*twin.get("extension", ()), *map(_translation, spoken)]
    return coding | ({"_display": twin} if twin else {})


def _weights(definition: Json) -> frozenset[str]:
    """The names of the properties by which a code system or an expansion weighs its concepts."""
    listed = definition.get("property")
    named = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return frozenset({"itemWeight", *(str(one.get("code")) for one in named if one.get("uri") == WEIGHT)})


def _weighed(concept: Json, weights: frozenset[str]) -> Iterator[Json]:
    """The weight that a code system gives as a property; that of an expansion stands in an extension, for it is of R5."""
    listed = concept.get("property")
    said = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    found = [(each.get("code"), each.get("valueDecimal", each.get("valueInteger"))) for each in said]
    for each in ext.inner(concept):
        if each.get("url") == PROPERTY:
            found.append((ext.part(each, "code"), ext.part(each, "value")))
    for code, value in found:
        if value is not None and code in weights:
            yield {"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": value}


def _translation(designation: Json) -> Json:
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/translation",
        "extension": [
            {"url": "lang", "valueCode": designation["language"]},
            {"url": "content", "valueString": designation["value"]},
        ],
    }
