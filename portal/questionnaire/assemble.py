"""One form out of several ($assemble): items that name another questionnaire are replaced by that one's items."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from portal import fhirpath

from . import extensions as ext
from . import releases
from .assemble_prefix import PREFIX, contained_in, filled, queries, renamed, repoint
from .extensions import Json
from .issues import FormRefused, Refusal
from .library import completed

MAX_MODULES = 200
SUFFIX = "-assembled"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
ASSEMBLED_FROM = f"{_SDC}assembledFrom"
MODULAR = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-modular"
ASSEMBLED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire"
_EXTRACTION = "definitionExtract definitionExtractValue templateExtract templateExtractBundle templateExtractContext extractAllocateId"
TO_PARENT = frozenset(
    {
        "itemPopulationContext",
        "variable",
        "targetConstraint",
        "constraint",
        "itemExtractionContext",
        *_EXTRACTION.split(),
    }
)
"""Extensions of a module that go to the item its questions are put into."""
TO_ROOT = frozenset(
    {
        "cqf-library",
        "launchContext",
        "observationExtract",
        "observation-extract-category",
        "observationLinkPeriod",
        "sourceQueries",
        "targetStructureMap",
    }
)
"""Of the extensions of HL7 those that go to the form; all others say something of the module alone."""
ONE_ONLY = frozenset({"itemPopulationContext", "itemExtractionContext"})
"""Of these an item has one at most: two modules that bring different ones contradict each other."""

Names = Mapping[str, str | None]
"""The variables in reach; the text of those that are plain texts, None for the others."""


def assemble(raw: Json, registry: Mapping[str, Json]) -> Json:
    """The form with every subQuestionnaire put in its place, in modules of modules too.

    `registry` maps canonicals (with or without version) and references (Questionnaire/id or id) to Questionnaires, and
    canonicals to the StructureDefinitions that items take their words and types from.
    Raises FormRefused when a module cannot be found, goes in a circle, or contradicts what it is put into.
    """
    raw, _ = releases.in_r4(raw)
    made = copy.deepcopy(raw)
    work = _Assembly(registry, made)
    items = work.items(made, dict.fromkeys(_context_names(made)), made, ())
    if items:
        made["item"] = items
    own = [e for e in (_expected(one, bool(work.used)) for one in ext.inner(made)) if e is not None]
    extensions = _distinct([*own, *work.for_root])
    named = [work.canonical(raw) if raw.get("url") else raw.get("id")] if work.used else []
    extensions += [{"url": ASSEMBLED_FROM, "valueCanonical": one} for one in work.sources or named if one]
    if extensions or "extension" in made:
        made["extension"] = extensions
    if work.contained:
        made["contained"] = work.contained
    _profile(made)
    if work.used:
        _another(made)
    return made


def _another(made: Json) -> None:
    """An assembled form is another version than the one it was made of ($assemble, step 5), and its narrative no longer tells
    of it."""
    version = made.get("version")
    if isinstance(version, str) and version and not version.endswith(SUFFIX):
        made["version"] = f"{version}{SUFFIX}"
    made.pop("text", None)


def _refused(code: str, reason: str) -> FormRefused:
    return FormRefused([Refusal("", code, reason)])


class _Assembly:
    def __init__(self, registry: Mapping[str, Json], whole: Json) -> None:
        self.registry = registry
        self.language = str(whole.get("language") or "")
        self.for_root: list[Json] = [*ext.of(whole).get("launchContext", ())]
        self.contained: list[Json] = contained_in(whole)
        self.sources: dict[str, None] = {}
        self.used = 0

    def canonical(self, raw: Json) -> str:
        return f"{raw['url']}|{raw['version']}" if raw.get("version") else str(raw["url"])

    def items(self, owner: Json, names: Names, holder: Json, path: tuple[str, ...]) -> list[Json]:
        """The items of a form or item with modules put in; what belongs to their parent is added to `holder`."""
        found: list[Json] = []
        names = {**names, **_declared(owner, names)}
        for raw in owner.get("item") or []:
            item = completed(raw, self.registry)
            wanted = ext.value(ext.of(item), "subQuestionnaire")
            if isinstance(wanted, str) and not item.get("item"):
                found.extend(self.placed(item, wanted, {**names, **_declared(item, names)}, holder, path))
            else:
                inner = self.items(item, names, item, path)
                found.append({**item, "item": inner} if inner else item)
        return found

    def placed(self, item: Json, wanted: str, names: Names, holder: Json, path: tuple[str, ...]) -> list[Json]:
        """A module's items in place of the item that names it, or as the parts of one that says more than that."""
        around = _around(item)
        if around is None:
            return self.module(wanted, names, holder, path)
        around["item"] = self.module(wanted, names, around, path)
        return [around]

    def module(self, wanted: str, names: Names, holder: Json, path: tuple[str, ...]) -> list[Json]:
        if wanted in path:
            raise _refused("cycle", f"the modules go in a circle: {' → '.join([*path, wanted])}")
        self.used += 1
        if self.used > MAX_MODULES:
            raise _refused("too-many-modules", f"more than {MAX_MODULES} modules")
        raw = self.found(wanted)
        takes = {str(value) for value in ext.values(ext.of(raw), "assembleContext")}
        self.suits(raw, wanted, sorted(takes - set(names)))
        known = {name: value for name, value in names.items() if name in {*takes, PREFIX} and value is not None}
        module = filled(renamed(copy.deepcopy(raw), known.get(PREFIX)), known)
        self.adopt(module, holder, wanted)
        if raw.get("url"):
            self.sources.setdefault(self.canonical(raw))
        return self.items(module, names, holder, (*path, wanted))

    def found(self, wanted: str) -> Json:
        bare = wanted.split("|", maxsplit=1)[0]
        for key in (wanted, bare, f"Questionnaire/{bare}", bare.rsplit("/", 1)[-1]):
            if key in self.registry:
                return releases.in_r4(self.registry[key])[0]
        raise _refused("sub-questionnaire", f"the questionnaire {wanted} is not at hand")

    def suits(self, module: Json, wanted: str, lacking: list[str]) -> None:
        """What a module may not bring, and must be given."""
        if lacking:
            raise _refused(
                "assemble-context", f"{wanted} needs %{', %'.join(lacking)}, which nothing around it declares"
            )
        for name in ("implicitRules", "modifierExtension"):
            if module.get(name):
                raise _refused("module", f"{wanted} has {name}, which a module may not have")
        language = str(module.get("language") or "")
        if language and language != self.language:
            raise _refused("module", f"{wanted} is in the language {language}, the form in {self.language or 'none'}")

    def adopt(self, module: Json, holder: Json, wanted: str) -> None:
        """What the head of a module says goes to the form, or to the item that takes its questions in."""
        self.take_contained(module)
        listed = ext.inner(module)
        up = [e for e in listed if ext.short_name(str(e.get("url"))) in TO_PARENT]
        rest = [e for e in listed if (name := ext.short_name(str(e.get("url")))) in TO_ROOT or ":" in name]
        _same_launch([*self.for_root, *rest], wanted)
        self.for_root = _distinct([*self.for_root, *rest])
        if up:
            holder["extension"] = _distinct([*ext.inner(holder), *up])
            _agree(holder["extension"], wanted)

    def take_contained(self, module: Json) -> None:
        """Contained resources join the form's; one of another content under the same id gets an id of its own."""
        for resource in contained_in(module):
            if not isinstance(resource.get("id"), str):
                continue  # nothing can refer to it
            known = {str(one.get("id")): one for one in self.contained}
            identity = str(resource.get("id"))
            if known.get(identity) == resource:
                continue
            if identity in known and identity in queries(module):
                raise _refused("module", f"there are two searches under the name {identity}")
            number = 1
            while (fresh := identity if number == 1 else f"{identity}-{number}") in known:
                number += 1
            if fresh != identity:
                repoint(module, {identity: fresh})
            self.contained.append({**resource, "id": fresh})


