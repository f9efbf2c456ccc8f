"""Confirm what the clinic has: each fact with its source, what the patient says of it, and what is missing."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from portal.actors import Actor
from portal.audit.events import Event
from portal.clock import now
from portal.ehr import facts as record_facts
from portal.ehr import service as ehr
from portal.errors import Issue, NotFound
from portal.fhir.values import Say, plain
from portal.intake import differing, drafts, pace, visits
from portal.intake.models import Draft, Visit
from portal.intake.sections import ANSWERS, ORDER, SECTIONS, Section, after

TASK = "facts"
MOST_ADDED = 30
KINDS = {
    "contact": ehr.Kind.PATIENT,
    "medication": ehr.Kind.MEDICATIONS,
    "allergy": ehr.Kind.ALLERGIES,
    "condition": ehr.Kind.CONDITIONS,
}


@dataclass(frozen=True)
class FactLine:
    """One fact of the record and what the patient says of it. `name` is its field's name, stable while the fact exists.

    `fact` is what is kept, in English; `label` and `detail` are the same in the reader's language.
    """

    name: str
    fact: dict[str, Any]
    label: str
    detail: str
    answer: str | None = None
    change: str = ""


@dataclass(frozen=True)
class Added:
    what: str
    more: str = ""


@dataclass(frozen=True)
class SectionPage:
    """Everything a confirm page shows. `state` is known, none or could-not-look; `any` is "yes", "none" or not answered."""

    section: Section
    state: str
    read_at: datetime | None
    source: str
    reason: str
    caveat: str
    lines: list[FactLine]
    added: list[Added]
    any: str | None
    version: int
    done: bool

    @property
    def asks_any(self) -> bool:
        return not self.lines

    @property
    def number(self) -> int:
        """Which of the pages this is, of `total`."""
        return ORDER.index(self.section.key) + 1

    @property
    def total(self) -> int:
        return len(ORDER)


@dataclass(frozen=True)
class Said:
    """What a post says: answers and changes by field name, added rows, and the yes/none question."""

    answers: dict[str, str] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    added: list[Added] = field(default_factory=list)
    any: str | None = None


@dataclass(frozen=True)
class Saved:
    page: SectionPage
    issues: list[Issue]
    stale: bool = False


def page(actor: Actor, visit: Visit, key: str, max_age: timedelta, say: Say = plain) -> SectionPage:
    """The section as the record has it now, with what this patient has said so far; `say` puts our own words into a language."""
    section = SECTIONS.get(key)
    if section is None:
        raise NotFound
    reading = ehr.read(actor, visit.patient_id, KINDS[key], max_age=max_age)
    said = _said(drafts.draft(visit, TASK), key)
    told = record_facts.facts(KINDS[key], reading.resources, reading.beside, say)
    lines = [_line(fact, shown, said) for fact, shown in zip(_shown(key, reading), told, strict=True)]
    return SectionPage(
        section=section,
        state="known" if lines else "none" if reading.looked and reading.complete else "could-not-look",
        read_at=reading.read_at,
        source=reading.source,
        reason=reading.sentence or "",
        caveat=reading.caveat,
        lines=lines,
        added=[Added(**row) for row in said.get("added", [])],
        any=said.get("any"),
        version=said.get("version", 0),
        done=bool(said.get("done")),
    )


def save(
    actor: Actor,
    visit_id: str,
    key: str,
    said: Said,
    seen: int,
    max_age: timedelta,
    say: Say = plain,
    turn: pace.Turn = pace.UNKNOWN,
) -> Saved:
    """Keep what was said, complete or not; `stale` when another tab or device said something else meanwhile."""
    shown = with_said(page(actor, visits.visit(actor, visit_id), key, max_age, say), said)
    issues = check(shown)
    entry = _entry(shown, done=not issues)
    stale: list[int] = []

    def change(row: Draft | None) -> dict[str, Any]:
        document = dict(row.document) if row else {"sections": {}}
        before = document["sections"].get(key, {})
        version = before.get("version", 0)
        if version > seen and differing.without_said(before) != differing.without_said(entry):
            stale.append(version)
            raise _Stale
        kept = differing.with_said(actor, before, entry, now().isoformat())
        place = pace.Place(key, key if issues else after(key))
        note = pace.after(document.get(pace.NOTE), turn, place, row.saved_at if row else None, now())
        return {
            **document,
            "sections": {**document["sections"], key: {**kept, "version": version + 1}},
            pace.NOTE: note,
        }

    try:
        drafts.save(actor, visit_id, TASK, change, Event.FACTS_SAVED)
    except _Stale:
        return Saved(replace(shown, version=stale[0]), issues, stale=True)
    return Saved(shown, issues)


class _Stale(Exception):
    """Leaves the transaction without writing."""


def with_said(shown: SectionPage, said: Said) -> SectionPage:
    """The page as just posted; answers to facts that are not on it are ignored."""
    lines = [
        replace(line, answer=said.answers.get(line.name), change=said.changes.get(line.name, "").strip())
        for line in shown.lines
    ]
    added = [row for row in said.added if row.what.strip() or row.more.strip()][:MOST_ADDED]
    return replace(shown, lines=lines, added=added, any=said.any if shown.asks_any else None)


def check(shown: SectionPage) -> list[Issue]:
    """What is still to say on this page."""
    issues = [issue for line in shown.lines for issue in _line_issues(line)]
    if shown.asks_any and shown.any not in {"yes", "none", "unsure"}:
        issues.append(Issue("any", "required", "Choose an answer"))
    if shown.any == "yes" and not shown.added:
        issues.append(Issue("added-0", "required", "Write it below, or choose another answer"))
    return issues + [
        Issue(f"added-{place}", "required", "Write what it is")
        for place, row in enumerate(shown.added)
        if not row.what.strip()
    ]


def _line_issues(line: FactLine) -> list[Issue]:
    if line.answer not in ANSWERS:
        return [Issue(line.name, "required", "Choose an answer for %(what)s", {"what": line.label})]
    if line.answer == "changed" and not line.change:
        return [Issue(f"{line.name}-change", "required", "Write what changed for %(what)s", {"what": line.label})]
    return []


def progress(document: dict[str, Any] | None) -> tuple[int, int]:
    """How many sections are done, of how many."""
    sections = (document or {}).get("sections", {})
    return sum(1 for key in ORDER if sections.get(key, {}).get("done")), len(ORDER)


def first_open(visit: Visit) -> str:
    """The first section that is not done, or the first of all."""
    row = drafts.draft(visit, TASK)
    sections = row.document["sections"] if row else {}
    return next((key for key in ORDER if not sections.get(key, {}).get("done")), ORDER[0])


@dataclass(frozen=True)
class SectionSummary:
    """A section on the check page; `lines` are what the patient said of each fact, `added` what they added."""

    section: Section
    done: bool
    any: str | None
    lines: list[dict[str, Any]]
    added: list[dict[str, str]]


def summary(visit: Visit) -> list[SectionSummary]:
    row = drafts.draft(visit, TASK)
    said = row.document["sections"] if row else {}
    return [
        SectionSummary(
            section=section,
            done=bool(said.get(key, {}).get("done")),
            any=said.get(key, {}).get("any"),
            lines=said.get(key, {}).get("lines", []),
            added=said.get(key, {}).get("added", []),
        )
        for key, section in SECTIONS.items()
    ]


def submitted(document: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The facts and the sections of a submission (see Submission.document)."""
    facts, sections = [], {}
    for key in ORDER:
        entry = document["sections"][key]
        facts += entry["lines"] + [_added(key, place, row) for place, row in enumerate(entry["added"], start=1)]
        sections[key] = {
            "state": entry["state"],
            "read_at": entry["read_at"],
            "any": entry["any"],
            "none_said_by_patient": entry["any"] == "none",
        }
    return facts, sections


