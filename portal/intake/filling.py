"""Fill in a form page by page: the engine decides, the draft keeps, nothing typed is lost."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from portal.actors import Actor, system
from portal.audit.events import Event
from portal.clock import now
from portal.errors import Conflict, NotFound
from portal.fhir import exact
from portal.intake import drafts, held, library, pace, recorded, visits
from portal.intake.models import Visit
from portal.library import service as forms
from portal.questionnaire import Context, Filling, Issue, Page, Row, confirmed, migrate, origin, populate, signing

Answers = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Work:
    """A form as one patient has filled it so far. `version` counts the saves of its draft."""

    visit: Visit
    entry: library.Entry
    filling: Filling
    version: int
    touched: frozenset[str] = frozenset()
    saved_at: datetime | None = None
    moved: bool = False
    """whether the draft comes from an older version of the form and was not saved since"""
    again: frozenset[str] = frozenset()
    """linkIds that were new or different when the draft moved over to this version"""
    signed: signing.Signed | None = None
    """the signature, while the answers are those that were signed"""
    draft_id: str = ""
    """where the answers are stored, when they are exactly these"""
    unsaved: tuple[str, object] = ("", None)
    """of a form that is only filled in from the record: where it may be held, and the state of the record"""

    @property
    def unsigned(self) -> bool:
        """Whether a signature is asked for and not there."""
        return self.signed is None and bool(signing.needed(self.entry.form))

    def to_answer_again(self, language: str) -> list[str]:
        """The questions that the clinic has changed and that have not been gone through since."""
        return [row.question for row in self._again(language) if row.page_key not in self.touched]

    def _again(self, language: str) -> list[Row]:
        rows = [row for section in self.filling.summary(language) for row in section.rows] if self.again else []
        return [row for row in rows if row.link_id in self.again and not row.read_only]


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
    there: Filling | None = None
    """what is stored, when something else was saved elsewhere"""

    @property
    def stale(self) -> bool:
        return bool(self.elsewhere)


def work(actor: Actor, visit: Visit, slug: str, language: str, max_age: timedelta) -> Work:
    """The form with its draft, or prefilled from the record when nothing was saved yet (nothing is written by looking)."""
    rows = drafts.of_visit(visit)
    entry = library.entry(actor, visit, slug, rows)
    return _work(recorded.Recorded(actor, visit, language, max_age), entry, rows.get(library.task(slug)))


def works(actor: Actor, visit: Visit, language: str, max_age: timedelta) -> list[Work]:
    """Every form that this visit sends: those that must be answered, and those that were begun."""
    rows, record = drafts.of_visit(visit), recorded.Recorded(actor, visit, language, max_age)
    asked = [(each, rows.get(library.task(each.slug))) for each in library.entries(actor, visit, rows)]
    return [_work(record, entry, row) for entry, row in asked if entry.required or is_begun(row)]


def is_begun(row: drafts.Kept | None) -> bool:
    """Whether there is something to send: a form that was begun and then left out is kept, and not sent."""
    return row is not None and not row.document.get("left_out")


def leave_out(actor: Actor, visit_id: str, slug: str) -> None:
    """What was typed stays here and is not sent; the next time something is saved in the form it counts again.

    Conflict for a form that must be answered.
    """
    visit = visits.visit(actor, visit_id)
    if library.entry(actor, visit, slug, drafts.of_visit(visit)).required:
        raise Conflict

    def change(row: drafts.Kept | None) -> dict[str, Any]:
        if row is None:
            raise NotFound
        return {**row.document, "left_out": True}

    drafts.save(actor, visit_id, library.task(slug), change, Event.FORM_SAVED)


def _work(record: recorded.Recorded, entry: library.Entry, row: drafts.Kept | None) -> Work:
    if row is not None:
        return _of_draft(record.actor, record.visit, entry, row, record.context)
    form, context = entry.form, record.context
    place = f"{record.visit.id}/{entry.slug}/{record.actor.account_id}/{record.actor.role}"
    state = record.standing(form)
    filling = held.take(place, state, form, context)
    if filling is None:
        filling = Filling(form, populate(form, context), context)
        state = record.standing(form)  # now that it was looked at
    return Work(record.visit, entry, filling, 0, unsaved=(place, state))


def is_complete(visit: Visit, entry: library.Entry, row: drafts.Kept) -> bool:
    """Whether nothing is left to answer in a draft. One that moves over to a new version is looked through anew."""
    if entry.before is None:
        return bool(row.document.get("complete"))
    context = Context(now=now(), terminology=forms.KeptLists(visit.clinic_id))
    moved = _of_draft(system(visit.clinic_id), visit, entry, row, context)
    return not moved.to_answer_again("") and not moved.unsigned and not _errors(moved.filling.check(None))


def save_page(
    actor: Actor,
    work: Work,
    page_key: str,
    answers: Answers,
    seen: Mapping[str, str],
    *,
    repeat: tuple[str, str] | None = None,
    turn: pace.Turn = pace.UNKNOWN,
) -> Saved:
    """Keep the answers of one page, complete or not, and say what is still wrong on it. `work` is used up.

    `repeat` is ("add" | "remove", name): one more or one fewer of a repeating question or group.

    What was filled in from the record becomes this person's own word when they go on from the page with it, or change it.

    `seen` is the digest of each question's answers as the page showed them: what was changed elsewhere since, and was not
    changed here, stays; `elsewhere` names what was changed in both places: nothing is written then.
    """
    kept: list[Work] = []
    wrong: list[Issue] = []

    def change(row: drafts.Kept | None) -> dict[str, Any]:
        latest = work
        if _overtaken(row, work):
            latest = _of_draft(actor, work.visit, work.entry, row, work.filling.context)
        mine, clashes = _merged(latest.filling, answers, seen)
        if clashes:
            raise _Clash(latest, latest.filling.answer(answers), clashes)
        said = mine if turn.goes_on else _said(latest.filling, mine)
        touches = pace.touches(latest.filling, {name: here for name, here in answers.items() if name in said})
        latest.filling.put(said, editing=not turn.goes_on)
        _repeat(latest.filling, repeat)
        signed = _while_intact(latest.filling, latest.signed)
        gone_through = {page_key} if turn.goes_on or len(said) == len(mine) else set()
        kept.append(replace(latest, touched=latest.touched | gone_through, signed=signed))
        wrong.extend(_errors(latest.filling.check(page_key)))
        place = pace.Place(page_key, page_after(latest, page_key))
        fields = [pace.field(latest.filling, issue.name) for issue in wrong]
        before = row.document.get(pace.NOTE) if row else None
        note = pace.after(before, turn, place, row.saved_at if row else None, now(), touches, fields)
        withdrawn = {"withdrawn": row.document["withdrawn"]} if row and "withdrawn" in row.document else {}
        return {**document(kept[0]), **withdrawn, pace.NOTE: note}

    try:
        row = drafts.save(actor, work.visit.id, library.task(work.entry.slug), change, Event.FORM_SAVED)
    except _Clash as clash:
        shown = replace(clash.there, filling=clash.here, draft_id="", unsaved=("", None))
        return Saved(shown, [], _differences(clash), clash.there.filling)
    entry = replace(work.entry, before=None)
    saved = replace(kept[0], entry=entry, version=row.version, saved_at=row.saved_at, moved=False, draft_id=row.id)
    return Saved(saved, wrong)


def _overtaken(row: drafts.Kept | None, work: Work) -> TypeGuard[drafts.Kept]:
    """Whether something was saved elsewhere since the work was opened."""
    return row is not None and (row.id, row.version) != (work.draft_id, work.version)


def put_away(work: Work) -> None:
    """Hold what was opened for the next request of the same person; `work` is used up."""
    place, state = (work.draft_id, work.version) if work.draft_id else work.unsaved
    if place and state is not None and work.entry.before is None:
        held.put(place, state, work.filling)


def document(work: Work) -> dict[str, Any]:
    """What is stored of a form as it stands, pinned to its version."""
    return {
        "canonical": work.entry.form.canonical,
        "version_id": work.entry.version_id,
        "response": exact.text(work.filling.draft_text()),
        "touched": sorted(work.touched),
        "complete": _all_seen(work) and not _errors(work.filling.check(None)) and not work.unsigned,
        "again": sorted(work.again),
        "signed": asdict(work.signed) if work.signed else None,
    }


def _all_seen(work: Work) -> bool:
    """Whether every page that applies has been saved once: a form of many pages is not done after its first."""
    return work.touched.issuperset(work.filling.keys)


class _Clash(Exception):
    """Leaves the transaction without writing: the same questions were answered differently in two places."""

    def __init__(self, there: Work, here: Filling, names: list[str]) -> None:
        self.there, self.here, self.names = there, here, names


def draft_of(visit: Visit, slug: str) -> dict[str, Any]:
    """The response as it is kept of this form; NotFound when nothing is kept."""
    if (row := drafts.of_visit(visit).get(library.task(slug))) is None:
        raise NotFound
    return row.response or {}


def digest(answers: list[dict[str, Any]]) -> str:
    """What tells two answers to a question apart, in 12 characters."""
    return hashlib.blake2s(exact.dumps(pace.values(answers)).encode(), digest_size=6).hexdigest()


def _merged(there: Filling, answers: Answers, seen: Mapping[str, str]) -> tuple[Answers, list[str]]:
    """The answers to write, and the names of questions that were changed both there and here since they were seen."""
    mine, clashes = {}, []
    for name, here in answers.items():
        kept = there.stored(name)
        stored = seen.get(name, "") if kept is None else digest(kept)
        if stored == seen.get(name, stored):
            mine[name] = here
        elif digest(here) not in {stored, seen[name]}:
            clashes.append(name)
    return mine, clashes


def _said(there: Filling, mine: Answers) -> Answers:
    """The answers without those that were filled in and only came back as they stood: nobody has confirmed them."""
    stored = {name: there.stored(name) or [] for name in mine}
    return {
        name: here
        for name, here in mine.items()
        if not any(map(origin, stored[name])) or pace.values(stored[name]) != pace.values(here)
    }


def _errors(found: list[Issue]) -> list[Issue]:
    """What must be mended; warnings never keep anybody from going on."""
    return [issue for issue in found if issue.severity == "error"]


def _differences(clash: _Clash) -> list[Difference]:
    before, after = _rows(clash.there.filling), _rows(clash.here)
    return [Difference(clash.here.text(name), before.get(name, ""), after.get(name, "")) for name in clash.names]


def _rows(filling: Filling) -> dict[str, str]:
    return {row.name: ", ".join(row.answers) for section in filling.summary() for row in section.rows}


def _repeat(filling: Filling, repeat: tuple[str, str] | None) -> None:
    if repeat is not None:
        verb, name = repeat
        _ = filling.put_more(name) if verb == "add" else filling.put_fewer(name)


def page(work: Work, page_key: str) -> Page:
    """A page of the form that applies to this patient; NotFound for any other."""
    found = work.filling.page(page_key)
    if found is None:
        raise NotFound
    return found


def page_after(work: Work, page_key: str) -> str | None:
    """The page that follows as the answers stand now, or None after the last."""
    keys = work.filling.keys
    place = keys.index(page_key) + 1 if page_key in keys else 0
    return keys[place] if place < len(keys) else None


def too_early(work: Work, page_key: str) -> bool:
    """Whether the form wants a page before this one done first."""
    return work.entry.form.in_order and page_key not in {*work.touched, *work.filling.keys[:1], first_open(work)}


def first_open(work: Work) -> str:
    """The first page that was not saved yet or is not complete, or the first of all. NotFound when nothing is asked."""
    keys = work.filling.keys
    if not keys:
        raise NotFound
    return next((key for key in keys if key not in work.touched or _errors(work.filling.check(key))), keys[0])


def _of_draft(actor: Actor, visit: Visit, entry: library.Entry, row: drafts.Kept, context: Context) -> Work:
    """The draft in its own version, or moved over to the one that its clinic asks for now; what is stored stays as it is.

    Somebody who may not see results does not see what a form that asks for them was filled in with for another person.
    """
    kept = row.document
    hides = not recorded.sees_results(actor) and recorded.asks_for_results(entry.form)
    draft_id = "" if hides else row.id

    def response() -> Any:
        return confirmed(row.response or {}) if hides else row.response

    if entry.before is None or kept["version_id"] == entry.version_id:
        at_hand = None if hides else held.take(row.id, row.version, entry.form, context)
        filling, again = at_hand or Filling(entry.form, response(), context), frozenset(kept.get("again") or ())
        signed = still_signed(filling, kept.get("signed"))
        touched = frozenset(kept["touched"])
        work = Work(visit, entry, filling, row.version, touched, row.saved_at, again=again, signed=signed)
        return replace(work, draft_id=draft_id)
    made = migrate(entry.before, entry.form, response(), context)
    again = frozenset(each.link_id for each in made.ask_again)
    filling = Filling(entry.form, made.draft, context)
    work = Work(visit, entry, filling, row.version, saved_at=row.saved_at, moved=True, again=again, draft_id=draft_id)
    changed = {row.page_key for row in work._again(context.language)}
    before = filling.keys if kept.get("complete") else kept["touched"]  # what was done stays so, under whatever name
    return replace(work, touched=frozenset(before) - changed)


def still_signed(filled: Filling, kept: dict[str, Any] | None) -> signing.Signed | None:
    """The signature that was kept, if the answers are still those that were signed. A change takes it away for good."""
    return _while_intact(filled, signing.Signed(**kept) if kept else None)


def _while_intact(filled: Filling, signed: signing.Signed | None) -> signing.Signed | None:
    return signed if signed and signing.intact(filled.response("completed"), signed) else None


def to_sign(work: Work) -> bool:
    """Whether all that is left to do is to sign."""
    return work.unsigned and not _errors(work.filling.check(None))