def _around(item: Json) -> Json | None:
    """A placeholder that says when its module applies, or how often: it stays, as the group around the module's items."""
    group = item.get("type") == "group"
    asked = item.get("enableWhen") or "enableWhenExpression" in ext.of(item)
    if not (asked or (group and (item.get("repeats") is True or item.get("required") is True))):
        return None
    rest = {key: held for key, held in item.items() if key != "extension" and (group or key not in ("text", "_text"))}
    listed = [e for e in item["extension"] if ext.short_name(str(e.get("url"))) != "subQuestionnaire"]
    return {**rest, "type": "group", **({"extension": listed} if listed else {})}


def _expected(extension: Json, assembled: bool) -> Json | None:
    """assemble-expectation afterwards: no longer to be assembled; None where nothing is left to say."""
    name = ext.short_name(str(extension.get("url") or ""))
    if name != "assemble-expectation":
        return None if name == "is-modular" and assembled else extension
    code = str(extension.get("valueCode") or "")
    if code == "assemble-root":
        return None
    return {**extension, "valueCode": code.replace("assemble-", "independent-", 1)}


def _context_names(raw: Json) -> list[str]:
    return [_context_name(extension) for extension in ext.of(raw).get("launchContext", ())]


def _context_name(extension: Json) -> str:
    name = ext.part(extension, "name")
    return str(name.get("code") if isinstance(name, dict) else name)


