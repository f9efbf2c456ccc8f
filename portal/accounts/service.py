"""The verbs of accounts: set up a clinic, add staff, expect a patient, invite, join."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from portal import db
from portal.accounts import joining_codes, passwords, sessions, throttle
from portal.accounts.devices import NOWHERE, Arrival
from portal.accounts.keeping import drop_kept, keep, take_kept
from portal.accounts.key_ring import check_key_ring
from portal.accounts.models import Account, Clinic, Invitation, Patient
from portal.actors import PATIENTS, STAFF, Actor, Permission, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.columns import know_keys
from portal.db import session, transaction
from portal.errors import Gone, Issue, NotAllowed, NotFound

MOST_FAILURES = 5
IN_USE = "This address cannot be used for this account. If it is yours already, call the clinic; else give another."

__all__ = ["check_key_ring", "drop_kept", "keep", "take_kept"]


# -- clinics ---------------------------------------------------------------------------------------------------------


def add_clinic(slug: str, name: str, timezone: str, language: str, phone: str) -> Clinic:
    """A new clinic; remembers which key ring it was made with, so that a wrong one refuses to start."""
    with transaction() as current:
        clinic = Clinic(
            slug=slug, name=name, timezone=timezone, language=language, phone=phone, key_ring=db.keys().fingerprint()
        )
        current.add(clinic)
        return clinic


def clinics() -> list[Clinic]:
    return list(session().scalars(select(Clinic).order_by(Clinic.name)))


def clinic(clinic_id: str) -> Clinic:
    found = session().get(Clinic, clinic_id)
    if found is None:
        raise NotFound
    session().info.setdefault("clinics", {})[clinic_id] = found  # held, so that a unit of work asks for it once
    return found


# -- people ----------------------------------------------------------------------------------------------------------


def expect_patient(
    actor: Actor, connection_id: str | None, fhir_id: str | None, person: dict[str, str | None]
) -> Patient:
    """The patient behind one record of one server, made when first met; `person` is what an appointment list knows.

    person: {"name", "birthDate", "email", "phone", "language"}. Without `fhir_id` a new one is always made.
    """
    with transaction() as current:
        known = current.scalars(
            select(Patient).where(
                Patient.clinic_id == actor.clinic_id,
                Patient.connection_id == connection_id,
                Patient.fhir_id == fhir_id,
                Patient.fhir_id.is_not(None),
            )
        ).one_or_none()
        if known is not None:
            if known.person != person:
                known.person = person
            return known
        made = Patient(clinic_id=actor.clinic_id, connection_id=connection_id, fhir_id=fhir_id, person=person)
        current.add(made)
        return made


def patient(actor: Actor, patient_id: str) -> Patient:
    """The patient row, for themself, who answers for them, the clinic's staff and the system; NotFound for anyone else."""
    if actor.role in PATIENTS and actor.patient_id != patient_id:
        raise NotFound
    found = session().get(Patient, patient_id)  # once in a unit of work, however often it is asked for
    if found is None or found.clinic_id != actor.clinic_id:
        raise NotFound
    return found


def patients(actor: Actor, patient_ids: set[str]) -> dict[str, Patient]:
    """Several at once, for staff and the system."""
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
    know_keys(patient_ids)  # whoever asks for several opens something of each
    rows = session().scalars(select(Patient).where(Patient.id.in_(patient_ids), Patient.clinic_id == actor.clinic_id))
    return {row.id: row for row in rows}


def holder(actor: Actor, connection_id: str, fhir_id: str) -> Patient | None:
    """Who of the clinic is tied to this record now."""
    wanted = select(Patient).where(
        Patient.clinic_id == actor.clinic_id, Patient.connection_id == connection_id, Patient.fhir_id == fhir_id
    )
    return session().scalars(wanted).one_or_none()


def tie(actor: Actor, patient_id: str, connection_id: str, fhir_id: str, *, instead_of: str | None = None) -> None:
    """A person decided which record this patient is. IntegrityError when somebody else already is that record.

    `instead_of` names an entry of the appointment list that gives its link up, because it was this person all along;
    one with an account never does. Inside the caller's transaction.
    """
    with transaction() as current:
        row = patient(actor, patient_id)
        if instead_of and not has_account(instead_of):
            listed = patient(actor, instead_of)
            listed.connection_id = listed.fhir_id = None
            current.flush()
        row.connection_id, row.fhir_id = connection_id, fhir_id
        audit.record(actor, Event.PATIENT_MATCHED, subject=f"patients:{row.id}", patient_id=row.id)


