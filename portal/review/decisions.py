"""Decisions on the proposals of a submission: which stand, and writing new ones so that two reviewers never overwrite each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Issue, NotAllowed, NotFound
from portal.intake import service as intake
from portal.review import claims, editing
from portal.review.models import ACCEPTED, Decision, Verdict
from portal.review.proposal import Proposal, Wording, as_shown

MOST_WORDS = 1000
REVIEWABLE = frozenset({intake.Status.SUBMITTED, intake.Status.IN_REVIEW})


@dataclass(frozen=True)
class Standing:
    """The decision that holds for a proposal. `outdated`: the proposal looks different now than when it was decided."""

    verdict: Verdict
    by: str
    account_id: str
    at: datetime
    reason: str
    outdated: bool
    earlier: bool = False
    edit: Mapping[str, str] = field(default_factory=dict)
    """the words it was accepted in, by field, and as one line"""
    made: str = ""


@dataclass(frozen=True)
class Item:
    """A proposal with its decision. `seen` names what is on screen; it comes back with a choice."""

    proposal: Proposal
    standing: Standing | None
    seen: str
    may_decide: bool

    @property
    def settled(self) -> Verdict | None:
        """The verdict that counts, or None while a person still has to decide."""
        return self.standing.verdict if self.standing and not self.standing.outdated else None

    @property
    def accepted(self) -> bool:
        """As the patient said it, or in other words."""
        return self.settled in ACCEPTED

    @property
    def final(self) -> Proposal:
        """The proposal as it was accepted: in the words of whoever chose others."""
        standing = self.standing
        if standing is None or standing.verdict is not Verdict.EDIT or self.proposal.reworded is None:
            return self.proposal
        return self.proposal.reworded(Wording(standing.edit, standing.by))


@dataclass(frozen=True)
class Choice:
    """What somebody chose on the page, with the words they typed."""

    key: str
    verdict: Verdict
    reason: str
    seen: str
    edit: Mapping[str, str] = field(default_factory=dict)
    """the words to accept it in, by field; `looked` is the mark of what was shown of them before"""
    looked: str = ""


@dataclass(frozen=True)
class Lost:
    """A choice that came too late: somebody else decided (`by`, `at`), or the record was changed (`by` is empty)."""

    key: str
    title: str
    by: str = ""
    at: datetime | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Decided:
    """What became of a save: `issues`, or somebody else `held` it (then nothing was saved), or how many were saved and which
    were lost. `reworded`: by key, the mark of what other words would make, once the page has shown it."""

    issues: list[Issue] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    saved: int = 0
    held: claims.Held | None = None
    reworded: dict[str, str] = field(default_factory=dict)


def items(actor: Actor, submission: intake.Submission, proposals: Sequence[Proposal]) -> list[Item]:
    """Each proposal with its standing decision, from this round of the submission or, when nothing changed, an earlier one."""
    rows = _by_key(submission)
    return [_item(actor, submission, proposal, rows.get(proposal.key, [])) for proposal in proposals]


def as_decided(submission: intake.Submission) -> list[Item]:
    """What was decided about a submission that is closed, as it was then: what the record says today is another matter."""
    rows = [kept[-1] for kept in _by_key(submission).values()]
    shown = [(row, as_shown(row.detail["shown"])) for row in rows if row.verdict != Verdict.REOPEN]
    return [Item(proposal, _told(row, outdated=False, earlier=False), "", False) for row, proposal in shown]


def history(submission: intake.Submission) -> list[Decision]:
    """Every decision on this visit's submissions, oldest first."""
    return list(
        session().scalars(
            select(Decision)
            .where(Decision.visit_id == submission.visit_id, Decision.clinic_id == submission.clinic_id)
            .order_by(Decision.at, Decision.round)
        )
    )


def _by_key(submission: intake.Submission) -> dict[str, list[Decision]]:
    found: dict[str, list[Decision]] = {}
    for row in history(submission):
        found.setdefault(row.proposal_key, []).append(row)
    return found


def _item(actor: Actor, submission: intake.Submission, proposal: Proposal, rows: list[Decision]) -> Item:
    own = [row for row in rows if row.submission_id == submission.id]
    seen = f"{len(own)}.{proposal.fingerprint}"
    return Item(proposal, _standing(proposal, rows, own), seen, actor.may(proposal.permission))


def _standing(proposal: Proposal, rows: list[Decision], own: list[Decision]) -> Standing | None:
    """The last one here; else the last of an earlier round, unless it was a question (that has been answered since)."""
    if not rows or rows[-1].verdict == Verdict.REOPEN:
        return None
    last = (own or rows)[-1]
    outdated = last.detail["fingerprint"] != proposal.fingerprint
    if not own and (outdated or last.verdict == Verdict.ASK):
        return None
    return _told(last, outdated=outdated, earlier=not own)


def _told(row: Decision, *, outdated: bool, earlier: bool) -> Standing:
    verdict, detail = Verdict(row.verdict), row.detail
    edit = detail.get("edit") or {}
    return Standing(
        verdict, detail["by"], row.account_id, row.at, detail["reason"], outdated, earlier, edit, detail.get("made", "")
    )


def check(choices: Iterable[Choice], proposals: Sequence[Proposal]) -> list[Issue]:
    """A rejection needs a reason and a question its words: the patient reads both."""
    titles = {each.key: each.title for each in proposals}
    return [issue for choice in choices for issue in _check(choice, titles.get(choice.key, ""))]


