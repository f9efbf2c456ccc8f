"""Not FHIR: the page at /, and the two controls for tests and demos (/$fault, /$requests), open to this machine only."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from portal.sandbox.clinic import clinic
from portal.sandbox.faults import Fault
from portal.sandbox.people import choices
from portal.sandbox.seeds import people

bp = Blueprint("control", __name__)


@bp.get("/")
def home() -> ResponseReturnValue:
    return render_template(
        "home.html",
        config=clinic().config,
        fault=clinic().faults.fault,
        people=choices(clinic().store),
        sentences={person.id: person.sentence for person in people()},
    )


@bp.route("/$fault", methods=["GET", "POST"])
def fault() -> ResponseReturnValue:
    """GET tells the fault that is on; POST {"mode": "slow", "seconds": 3} switches it."""
    _only_here()
    if request.method == "POST":
        try:
            clinic().faults.switch(Fault.read(request.get_json()))
        except ValueError as wrong:
            return jsonify(error=str(wrong)), 400
    return jsonify(asdict(clinic().faults.fault) | {"broken": clinic().faults.broken})


@bp.route("/$requests", methods=["GET", "DELETE"])
def requests_seen() -> ResponseReturnValue:
    """The last requests, oldest first, without queries, bodies or headers; DELETE forgets them."""
    _only_here()
    if request.method == "DELETE":
        clinic().faults.seen.clear()
    return jsonify(list(clinic().faults.seen))


def _only_here() -> None:
    if request.remote_addr not in ("127.0.0.1", "::1"):
        abort(403)
