"""What we put into a wrong record, corrected from here: one thing at a time, on a person's word, through the outbox.

What we made there is marked as entered in error, what we changed there is put back to what we know stood there before; by itself only
while it is still exactly as we left it (its version there, and If-Match). What somebody has changed since is shown as it stands now,
and a person says whether it is marked, or ours put back, all the same on that version, with their change kept, or left as it is.
Nothing is ever deleted. What cannot be proven is left to be corrected by hand.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import service as delivery
from portal.delivery.bundle import subject
from portal.delivery.states import OPEN, Reason, State
from portal.ehr import service as ehr
from portal.ehr.errors import NotThere
from portal.errors import Issue, NotAllowed, NotFound
from portal.fhir import bundle
from portal.fhir.resources import Json, key_of, objects_at, text_at, type_of, version_of
from portal.fhir.values import address_text, telecom_kind
from portal.review import people, words
from portal.review.models import TieDecision
from portal.review.payload import NAMESPACE
from portal.review.provenance import Person, instant, provenance
from portal.review.ruling import status

ERROR = "entered-in-error"
BY_STATUS = frozenset({
    "QuestionnaireResponse", "Observation", "MedicationStatement", "Immunization", "Procedure", "FamilyMemberHistory",
    "Coverage", "Consent", "DocumentReference",
})  # fmt: skip
"""Types whose `status` may say so; two more have a verificationStatus for it, and then no clinicalStatus (con-5, ait-2)."""
VERIFIED: Mapping[str, str] = {
    "AllergyIntolerance": "allergyintolerance-verification",
    "Condition": "condition-ver-status",
}
ROUNDS = 1000
"""Rounds of the outbox are numbered by place; a further try of the same place has this much more."""
NO_LONGER_ASKED = "Somebody has said already that this is corrected."
NOT_REACHED = "The clinic's system could not be asked just now. Try again later."
NOT_THERE = "It is not in the clinic's system any more. There is nothing to mark."
MOVED = "Somebody has changed it in the clinic's system since. It says now: %(now)s"
GONE = "What we changed is not there any more. Leave it as it is, or correct it in the clinic's system by hand."
AGAIN, LEFT = "asked for again on what the record says now", "left as the record says now"
ANOTHERS = "It is not about the person of that record any more. Correct it in the clinic's system by hand."
BY_HAND = "This cannot be corrected from here. Correct it in the clinic's system by hand."
MARKED, BACK = (
    "It was written into this record by mistake.",
    "It was changed by mistake; this is what stood here before.",
)


@dataclass(frozen=True)
class Left:
    """One thing in the wrong record. `can`: "error" to mark it, "back" to put back what stood there, "" only by hand;
    `before`: what it said before we changed it; `at`: where a correction stands that was asked for."""

    place: int
    type: str
    reference: str
    made: bool
    what: str
    before: str
    can: str
    at: delivery.Status | None

    @property
    def under_way(self) -> bool:
        return self.at is not None and self.at.state in OPEN

    @property
    def done(self) -> bool:
        return self.at is not None and self.at.state is State.CONFIRMED

    @property
    def stopped(self) -> bool:
        return self.at is not None and self.at.state is State.HELD

    @property
    def overtaken(self) -> bool:
        """Stopped because somebody changed it there meanwhile: both ways out are a person's."""
        return self.at is not None and self.stopped and self.at.reason is Reason.CHANGED_MEANWHILE

    @property
    def left_so(self) -> bool:
        return self.at is not None and self.at.state is State.CLOSED


def left(row: TieDecision, standing: Mapping[tuple[str, int], delivery.Status]) -> list[Left]:
    """Everything that one wrong tie has left there, each with where its correction stands."""
    latest = {round % ROUNDS - 1: standing[row.id, round] for tie, round in sorted(standing) if tie == row.id}
    return [_left(place, each, latest.get(place)) for place, each in enumerate(row.detail["written"])]


def _left(place: int, written: Mapping[str, Any], at: delivery.Status | None) -> Left:
    return Left(
        place,
        written["type"],
        written["reference"],
        written["made"],
        written["what"],
        written.get("before", ""),
        "" if at is not None and at.state in OPEN | {State.CONFIRMED} else _can(written),
        at,
    )


