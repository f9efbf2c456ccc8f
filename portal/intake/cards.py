"""Pictures of insurance cards: kept as soon as they come, shown again, sent with the answers, and remembered at the next visit."""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from portal.actors import STAFF, Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.ehr.fact import Fact
from portal.errors import Issue, NotAllowed, NotFound
from portal.intake import drafts
from portal.intake.models import CardPicture, Submission, SubmissionStatus, Visit
from portal.questionnaire.issues import MESSAGES

Json = dict[str, Any]
Places = Mapping[str, Mapping[str, str]]
"""Where pictures stand: by place (a fact's or an added row's name), by side, the picture's id."""
SIDES = ("front", "back")
FACT = "card-"
"""What the key of a picture begins with where things are decided about."""
LONGEST_SIDE = 1600
"""Dots: the smallest print on a card can be read."""
MOST = 40
"""Pictures that may lie about for one visit before they are sent."""
LONGEST = timedelta(days=3 * 366)
FORGOTTEN = timedelta(hours=1)
"""A picture that came with a page which was then left belongs to nothing; another tab may still hold it for a while."""


@dataclass(frozen=True)
class Posted:
    """What a post says of one place: the pictures that stood there, the sides to take away, and what was photographed anew."""

    kept: Mapping[str, str] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    taken: Mapping[str, Json] = field(default_factory=dict)
    """by side: {"data", "size", "hash"}, or {"problem"}"""


@dataclass(frozen=True)
class Earlier:
    """A picture of an earlier visit that the clinic has."""

    of: str
    insurer: str
    member: str
    side: str
    at: datetime

    def shows(self, fact: Fact) -> bool:
        """Whether it is of this insurance: the same entry of the record, or the same insurer and member number."""
        if self.of == fact.key:
            return True
        known = _plain(f"{fact.detail} {fact.parts.get('member', '')}").split()
        return _plain(self.insurer) == _plain(fact.label) and bool(self.member) and _plain(self.member) in known


def keep(actor: Actor, visit_id: str, posted: Mapping[str, Posted]) -> tuple[dict[str, dict[str, str]], list[Issue]]:
    """What stands in each place after this post. New pictures are stored at once: a page that is refused loses none."""
    issues = [
        Issue(f"{place}-{side}", taken["problem"], MESSAGES[taken["problem"]])
        for place, each in posted.items()
        for side, taken in each.taken.items()
        if "problem" in taken
    ]
    asked = {name for each in posted.values() for name in each.kept.values()}
    if not asked and not any(each.taken for each in posted.values()):
        return {}, issues
    with transaction(keep=True):
        visit = drafts.open_visit(actor, visit_id)
        here = set(_ids(visit))
        places: dict[str, dict[str, str]] = {}
        for place, each in posted.items():
            stands = {side: name for side, name in each.kept.items() if name in here and side not in each.removed}
            for side, taken in each.taken.items():
                if "problem" not in taken and len(here) < MOST:
                    stands[side] = _store(actor, visit, side, taken)
                    here.add(stands[side])
                elif "problem" not in taken:
                    issues.append(
                        Issue(f"{place}-{side}", "file-many", "There are too many pictures. Remove some first")
                    )
            if stands:
                places[place] = stands
    return places, issues


def _store(actor: Actor, visit: Visit, side: str, taken: Json) -> str:
    made = CardPicture(
        clinic_id=visit.clinic_id,
        patient_id=visit.patient_id,
        visit_id=visit.id,
        given_at=now(),
        about={"side": side, "by": actor.name, "size": taken["size"], "hash": taken["hash"]},
        picture=taken["data"],
    )
    session().add(made)
    session().flush()
    audit.record(
        actor, Event.FACTS_SAVED, subject=f"visits:{visit.id}", patient_id=visit.patient_id, detail={"pictures": 1}
    )
    return made.id


def _ids(visit: Visit) -> Iterable[str]:
    return session().scalars(select(CardPicture.id).where(CardPicture.visit_id == visit.id))


def held(sections: Mapping[str, Json]) -> Iterator[tuple[Json, str, str]]:
    """(fact or row, side, id) of every picture in the sections of a draft."""
    for entry in sections.values():
        for each in (*entry.get("lines", ()), *entry.get("added", ())):
            for side in SIDES:
                name = each.get("cards", each).get(side)
                if name:
                    yield each, side, name


def tidy(visit: Visit, before: Mapping[str, Json], after: Mapping[str, Json]) -> None:
    """Delete what was replaced or taken away, and what belongs to nothing; in the transaction that saves the page."""
    gone = {name for _, _, name in held(before)} - {name for _, _, name in held(after)}
    stays = {name for _, _, name in held(after)}
    if not gone and not stays:
        return
    rows = session().scalars(select(CardPicture).where(CardPicture.visit_id == visit.id, CardPicture.sent_at.is_(None)))
    for row in rows:
        if row.id in gone or (row.id not in stays and row.given_at < now() - FORGOTTEN):
            session().delete(row)


