"""The patient's pages: visits, the hub, confirm, forms, check and send, and where the answers are."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from portal import attention, guard, pages
from portal.audit import service as audit
from portal.audit.events import Event
from portal.downloads import handed_over
from portal.errors import Issue as Trouble
from portal.intake import (
    changing,
    checked,
    confirming,
    drafts,
    filling,
    framed,
    given,
    languages,
    library,
    noticing,
    posted,
    problems,
    sending,
    signing,
    told,
    visits,
    wording,
)
from portal.intake.forms import grown, section_form, typed_again
from portal.intake.models import Visit
from portal.intake.page_form import PageForm, page_form, posted_fields
from portal.questionnaire import Issue, Section

_language = languages.language
bp = Blueprint("intake", __name__, url_prefix="/visits")
bp.before_request(languages.hear)
bp.after_request(languages.remember)


@bp.get("")
def home() -> ResponseReturnValue:
    own = visits.of_patient(guard.actor())
    where = sending.places(own)
    return render_template("intake/visits.html", visits=[(visit, where[visit.id]) for visit in own])


@bp.get("/<visit_id>")
def hub(visit_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    visit = visits.visit(actor, visit_id)
    audit.seen(actor, Event.VISIT_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
    where = sending.where(visit)
    if not drafts.open_for_answers(visit):
        return redirect(url_for(".receipt", visit_id=visit.id))
    tasks = sending.tasks(actor, visit, _language())
    return render_template(
        "intake/hub.html", visit=visit, tasks=tasks, where=where, urgent=_urgent(visit), closed=visits.closed(visit)
    )


@bp.get("/<visit_id>/confirm")
def confirm(visit_id: str) -> ResponseReturnValue:
    """To the first page that is not done, or the first."""
    visit = visits.visit(guard.actor(), visit_id)
    key = confirming.first_open(guard.actor(), visit, _fresh())
    return redirect(
        url_for(".confirm_section", visit_id=visit.id, key=key) if key else url_for(".hub", visit_id=visit.id)
    )


@bp.route("/<visit_id>/confirm/<key>", methods=["GET", "POST"])
def confirm_section(visit_id: str, key: str) -> ResponseReturnValue:
    actor, again = guard.actor(), request.args.getlist("again")
    visit = posted.visit(visit_id)
    page = confirming.page(actor, visit, key, _fresh(), pages.words, again)
    kept = posted.kept() if request.method == "GET" else None
    form = section_form(page)(formdata=typed_again(kept) if kept else request.form or None)
    said, wrong = posted.said(actor, visit.id, page, form, kept)
    if request.method == "GET":
        audit.seen(actor, Event.FACTS_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
        if not page.blocks:
            return redirect(_after_confirming(visit, key))
        return _confirm_page(visit, confirming.with_said(page, said) if kept else page, kept=bool(kept))
    if grow := grown(form, page.blocks):
        return _confirm_page(visit, confirming.with_said(page, said), wrong, grow=grow)
    goes_on = not pages.spoken()
    turn, seen = posted.turn(goes_on=goes_on), form.version.data or 0
    saved = confirming.save(actor, visit_id, key, said, seen, _fresh(), pages.words, turn, again, wrong)
    if saved.stale or (saved.issues and (goes_on or wrong) and not visits.closed(visit)):
        return _confirm_page(visit, saved.page, saved.issues, stale=saved.stale)
    posted.drop_kept()
    return redirect(_after_confirming(visit, key) if goes_on else request.full_path.rstrip("?"), 303)


def _after_confirming(visit: Visit, key: str) -> str:
    if request.args.get("from") == "check":
        return url_for(".check", visit_id=visit.id)
    following = confirming.following(guard.actor(), visit, key)
    if following is None:
        return url_for(".hub", visit_id=visit.id)
    return url_for(".confirm_section", visit_id=visit.id, key=following)


def _confirm_page(
    visit: Visit,
    page: confirming.SectionPage,
    issues: Sequence[Trouble] = (),
    *,
    stale: bool = False,
    kept: bool = False,
    grow: str = "",
) -> ResponseReturnValue:
    """`grow`: the block with one more empty row than usual."""
    html = render_template(
        "intake/confirm.html",
        visit=visit,
        page=page,
        issues=issues,
        stale=stale,
        kept=kept,
        grow=grow,
        when=wording.when,
        ago=wording.ago,
    )
    return html, 409 if stale else 422 if issues else 200


@bp.get("/<visit_id>/forms/<slug>")
def form_start(visit_id: str, slug: str) -> ResponseReturnValue:
    """To the first page that is not finished, or the first."""
    actor = guard.actor()
    work = filling.work(actor, posted.visit(visit_id), slug, _language(), _fresh())
    if filling.to_sign(work):
        return redirect(url_for("signing.sign", visit_id=visit_id, slug=slug))
    page_key = filling.first_open(work)
    filling.put_away(work)
    return redirect(url_for(".form_page", visit_id=visit_id, slug=slug, page_key=page_key))


@bp.route("/<visit_id>/forms/<slug>/<page_key>", methods=["GET", "POST"])
def form_page(visit_id: str, slug: str, page_key: str) -> ResponseReturnValue:
    actor = guard.actor()
    visit = posted.visit(visit_id)
    work = filling.work(actor, visit, slug, _language(), _fresh())
    page = filling.page(work, page_key)
    if filling.too_early(work, page.key):
        return redirect(url_for(".form_start", visit_id=visit_id, slug=slug))
    if request.method == "GET":
        audit.seen(actor, Event.FORM_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
        kept = posted.kept()
        form = page_form(work.filling.nodes(page.key), _language(), typed_again(kept) if kept else None)
        answer = _form_page(work, page.key, form, kept=bool(kept))
        filling.put_away(work)
        return answer
    return _save_form_page(work, page.key, page_form(work.filling.asked(page.key), _language(), posted_fields()))


def _save_form_page(work: filling.Work, page_key: str, form: PageForm) -> ResponseReturnValue:
    answers, unread = form.answers()
    saved = filling.save_page(
        guard.actor(), work, page_key, answers, form.seen(), repeat=posted.repeat(), turn=posted.turn()
    )
    leaving = request.form.get("step") == "leave" and not work.entry.required
    wrong = (unread and not leaving) or (saved.issues and posted.moves_on())
    if saved.stale or (wrong and not visits.closed(work.visit)):
        answer = _once_more(saved, page_key, unread)
    else:
        posted.drop_kept()
        if leaving:
            filling.leave_out(guard.actor(), work.visit.id, work.entry.slug)
        answer = _fragment(saved, page_key, answers) or redirect(_onward(saved.work, page_key, leaving), 303)
    filling.put_away(saved.work)
    return answer


def _once_more(saved: filling.Saved, page_key: str, unread: list[Issue]) -> ResponseReturnValue:
    """The page with what is wrong on it, or with what was saved elsewhere meanwhile."""
    wanted = saved.issues if posted.moves_on() else []
    issues = [*unread, *(issue for issue in wanted if issue.name not in {wrong.name for wrong in unread})]
    redrawn = page_form(saved.work.filling.nodes(page_key), _language(), request.form if unread else None)
    shown = page_form(saved.there.nodes(page_key), _language(), None) if saved.there else redrawn
    return _form_page(saved.work, page_key, redrawn, issues=issues, elsewhere=saved.elsewhere, seen=shown.digests())


def _fragment(saved: filling.Saved, page_key: str, answers: filling.Answers) -> ResponseReturnValue | None:
    """The page as it stands now, for the script that asked; None for a person who sends the form, or a visit that is off."""
    live = request.headers.get("X-Fragment") and not visits.closed(saved.work.visit)
    if posted.moves_on() or request.form.get("step") in {"later", "leave"} or not live:
        return None
    redrawn = page_form(saved.work.filling.nodes(page_key), _language(), None)
    redrawn.on_page = frozenset(request.headers["X-Fragment"].split(","))
    html, status = _form_page(saved.work, page_key, redrawn, seen=redrawn.digests(still_shown=answers))
    return framed.alone(html), status


def _onward(work: filling.Work, page_key: str, leaving: bool) -> str:
    """Where to go after saving."""
    visit_id, slug = work.visit.id, work.entry.slug
    if leaving or request.form.get("step") == "later":
        return url_for(".hub", visit_id=visit_id)
    if not posted.moves_on():
        here: dict[str, Any] = {"from": request.args.get("from"), "_anchor": posted.place(work) or None}
        return url_for(".form_page", visit_id=visit_id, slug=slug, page_key=page_key, **here)
    following, to_check = filling.page_after(work, page_key), request.args.get("from") == "check"
    if (following is None or to_check) and filling.to_sign(work):
        return url_for("signing.sign", visit_id=visit_id, slug=slug)
    if to_check:
        return url_for(".check", visit_id=visit_id)
    if following is None:
        return url_for(".hub", visit_id=visit_id)
    return url_for(".form_page", visit_id=visit_id, slug=slug, page_key=following)


def _form_page(
    work: filling.Work,
    page_key: str,
    form: PageForm,
    *,
    issues: list[Issue] | None = None,
    elsewhere: list[filling.Difference] | None = None,
    seen: str | None = None,
    kept: bool = False,
) -> tuple[str, int]:
    page = filling.page(work, page_key)
    nodes = work.filling.nodes(page.key, issues or [])
    urgent, here = noticing.of_work(work, _rules(), _language()), request.full_path.rstrip("?")
    seen = form.digests() if seen is None else seen
    if not (issues or elsewhere or kept or urgent) and framed.may_be(work):
        return framed.page(work, page, nodes, form, seen=seen, here=here), 200
    html = render_template(
        "intake/form_page.html",
        work=work,
        page=page,
        nodes=nodes,
        form=form,
        issues=problems.in_order(nodes, issues or [], page.title),
        stale=bool(elsewhere),
        elsewhere=elsewhere or [],
        section=framed.section(work, page),
        urgent=urgent,
        kept=kept,
        seen=seen,
        here=here,
    )
    return html, 409 if elsewhere else 422 if issues else 200


@bp.get("/<visit_id>/forms/<slug>/files/<mark>")
def file(visit_id: str, slug: str, mark: str) -> ResponseReturnValue:
    """A file that was given in an answer, to look at it again."""
    actor = guard.actor()
    visit = visits.visit(actor, visit_id)
    found = given.kept(mark, filling.draft_of(visit, slug))
    audit.seen(actor, Event.ANSWERS_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
    return handed_over(found.content, found.told, found.title)


@bp.get("/<visit_id>/check")
def check(visit_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    visit = drafts.open_visit(actor, visit_id)
    audit.seen(actor, Event.ANSWERS_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
    return render_template("intake/check.html", visit=visit, missing=[], **_everything(visit))


@bp.post("/<visit_id>/check")
def send(visit_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    sent = sending.submit(actor, visit_id, _language(), _fresh(), _rules())
    if sent.submission is None:
        visit = visits.visit(actor, visit_id)
        audit.seen(actor, Event.ANSWERS_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
        return render_template("intake/check.html", visit=visit, missing=sent.missing, **_everything(visit)), 422
    return redirect(url_for(".receipt", visit_id=visit_id), 303)


@bp.get("/<visit_id>/receipt")
def receipt(visit_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    visit = visits.visit(actor, visit_id)
    submission = drafts.latest_submission(visit)
    if submission is None:
        return redirect(url_for(".hub", visit_id=visit.id))
    audit.seen(actor, Event.RECEIPT_SEEN, subject=f"submissions:{submission.id}", patient_id=visit.patient_id)
    where, signed = sending.where(visit), signing.copies(visit)
    return render_template(
        "intake/receipt.html",
        visit=visit,
        submission=submission,
        where=where,
        told=told.happened(actor, visit),
        signed=signed,
        urgent=_urgent(visit),
        may_take_back=changing.may_take_back(visit, submission),
        may_change=changing.may_change(visit, submission),
    )


@bp.context_processor
def _addresses() -> dict[str, Any]:
    """Where each task of the visit in this address is done."""
    visit_id = (request.view_args or {}).get("visit_id")

    def task_url(task: sending.Task) -> str:
        if task.kind == "form":
            return url_for(".form_start", visit_id=visit_id, slug=task.slug)
        if task.kind == "consent":
            return f"/visits/{visit_id}/consent"
        return url_for(".confirm" if task.kind == "facts" else ".check", visit_id=visit_id)

    return {"task_url": task_url}


def _everything(visit: Visit) -> dict[str, Any]:
    actor = guard.actor()

    def read_through(entry: library.Entry, found: list[Section]) -> Markup:
        form = url_for(".form_start", visit_id=visit.id, slug=entry.slug)
        return checked.sections(found, lambda page_key: "" if visits.closed(visit) else f"{form}/{page_key}?from=check")

    return {
        "tasks": sending.tasks(actor, visit, _language()),
        "sections": confirming.summary(actor, visit),
        "forms": sending.form_summaries(actor, visit, _language(), _fresh()),
        "read_through": read_through,
        "consent": sending.consent_summary(actor, visit),
        "urgent": _urgent(visit),
        "closed": visits.closed(visit),
    }


def _urgent(visit: Visit) -> list[str]:
    return noticing.of_visit(guard.actor(), visit, _rules(), _language())


def _rules() -> attention.Rules:
    live = guard.viewer()
    return attention.rules(current_app.config["SETTINGS"].attention, live.clinic.slug if live else "")


def _fresh() -> timedelta:
    return timedelta(minutes=current_app.config["SETTINGS"].fresh_minutes)
