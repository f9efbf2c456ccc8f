"""Fill in a form page by page: the engine decides, the draft keeps, nothing typed is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal.actors import Actor
from portal.audit.events import Event
from portal.clock import now
from portal.ehr import service as ehr
from portal.errors import Issue
from portal.intake import drafts, library, visits
from portal.intake.models import Draft, Visit
from portal.questionnaire import Context, Filling, populate

Answers = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Work:
    """A form as one patient has filled it so far. `version` counts the saves of its draft."""

    visit: Visit
    entry: library.Entry
    filling: Filling
    version: int
    touched: dict[str, int] = field(default_factory=dict)
    saved_at: datetime | None = None

    def seen(self, page_key: str) -> int:
        """The version of this page that is on screen, to be sent back with what is typed."""
        return self.touched.get(page_key, 0)


@dataclass(frozen=True)
class Saved:
    work: Work
    issues: list[Issue]
    stale: bool = False


def work(actor: Actor, visit: Visit, slug: str, language: str, max_age: timedelta) -> Work:
    """The form with its draft, or prefilled from the record when nothing was saved yet (nothing is written by looking)."""
    entry = library.entry(slug)
    context = _context(actor, visit, language, max_age)
    row = drafts.draft(visit, _task(entry))
    if row is None:
        return Work(visit, entry, Filling(entry.form, populate(entry.form, context), context), 0)
    return _of_draft(visit, entry, row, context)


def save_page(
    actor: Actor, visit_id: str, slug: str, page_key: str, answers: Answers, seen: int, language: str, max_age: timedelta
) -> Saved:
    """Keep the answers of one page, complete or not, and say what is still wrong on it.

    `stale` when the page was saved elsewhere since it was shown and the answers differ: nothing is written then.
    """
    current = work(actor, visits.visit(actor, visit_id), slug, language, max_age)
    kept: list[Filling] = []

    def change(row: Draft | None) -> dict[str, Any]:
        latest = _of_draft(current.visit, current.entry, row, current.filling.context) if row else current
        filled = latest.filling.answer(answers)
        document = filled.draft()
        if latest.touched.get(page_key, 0) > seen and row is not None and document != row.document["response"]:
            raise _Stale
        kept.append(filled)
        version = (row.version if row else 0) + 1
        return {
            "canonical": current.entry.form.canonical,
            "response": document,
            "touched": {**latest.touched, page_key: version},
            "complete": not filled.check(None),
        }

    try:
        row = drafts.save(actor, visit_id, _task(current.entry), change, Event.FORM_SAVED)
    except _Stale:
        latest = work(actor, current.visit, slug, language, max_age)
        filled = latest.filling.answer(answers)
        return Saved(Work(latest.visit, latest.entry, filled, latest.version, latest.touched), [], stale=True)
    saved = Work(current.visit, current.entry, kept[0], row.version, row.document["touched"], row.saved_at)
    return Saved(saved, list(kept[0].check(page_key)))


class _Stale(Exception):
    """Leaves the transaction without writing."""


def repeat(
    actor: Actor, visit_id: str, slug: str, page_key: str, *, add: str | None = None, remove: str | None = None,
    language: str, max_age: timedelta,
) -> None:
    """One more, or one fewer, of a repeating question or group."""
    current = work(actor, visits.visit(actor, visit_id), slug, language, max_age)

    def change(row: Draft | None) -> dict[str, Any]:
        latest = _of_draft(current.visit, current.entry, row, current.filling.context) if row else current
        filled = latest.filling.add(add) if add else latest.filling.remove(remove) if remove else latest.filling
        version = (row.version if row else 0) + 1
        return {
            "canonical": current.entry.form.canonical,
            "response": filled.draft(),
            "touched": {**latest.touched, page_key: version},
            "complete": False,
        }

    drafts.save(actor, visit_id, _task(current.entry), change, Event.FORM_SAVED)


def _of_draft(visit: Visit, entry: library.Entry, row: Draft, context: Context) -> Work:
    filling = Filling(entry.form, row.document["response"], context)
    return Work(visit, entry, filling, row.version, row.document["touched"], row.saved_at)


def _task(entry: library.Entry) -> str:
    return f"form:{entry.slug}"


def _context(actor: Actor, visit: Visit, language: str, max_age: timedelta) -> Context:
    reading = ehr.read(actor, visit.patient_id, ehr.Kind.PATIENT, max_age=max_age)
    launch = {"patient": reading.resources[0]} if reading.resources else {}
    return Context(now=now(), launch=launch, language=language)
