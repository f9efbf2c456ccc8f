"""The answers a question offers, from its options or a value set: contained, expanded, composed, or asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import extensions as ext
from .answers import CHOICES
from .builtin_sets import BUILTIN
from .concepts import filtered, placed
from .extensions import Json
from .findings import Findings
from .items import Item
from .shape import problem

MAX_EXPANDED = 20_000
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
        if item.type not in CHOICES or not isinstance(canonical, str):
            return ""
        return canonical if self.expand(canonical) is None else ""

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
            codings = self.part(part) if isinstance(part, dict) else []
            if codings is None:
                return None
            found.extend(codings)
        return found

    def part(self, part: Json) -> list[Json] | None:
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