def _reworded(actor: Actor, choices: Iterable[Choice], proposals: Sequence[Proposal]) -> dict[str, editing.Reworded]:
    """What each choice of other words would make, by key."""
    by_key = {each.key: each for each in proposals}
    edits = [each for each in choices if each.verdict is Verdict.EDIT and each.key in by_key]
    return {each.key: editing.reworded(by_key[each.key], each.edit, actor.name, each.looked) for each in edits}


def _plain(choice: Choice, proposals: Mapping[str, Proposal]) -> Choice:
    """Accepting in the patient's very words is accepting."""
    proposal = proposals.get(choice.key)
    same = choice.verdict is Verdict.EDIT and proposal is not None and not editing.differs(proposal, choice.edit)
    return replace(choice, verdict=Verdict.ACCEPT, edit={}) if same else choice


def _check(choice: Choice, title: str) -> list[Issue]:
    if choice.verdict in NEEDS_WORDS and not choice.reason.strip():
        return [Issue(f"{choice.key}-reason", "required", NEEDS_WORDS[choice.verdict], {"what": title})]
    if len(choice.reason) > MOST_WORDS:
        return [Issue(f"{choice.key}-reason", "too-long", "Use %(most)s characters or fewer", {"most": MOST_WORDS})]
    return []


NEEDS_WORDS = {
    Verdict.REJECT: "Say why you reject this (the patient reads it): %(what)s",
    Verdict.ASK: "Write your question to the patient about: %(what)s",
}


def save(
    actor: Actor,
    submission: intake.Submission,
    proposals: Sequence[Proposal],
    choices: Sequence[Choice],
    *,
    over: bool = False,
) -> Decided:
    """Write the choices that differ from what stands, each only if its proposal is still as it was seen (compare and swap).

    Nothing is written when there are issues, or while somebody else has taken the submission (`over` takes it from them).
    NotAllowed for a proposal that is not this person's to decide.
    """
    choices = [_plain(each, {made.key: made for made in proposals}) for each in choices]
    reworded = _reworded(actor, choices, proposals)
    issues = check(choices, proposals) + [issue for each in reworded.values() for issue in each.issues]
    if issues:
        marks = {key: each.proposal.fingerprint for key, each in reworded.items()}
        return Decided(issues=issues, reworded=marks)
    with transaction() as current:
        current.refresh(submission, ["status"], with_for_update=True)
        if intake.Status(submission.status) not in REVIEWABLE:
            return Decided(lost=[_closed(submission, choice, proposals) for choice in choices])
        by_key = {item.proposal.key: item for item in items(actor, submission, proposals)}
        wanted = [(_allowed(by_key.get(choice.key)), choice) for choice in choices]
        changed = [(item, choice) for item, choice in wanted if not _same(item, choice)]
        lost = [_lost(item) for item, choice in changed if item.seen != choice.seen]
        held = claims.take(actor, submission, over=True) if over else claims.in_the_way(actor, submission)
        if held and changed:
            return Decided(lost=lost, held=held)
        made = [
            _row(actor, submission, item, choice, reworded.get(choice.key))
            for item, choice in changed
            if item.seen == choice.seen
        ]
        current.add_all(made)
        _tell(actor, submission, made)
    return Decided(lost=lost, saved=len(made))


def _allowed(item: Item | None) -> Item:
    if item is None or not item.proposal.open:
        raise NotFound
    if not item.may_decide:
        raise NotAllowed("This is for a clinician to decide.")
    return item


def _same(item: Item, choice: Choice) -> bool:
    standing = item.standing
    if standing is None:
        return choice.verdict is Verdict.REOPEN
    said = (choice.verdict, choice.reason.strip(), {name: text.strip() for name, text in choice.edit.items()})
    return not standing.outdated and (standing.verdict, standing.reason, dict(standing.edit)) == said


def _row(
    actor: Actor, submission: intake.Submission, item: Item, choice: Choice, other: editing.Reworded | None
) -> Decision:
    assert actor.account_id is not None  # staff have accounts
    return Decision(
        clinic_id=submission.clinic_id,
        patient_id=submission.patient_id,
        visit_id=submission.visit_id,
        submission_id=submission.id,
        proposal_key=item.proposal.key,
        round=int(item.seen.partition(".")[0]) + 1,
        verdict=choice.verdict.value,
        at=now(),
        account_id=actor.account_id,
        detail={
            "by": actor.name,
            "role": actor.role.value,
            "reason": choice.reason.strip(),
            "title": item.proposal.title,
            "fingerprint": item.proposal.fingerprint,
            "shown": item.proposal.shown(),
            **({"edit": dict(other.words), "made": editing.said(other.proposal)} if other else {}),
        },
    )


def _tell(actor: Actor, submission: intake.Submission, made: list[Decision]) -> None:
    if not made:
        return
    if submission.status == intake.Status.SUBMITTED:
        intake.move(actor, submission, intake.Status.IN_REVIEW)
    audit.record(
        actor,
        Event.PROPOSAL_DECIDED,
        subject=f"submissions:{submission.id}",
        patient_id=submission.patient_id,
        detail={"decided": [[row.proposal_key, row.round, row.verdict] for row in made]},
    )


def _lost(item: Item) -> Lost:
    standing, title = item.standing, item.proposal.title
    if standing is None or standing.outdated:
        return Lost(item.proposal.key, title)
    return Lost(item.proposal.key, title, standing.by, standing.at, standing.verdict)


def _closed(submission: intake.Submission, choice: Choice, proposals: Sequence[Proposal]) -> Lost:
    title = next((each.title for each in proposals if each.key == choice.key), "")
    last = submission.history[-1]
    return Lost(choice.key, title, last.why.get("by", ""), last.at)
