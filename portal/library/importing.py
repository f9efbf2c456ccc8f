"""Brings forms into a clinic's library: what was taken, what was there already, what was refused and why."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from portal.actors import Actor, Permission, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import NotAllowed
from portal.fhir import exact
from portal.library import opening, shelf
from portal.library.models import LONGEST_TITLE, LONGEST_URL, FormVersion, LibraryForm, LibraryTerm
from portal.library.opening import Opened
from portal.questionnaire import Form, Item, Refusal
from portal.questionnaire import extensions as ext

Json = dict[str, Any]
TAKEN, KNOWN, REFUSED = "taken", "known", "refused"


@dataclass(frozen=True)
class Result:
    """What came of one form: taken, known (the same was there already) or refused with the reasons.

    `words`: linkId → the question's text, of the items that were refused.
    """

    outcome: str
    title: str
    url: str
    version: str
    refusals: tuple[Refusal, ...] = ()
    form_id: str = ""
    version_id: str = ""
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Brought:
    """What came of an upload. `trouble` says why nothing could be made of it at all; `lists` counts value sets taken."""

    results: tuple[Result, ...] = ()
    lists: int = 0
    trouble: str = ""

    @property
    def refused(self) -> bool:
        """Whether nothing at all was taken or known."""
        return bool(self.trouble) or (bool(self.results) and all(each.outcome == REFUSED for each in self.results))


def may_manage(actor: Actor) -> None:
    if actor.role is not Role.SYSTEM and not actor.may(Permission.MANAGE_FORMS):
        raise NotAllowed


def bring_in(actor: Actor, content: bytes, *, origin: str, name: str) -> Brought:
    """Check everything in these bytes and keep what can be used. A version that is there with other content is never replaced.

    `origin` is one of models.ORIGINS, `name` the file or server it came from.
    """
    may_manage(actor)
    known = _known(actor, content)
    if known is not None:
        return Brought((known,))
    found = opening.parcel(content, shelf.Terms(actor.clinic_id))
    if found.trouble:
        return Brought(trouble=found.trouble)
    with transaction():
        shelf.hold(actor.clinic_id)
        for raw, text in found.lists:
            _keep_list(actor, raw, text)
        results = tuple(_keep(actor, each, origin, name) for each in found.forms)
    return Brought(results, len(found.lists))


def _known(actor: Actor, content: bytes) -> Result | None:
    """What came of the very same bytes before."""
    row = session().execute(
        select(FormVersion, LibraryForm.url)
        .join(LibraryForm, LibraryForm.id == FormVersion.form_id)
        .where(FormVersion.clinic_id == actor.clinic_id, FormVersion.sha256 == hashlib.sha256(content).hexdigest())
    )
    found = row.first()
    if found is None:
        return None
    version, url = found
    return Result(KNOWN, version.title, url, version.version, (), version.form_id, version.id)


def _keep_list(actor: Actor, raw: Json, text: bytes) -> None:
    digest, url = hashlib.sha256(text).hexdigest(), opening.address(raw)
    known = session().scalars(
        select(LibraryTerm).where(LibraryTerm.clinic_id == actor.clinic_id, LibraryTerm.url == url)
    )
    row = known.one_or_none()
    if row is None:
        row = LibraryTerm(clinic_id=actor.clinic_id, url=url, sha256="", content=b"", at=now())
        session().add(row)
    if row.sha256 != digest:
        row.sha256, row.content, row.at = digest, text, now()
        audit.record(actor, Event.FORM_IMPORTED, subject=f"library_terms:{row.id}")


def _keep(actor: Actor, found: Opened, origin: str, name: str) -> Result:
    title, version = _title(found.raw), str(found.raw.get("version") or "")
    url = opening.address(found.raw) or shelf.OWN_URL + _slug(title or name)
    if found.form is None:
        return Result(REFUSED, title, url, version, found.refusals, words=_words(found))
    digest = hashlib.sha256(found.content).hexdigest()
    form = _form(actor, url, name if origin in ("supplied", "folder") else title or name)
    there = session().scalars(select(FormVersion).where(FormVersion.form_id == form.id, FormVersion.version == version))
    known = there.one_or_none()
    if known is None:
        made = _new_version(actor, form, found, found.form, digest, origin, name)
        return Result(TAKEN, made.title, url, version, (), form.id, made.id)
    if known.sha256 == digest or exact.loads(known.content) == found.raw:
        return Result(KNOWN, known.title, url, version, (), form.id, known.id)
    return Result(REFUSED, title, url, version, (_taken_already(version),), form.id, known.id)


def _words(found: Opened) -> dict[str, str]:
    wanted = {each.link_id for each in found.refusals if each.link_id}
    told: dict[str, str] = {}
    stack: list[Any] = [found.raw.get("item")]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(reversed(current))
        elif isinstance(current, dict):
            name, text = current.get("linkId"), current.get("text")
            if isinstance(name, str) and name in wanted and isinstance(text, str):
                told.setdefault(name, " ".join(text.split()))
            stack.append(current.get("item"))
    return told


def _taken_already(version: str) -> Refusal:
    said = (
        f"version {version} of this form is here already, with other content"
        if version
        else ("this form is here already, with other content and no version either")
    )
    return Refusal("", "version-taken", f"{said}. A version never changes: give the changed form a new version")


def _title(raw: Json) -> str:
    title = raw.get("title") or raw.get("name")
    return " ".join(title.split())[:LONGEST_TITLE] if isinstance(title, str) else ""


def _form(actor: Actor, url: str, name: str) -> LibraryForm:
    known = session().scalars(
        select(LibraryForm).where(LibraryForm.clinic_id == actor.clinic_id, LibraryForm.url == url)
    )
    form = known.one_or_none()
    if form is None:
        form = LibraryForm(clinic_id=actor.clinic_id, url=url, slug=_free_slug(actor.clinic_id, name), made_at=now())
        session().add(form)
        session().flush()
    return form


def _slug(name: str) -> str:
    """For addresses: small letters, digits and hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower().removesuffix(".json")))[:60].strip("-") or "form"


