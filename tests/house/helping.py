"""Who answers for one person of the world: within their scope, outside of it, when the time is over, when it was taken back."""

from __future__ import annotations

from datetime import timedelta

from portal.accounts import ages, granting, proxies
from portal.accounts.models import Account, Patient
from portal.accounts.proxy_models import ProxyGrant
from portal.actors import Scope, system
from portal.db import session, transaction
from tests import make
from tests.accounts.proxying import link, proxy

SCOPES = {"dana": tuple(Scope), "eve": ("forms",), "fay": tuple(Scope), "gil": tuple(Scope)}


def helped(patient: Patient) -> dict[str, str]:
    """Two who were asked and have not answered: what an address may name of it."""
    link(patient, "Somebody Asked")
    [asked] = proxies.of_patient(system(patient.clinic_id), patient.id)
    return {"grant": asked.id, "help link": link(patient, "Somebody Else")}


def helpers(account_id: str) -> dict[str, str]:
    """visitor → account id"""
    patient = session().get_one(Patient, session().get_one(Account, account_id).patient_id)
    made = {name: proxy(patient, name, f"{name}@example.org", scope=scope).id for name, scope in SCOPES.items()}
    with transaction() as current:
        over = current.query(ProxyGrant).filter(ProxyGrant.account_id == made["fay"]).one()
        over.ends_on = (ages.today(patient.clinic_id) - timedelta(days=1)).isoformat()
        back = current.query(ProxyGrant).filter(ProxyGrant.account_id == made["gil"]).one()
        granting.revoke(make.patient_actor(patient), patient.id, back.id)
    return made
