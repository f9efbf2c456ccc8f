"""Whom a clinic's records were looked through for: the person, by what was looked, and how each look ended. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from portal.ehr.reading import Kind, Reading, Reason, could_not_look
from portal.fhir.resources import Json


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