def _free_slug(clinic_id: str, name: str) -> str:
    wanted = _slug(name)
    taken = set(
        session().scalars(
            select(LibraryForm.slug).where(LibraryForm.clinic_id == clinic_id, LibraryForm.slug.startswith(wanted))
        )
    )
    return next(
        slug for slug in [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))] if slug not in taken
    )


def _new_version(
    actor: Actor, form: LibraryForm, found: Opened, read: Form, digest: str, origin: str, name: str
) -> FormVersion:
    newest = session().scalar(select(func.max(FormVersion.number)).where(FormVersion.form_id == form.id))
    made = FormVersion(
        clinic_id=actor.clinic_id,
        form_id=form.id,
        number=(newest or 0) + 1,
        version=str(found.raw.get("version") or ""),
        title=_title(found.raw) or form.slug,
        sha256=digest,
        content=found.content,
        lists=lists_elsewhere(read),
        origin=origin,
        origin_name=name[:200],
        imported_at=now(),
        who={"name": actor.name},
    )
    session().add(made)
    session().flush()
    audit.record(actor, Event.FORM_IMPORTED, subject=f"form_versions:{made.id}")
    return made


def lists_elsewhere(form: Form) -> list[str]:
    """The value sets that only a terminology server can give, each once, in the order of the form."""
    found = [canonical for item in form.questions() for canonical in _lists(form, item)]
    return [canonical for canonical in dict.fromkeys(found) if 0 < len(canonical) <= LONGEST_URL]


def _lists(form: Form, item: Item) -> list[str]:
    units = ext.value(item.extensions, "unitValueSet")
    unknown_units = isinstance(units, str) and form.value_sets.expand(units) is None
    return [form.value_sets.elsewhere(item), str(units) if unknown_units else ""]
