"""The verbs of test results: the whole overview, one report, one analyte over time; read through the patient's own choice."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal import db
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.consent import service as consent
from portal.ehr import service as ehr
from portal.errors import NotFound
from portal.labs.assembling import assemble
from portal.labs.grid import Grid, grid
from portal.labs.results import Report
from portal.labs.trend import Series, series
from portal.labs.units import convert

Json = Mapping[str, Any]
NOT_SHARED = "not-shared"


@dataclass(frozen=True)
class Overview:
    """What is known of a patient's results. `state` is known, none, could-not-look or not-shared: four different things.

    `reason` is an English msgid: why there is nothing, or nothing newer. Reports and series are found by their address,
    which tells nothing about them.
    """

    state: str
    read_at: datetime | None = None
    source: str = ""
    reason: str = ""
    complete: bool = True
    reports: tuple[tuple[str, Report], ...] = ()
    trends: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Series] = field(default_factory=dict)

    @property
    def years(self) -> list[tuple[str, list[tuple[str, Report]]]]:
        """Reports by year, the newest first; those without a date under ""."""
        groups: dict[str, list[tuple[str, Report]]] = {}
        for place, each in self.reports:
            groups.setdefault(str(each.when.at.year) if each.when and each.when.at else "", []).append((place, each))
        return list(groups.items())

    @property
    def histories(self) -> list[tuple[str, str]]:
        """Name and address of every analyte with more than one result, by name."""
        return sorted((self.known[code].name, place) for code, place in self.trends.items())

    def trend_of(self, code: str) -> str | None:
        """The address of an analyte's history, when there is more than one result."""
        return self.trends.get(code)


def results(actor: Actor, max_age: timedelta = ehr.FRESH) -> Overview:
    """Every report of this patient, newest first. Nothing is asked of the clinic when the patient chose not to have it read."""
    patient_id = actor.patient_id
    if patient_id is None:
        raise NotFound
    if not consent.shows_results(actor).permit:
        _seen(actor, patient_id)
        return Overview(NOT_SHARED)
    reading = ehr.read(actor, patient_id, ehr.Kind.LABS, max_age=max_age)
    allowed = consent.visible(
        actor, patient_id, [*reading.resources, *reading.beside], policy=consent.Policy.ALL_AUTHORIZED, purpose="PATRQT"
    )
    current, earlier = _versions(allowed)
    reports = assemble(current, earlier)
    known = series(reports, convert)
    _seen(actor, patient_id)
    return Overview(
        state=reading.state.value,
        read_at=reading.read_at,
        source=reading.source,
        reason=reading.sentence or "",
        complete=reading.complete,
        reports=tuple((address(patient_id, report.key), report) for report in reports),
        trends={code: address(patient_id, code) for code, each in known.items() if len(each.results) > 1},
        known=known,
    )


def report(actor: Actor, wanted: str, max_age: timedelta = ehr.FRESH) -> tuple[Overview, Report]:
    """One report by its address; NotFound when this patient has none there."""
    overview = results(actor, max_age)
    found = next((each for place, each in overview.reports if place == wanted), None)
    if found is None:
        raise NotFound
    return overview, found


def trend(actor: Actor, wanted: str, max_age: timedelta = ehr.FRESH) -> tuple[Overview, Series]:
    """One analyte over time by its address; NotFound when this patient has none there."""
    overview = results(actor, max_age)
    code = next((code for code, place in overview.trends.items() if place == wanted), None)
    if code is None:
        raise NotFound
    return overview, overview.known[code]


def beside_earlier(overview: Overview, shown: Report) -> Grid | None:
    return grid(shown, overview.known)


def address(patient_id: str, key: str) -> str:
    """16 hex characters for an address: the same for the same thing of the same patient, and telling nothing of it."""
    secret = db.keys().derived("labs")
    return hashlib.blake2b(f"{patient_id}|{key}".encode(), key=secret, digest_size=8).hexdigest()


def _versions(resources: Iterable[Json]) -> tuple[list[Json], dict[str, list[Json]]]:
    """The newest version of everything, and what came before it, newest first."""
    newest: dict[str, Json] = {}
    earlier: dict[str, list[Json]] = {}
    for number, each in enumerate(resources):
        key = f"{each.get('resourceType')}/{each['id']}" if each.get("id") else f"#{number}"
        known = newest.get(key)
        if known is None:
            newest[key] = each
        else:
            later, older = (known, each) if _stamp(known) >= _stamp(each) else (each, known)
            newest[key] = later
            earlier.setdefault(key, []).append(older)
    return list(newest.values()), {key: sorted(olds, key=_stamp, reverse=True) for key, olds in earlier.items()}


def _stamp(resource: Json) -> tuple[str, int, str]:
    meta = resource.get("meta")
    held = meta if isinstance(meta, Mapping) else {}
    version = str(held.get("versionId", ""))
    return str(held.get("lastUpdated", "")), int(version) if version.isdecimal() and version.isascii() else 0, version


def _seen(actor: Actor, patient_id: str) -> None:
    audit.seen(actor, Event.LABS_READ, subject=f"patients:{patient_id}", patient_id=patient_id)
