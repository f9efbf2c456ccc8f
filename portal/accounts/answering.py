"""Whom a session answers for: chosen on a page of its own, kept on the server, and true only as long as the grant holds."""

from dataclasses import replace

from sqlalchemy import bindparam, select

from portal.accounts import proxies
from portal.accounts.models import Account
from portal.accounts.proxy_models import Answering
from portal.actors import PATIENTS, SELF, Actor, Subject
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import session, transaction
from portal.errors import NotFound

_CHOSEN = select(Answering.subject).where(Answering.sign_in_id == bindparam("sign_in"))


def acting(actor: Actor) -> Actor:
    """Who acts in a session that was taken up again: the same person, for whom they chose last, or for the only one there is.

    Somebody who is no patient and answers for nobody (any more) is let in nowhere.
    """
    if actor.role not in PATIENTS:
        return actor
    account = session().get_one(Account, actor.account_id)
    subjects = proxies.subjects(account)
    if not subjects:
        return actor
    actor = replace(actor, subjects=subjects)
    chosen = session().scalar(_CHOSEN, {"sign_in": actor.session_id})
    found = next((each for each in subjects if each.key == chosen), None) or _usual(subjects)
    return actor.answering_for(found) if found else actor


def _usual(subjects: tuple[Subject, ...]) -> Subject | None:
    """Without a choice: oneself, or the only one; among several others nobody is guessed."""
    return subjects[0] if subjects[0].key == SELF or len(subjects) == 1 else None


def undecided(actor: Actor) -> bool:
    """Whether this person could answer for several and has not said yet in this session for whom."""
    return len(actor.subjects) > 1 and session().scalar(_CHOSEN, {"sign_in": actor.session_id}) is None


def choose(actor: Actor, key: str) -> Subject:
    """From now on this session answers for that one. NotFound for anybody whom this account may not answer for now."""
    chosen = next((each for each in actor.subjects if each.key == key), None)
    if chosen is None or actor.session_id is None:
        raise NotFound
    with transaction() as current:
        row = current.scalars(select(Answering).where(Answering.sign_in_id == actor.session_id)).one_or_none()
        if row is None:
            current.add(Answering(clinic_id=actor.clinic_id, sign_in_id=actor.session_id, subject=key))
        else:
            row.subject = key
        if chosen.key != SELF:
            as_proxy = actor.answering_for(chosen)
            audit.record(as_proxy, Event.ANSWERING_FOR, subject=f"proxy_grants:{key}", patient_id=chosen.patient_id)
    return chosen
