"""Names of people for those who read the audit trail: of ids, and ids of a name. Names rest sealed, so a name is looked for one by one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.accounts.models import Account, Patient
from portal.actors import Actor, Permission, Role
from portal.db import session
from portal.errors import NotAllowed
from portal.sealing import SealBroken

MOST = 20


@dataclass(frozen=True)
class Person:
    """Somebody of the clinic: a patient (found as whose information it was), or a member of staff (found as who acted)."""

    id: str
    name: str
    more: str
    is_patient: bool


def patients(actor: Actor, patient_ids: set[str]) -> Mapping[str, Mapping[str, Any]]:
    """What is known of these patients of the clinic."""
    _may(actor)
    wanted = select(Patient).where(Patient.clinic_id == actor.clinic_id, Patient.id.in_(patient_ids))
    return {row.id: row.person for row in session().scalars(wanted)}


def find(actor: Actor, words: str) -> list[Person]:
    """The people of the clinic whose name has all of these words, at most twenty."""
    _may(actor)
    parts = words.casefold().split()
    found = (each for each in _everybody(actor) if all(part in each.name.casefold() for part in parts))
    return [each for each, _ in zip(found, range(MOST), strict=False)] if parts else []


def one(actor: Actor, person_id: str) -> Person | None:
    return next((each for each in _everybody(actor, person_id) if each.id == person_id), None)


def _everybody(actor: Actor, only: str | None = None) -> Iterable[Person]:
    staff = select(Account).where(Account.clinic_id == actor.clinic_id, Account.role != Role.PATIENT.value)
    known = select(Patient).where(Patient.clinic_id == actor.clinic_id)
    if only is not None:
        staff, known = staff.where(Account.id == only), known.where(Patient.id == only)
    for account in session().scalars(staff.order_by(Account.made_at)):
        yield Person(account.id, str(account.profile["name"]), account.role.replace("-", " "), is_patient=False)
    for patient in session().scalars(known.order_by(Patient.id)):
        try:
            person = patient.person
        except SealBroken:
            continue
        yield Person(patient.id, str(person["name"]), f"born {person.get('birthDate') or 'unknown'}", is_patient=True)


def _may(actor: Actor) -> None:
    if not actor.may(Permission.SEE_AUDIT):
        raise NotAllowed