def _can(written: Mapping[str, Any]) -> str:
    if not written["reference"] or not written.get("version") or not written.get("connection"):
        return ""
    if written["made"]:
        return "error" if written["type"] in BY_STATUS or written["type"] in VERIFIED else ""
    return "back" if written.get("base") else ""


def standing(rows: Iterable[TieDecision]) -> dict[tuple[str, int], delivery.Status]:
    """Where every correction stands that was asked for, by the tie and the round: one look, however many there are."""
    return delivery.rounds_of([row.id for row in rows])


def correct(actor: Actor, row: TieDecision, place: int, *, anyway: bool = False) -> list[Issue]:
    """Have one thing corrected there. Asked again while that is on its way, or done, nothing more happens.

    `anyway`: also where somebody has changed it since, on the version that stands there now. Reads it in the clinic's record
    first, so never inside a transaction; the worker's If-Match has the last word.
    """
    one, written = _one(actor, row, place), row.detail["written"][place]
    if one.under_way or one.done:
        return []
    if not one.can or (one.stopped and not one.overtaken):
        return [_issue(row, place, BY_HAND)]
    held = _read(actor, written, row.detail["record"])
    if isinstance(held, str):
        return [_issue(row, place, held)]
    moved = version_of(held) != written["version"]
    if moved and not anyway:
        said = "; ".join(f"{name}: {text}" for name, text in lines_of(held).items())
        audit.seen(actor, Event.DELIVERY_SEEN, subject=f"patients:{row.patient_id}", patient_id=row.patient_id)
        return [Issue(f"left-{row.id}-{place}", "moved", MOVED, {"now": said or "nothing that can be shown"})]
    made = MAKE[one.can](held, written)
    if made is None:
        return [_issue(row, place, GONE)]
    _ask(actor, row, place, made)
    return []


def leave(actor: Actor, row: TieDecision, place: int) -> list[Issue]:
    """A correction that somebody's change stopped is given up: what they wrote stands, and what waits behind it goes on."""
    one = _one(actor, row, place)
    if one.at is None or not one.overtaken:
        return []
    return delivery.close(actor, one.at.item_id, LEFT)


def _one(actor: Actor, row: TieDecision, place: int) -> Left:
    if not actor.may(Permission.MATCH):
        raise NotAllowed
    if not 0 <= place < len(row.detail["written"]):
        raise NotFound
    return left(row, standing([row]))[place]


def _read(actor: Actor, written: Mapping[str, Any], record: str) -> Json | str:
    """The resource as it stands there, or why it is not to be touched from here."""
    connection = ehr.connection_for(actor.clinic_id)
    if connection is None:
        return NOT_REACHED
    if connection.id != written["connection"]:
        return BY_HAND
    kind, _, name = written["reference"].partition("/")
    client = ehr.client_for(connection, ehr.BRISK)
    session().commit()  # nothing is held open in the database while we wait for the network
    try:
        held = client.read(kind, name, uncached=True)
    except NotThere:
        return NOT_THERE
    except ehr.EhrError:
        return NOT_REACHED
    if (key_of(held) if kind == "Patient" else subject(held)) != record:
        return ANOTHERS
    return held


def marked(held: Json, _written: Mapping[str, Any] = {}) -> Json:
    """The same, entered in error."""
    kind = type_of(held)
    if kind in BY_STATUS:
        return {**held, "status": ERROR}
    bare = {name: each for name, each in held.items() if name != "clinicalStatus"}
    return {**bare, "verificationStatus": status(VERIFIED[kind], ERROR)}


def _back(held: Json, written: Mapping[str, Any]) -> Json | None:
    """What stood there before, as a new version; of what somebody has changed since only our part."""
    if version_of(held) == written["version"]:
        return {**written["base"], "meta": held.get("meta", {})}
    return put_back(held, written["base"], written.get("after") or {})


MAKE: Mapping[str, Callable[[Json, Mapping[str, Any]], Json | None]] = {"error": marked, "back": _back}


