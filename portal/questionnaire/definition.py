"""From a raw Questionnaire to a Form: read once, checked once, compiled once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import (
    admission,
    building,
    contradictions,
    derivation,
    foreign,
    graph,
    mending,
    paging,
    quoting,
    releases,
    undeclared,
)
from . import extensions as ext
from .extensions import Json
from .findings import Features, Findings
from .formulas import Formula, query
from .issues import FormRefused
from .items import Item
from .reach import Reach
from .valuesets import ValueSets
from .words import languages, localised

MAX_CACHES = 64


@dataclass(slots=True, eq=False)
class Form:
    """A Questionnaire that this engine honours. Share it between requests: nothing in it changes after `load`."""

    raw: Json
    root: Item
    all_items: list[Item]
    by_link: Mapping[str, Item]
    features: Features
    value_sets: ValueSets
    graph: graph.Graph
    layout: list[paging.PageLayout]
    languages: list[str]
    expected_names: frozenset[str]
    patient_names: frozenset[str]
    source_queries: Mapping[str, tuple[Formula, ...]]
    by_page: Mapping[str, paging.PageLayout]
    caches: dict[Any, Any] = field(default_factory=dict)
    _reach: Reach | None = None

    @property
    def reach(self) -> Reach:
        """What a changed answer can reach; surveyed when first asked for."""
        if self._reach is None:
            self._reach = Reach(self)
        return self._reach

    def page(self, key: str) -> paging.PageLayout | None:
        return self.by_page.get(key)

    def items_on(self, key: str) -> frozenset[Item]:
        """Every item that stands on a page, or around it."""
        known, layout = self.cache("items on"), self.by_page[key]
        if key not in known:
            inside = (item for root in layout.roots for item in (root, *root.descendants()))
            known[key] = frozenset((*inside, *layout.trail))
        found: frozenset[Item] = known[key]
        return found

    def cache(self, *key: str) -> dict[Any, Any]:
        """A store for what is the same for everyone; languages come from outside, so there are not endlessly many."""
        if len(self.caches) > MAX_CACHES:
            self.caches.clear()
        kept: dict[Any, Any] = self.caches.setdefault(key, {})
        return kept

    @property
    def url(self) -> str:
        return str(self.raw.get("url") or "")

    @property
    def version(self) -> str:
        return str(self.raw.get("version") or "")

    @property
    def canonical(self) -> str:
        """`url|version`, or the url alone when the form has no version, or "" when it has neither."""
        return f"{self.url}|{self.version}" if self.url and self.version else self.url

    @property
    def items(self) -> list[Item]:
        return self.root.children

    @property
    def language(self) -> str:
        return str(self.raw.get("language") or "")

    def title(self, lang: str = "") -> str:
        """Of a form without a title its name, else what its first part is called."""
        named = localised(self.raw, "title", lang) or str(self.raw.get("name") or "")
        first = (localised(item.raw, "text", lang) for item in self.items if item.is_group)
        return named or next(filter(None, first), self.url or str(self.raw.get("id") or ""))

    @property
    def in_order(self) -> bool:
        """Whether a page is asked only once those before it are done (SDC entryMode)."""
        return ext.value(self.root.extensions, "entryMode") in ("prior-edit", "sequential")

    def questions(self) -> Iterator[Item]:
        return (item for item in self.all_items if item.is_question)


def load(raw: object, *, registry: Mapping[str, Json] | None = None) -> Form:
    """Check and compile a Questionnaire. `registry` maps canonicals to ValueSets, CodeSystems and Questionnaires.

    A form of FHIR STU3 or R5 is read as the form of R4 that it says. Raises FormRefused with every reason found, each
    naming its item.
    """
    refusals = admission.refusals(raw)
    if refusals or not isinstance(raw, dict):
        raise FormRefused(refusals)
    raw, slips = mending.mended(raw)
    raw, written = releases.in_r4(raw)
    raw = quoting.quoted(raw)
    findings = Findings(written=written, defects=slips)
    if not raw.get("item"):
        findings.defect("", "no-items", "the form has no items: it asks nothing")
    value_sets = ValueSets(raw, registry or {})
    root, all_items = building.build(raw, findings)
    by_link = {item.link_id: item for item in all_items}
    building.connect(all_items, by_link, findings)
    foreign.refuse_deciding(all_items, by_link, findings)
    derivation.refuse_strays(raw, all_items, registry or {}, findings)
    drawn = graph.draw(root, all_items, by_link, findings)
    if findings.refusals:
        raise FormRefused(findings.refusals)
    value_sets.survey(all_items, findings)
    undeclared.note(root, all_items, launch_names(root) | source_queries(root).keys(), findings)
    contradictions.note(all_items, value_sets, findings)
    layout = paging.lay_out(root)
    return Form(
        raw=raw,
        root=root,
        all_items=all_items,
        by_link=by_link,
        features=findings.features(all_items, raw),
        value_sets=value_sets,
        graph=drawn,
        layout=layout,
        languages=languages(raw),
        expected_names=launch_names(root),
        patient_names=patient_names(root),
        source_queries=source_queries(root),
        by_page={page.key: page for page in layout},
    )


STANDARD_NAMES = frozenset({"patient", "user", "encounter", "location", "study", "sourceResource"})


def launch_names(root: Item) -> frozenset[str]:
    """The %names the form expects from outside: those it declares, and those SDC knows."""
    return STANDARD_NAMES | launch_types(root).keys()


def launch_types(root: Item) -> dict[str, frozenset[str]]:
    """The kinds of resource that each declared %name may be."""
    found: dict[str, frozenset[str]] = {}
    for extension in root.extensions.get("launchContext", ()):
        name = ext.part(extension, "name")
        code = name.get("code") if isinstance(name, dict) else name
        if isinstance(code, str):
            found[code] = frozenset(str(kind) for kind in ext.parts(extension, "type") if kind)
    return found


def patient_names(root: Item) -> frozenset[str]:
    """The %names of the patient, of whom there is always something to know."""
    return frozenset({"patient", *(name for name, kinds in launch_types(root).items() if kinds == {"Patient"})})


def source_queries(root: Item) -> dict[str, tuple[Formula, ...]]:
    """Name -> the queries of each contained Bundle that sourceQueries points to."""
    contained = {str(r.get("id")).lstrip("#"): r for r in root.raw.get("contained") or () if isinstance(r, dict)}
    found: dict[str, tuple[Formula, ...]] = {}
    for reference in ext.values(root.extensions, "sourceQueries"):
        name = str(reference.get("reference") if isinstance(reference, dict) else "").lstrip("#")
        urls = [
            str(entry["request"].get("url") or "")
            for entry in contained.get(name, {}).get("entry") or ()
            if isinstance(entry, dict) and isinstance(entry.get("request"), dict)
        ]
        found[name] = tuple(made for url in urls if (made := query(url)) is not None)
    return found
