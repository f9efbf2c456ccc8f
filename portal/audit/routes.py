"""The patient reads who looked at their information."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal import guard
from portal.audit import service

looked = Blueprint("looked", __name__)


@looked.get("/who-looked")
def who_looked() -> ResponseReturnValue:
    return render_template("audit/who_looked.html", entries=service.who_looked(guard.actor()))
