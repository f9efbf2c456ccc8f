"""The desk's pages about who may answer for a patient."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.accounts.proxy_forms import DeskForm
from portal.actors import Scope
from portal.errors import Issue
from portal.review import proxying
from portal.review.proposing import Desk

bp = Blueprint("proxies", __name__, url_prefix="/desk/visits")


@bp.get("/<visit_id>/proxies")
def listed(visit_id: str) -> ResponseReturnValue:
    page = proxying.opened(guard.actor(), visit_id, _desk())
    form, person = DeskForm(formdata=None), page.person(request.args.get("person", ""))
    if person is not None:
        form.name.data, form.birth_date.data = person.name, person.born
        form.relation.data, form.reference.data = person.relation, person.reference
        form.scope.data = list(Scope) if person.relation in ("parent", "guardian") else []
    return _page(page, form, [])


@bp.post("/<visit_id>/proxies")
def offer(visit_id: str) -> ResponseReturnValue:
    actor, form, days = guard.actor(), DeskForm(), _settings().invitation_days
    offered = proxying.offer(actor, visit_id, form.wanted(), days)
    page = proxying.opened(actor, visit_id, _desk())
    if offered.issues:
        return _page(page, form, offered.issues), 422
    link = _settings().base_url + url_for("helping.prove", token=offered.token)
    return render_template("review/proxy_link.html", page=page, offered=offered, link=link, days=days)


@bp.post("/<visit_id>/proxies/<grant_id>/end")
def end(visit_id: str, grant_id: str) -> ResponseReturnValue:
    proxying.end(guard.actor(), visit_id, grant_id, request.form.get("reason", ""))
    return redirect(url_for(".listed", visit_id=visit_id), 303)


def _page(page: proxying.Page, form: DeskForm, issues: list[Issue]) -> str:
    return render_template("review/proxies.html", page=page, form=form, issues=issues)


def _desk() -> Desk:
    return Desk(timedelta(minutes=_settings().fresh_minutes), _settings().consent_default)


def _settings() -> Any:
    return current_app.config["SETTINGS"]
