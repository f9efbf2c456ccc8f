"""Builders: somebody who may answer for a patient."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from portal.accounts import answering, granting, proxy_links, sessions
from portal.accounts.granting import Wanted
from portal.accounts.models import Account, Patient
from portal.actors import Actor, system
from portal.db import session
from tests import make

BORN = "1980-04-05"
ALL = ("forms", "results", "consents")


def wanted(name: str = "Grace Bennett", **more: Any) -> Wanted:
    given = {"name": name, "birth_date": BORN, "relation": "carer", "scope": ALL, **more}
    return Wanted(**given)


def link(patient: Patient, name: str = "Grace Bennett", by: Actor | None = None, **more: Any) -> str:
    """The token of a link for somebody."""
    offered = granting.offer(by or system(patient.clinic_id), patient.id, wanted(name, **more), 14)
    assert offered.token, offered.issues
    return offered.token


def proxy(patient: Patient, name: str = "Grace Bennett", email: str = "grace@example.org", **more: Any) -> Account:
    """The account of somebody who may answer for this patient, and is no patient here."""
    token = link(patient, name, **more)
    joined = proxy_links.join(token, proxy_links.prove(token, BORN), email, make.PASSWORD, "en")
    assert joined.token, joined.issues
    return by_name(patient.clinic_id, name)


def also(account: Account, patient: Patient, **more: Any) -> None:
    """This account may answer for one more."""
    token = link(patient, account.profile["name"], **more)
    issues = proxy_links.accept(sessions.actor_of(account, None), token, proxy_links.prove(token, BORN))
    assert not issues, issues


def actor_for(account: Account, patient: Patient) -> Actor:
    """This person, as they act for this patient."""
    acting = answering.acting(sessions.actor_of(account, None))
    subject = next(each for each in acting.subjects if each.patient_id == patient.id)
    return acting.answering_for(subject)


def by_name(clinic_id: str, name: str) -> Account:
    rows = session().query(Account).filter(Account.clinic_id == clinic_id)
    return next(row for row in rows if row.profile["name"] == name)


def child(clinic: Any, name: str = "Noah Bennett", years: int = 8, **more: Any) -> Patient:
    today = date.today()
    born = date(today.year - years, 1, 1).isoformat()
    return make.patient(clinic, name, birthDate=born, **more)


def apart(row: Any) -> Any:
    """A row as values, which live on when a request has ended the unit of work."""
    columns = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    sealed = {
        name.removesuffix("_sealed"): getattr(row, name.removesuffix("_sealed"))
        for name in columns
        if "_sealed" in name
    }
    return SimpleNamespace(**columns, **sealed)
