"""One form out of several ($assemble): items that name another questionnaire are replaced by that one's items."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from portal import fhirpath

from . import extensions as ext
from .extensions import Json
from .issues import FormRefused, Refusal

MAX_MODULES = 200
PREFIX = "linkIdPrefix"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
ASSEMBLED_FROM = f"{_SDC}assembledFrom"
MODULAR = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-modular"
ASSEMBLED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire"
TO_PARENT = frozenset({"itemPopulationContext", "variable", "targetConstraint", "constraint", "itemExtractionContext"})
"""Extensions of a module that go to the item its questions are put into."""
LEFT_OUT = frozenset({"assembleContext", "assemble-expectation", "artifact-versionAlgorithm", "assembledFrom"})
_HOLE = re.compile(r"\{\{%([A-Za-z_][A-Za-z0-9_]*)\}\}")

Names = Mapping[str, str]


def assemble(raw: Json, registry: Mapping[str, Json]) -> Json:
    """The form with every subQuestionnaire put in its place, in modules of modules too.

    `registry` maps canonicals (with or without version) and references (Questionnaire/id or id) to Questionnaires.
    Raises FormRefused when a module cannot be found, goes in a circle, or repeats a linkId.
    """
    work = _Assembly(registry)
    made = copy.deepcopy(raw)
    made["item"] = work.items(made, {}, made, ())
    own = [e for e in made.get("extension", []) if ext.short_name(e.get("url", "")) != "assemble-expectation"]
    extensions = _distinct([*own, *work.for_root])
    sources = [(raw.get("url") and work.canonical(raw)) or raw.get("id")] if work.used else []
    extensions += [{"url": ASSEMBLED_FROM, "valueCanonical": source} for source in sources if source]
    if extensions:
        made["extension"] = extensions
    if work.contained:
        made["contained"] = [*made.get("contained", []), *work.contained]
    _profile(made)
    return made


class _Assembly:
    def __init__(self, registry: Mapping[str, Json]) -> None:
        self.registry = registry
        self.for_root: list[Json] = []
        self.contained: list[Json] = []
        self.used = 0

    def canonical(self, raw: Json) -> str:
        return f"{raw['url']}|{raw['version']}" if raw.get("version") else str(raw["url"])

    def items(self, owner: Json, names: Names, holder: Json, path: tuple[str, ...]) -> list[Json]:
        """The items of a form or item with modules put in; what belongs to their parent is added to `holder`."""
        found: list[Json] = []
        names = {**names, **_constants(owner, names)}
        for item in owner.get("item") or []:
            wanted = ext.value(ext.of(item), "subQuestionnaire")
            if isinstance(wanted, str):
                found.extend(self.module(wanted, {**names, **_constants(item, names)}, holder, path))
            else:
                inner = self.items(item, names, item, path)
                found.append({**item, "item": inner} if inner else item)
        return found

    def module(self, wanted: str, names: Names, holder: Json, path: tuple[str, ...]) -> list[Json]:
        if wanted in path:
            raise FormRefused([Refusal("", "cycle", f"the modules go in a circle: {' → '.join([*path, wanted])}")])
        self.used += 1
        if self.used > MAX_MODULES:
            raise FormRefused([Refusal("", "too-many-modules", f"more than {MAX_MODULES} modules")])
        raw = self.found(wanted)
        takes = {str(value) for value in ext.values(ext.of(raw), "assembleContext")}
        known = {name: value for name, value in names.items() if name in takes}
        module = _renamed(_filled(copy.deepcopy(raw), known), known)
        self.adopt(module, holder)
        return self.items(module, known, holder, (*path, wanted))

    def found(self, wanted: str) -> Json:
        bare = wanted.split("|", maxsplit=1)[0]
        for key in (wanted, bare, f"Questionnaire/{bare}", bare.rsplit("/", 1)[-1]):
            if key in self.registry:
                return self.registry[key]
        raise FormRefused([Refusal("", "sub-questionnaire", f"the questionnaire {wanted} is not at hand")])

    def adopt(self, module: Json, holder: Json) -> None:
        """What the head of a module says goes to the form, or to the item that takes its questions in."""
        up = [e for e in module.get("extension") or [] if ext.short_name(e.get("url", "")) in TO_PARENT]
        rest = [
            e for e in module.get("extension") or [] if ext.short_name(e.get("url", "")) not in TO_PARENT | LEFT_OUT
        ]
        self.for_root = _distinct([*self.for_root, *rest])
        if up:
            holder["extension"] = _distinct([*holder.get("extension", []), *up])
        known = {resource.get("id") for resource in self.contained}
        self.contained.extend(r for r in module.get("contained") or [] if r.get("id") not in known)


def _constants(element: Json, names: Names) -> dict[str, str]:
    """The variables of an element that are plain texts: `'patient-'`, or `%linkIdPrefix + 'name.'`."""
    found: dict[str, str] = {}
    for expression in ext.values(ext.of(element), "variable"):
        if not isinstance(expression, dict):
            continue
        name, text = expression.get("name"), expression.get("expression")
        if isinstance(name, str) and isinstance(text, str):
            value = _constant(text, {**names, **found})
            if value is not None:
                found[name] = value
    return found


def _constant(text: str, names: Names) -> str | None:
    try:
        program = fhirpath.compile(text)
        if not program.free_variables <= set(names):
            return None
        result = program.evaluate({}, dict(names), budget=fhirpath.Budget(steps=1000, size=10_000))
    except fhirpath.FhirPathError:
        return None
    return result[0] if len(result) == 1 and isinstance(result[0], str) else None


def _filled(value: Any, names: Names) -> Any:
    """Every {{%name}} in a text replaced by the value of that name."""
    if isinstance(value, str):
        return _HOLE.sub(lambda hole: names.get(hole[1], hole[0]), value) if "{{" in value else value
    if isinstance(value, list):
        return [_filled(one, names) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, names) for key, one in value.items()}
    return value


def _renamed(module: Json, names: Names) -> Json:
    """A module that takes linkIdPrefix has it put before every linkId, where conditions name them too."""
    prefix = names.get(PREFIX)
    if prefix is None:
        return module
    stack = list(module.get("item") or [])
    while stack:
        item = stack.pop()
        item["linkId"] = f"{prefix}{item.get('linkId')}"
        for condition in item.get("enableWhen") or []:
            condition["question"] = f"{prefix}{condition.get('question')}"
        stack.extend(item.get("item") or [])
    return module


def _distinct(extensions: list[Json]) -> list[Json]:
    found: list[Json] = []
    for extension in extensions:
        if extension not in found:
            found.append(extension)
    return found


def _profile(made: Json) -> None:
    profiles = (made.get("meta") or {}).get("profile")
    if isinstance(profiles, list) and MODULAR in profiles:
        made["meta"] = {**made["meta"], "profile": [ASSEMBLED if p == MODULAR else p for p in profiles]}
