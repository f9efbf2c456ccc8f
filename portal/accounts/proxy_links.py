"""The link with which somebody takes up that they answer for a patient: whoever holds it and knows their own birth date."""

import secrets
from dataclasses import dataclass, replace

from sqlalchemy import select

from portal import db
from portal.accounts import notes, passwords, sessions, throttle
from portal.accounts.devices import NOWHERE, Arrival
from portal.accounts.granting import append, hashed
from portal.accounts.models import Account, Clinic, Patient
from portal.accounts.proxies import MOST_FAILURES
from portal.accounts.proxy_models import Act, ProxyGrant, State
from portal.actors import Actor, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Gone, Issue, NotAllowed


def offered(token: str) -> ProxyGrant:
    """The grant behind a link that can still be used; Gone for any other token, whatever the reason."""
    row = session().scalars(select(ProxyGrant).where(ProxyGrant.token_hash == hashed(token))).one_or_none()
    if row is None or row.state != State.OFFERED or row.token_until <= now() or row.failures >= MOST_FAILURES:
        raise Gone
    return row


def subject_name(row: ProxyGrant) -> str:
    return str(session().get_one(Patient, row.patient_id).person.get("name") or "")


def prove(token: str, birth_date: str, arrival: Arrival = NOWHERE) -> str | None:
    """A proof for `accept` and `join`, when who holds the link also knows their own birth date.

    Five wrong answers end the link, and sixty in a quarter of an hour from one source stop that source (TooMany).
    """
    throttle.check_source(arrival)
    row = offered(token)
    if secrets.compare_digest(str(row.person["birthDate"]), birth_date):
        return _proof(token)
    with transaction():
        throttle.failed_source(arrival)
        row.failures += 1
        audit.record(
            system(row.clinic_id, "Somebody with the link"),
            Event.INVITATION_FAILED,
            subject=f"proxy_grants:{row.id}",
            patient_id=row.patient_id,
            outcome=Outcome.MINOR,
        )
    return None


def proved(token: str, proof: str | None) -> bool:
    return proof is not None and secrets.compare_digest(proof, _proof(token))


def accept(actor: Actor, token: str, proof: str | None) -> list[Issue]:
    """Somebody who is signed in takes the grant up, for their own account."""
    if not proved(token, proof):
        raise Gone
    with transaction() as current:
        row = offered(token)
        account = current.get(Account, actor.account_id)
        if account is None or actor.is_staff or account.clinic_id != row.clinic_id:
            raise NotAllowed
        if not _may_be(account, row):
            return [Issue("day", "other", "You are signed in as somebody else. Sign out, then open the link again.")]
        _take_up(row, account)
    return []


def _may_be(account: Account, row: ProxyGrant) -> bool:
    """Whether this account can be the person who was meant: not the patient, and, where it is a patient's, born on that day."""
    if account.patient_id is None:
        return True
    own = session().get_one(Patient, account.patient_id).person.get("birthDate")
    return account.patient_id != row.patient_id and own == row.person["birthDate"]


@dataclass(frozen=True)
class Joined:
    token: str | None
    issues: list[Issue]


def join(token: str, proof: str | None, email: str, password: str, language: str, *, need_two: bool = False) -> Joined:
    """Use the link without an account yet: makes one that is no patient's, signs it in and takes the grant up."""
    row = offered(token)
    if not proved(token, proof):
        raise Gone
    clinic = session().get_one(Clinic, row.clinic_id)
    issues = passwords.issues(password, (row.person["name"], email, clinic.name))
    if "@" not in email.strip("@"):
        issues = [Issue("email", "email", "Enter an e-mail address, like name@example.org"), *issues]
    if issues:
        return Joined(None, issues)
    with transaction() as current:
        row = offered(token)
        index = db.keys().blind("email", email.strip().casefold())
        taken = select(Account.id).where(Account.clinic_id == row.clinic_id, Account.email_index == index)
        if current.scalar(taken) is not None:
            row.failures += 1  # so that a link tells of five addresses at most whether they are known here
            return Joined(None, [Issue("email", "taken", "You already have an account here. Sign in instead.")])
        account = Account(
            clinic_id=row.clinic_id,
            role=Role.PROXY.value,
            patient_id=None,
            email_index=index,
            password_hash=passwords.hashed(password),
            made_at=now(),
            profile={"name": row.person["name"], "email": email.strip(), "language": language},
        )
        current.add(account)
        current.flush()
        joining = sessions.actor_of(account, None)
        audit.record(joining, Event.JOINED, subject=f"accounts:{account.id}", patient_id=row.patient_id)
        _take_up(row, account)
        return Joined(sessions.begin(account, stage=sessions.first_stage(need_two=need_two)), [])


def _take_up(row: ProxyGrant, account: Account) -> None:
    row.account_id = account.id
    append(replace(sessions.actor_of(account, None), role=Role.PROXY), row, Act.ACCEPTED, "")
    patients = session().scalars(select(Account).where(Account.patient_id == row.patient_id)).one_or_none()
    if patients is not None:
        notes.note(patients, "helper", read=False)


def _proof(token: str) -> str:
    return db.keys().blind("proved-proxy", token)
