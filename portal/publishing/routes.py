"""The administrator's pages of the form library: what is asked, bringing a form in, its report, and deciding who is asked."""

from datetime import timedelta

from babel import Locale, UnknownLocaleError
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from portal import guard
from portal.actors import Actor, Permission
from portal.clock import now
from portal.ehr import service as ehr
from portal.errors import Conflict, Issue
from portal.intake import service as intake
from portal.library import service as library
from portal.publishing.forms import BringForm, RuleForm, SearchForm

bp = Blueprint("publishing", __name__, url_prefix="/admin/forms")

AHEAD = timedelta(days=60)
NO_FILE = Issue("file", "required", "Choose a file.")


@bp.app_template_filter("language_name")
def language_name(code: str) -> str:
    """What a language calls itself; its code where nobody knows it."""
    try:
        name = Locale.parse(code, sep="-").get_display_name() or code
    except (ValueError, UnknownLocaleError):
        return code
    return name[:1].upper() + name[1:]


@bp.get("")
def forms() -> ResponseReturnValue:
    found = library.every(guard.actor())
    asked = [each for each in found if each.active]
    ready = [each for each in found if not each.active]
    return render_template("library/forms.html", asked=asked, ready=ready, may_manage=_may_manage(guard.actor()))


@bp.get("/new")
def new() -> ResponseReturnValue:
    library.may_manage(guard.actor())
    return _new_page(SearchForm())


@bp.post("/new")
def bring() -> ResponseReturnValue:
    library.may_manage(guard.actor())
    form = BringForm()
    content = form.content()
    if content is None:
        return _new_page(SearchForm(), issues=[NO_FILE]), 422
    return _brought(library.bring_in(guard.actor(), content, origin="file", name=form.name()))


@bp.post("/search")
def search() -> ResponseReturnValue:
    """Asks the clinic's server for forms with such a title; asking again does no harm."""
    library.may_manage(guard.actor())
    form = SearchForm()
    return _new_page(form, found=ehr.forms_there(guard.actor(), form.words()))


@bp.post("/fetch")
def fetch() -> ResponseReturnValue:
    """Brings in the form of the clinic's server that was chosen."""
    actor, form = guard.actor(), SearchForm()
    library.may_manage(actor)
    content = ehr.form_there(actor, (form.chosen.data or "")[:64])
    if isinstance(content, ehr.Reason):
        return _new_page(form, found=content), 422
    return _brought(library.bring_in(actor, content, origin="server", name="the clinic's server"))


def _brought(brought: library.Brought) -> ResponseReturnValue:
    """To the form's own page when it is one and it was taken; else what came of each, with the reasons."""
    if len(brought.results) == 1 and brought.results[0].outcome != library.REFUSED:
        only = brought.results[0]
        return redirect(
            url_for(".version", form_id=only.form_id, version_id=only.version_id, brought=only.outcome), 303
        )
    return render_template("library/brought.html", brought=brought), 422 if brought.refused else 200


def _new_page(
    search: SearchForm, *, found: list[ehr.FormThere] | ehr.Reason | None = None, issues: list[Issue] | None = None
) -> str:
    trouble = ehr.WORDS[found] if isinstance(found, ehr.Reason) else ""
    listed = found if isinstance(found, list) else None
    return render_template("library/new.html", search=search, found=listed, trouble=trouble, issues=issues or [])


