"""What somebody sees of their own way in: where they are signed in now, and when they were before."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from portal.accounts.factors import account_of
from portal.accounts.models import SignIn
from portal.accounts.sessions import Limits, Stage
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction

MOST = 20
HOW = {
    "password": "With your password",
    "password+app": "With your password and a code from your app",
    "password+recovery": "With your password and a recovery code",
    "passkey": "With a passkey",
    "clinic": "At the clinic’s own system",
}
ENDED = {
    "signed-out": "You signed out",
    "time-out": "Ended by itself after a time without use",
    "ended-by-me": "You ended it from another device",
    "changed": "Ended because you changed how you sign in",
    "renewed": "Ended because a new password was set with a link from the clinic",
    "replaced": "Somebody else signed in in the same browser",
    "role": "Ended by an administrator",
    "suspended": "Ended by an administrator",
}


@dataclass(frozen=True)
class Visit:
    """One time somebody was signed in. Words are English msgids; `browser`, `system` and `place` are empty when not known."""

    id: str
    how: str
    browser: str
    system: str
    place: str
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    ended: str
    this: bool


def visits(actor: Actor, limits: Limits) -> tuple[list[Visit], list[Visit]]:
    """(open now, over), newest first. One that was left open counts as over when its time has run out."""
    wanted = select(SignIn).where(SignIn.account_id == actor.account_id, SignIn.stage != Stage.CODE.value)
    rows = session().scalars(wanted.order_by(SignIn.began_at.desc()).limit(MOST)).all()
    live = {row.id for row in rows if row.ended_at is None and now() < _ends(actor, row, limits)}
    return (
        [_visit(actor, row, None) for row in rows if row.id in live],
        [_visit(actor, row, row.ended_at or _ends(actor, row, limits)) for row in rows if row.id not in live],
    )


def end_one(actor: Actor, sign_in_id: str) -> None:
    """End one of one's own sessions. Anybody else's is left alone, like one that has ended: both look the same."""
    with transaction() as current:
        row = current.get(SignIn, sign_in_id)
        if row is None or row.account_id != actor.account_id or row.ended_at is not None:
            return
        row.ended_at, row.ended_why = now(), "ended-by-me"
        _ended(actor, row.id)


def end_others(actor: Actor) -> int:
    """End all but this one; how many there were."""
    others = (
        SignIn.account_id == actor.account_id,
        SignIn.ended_at.is_(None),
        SignIn.id != actor.session_id,
    )
    with transaction() as current:
        found = list(current.scalars(select(SignIn.id).where(*others)))
        current.execute(update(SignIn).where(*others).values(ended_at=now(), ended_why="ended-by-me"))
        for each in found:
            _ended(actor, each)
    return len(found)


def _ended(actor: Actor, sign_in_id: str) -> None:
    audit.record(
        actor,
        Event.SESSION_ENDED,
        subject=f"sign_ins:{sign_in_id}",
        patient_id=account_of(actor).patient_id,
        detail={"why": "ended-by-me"},
    )


def _ends(actor: Actor, row: SignIn, limits: Limits) -> datetime:
    return min(row.seen_at + limits.idle(actor.role), row.began_at + limits.absolute)


def _visit(actor: Actor, row: SignIn, ended_at: datetime | None) -> Visit:
    device = row.device or {}
    why = (row.ended_why or "time-out") if ended_at else ""
    return Visit(
        row.id,
        HOW.get(row.how, HOW["password"]),
        device.get("browser", ""),
        device.get("system", ""),
        device.get("place", ""),
        row.began_at,
        row.seen_at,
        ended_at,
        ENDED.get(why, ""),
        row.id == actor.session_id,
    )