def _declared(element: Json, names: Names) -> dict[str, str | None]:
    """The variables of an element, with the texts of those that are plain: `'patient-'`, or `%linkIdPrefix + 'name.'`."""
    found: dict[str, str | None] = {}
    extensions = ext.of(element)
    for name in ("variable", "itemPopulationContext", "candidateExpression"):
        for expression in ext.values(extensions, name):
            called = expression.get("name") if isinstance(expression, dict) else None
            if isinstance(called, str):
                text = expression.get("expression") if name == "variable" else None
                found[called] = _constant(text, {**names, **found}) if isinstance(text, str) else None
    return found


def _agree(extensions: list[Json], wanted: str) -> None:
    """Two variables of one name, or two contexts, in one place: which one counts cannot be told."""
    seen: set[str] = set()
    for extension in extensions:
        name = ext.short_name(str(extension.get("url")))
        value = ext.value_of(extension)
        called = value.get("name") if isinstance(value, dict) else ""
        key = name if name in ONE_ONLY else f"variable {called}" if name == "variable" and called else ""
        if key and key in seen:
            raise _refused("module", f"with {wanted}, one item has {key} twice")
        seen.add(key)


def _same_launch(extensions: list[Json], wanted: str) -> None:
    """A name from the launch means one kind of resource."""
    kinds: dict[str, frozenset[Any]] = {}
    for extension in extensions:
        if ext.short_name(str(extension.get("url"))) == "launchContext":
            name, types = _context_name(extension), frozenset(ext.parts(extension, "type"))
            if kinds.setdefault(name, types) != types:
                raise _refused("module", f"with {wanted}, %{name} is of another type than it was")


def _constant(text: str, names: Names) -> str | None:
    try:
        program = fhirpath.compile(text)
        if not all(isinstance(names.get(name), str) for name in program.free_variables):
            return None
        result = program.evaluate({}, dict(names), budget=fhirpath.Budget(steps=1000, size=10_000))
    except fhirpath.FhirPathError:
        return None
    return result[0] if len(result) == 1 and isinstance(result[0], str) else None


def _distinct(extensions: list[Json]) -> list[Json]:
    """Each once; launch contexts by their name, libraries by their canonical."""
    found: list[Json] = []
    keys: set[str] = set()
    for extension in extensions:
        key, name = "", ext.short_name(str(extension.get("url")))
        if name == "launchContext":
            key = f"{name} {_context_name(extension)}"
        elif name == "cqf-library":
            key = f"{name} {str(ext.value_of(extension)).partition('|')[0]}"
        if extension not in found and key not in keys:
            found.append(extension)
            keys |= {key} - {""}
    return found


def _profile(made: Json) -> None:
    profiles = (made.get("meta") or {}).get("profile")
    if isinstance(profiles, list) and MODULAR in profiles:
        made["meta"] = {**made["meta"], "profile": [ASSEMBLED if p == MODULAR else p for p in profiles]}
