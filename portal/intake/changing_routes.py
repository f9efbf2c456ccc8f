"""After sending: read what was sent, take it back, or open it again."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.errors import NotFound
from portal.intake import changing, checked, drafts, visits
from portal.intake import sent as frozen
from portal.intake.languages import language

bp = Blueprint("changes", __name__, url_prefix="/visits")


@bp.get("/<visit_id>/sent")
def sent(visit_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    visit = visits.visit(actor, visit_id)
    submission = drafts.latest_submission(visit)
    if submission is None:
        raise NotFound
    audit.seen(actor, Event.ANSWERS_SEEN, subject=f"submissions:{submission.id}", patient_id=visit.patient_id)
    return render_template(
        "intake/sent.html",
        visit=visit,
        submission=submission,
        facts=frozen.facts(submission),
        forms=[checked.sections(each, lambda _page: "") for each in frozen.forms(submission, language(), now())],
    )


@bp.post("/<visit_id>/take-back")
def take_back(visit_id: str) -> ResponseReturnValue:
    changing.take_back(guard.actor(), visit_id)
    return redirect(url_for("intake.hub", visit_id=visit_id), 303)


@bp.post("/<visit_id>/change")
def change(visit_id: str) -> ResponseReturnValue:
    changing.reopen(guard.actor(), visit_id)
    return redirect(url_for("intake.hub", visit_id=visit_id), 303)
