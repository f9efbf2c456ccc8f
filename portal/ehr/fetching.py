"""Fetches one kind of one patient's record and keeps only what is proved to be theirs (bar 41 to 43). Needs no database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from portal.clock import now
from portal.ehr import scopes
from portal.ehr.capabilities import UNKNOWN, Capabilities
from portal.ehr.client import FhirClient, Found
from portal.ehr.errors import EhrError, NotFhir, NotPermitted, Refused
from portal.ehr.reading import Kind, Reason
from portal.fhir.compartment import belongs, names_nobody
from portal.fhir.resources import Json, id_of, key_of, objects_at, text_at, type_of, version_of

PAGE = "100"
LAB = "http://terminology.hl7.org/CodeSystem/v2-0074|LAB"


CORRECTED = frozenset({"corrected", "amended"})
MOST_CORRECTED = 20


@dataclass(frozen=True)
class Query:
    """A search for one type by patient. `includes` are asked for where the server offers them; `category` narrows."""

    type: str
    includes: tuple[str, ...] = ()
    category: str | None = None

    def params(self, patient: str, includes: bool) -> list[tuple[str, str]]:
        wanted = [("patient", patient)]
        if self.category:
            wanted.append(("category", self.category))
        if includes:
            wanted += [("_include", each) for each in self.includes]
        return [*wanted, ("_count", PAGE)]

    def admits(self, resource: Json) -> bool:
        """Whether a match fits the category asked for; only needed where the server does not confirm its filters."""
        code = (self.category or "").rpartition("|")[2]
        held = resource.get("category")
        groups = [held] if isinstance(held, dict) else objects_at(resource, "category")
        return not code or any(
            text_at(each, "code") == code for group in groups for each in objects_at(group, "coding")
        )


QUERIES: dict[Kind, tuple[Query, ...]] = {
    Kind.MEDICATIONS: (
        Query("MedicationRequest", ("MedicationRequest:medication",)),
        Query("MedicationStatement", ("MedicationStatement:medication",)),
    ),
    Kind.ALLERGIES: (Query("AllergyIntolerance"),),
    Kind.CONDITIONS: (Query("Condition"),),
    Kind.COVERAGE: (Query("Coverage", ("Coverage:payor",)),),
    Kind.RELATED: (Query("RelatedPerson"),),
    Kind.APPOINTMENTS: (Query("Appointment", ("Appointment:practitioner", "Appointment:location")),),
    Kind.LABS: (Query("Observation", category="laboratory"), Query("DiagnosticReport", category=LAB)),
    Kind.VITALS: (Query("Observation", category="vital-signs"),),
    Kind.IMMUNIZATIONS: (Query("Immunization"),),
    Kind.PROCEDURES: (Query("Procedure"),),
    Kind.FAMILY: (Query("FamilyMemberHistory"),),
    Kind.TEAM: (Query("CareTeam", ("CareTeam:participant",)),),
    Kind.SURVEYS: (Query("Observation", category="survey"), Query("Observation", category="social-history")),
}


def holding(type_: str, categories: Collection[str] = ()) -> tuple[Kind, ...]:
    """The kinds of reading in which resources of this type are, of these categories where any are named."""
    if type_ == "Patient":
        return (Kind.PATIENT,)

    def has(query: Query) -> bool:
        code = (query.category or "").rpartition("|")[2]
        return query.type == type_ and (not categories or not code or code in categories)

    return tuple(kind for kind, queries in QUERIES.items() if any(map(has, queries)))


@dataclass
class Fetched:
    """What was fetched: `dropped` counts the entries that could not be proved to be this patient's, `nobody` those among them
    that name no patient at all."""

    resources: list[Json] = field(default_factory=list)
    beside: list[Json] = field(default_factory=list)
    why: Reason | None = None
    dropped: int = 0
    nobody: int = 0
    read_at: datetime | None = None

    @property
    def complete(self) -> bool:
        return self.why is None

    def keep(self, found: Iterable[Json], among: list[Json], patient: str, base: str) -> None:
        for resource in found:
            if belongs(resource, patient, base):
                among.append(resource)
            else:
                self.dropped += 1
                self.nobody += names_nobody(resource)
                self.why = Reason.OTHER_PATIENT

    def note(self, why: Reason) -> None:
        self.why = self.why or why

    def seen(self, at: datetime | None) -> None:
        self.read_at = min(each for each in (self.read_at, at, now()) if each is not None)


def fetch(
    client: FhirClient,
    kind: Kind,
    fhir_id: str,
    can: Capabilities = UNKNOWN,
    granted: str | None = None,
    known: Json | None = None,
) -> Fetched:
    """One kind for `Patient/<fhir_id>`; raises EhrError when the server could not be asked at all of it.

    Of a kind made of several types, one that the server does not have or does not let us see leaves the rest, marked.
    `known` is the Patient resource that we have: a server that says it is unchanged is believed.
    """
    if not can.readable:
        raise NotFhir("The clinic's system speaks a version of FHIR that we do not read.")
    if kind is Kind.PATIENT:
        return _fetch_patient(client, fhir_id, granted, known)
    fetched = Fetched()
    asked = 0
    refused: EhrError | None = None
    for query in QUERIES[kind]:
        if not can.offers(query.type):
            continue
        try:
            _fetch_query(client, query, f"Patient/{fhir_id}", can, granted, fetched)
            asked += 1
        except NotPermitted as missing:
            refused = missing
            fetched.note(Reason.PERMISSION)
    if not asked and refused:
        raise refused
    if not asked:
        fetched.note(Reason.NOT_OFFERED)
        fetched.seen(now())
    return fetched


def _fetch_patient(client: FhirClient, fhir_id: str, granted: str | None, known: Json | None) -> Fetched:
    if granted is not None and not scopes.permits(granted, "Patient", "r"):
        raise NotPermitted(403)
    at = now()
    ours = known if known is not None and key_of(known) == f"Patient/{fhir_id}" else None
    return Fetched([client.read("Patient", fhir_id, known=ours)], read_at=at)


def _fetch_query(
    client: FhirClient, query: Query, patient: str, can: Capabilities, granted: str | None, fetched: Fetched
) -> None:
    if granted is not None and not scopes.permits(granted, query.type, "s", query.category):
        raise NotPermitted(403)
    found = _search(client, query, patient, can)
    matches = [each for each in found.matches if type_of(each) == query.type]
    if len(matches) != len(found.matches):
        fetched.note(Reason.FILTER_IGNORED)
    if not found.echoed:
        matches = [each for each in matches if query.admits(each)]
    fetched.keep(matches, fetched.resources, patient, client.base)
    fetched.keep(found.included, fetched.beside, patient, client.base)
    fetched.seen(found.read_at)
    if not found.complete:
        fetched.note(Reason.TOO_MUCH)
    if query.type == "Observation" and can.keeps_history("Observation"):
        fetched.beside += _earlier(client, matches, patient)


def _earlier(client: FhirClient, observations: Iterable[Json], patient: str) -> list[Json]:
    """What corrected results said before, so that a page can say what was replaced. A server that does not tell is not
    pressed: the result itself says that it was corrected."""
    corrected = [each for each in observations if text_at(each, "status") in CORRECTED and id_of(each)]
    found: list[Json] = []
    for each in corrected[:MOST_CORRECTED]:
        try:
            versions = client.history("Observation", id_of(each))
        except (Refused, NotFhir):
            continue
        now_at = version_of(each)
        found += [old for old in versions if version_of(old) != now_at and belongs(old, patient, client.base)]
    return found


def _search(client: FhirClient, query: Query, patient: str, can: Capabilities) -> Found:
    """With the patient by id; a server that confirms no filter and finds nothing is asked again with `Patient/` before it.

    R4 allows both, and "nothing there" from a server that understands only the other would be false.
    """
    found = _asked(client, query, patient.removeprefix("Patient/"), can)
    return found if found.matches or found.echoed else _asked(client, query, patient, can)


def _asked(client: FhirClient, query: Query, patient: str, can: Capabilities) -> Found:
    """With what the server says it can include; a server that refuses the question so is asked without."""
    offered = can.of(query.type).includes
    includes = bool(query.includes) and (not offered or offered >= set(query.includes) or "*" in offered)
    try:
        return client.search(query.type, query.params(patient, includes))
    except Refused as wrong:
        if includes and wrong.code == 400:
            return client.search(query.type, query.params(patient, False))
        raise
