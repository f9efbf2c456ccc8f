"""The forms of one visit, out of the clinic's library: which are asked, and in which version each is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.actors import Actor
from portal.clock import now
from portal.db import session
from portal.errors import NotFound
from portal.intake import drafts
from portal.intake.models import Status, Submission, Visit
from portal.library import service as library
from portal.questionnaire import Form

BEGINS = "form:"
"""How the task of a draft begins that belongs to a form; its slug follows."""


@dataclass(frozen=True)
class Place:
    """A form in the line of a visit. `version_id` is filled in; `begun_id` is the version that its draft was begun with."""

    slug: str
    version_id: str
    begun_id: str | None
    required: bool


@dataclass(frozen=True)
class Entry:
    """A form as this visit fills it in; `slug` stands in addresses. `before` is set when a draft of an older version moves over."""

    slug: str
    form: Form
    version_id: str
    required: bool = True
    before: Form | None = None


def task(slug: str) -> str:
    return f"{BEGINS}{slug}"


def places(actor: Actor, visit: Visit, rows: Mapping[str, drafts.Kept]) -> list[Place]:
    """What this visit asks now, in order, and then what was begun for it and is no longer asked: that can be finished."""
    return _places(actor, visit, rows, library.asked(actor.clinic_id))


def _places(
    actor: Actor, visit: Visit, rows: Mapping[str, drafts.Kept], active: Sequence[library.Asked]
) -> list[Place]:
    occasion = _occasion(actor, visit, active)
    asked = [each for each in active if library.applies(each.rule, each.url, occasion)]
    begun = {name.removeprefix(BEGINS): row for name, row in rows.items() if name.startswith(BEGINS)}
    made = [_place(each, begun.get(each.slug)) for each in asked]
    left = [slug for slug in begun if slug not in {each.slug for each in asked}]
    return made + [Place(slug, _pinned(begun[slug]), _pinned(begun[slug]), False) for slug in sorted(left)]


def _place(asked: library.Asked, row: drafts.Kept | None) -> Place:
    begun = _pinned(row) if row else None
    version_id = asked.version_id if begun is None or asked.carry else begun
    return Place(asked.slug, version_id, begun, asked.rule.required)


def _pinned(row: drafts.Kept) -> str:
    return str(row.form_version_id)


def entries(actor: Actor, visit: Visit, rows: Mapping[str, drafts.Kept] | None = None) -> list[Entry]:
    """The forms of a visit, compiled. `rows` are its drafts by task, where they have been read already."""
    active, as_of = library.asked_now(actor.clinic_id)
    found = _places(actor, visit, drafts.of_visit(visit) if rows is None else rows, active)
    return [_entry(actor.clinic_id, each, as_of) for each in found]


def entry(actor: Actor, visit: Visit, slug: str, rows: Mapping[str, drafts.Kept]) -> Entry:
    """One form of a visit; NotFound for one that this visit neither asks nor has begun. `rows`: its drafts by task."""
    active, as_of = library.asked_now(actor.clinic_id)
    found = next((each for each in _places(actor, visit, rows, active) if each.slug == slug), None)
    if found is None:
        raise NotFound
    return _entry(actor.clinic_id, found, as_of)


def _entry(clinic_id: str, place: Place, as_of: datetime | None) -> Entry:
    moved = place.begun_id is not None and place.begun_id != place.version_id
    before = library.compiled(clinic_id, str(place.begun_id), as_of) if moved else None
    form = library.compiled(clinic_id, place.version_id, as_of)
    return Entry(place.slug, form, place.version_id, place.required, before)


def _occasion(actor: Actor, visit: Visit, active: Sequence[library.Asked]) -> library.Occasion:
    """This visit as the rules see it; looked up only as far as a rule asks."""
    ages = any(each.rule.from_age is not None or each.rule.to_age is not None for each in active)
    born = accounts.patient(actor, visit.patient_id).person.get("birthDate") if ages else None
    months = max((each.rule.months or 0 for each in active), default=0)
    return library.Occasion(
        kind=visit.detail.get("what") or "",
        age=library.age_on(born, visit.starts_at.date()),
        at=now(),
        answered=_answered(visit, library.months_before(now(), months)) if months else {},
    )


def _answered(visit: Visit, since: datetime) -> dict[str, datetime]:
    """url → when this patient last sent that form in, for another visit."""
    rows = session().scalars(
        select(Submission)
        .where(
            Submission.clinic_id == visit.clinic_id,
            Submission.patient_id == visit.patient_id,
            Submission.visit_id != visit.id,
            Submission.status != Status.WITHDRAWN.value,
            Submission.sent_at >= since,
        )
        .order_by(Submission.sent_at)
    )
    return {url: row.sent_at for row in rows for url in _urls(row.document)}


def _urls(document: Mapping[str, Any]) -> list[str]:
    return [str(canonical).partition("|")[0] for canonical in document.get("questionnaires") or ()]
