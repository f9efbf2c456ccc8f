"""What was posted besides answers: the button that was pressed, when the page had been shown, and what came too late before."""

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from portal import guard
from portal.accounts import service as accounts
from portal.actors import Actor
from portal.errors import Issue
from portal.intake import cards, forms, pace
from portal.intake.block_page import Said, SectionPage
from portal.intake.filling import Work


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
    name, step = request.form.get("add", ""), 1
    if not name:
        name, step = request.form.get("remove", ""), -1
    head, _, number = name.rpartition("-")
    beside = f"{head}-{max(int(number) + step, 0)}" if number.isdecimal() and len(number) < 5 else name
    return next((one for one in (beside, name) if one and work.filling.node(one)), "")


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