def _ask(actor: Actor, row: TieDecision, place: int, resource: Json) -> None:
    """The correction with its Provenance into the outbox; one at a time for each thing."""
    written, target = row.detail["written"][place], key_of(resource)
    url = f"urn:uuid:{uuid5(NAMESPACE, f'{row.id}|{place}')}"
    told = provenance(
        target=target,
        activity="NULLIFY" if written["made"] else "UPDATE",
        occurred=instant(now()),
        recorded=instant(now()),
        author=Person(actor.name, account_id=actor.account_id or ""),
        verifiers=(),
    )
    why = {"reason": [{"text": MARKED if written["made"] else BACK}]}
    entries = [
        bundle.update_entry(resource, url, str(version_of(resource))),
        {
            "fullUrl": f"urn:uuid:{uuid5(NAMESPACE, f'{row.id}|{place}|provenance')}",
            "resource": {**told, **why},
            "request": {"method": "POST", "url": "Provenance"},
        },
    ]
    with transaction() as current:
        current.refresh(row, with_for_update=True)
        tries = [round for _, round in standing([row]) if round % ROUNDS - 1 == place]
        (one,) = [each for each in left(row, standing([row])) if each.place == place]
        if one.under_way or one.done:
            return
        if one.stopped and one.at:
            delivery.close(actor, one.at.item_id, AGAIN)
        delivery.enqueue(
            actor,
            clinic_id=row.clinic_id,
            patient_id=row.patient_id,
            submission_id=row.id,
            bundle=bundle.transaction(entries),
            consent_basis={delivery.CORRECTION: True},
            round=len(tries) * ROUNDS + place + 1,
        )
        audit.record(actor, Event.RECORD_CORRECTED, subject=f"patients:{row.patient_id}", patient_id=row.patient_id)


def put_back(held: Json, base: Json, after: Json) -> Json | None:
    """`held` with what turned `base` into `after` undone, and everything else in it kept; None where nothing of that is left in it."""
    made = dict(held)
    for name in [each for each in after if each not in ("meta", "text") and after[each] != base.get(each)]:
        was, ours, there = base.get(name), after[name], held.get(name)
        if isinstance(there, list) and isinstance(ours, list):
            kept = [each for each in there if each not in ours or each in (was or ())]
            made[name] = kept + [each for each in was or () if each not in ours and each not in kept]
        elif there == ours:
            made[name] = was
    said = {name: each for name, each in made.items() if each not in (None, [])}
    return said if said != held else None


def _issue(row: TieDecision, place: int, words: str) -> Issue:
    return Issue(f"left-{row.id}-{place}", "not-corrected", words)


def before_of(base: Json, after: Json, lines: Callable[[Json], Mapping[str, str]]) -> str:
    """What stood there before and does not any more, in words."""
    old, new = lines(base), lines(after)
    moved = [name for name in dict.fromkeys([*old, *new]) if old.get(name, "") != new.get(name, "")]
    return "; ".join(f"{name}: {old.get(name) or 'nothing'}" for name in moved)


def lines_of(resource: Json) -> dict[str, str]:
    """What a resource says, line by line; of a Patient how to reach them and whom to call."""
    if type_of(resource) != "Patient":
        return words.lines(resource)
    ways = [(telecom_kind(each), text_at(each, "value")) for each in objects_at(resource, "telecom")]
    ways += [("Address", address_text(each)) for each in objects_at(resource, "address")]
    ways += [("To call", people.shown("person", each)) for each in objects_at(resource, "contact")]
    ways += [("Pharmacy", people.shown("pharmacy", each)) for each in people.members("pharmacy", resource)]
    found: dict[str, list[str]] = {}
    for name, text in ways:
        found.setdefault(name, []).append(text)
    return {name: ", ".join(texts) for name, texts in found.items()}


def base_in(documents: Iterable[Json], reference: str, version: str | None) -> Json | None:
    """The resource as we had read it, in exactly the version that our change was built on."""
    for document in documents:
        for fact in document.get("facts", ()):
            found = ((fact.get("source") or {}).get("resource") or {}) if isinstance(fact.get("source"), dict) else {}
            if found and version and key_of(found) == reference and text_at(found, "meta", "versionId") == version:
                return dict(found)
    return None
