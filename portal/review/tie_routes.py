"""Ties taken back: the undo on the page of a match, and what the clinic has to correct in its records because of one."""

import re

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Length

from portal import guard
from portal.actors import Permission
from portal.errors import Issue
from portal.review import service
from portal.review.match_page import page

bp = Blueprint("ties", __name__, url_prefix="/desk")
corrected = Blueprint("corrections", __name__, url_prefix="/corrections")


PLACE = re.compile(r"[0-9]{1,3}")


class WhyForm(FlaskForm):  # type: ignore[misc]
    reason = StringField(validators=[Length(max=1000)])


@bp.post("/submissions/<submission_id>/untie")
def undo(submission_id: str) -> ResponseReturnValue:
    actor, form = guard.actor(), WhyForm()
    form.validate_on_submit()
    patient_id = service.patient_of(actor, submission_id)
    issues = service.undo(actor, patient_id, form.reason.data or "")
    if issues:
        return page(actor, submission_id, patient_id, issues=issues, why=form.reason.data or ""), 422
    return redirect(url_for("review.match", submission_id=submission_id), 303)


@bp.post("/corrections/<correction_id>")
def mend(correction_id: str) -> ResponseReturnValue:
    form = WhyForm()
    form.validate_on_submit()
    issues = service.mend(guard.actor(), correction_id, form.reason.data or "")
    if issues:
        return _listed(issues), 422
    return redirect(url_for("corrections.listed"), 303)


@bp.post("/corrections/<correction_id>/correct")
def correct(correction_id: str) -> ResponseReturnValue:
    """Have one of the things that are there corrected from here, or leave it as somebody changed it since."""
    typed, do = request.form.get("place", ""), request.form.get("do", "")
    actor, place = guard.actor(), int(typed) if PLACE.fullmatch(typed) else -1
    if do == "leave":
        issues = service.leave(actor, correction_id, place)
    else:
        issues = service.correct(actor, correction_id, place, anyway=do == "anyway")
    if issues:
        return _listed(issues), 422
    return redirect(url_for("corrections.listed"), 303)


@corrected.get("")
def listed() -> ResponseReturnValue:
    return _listed([])


def _listed(issues: list[Issue]) -> str:
    actor = guard.actor()
    found = service.corrections(actor)
    return render_template(
        "review/corrections.html", corrections=found, issues=issues, may_mend=actor.may(Permission.MATCH)
    )
