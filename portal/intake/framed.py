"""A form page around its questions, drawn once for each form and language, with gaps where what is one person's own goes.

What is kept was drawn for nobody: the templates were given gaps instead of the visit, the name, the tokens and the answers.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from flask import current_app, render_template, request
from flask_babel import get_locale
from jinja2.utils import url_quote
from markupsafe import Markup, escape

from portal import guard
from portal.actors import Actor, Role
from portal.components.html import finished
from portal.intake.filling import Work
from portal.intake.page_form import PageForm
from portal.pages import words
from portal.questionnaire import Node, Page

TEMPLATE, QUESTIONS = "intake/form_page.html", "intake/questions.html"
NAMES = (
    "visit",
    "here",
    "returns",
    "token",
    "subject",
    "viewer",
    "left",
    "seen",
    "shown",
    "title",
    "number",
    "total",
    "questions",
)
_MARK = f"gap{secrets.token_hex(12)}x"
GAPS = {name: f"{_MARK}{name}x" for name in NAMES}
"""Letters and digits that no page has by itself and that stay as they are in text, attributes and addresses."""
_GAP = re.compile(f"{_MARK}({'|'.join(NAMES)})x")
_FORM = re.compile(r"<form[^>]* data-autoupdate.*?</form>", re.DOTALL)
MOST = 64
"""Ways to draw the page around a form that are kept."""


def may_be(work: Work) -> bool:
    """Whether nothing but what the gaps hold tells this person's page from another's: nobody answers for somebody else, and
    the form did not change under them."""
    live = guard.viewer()
    alone = live is not None and live.actor.behalf is None and len(live.actor.subjects) < 2 and live.actor.patient_id
    return bool(alone) and not work.again and not work.moved


def page(work: Work, shown: Page, nodes: list[Node], form: PageForm, *, seen: str, here: str) -> str:
    """The page as the template draws it."""
    live = guard.viewer()
    assert live is not None
    left = guard.time_left()
    own = {
        "visit": work.visit.id,
        "here": here,
        "returns": url_quote(request.path if request.method == "GET" else "/"),
        "token": guard.csrf_token(),
        "subject": guard.subject_mark(),
        "viewer": live.actor.name,
        "left": str(int(left.total_seconds())) if left else "",
        "seen": seen,
        "shown": ",".join(form.names()),
        "title": shown.title or words("Your answers"),
        "number": str(shown.number),
        "total": str(shown.total),
        "questions": form.draw(nodes, shown.title, _Macros(work, form)),
    }
    said = {name: str(escape(value)) for name, value in own.items()}
    pieces = _frame(work, shown, form)
    return "".join(said[piece] if place % 2 else piece for place, piece in enumerate(pieces))


def section(work: Work, shown: Page) -> str:
    """The name of the form above its page, unless the page is called so itself."""
    title = work.entry.form.title(work.filling.context.language)
    return "" if title == shown.title else title


def alone(page: str) -> str:
    """The form of a page without the frame around it, for the script that replaces what is different in it."""
    found = _FORM.search(page)
    return found[0] if found else page


def _frame(work: Work, shown: Page, form: PageForm) -> tuple[str, ...]:
    """The page in pieces: words, the name of a gap, words, the name of a gap …"""
    live = guard.viewer()
    assert live is not None
    above = shown.trail[-1] if shown.trail and shown.trail[-1] != shown.title else ""
    optional, written = form.all_optional(), form.written_in(work.entry.form, form.language)
    around = (str(get_locale() or ""), live.clinic.name, live.clinic.phone, work.entry.required)
    key = (form.language, *around, above, section(work, shown), shown.total > 1, shown.part > 1, optional, written)
    kept: dict[Any, tuple[str, ...]] = work.entry.form.root.kept.setdefault("frame", {})
    if (found := kept.get(key)) is None:
        if len(kept) >= MOST:
            kept.clear()
        html = _drawn_for_nobody(work, shown, above, optional=optional, written=written)
        found = kept[key] = tuple(_GAP.split(html))
    return found


def _drawn_for_nobody(work: Work, shown: Page, above: str, *, optional: bool, written: str) -> str:
    entry, several = work.entry, shown.total > 1
    form = SimpleNamespace(
        names=lambda: [GAPS["shown"]],
        written_in=lambda *_: written,
        all_optional=lambda: optional,
        draw=lambda *_: finished(GAPS["questions"]),
    )
    about = {"title": GAPS["title"], "trail": (above,) if above else (), "part": shown.part}
    with guard.gaps(GAPS["token"], GAPS["subject"]):
        return render_template(
            TEMPLATE,
            viewer=Actor(Role.PATIENT, clinic_id="", name=GAPS["viewer"]),
            seconds_left=GAPS["left"],
            returns_to=GAPS["returns"],
            here=GAPS["here"],
            seen=GAPS["seen"],
            work=SimpleNamespace(
                visit=SimpleNamespace(id=GAPS["visit"]), entry=entry, moved=False, to_answer_again=lambda _: []
            ),
            section=section(work, shown),
            page=SimpleNamespace(**about, number=GAPS["number"], total=_Total(GAPS["total"]) if several else 1),
            form=form,
            nodes=(),
            issues=(),
            stale=False,
            elsewhere=(),
            urgent=(),
            kept=False,
        )


class _Total(str):
    """The gap for a number that is more than one."""

    __slots__ = ()

    def __gt__(self, other: object) -> bool:
        return True


class _Macros:
    """The macros of the questions, for the few that were not drawn before."""

    def __init__(self, work: Work, form: PageForm) -> None:
        self._work, self._form = work, form
        self._module: Any = None

    def __call__(self, name: str) -> Callable[..., Markup]:
        if self._module is None:
            template = current_app.jinja_env.get_template(QUESTIONS)
            self._module = template.make_module({"work": self._work, "form": self._form})
        found: Callable[..., Markup] = self._module.MACROS[name]
        return found
