"""What staff see of the library: every form with its versions and decisions, and one version with its check report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from portal.actors import Actor, Permission, Role
from portal.db import session
from portal.ehr import service as ehr
from portal.errors import NotAllowed, NotFound
from portal.fhir import exact
from portal.fhir.versions import age
from portal.library import shelf
from portal.library.models import FormStep, FormVersion, LibraryForm
from portal.library.rules import Rule, sentence
from portal.library.translating import untranslated
from portal.questionnaire import Form
from portal.questionnaire.extract_template import PATCH
from portal.questionnaire.report import of_form
from portal.questionnaire.searching import looked_for
from portal.questionnaire.words import localised

Json = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A form of the library. `versions` newest first (`in_order`), `steps` oldest first."""

    form: LibraryForm
    versions: list[FormVersion] = field(default_factory=list)
    steps: list[FormStep] = field(default_factory=list)

    @property
    def step(self) -> FormStep | None:
        return self.steps[-1] if self.steps else None

    @property
    def active(self) -> FormVersion | None:
        """The version that is asked now."""
        step = self.step
        if step is None or step.state != "active":
            return None
        return next((each for each in self.versions if each.id == step.version_id), None)

    @property
    def title(self) -> str:
        return (self.active or self.versions[0]).title

    @property
    def newest(self) -> FormVersion:
        return self.versions[0]

    @property
    def rule(self) -> Rule | None:
        return Rule.of(self.step.rule) if self.step else None

    @property
    def order(self) -> int:
        return self.rule.order if self.rule and self.active else 1000

    @property
    def words(self) -> str:
        """Its rule in a sentence; "" when nobody is asked."""
        return sentence(self.rule) if self.rule and self.active else ""

    def before(self, version: FormVersion) -> FormVersion | None:
        """The version that came before this one."""
        places = [each.id for each in self.versions]
        return next(iter(self.versions[places.index(version.id) + 1 :]), None)

    def find(self, version_id: str) -> FormVersion:
        found = next((each for each in self.versions if each.id == version_id), None)
        if found is None:
            raise NotFound
        return found


def in_order(versions: Iterable[FormVersion]) -> list[FormVersion]:
    """Newest first: by their numbers (1.9 before 1.10) where all are numbered, so that an older one brought in later stays
    the older one; else as they came."""
    found = sorted(versions, key=lambda each: each.number, reverse=True)
    if all(_NUMBERED.match(each.version) for each in found):
        found.sort(key=lambda each: age(each.version), reverse=True)
    return found


_NUMBERED = re.compile(r"v?[0-9]", re.IGNORECASE)


def may_see(actor: Actor) -> None:
    if actor.role is not Role.SYSTEM and not actor.may(Permission.SEE_FORMS):
        raise NotAllowed


def every(actor: Actor) -> list[Kept]:
    """All forms of the clinic: those that are asked in their order, then the others by title."""
    may_see(actor)
    kept = {form.id: Kept(form) for form in session().scalars(_of(LibraryForm, actor))}
    for version in session().scalars(_of(FormVersion, actor).order_by(FormVersion.number.desc())):
        kept[version.form_id].versions.append(version)
    for each in kept.values():
        each.versions[:] = in_order(each.versions)
    for step in session().scalars(_of(FormStep, actor).order_by(FormStep.number)):
        kept[step.form_id].steps.append(step)
    return sorted((each for each in kept.values() if each.versions), key=lambda one: (one.order, one.title.casefold()))


def _of(table: Any, actor: Actor) -> Any:
    return select(table).where(table.clinic_id == actor.clinic_id)


def one(actor: Actor, form_id: str) -> Kept:
    """A form of this clinic; NotFound for any other."""
    may_see(actor)
    form = session().scalars(_of(LibraryForm, actor).where(LibraryForm.id == form_id)).one_or_none()
    if form is None:
        raise NotFound
    rows = session().scalars(_of(FormVersion, actor).where(FormVersion.form_id == form_id))
    return Kept(form, in_order(rows), steps(actor, form_id))


def steps(actor: Actor, form_id: str) -> list[FormStep]:
    """The decisions about a form, oldest first."""
    return list(session().scalars(_of(FormStep, actor).where(FormStep.form_id == form_id).order_by(FormStep.number)))


def version(actor: Actor, version_id: str) -> FormVersion:
    """A version of this clinic; NotFound for any other."""
    found = session().scalars(_of(FormVersion, actor).where(FormVersion.id == version_id)).one_or_none()
    if found is None:
        raise NotFound
    row: FormVersion = found
    return row


def compiled(actor: Actor, version_id: str) -> Form:
    """A version as the engine reads it, for staff."""
    may_see(actor)
    return shelf.compiled(actor.clinic_id, version_id, shelf.lists_as_of(actor.clinic_id))


def checked(actor: Actor, version_id: str) -> Json:
    """The check report of a version, as `portal questionnaire check` gives it, with what its searches ask for in vain here,
    what is `untranslated`, and the `words` (linkId → text) of the questions that it names."""
    form = compiled(actor, version_id)
    report = of_form(form)
    lost = [_in_vain(kind) for kind in looked_for(form) if not ehr.holding(kind)]
    if PATCH in exact.dumps(form.raw):
        reason = "a template that patches the record: what it says is shown to staff as answers, and not written"
        lost.append({"linkId": "", "feature": "templateExtract", "reason": reason})
    missed = [*report["not_honoured"], *lost]
    named = {each["linkId"] for each in (*missed, *report["defects"])} & form.by_link.keys()
    words = {link_id: " ".join(localised(form.by_link[link_id].raw, "text", "").split()) for link_id in named}
    return {**report, "not_honoured": missed, "untranslated": untranslated(form), "words": words}


def _in_vain(kind: str) -> Json:
    reason = f"it looks for {kind} in the patient's record, which is not read here: nothing is filled in from it"
    return {"linkId": "", "feature": "x-fhir-query", "reason": reason}


def download(actor: Actor, version_id: str) -> bytes:
    """A version as it came, byte for byte."""
    may_see(actor)
    return shelf.content(actor.clinic_id, version_id)
