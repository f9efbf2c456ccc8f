"""The verbs of the staff desk: see the queue, open a submission, decide, finish, say who somebody is, invite."""

from collections.abc import Sequence
from dataclasses import replace

from portal.actors import Actor, Permission, system
from portal.db import transaction
from portal.delivery import service as delivery
from portal.errors import Conflict, Issue, NotAllowed
from portal.fhir.resources import Json
from portal.intake import service as intake
from portal.review import claims, decisions, finishing, proposing
from portal.review.amending import amended, pictured
from portal.review.claims import Held
from portal.review.coming import Upcoming, upcoming
from portal.review.decisions import REVIEWABLE, Choice, Decided, Item, Lost, Standing
from portal.review.finishing import Finished
from portal.review.inviting import Invited, NewVisit, invite, invite_new
from portal.review.models import TieVerdict, Verdict
from portal.review.opening import Opened, given_file, open_submission
from portal.review.proposal import Proposal
from portal.review.proposing import Desk
from portal.review.queue import Asked, Queue, filed_as, queue
from portal.review.tying import Candidates, candidates, details_of, in_use, link, none_of_these, settle
from portal.review.untying import Correction, correct, corrections, leave, mend, to_correct, undo

NOT_TIED = "First say which record this person is."
OUT_OF_USE = "The record of this person is no longer in use. First say which record is theirs now."


def decide(actor: Actor, submission_id: str, choices: Sequence[Choice], desk: Desk, *, over: bool = False) -> Decided:
    """Keep what a person chose, each only if nobody was faster and the record is as they saw it (bar 78).

    `over`: take the submission over from whoever has it.
    """
    _reviewing(actor, submission_id)
    submission, made = proposing.current_proposals(actor, submission_id, desk)
    return decisions.save(actor, submission, made, choices, over=over)


def take(actor: Actor, submission_id: str, *, over: bool = False) -> Held | None:
    """Take a submission to work on; whoever has it already, or None when it is this person's now."""
    submission = proposing.submission_of(actor, submission_id)
    return claims.take(actor, submission, over=over) if submission.status in REVIEWABLE else None


def let_go(actor: Actor, submission_id: str) -> None:
    """Give it back."""
    claims.let_go(actor, proposing.submission_of(actor, submission_id))


def accept_unremarkable(actor: Actor, submission_id: str, seen: Sequence[tuple[str, str]], desk: Desk) -> Decided:
    """Accept everything listed as unremarkable; `seen` holds the (key, seen) pairs of exactly what was listed."""
    _reviewing(actor, submission_id)
    submission, made = proposing.current_proposals(actor, submission_id, desk)
    by_key = {each.key: each for each in made}
    choices = [Choice(key, Verdict.ACCEPT, "", token) for key, token in seen if _unremarkable(by_key.get(key))]
    changed = [Lost(key, by_key[key].title) for key, _ in seen if key in by_key and not _unremarkable(by_key[key])]
    done = decisions.save(actor, submission, made, choices)
    return replace(done, lost=[*done.lost, *changed])


def _reviewing(actor: Actor, submission_id: str) -> None:
    """Only those who review, and only once it is clear whose record it is."""
    if not actor.may(Permission.REVIEW):
        raise NotAllowed
    if finishing.subject_of(actor, patient_of(actor, submission_id)) is None:
        raise Conflict(NOT_TIED)


def _unremarkable(proposal: Proposal | None) -> bool:
    return proposal is not None and proposal.unremarkable


def review_again(actor: Actor, submission_id: str) -> None:
    """The record refused it, or was changed meanwhile: what is held is taken back and the decisions are open again."""
    if not actor.may(Permission.REVIEW):
        raise NotAllowed
    submission = proposing.submission_of(actor, submission_id)
    with transaction():
        delivery.take_back(actor, submission.id)
        intake.move(actor, submission, intake.Status.IN_REVIEW, {"again": True})


def finish(actor: Actor, submission_id: str, desk: Desk) -> Finished:
    """Everything is decided: send it to the record, or back to the patient. Not while it is unclear whose record it is."""
    if not actor.may(Permission.REVIEW):
        raise NotAllowed
    subject = finishing.subject_of(actor, proposing.submission_of(actor, submission_id).patient_id)
    if subject is None:
        return Finished(issues=[Issue("tie", "not-tied", NOT_TIED)])
    if not in_use(actor, proposing.submission_of(actor, submission_id).patient_id):
        return Finished(issues=[Issue("tie", "out-of-use", OUT_OF_USE)])
    submission, made = proposing.every_proposal(actor, submission_id, desk)
    told = amended(actor, submission, _responses(actor, submission, desk))
    told = pictured(actor, submission, made, told)
    return finishing.finish(actor, submission, made, subject, told)


def patient_of(actor: Actor, submission_id: str) -> str:
    """Whose submission it is, for those who may see the queue."""
    return proposing.submission_of(actor, submission_id).patient_id


def _responses(actor: Actor, submission: intake.Submission, desk: Desk) -> list[Json]:
    """What may go to the record, as the worker's gate will see it again."""
    return proposing.released(system(actor.clinic_id), submission, desk, purpose="TREAT")


__all__ = [
    "Asked",
    "Candidates",
    "Choice",
    "Correction",
    "Decided",
    "Desk",
    "Finished",
    "Held",
    "Invited",
    "Item",
    "Lost",
    "NewVisit",
    "Opened",
    "Queue",
    "Standing",
    "TieVerdict",
    "Upcoming",
    "Verdict",
    "accept_unremarkable",
    "candidates",
    "correct",
    "corrections",
    "decide",
    "details_of",
    "filed_as",
    "finish",
    "given_file",
    "invite",
    "invite_new",
    "leave",
    "let_go",
    "link",
    "mend",
    "none_of_these",
    "open_submission",
    "patient_of",
    "queue",
    "settle",
    "take",
    "to_correct",
    "undo",
    "upcoming",
]
