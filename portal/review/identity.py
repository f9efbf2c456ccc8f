"""What identifies a person, normalised for comparison: from what the portal knows, or from a FHIR Patient. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from portal.fhir.resources import Json, at, identifiers, objects_at, text_at
from portal.review.alike import plain

_PLACEHOLDERS = frozenset({
    "unk", "unknown", "anonymous", "baby", "babyboy", "babygirl", "boy", "girl", "newborn", "infant", "test",
    "patient", "na", "none", "noname",
})  # fmt: skip
_STREET_WORDS = {
    "street": "st", "road": "rd", "avenue": "ave", "drive": "dr", "lane": "ln", "court": "ct", "place": "pl",
    "circuit": "cct", "crescent": "cres", "boulevard": "blvd", "circle": "cir", "highway": "hwy", "terrace": "tce",
    "close": "cl", "square": "sq", "north": "n", "south": "s", "east": "e", "west": "w", "apartment": "apt",
}  # fmt: skip
_SUFFIXES = {
    "jr": "jr",
    "junior": "jr",
    "sr": "sr",
    "senior": "sr",
    "ii": "2",
    "2nd": "2",
    "iii": "3",
    "3rd": "3",
    "iv": "4",
}
_PARTICLES = frozenset({
    "de", "da", "do", "dos", "das", "del", "della", "der", "den", "di", "du", "la", "le", "les", "los",
    "las", "van", "von", "ten", "ter", "y", "e", "bin", "ibn", "al", "el",
})  # fmt: skip


@dataclass(frozen=True)
class Name:
    """One name. `family` is empty when it is only known as one line: then `given` holds all of it in its order."""

    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    suffix: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.given, *self.family)


@dataclass(frozen=True)
class Identity:
    """Everything comparable, already normalised; empty where unknown. `identifiers` are (system, value)."""

    names: tuple[Name, ...] = ()
    birth_date: str = ""
    gender: str = ""
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    postal_codes: frozenset[str] = frozenset()
    streets: frozenset[str] = frozenset()
    identifiers: frozenset[tuple[str, str]] = frozenset()


def of_patient(patient: Json) -> Identity:
    """A FHIR Patient; former names and old addresses count too, as people are found by them."""
    telecoms = objects_at(patient, "telecom")
    addresses = objects_at(patient, "address")
    lines = [line for each in addresses for line in each.get("line", []) if isinstance(line, str)]
    return Identity(
        names=tuple(name for each in objects_at(patient, "name") if (name := _fhir_name(each)).words),
        birth_date=date_of(text_at(patient, "birthDate")),
        gender=text_at(patient, "gender"),
        phones=_present(
            phone(text_at(each, "value")) for each in telecoms if text_at(each, "system") in ("phone", "sms")
        ),
        emails=_present(text_at(each, "value").casefold() for each in telecoms if text_at(each, "system") == "email"),
        postal_codes=_present(postal_code(text_at(each, "postalCode")) for each in addresses),
        streets=_present(street(line) for line in lines),
        identifiers=frozenset(
            (system, _bare(value)) for system, value in identifiers(patient) if system and _bare(value)
        ),
    )


def of_person(person: Mapping[str, str | None]) -> Identity:
    """What the portal knows of somebody: name (one line) or given and family, birthDate, gender, phone, email, street,
    postalCode, identifier ("system|value")."""
    said = {key: (value or "").strip() for key, value in person.items() if isinstance(value, str)}
    family, given = said.get("family", ""), said.get("given", "")
    name = name_of(given, family, said.get("suffix", "")) if family or given else name_of(said.get("name", ""), "")
    system, _, value = said.get("identifier", "").rpartition("|")
    return Identity(
        names=(name,) if name.words else (),
        birth_date=date_of(said.get("birthDate", "")),
        gender=said.get("gender", "").casefold(),
        phones=_present([phone(said.get("phone", ""))]),
        emails=_present([said.get("email", "").casefold()]),
        postal_codes=_present([postal_code(said.get("postalCode", ""))]),
        streets=_present([street(said.get("street", ""))]),
        identifiers=frozenset({(system, _bare(value))} if _bare(value) else set()),
    )


def name_of(given: str, family: str, suffix: str = "") -> Name:
    """Words of a name without placeholders ("Unknown", "Baby boy") and with the suffix (Jr, III) apart."""
    firsts, lasts = (_words(part) for part in (given, family))
    found = [_SUFFIXES[word] for word in (*firsts[1:], *lasts[1:], *_words(suffix)) if word in _SUFFIXES]
    kept = [
        tuple(word for place, word in enumerate(part) if not place or word not in _SUFFIXES) for part in (firsts, lasts)
    ]
    return Name(kept[0], kept[1], found[-1] if found else "")


def date_of(text: str) -> str:
    """YYYYMMDD; shorter for partial dates; "" for dates that stand for "unknown"."""
    digits = re.sub(r"\D", "", text)[:8]
    return "" if digits[:4] in ("", "0000", "9999") or digits in ("19000101", "18000101") else digits


def phone(text: str) -> str:
    """The last nine digits, which neither a country code nor a leading zero changes; "" for numbers nobody has."""
    digits = re.sub(r"\D", "", text)
    return digits[-9:] if len(digits) >= 7 and len(set(digits[-7:])) > 1 else ""


def postal_code(text: str) -> str:
    """Without spaces; a US ZIP+4 counts by its first five, a ZIP that lost its leading zero gets it back nowhere."""
    bare = re.sub(r"[^0-9a-z]", "", text.casefold())
    return bare[:5] if bare.isdigit() and len(bare) == 9 else bare


def street(text: str) -> str:
    words = [_STREET_WORDS.get(word, word) for word in plain(text).split()]
    return " ".join(words)


def _fhir_name(name: Json) -> Name:
    given = " ".join(part for part in at(name, "given") or [] if isinstance(part, str))
    suffix = " ".join(part for part in at(name, "suffix") or [] if isinstance(part, str))
    family = text_at(name, "family")
    return name_of(given, family, suffix) if given or family else name_of(text_at(name, "text"), "")


def _words(text: str) -> tuple[str, ...]:
    joined = re.sub(r"(?<=\w)['’`\-.](?=\w)", "", text)
    return tuple(word for word in plain(joined).split() if word not in _PLACEHOLDERS)


def _bare(value: str) -> str:
    bare = re.sub(r"[^0-9a-z]", "", value.casefold())
    return "" if len(set(bare)) <= 1 else bare


def _present(values: object) -> frozenset[str]:
    return frozenset(value for value in values if value)  # type: ignore[attr-defined]


def core(words: tuple[str, ...]) -> frozenset[str]:
    """The words that tell names apart: particles (de, van, von) come and go between systems."""
    kept = frozenset(word for word in words if word not in _PARTICLES)
    return kept or frozenset(words)
