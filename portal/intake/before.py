"""What was confirmed a short while ago, so that nobody is asked twice: what it still holds for, what is new since, what is gone.

A fact counts as confirmed while the record says the same of it and the answer was not "not sure". What the record took over
from the patient's own words counts too. Only what was sent to the clinic and stands there counts at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select

from portal import columns
from portal.actors import Actor
from portal.clock import now
from portal.db import session
from portal.ehr.fact import Fact
from portal.intake.asking import Asked
from portal.intake.models import Confirmation, Status, Submission, Visit

Json = dict[str, Any]
TOGETHER = timedelta(days=7)
"""Visits this close to each other are prepared once."""
AT_MOST = timedelta(days=30)
LONGEST = timedelta(days=366)
STANDING = (Status.SUBMITTED.value, Status.IN_REVIEW.value, Status.ACCEPTED.value)


@dataclass(frozen=True)
class Before:
    """One block as it was confirmed: when, by whom, and what was said of each fact."""

    at: datetime
    by: str
    said: Json

    @property
    def lines(self) -> list[Json]:
        return list(self.said.get("lines", []))

    def kept(self) -> Json:
        """What an entry keeps of it."""
        return {"at": self.at.isoformat(), "by": self.by}


_CONFIRMED = (
    select(Confirmation.id, Confirmation.document_sealed, Visit.starts_at)
    .join(Submission, Submission.id == Confirmation.submission_id)
    .join(Visit, Visit.id == Confirmation.visit_id)
    .where(
        Confirmation.patient_id == bindparam("patient"),
        Confirmation.clinic_id == bindparam("clinic"),
        Confirmation.visit_id != bindparam("visit"),
        Confirmation.at >= bindparam("since"),
        Submission.status.in_(STANDING),
    )
    .order_by(Confirmation.at.desc())
    .limit(20)
)


def confirmed(visit: Visit, rules: Asked) -> dict[str, Before]:
    """By block, the newest confirmation that still counts for this visit. One statement."""
    about = {"patient": visit.patient_id, "clinic": visit.clinic_id, "visit": visit.id}
    found: dict[str, Before] = {}
    for row in columns.ask(_CONFIRMED, **about, since=now() - LONGEST):
        document = Confirmation.document.opened(row.id, visit.patient_id, row.document_sealed)
        for key, said in document.items():
            if key in rules.blocks and key not in found:
                found[key] = _before(said, near=abs(row.starts_at - visit.starts_at) <= TOGETHER)
    return {key: before for key, before in found.items() if _counts(before, rules.blocks[key].days)}


def _before(said: Json, *, near: bool) -> Before:
    return Before(datetime.fromisoformat(said["at"]), said["by"], {**said, "near": near})


def _counts(before: Before, days: int) -> bool:
    if not days or before.said.get("any") == "unsure":
        return False
    age = now() - before.at
    return age <= timedelta(days=days) or (before.said["near"] and age <= AT_MOST)


def open_facts(before: Before, facts: Iterable[Fact]) -> list[Fact]:
    """The facts to ask about again: new ones, changed ones, and those the patient was not sure of."""
    settled = {_told(line) for line in before.lines if line.get("answer") != "unsure"}
    own = _own_words(before)
    return [fact for fact in facts if _told(vars(fact)) not in settled and not _from_own_words(fact, own)]


def gone(before: Before, facts: Iterable[Fact]) -> list[str]:
    """What was on the record then and no longer is, by name."""
    here = [*facts]
    keys, labels = {fact.key for fact in here}, {_plain(fact.label) for fact in here}
    return [line["label"] for line in before.lines if line["key"] not in keys and _plain(line["label"]) not in labels]


def _told(held: Mapping[str, Any]) -> tuple[str, str, str]:
    return held["key"], held["label"], held["detail"]


def _own_words(before: Before) -> set[str]:
    rows = [*before.said.get("added", []), *(line.get("change") or {} for line in before.lines)]
    return {_plain(text) for row in rows for text in row.values() if isinstance(text, str) and text.strip()}


def _from_own_words(fact: Fact, own: set[str]) -> bool:
    """What the patient wrote is what the record says now, so asking would be asking twice."""
    said = [text for text in (fact.detail, *fact.parts.values()) if text]
    return _plain(fact.label) in own and all(_plain(text) in own or _plain(text) == _plain(fact.label) for text in said)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def keep(actor: Actor, submission: Submission, sections: Mapping[str, Json], earlier: Mapping[str, Before]) -> None:
    """Beside a submission, in its transaction: what was said of each block that was asked."""
    document = {
        key: _said(actor, entry, earlier.get(key), submission.sent_at)
        for key, entry in sections.items()
        if entry.get("done") and not entry.get("left")
    }
    if document:
        session().add(
            Confirmation(
                clinic_id=submission.clinic_id,
                patient_id=submission.patient_id,
                visit_id=submission.visit_id,
                submission_id=submission.id,
                at=submission.sent_at,
                document=document,
            )
        )


def _said(actor: Actor, entry: Json, earlier: Before | None, at: datetime) -> Json:
    """A block that was only asked about what is new stays as old as its first answers."""
    lines = [{name: line[name] for name in ("key", "label", "detail", "answer", "change")} for line in entry["lines"]]
    if not entry.get("before") or earlier is None:
        return {"at": at.isoformat(), "by": actor.name, "any": entry["any"], "lines": lines, "added": entry["added"]}
    again = {line["key"] for line in lines}
    kept = [line for line in earlier.lines if line["key"] not in again]
    return {**earlier.said, "at": earlier.at.isoformat(), "lines": [*kept, *lines]}
