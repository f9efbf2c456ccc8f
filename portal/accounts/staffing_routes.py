"""The administrator's pages of who works here, and the desk's page to help a patient who cannot sign in."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.accounts import factors, renewing, staffing
from portal.accounts import service as accounts
from portal.accounts.renewing import WayBack
from portal.actors import STAFF
from portal.errors import Issue

bp = Blueprint("staffing", __name__, url_prefix="/admin/staff")
help_bp = Blueprint("help", __name__, url_prefix="/desk/sign-in-help")

ROLES = sorted(role.value for role in STAFF)


@bp.get("")
def listed() -> ResponseReturnValue:
    return _listed([])


@bp.post("")
def hire() -> ResponseReturnValue:
    typed = {name: request.form.get(name, "")[:200] for name in ("name", "email", "role")}
    hired = staffing.hire(guard.actor(), **typed, messages=_messages())
    return _way_back(hired.way, url_for(".listed")) if hired.way else (_listed(hired.issues), 422)


@bp.get("/<account_id>")
def one(account_id: str) -> ResponseReturnValue:
    found = staffing.member(guard.actor(), account_id)
    return render_template("accounts/member.html", member=found, roles=ROLES)


@bp.post("/<account_id>/way-back")
def way_back(account_id: str) -> ResponseReturnValue:
    way = staffing.way_back(guard.actor(), account_id, messages=_messages())
    return _way_back(way, url_for(".one", account_id=account_id))


@bp.post("/<account_id>/role")
def give_role(account_id: str) -> ResponseReturnValue:
    staffing.give_role(guard.actor(), account_id, request.form.get("role", ""))
    return redirect(url_for(".one", account_id=account_id), 303)


@bp.post("/<account_id>/suspend")
def suspend(account_id: str) -> ResponseReturnValue:
    staffing.suspend(guard.actor(), account_id, left=request.form.get("left") == "yes")
    return redirect(url_for(".one", account_id=account_id), 303)


@bp.post("/<account_id>/restore")
def restore(account_id: str) -> ResponseReturnValue:
    staffing.restore(guard.actor(), account_id)
    return redirect(url_for(".one", account_id=account_id), 303)


@help_bp.get("/<patient_id>")
def one_patient(patient_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    account = renewing.of_patient(actor, patient_id)
    name = accounts.patient(actor, patient_id).person["name"]
    kinds = factors.kinds(account.id) if account else set()
    email = account.profile["email"] if account and _messages() else ""
    return render_template("accounts/help.html", name=name, joined=account is not None, kinds=kinds, email=email)


@help_bp.post("/<patient_id>")
def offer(patient_id: str) -> ResponseReturnValue:
    way = renewing.offer_patient(
        guard.actor(),
        patient_id,
        factors_too=request.form.get("lost") == "everything",
        messages=_messages(),
        shown=request.form.get("code") == "shown",
    )
    return _way_back(way, url_for("review.visits"), patient=True)


def _messages() -> bool:
    """Whether messages are sent, so that a code can go to its owner alone."""
    return bool(current_app.config["SETTINGS"].mail)


def _listed(issues: list[Issue]) -> str:
    found = staffing.members(guard.actor())
    return render_template("accounts/staff.html", members=found, roles=ROLES, issues=issues, typed=request.form)


def _way_back(way: WayBack, back: str, *, patient: bool = False) -> str:
    link = f"{current_app.config['SETTINGS'].base_url}{url_for('way_in.back_in', token=way.token)}"
    return render_template("accounts/way_back.html", way=way, link=link, back=back, patient=patient)
