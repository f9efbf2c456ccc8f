"""After sending: take the answers back, or open them again."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.intake import changing

bp = Blueprint("changes", __name__, url_prefix="/visits")


@bp.post("/<visit_id>/take-back")
def take_back(visit_id: str) -> ResponseReturnValue:
    changing.take_back(guard.actor(), visit_id)
    return redirect(url_for("intake.hub", visit_id=visit_id), 303)


@bp.post("/<visit_id>/change")
def change(visit_id: str) -> ResponseReturnValue:
    changing.reopen(guard.actor(), visit_id)
    return redirect(url_for("intake.hub", visit_id=visit_id), 303)
