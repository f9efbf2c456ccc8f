"""Consent versions found through their owner: newest first, one patient at a time."""

from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, text

from portal.accounts import service as accounts
from portal.actors import PATIENTS, Actor
from portal.consent.models import ConsentVersion
from portal.db import session
from portal.errors import NotFound

_OWN = (
    select(ConsentVersion)
    .where(ConsentVersion.patient_id == bindparam("patient"), ConsentVersion.clinic_id == bindparam("clinic"))
    .order_by(ConsentVersion.number.desc())
)


def rows(clinic_id: str, patient_id: str, *, most: int | None = None) -> list[ConsentVersion]:
    """This patient's versions in this clinic, newest first."""
    wanted = _OWN if most is None else _OWN.limit(most)
    return list(session().scalars(wanted, {"patient": patient_id, "clinic": clinic_id}))


def one_at_a_time(patient_id: str) -> None:
    """Numbers follow the order of commits: PostgreSQL lets only one writer at a time choose one for a patient."""
    current = session()
    if current.get_bind().dialect.name == "postgresql":
        current.execute(text("SELECT pg_advisory_xact_lock(hashtext(:line))"), {"line": f"consent|{patient_id}"})


def of_clinic(actor: Actor, version_id: str) -> ConsentVersion:
    """One version by its id, for the patient and their clinic; NotFound for anybody else."""
    wanted = select(ConsentVersion).where(ConsentVersion.id == version_id, ConsentVersion.clinic_id == actor.clinic_id)
    found = session().scalars(wanted).one_or_none()
    if found is None or (actor.role in PATIENTS and found.patient_id != actor.patient_id):
        raise NotFound
    return found


def owner(actor: Actor, version_id: str) -> str | None:
    """Whose choices given to this clinic they are."""
    wanted = select(ConsentVersion.patient_id)
    return session().scalar(wanted.where(ConsentVersion.id == version_id, ConsentVersion.clinic_id == actor.clinic_id))


def own(actor: Actor) -> str:
    """The patient that this actor is, or answers for; NotFound for anybody else."""
    if actor.patient_id is None:
        raise NotFound
    return actor.patient_id


def zone(clinic_id: str) -> ZoneInfo:
    return ZoneInfo(accounts.clinic(clinic_id).timezone)