def told(visit: Visit, facts: Sequence[Json], sections: Mapping[str, Json]) -> list[Json]:
    """The pictures of a submission: which fact each is of, its side, when it was given; never the picture itself."""
    wanted = [found for found in held(sections) if found[0].get("answer") != "stopped"]
    if not wanted:
        return []
    rows = {row.id: row for row in session().scalars(select(CardPicture).where(CardPicture.visit_id == visit.id))}
    added = {id(row): f"new-{key}-{place}" for key, entry in sections.items() for place, row in _added(entry)}
    by_key = {fact["key"]: fact for fact in facts}
    return [_told(rows[name], by_key[each.get("key") or added[id(each)]]) for each, _, name in wanted if name in rows]


def _added(entry: Json) -> Iterator[tuple[int, Json]]:
    return enumerate(entry.get("added", ()), start=1)


def _told(row: CardPicture, fact: Json) -> Json:
    change = fact.get("change") or {}
    return {
        "key": f"{FACT}{row.id}",
        "picture": row.id,
        "of": fact["key"],
        "insurer": change.get("insurer") or fact["label"],
        "member": change.get("member", ""),
        "side": row.about["side"],
        "at": row.given_at.isoformat(),
        "size": row.about["size"],
        "hash": row.about["hash"],
    }


def send(submission: Submission) -> None:
    """Bind what is sent to the submission and delete what belongs to nothing; in the transaction that sends it."""
    sent = {each["picture"]: each for each in submission.document.get("cards", ())}
    rows = session().scalars(select(CardPicture).where(CardPicture.visit_id == submission.visit_id))
    for row in rows:
        if row.id in sent:
            row.about = {**row.about, **{name: sent[row.id][name] for name in ("of", "insurer", "member")}}
            row.sent_at = row.sent_at or submission.sent_at
        elif row.sent_at is None:
            session().delete(row)


def earlier(visit: Visit) -> list[Earlier]:
    """The newest pictures that were sent for this patient's other visits, but for those the clinic could not use."""
    rows = list(
        session().scalars(
            select(CardPicture)
            .where(
                CardPicture.patient_id == visit.patient_id,
                CardPicture.clinic_id == visit.clinic_id,
                CardPicture.visit_id != visit.id,
                CardPicture.sent_at >= now() - LONGEST,
            )
            .order_by(CardPicture.sent_at.desc())
            .limit(20)
        )
    )
    useless = _useless(visit) if rows else set()
    return [
        Earlier(row.about["of"], row.about["insurer"], row.about["member"], row.about["side"], row.given_at)
        for row in rows
        if f"{FACT}{row.id}" not in useless
    ]


def _useless(visit: Visit) -> set[str]:
    """The keys of what the clinic rejected or asked about."""
    steps = session().scalars(
        select(SubmissionStatus)
        .where(
            SubmissionStatus.patient_id == visit.patient_id,
            SubmissionStatus.clinic_id == visit.clinic_id,
            SubmissionStatus.status.in_(("accepted", "returned")),
        )
        .order_by(SubmissionStatus.at.desc())
        .limit(20)
    )
    return {str(each["key"]) for step in steps for name in ("rejected", "questions") for each in step.why.get(name, ())}


def picture(actor: Actor, visit: Visit, card_id: str) -> bytes:
    """One picture of this patient's visit, for whoever may see the visit; NotFound for any other."""
    wanted = select(CardPicture).where(CardPicture.id == card_id, CardPicture.visit_id == visit.id)
    row = session().scalars(wanted).one_or_none()
    if row is None:
        raise NotFound
    audit.seen(actor, Event.FACTS_SEEN, subject=f"visits:{visit.id}", patient_id=visit.patient_id)
    return b64decode(row.picture)


def data_of(actor: Actor, submission: Submission, card_ids: Iterable[str]) -> dict[str, str]:
    """These pictures of a submission as base64, by id; for the staff of its clinic, who have asked whether they may see them."""
    if actor.role not in STAFF or actor.clinic_id != submission.clinic_id:
        raise NotAllowed
    sent = {each["picture"] for each in submission.document.get("cards", ())} & set(card_ids)
    rows = session().scalars(
        select(CardPicture).where(CardPicture.id.in_(sent), CardPicture.visit_id == submission.visit_id)
    )
    return {row.id: row.picture for row in rows} if sent else {}


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace(",", " ").split())
