"""The staff desk's pages: queue, one submission, whose record it is, visits and invitations."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from portal import attention, guard
from portal.accounts import qr
from portal.accounts import service as accounts
from portal.actors import STAFF, Permission
from portal.clock import now
from portal.downloads import handed_over
from portal.emergency import service as emergencies
from portal.errors import Issue
from portal.notices import service as notices
from portal.review import coming, match_page, service
from portal.review.editing import label
from portal.review.forms import MatchForm, NewVisitForm, Page, ReviewForm, Typed, choices, typed
from portal.review.keys import TABLES
from portal.review.proposal import CLOSER
from portal.review.queue import SORTS
from portal.review.record import WORDS
from portal.review.service import Asked, Decided, Desk, Invited, Opened
from portal.review.together import WHOLE

bp = Blueprint("review", __name__, url_prefix="/desk")

BAR = (
    ("queue", "Queue", "review.desk"),
    ("visits", "Visits", "review.visits"),
    ("questions", "Questions", "result_questions.listed"),
    ("held", "Held", "delivery.held"),
    ("messages", "Messages", "messages.listed"),
    ("forms", "Forms", "publishing.forms"),
    ("connections", "Connections", "ehr.connections"),
    ("staff", "Staff", "staffing.listed"),
    ("audit", "Audit", "trail.entries"),
    ("emergencies", "Emergencies", "emergencies.listed"),
    ("quality", "Data quality", "quality.shown"),
    ("measures", "Measures", "measures.shown"),
    ("corrections", "Corrections", "corrections.listed"),
)
TOLD_ABOVE = WHOLE | {CLOSER}
"""What the page, or the card's own reasons, say already."""
RARE = frozenset({"corrections"})
"""Entries that are there only while something waits behind them."""


WISHES = {"show": "view", "why": "only", "sort": "sort"}
"""How the queue's address says what somebody wants to see."""


@bp.app_context_processor
def staff_bar() -> dict[str, Any]:
    """The entries of the bar on every staff page; rooms that are not open are left out."""
    live = guard.viewer()
    if live is None or live.confined or live.actor.role not in STAFF:
        return {}
    rooms = current_app.extensions["doors"].rooms
    open_to = {name for name, roles in rooms.items() if live.actor.role in roles}
    counts = {"emergencies": emergencies.unchecked(live.actor), "corrections": service.to_correct(live.actor)}
    bar = [entry for entry in BAR if entry[0] not in RARE or counts[entry[0]]]
    there = [entry for entry in bar if entry[2].partition(".")[0] in open_to and entry[2] in current_app.view_functions]
    return {
        "staff_entries": [
            {"key": key, "text": gettext(text), "url": url_for(to), "count": counts.get(key, 0)}
            for key, text, to in there
        ]
    }


@bp.get("")
def desk() -> ResponseReturnValue:
    patient_id, about = request.args.get("patient"), request.args.get("about")
    opened = service.filed_as(guard.actor(), patient_id, about) if patient_id and about else None
    if opened:
        return redirect(url_for(".submission", submission_id=opened))
    said = {name: request.args[key] for key, name in WISHES.items() if key in request.args}
    wished = Asked(**said, before=_place(request.args.get("before", "")))
    found = service.queue(guard.actor(), wished, patient_id)
    return render_template("review/queue.html", queue=found, sorts=SORTS, patient_id=patient_id)


def _place(text: str) -> tuple[datetime, str] | None:
    """Where a page goes on, as its address says it; anything else is the first page."""
    at, _, key = text.partition("|")
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (found, key) if found.tzinfo else None


@bp.get("/keys")
def keys() -> ResponseReturnValue:
    """Which key does what, and a switch to turn them off."""
    return render_template("review/keys.html", tables=TABLES, on=request.cookies.get("keys") != "off")


@bp.post("/keys")
def switch_keys() -> ResponseReturnValue:
    """Keys on or off from now on, in this browser."""
    answer = redirect(url_for("review.keys"), 303)
    said = "off" if request.form.get("keys") == "off" else "on"
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    answer.set_cookie("keys", said, max_age=31_536_000, secure=secure, httponly=True, samesite="Lax")
    return answer


