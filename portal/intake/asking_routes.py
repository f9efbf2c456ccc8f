"""The clinic's page of what its patients are asked to confirm, how often, and whose word counts."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.actors import Permission
from portal.intake import asking
from portal.intake.sections import PAGES, SECTIONS

bp = Blueprint("asking", __name__, url_prefix="/desk/confirming")

FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    key: (("contact.phone", "Phone numbers"), ("contact.email", "E-mail"), ("contact.address", "Address"))
    if key == "contact"
    else ((key, ""),)
    for key in SECTIONS
}
"""The fields of each block that a source of truth is named for, with their names where there are several."""


@bp.get("")
def shown() -> ResponseReturnValue:
    return _page(asking.asked(guard.actor().clinic_id), saved=request.args.get("saved") == "yes")


@bp.post("")
def saved() -> ResponseReturnValue:
    """What is not on offer is as it was."""
    actor = guard.actor()
    asking.set_asked(actor, _typed(asking.asked(actor.clinic_id), request.form))
    return redirect(url_for(".shown", saved="yes"), 303)


def _typed(before: asking.Asked, form: Mapping[str, str]) -> asking.Asked:
    blocks = {key: _rule(rule, key, form) for key, rule in before.blocks.items()}
    words = {name: form.get(f"authority-{name}", held) for name, held in before.authority.items()}
    claim = next((each for each in asking.CLAIMS if str(each) == form.get("claim")), before.claim)
    return asking.read(asking.stored(asking.Asked(blocks, words, claim)))


def _rule(before: asking.Rule, key: str, form: Mapping[str, str]) -> asking.Rule:
    days = form.get(f"days-{key}", "")
    names = form[f"names-{key}"].splitlines() if f"names-{key}" in form else before.names
    return asking.Rule(
        form.get(f"asked-{key}", before.asked),
        int(days) if days.isascii() and days.isdigit() and len(days) < 4 else before.days,
        asking.names_of(names),
    )


def _page(rules: asking.Asked, *, saved: bool) -> ResponseReturnValue:
    return render_template(
        "intake/asking.html",
        rules=rules,
        pages=PAGES.values(),
        sections=SECTIONS,
        fields=FIELDS,
        days=asking.DAYS,
        claims=asking.CLAIMS,
        saved=saved,
        may_change=guard.actor().may(Permission.MANAGE_FORMS),
    )
