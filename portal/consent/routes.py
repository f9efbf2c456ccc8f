"""The patient's pages about sharing: choose (in a visit or any time), see what is shared, take back, keep a copy."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from portal import guard
from portal.accounts import service as accounts
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.consent import service
from portal.consent.choices import NEEDS_SHARING, QUESTIONS
from portal.consent.service import Given

bp = Blueprint("consent", __name__)


class VisitLike(Protocol):
    """What this room needs of a visit; the room of visits stands above it and is passed in."""

    id: Any
    starts_at: Any


FindVisit = Callable[[Actor, str], VisitLike]


def install(app: Flask, find_visit: FindVisit) -> None:
    """Tell this room how a patient's own visit is found (NotFound for anybody else's)."""
    app.extensions["consent_find_visit"] = find_visit
    app.jinja_env.globals["choices_end"] = choices_end


def choices_end() -> date | None:
    """The day after which the choices of the patient who is signed in no longer hold, when that is soon; for their first page."""
    current = service.current(guard.actor())
    return current.ends_on if current and current.standing == "active" and current.ends_soon else None


@bp.get("/visits/<visit_id>/consent")
def visit_choices(visit_id: str) -> ResponseReturnValue:
    visit = _visit(visit_id)
    return _choosing(f"/visits/{visit.id}")


@bp.post("/visits/<visit_id>/consent")
def choose_for_visit(visit_id: str) -> ResponseReturnValue:
    visit = _visit(visit_id)
    starts_at: datetime = visit.starts_at
    on = starts_at.astimezone(ZoneInfo(accounts.clinic(guard.actor().clinic_id).timezone)).date()
    given = _give(visit_id=visit.id, visit_on=on)
    if given.issues:
        return _choosing(f"/visits/{visit.id}", given), 422
    return redirect(f"/visits/{visit.id}", 303)


@bp.get("/consent")
def shared() -> ResponseReturnValue:
    actor = guard.actor()
    audit.seen(actor, Event.CONSENT_SEEN, subject=f"patients:{actor.patient_id}", patient_id=actor.patient_id)
    policy = service.POLICIES[current_app.config["SETTINGS"].consent_default]
    return render_template(
        "consent/shared.html",
        versions=service.history(actor),
        lines=service.who_sees(actor, policy),
        sent=service.sent(actor),
    )


@bp.get("/consent/choose")
def choices() -> ResponseReturnValue:
    return _choosing(url_for(".shared"))


@bp.post("/consent/choose")
def choose() -> ResponseReturnValue:
    given = _give()
    if given.issues:
        return _choosing(url_for(".shared"), given), 422
    return redirect(url_for(".shared"), 303)


@bp.post("/consent/take-back")
def take_back() -> ResponseReturnValue:
    service.withdraw(guard.actor(), language=_language())
    return redirect(url_for(".shared"), 303)


@bp.get("/consent/<version_id>")
def copy(version_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    found = service.version(actor, version_id)
    audit.seen(actor, Event.CONSENT_SEEN, subject=f"consent_versions:{found.id}", patient_id=actor.patient_id)
    return render_template("consent/copy.html", version=found)


@bp.get("/consent/<version_id>/copy.txt")
def kept_copy(version_id: str) -> ResponseReturnValue:
    """The words as shown with what was chosen, as a file to keep; its SHA-256 is that of the sheet's words before the marks."""
    actor = guard.actor()
    found = service.version(actor, version_id)
    audit.seen(actor, Event.CONSENT_SEEN, subject=f"consent_versions:{found.id}", patient_id=actor.patient_id)
    made = Response(found.text, content_type="text/plain; charset=utf-8")
    made.headers["Content-Disposition"] = f'attachment; filename="choices-{found.given_at.date()}.txt"'
    return made


def _choosing(back: str, given: Given | None = None) -> str:
    """The page with the choices; what was typed before a sign-out or beside a mistake stands there again."""
    actor = guard.actor()
    kept = dict(accounts.take_kept(actor, request.path) or []) if given is None else {}
    audit.seen(actor, Event.CONSENT_SEEN, subject=f"patients:{actor.patient_id}", patient_id=actor.patient_id)
    return render_template(
        "consent/choices.html",
        sheet=service.sheet_for(actor, _language()),
        before=service.current(actor),
        answers=_answers(kept or request.form),
        issues=given.issues if given else [],
        kept=bool(kept),
        optional=NEEDS_SHARING,
        back=back,
    )


def _give(**visit: Any) -> Given:
    actor = guard.actor()
    given = service.give(
        actor, _answers(request.form), language=_language(), seen=request.form.get("version", ""), **visit
    )
    if given.version is not None:
        accounts.drop_kept(actor, request.path)
    return given


def _answers(form: Any) -> dict[str, str]:
    return {key: str(form[key]) for key in QUESTIONS if key in form}


def _visit(visit_id: str) -> VisitLike:
    find: FindVisit = current_app.extensions["consent_find_visit"]
    return find(guard.actor(), visit_id)


def _language() -> str:
    return str(get_locale() or "en")
