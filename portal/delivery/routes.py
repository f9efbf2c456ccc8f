"""The held desk's pages: what stopped, why, what did and did not arrive, and what to do about it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.accounts import service as accounts
from portal.clock import now
from portal.delivery import desk
from portal.delivery.forms import CloseForm, ResendAllForm
from portal.delivery.states import Reason
from portal.errors import Issue

bp = Blueprint("delivery", __name__, url_prefix="/desk/held")


@bp.get("")
def held() -> ResponseReturnValue:
    actor = guard.actor()
    heads = desk.held(actor)
    people = accounts.patients(actor, {head.patient_id for head in heads})
    overview = desk.overview(actor.clinic_id)
    return render_template(
        "delivery/held.html", heads=heads, people=people, overview=overview, alarm=overview.alarm(now())
    )


@bp.post("")
def resend_all() -> ResponseReturnValue:
    """Everything that is held for one reason goes back into the line."""
    form = ResendAllForm()
    reason = form.reason.data or ""
    if reason in set(Reason):
        desk.resend_all(guard.actor(), Reason(reason))
    return redirect(url_for(".held"), 303)


@bp.get("/<item_id>")
def item(item_id: str) -> ResponseReturnValue:
    return _page(item_id, [], "")


@bp.post("/<item_id>/send-again")
def resend(item_id: str) -> ResponseReturnValue:
    desk.resend(guard.actor(), item_id)
    return redirect(url_for(".item", item_id=item_id), 303)


@bp.post("/<item_id>/close")
def close(item_id: str) -> ResponseReturnValue:
    typed = CloseForm().reason.data or ""
    issues = desk.close(guard.actor(), item_id, typed)
    if issues:
        return _page(item_id, issues, typed), 422
    return redirect(url_for(".item", item_id=item_id), 303)


def _page(item_id: str, issues: list[Issue], typed: str) -> str:
    actor = guard.actor()
    found = desk.held_item(actor, item_id)
    kept = accounts.take_kept(actor, url_for(".close", item_id=item_id)) if request.method == "GET" else None
    person = accounts.patient(actor, found.head.patient_id).person
    return render_template(
        "delivery/item.html",
        held=found,
        person=person,
        issues=issues,
        typed=typed or dict(kept or []).get("reason", ""),
    )
