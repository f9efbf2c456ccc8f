"""The messages' pages: what was sent or failed (staff), stop reminders (from the message itself), the demo's mailbox."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.notices import service

bp = Blueprint("messages", __name__, url_prefix="/desk/messages")
stopping = Blueprint("stopping", __name__, url_prefix="/messages/stop")
mine = Blueprint("my_messages", __name__, url_prefix="/messages")
mailbox = Blueprint("mailbox", __name__, url_prefix="/mailbox")
MOST_SHOWN = 60


def install(app: Flask) -> None:
    """A mail program ends reminders with a POST of its own (RFC 8058); its token is all it can prove, and all it needs."""
    app.extensions["csrf"].exempt(stopping)


@bp.get("")
def listed() -> ResponseReturnValue:
    actor = guard.actor()
    return render_template("notices/listed.html", rows=service.listed(actor), failing=service.failing_since(actor))


@bp.post("/invite/<visit_id>")
def invite(visit_id: str) -> ResponseReturnValue:
    """The link goes by e-mail; the code is shown once, for the phone."""
    days = current_app.config["SETTINGS"].invitation_days
    told = service.invite(guard.actor(), visit_id, days)
    return render_template("notices/told.html", told=told, days=days)


@stopping.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    service.check(token)
    return render_template("notices/stop.html", token=token, done=False)


@stopping.post("/<token>")
def stop(token: str) -> ResponseReturnValue:
    service.stop(token)
    return render_template("notices/stop.html", token=token, done=True)


@mine.get("")
def letters_to_me() -> ResponseReturnValue:
    actor = guard.actor()
    return render_template("notices/mine.html", letters=service.mine(actor), wanted=service.wants_reminders(actor))


@mine.post("/reminders")
def reminders() -> ResponseReturnValue:
    service.want_reminders(guard.actor(), request.form.get("wanted") == "yes")
    return redirect(url_for(".letters_to_me"), 303)


@mailbox.get("")
def letters() -> ResponseReturnValue:
    """What the demo "sent": there is no mail server in it."""
    folder = _folder()
    kept = sorted(folder.glob("*.eml"), reverse=True)[:MOST_SHOWN] if folder.is_dir() else []
    return render_template(
        "notices/mailbox.html", letters=[_read(path) for path in kept], wanted=request.args.get("to")
    )


def _folder() -> Path:
    return Path(current_app.config["SETTINGS"].instance) / "mail"


def _read(path: Path) -> dict[str, str]:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    text = message.get_body(("plain",))
    return {
        "to": str(message["To"]),
        "subject": str(message["Subject"]),
        "date": str(message["Date"]),
        "text": str(text.get_content()) if text else "",
    }
