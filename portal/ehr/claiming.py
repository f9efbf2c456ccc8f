"""A member of staff who came from the EHR for the first time says who they are here: signed in as themself, in the same browser."""

from dataclasses import dataclass

from portal.accounts import service as accounts
from portal.actors import STAFF, Actor
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import launches, users
from portal.ehr.identity import Identity
from portal.ehr.launch_models import Launch
from portal.ehr.models import Connection
from portal.errors import Conflict, NotFound


@dataclass(frozen=True)
class Claim:
    """What a member of staff is asked: is this user of that system you?"""

    id: str
    user: str
    system: str


def claim(actor: Actor, launch_id: str, browser: str | None) -> Claim:
    """The open question of this very browser. NotFound for anybody else's or one that took too long, Conflict once answered."""
    row, connection = _claimed(actor, launch_id, browser)
    return Claim(row.id, row.answered["user"], connection.name)


def answer_claim(actor: Actor, launch_id: str, browser: str | None) -> str | None:
    """Yes, it is me: from now on this user signs in as the actor's account. The (our) patient who was open, if any is here.

    Conflict when somebody else is that user.
    """
    with transaction():
        row, connection = _claimed(actor, launch_id, browser)
        said = row.answered
        users.tie(actor, connection, Identity(said["issuer"], said["subject"], said["user"]))
        row.answered = None
        patient = accounts.holder(actor, connection.id, said["patient"]) if said["patient"] else None
    return patient.id if patient else None


def _claimed(actor: Actor, launch_id: str, browser: str | None) -> tuple[Launch, Connection]:
    row = session().get(Launch, launch_id)
    mine = (
        row is not None
        and row.clinic_id == actor.clinic_id
        and actor.role in STAFF
        and row.expires_at > now()
        and browser is not None
        and row.browser_hash == launches.hashed(browser)
    )
    if row is None or not mine:
        raise NotFound
    if row.answered_sealed is None:
        raise Conflict
    return row, session().get_one(Connection, row.connection_id)
