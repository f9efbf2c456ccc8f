"""Who of a clinic's records a person could be: asked by `$match` where the server has it, and by several keys; each answer checked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from time import monotonic
from unicodedata import combining, normalize

from portal.clock import now
from portal.ehr import scopes
from portal.ehr.capabilities import UNKNOWN, Capabilities
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError, FilterIgnored, NotFhir, NotPermitted, NotThere, Refused, TryLater
from portal.ehr.reading import Kind, Reading, Reason, could_not_look, reason_of, state_for
from portal.fhir.bundle import entries
from portal.fhir.people import links
from portal.fhir.resources import Json, identifiers, key_of, objects_at, text_at, type_of

MOST = 50
"""candidates taken from one question"""
MOST_FOLLOWED = 5
"""records read because a candidate says that it was merged into them"""
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


@dataclass(frozen=True)
class Person:
    """What a person says of themself; `identifiers` are (system, value), `birth_date` YYYY-MM-DD."""

    family: str = ""
    given: str = ""
    birth_date: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()
    phone: str = ""
    email: str = ""
    gender: str = ""

    def __repr__(self) -> str:
        return "Person(…)"


class Key(StrEnum):
    """By what was looked."""

    MATCH = "match"
    IDENTIFIER = "identifier"
    FAMILY = "family"
    GIVEN = "given"
    PHONE = "phone"
    EMAIL = "email"
    SOUND = "sound"
    NAME = "name"
    FOLLOWED = "followed"


class Ending(StrEnum):
    """How a look ended. CUT: there is more than was shown."""

    WHOLE = "whole"
    CUT = "cut"
    REFUSED = "refused"
    NO_TIME = "no-time"


HELPS_ONLY = frozenset({Key.NAME, Key.SOUND, Key.MATCH})
"""What is missing from these does not make the others doubtful: they find more than the same birth date, number or address."""


@dataclass(frozen=True)
class Look:
    key: Key
    ending: Ending
    found: int = 0


@dataclass(frozen=True)
class Opinion:
    """What the server's own `$match` says of one record: certain, probable, possible, certainly-not, or "" and a score."""

    grade: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Candidates:
    """The records and how they were looked for. `reading.complete` is False when somebody could have been missed."""

    reading: Reading
    opinions: Mapping[str, Opinion] = field(default_factory=dict)
    looks: tuple[Look, ...] = ()

    @property
    def resources(self) -> tuple[Json, ...]:
        return self.reading.resources

    @property
    def looked(self) -> bool:
        return self.reading.looked

    @property
    def complete(self) -> bool:
        return self.reading.complete

    @property
    def asked_match(self) -> bool:
        """Whether the server's own matching answered."""
        return any(each.key is Key.MATCH and each.ending in (Ending.WHOLE, Ending.CUT) for each in self.looks)

    @property
    def cut(self) -> list[Look]:
        """Looks that did not show everything."""
        return [each for each in self.looks if each.ending in (Ending.CUT, Ending.NO_TIME)]


def nobody(reason: Reason) -> Candidates:
    return Candidates(could_not_look(Kind.PATIENT, reason))


@dataclass(frozen=True)
class Question:
    """One search: its parameters, and whether a record really is what was asked for."""

    key: Key
    params: tuple[tuple[str, str], ...]
    right: Callable[[Json], bool]


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


def questions(person: Person, can: Capabilities) -> Iterator[Question]:
    """By what is known of the person and what the server searches by."""
    born = person.birth_date
    for system, value in person.identifiers:
        yield Question(Key.IDENTIFIER, (("identifier", f"{system}|{value}"),), _has_identifier(system, value))
    if person.family and born:
        yield Question(Key.FAMILY, (("family", person.family), ("birthdate", born)), _was_born(born))
    if person.given and born:
        yield Question(Key.GIVEN, (("given", person.given.split()[0]), ("birthdate", born)), _was_born(born))
    if person.phone and can.finds("Patient", "phone"):
        yield Question(Key.PHONE, (("phone", ",".join(_spellings(person.phone))),), _has_phone(person.phone))
    if person.email and can.finds("Patient", "email"):
        asked = ",".join(dict.fromkeys((_escaped(person.email), _escaped(person.email.casefold()))))
        yield Question(Key.EMAIL, (("email", asked),), _has_email(person.email))
    if person.family and born and can.names("Patient", "phonetic"):
        yield Question(Key.SOUND, (("phonetic", person.family), ("birthdate", born)), _was_born(born))
    if person.family and person.given:
        names = (("family", person.family), ("given", person.given.split()[0]))
        yield Question(Key.NAME, names, _is_named(person.family, person.given.split()[0]))


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


def _was_born(day: str) -> Callable[[Json], bool]:
    return lambda patient: text_at(patient, "birthDate") == day


def _is_named(*words: str) -> Callable[[Json], bool]:
    wanted = [_plain(each) for each in words]
    return lambda patient: any(
        all(word in _plain(_line(each)) for word in wanted) for each in objects_at(patient, "name")
    )


def _line(name: Json) -> str:
    held = [name.get("given"), name.get("family"), name.get("text")]
    return " ".join(str(part) for each in held for part in (each if isinstance(each, list) else [each or ""]))


def _plain(text: str) -> str:
    """Lower case without accents, as servers compare names."""
    return "".join(each for each in normalize("NFKD", text.casefold()) if not combining(each))


def _has_identifier(system: str, value: str) -> Callable[[Json], bool]:
    return lambda patient: (system, value) in identifiers(patient)


def _has_phone(phone: str) -> Callable[[Json], bool]:
    return lambda patient: any(_last(text_at(each, "value")) == _last(phone) for each in objects_at(patient, "telecom"))


def _has_email(email: str) -> Callable[[Json], bool]:
    told = email.casefold()
    return lambda patient: any(text_at(each, "value").casefold() == told for each in objects_at(patient, "telecom"))


def _last(phone: str) -> str:
    """The end of a number, which neither a country code nor a leading zero changes."""
    return "".join(filter(str.isdigit, phone))[-7:]


def _spellings(phone: str) -> list[str]:
    """A number as it may stand in a record: searches compare it letter by letter."""
    digits = "".join(filter(str.isdigit, phone))
    tens = [f"({digits[-10:-7]}) {digits[-7:-4]}-{digits[-4:]}", f"{digits[-10:-7]}-{digits[-7:-4]}-{digits[-4:]}"]
    ten = [digits[-10:], f"+1{digits[-10:]}", f"+1 {digits[-10:-7]} {digits[-7:-4]} {digits[-4:]}", *tens]
    return list(dict.fromkeys([_escaped(phone), digits, f"+{digits}", *(ten if len(digits) >= 10 else [])]))


def _escaped(value: str) -> str:
    """A value of a search parameter, its own marks not taken for the search's."""
    for mark in ("\\", ",", "$", "|"):
        value = value.replace(mark, f"\\{mark}")
    return value
