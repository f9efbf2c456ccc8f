"""Who of a clinic's records a person could be: asked by `$match` where the server has it, and by several keys; each answer checked."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from portal.clock import now
from portal.ehr import scopes
from portal.ehr.capabilities import UNKNOWN, Capabilities
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError, FilterIgnored, NotFhir, NotPermitted, NotThere, Refused, TryLater
from portal.ehr.looked_for import Candidates, Ending, Key, Look, Opinion, Person, nobody
from portal.ehr.questions import Question, questions
from portal.ehr.reading import Kind, Reading, Reason, reason_of, state_for
from portal.fhir.bundle import entries
from portal.fhir.people import links
from portal.fhir.resources import Json, key_of, objects_at, text_at, type_of

MOST = 50
"""candidates taken from one question"""
MOST_FOLLOWED = 5
"""records read because a candidate says that it was merged into them"""
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
HELPS_ONLY = frozenset({Key.NAME, Key.SOUND, Key.MATCH})
"""What is missing from these does not make the others doubtful: they find more than the same birth date, number or address."""


@dataclass
class _Gathering:
    """What has come so far. After `until` nothing more is asked."""

    until: float
    people: dict[str, Json] = field(default_factory=dict)
    opinions: dict[str, Opinion] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    read_at: datetime | None = None
    trouble: EhrError | None = None

    def add(self, people: list[Json], at: datetime | None) -> None:
        self.people |= {key_of(each): each for each in people if type_of(each) == "Patient" and key_of(each)}
        self.read_at = min(filter(None, (at, self.read_at)), default=None)


def candidates(
    client: FhirClient,
    person: Person,
    can: Capabilities = UNKNOWN,
    granted: str | None = None,
    seconds: float = 20.0,
) -> Candidates:
    """The union of what `$match` and the searches found, each record once. Raises EhrError when no look came to anything.

    `granted` is the scope we were given (None: not known). A server that knows a key not is asked by the others.
    """
    if granted is not None and not scopes.permits(granted, "Patient", "s"):
        return nobody(Reason.PERMISSION)
    made = _Gathering(monotonic() + seconds)
    if can.operates("Patient", "match"):
        _match(client, person, made)
    for question in questions(person, can):
        _search(client, question, made)
    _follow(client, made)
    if made.trouble and not any(each.ending in (Ending.WHOLE, Ending.CUT) for each in made.looks):
        raise made.trouble
    return _told(made)


def _told(made: _Gathering) -> Candidates:
    needed = [each for each in made.looks if each.key not in HELPS_ONLY]
    complete = any(each.ending is Ending.WHOLE for each in needed) and all(
        each.ending is Ending.WHOLE for each in needed
    )
    state = state_for(len(made.people), complete)
    reason = None if complete else _why(made, needed)
    people = tuple(made.people.values())
    reading = Reading(Kind.PATIENT, state, people, (), made.read_at, "", complete, reason)
    return Candidates(reading, made.opinions, tuple(made.looks))


def _why(made: _Gathering, needed: list[Look]) -> Reason:
    if not needed and not made.people:
        return Reason.NOT_READ_YET
    if any(each.ending is Ending.NO_TIME for each in needed):
        return Reason.SLOW
    refused = made.trouble is not None and any(each.ending is Ending.REFUSED for each in needed)
    return reason_of(made.trouble) if refused and made.trouble else Reason.TOO_MUCH


def _search(client: FhirClient, question: Question, made: _Gathering) -> None:
    if monotonic() > made.until:
        made.looks.append(Look(question.key, Ending.NO_TIME))
        return
    try:
        found = client.search("Patient", [*question.params, ("_count", str(MOST))], private=True, pages=1)
    except (FilterIgnored, Refused, NotFhir) as trouble:
        if _of_the_server(trouble):
            raise
        made.trouble = made.trouble or trouble
        made.looks.append(Look(question.key, Ending.REFUSED))
        return
    right = [each for each in found.matches if question.right(each)]
    made.add(right, found.read_at)
    cut = not found.complete or len(found.matches) >= MOST
    made.looks.append(Look(question.key, Ending.CUT if cut else Ending.WHOLE, len(right)))


def _of_the_server(trouble: EhrError) -> bool:
    """Whether it would meet every other question too."""
    if isinstance(trouble, (TryLater, NotPermitted)):
        return True
    return isinstance(trouble, Refused) and (trouble.code == 401 or (trouble.code >= 500 and trouble.code != 501))


def _match(client: FhirClient, person: Person, made: _Gathering) -> None:
    """What the server says by itself. One that says no is asked by the searches: it may know only certain matches."""
    try:
        bundle = client.match(described(person), MOST)
    except (Refused, NotFhir) as trouble:
        if isinstance(trouble, TryLater) or (isinstance(trouble, Refused) and trouble.code == 401):
            raise
        made.looks.append(Look(Key.MATCH, Ending.REFUSED))
        return
    if text_at(bundle, "type") not in ("searchset", "collection"):
        made.looks.append(Look(Key.MATCH, Ending.REFUSED))
        return
    people = [each for mode, each in entries(bundle) if mode == "match" and type_of(each) == "Patient"][:MOST]
    made.add(people, now())
    made.opinions |= _opinions(bundle)
    made.looks.append(Look(Key.MATCH, Ending.CUT if len(people) >= MOST else Ending.WHOLE, len(people)))


def _opinions(bundle: Json) -> dict[str, Opinion]:
    found = {}
    for entry in objects_at(bundle, "entry"):
        said = entry.get("search") if isinstance(entry.get("search"), dict) else {}
        grade = next((_grade(each) for each in objects_at(said, "extension") if text_at(each, "url") == GRADE), "")
        score = said.get("score") if said else None
        number = float(score) if score is not None and not isinstance(score, (bool, str, dict, list)) else None
        found[key_of(entry.get("resource"))] = Opinion(grade, number)
    return found


def _grade(extension: Json) -> str:
    return text_at(extension, "valueCode") or text_at(extension, "valueString")


def described(person: Person) -> Json:
    """The person as a Patient, for a server's own matching."""
    name = {"family": person.family, "given": person.given.split()}
    telecoms = [("phone", person.phone), ("email", person.email)]
    whole = {
        "identifier": [{"system": system, "value": value} for system, value in person.identifiers],
        "name": [{part: held for part, held in name.items() if held}] if person.family or person.given else [],
        "telecom": [{"system": system, "value": value} for system, value in telecoms if value],
        "gender": person.gender,
        "birthDate": person.birth_date,
    }
    return {"resourceType": "Patient", **{part: held for part, held in whole.items() if held}}


def _follow(client: FhirClient, made: _Gathering) -> None:
    """The records that candidates were merged into, so that a person sees where the way leads; they are never tied by it."""
    wanted = [key for each in list(made.people.values()) for kind, key in links(each) if kind == "replaced-by"]
    new = [key for key in dict.fromkeys(wanted) if key.startswith("Patient/") and key not in made.people]
    for key in new[:MOST_FOLLOWED]:
        with suppress(NotThere, NotPermitted, NotFhir):
            made.add([client.read("Patient", key.removeprefix("Patient/"))], now())
    if new:
        made.looks.append(Look(Key.FOLLOWED, Ending.WHOLE if len(new) <= MOST_FOLLOWED else Ending.CUT, len(new)))