@bp.get("/<form_id>")
def form(form_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    kept = library.one(actor, form_id)
    return render_template("library/form.html", kept=kept, may_manage=_may_manage(actor), sentence=_rule_words)


@bp.get("/<form_id>/versions/<version_id>")
def version(form_id: str, version_id: str) -> ResponseReturnValue:
    """The check report of a version, what changed since another one, and its lists."""
    actor = guard.actor()
    kept = library.one(actor, form_id)
    shown = kept.find(version_id)
    wanted = request.args.get("since", "")
    since = next((each for each in kept.versions if each.id == wanted and each.id != shown.id), kept.before(shown))
    return render_template(
        "library/version.html",
        kept=kept,
        shown=shown,
        since=since,
        changes=_changes(actor, since, shown) if since else None,
        report=library.checked(actor, shown.id),
        lists=library.states(actor, shown),
        may_manage=_may_manage(actor),
        brought=request.args.get("brought", ""),
    )


def _changes(actor: Actor, since: library.FormVersion, shown: library.FormVersion) -> library.Comparison:
    return library.compare(library.compiled_for_staff(actor, since.id), library.compiled_for_staff(actor, shown.id))


@bp.get("/<form_id>/versions/<version_id>/file")
def file(form_id: str, version_id: str) -> ResponseReturnValue:
    """The version exactly as it came."""
    actor = guard.actor()
    kept = library.one(actor, form_id)
    answer = Response(library.download(actor, kept.find(version_id).id), mimetype="application/fhir+json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{kept.form.slug}.json"'
    return answer


@bp.post("/<form_id>/versions/<version_id>/lists")
def fetch_lists(form_id: str, version_id: str) -> ResponseReturnValue:
    """Asks for the lists of a version now, rather than when the worker comes round."""
    actor = guard.actor()
    library.may_manage(actor)
    shown = library.one(actor, form_id).find(version_id)
    library.fetch(actor, shown, current_app.config["SETTINGS"].terminology)
    return redirect(url_for(".version", form_id=form_id, version_id=version_id, _anchor="lists"), 303)


@bp.route("/<form_id>/versions/<version_id>/ask", methods=["GET", "POST"])
def ask(form_id: str, version_id: str) -> ResponseReturnValue:
    """Decide before which visits this version is asked."""
    actor, typed = guard.actor(), RuleForm()
    library.may_manage(actor)
    kept = library.one(actor, form_id)
    shown = kept.find(version_id)
    if request.method == "GET":
        if kept.rule:
            typed.show(kept.rule)
        return _ask_page(kept, shown, typed, [])
    wanted = typed.wanted()
    if wanted.issues:
        return _ask_page(kept, shown, typed, wanted.issues), 422
    try:
        library.activate(actor, shown.id, wanted.rule, carry=wanted.carry, seen=typed.seen_number())
    except Conflict:
        return _ask_page(library.one(actor, form_id), shown, typed, [], overtaken=True), 409
    return redirect(url_for(".form", form_id=form_id), 303)


def _ask_page(
    kept: library.Kept, shown: library.FormVersion, typed: RuleForm, issues: list[Issue], *, overtaken: bool = False
) -> str:
    """`overtaken`: somebody decided about the form while this page was open; what was typed stays, to be sent once more."""
    actor = guard.actor()
    other = kept.active if kept.active and kept.active.id != shown.id else None
    coming = intake.upcoming(actor, now() - AHEAD, now() + AHEAD)
    kinds = sorted({each.detail["what"] for each in coming if each.detail.get("what")})
    changes = _changes(actor, other, shown) if other else None
    return render_template(
        "library/ask.html",
        kept=kept,
        shown=shown,
        form=typed,
        issues=issues,
        kinds=kinds,
        other=other,
        changes=changes,
        decided=_rule_words(kept.step) if overtaken and kept.step and kept.active else "",
        overtaken=overtaken,
    )


@bp.post("/<form_id>/stop")
def stop(form_id: str) -> ResponseReturnValue:
    """No visit asks for it any more."""
    actor, typed = guard.actor(), RuleForm()
    library.may_manage(actor)
    library.one(actor, form_id)
    library.deactivate(actor, form_id, typed.seen_number())
    return redirect(url_for(".form", form_id=form_id), 303)


def _may_manage(actor: Actor) -> bool:
    return actor.may(Permission.MANAGE_FORMS)


def _rule_words(step: library.FormStep) -> str:
    return library.sentence(library.Rule.of(step.rule))
