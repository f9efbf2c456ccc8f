"""Answers that cannot wait: the clinic's rules, as data, over a response; what is safe to do now, and why staff should look. Pure.

The same file says which results of forms need no closer look (portal/attention/results.py).

A rule is a FHIRPath condition over %resource (the response), %questionnaire and %asked (the linkIds of the questions that
have one of its codes), with words for staff and, unless showing them
could do harm (somebody may look over the shoulder of a person who is not safe), words for the patient. The rules that come
along are in rules.json beside this; a clinic's own file of the same shape stands in place of all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from portal import fhirpath
from portal.attention import results
from portal.attention.results import Finding
from portal.errors import Misconfigured
from portal.fhir import exact

Json = dict[str, Any]
OURS = Path(__file__).resolve().parent / "rules.json"
NOT_CHECKED = "A rule for urgent answers could not be checked here. Read the answers."


@dataclass(frozen=True)
class Rule:
    """`within`: codes or the url of forms it is about, any of them ((): every form). `patient` by language, {} for nothing."""

    key: str
    within: tuple[str, ...]
    when: fhirpath.Expression
    staff: str
    patient: Mapping[str, str]


@dataclass(frozen=True)
class Met:
    """A rule that holds for a response, in words: for staff, and for the patient ("": nothing is shown to them)."""

    key: str
    staff: str
    patient: str
    links: tuple[str, ...] = ()
    """the linkIds of the questions it is about"""


@dataclass(frozen=True)
class Rules:
    rules: tuple[Rule, ...]
    numbers: Mapping[str, str]
    known: tuple[results.Known, ...] = ()

    def finding(self, entry: Json, patient: Json, at: datetime) -> Finding:
        """Whether an entry that a form makes may be taken over without a closer look, and why not."""
        return results.finding(self.known, entry, patient, at)

    def about(self, form: Json) -> bool:
        """Whether any of them has to do with this form: most forms need not be looked at."""
        asked = _asked(form) if self.rules else {}
        return any(not rule.within or any(name in asked for name in rule.within) for rule in self.rules)

    def met(self, form: Json, response: Json, language: str, at: datetime) -> list[Met]:
        """Those that hold. One that cannot be worked out counts for staff, without words for the patient."""
        asked = _asked(form) if self.rules else {}
        found = []
        for rule in self.rules:
            links = sorted({link for name in rule.within for link in asked.get(name, ())})
            if links or not rule.within:
                found.append(
                    self._met(rule, {"resource": response, "questionnaire": form, "asked": links}, language, at)
                )
        return [each for each in found if each is not None]

    def _met(self, rule: Rule, given: Json, language: str, at: datetime) -> Met | None:
        try:
            found = rule.when.evaluate(given["resource"], given, now=at)
        except fhirpath.FhirPathError:
            return Met(rule.key, NOT_CHECKED, "", tuple(given["asked"]))
        if found != [True]:
            return None
        words = _said(rule.patient, language)
        numbers = _said(self.numbers, language)
        return Met(rule.key, rule.staff, words.replace("%(numbers)s", numbers), tuple(given["asked"]))


def _said(by_language: Mapping[str, str], language: str) -> str:
    short = language.partition("-")[0]
    return by_language.get(language) or by_language.get(short) or by_language.get("en", "")


_LOOKED_AT: dict[int, tuple[Json, dict[str, tuple[str, ...]]]] = {}
"""What forms ask, while they are the very objects that were looked at."""


def _asked(form: Json) -> dict[str, tuple[str, ...]]:
    """The linkIds of a form by the codes of its questions; all of them by its url."""
    known = _LOOKED_AT.get(id(form))
    if known is None or known[0] is not form:
        if len(_LOOKED_AT) >= 128:
            _LOOKED_AT.clear()
        known = _LOOKED_AT[id(form)] = (form, _by_name(form))
    return known[1]


def _by_name(raw: Json) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    stack = list(raw.get("item") or [])
    while stack:
        item = stack.pop()
        codes = [str(code.get("code")) for code in item.get("code") or [] if isinstance(code, dict)]
        for name in (str(raw.get("url")), *codes):
            found.setdefault(name, []).append(str(item.get("linkId")))
        stack += item.get("item") or []
    return {name: tuple(links) for name, links in found.items()}


def rules(folder: Path | None, clinic: str) -> Rules:
    """The rules of a clinic (its slug): its own file in the folder, else ours. Misconfigured with the rule and the reason."""
    own = folder / f"{clinic}.json" if folder else None
    file = own if own is not None and own.is_file() else OURS
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(file: Path, _changed: int) -> Rules:
    try:
        raw = exact.loads(file.read_bytes())
        known = tuple(map(results.read, raw.get("results", ())))
        return Rules(tuple(_rule(each) for each in raw["rules"]), dict(raw["numbers"]), known)
    except (KeyError, TypeError, AttributeError, exact.UnreadableJson, fhirpath.FhirPathError) as wrong:
        raise Misconfigured(f"The rules for urgent answers in {file.name} cannot be used: {wrong}") from wrong


def _rule(raw: Json) -> Rule:
    try:
        compiled = fhirpath.compile(raw["when"], fhirpath.R4)
    except fhirpath.FhirPathError as wrong:
        raise Misconfigured(f"The rule {raw.get('key')!r} for urgent answers: {wrong}") from wrong
    return Rule(
        str(raw["key"]), tuple(raw.get("in") or ()), compiled, str(raw["staff"]), dict(raw.get("patient") or {})
    )


def check(folder: Path | None) -> None:
    """Every file of the folder can be used. Misconfigured otherwise, so that a start stops before a patient is missed."""
    if folder is not None and not folder.is_dir():
        raise Misconfigured(f"PREVISIT_ATTENTION is not a folder: {folder}")
    for file in (OURS, *sorted(folder.glob("*.json") if folder else ())):
        _read(file, file.stat().st_mtime_ns)
