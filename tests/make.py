"""Builders: a clinic, its people and its records, with only what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from portal import bundled, sealing
from portal.accounts import service as accounts
from portal.accounts.models import Account, Clinic, Patient
from portal.actors import Actor, Purpose, Role, system
from portal.clock import now
from portal.intake import visits
from portal.intake.models import Visit
from portal.library import service as library
from portal.settings import Settings

PASSWORD = "four plain words and a fish"


def settings(instance: Path, database: str, **changes: Any) -> Settings:
    """Settings of a test installation on this machine."""
    keys = instance / "keys.json"
    ring = sealing.load(keys) if keys.exists() else sealing.create(keys)
    made = Settings(
        instance=instance,
        database=database,
        base_url="http://localhost",
        keys=ring,
        demo=False,
        trusted_hosts=("localhost", "127.0.0.1"),
        consent_default="basic-normal",
        staff_second_factor="off",  # most tests are about other things; tests/accounts demands it
    )
    return replace(made, **changes)


def clinic(
    slug: str = "riverside", name: str = "Riverside Clinic", forms: Iterable[str] = ("health-history",)
) -> Clinic:
    """A clinic that asks these bundled forms before every visit."""
    made = accounts.add_clinic(slug, name, "Europe/London", "en", "020 7946 0000")
    for each in forms:
        ask(made.id, (bundled.FOLDER / f"{each}.json").read_bytes(), f"{each}.json")
    return made


def ask(clinic_id: str, content: bytes, name: str = "form.json", **rule: Any) -> str:
    """A form that a clinic asks from now on; the id of its version."""
    [result] = library.bring_in(system(clinic_id), content, origin="supplied", name=name).results
    assert result.version_id, result.refusals
    library.activate(system(clinic_id), result.version_id, library.Rule(**rule), carry=False)
    return result.version_id


def patient(of: Clinic, name: str = "Ana Morales", **person: str | None) -> Patient:
    known: dict[str, str | None] = {
        "name": name,
        "birthDate": "1985-03-27",
        "email": None,
        "phone": None,
        "language": "en",
        **person,
    }
    connection_id, fhir_id = known.pop("connection_id", None), known.pop("fhir_id", None)
    return accounts.expect_patient(system(of.id), connection_id, fhir_id, known)


def patient_account(of: Patient, email: str = "ana@example.org") -> Account:
    """The account of a patient who used their invitation."""
    from portal.db import session

    made = accounts.invite(system(of.clinic_id), of.id, 14)
    proof = accounts.prove(made.token, made.code, of.person["birthDate"])
    joined = accounts.join(made.token, proof, email, PASSWORD, "en")
    assert joined.token, joined.issues
    return session().query(Account).filter(Account.patient_id == of.id).one()


def staff(of: Clinic, role: Role = Role.CLINICIAN, name: str = "Dr Lee", email: str | None = None) -> Account:
    return accounts.add_staff(of.id, role, name, email or f"{role.value}@example.org", PASSWORD)


def patient_actor(of: Patient, account_id: str | None = None) -> Actor:
    return Actor(
        role=Role.PATIENT,
        clinic_id=of.clinic_id,
        account_id=account_id,
        patient_id=of.id,
        name=of.person["name"],
        purpose=Purpose.PATIENT_REQUEST,
    )


def staff_actor(account: Account) -> Actor:
    return Actor(
        role=Role(account.role),
        clinic_id=account.clinic_id,
        account_id=account.id,
        name=account.profile["name"],
        purpose=Purpose.TREATMENT,
    )


def visit(of: Patient, in_days: float = 1, appointment_id: str | None = None) -> Visit:
    expected = visits.Expected(
        connection_id=of.connection_id,
        appointment_id=appointment_id,
        starts_at=now() + timedelta(days=in_days),
        cancelled=False,
        detail={"what": "Diabetes review", "with": "Dr Lee", "where": "Room 2"},
    )
    return visits.expect(system(of.clinic_id), of.id, expected)[0]
