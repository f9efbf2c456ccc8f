"""The verbs of test results: the whole overview, one report, one analyte over time; read through the patient's own choice."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from portal import db
from portal.accounts import service as accounts
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import service as consent
from portal.ehr import service as ehr
from portal.errors import NotFound
from portal.fhir import codes
from portal.fhir.resources import objects_at, text_at
from portal.labs.assembling import assemble
from portal.labs.grid import Grid, grid
from portal.labs.overview import NOT_RELEASED, NOT_SHARED, Overview
from portal.labs.ranges import Person
from portal.labs.results import Report, Result
from portal.labs.since import news
from portal.labs.times import when
from portal.labs.trend import Series, series
from portal.labs.units import convert

Json = Mapping[str, Any]
_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


def results(actor: Actor, max_age: timedelta = ehr.FRESH) -> Overview:
    """Every report of this patient, newest first. Nothing is asked of the clinic when the patient chose not to have it read."""
    patient_id = actor.patient_id
    if patient_id is None:
        raise NotFound
    if not consent.shows_results(actor).permit:
        _seen(actor, patient_id)
        return Overview(NOT_SHARED)
    reading, allowed = readable(actor, patient_id, max_age)
    current, earlier = versions(allowed)
    reports = assemble(current, earlier, _person(actor, patient_id))
    known = series(reports, convert)
    visited = _last_visit(actor, patient_id)
    _seen(actor, patient_id)
    return Overview(
        state=NOT_RELEASED if reports and all(each.waiting for each in reports) else reading.state.value,
        read_at=reading.read_at,
        source=reading.source,
        reason=reading.sentence or "",
        complete=reading.complete,
        caveat=reading.caveat,
        reports=tuple((address(patient_id, report.key), report) for report in reports),
        trends={code: address(patient_id, code) for code, each in known.items() if len(each.results) > 1},
        known=known,
        places={row.key: address(patient_id, f"result|{row.key}") for report in reports for row in report.rows},
        papers={address(patient_id, each.key): each for report in reports for each in report.papers},
        news=news(reports, known, visited) if visited else None,
    )


def readable(actor: Actor, patient_id: str, max_age: timedelta = ehr.FRESH) -> tuple[ehr.Reading, list[Json]]:
    """The reading, and of everything in it what this patient may see here: every page and copy is made from that."""
    reading = ehr.read(actor, patient_id, ehr.Kind.LABS, max_age=max_age)
    read = [*reading.resources, *reading.beside]
    allowed = consent.visible(actor, patient_id, read, policy=consent.Policy.ALL_AUTHORIZED, purpose="PATRQT")
    return reading, allowed


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


def result(actor: Actor, wanted: str, max_age: timedelta = ehr.FRESH) -> tuple[Overview, Report, Result]:
    """One result by its address, with the report it stands in; NotFound when this patient has none there."""
    overview = results(actor, max_age)
    for _place, each in overview.reports:
        for row in each.rows:
            if overview.place_of(row) == wanted:
                return overview, each, row
    raise NotFound


def beside_earlier(overview: Overview, shown: Report) -> Grid | None:
    return grid(shown, overview.known)


def address(patient_id: str, key: str) -> str:
    """16 hex characters for an address: the same for the same thing of the same patient, and telling nothing of it."""
    secret = db.keys().derived("labs")
    return hashlib.blake2b(f"{patient_id}|{key}".encode(), key=secret, digest_size=8).hexdigest()


def versions(resources: Iterable[Json]) -> tuple[list[Json], dict[str, list[Json]]]:
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


def _person(actor: Actor, patient_id: str) -> Person:
    """Sex and birth date as the record has them; what is kept of it, the clinic is not asked for this alone."""
    kept = ehr.read(actor, patient_id, ehr.Kind.PATIENT, fetch=False).resources
    record = kept[0] if kept else {}
    said = {text_at(record, "gender"), *_birth_sex(record)} - {""}
    sex = said.pop() if len(said) == 1 else ""
    born = when(text_at(record, "birthDate") or accounts.patient(actor, patient_id).person.get("birthDate"))
    return Person(sex if sex in ("male", "female") else "", born.day if born else None)


def _birth_sex(record: Json) -> Iterable[str]:
    words = {"M": "male", "F": "female"}
    for each in objects_at(dict(record), "extension"):
        if each.get("url") == _BIRTH_SEX:
            yield words.get(str(each.get("valueCode")), "other")


def _last_visit(actor: Actor, patient_id: str) -> date | None:
    """The day of the last appointment that has been and was not called off, as far as is kept."""
    kept = ehr.read(actor, patient_id, ehr.Kind.APPOINTMENTS, fetch=False).resources
    return _latest_day([each for each in kept if text_at(each, "status") not in codes.CANCELLED_VISIT])


def _latest_day(visits: Sequence[Json]) -> date | None:
    starts = [when(text_at(dict(each), "start")) for each in visits]
    been = [start.order for start in starts if start and start.at and start.at < now()]
    return max(been).date() if been else None


def _seen(actor: Actor, patient_id: str) -> None:
    audit.seen(actor, Event.LABS_READ, subject=f"patients:{patient_id}", patient_id=patient_id)
