"""The last step of a form that is signed, and the copy of what was signed."""

from datetime import datetime, timedelta

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.audit import service as audit
from portal.audit.events import Event
from portal.errors import Issue
from portal.intake import drafts, filling, posted, signing, visits
from portal.intake.languages import language
from portal.intake.signing import Typed
from portal.pages import words

bp = Blueprint("signing", __name__, url_prefix="/visits")


@bp.get("/<visit_id>/sign/<slug>")
def sign(visit_id: str, slug: str) -> ResponseReturnValue:
    return _sheet(visit_id, slug, [])


@bp.post("/<visit_id>/sign/<slug>")
def signed(visit_id: str, slug: str) -> ResponseReturnValue:
    actor, form = guard.actor(), request.form
    posted.visit(visit_id, keeps=False)
    typed = Typed(form.get("name", ""), form.get("agreed") == "yes", form.get("seen", ""))
    outcome = signing.sign(actor, visit_id, slug, typed, language(), _fresh(), words)
    if outcome.issues or outcome.stale:
        return _sheet(visit_id, slug, outcome.issues, typed.name, stale=outcome.stale)
    return redirect(url_for(".copy", visit_id=visit_id, slug=slug), 303)


@bp.get("/<visit_id>/signed/<slug>")
def copy(visit_id: str, slug: str) -> ResponseReturnValue:
    actor = guard.actor()
    visit = visits.visit(actor, visit_id)
    kept = signing.copy(actor, visit, slug)
    audit.seen(actor, Event.FORM_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
    at, open_ = datetime.fromisoformat(kept.at), drafts.open_for_answers(visit)
    return render_template("intake/signed.html", visit=visit, slug=slug, signed=kept, at=at, open=open_)


def _sheet(
    visit_id: str, slug: str, issues: list[Issue], name: str = "", *, stale: bool = False
) -> ResponseReturnValue:
    """The words to sign; to the first page that is not finished, where something still is, and to the copy once signed."""
    actor = guard.actor()
    work = filling.work(actor, posted.visit(visit_id, keeps=False), slug, language(), _fresh())
    shown = signing.sheet(work, language(), words)
    if work.signed:
        return redirect(url_for(".copy", visit_id=visit_id, slug=slug))
    if not filling.to_sign(work):
        return redirect(url_for("intake.form_start", visit_id=visit_id, slug=slug))
    audit.seen(actor, Event.FORM_SEEN, subject=f"visits:{work.visit.id}", patient_id=work.visit.patient_id)
    page = render_template(
        "intake/sign.html",
        work=work,
        sheet=shown,
        issues=issues,
        name=name,
        stale=stale,
        signer=actor.name,
        first=work.filling.pages[0].key,
    )
    return page, 409 if stale else 422 if issues else 200


def _fresh() -> timedelta:
    return timedelta(minutes=current_app.config["SETTINGS"].fresh_minutes)
