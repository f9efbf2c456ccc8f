"""What was asked for besides answers: the visit, the button that was pressed, when the page had been shown, what came too late."""

from flask import abort, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from portal import guard
from portal.accounts import service as accounts
from portal.actors import Actor
from portal.errors import Issue
from portal.intake import cards, drafts, forms, pace, visits
from portal.intake.block_page import Said, SectionPage
from portal.intake.filling import Work
from portal.intake.models import Visit


def visit(visit_id: str, *, keeps: bool = True) -> Visit:
    """The visit whose questions are opened or answered. One that was sent, cancelled or is over says so instead; `keeps`: what
    was being typed when it was cancelled is still taken in, and the page after it tells what happened."""
    found = drafts.open_visit(guard.actor(), visit_id)
    if visits.closed(found) and not (keeps and request.method == "POST"):
        abort(redirect(url_for("intake.hub", visit_id=found.id), 303))
    return found


def turn(*, goes_on: bool | None = None) -> pace.Turn:
    return pace.Turn(guard.shown_at(), moves_on() if goes_on is None else goes_on)


def moves_on() -> bool:
    """Whether the button pressed leaves the page (and so wants it complete), rather than only brings it up to date."""
    return (
        request.form.get("step", "continue") == "continue"
        and "add" not in request.form
        and "language" not in request.form
        and "remove" not in request.form
    )


def repeat() -> tuple[str, str] | None:
    for verb in ("add", "remove"):
        if request.form.get(verb):
            return verb, request.form[verb]
    return None


def place(work: Work) -> str:
    """Where the person goes on after adding or removing: the new repetition, or the one before that which is gone."""
    if added := request.form.get("add", ""):
        return _input(work, added, None) or _repetition(work, added, 1)
    removed = request.form.get("remove", "")
    head, _, number = removed.rpartition("-")
    return _input(work, head, _number(number) - 1) or _repetition(work, removed, -1)


def _input(work: Work, name: str, number: int | None) -> str:
    """The id of one of the inputs of a question without parts, the last without `number`; "" for anything else."""
    node = work.filling.node(name) if name else None
    if node is None or not node.repeats or node.instance is not None:
        return ""
    number = node.slots - 1 if number is None else number
    return f"{name}-{number}" if number > 0 else name


def _repetition(work: Work, name: str, step: int) -> str:
    head, _, number = name.rpartition("-")
    beside = f"{head}-{max(_number(number) + step, 0)}" if head else name
    return next((one for one in (beside, name) if one and work.filling.node(one)), "")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 5 else 0


def said(
    actor: Actor, visit_id: str, page: SectionPage, form: FlaskForm, kept: list[list[str]] | None
) -> tuple[Said, list[Issue]]:
    """What was said on a confirm page (`kept`: when the session ended), its pictures stored; and which of these are none."""
    typed, files = (forms.typed_again(kept), MultiDict()) if kept else (request.form, request.files)
    pictured, wrong = cards.keep(actor, visit_id, forms.pictures(page, typed, files))
    return forms.said(form, page, pictured), wrong


def kept() -> list[list[str]] | None:
    """What this person had typed on this page when their session ended."""
    return accounts.take_kept(guard.actor(), request.path) if guard.something_kept() else None


def drop_kept() -> None:
    if guard.something_kept():
        accounts.drop_kept(guard.actor(), request.path)
