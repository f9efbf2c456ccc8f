"""A patient looked for by what somebody says of themselves. All of it rests sealed, so people are looked at one by one."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from portal.accounts.models import Patient
from portal.actors import Actor, Permission
from portal.db import session
from portal.errors import NotAllowed
from portal.fhir.letters import normal
from portal.sealing import SealBroken

MOST = 20
SHORTEST = 4
"""Fewer digits of a telephone number would be half of the clinic's."""
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[./](\d{1,2})[./](\d{4})")


def find(actor: Actor, words: str) -> list[Patient]:
    """The clinic's patients with this name, date of birth, telephone number or e-mail address; at most twenty."""
    if not actor.may(Permission.SEE_QUEUE):
        raise NotAllowed
    if not words.strip():
        return []
    rows = session().scalars(select(Patient).where(Patient.clinic_id == actor.clinic_id).order_by(Patient.id))
    found = (row for row in rows if _fits(row, words.strip()))
    return [each for each, _ in zip(found, range(MOST), strict=False)]


def _fits(row: Patient, words: str) -> bool:
    try:
        person: Mapping[str, Any] = row.person
    except SealBroken:  # erased
        return False
    if born := _days(words):
        return str(person.get("birthDate") or "") in born
    if re.fullmatch(r"[\d\s()+./-]+", words):
        return _same_number(_digits(str(person.get("phone") or "")), _digits(words))
    said = _plain(f"{person['name']} {person.get('email') or ''}")
    return all(part in said for part in _plain(words).split())


def _days(words: str) -> set[str]:
    """The days that a date may mean; the day or the month may come first."""
    found = _DAY.fullmatch(words)
    if not found:
        return set()
    year, month, day, first, second, last = found.groups()
    pairs = [(month, day)] if year else [(first, second), (second, first)]
    return {f"{year or last}-{int(one):02d}-{int(other):02d}" for one, other in pairs}


def _same_number(known: str, typed: str) -> bool:
    """Whether one holds the other: with or without the country, or only its end."""
    return len(typed) >= SHORTEST and bool(known) and (typed.lstrip("0") in known or typed.endswith(known))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _plain(text: str) -> str:
    """Without marks and capitals: José and jose are found by either."""
    return "".join(each for each in normal("NFKD", text) if not unicodedata.combining(each)).casefold()
