"""Every error as a page in plain words: what happened, what of it was saved, and what to do next."""

from pathlib import Path

import structlog
from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from portal import db, guard
from portal.errors import Busy, Gone, NotAllowed, PortalError, SignInNeeded, Unreadable

log = structlog.get_logger()

# What the web framework refuses, in our words. The tree of portal.errors carries its own.
WORDS: dict[int, tuple[str, str]] = {
    400: (Unreadable.title, Unreadable.sentence),
    404: ("There is nothing here", "The page does not exist, or it is not yours to see."),
    405: ("That does not work here", "Go back and use the buttons of the page."),
    413: ("That is too large", "What you sent is larger than this site accepts. Nothing of it was saved."),
}
TOO_LONG_OPEN = ("This page was open for too long", "Nothing was sent. Open it again and fill it in once more.")
SIGNED_OUT = (
    "You are signed out",
    "You signed out, perhaps in another tab. What you wrote after you last saved is not kept.",
)
OTHER_SIGN_IN = (
    "This page is from before you signed in",
    "You signed in again, or as somebody else, perhaps in another tab. What you wrote on the old page was not saved.",
)
NOT_NOW = ("We cannot open this just now", "Nothing you saved is lost. Wait a moment and try again.")


def install(app: Flask) -> None:
    for kind in (PortalError, HTTPException, CSRFError, OperationalError, Exception):
        app.register_error_handler(kind, _problem)


def shown_by_get() -> bool:
    """Whether the address of this request can be opened again, though it may have been posted to."""
    try:
        return request.method == "GET" or bool(current_app.create_url_adapter(request).match(method="GET"))  # type: ignore[union-attr]
    except HTTPException:
        return False


def _problem(error: Exception) -> ResponseReturnValue:
    """Every error as a page in plain words; what a programmer needs goes to the log, without any content."""
    if isinstance(error, HTTPException) and error.code and error.code < 400:
        return error
    status, title, sentence = _words(error)
    if status >= 500:
        log.error(
            "request failed",
            request_id=g.get("request_id"),
            kind=type(error).__name__,
            why=_code(error),
            at=_safe_trace(error),
        )
    db.close()
    if isinstance(error, NotAllowed):
        guard.note_refusal()
    if request.accept_mimetypes.best == "application/json":
        return {"error": gettext(title), "request_id": g.get("request_id")}, status
    said = {
        "status": status,
        "title": gettext(title),
        "sentence": gettext(sentence),
        "typed": _typed(status),
        "again": _again(error),
        "sign_in": _wants_sign_in(error),
        "staff": status < 500 and _at_work(),
    }
    return render_template("problem.html", **said), status


def _typed(status: int) -> list[tuple[str, str]]:
    """What was posted and could not be saved just now: it stays in the page, one button away from being sent again (bar 81)."""
    if status != 503 or request.method != "POST":
        return []
    return [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]


def _wants_sign_in(error: Exception) -> bool:
    """Whether signing in is what to do next: after being signed out, and for who comes back by a link that was used to join."""
    signed_out = isinstance(error, CSRFError) and not guard.open_to_all()
    return (signed_out or isinstance(error, SignInNeeded | Gone)) and guard.viewer() is None


def _at_work() -> bool:
    """Whether it is shown to a member of staff, inside the bar that leads on."""
    live = guard.viewer()
    return live is not None and live.actor.is_staff and not live.confined


def _again(error: Exception) -> str:
    """The page that could not be sent or shown, when opening it again is what to do next; "" for any other problem."""
    wanted = isinstance(error, CSRFError | Busy | OperationalError) and shown_by_get()
    return request.full_path.rstrip("?") if wanted else ""


def _words(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, OperationalError):
        error = Busy()
    if isinstance(error, Busy) and request.method in guard.SAFE:
        return Busy.status, *NOT_NOW
    if isinstance(error, PortalError):
        return error.status, error.title, error.sentence
    if isinstance(error, CSRFError):
        return 400, *(TOO_LONG_OPEN if guard.open_to_all() else OTHER_SIGN_IN if guard.viewer() else SIGNED_OUT)
    if isinstance(error, HTTPException) and error.code and error.code < 500:
        return error.code, *WORDS.get(error.code, WORDS[400])
    return 500, PortalError.title, PortalError.sentence


def _code(error: Exception) -> str:
    """The database's own code of what went wrong (SQLITE_FULL, 53100), which holds no value."""
    held = getattr(error, "orig", None)
    return str(getattr(held, "sqlite_errorname", None) or getattr(held, "sqlstate", None) or "")


def _safe_trace(error: Exception) -> str:
    """Where it happened, without any value: file, line and function of each frame of ours."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " > ".join(frames[-12:])