@bp.get("/submissions/<submission_id>")
def submission(submission_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    opened = service.open_submission(actor, submission_id, _desk())
    kept = accounts.take_kept(actor, request.path)
    return _page(opened, said=typed(dict(kept)) if kept else {}, kept=bool(kept))


@bp.post("/submissions/<submission_id>")
def decide(submission_id: str) -> ResponseReturnValue:
    """Save what was chosen (taking it over from somebody, if that was pressed); then accept the unremarkable, or finish."""
    actor, form = guard.actor(), ReviewForm()
    said = typed(request.form)
    decided = _save(submission_id, said)
    if decided.issues or decided.lost or decided.held:
        status = 422 if decided.issues else 409
        return _page(service.open_submission(actor, submission_id, _desk()), said=said, decided=decided), status
    accounts.drop_kept(actor, request.path)
    if form.step.data not in ("finish", "all"):
        return redirect(url_for(".submission", submission_id=submission_id, saved=decided.saved), 303)
    finished = service.finish(actor, submission_id, _desk())
    if finished.held:
        return _page(service.open_submission(actor, submission_id, _desk()), decided=Decided(held=finished.held)), 409
    if finished.issues:
        return _page(service.open_submission(actor, submission_id, _desk()), issues=finished.issues), 422
    return redirect(url_for(".submission", submission_id=submission_id), 303)


@bp.post("/submissions/<submission_id>/take")
def take(submission_id: str) -> ResponseReturnValue:
    """Take it, or over from whoever has it; somebody else who was faster is named on the page that follows."""
    service.take(guard.actor(), submission_id, over=bool(request.form.get("over")))
    return redirect(url_for(".submission", submission_id=submission_id), 303)


@bp.post("/submissions/<submission_id>/let-go")
def let_go(submission_id: str) -> ResponseReturnValue:
    service.let_go(guard.actor(), submission_id)
    return redirect(url_for(".desk"), 303)


@bp.get("/submissions/<submission_id>/files/<mark>")
def file(submission_id: str, mark: str) -> ResponseReturnValue:
    """A file that the patient gave in an answer: a picture is drawn on the page, anything else is saved."""
    found = service.given_file(guard.actor(), submission_id, mark, _desk())
    return handed_over(found.content, found.told, found.title)


@bp.post("/submissions/<submission_id>/again")
def again(submission_id: str) -> ResponseReturnValue:
    service.review_again(guard.actor(), submission_id)
    return redirect(url_for(".submission", submission_id=submission_id), 303)


def _save(submission_id: str, said: dict[str, Typed]) -> Decided:
    actor = guard.actor()
    listed = [(key, said[key].seen) for key in request.form.getlist("bulk") if key in said]
    step = request.form.get("step")
    decided = service.decide(actor, submission_id, choices(said), _desk(), over=step == "over")
    if step not in ("bulk", "all") or decided.issues or decided.lost or decided.held:
        return decided
    chosen = {choice.key for choice in choices(said)}
    untouched = [(key, seen) for key, seen in listed if key not in chosen]
    return service.accept_unremarkable(actor, submission_id, untouched, _desk())


def _page(
    opened: Opened,
    *,
    said: dict[str, Typed] | None = None,
    decided: Decided | None = None,
    issues: list[Issue] | None = None,
    kept: bool = False,
) -> str:
    lost = {each.key: each for each in decided.lost} if decided else {}
    looked = decided.reworded if decided else {}
    told = {key: replace(each, looked=looked.get(key, "")) for key, each in (said or {}).items()}
    shown = {key: _unless_lost(key, each, lost, opened) for key, each in told.items()}
    return render_template(
        "review/submission.html",
        opened=opened,
        controls=Page(shown).of(opened),
        lost=lost,
        refused=decided.held if decided else None,
        issues=[*(decided.issues if decided else []), *(issues or [])],
        kept=kept,
        label=label,
        told_above=TOLD_ABOVE,
        may_match=guard.actor().may(Permission.MATCH),
        section_words=WORDS,
        born=_date(opened.person.get("birthDate")),
        clinic_source=_source(opened),
    )


def _unless_lost(key: str, said: Typed, lost: dict[str, Any], opened: Opened) -> Typed:
    """What was typed stays; where somebody else was faster their decision is the one that is chosen on the page."""
    if key not in lost:
        return said
    standing = next((item.standing for item in opened.items if item.proposal.key == key), None)
    return replace(said, verdict=standing.verdict.value if standing else "", seen="")


@bp.route("/submissions/<submission_id>/match", methods=["GET", "POST"])
def match(submission_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    patient_id = service.patient_of(actor, submission_id)
    form, issues = MatchForm(), list[Issue]()
    if form.validate_on_submit():
        reason = form.reason.data or ""
        if form.step.data == "none":
            issues = service.none_of_these(actor, patient_id, reason)
        elif form.record.data:
            issues = service.link(actor, patient_id, form.record.data, reason)
        else:
            issues = [Issue("record", "required", "Choose the record, or press “None of these”")]
        if not issues:
            return redirect(url_for(".submission", submission_id=submission_id), 303)
    return match_page.page(actor, submission_id, patient_id, form=form, issues=issues), 422 if issues else 200


@bp.get("/visits")
def visits() -> ResponseReturnValue:
    return _visits(NewVisitForm(formdata=None), [], request.args.get("state", ""))


@bp.post("/visits/find")
def find() -> ResponseReturnValue:
    """Somebody on the telephone: posted, because nothing about a person stands in an address."""
    words = request.form.get("words", "")[:100]
    return _listed(coming.found(guard.actor(), words), words=words)


@bp.post("/visits")
def invite_new() -> ResponseReturnValue:
    form = NewVisitForm()
    form.validate_on_submit()
    invited = service.invite_new(guard.actor(), form.typed(), _settings().invitation_days)
    if invited.issues:
        return _visits(form, invited.issues), 422
    return _invited(invited)


@bp.post("/visits/<visit_id>/invite")
def invite(visit_id: str) -> ResponseReturnValue:
    return _invited(service.invite(guard.actor(), visit_id, _settings().invitation_days))


def _visits(form: NewVisitForm, issues: list[Issue], state: str = "") -> str:
    upcoming = coming.upcoming(guard.actor())
    counts = Counter(each.state for each in upcoming)
    shown = [each for each in upcoming if each.state == state] if counts[state] else upcoming
    return _listed(shown, form=form, issues=issues, state=state, counts=[(key, counts[key]) for key in coming.STATES])


def _listed(shown: list[coming.Upcoming], **more: Any) -> str:
    actor, live = guard.actor(), guard.viewer()
    zone = ZoneInfo(live.clinic.timezone if live else "UTC")
    return render_template(
        "review/visits.html",
        days=coming.by_day(shown, zone),
        today=now().astimezone(zone).date(),
        written=notices.of_visits(actor, [each.visit.id for each in shown]),
        may_invite=actor.may(Permission.INVITE),
        may_break_glass=actor.may(Permission.BREAK_GLASS),
        **{"form": None, "issues": [], "state": "", "counts": [], "words": None, **more},
    )


def _invited(invited: Invited) -> ResponseReturnValue:
    """The link and its code, shown once: they are kept nowhere."""
    link, days = _settings().base_url + url_for("door.join", token=invited.token), _settings().invitation_days
    return render_template("review/invited.html", invited=invited, link=link, picture=qr.picture(link), days=days)


def _desk() -> Desk:
    live = guard.viewer()
    rules = attention.rules(_settings().attention, live.clinic.slug if live else "")
    return Desk(timedelta(minutes=_settings().fresh_minutes), _settings().consent_default, rules)


def _settings() -> Any:
    return current_app.config["SETTINGS"]


def _date(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def _source(opened: Opened) -> str:
    return next((each.source for each in opened.readings.values() if each.source), "")
