"""Puts compiled forms into a clinic's library without checking them again, for tests of many or odd forms."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete

from portal.actors import system
from portal.clock import now
from portal.db import transaction
from portal.fhir import exact
from portal.library import shelf as shelves
from portal.library.activating import activate
from portal.library.importing import lists_elsewhere
from portal.library.models import FormStep, FormVersion, LibraryForm
from portal.library.rules import Rule
from portal.questionnaire import Form


def put(clinic_id: str, slug: str, form: Form, order: int = 1, *, carry: bool = False, version: str = "") -> str:
    """A form under this slug (or a further version of it), asked before every visit from now on; the id of its version."""
    content = exact.dumps(form.raw).encode()
    with transaction() as current:
        line = current.query(LibraryForm).filter_by(clinic_id=clinic_id, slug=slug).one_or_none()
        if line is None:
            line = LibraryForm(clinic_id=clinic_id, url=f"urn:previsit:form:{slug}", slug=slug, made_at=now())
            current.add(line)
            current.flush()
        made = FormVersion(
            clinic_id=clinic_id,
            form_id=line.id,
            number=current.query(FormVersion).filter_by(form_id=line.id).count() + 1,
            version=version or form.version,
            title=form.title()[:300] or slug,
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            lists=lists_elsewhere(form),
            origin="file",
            origin_name="a test",
            imported_at=now(),
            who={"name": "A test"},
        )
        current.add(made)
        current.flush()
        version_id = made.id
    activate(system(clinic_id), version_id, Rule(order=order), carry=carry)
    shelves._compiled[(clinic_id, version_id, shelves.lists_as_of(clinic_id))] = form
    return version_id


def take_everything_off(clinic_id: str) -> None:
    with transaction() as current:
        for table in (FormStep, FormVersion, LibraryForm):
            current.execute(delete(table).where(table.clinic_id == clinic_id))
