"""Who works on a submission: taken by a person, taken over only explicitly, let go by hand or after a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import NotAllowed
from portal.intake import service as intake
from portal.review.models import Claim, Decision, Hand


@dataclass(frozen=True)
class Held:
    """Somebody is at work on it. `until`: when it is free again if they do nothing more."""

    account_id: str
    by: str
    since: datetime
    until: datetime

    def by_other(self, actor: Actor) -> bool:
        return self.account_id != actor.account_id


def standing(submission_ids: Collection[str]) -> dict[str, Held]:
    """Who works on each of these just now; those that are free are left out. Three questions, however many there are."""
    rows = _last(submission_ids)
    seen = _last_acts(rows)
    lasts = _lasts({row.clinic_id for row in rows if row.hand == Hand.TAKE})
    found = {row.submission_id: _held(row, seen, lasts[row.clinic_id]) for row in rows if row.hand == Hand.TAKE}
    return {key: held for key, held in found.items() if held.until > now()}


def of(submission: intake.Submission) -> Held | None:
    return standing([submission.id]).get(submission.id)


def in_the_way(actor: Actor, submission: intake.Submission) -> Held | None:
    """Somebody else who has it: what this person saves must wait until they let it go or it is taken over."""
    held = of(submission)
    return held if held and held.by_other(actor) else None


def take(actor: Actor, submission: intake.Submission, *, over: bool = False) -> Held | None:
    """Take it, and from another person only with `over`. Whoever is in the way, or None when it is this person's now."""
    if not actor.may(Permission.REVIEW):
        raise NotAllowed
    with transaction() as current:
        current.refresh(submission, ["status"], with_for_update=True)
        held = of(submission)
        if held and held.by_other(actor) and not over:
            return held
        if held is None or held.by_other(actor):
            _append(actor, submission, Hand.TAKE, held.by if held else "")
    return None


def let_go(actor: Actor, submission: intake.Submission) -> None:
    """Give one's own claim back; nothing happens to somebody else's."""
    if not actor.may(Permission.REVIEW):
        raise NotAllowed
    with transaction() as current:
        current.refresh(submission, ["status"], with_for_update=True)
        held = of(submission)
        if held and not held.by_other(actor):
            _append(actor, submission, Hand.LET_GO, "")


def _append(actor: Actor, submission: intake.Submission, hand: Hand, before: str) -> None:
    assert actor.account_id is not None  # staff have accounts
    last = next((row.step for row in _last([submission.id])), 0)
    row = Claim(
        clinic_id=submission.clinic_id,
        patient_id=submission.patient_id,
        submission_id=submission.id,
        step=last + 1,
        hand=hand.value,
        at=now(),
        account_id=actor.account_id,
        detail={"by": actor.name, "from": before},
    )
    session().add(row)
    session().flush()
    event = Event.SUBMISSION_TAKEN if hand is Hand.TAKE else Event.SUBMISSION_LET_GO
    audit.record(actor, event, subject=f"submissions:{submission.id}", patient_id=submission.patient_id)


def history(submission: intake.Submission) -> list[Claim]:
    """Everything that happened to it in this way, oldest first."""
    return list(session().scalars(select(Claim).where(Claim.submission_id == submission.id).order_by(Claim.step)))


def _last(submission_ids: Collection[str]) -> list[Claim]:
    newest = (
        select(Claim.submission_id, func.max(Claim.step).label("step"))
        .where(Claim.submission_id.in_(submission_ids))
        .group_by(Claim.submission_id)
        .subquery()
    )
    wanted = select(Claim).join(newest, (Claim.submission_id == newest.c.submission_id) & (Claim.step == newest.c.step))
    return list(session().scalars(wanted))


def _last_acts(rows: Iterable[Claim]) -> dict[tuple[str, str], datetime]:
    """When each holder last decided something there."""
    ids = [row.submission_id for row in rows]
    wanted = (
        select(Decision.submission_id, Decision.account_id, func.max(Decision.at))
        .where(Decision.submission_id.in_(ids))
        .group_by(Decision.submission_id, Decision.account_id)
    )
    return {(submission, account): at for submission, account, at in session().execute(wanted)}


def _lasts(clinics: Collection[str]) -> dict[str, timedelta]:
    """How long a claim stands after the last thing its holder did: each clinic's own setting."""
    return {each: timedelta(minutes=intake.asked(each).claim) for each in clinics}


def _held(row: Claim, acts: dict[tuple[str, str], datetime], lasts: timedelta) -> Held:
    last = max(row.at, acts.get((row.submission_id, row.account_id), row.at))
    return Held(row.account_id, row.detail["by"], row.at, last + lasts)
