"""The staff's pages of results: patients' questions about them, and how good the results are that each source sends."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.accounts import service as accounts
from portal.actors import Permission
from portal.consent import service as consent
from portal.conversations import Act, viewed
from portal.errors import Conflict, Issue
from portal.labs import measuring, questions

bp = Blueprint("result_questions", __name__, url_prefix="/desk/questions")
quality = Blueprint("quality", __name__, url_prefix="/desk/quality")
ACTS = {"answer": Act.ANSWERED, "close": Act.CLOSED}


@bp.get("")
def listed() -> ResponseReturnValue:
    view = viewed(request.args.get("show"))
    rows, waiting = questions.queue(guard.actor(), _policy(), view)
    return render_template("labs/desk.html", rows=rows, waiting=waiting, view=view)


@bp.get("/<question_id>")
def one(question_id: str) -> ResponseReturnValue:
    return _page(question_id, [])


@bp.post("/<question_id>")
def settle(question_id: str) -> ResponseReturnValue:
    """Answer, or close with a word why. Where somebody wrote meanwhile, the page comes back with both."""
    actor, form = guard.actor(), request.form
    act = ACTS.get(form.get("step", ""), Act.ANSWERED)
    try:
        _found, issues = questions.settle(
            actor, question_id, act, form.get("text", ""), form.get("version", 0, int), _policy()
        )
    except Conflict:
        changed = Issue("text", "changed", "Something was written here meanwhile. Read it, then send your words again.")
        return _page(question_id, [changed]), 409
    if issues:
        return _page(question_id, issues), 422
    accounts.drop_kept(actor, request.path)
    return redirect(url_for(".one", question_id=question_id), 303)


@quality.get("")
def shown() -> ResponseReturnValue:
    return render_template("labs/quality.html", sources=measuring.quality(guard.actor()))


def _page(question_id: str, issues: list[Issue]) -> str:
    actor = guard.actor()
    kept = dict(accounts.take_kept(actor, request.path) or []) if not issues else {}
    return render_template(
        "labs/desk_question.html",
        row=questions.opened(actor, question_id, _policy()),
        issues=issues,
        typed=request.form.get("text", "") if issues else str(kept.get("text", "")),
        may_answer=actor.may(Permission.REVIEW_CLINICAL),
        may_close=actor.may(Permission.REVIEW),
    )


def _policy() -> consent.Policy:
    return consent.POLICIES[current_app.config["SETTINGS"].consent_default]