def untie(actor: Actor, patient_id: str) -> None:
    """The record that this patient was tied to is not theirs; inside the caller's transaction."""
    with transaction():
        row = patient(actor, patient_id)
        row.connection_id = row.fhir_id = None
        audit.record(
            actor, Event.PATIENT_UNTIED, subject=f"patients:{row.id}", patient_id=row.id, outcome=Outcome.SERIOUS
        )


def add_staff(clinic_id: str, role: Role, name: str, email: str, password: str, by: Actor | None = None) -> Account:
    """A staff account. `by` is the administrator, or None for the command line."""
    if role not in STAFF:
        raise NotAllowed("Only staff roles can be added here.")
    if by is not None and not (by.may(Permission.MANAGE_STAFF) and by.clinic_id == clinic_id):
        raise NotAllowed
    with transaction() as current:
        account = _account(clinic_id, role, None, {"name": name, "email": email, "language": "en"}, password)
        current.add(account)
        audit.record(
            by or system(clinic_id), Event.STAFF_ADDED, subject=f"accounts:{account.id}", detail={"role": role.value}
        )
        return account


def password_issues(password: str, context: tuple[str, ...]) -> list[Issue]:
    return passwords.issues(password, context)


def has_account(patient_id: str) -> bool:
    return session().scalar(select(Account.id).where(Account.patient_id == patient_id)) is not None


def clinic_of(patient_id: str) -> str:
    """The id of the clinic that expects this patient; NotFound for nobody."""
    found = session().get(Patient, patient_id)
    if found is None:
        raise NotFound
    return found.clinic_id


def joined(patient_ids: set[str]) -> set[str]:
    """Those of these patients who have an account."""
    return {
        patient_id
        for patient_id in session().scalars(select(Account.patient_id).where(Account.patient_id.in_(patient_ids)))
        if patient_id
    }


def _account(clinic_id: str, role: Role, patient_id: str | None, profile: dict[str, str], password: str) -> Account:
    return Account(
        clinic_id=clinic_id,
        role=role.value,
        patient_id=patient_id,
        email_index=email_index(profile["email"]),
        password_hash=passwords.hashed(password),
        made_at=now(),
        profile=profile,
    )


def email_index(email: str) -> str:
    return db.keys().blind("email", email.strip().casefold())


# -- invitations -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Invite:
    """Shown once and kept nowhere: the link's token, and the code that is told another way or handed over with it."""

    token: str
    code: str


def invite(actor: Actor, patient_id: str, days: int) -> Invite:
    """A link for this patient, valid once and for `days`, with the code that it asks for; it is good for their other links too."""
    with transaction():
        token = invite_by_link(actor, patient_id, days)
        return Invite(token, joining_codes.make(actor.clinic_id, patient_id, days))


def invite_by_link(actor: Actor, patient_id: str, days: int) -> str:
    """A link token (256 bits) alone, for an e-mail: the code is what the patient was told, or asks the clinic for.

    Who may: front desk, administrator, the system.
    """
    if not (actor.role is Role.SYSTEM or actor.may(Permission.INVITE)):
        raise NotAllowed
    token = secrets.token_urlsafe(32)
    with transaction() as current:
        row = Invitation(
            clinic_id=actor.clinic_id,
            patient_id=patient(actor, patient_id).id,
            token_hash=_hash(token),
            made_at=now(),
            expires_at=now() + timedelta(days=days),
            failures=0,
        )
        current.add(row)
        audit.record(actor, Event.INVITED, subject=f"invitations:{row.id}", patient_id=patient_id)
    return token


def invitation(token: str) -> Invitation:
    """The open invitation behind a link; looking never uses it up. Gone for any other token, whatever the reason."""
    row = session().scalars(select(Invitation).where(Invitation.token_hash == _hash(token))).one_or_none()
    if row is None or row.account_id or row.used_at or row.expires_at <= now() or row.failures >= MOST_FAILURES:
        raise Gone
    return row


