"""Letting somebody answer for a patient, and taking it back; each step is kept."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from portal.accounts import ages
from portal.accounts.models import Patient
from portal.accounts.proxies import patient_of
from portal.accounts.proxy_models import AFTER, MOVES, OF_A_CHILD, Act, Basis, ProxyGrant, ProxyStep, Relation, State
from portal.actors import Actor, Permission, Role, Scope
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, Issue, NotAllowed, NotFound

EVENTS = {
    Act.OFFERED: Event.PROXY_OFFERED,
    Act.ACCEPTED: Event.PROXY_ACCEPTED,
    Act.REVOKED: Event.PROXY_REVOKED,
    Act.GIVEN_UP: Event.PROXY_GIVEN_UP,
    Act.ENDED: Event.PROXY_ENDED,
}


@dataclass(frozen=True)
class Wanted:
    """What is typed to let somebody answer for a patient: texts as typed, and the boxes that were ticked."""

    name: str = ""
    birth_date: str = ""
    email: str = ""
    relation: str = ""
    scope: tuple[str, ...] = ()
    until: str = ""
    reason: str = ""
    reference: str = ""
    """the RelatedPerson of the clinic's record that this is, if any"""


@dataclass(frozen=True)
class Offered:
    """The token of a link, shown once and kept nowhere; or what has to be mended."""

    token: str = ""
    name: str = ""
    issues: list[Issue] = field(default_factory=list)


def offer(actor: Actor, patient_id: str, wanted: Wanted, days: int) -> Offered:
    """Make the link for somebody who may answer for this patient. Who may: staff who invite; a patient who is old enough, for
    themself. Only who holds the link and knows their own birth date can use it."""
    basis = _basis(actor, patient_id, wanted)
    patient = patient_of(actor, patient_id)
    issues = check(wanted, patient.person, actor.clinic_id)
    if issues:
        return Offered(issues=issues)
    token, name = secrets.token_urlsafe(32), " ".join(wanted.name.split())
    with transaction() as current:
        patient = patient_of(actor, patient_id)
        row = ProxyGrant(
            clinic_id=actor.clinic_id,
            patient_id=patient.id,
            account_id=None,
            relation=wanted.relation,
            basis=basis.value,
            state=State.OFFERED.value,
            scope=" ".join(sorted(set(wanted.scope))),
            starts_on=ages.today(actor.clinic_id).isoformat(),
            ends_on=wanted.until.strip() or None,
            token_hash=hashed(token),
            token_until=now() + timedelta(days=days),
            failures=0,
            person={
                "name": name,
                "birthDate": wanted.birth_date.strip(),
                "email": wanted.email.strip() or None,
                "record": _record(patient, wanted.reference),
            },
        )
        current.add(row)
        current.flush()
        append(actor, row, Act.OFFERED, wanted.reason.strip())
    return Offered(token, name)


def _basis(actor: Actor, patient_id: str, wanted: Wanted) -> Basis:
    if actor.role is Role.PATIENT and actor.patient_id == patient_id:
        if not ages.grown_up(patient_of(actor, patient_id).person, actor.clinic_id):
            raise NotAllowed
        return Basis.PATIENT
    if actor.role is not Role.SYSTEM and not actor.may(Permission.INVITE):
        raise NotAllowed
    return Basis.RECORD if wanted.reference else Basis.STAFF


def _record(patient: Patient, reference: str) -> dict[str, str | None] | None:
    if not reference:
        return None
    return {"reference": reference, "connection_id": patient.connection_id, "fhir_id": patient.fhir_id}


def check(wanted: Wanted, person: Any, clinic_id: str) -> list[Issue]:
    """What has to be mended before anybody can be asked."""
    today, day, until = ages.today(clinic_id), _day(wanted.birth_date), _day(wanted.until)
    issues = []
    if not wanted.name.strip() or len(wanted.name) > 200:
        issues.append(Issue("name", "wrong", "Enter the person's name"))
    if day is None or day >= today:
        issues.append(Issue("birth_date", "wrong", "Enter the date of birth of the person who will answer"))
    if wanted.email.strip() and "@" not in wanted.email.strip("@ "):
        issues.append(Issue("email", "wrong", "Enter an e-mail address, like name@example.org"))
    issues += _relation_issues(wanted.relation, ages.grown_up(person, clinic_id))
    if not wanted.scope or not set(wanted.scope) <= set(Scope):
        issues.append(Issue("scope", "required", "Tick at least one thing that this person may do"))
    if wanted.until.strip() and (until is None or until < today):
        issues.append(Issue("until", "wrong", "Enter the last day as YYYY-MM-DD, or leave it empty"))
    return issues


def _relation_issues(relation: str, grown_up: bool) -> list[Issue]:
    if relation not in set(Relation):
        return [Issue("relation", "required", "Choose how this person is related")]
    if relation in OF_A_CHILD and grown_up:
        return [
            Issue("relation", "grown-up", "This patient is old enough to answer alone. Choose carer or representative.")
        ]
    return []


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if len(text.strip()) == 10 else None
    except ValueError:
        return None


def revoke(actor: Actor, patient_id: str, grant_id: str, reason: str = "") -> None:
    """Taken back, from the next request on: by the patient who is old enough, or by staff who invite."""
    own = actor.role is Role.PATIENT and actor.patient_id == patient_id
    if own and not ages.grown_up(patient_of(actor, patient_id).person, actor.clinic_id):
        raise NotAllowed
    if not own and not actor.may(Permission.INVITE):
        raise NotAllowed
    with transaction():
        append(actor, _find(actor, patient_id, grant_id), Act.REVOKED, reason.strip())


def give_up(actor: Actor, grant_id: str) -> None:
    """Whoever answers for somebody does so no longer."""
    with transaction():
        row = session().get(ProxyGrant, grant_id)
        if row is None or row.account_id is None or row.account_id != actor.account_id:
            raise NotFound
        append(actor, row, Act.GIVEN_UP, "")


def _find(actor: Actor, patient_id: str, grant_id: str) -> ProxyGrant:
    wanted = select(ProxyGrant).where(
        ProxyGrant.id == grant_id, ProxyGrant.patient_id == patient_id, ProxyGrant.clinic_id == actor.clinic_id
    )
    found = session().scalars(wanted.with_for_update()).one_or_none()
    if found is None:
        raise NotFound
    return found


def append(actor: Actor, row: ProxyGrant, act: Act, reason: str) -> None:
    if row.steps and act not in MOVES[State(row.state)]:
        raise Conflict
    row.state = AFTER[act].value
    row.steps.append(
        ProxyStep(
            clinic_id=row.clinic_id,
            grant_id=row.id,
            patient_id=row.patient_id,
            number=len(row.steps) + 1,
            act=act.value,
            at=now(),
            account_id=actor.account_id,
            why={"by": actor.name, "reason": reason},
        )
    )
    session().flush()
    audit.record(actor, EVENTS[act], subject=f"proxy_grants:{row.id}", patient_id=row.patient_id)


def hashed(token: str) -> str:
    """All that is kept of a link."""
    return hashlib.sha256(token.encode()).hexdigest()