def _added(kind: str, place: int, row: dict[str, str]) -> dict[str, Any]:
    return {
        "key": f"new-{kind}-{place}",
        "kind": kind,
        "label": row["what"],
        "detail": row["more"],
        "source": None,
        "answer": "added",
        "change": {"text": row["what"], "more": row["more"]},
        "note": "",
    }


def _said(row: Draft | None, key: str) -> dict[str, Any]:
    said: dict[str, Any] = row.document["sections"].get(key, {}) if row else {}
    return said


def _shown(key: str, reading: ehr.Reading) -> list[dict[str, Any]]:
    read_at = reading.read_at.isoformat() if reading.read_at else None
    return [
        {
            "key": fact.key,
            "kind": key,
            "label": fact.label,
            "detail": fact.detail,
            "source": {
                "reference": fact.source.reference,
                "versionId": fact.source.version_id,
                "readAt": read_at,
                "resource": fact.resource,
            },
        }
        for fact in record_facts.facts(KINDS[key], reading.resources, reading.beside)
    ]


def _line(fact: dict[str, Any], shown: record_facts.Fact, said: dict[str, Any]) -> FactLine:
    before = next((line for line in said.get("lines", []) if line["key"] == fact["key"]), None)
    name = "f" + hashlib.sha256(fact["key"].encode()).hexdigest()[:10]
    if before is None:
        return FactLine(name, fact, shown.label, shown.detail)
    return FactLine(name, fact, shown.label, shown.detail, before["answer"], before["change"].get("text", ""))


def _entry(shown: SectionPage, *, done: bool) -> dict[str, Any]:
    return {
        "state": shown.state,
        "read_at": shown.read_at.isoformat() if shown.read_at else None,
        "lines": [
            {
                **line.fact,
                "answer": line.answer,
                "change": {"text": line.change} if line.answer == "changed" else {},
                "note": "",
            }
            for line in shown.lines
        ],
        "added": [{"what": row.what.strip(), "more": row.more.strip()} for row in shown.added],
        "any": shown.any,
        "done": done,
    }
