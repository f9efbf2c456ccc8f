"""Looks into a clinic's library: which forms are asked now and by which rule, and each version compiled once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import undefer

from portal import columns
from portal.db import session
from portal.errors import NotFound
from portal.fhir import exact
from portal.library import rules
from portal.library.models import FormStep, FormVersion, LibraryForm, LibraryTerm
from portal.library.rules import Occasion, Rule
from portal.questionnaire import Form, load

Json = dict[str, Any]
MOST_WEIGHT = 2_500_000
"""Bytes of all compiled forms as they came; each takes some fifteen times that, 40 MB in all. Hundreds of the usual forms, or
four of 2,000 items; one is always kept."""
OWN_URL = "urn:previsit:form:"
"""Begins the address of a form whose author gave it none."""


@dataclass(frozen=True)
class Asked:
    """A form that is asked now. `carry`: drafts of older versions move over to this one."""

    form_id: str
    slug: str
    url: str
    version_id: str
    title: str
    rule: Rule
    carry: bool
    since: datetime


_NEWEST = (
    select(FormStep.form_id, func.max(FormStep.number).label("number"))
    .where(FormStep.clinic_id == bindparam("clinic"))
    .group_by(FormStep.form_id)
    .subquery()
)
_ACTIVE = (
    select(
        FormStep.form_id,
        LibraryForm.slug,
        LibraryForm.url,
        FormStep.version_id,
        FormVersion.title,
        FormStep.rule,
        FormStep.carry,
        FormStep.at,
    )
    .join(_NEWEST, (_NEWEST.c.form_id == FormStep.form_id) & (_NEWEST.c.number == FormStep.number))
    .join(FormVersion, FormVersion.id == FormStep.version_id)
    .join(LibraryForm, LibraryForm.id == FormStep.form_id)
    .where(FormStep.state == "active")
)
_LISTS = select(func.max(LibraryTerm.at)).where(LibraryTerm.clinic_id == bindparam("clinic"))
_DECIDED = select(func.count(), func.max(FormStep.at), func.max(FormStep.id), _LISTS.scalar_subquery()).where(
    FormStep.clinic_id == bindparam("clinic")
)
"""Steps are only ever added: as many, of the same latest moment, are the same. And when a list beside the forms changed."""


def asked(clinic_id: str, occasion: Occasion | None = None) -> list[Asked]:
    """The clinic's active forms in their order; with an occasion only those that this visit asks for."""
    found, _ = asked_now(clinic_id)
    return [each for each in found if occasion is None or rules.applies(each.rule, each.url, occasion)]


def asked_now(clinic_id: str) -> tuple[tuple[Asked, ...], datetime | None]:
    """The clinic's active forms, read anew when anything was decided about forms since; and `lists_as_of`."""
    decided: list[Any]
    *decided, as_of = columns.ask(_DECIDED, clinic=clinic_id).one()
    known = _asked.get(clinic_id)
    if known is None or known[0] != decided:
        known = _asked[clinic_id] = (decided, _read_asked(clinic_id))
    return known[1], as_of


def _read_asked(clinic_id: str) -> tuple[Asked, ...]:
    rows = session().execute(_ACTIVE, {"clinic": clinic_id})
    found = [
        Asked(row.form_id, row.slug, row.url, row.version_id, row.title, Rule.of(row.rule), row.carry, row.at)
        for row in rows
    ]
    return tuple(sorted(found, key=lambda each: (each.rule.order, each.title.casefold(), each.form_id)))


_asked: dict[str, tuple[list[Any], tuple[Asked, ...]]] = {}


def compiled(clinic_id: str, version_id: str, as_of: datetime | None) -> Form:
    """A version of this clinic as the engine reads it; the same object while `lists_as_of` (given as `as_of`) stays the same."""
    key = (clinic_id, version_id, as_of)
    with _lock:
        if key in _compiled:
            _compiled.move_to_end(key)
            return _compiled[key]
    version = _version(clinic_id, version_id)
    form = load(resource(version), registry=Terms(clinic_id))
    with _lock:
        _compiled[key] = form
        _weights[key] = len(version.content)
        while len(_compiled) > 1 and sum(_weights.values()) > MOST_WEIGHT:
            _weights.pop(_compiled.popitem(last=False)[0], None)
    return form


Key = tuple[str, str, datetime | None]
_compiled: OrderedDict[Key, Form] = OrderedDict()
_weights: dict[Key, int] = {}
_lock = Lock()


def lists_as_of(clinic_id: str) -> datetime | None:
    """When a list beside the forms last changed."""
    return session().scalar(_LISTS, {"clinic": clinic_id})


def _version(clinic_id: str, version_id: str) -> FormVersion:
    found = session().scalars(
        select(FormVersion)
        .where(FormVersion.id == version_id, FormVersion.clinic_id == clinic_id)
        .options(undefer(FormVersion.content))
    )
    version = found.one_or_none()
    if version is None:
        raise NotFound
    return version


def hold(clinic_id: str) -> None:
    """Nobody else changes this clinic's library until the transaction ends (SQLite has one writer anyway)."""
    if session().get_bind().dialect.name == "postgresql":
        session().execute(select(func.pg_advisory_xact_lock(int(clinic_id[:15], 16))))


def content(clinic_id: str, version_id: str) -> bytes:
    """The bytes of a version as they came."""
    return _version(clinic_id, version_id).content


def resource(version: FormVersion) -> Json:
    """The Questionnaire of a version, with the address that we call it by where its author gave none."""
    form = session().get_one(LibraryForm, version.form_id)
    return named(exact.loads(version.content), form.url)


def named(raw: Json, url: str) -> Json:
    return raw if raw.get("url") else {**raw, "url": url}


class Terms(Mapping[str, Json]):
    """The ValueSets and CodeSystems that were brought in beside the forms, by address; each read when it is asked for."""

    def __init__(self, clinic_id: str) -> None:
        self._clinic_id = clinic_id
        self._read: dict[str, Json | None] = {}

    def __getitem__(self, url: str) -> Json:
        if url not in self._read:
            self._read[url] = self._look(url)
        found = self._read[url]
        if found is None:
            raise KeyError(url)
        return found

    def _look(self, url: str) -> Json | None:
        kept = session().scalar(
            select(LibraryTerm.content).where(LibraryTerm.clinic_id == self._clinic_id, LibraryTerm.url == url)
        )
        return exact.loads(kept) if kept is not None else None

    def __iter__(self) -> Iterator[str]:
        return iter(session().scalars(select(LibraryTerm.url).where(LibraryTerm.clinic_id == self._clinic_id)))

    def __len__(self) -> int:
        return sum(1 for _ in self)