def _invited(row: Invitation) -> Patient:
    return session().get_one(Patient, row.patient_id)


def code_for(actor: Actor, patient_id: str, days: int) -> str:
    """A new code for a patient whose link goes by e-mail, to be told another way."""
    if not actor.may(Permission.INVITE):
        raise NotAllowed
    with transaction():
        found = patient(actor, patient_id)
        audit.record(actor, Event.INVITED, subject=f"patients:{found.id}", patient_id=found.id)
        return joining_codes.make(actor.clinic_id, found.id, days)


def prove(token: str, code: str, birth_date: str, arrival: Arrival = NOWHERE) -> str | None:
    """A proof for `join` when the person who holds the link also has the code and knows the birth date (YYYY-MM-DD).

    Both are looked at, so that whichever is wrong takes as long and looks the same. Five wrong answers end the link, and sixty
    in a quarter of an hour from one source stop that source (TooMany).
    """
    throttle.check_source(arrival)
    row = invitation(token)
    known = _invited(row).person.get("birthDate") or ""
    born = secrets.compare_digest(known.encode(), (birth_date or "-").encode())
    if joining_codes.right(str(row.patient_id), code) and born:
        return _proof(token)
    with transaction():
        throttle.failed_source(arrival)
        row.failures += 1
        audit.record(
            system(row.clinic_id, "Somebody with the link"),
            Event.INVITATION_FAILED,
            subject=f"invitations:{row.id}",
            patient_id=row.patient_id,
            outcome=Outcome.MINOR,
        )
    return None


def proved(token: str, proof: str | None) -> bool:
    return proof is not None and secrets.compare_digest(proof, _proof(token))


def _proof(token: str) -> str:
    return db.keys().blind("proved", token)


@dataclass(frozen=True)
class Joined:
    token: str | None
    issues: list[Issue]


def join(
    token: str,
    proof: str | None,
    email: str,
    password: str,
    language: str,
    offered: tuple[str, ...] = (),
    *,
    need_two: bool = False,
) -> Joined:
    """Use the invitation: makes the account and signs it in, or tells what to mend. The link works once; Gone without proof.

    With `need_two` it opens nothing but the page that sets a second factor up.
    The account speaks what the record says this person prefers when that is among the `offered`, else `language`.
    """
    row = invitation(token)
    if not proved(token, proof):
        raise Gone
    patient = _invited(row)
    person = patient.person
    found = passwords.issues(password, (person["name"] or "", email, clinic(row.clinic_id).name))
    if "@" not in email.strip("@"):
        found = [Issue("email", "email", "Enter an e-mail address, like name@example.org"), *found]
    if found:
        return Joined(None, found)
    with transaction() as current:
        row = invitation(token)
        if has_account(patient.id):
            return Joined(None, [Issue("email", "taken", "You already have an account here. Sign in instead.")])
        if by_email(row.clinic_id, email) is not None:
            row.failures += 1  # so that a link tells of five addresses at most whether they are known here
            return Joined(None, [Issue("email", "in-use", IN_USE)])
        spoken = _spoken(person.get("language"), offered) or language
        profile = {"name": person["name"] or "", "email": email.strip(), "language": spoken}
        account = _account(row.clinic_id, Role.PATIENT, patient.id, profile, password)
        current.add(account)
        current.flush()
        row.used_at = now()
        actor = sessions.actor_of(account, None)
        audit.record(actor, Event.JOINED, subject=f"accounts:{account.id}", patient_id=patient.id)
        return Joined(sessions.begin(account, stage=sessions.first_stage(need_two=need_two)), [])


def _spoken(preferred: str | None, offered: tuple[str, ...]) -> str | None:
    """The offered language that a BCP 47 tag names, or None: es-MX is es."""
    own = (preferred or "").lower().partition("-")[0]
    return own if own in offered else None


def by_email(clinic_id: str, email: str) -> Account | None:
    found = select(Account).where(Account.clinic_id == clinic_id, Account.email_index == email_index(email))
    return session().scalars(found).one_or_none()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
