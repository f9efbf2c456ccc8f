"""Decides which version of a form is asked before which visits; every decision is appended, none is changed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, Issue
from portal.library import rules, shelf
from portal.library.importing import may_manage
from portal.library.models import FormStep, FormVersion
from portal.library.reading import steps, version
from portal.library.rules import Rule


def issues(rule: Rule) -> list[Issue]:
    """What is wrong with a rule; [] when `activate` will take it."""
    found = []
    if not 1 <= rule.order <= rules.LAST:
        found.append(Issue("order", "range", "Give a place from 1 to 99."))
    if len(rule.kinds) > rules.MOST_KINDS or any(len(kind) > rules.LONGEST_KIND for kind in rule.kinds):
        found.append(Issue("kinds", "too-many", "Give up to 30 kinds of visit, one a line, each of up to 120 letters."))
    for where, age in (("from_age", rule.from_age), ("to_age", rule.to_age)):
        if age is not None and not 0 <= age <= rules.OLDEST:
            found.append(Issue(where, "range", "Give an age in whole years, from 0 to 130, or leave it empty."))
    if not found and rule.from_age is not None and rule.to_age is not None and rule.from_age > rule.to_age:
        found.append(Issue("to_age", "order", "The second age must not be lower than the first."))
    if rule.months is not None and not 1 <= rule.months <= rules.MOST_MONTHS:
        found.append(Issue("months", "range", "Give a number of months from 1 to 240, or leave it empty."))
    return found


def activate(actor: Actor, version_id: str, rule: Rule, *, carry: bool, seen: int | None = None) -> FormStep:
    """From now on visits that fit the rule ask for this version. `carry`: drafts of older versions move over to it.

    `seen` is the number of the last decision that was shown: Conflict when somebody has decided meanwhile. ValueError when
    `issues` finds any.
    """
    may_manage(actor)
    if issues(rule):
        raise ValueError("the rule has issues")
    with transaction():
        shelf.hold(actor.clinic_id)
        wanted = version(actor, version_id)
        step = _append(actor, wanted, "active", rule, carry, seen)
        audit.record(
            actor, Event.FORM_ACTIVATED, subject=f"form_versions:{wanted.id}", detail={"rule": rules.sentence(rule)}
        )
        return step


def deactivate(actor: Actor, form_id: str, seen: int | None = None) -> FormStep:
    """No visit asks for this form any more; what was begun can be finished. Conflict when it is not asked now."""
    may_manage(actor)
    with transaction():
        shelf.hold(actor.clinic_id)
        history = steps(actor, form_id)
        if not history or history[-1].state != "active":
            raise Conflict
        last = history[-1]
        step = _append(actor, version(actor, last.version_id), "inactive", Rule.of(last.rule), False, seen)
        audit.record(actor, Event.FORM_DEACTIVATED, subject=f"form_versions:{last.version_id}")
        return step


def _append(actor: Actor, wanted: FormVersion, state: str, rule: Rule, carry: bool, seen: int | None) -> FormStep:
    before: Sequence[int] = session().scalars(select(FormStep.number).where(FormStep.form_id == wanted.form_id)).all()
    newest = max(before, default=0)
    if seen is not None and seen != newest:
        raise Conflict("Somebody has decided about this form meanwhile. Open it again to see how it stands.")
    step = FormStep(
        clinic_id=actor.clinic_id,
        form_id=wanted.form_id,
        version_id=wanted.id,
        number=newest + 1,
        state=state,
        rule=rule.stored(),
        carry=carry,
        at=now(),
        who={"name": actor.name},
    )
    session().add(step)
    session().flush()
    return step
