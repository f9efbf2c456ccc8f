"""For whom somebody answers: choosing it, the link that lets them, and the patient's own list of who may."""

from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from portal import guard
from portal.accounts import ages, answering, granting, proxies, proxy_links
from portal.accounts import service as accounts
from portal.accounts.forms import BirthDateForm, JoinForm
from portal.accounts.proxy_forms import HelperForm
from portal.accounts.proxy_models import ProxyGrant
from portal.accounts.way_in_routes import arrival
from portal.errors import Issue, NotFound

whom_room = Blueprint("answering", __name__, url_prefix="/answering-for")
helpers = Blueprint("helpers", __name__, url_prefix="/people-who-answer")
helping = Blueprint("helping", __name__, url_prefix="/answer")
DAYS = 14
"""How long a link that a patient has made can be used."""


# -- for whom ----------------------------------------------------------------------------------------------------------


@whom_room.get("")
def whom() -> ResponseReturnValue:
    return _whom()


@whom_room.post("")
def choose() -> ResponseReturnValue:
    try:
        answering.choose(guard.actor(), request.form.get("for", ""))
    except NotFound:
        return _whom([Issue("for", "required", "Choose for whom you answer")]), 422
    return redirect(guard.next_path("/visits"), 303)


@whom_room.post("/stop")
def stop() -> ResponseReturnValue:
    """Whoever answers for somebody ends it."""
    try:
        granting.give_up(guard.actor(), request.form.get("grant", ""))
    except NotFound:
        return _whom([Issue("for", "gone", "That has ended already")]), 422
    return redirect(url_for(".whom"), 303)


def _whom(issues: list[Issue] | None = None) -> str:
    actor = guard.actor()
    return render_template("proxies/whom.html", actor=actor, issues=issues or [], soon=proxies.soon(actor))


# -- the patient's own list --------------------------------------------------------------------------------------------


@helpers.get("")
def listed() -> ResponseReturnValue:
    actor = guard.actor()
    return render_template(
        "proxies/helpers.html", grants=proxies.of_patient(actor, actor.patient_id or ""), grown_up=_grown_up()
    )


@helpers.get("/new")
def new() -> ResponseReturnValue:
    return _new(HelperForm(formdata=None), [])


@helpers.post("/new")
def offer() -> ResponseReturnValue:
    actor, form = guard.actor(), HelperForm()
    offered = granting.offer(actor, actor.patient_id or "", form.wanted(actor.clinic_id), DAYS)
    if offered.issues:
        return _new(form, offered.issues), 422
    return render_template("proxies/link.html", offered=offered, link=_link(offered.token), days=DAYS)


@helpers.post("/<grant_id>/end")
def end(grant_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    granting.revoke(actor, actor.patient_id or "", grant_id)
    return redirect(url_for(".listed"), 303)


def _new(form: HelperForm, issues: list[Issue]) -> str:
    return render_template("proxies/new.html", form=form, issues=issues, grown_up=_grown_up())


def _grown_up() -> bool:
    actor = guard.actor()
    return ages.grown_up(accounts.patient(actor, actor.patient_id or "").person, actor.clinic_id)


def _link(token: str) -> str:
    return str(current_app.config["SETTINGS"].base_url + url_for("helping.prove", token=token))


# -- the link ----------------------------------------------------------------------------------------------------------


@helping.route("/<token>", methods=["GET", "POST"])
def prove(token: str) -> ResponseReturnValue:
    """Their own birth date; who is signed in already then answers with that account."""
    grant, form, issues = _offered(token), BirthDateForm(), list[Issue]()
    if form.validate_on_submit():
        born = form.iso()
        proof = proxy_links.prove(token, born, arrival()) if born else None
        if proof and guard.viewer():
            issues = proxy_links.accept(guard.actor(), token, proof)
            if not issues:
                return redirect(url_for("answering.whom"), 303)
        elif proof:
            session["proxy_proof"] = proof
            return redirect(url_for(".account", token=token), 303)
        else:
            issues = [_not_right(known=born is not None)]
            proxy_links.offered(token)
    page = render_template("proxies/prove.html", form=form, issues=issues, **_about(grant, token))
    return page, 422 if issues else 200


@helping.route("/<token>/account", methods=["GET", "POST"])
def account(token: str) -> ResponseReturnValue:
    grant, proof = _offered(token), session.get("proxy_proof")
    if not proxy_links.proved(token, proof):
        return redirect(url_for(".prove", token=token), 303)
    form, issues = JoinForm(), list[Issue]()
    if form.validate_on_submit():
        two = current_app.config["SETTINGS"].patients_need_two
        typed = form.email.data, form.password.data, str(get_locale() or "en")
        joined = proxy_links.join(token, proof, *typed, need_two=two)
        if joined.token:
            guard.enter(joined.token)
            return redirect("/visits", 303)
        issues = joined.issues
    page = render_template("proxies/account.html", form=form, issues=issues, **_about(grant, token))
    return page, 422 if form.is_submitted() else 200


def _offered(token: str) -> ProxyGrant:
    grant = proxy_links.offered(token)
    clinic = accounts.clinic(grant.clinic_id)
    g.clinic_name, g.clinic_phone, g.zone = clinic.name, clinic.phone, clinic.timezone
    return grant


def _about(grant: ProxyGrant, token: str) -> dict[str, Any]:
    """What a page says of the link before anybody has proved who they are: not for whom it is."""
    return {"token": token, "clinic_name": accounts.clinic(grant.clinic_id).name}


def _not_right(*, known: bool) -> Issue:
    said = (
        _("That is not the date of birth we were given for you. Check it and try again.")
        if known
        else _("Enter your date of birth with day, month and year, for example 27 3 1985.")
    )
    return Issue("day", "wrong", said)
