"""Who may answer for a patient: what holds today, and the lists of it. It is asked at each request: what was taken back has ended."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from portal.accounts import ages
from portal.accounts.models import Account, Patient
from portal.accounts.proxy_models import OF_A_CHILD, Act, Basis, ProxyGrant, ProxyStep, Relation, State
from portal.actors import SELF, Actor, Permission, Role, Scope, Subject
from portal.clock import now
from portal.db import session
from portal.errors import NotAllowed, NotFound

MOST_FAILURES = 5
NOTICE_DAYS = 60
"""How long before a grant ends by itself everybody concerned is told."""


@dataclass(frozen=True)
class Grant:
    """A grant as it stands today. `standing` is offered, active, not-yet, aged-out, expired, or the act that ended it."""

    id: str
    patient_id: str
    account_id: str | None
    name: str
    birth_date: str
    relation: Relation
    basis: Basis
    standing: str
    scope: frozenset[Scope]
    starts_on: date
    ends_on: date | None
    comes_of_age: bool
    ends_soon: bool
    reference: str
    steps: tuple[ProxyStep, ...]

    @property
    def open(self) -> bool:
        """Whether there is still something to take back."""
        return self.standing in ("offered", "active", "not-yet")


def held_by(account: Account) -> list[tuple[ProxyGrant, Patient]]:
    """The active grants of an account with whom they are about, whether their time is on or not."""
    wanted = (
        select(ProxyGrant, Patient)
        .join(Patient, Patient.id == ProxyGrant.patient_id)
        .where(
            ProxyGrant.account_id == account.id,
            ProxyGrant.clinic_id == account.clinic_id,
            ProxyGrant.state == State.ACTIVE.value,
        )
        .order_by(ProxyGrant.id)
    )
    return [(grant, patient) for grant, patient in session().execute(wanted)]


def subjects(account: Account) -> tuple[Subject, ...]:
    """Whom this account may answer for today; () when that is only itself. Asked at each request: what was taken back has ended."""
    held = held_by(account)
    if not held:
        return ()
    day, years = ages.today(account.clinic_id), ages.of_age(account.clinic_id)
    others = [_subject(grant, patient, years) for grant, patient in held if _holds(grant, patient, day, years)]
    own = [Subject(SELF, account.patient_id, account.profile["name"])] if account.patient_id else []
    return (*own, *sorted(others, key=lambda each: each.name))


def _subject(grant: ProxyGrant, patient: Patient, years: int) -> Subject:
    last, aged = last_day(grant, patient, years)
    return Subject(
        key=grant.id,
        patient_id=patient.id,
        name=str(patient.person.get("name") or ""),
        scope=scope_of(grant.scope),
        relation=grant.relation,
        reference=_reference(grant, patient),
        ends_on=last,
        comes_of_age=aged,
    )


def _reference(grant: ProxyGrant, patient: Patient) -> str:
    """The RelatedPerson, as long as the patient is still tied to the record that it was found in."""
    record = grant.person.get("record") or {}
    tied = (record.get("connection_id"), record.get("fhir_id")) == (patient.connection_id, patient.fhir_id)
    return str(record.get("reference") or "") if tied else ""


def _holds(grant: ProxyGrant, patient: Patient, day: date, years: int) -> bool:
    last, _ = last_day(grant, patient, years)
    return date.fromisoformat(grant.starts_on) <= day and (last is None or day <= last)


def last_day(grant: ProxyGrant, patient: Patient, years: int) -> tuple[date | None, bool]:
    """The last day, and whether it is that because the patient comes of age: whichever day is earlier counts."""
    until = date.fromisoformat(grant.ends_on) if grant.ends_on else None
    day = ages.born(patient.person)
    if grant.relation not in OF_A_CHILD or day is None:
        return until, False
    eve = ages.birthday(day, years) - timedelta(days=1)
    return (until, False) if until is not None and until < eve else (eve, True)


def scope_of(text: str) -> frozenset[Scope]:
    return frozenset(Scope(word) for word in text.split())


def of_patient(actor: Actor, patient_id: str) -> list[Grant]:
    """Everybody who may, might or could answer for this patient, the newest first; for the patient and those who may invite."""
    own = actor.role is Role.PATIENT and actor.patient_id == patient_id
    if not (own or actor.role is Role.SYSTEM or actor.may(Permission.INVITE)):
        raise NotAllowed
    row = patient_of(actor, patient_id)
    wanted = select(ProxyGrant).where(ProxyGrant.patient_id == row.id, ProxyGrant.clinic_id == actor.clinic_id)
    grants = list(session().scalars(wanted))
    day, years = ages.today(actor.clinic_id), ages.of_age(actor.clinic_id)
    return sorted((_grant(each, row, day, years) for each in grants), key=lambda each: each.steps[0].at, reverse=True)


def soon(actor: Actor) -> tuple[Subject, ...]:
    """Of those somebody answers for, whose time is over within the next weeks."""
    last = ages.today(actor.clinic_id) + timedelta(days=NOTICE_DAYS)
    return tuple(each for each in actor.subjects if each.ends_on is not None and each.ends_on <= last)


def active(clinic_id: str) -> list[tuple[ProxyGrant, Patient]]:
    wanted = (
        select(ProxyGrant, Patient)
        .join(Patient, Patient.id == ProxyGrant.patient_id)
        .where(ProxyGrant.clinic_id == clinic_id, ProxyGrant.state == State.ACTIVE.value)
    )
    return [(grant, patient) for grant, patient in session().execute(wanted)]


def helpers(clinic_id: str, scope: Scope) -> dict[str, str]:
    """Patient id → the account of somebody who may do this for them today (the first who was granted it)."""
    day, years = ages.today(clinic_id), ages.of_age(clinic_id)
    holding = [
        (grant.id, patient.id, str(grant.account_id))
        for grant, patient in active(clinic_id)
        if scope in scope_of(grant.scope) and _holds(grant, patient, day, years)
    ]
    return {patient_id: account_id for _, patient_id, account_id in sorted(holding, reverse=True)}


def _grant(row: ProxyGrant, patient: Patient, day: date, years: int) -> Grant:
    last, aged = last_day(row, patient, years)
    return Grant(
        id=row.id,
        patient_id=row.patient_id,
        account_id=row.account_id,
        name=row.person["name"],
        birth_date=row.person["birthDate"],
        relation=Relation(row.relation),
        basis=Basis(row.basis),
        standing=_standing(row, day, last, aged),
        scope=scope_of(row.scope),
        starts_on=date.fromisoformat(row.starts_on),
        ends_on=last,
        comes_of_age=aged,
        ends_soon=last is not None and day <= last <= day + timedelta(days=NOTICE_DAYS),
        reference=_reference(row, patient),
        steps=tuple(row.steps),
    )


def _standing(row: ProxyGrant, day: date, last: date | None, aged: bool) -> str:
    if row.state == State.OVER:
        act = row.steps[-1].act
        return act if act != Act.ENDED else "aged-out" if aged else "expired"
    if last is not None and last < day:
        return "aged-out" if aged else "expired"
    if row.state == State.OFFERED:
        return "offered" if row.token_until > now() and row.failures < MOST_FAILURES else "not-taken-up"
    return "active" if row.starts_on <= day.isoformat() else "not-yet"


def grant_owner(actor: Actor, grant_id: str) -> str:
    """Whom a grant of this clinic is about; NotFound for any other."""
    row = session().get(ProxyGrant, grant_id)
    if row is None or row.clinic_id != actor.clinic_id:
        raise NotFound
    return row.patient_id


def patient_of(actor: Actor, patient_id: str) -> Patient:
    wanted = select(Patient).where(Patient.id == patient_id, Patient.clinic_id == actor.clinic_id)
    found = session().scalars(wanted).one_or_none()
    if found is None:
        raise NotFound
    return found
