"""The patient reads who looked and asks about it; the privacy officer and the administrator search the trail and answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard, settings
from portal.actors import Actor, Permission
from portal.audit import asking, exporting, reading, searching, service, signing, standing, telling, wording
from portal.audit.events import Event
from portal.clock import now
from portal.conversations import Act, viewed
from portal.downloads import handed_over
from portal.errors import Conflict, Issue

looked = Blueprint("looked", __name__)
trail = Blueprint("trail", __name__, url_prefix="/audit")
PAGE, MOST_DAYS, MOST_EXPORTED = 50, 31, 20_000
ACTS = {"answer": Act.ANSWERED, "close": Act.CLOSED}
SEARCHED = ("person", "event", "from", "to", "refused")
"""What an address of the trail may ask for; nothing else goes on to the next address."""
TOO_MUCH = "That is too much for one file. Choose fewer days."
CHANGED = Issue("text", "changed", "Something was written here meanwhile. Read it, then send your words again.")


@dataclass(frozen=True)
class Lookups:
    """What this room asks of the floor above: who people are, and what somebody had typed when their session ended."""

    named: asking.People
    find: Callable[[Actor, str], list[Any]]
    one: Callable[[Actor, str], Any]
    kept: Callable[[Actor, str], list[list[str]] | None]
    drop: Callable[[Actor, str], None]


def install(app: Flask, lookups: Lookups) -> None:
    app.extensions["audit_lookups"] = lookups


# -- the patient -----------------------------------------------------------------------------------------------------


@looked.get("/who-looked")
def who_looked() -> ResponseReturnValue:
    actor = guard.actor()
    entries = service.who_looked(actor, _before(request.args.get("before", "")), PAGE)
    asked = asking.of_patient(actor)
    more, stretches = len(entries) == PAGE, reading.stretches
    return render_template("audit/who_looked.html", entries=entries, stretches=stretches, more=more, asked=asked)


@looked.get("/who-looked/<entry_id>")
def about(entry_id: str) -> ResponseReturnValue:
    return _about(entry_id, [])


@looked.post("/who-looked/<entry_id>")
def ask(entry_id: str) -> ResponseReturnValue:
    """Ask, or write once more. Where somebody wrote meanwhile, the page comes back with both."""
    actor = guard.actor()
    try:
        issues = asking.ask(actor, entry_id, request.form.get("text", ""), request.form.get("version", 0, int))
    except Conflict:
        return _about(entry_id, [CHANGED]), 409
    if issues:
        return _about(entry_id, issues), 422
    _lookups().drop(actor, request.path)
    return redirect(url_for(".about", entry_id=entry_id), 303)


def _about(entry_id: str, issues: list[Issue]) -> str:
    actor = guard.actor()
    entry, question = asking.about(actor, entry_id), asking.asked(actor, entry_id)
    return render_template("audit/ask.html", entry=entry, question=question, issues=issues, typed=_typed(actor, issues))


# -- the privacy officer ---------------------------------------------------------------------------------------------


@trail.get("")
def entries() -> ResponseReturnValue:
    actor, wanted, lookups = guard.actor(), _wanted(), _lookups()
    found = searching.trail(actor, wanted, _zone(), _before(request.args.get("before", "")), PAGE)
    return render_template(
        "audit/trail.html",
        entries=found,
        more=len(found) == PAGE,
        wanted=wanted,
        person=lookups.one(actor, wanted.person) if wanted.person else None,
        people=lookups.named(actor, {each.patient_id for each in found if each.patient_id}),
        kinds=sorted(Event, key=wording.told),
        told=wording.told,
        may_open=actor.may(Permission.SEE_QUEUE),
        words={name: request.args[name] for name in SEARCHED if request.args.get(name)},
        asked=asking.waiting(actor) if actor.may(Permission.ANSWER_AUDIT) else None,
    )


@trail.get("/standing")
def standing_now() -> ResponseReturnValue:
    return _standing([])


@trail.get("/export")
def exported() -> ResponseReturnValue:
    """The AuditEvents of some days (in UTC) as a file to keep."""
    today = now().date()
    first = _day(request.args.get("from", "")) or today
    last = min(_day(request.args.get("to", "")) or today, first + timedelta(days=MOST_DAYS - 1))
    found = exporting.events(guard.actor(), telling.Site(current_app.config["SETTINGS"].base_url), first, last)
    lines = [exporting.line(each) for each in islice(found, MOST_EXPORTED + 1)]
    if len(lines) > MOST_EXPORTED:
        return _standing([Issue("from", "many", TOO_MUCH)]), 422
    return handed_over("".join(lines), "application/fhir+ndjson", f"audit-{first.isoformat()}-{last.isoformat()}")


def _standing(issues: list[Issue]) -> str:
    place = signing.Place(settings.audit_key_path(), settings.audit_heads_path())
    found = standing.standing(guard.actor(), place)
    return render_template("audit/standing.html", found=found, issues=issues)


@trail.post("/people")
def people() -> ResponseReturnValue:
    """Who has this name: posted, because a name must not stand in an address."""
    words = request.form.get("name", "")[:100]
    return render_template("audit/people.html", found=_lookups().find(guard.actor(), words), words=words)


@trail.get("/questions")
def questions() -> ResponseReturnValue:
    view = viewed(request.args.get("show"))
    rows, waiting = asking.queue(guard.actor(), view, _lookups().named)
    return render_template("audit/questions.html", rows=rows, waiting=waiting, view=view)


@trail.get("/questions/<question_id>")
def question(question_id: str) -> ResponseReturnValue:
    return _question(question_id, [])


@trail.post("/questions/<question_id>")
def settle(question_id: str) -> ResponseReturnValue:
    """Answer, or close with a word why."""
    actor, form = guard.actor(), request.form
    act = ACTS.get(form.get("step", ""), Act.ANSWERED)
    try:
        issues = asking.settle(actor, question_id, act, form.get("text", ""), form.get("version", 0, int))
    except Conflict:
        return _question(question_id, [CHANGED]), 409
    if issues:
        return _question(question_id, issues), 422
    _lookups().drop(actor, request.path)
    return redirect(url_for(".question", question_id=question_id), 303)


def _question(question_id: str, issues: list[Issue]) -> str:
    actor = guard.actor()
    row = asking.opened(actor, question_id, _lookups().named)
    return render_template("audit/question.html", row=row, issues=issues, typed=_typed(actor, issues))


# -- what was typed --------------------------------------------------------------------------------------------------


def _wanted() -> searching.Wanted:
    """What the address asks for; what is no day and no event is nothing."""
    words = request.args
    event = words.get("event", "")
    return searching.Wanted(
        person=words.get("person", "")[:16],
        event=event if event in set(Event) else "",
        first=_day(words.get("from", "")),
        last=_day(words.get("to", "")),
        refused=words.get("refused") == "yes",
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1900 < found.year < 9000 else None


def _before(text: str) -> datetime | None:
    """The time in the address of an older page; anything else is the newest page."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _zone() -> ZoneInfo:
    live = guard.viewer()
    return ZoneInfo(live.clinic.timezone if live else "UTC")


def _typed(actor: Actor, issues: list[Issue]) -> str:
    if issues:
        return request.form.get("text", "")
    kept = dict(_lookups().kept(actor, request.path) or [])
    return str(kept.get("text", ""))


def _lookups() -> Lookups:
    found: Lookups = current_app.extensions["audit_lookups"]
    return found
