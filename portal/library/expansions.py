"""The lists that only a terminology server can give: kept with their date, fetched by the worker, never while a patient waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from portal.actors import Actor
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import service as ehr
from portal.fhir import exact
from portal.library import shelf
from portal.library.importing import may_manage
from portal.library.models import Expansion, FormVersion, LibraryTerm

Json = dict[str, Any]
LASTS = timedelta(days=7)
"""How old a list may be before it is fetched anew; one that cannot be had anew stays in use."""
AGAIN = timedelta(hours=1)
TOO_LONG = "too-long"
EMPTY = "empty"
WORDS = {
    TOO_LONG: "It holds more than 2,000 answers.",
    EMPTY: "The server says that nothing is in it.",
    ehr.Reason.NO_CONNECTION.value: "No server is connected that could be asked.",
    ehr.Reason.NOT_READ_YET.value: "It has not been asked for yet.",
    ehr.Reason.UNREACHABLE.value: "The server could not be reached.",
    ehr.Reason.SLOW.value: "The server did not answer in time.",
    ehr.Reason.BUSY.value: "The server was busy.",
    ehr.Reason.CREDENTIAL.value: "The server did not let us in.",
    ehr.Reason.PERMISSION.value: "The server does not let us read value sets.",
    ehr.Reason.GONE.value: "The server does not know this list.",
    ehr.Reason.REFUSED.value: "The server refused to give this list.",
    ehr.Reason.PAUSED.value: "The connection to the server is paused.",
}
UNREADABLE = "The server gave an answer that could not be used."


@dataclass(frozen=True)
class ListState:
    """How one list of a form stands. `size` answers of `read_at`; `trouble` says in words why there is nothing newer, or nothing."""

    canonical: str
    size: int
    source: str
    read_at: datetime | None
    tried_at: datetime | None
    trouble: str

    @property
    def at_hand(self) -> bool:
        return self.read_at is not None


def states(actor: Actor, version: FormVersion) -> list[ListState]:
    """How the lists of a version stand, in their order."""
    here = set(wanted(actor.clinic_id))
    canonicals = [each for each in version.lists if each in here]
    kept = _rows(actor.clinic_id, canonicals)
    return [_state(canonical, kept.get(canonical)) for canonical in canonicals]


def _state(canonical: str, row: Expansion | None) -> ListState:
    if row is None:
        return ListState(canonical, 0, "", None, None, WORDS[ehr.Reason.NOT_READ_YET.value])
    trouble = WORDS.get(row.trouble, UNREADABLE) if row.trouble else ""
    return ListState(canonical, row.size, row.source, row.read_at, row.tried_at, trouble)


def _rows(clinic_id: str, canonicals: list[str]) -> dict[str, Expansion]:
    rows = select(Expansion).where(Expansion.clinic_id == clinic_id, Expansion.canonical.in_(canonicals))
    return {row.canonical: row for row in session().scalars(rows)}


def wanted(clinic_id: str) -> list[str]:
    """Every list that a form of this clinic needs and that was not brought in beside it since."""
    rows = session().scalars(select(FormVersion.lists).where(FormVersion.clinic_id == clinic_id))
    here = set(session().scalars(select(LibraryTerm.url).where(LibraryTerm.clinic_id == clinic_id)))
    return sorted({each for lists in rows for each in lists if each.partition("|")[0] not in here})


def refresh(actor: Actor, server: str, *, limits: ehr.Limits = ehr.PATIENT) -> int:
    """Fetch what is missing or old for this clinic's forms; how many were tried. The worker's job; asks the network."""
    canonicals = wanted(actor.clinic_id)
    kept = _rows(actor.clinic_id, canonicals)
    due = [canonical for canonical in canonicals if _is_due(kept.get(canonical), now())]
    session().commit()
    for canonical in due:
        _fetch(actor, canonical, server, limits)
    return len(due)


def _is_due(row: Expansion | None, at: datetime) -> bool:
    if row is None:
        return True
    old = row.read_at is None or at - row.read_at > LASTS
    return old and at - row.tried_at > AGAIN


def fetch(actor: Actor, version: FormVersion, server: str, limits: ehr.Limits = ehr.BRISK) -> None:
    """Fetch the lists of one version now, because a member of staff asks for it."""
    may_manage(actor)
    for canonical in [each for each in wanted(actor.clinic_id) if each in version.lists]:
        _fetch(actor, canonical, server, limits)


def _fetch(actor: Actor, canonical: str, server: str, limits: ehr.Limits) -> None:
    found = ehr.expand(actor, canonical, server, limits)
    trouble = found.value if isinstance(found, ehr.Reason) else _unusable(found)
    with transaction() as current:
        shelf.hold(actor.clinic_id)
        row = _rows(actor.clinic_id, [canonical]).get(canonical)
        if row is None:
            row = Expansion(clinic_id=actor.clinic_id, canonical=canonical, size=0, source="", tried_at=now())
            current.add(row)
        row.tried_at, row.trouble = now(), trouble
        if isinstance(found, ehr.Expanded) and trouble is None:
            row.codings, row.size = exact.dumps(list(found.codings)).encode(), len(found.codings)
            row.read_at, row.source = row.tried_at, server or "the clinic's server"


def _unusable(found: ehr.Expanded) -> str | None:
    return TOO_LONG if not found.whole else None if found.codings else EMPTY


class KeptLists:
    """The engine's terminology for one clinic: answers from what is kept and from nothing else; None where nothing is."""

    def __init__(self, clinic_id: str) -> None:
        self._clinic_id = clinic_id
        self._known: dict[str, tuple[Json, ...] | None] = {}

    def expand(self, value_set: str, *, filter: str = "", count: int = 0, server: str = "") -> list[Json] | None:
        codings = self._codings(value_set)
        if codings is None:
            return None
        found = [each for each in codings if filter.casefold() in str(each.get("display", "")).casefold()]
        return found[:count] if count else found

    def contains(self, value_set: str, coding: Json, *, server: str = "") -> bool | None:
        codings = self._codings(value_set)
        if codings is None:
            return None
        wanted = (coding.get("system"), coding.get("code"))
        return any((each.get("system"), each.get("code")) == wanted for each in codings)

    def _codings(self, value_set: str) -> tuple[Json, ...] | None:
        if value_set not in self._known:
            self._known[value_set] = self._look(value_set)
        return self._known[value_set]

    def _look(self, value_set: str) -> tuple[Json, ...] | None:
        row = session().scalars(
            select(Expansion).where(Expansion.clinic_id == self._clinic_id, Expansion.canonical == value_set)
        )
        kept = row.one_or_none()
        return _opened(kept.codings) if kept is not None and kept.codings is not None else None


@lru_cache(maxsize=64)
def _opened(codings: bytes) -> tuple[Json, ...]:
    return tuple(exact.loads(codings))
