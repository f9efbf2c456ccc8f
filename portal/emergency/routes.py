"""The pages of an emergency: say why and open it, close it, and what the privacy officer checks afterwards."""

from typing import Any

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.emergency import service

bp = Blueprint("emergency", __name__, url_prefix="/desk/emergency")
checked = Blueprint("emergencies", __name__, url_prefix="/emergencies")


def install(app: Flask) -> None:
    """Every staff page can tell which emergency is open."""
    app.jinja_env.globals["open_emergency"] = open_emergency


def open_emergency() -> service.Open | None:
    live = guard.viewer()
    return service.current(live.actor) if live else None


@bp.get("/<patient_id>")
def asked(patient_id: str) -> ResponseReturnValue:
    return _asked(patient_id, {})


@bp.post("/<patient_id>")
def begin(patient_id: str) -> ResponseReturnValue:
    issues = service.begin(guard.actor(), patient_id, request.form.get("reason", ""))
    if issues:
        return _asked(patient_id, {"issues": issues}), 422
    return redirect(url_for("review.desk", patient=patient_id, show="all"), 303)


@bp.post("/close")
def close() -> ResponseReturnValue:
    service.end(guard.actor())
    return redirect(url_for("review.desk"), 303)


def _asked(patient_id: str, said: dict[str, Any]) -> str:
    name = service.name_of(guard.actor(), patient_id)
    typed = request.form.get("reason", "")
    minutes = int(service.LONGEST.total_seconds() // 60)
    return render_template("emergency/begin.html", name=name, reason=typed, minutes=minutes, **{"issues": [], **said})


@checked.get("")
def listed() -> ResponseReturnValue:
    return _listed([], "")


@checked.post("/<emergency_id>")
def check(emergency_id: str) -> ResponseReturnValue:
    issues = service.check(guard.actor(), emergency_id, request.form.get("finding", ""))
    if issues:
        return _listed(issues, emergency_id), 422
    return redirect(url_for(".listed"), 303)


def _listed(issues: list[Any], where: str) -> str:
    typed = {where: request.form.get("finding", "")}
    return render_template("emergency/listed.html", entries=service.listed(guard.actor()), issues=issues, typed=typed)
