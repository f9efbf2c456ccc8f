"""The searches for one person, by what is known of them and what a server searches by; each answer is checked. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unicodedata import combining, normalize

from portal.ehr.capabilities import Capabilities
from portal.ehr.looked_for import Key, Person
from portal.fhir.resources import Json, identifiers, objects_at, text_at


@dataclass(frozen=True)
class Question:
    """One search: its parameters, and whether a record really is what was asked for."""

    key: Key
    params: tuple[tuple[str, str], ...]
    right: Callable[[Json], bool]


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
