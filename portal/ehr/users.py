"""Who of our staff a user of the clinic's server is: said by the person themself, never by e-mail (bar 36).

An administrator may say it ahead. Then nobody else can say that they are this user, and it opens nothing until that person has said so
too, signed in as themself: otherwise whoever ties people could come in as any of them.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.accounts import arriving
from portal.actors import STAFF, Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.ehr.identity import Identity, user_at
from portal.ehr.launch_models import EhrUser
from portal.ehr.models import Connection
from portal.ehr.registering import allow, owned
from portal.errors import Conflict, Issue, NotAllowed, NotFound

STAFF_USERS = ("Practitioner/", "PractitionerRole/", "Person/")


@dataclass(frozen=True)
class Tie:
    """One live tie as an administrator sees it; `used`: its person has said that it is them."""

    id: str
    user: str
    name: str
    email: str
    since: datetime
    used: bool


def find(connection: Connection, who: Identity) -> EhrUser | None:
    """The live tie of this user, said by its person. NotAllowed when the user is tied to another sign-in (subject) than the one that
    came."""
    row = _live(connection, who.user)
    if row is None or row.subject is None:
        return None
    if (row.issuer, row.subject) != (who.issuer, who.subject):
        raise NotAllowed(
            "The clinic's system now has another person under this name. An administrator has to look at it."
        )
    return row


def tie(actor: Actor, connection: Connection, who: Identity) -> EhrUser:
    """The signed-in member of staff says that they are this user. Conflict when somebody else is, or is said to be."""
    if actor.role not in STAFF or actor.clinic_id != connection.clinic_id or who.user is None:
        raise NotAllowed
    assert actor.account_id is not None
    with transaction():
        row = _live(connection, who.user)
        if row is None:
            return _add(actor, connection, actor.account_id, who.user, who)
        if row.subject is not None or row.account_id != actor.account_id:
            raise Conflict
        row.issuer, row.subject = who.issuer, who.subject
        _told(actor, row, "themself")
        return row


def tie_by_hand(actor: Actor, connection_id: str, email: str, user: str) -> list[Issue]:
    """An administrator says who a member of staff is there; [] when it is done. It counts once that person says so too."""
    allow(actor)
    connection = owned(actor, connection_id)
    key = user_at(user.strip(), connection.base_url)
    account_id = arriving.staff_account(actor, email)
    found = []
    if key is None or not key.startswith(STAFF_USERS):
        found.append(Issue("user", "user", "Give the person as the system names them, like Practitioner/123"))
    if account_id is None:
        found.append(Issue("email", "email", "No member of staff here has this e-mail address."))
    if found or key is None or account_id is None:
        return found
    with transaction():
        if _live(connection, key) is not None:
            return [Issue("user", "taken", "This person is tied already. End that tie first.")]
        _add(actor, connection, account_id, key, None)
    return []


def end(actor: Actor, connection_id: str, tie_id: str) -> None:
    """From now on this user no longer signs in as that account."""
    allow(actor)
    connection = owned(actor, connection_id)
    with transaction() as current:
        row = current.get(EhrUser, tie_id)
        if row is None or row.connection_id != connection.id or row.ended_at is not None:
            raise NotFound
        row.ended_at, row.ended_by, row.live = now(), actor.account_id, None
        audit.record(actor, Event.EHR_USER_UNTIED, subject=f"ehr_users:{row.id}", detail={"account": row.account_id})


def every(actor: Actor, connection_id: str) -> list[Tie]:
    """The live ties of one connection, the newest first."""
    allow(actor)
    connection = owned(actor, connection_id)
    rows = select(EhrUser).where(EhrUser.connection_id == connection.id, EhrUser.ended_at.is_(None))
    made = session().scalars(rows.order_by(EhrUser.made_at.desc(), EhrUser.id)).all()
    people = arriving.staff_profiles(actor, {row.account_id for row in made})
    return [
        Tie(row.id, row.user, *people[row.account_id], row.made_at, row.subject is not None)
        for row in made
        if row.account_id in people
    ]


def _live(connection: Connection, user: str | None) -> EhrUser | None:
    rows = select(EhrUser).where(
        EhrUser.connection_id == connection.id, EhrUser.user == user, EhrUser.ended_at.is_(None)
    )
    return session().scalars(rows).one_or_none()


def _add(actor: Actor, connection: Connection, account_id: str, user: str, who: Identity | None) -> EhrUser:
    row = EhrUser(
        clinic_id=connection.clinic_id,
        connection_id=connection.id,
        account_id=account_id,
        user=user,
        issuer=who.issuer if who else None,
        subject=who.subject if who else None,
        made_at=now(),
        made_by=actor.account_id or "",
        live=1,
    )
    session().add(row)
    session().flush()
    _told(actor, row, "themself" if who else "an administrator")
    return row


def _told(actor: Actor, row: EhrUser, by: str) -> None:
    """Another way into an account there is now, or (said ahead) there could be."""
    if by == "themself":
        arriving.tied(row.clinic_id, row.account_id)
    detail = {"account": row.account_id, "by": by}
    audit.record(actor, Event.EHR_USER_TIED, subject=f"ehr_users:{row.id}", detail=detail)
