"""The preview: the patient's own pages over a form, filled in by its author; what is typed travels with the page and is not kept."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from itsdangerous import BadData, URLSafeSerializer

from portal import guard
from portal.intake.languages import REGIONS
from portal.intake.page_form import PageForm, page_form, posted_fields
from portal.library import service as library
from portal.publishing import trying
from portal.publishing.trying import Trial
from portal.questionnaire import Issue
from portal.questionnaire.speaking import say

bp = Blueprint("preview", __name__, url_prefix="/admin/forms")


@bp.route("/<form_id>/versions/<version_id>/preview", methods=["GET", "POST"])
def preview(form_id: str, version_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    kept = library.one(actor, form_id)
    shown = kept.find(version_id)
    offered = library.compiled_for_staff(actor, shown.id).languages or ["en"]
    language = _language(offered)
    with force_locale(_ours(language)):
        if request.method == "GET":
            return _page(kept, shown, offered, trying.begun(actor, shown.id, _tag(language)), language)
        return _posted(kept, shown, offered, language)


def _posted(kept: library.Kept, shown: library.FormVersion, offered: list[str], language: str) -> ResponseReturnValue:
    spoken = str(request.form["spoken"]) if request.form.get("spoken") in offered else language
    trial = _resumed(shown.id, _tag(spoken))
    step = request.form.get("step", "continue")
    if step == "again":
        return _page(kept, shown, offered, trying.begun(guard.actor(), shown.id, _tag(language)), language)
    if trial.page_key:
        typed = page_form(trial.filling.nodes(trial.page_key), trial.language, posted_fields())
        answers, unread = typed.answers()
        trial = trial.answered(answers, _repeat())
        if unread or (_moves_on(step) and trial.wrong()):
            return _refused(kept, shown, offered, trial, spoken, unread)
    trial = _spoken(trial, shown.id, language)
    trial = trial.after() if _moves_on(step) else trial.before() if step == "back" else trial.at(trial.page_key)
    return _page(kept, shown, offered, trial, language)


def _spoken(trial: Trial, version_id: str, language: str) -> Trial:
    """The same answers, asked in another language."""
    if trial.language == _tag(language):
        return trial
    return trying.resumed(guard.actor(), version_id, _tag(language), trial.state, trial.page_key)


def _refused(
    kept: library.Kept,
    shown: library.FormVersion,
    offered: list[str],
    trial: Trial,
    language: str,
    unread: list[Issue],
) -> ResponseReturnValue:
    names = {wrong.name for wrong in unread}
    moved = _moves_on(request.form.get("step", "continue"))
    issues = [*unread, *(issue for issue in trial.wrong() if moved and issue.name not in names)]
    form = page_form(trial.filling.nodes(trial.page_key), trial.language, request.form if unread else None)
    return _page(kept, shown, offered, trial, language, form=form, issues=issues), 422


def _page(
    kept: library.Kept,
    shown: library.FormVersion,
    offered: list[str],
    trial: Trial,
    language: str,
    *,
    form: PageForm | None = None,
    issues: list[Issue] | None = None,
) -> str:
    page = next((each for each in trial.filling.pages if each.key == trial.page_key), None)
    nodes = trial.filling.nodes(page.key, issues or []) if page else []
    drawn = form or page_form(nodes, trial.language, None)
    return render_template(
        "library/preview.html" if page else "library/preview_end.html",
        kept=kept,
        shown=shown,
        trial=trial,
        page=page,
        nodes=nodes,
        form=drawn,
        issues=issues or [],
        offered=offered,
        spoken=language,
        state=_signer(shown.id).dumps(trial.state),
        here=url_for(".preview", form_id=kept.form.id, version_id=shown.id),
        say=partial(say, language=trial.language),
    )


def _resumed(version_id: str, language: str) -> Trial:
    """What the page sent back; from the beginning when that is not what we gave it."""
    actor = guard.actor()
    try:
        state = str(_signer(version_id).loads(request.form.get("state", "")))
    except BadData:
        return trying.begun(actor, version_id, language)
    trial = trying.resumed(actor, version_id, language, state, "")
    wanted = request.form.get("page", "")
    return trial.at(wanted) if wanted else trial


def _signer(version_id: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=f"preview|{version_id}")


def _language(offered: list[str]) -> str:
    wanted = request.values.get("language") or request.values.get("spoken") or ""
    return wanted if wanted in offered else offered[0]


def _tag(language: str) -> str:
    """The language as forms are asked and read in it."""
    return REGIONS.get(language, language)


def _ours(language: str) -> str:
    """The language of the words around the form: one that patients' pages have."""
    spoken: tuple[str, ...] = current_app.config["SETTINGS"].languages
    return next((each for each in spoken if language.split("-", maxsplit=1)[0] == each), spoken[0])


def _moves_on(step: str) -> bool:
    return step == "continue" and not request.form.keys() & {"add", "remove", "language"}


def _repeat() -> tuple[str, str] | None:
    return next(((verb, request.form[verb]) for verb in ("add", "remove") if request.form.get(verb)), None)
