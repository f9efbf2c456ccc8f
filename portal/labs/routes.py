"""The patient's pages of test results: read, compare, print, take away, and ask the clinic about one."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date

from portal import guard, pages
from portal.accounts import service as accounts
from portal.clock import now
from portal.consent import service as consent
from portal.conversations import Conversation
from portal.downloads import handed_over
from portal.errors import Conflict, Issue
from portal.labs import download, handing, questions, service
from portal.labs.chart import chart
from portal.labs.samples import Samples
from portal.labs.times import When, when
from portal.labs.wave import Wave, wave

bp = Blueprint("labs", __name__, url_prefix="/results")
RECENT = timedelta(days=14)
"""How long something critical stands on top of the page; after that the clinic has acted or has been called."""


@bp.get("")
def overview() -> ResponseReturnValue:
    actor = guard.actor()
    shown = service.results(actor, _fresh())
    asked = questions.of_patient(actor)
    return render_template("labs/overview.html", overview=shown, asked=asked, urgent=shown.urgent(now() - RECENT))


@bp.get("/print")
def printed() -> ResponseReturnValue:
    actor = guard.actor()
    person = accounts.patient(actor, actor.patient_id or "").person
    return render_template(
        "labs/print.html",
        overview=service.results(actor, _fresh()),
        name=actor.name,
        born=_day(person.get("birthDate")),
    )


@bp.get("/download")
def downloaded() -> ResponseReturnValue:
    made = Response(download.bundle(guard.actor(), _fresh()), content_type="application/fhir+json; charset=utf-8")
    made.headers["Content-Disposition"] = f'attachment; filename="results-{now().date()}.json"'
    return made


@bp.get("/documents/<address>")
def document(address: str) -> ResponseReturnValue:
    """A document of a report or a result, to keep: never opened by this site."""
    found = handing.paper(guard.actor(), address, _fresh())
    return handed_over(found.content, found.kind, found.name)


@bp.get("/<address>")
def report(address: str) -> ResponseReturnValue:
    overview, found = service.report(guard.actor(), address, _fresh())
    grid = service.beside_earlier(overview, found)
    return render_template("labs/report.html", overview=overview, report=found, grid=grid)


@bp.get("/over-time/<address>")
def trend(address: str) -> ResponseReturnValue:
    overview, found = service.trend(guard.actor(), address, _fresh())
    drawn = chart(found) if found.points else None
    return render_template("labs/trend.html", overview=overview, series=found, chart=drawn)


@bp.get("/ask/<address>")
def asking(address: str) -> ResponseReturnValue:
    return _asking(address, [])


@bp.post("/ask/<address>")
def ask(address: str) -> ResponseReturnValue:
    actor = guard.actor()
    question, issues = questions.ask(actor, address, request.form.get("text", ""), _policy(), _fresh())
    if question is None:
        return _asking(address, issues), 422
    accounts.drop_kept(actor, request.path)
    return redirect(url_for(".question", question_id=question.id), 303)


@bp.get("/questions/<question_id>")
def question(question_id: str) -> ResponseReturnValue:
    return _question(questions.one(guard.actor(), question_id), [])


@bp.post("/questions/<question_id>")
def ask_more(question_id: str) -> ResponseReturnValue:
    actor, text = guard.actor(), request.form.get("text", "")
    try:
        found, issues = questions.ask_more(actor, question_id, text, request.form.get("version", 0, int))
    except Conflict:
        changed = Issue("text", "changed", "Something was written here meanwhile. Read it, then send your words again.")
        return _question(questions.one(actor, question_id), [changed]), 409
    if issues:
        return _question(found, issues), 422
    accounts.drop_kept(actor, request.path)
    return redirect(url_for(".question", question_id=question_id), 303)


def _asking(address: str, issues: list[Issue]) -> str:
    actor = guard.actor()
    about = questions.about(actor, address, _policy(), _fresh())
    return render_template("labs/ask.html", about=about, overview=about.overview, issues=issues, typed=_typed(issues))


def _question(found: Conversation, issues: list[Issue]) -> str:
    return render_template("labs/question.html", question=found, issues=issues, typed=_typed(issues))


def _typed(issues: list[Issue]) -> str:
    """What was typed beside a mistake, or before the session ran out."""
    if issues:
        return request.form.get("text", "")
    kept: dict[str, Any] = dict(accounts.take_kept(guard.actor(), request.path) or [])
    return str(kept.get("text", ""))


@bp.app_template_filter("wave")
def drawn_wave(samples: Samples) -> Wave:
    return wave(samples)


@bp.app_template_filter("when_words")
def when_words(found: When | str | None) -> str:
    """A date no more exactly than it was given: 2026 · May 2026 · 3 May 2026 · 3 May 2026, 10:42."""
    moment = when(found) if isinstance(found, str) else found
    if moment is None:
        return ""
    words = _words(moment)
    return f"{words} – {_words(moment.until)}" if moment.until else words


@bp.app_template_filter("when_day")
def when_day(found: When) -> str:
    """The day without its time, where a column has room for no more."""
    if found.at is None or found.precision in ("year", "month"):
        return when_words(found)
    return str(format_date(found.at.date() if found.precision == "day" else found.at, "d MMM yyyy"))


@bp.app_template_filter("gettext_word")
def gettext_word(word: str) -> str:
    """A word of a list in the reader's language."""
    return pages.words(word)


def _words(moment: When) -> str:
    if moment.at is None or moment.precision == "year":
        return moment.text
    if moment.precision == "month":
        return pages.month(moment.at.date())
    return pages.day(moment.at.date()) if moment.precision == "day" else pages.moment(moment.at)


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def _fresh() -> timedelta:
    return timedelta(minutes=current_app.config["SETTINGS"].fresh_minutes)


def _policy() -> consent.Policy:
    return consent.POLICIES[current_app.config["SETTINGS"].consent_default]
