"""The patient reads who looked at their information; the privacy officer and the administrator read the clinic's trail."""

from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal import guard
from portal.audit import service

looked = Blueprint("looked", __name__)
trail = Blueprint("trail", __name__, url_prefix="/audit")
PAGE = 50


@looked.get("/who-looked")
def who_looked() -> ResponseReturnValue:
    entries = service.who_looked(guard.actor(), _before(request.args.get("before", "")), PAGE)
    return render_template("audit/who_looked.html", entries=entries, more=len(entries) == PAGE)


@trail.get("")
def entries() -> ResponseReturnValue:
    found = service.trail(guard.actor(), _before(request.args.get("before", "")), PAGE)
    return render_template("audit/trail.html", entries=found, more=len(found) == PAGE)


def _before(text: str) -> datetime | None:
    """The time in the address of an older page; anything else is the newest page."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
