"""Fill in a form page by page: the engine decides, the draft keeps, nothing typed is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal.actors import Actor
from portal.audit.events import Event
from portal.clock import now
from portal.ehr import service as ehr
from portal.errors import NotFound
from portal.intake import drafts, library, visits
from portal.intake.models import Draft, Visit
from portal.questionnaire import Context, Filling, Issue, Page, Row, populate

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
class Difference:
    """One question whose answer was saved elsewhere since the page was shown: what stands there, and what came here."""

    question: str
    there: str
    here: str


@dataclass(frozen=True)
class Saved:
    work: Work
    issues: list[Issue]
    elsewhere: list[Difference] = field(default_factory=list)

    @property
    def stale(self) -> bool:
        return bool(self.elsewhere)


def work(actor: Actor, visit: Visit, slug: str, language: str, max_age: timedelta) -> Work:
    """The form with its draft, or prefilled from the record when nothing was saved yet (nothing is written by looking)."""
    entry = library.entry(slug)
    context = _context(actor, visit, language, max_age)
    row = drafts.draft(visit, _task(entry))
    if row is None:
        return Work(visit, entry, Filling(entry.form, populate(entry.form, context), context), 0)
    return _of_draft(visit, entry, row, context)


def save_page(
    actor: Actor,
    visit_id: str,
    slug: str,
    page_key: str,
    answers: Answers,
    seen: int,
    language: str,
    max_age: timedelta,
    *,
    repeat: tuple[str, str] | None = None,
) -> Saved:
    """Keep the answers of one page, complete or not, and say what is still wrong on it.

    `repeat` is ("add" | "remove", name): one more or one fewer of a repeating question or group.

    `elsewhere` when the page was saved elsewhere since it was shown and the answers differ: nothing is written then.
    """
    current = work(actor, visits.visit(actor, visit_id), slug, language, max_age)
    kept: list[Filling] = []

    def change(row: Draft | None) -> dict[str, Any]:
        latest = _of_draft(current.visit, current.entry, row, current.filling.context) if row else current
        filled = _repeated(latest.filling.answer(answers), repeat)
        document = filled.draft()
        if latest.touched.get(page_key, 0) > seen and _differences(latest.filling, filled, page_key):
            raise _Stale
        kept.append(filled)
        version = (row.version if row else 0) + 1
        return {
            "canonical": current.entry.form.canonical,
            "response": document,
            "touched": {**latest.touched, page_key: version},
            "complete": not _errors(filled.check(None)),
        }

    try:
        row = drafts.save(actor, visit_id, _task(current.entry), change, Event.FORM_SAVED)
    except _Stale:
        latest = work(actor, current.visit, slug, language, max_age)
        filled = latest.filling.answer(answers)
        differing = _differences(latest.filling, filled, page_key)
        return Saved(Work(latest.visit, latest.entry, filled, latest.version, latest.touched), [], differing)
    saved = Work(current.visit, current.entry, kept[0], row.version, row.document["touched"], row.saved_at)
    return Saved(saved, _errors(kept[0].check(page_key)))


class _Stale(Exception):
    """Leaves the transaction without writing."""


def _errors(found: list[Issue]) -> list[Issue]:
    """What must be mended; warnings never keep anybody from going on."""
    return [issue for issue in found if issue.severity == "error"]


def _differences(there: Filling, here: Filling, page_key: str) -> list[Difference]:
    before = {row.name: row for section in there.summary() for row in section.rows if row.page_key == page_key}
    after = {row.name: row for section in here.summary() for row in section.rows if row.page_key == page_key}
    return [
        Difference(row.question, _words(before.get(name)), _words(after.get(name)))
        for name, row in {**before, **after}.items()
        if _words(before.get(name)) != _words(after.get(name))
    ]


def _words(row: Row | None) -> str:
    return ", ".join(row.answers) if row else ""


def _repeated(filling: Filling, repeat: tuple[str, str] | None) -> Filling:
    if repeat is None:
        return filling
    verb, name = repeat
    return filling.add(name) if verb == "add" else filling.remove(name)


def page(work: Work, page_key: str) -> Page:
    """A page of the form that applies to this patient; NotFound for any other."""
    found = next((each for each in work.filling.pages if each.key == page_key), None)
    if found is None:
        raise NotFound
    return found


def page_after(work: Work, page_key: str) -> str | None:
    """The page that follows as the answers stand now, or None after the last."""
    keys = [each.key for each in work.filling.pages]
    place = keys.index(page_key) + 1 if page_key in keys else 0
    return keys[place] if place < len(keys) else None


def first_open(work: Work) -> str:
    """The first page that was not saved yet or is not complete, or the first of all."""
    keys = [each.key for each in work.filling.pages]
    return next((key for key in keys if key not in work.touched or _errors(work.filling.check(key))), keys[0])


def _of_draft(visit: Visit, entry: library.Entry, row: Draft, context: Context) -> Work:
    filling = Filling(entry.form, row.document["response"], context)
    return Work(visit, entry, filling, row.version, row.document["touched"], row.saved_at)


def _task(entry: library.Entry) -> str:
    return f"form:{entry.slug}"


def _context(actor: Actor, visit: Visit, language: str, max_age: timedelta) -> Context:
    reading = ehr.read(actor, visit.patient_id, ehr.Kind.PATIENT, max_age=max_age)
    launch = {"patient": reading.resources[0]} if reading.resources else {}
    return Context(now=now(), launch=launch, language=language)
