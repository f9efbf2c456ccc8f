"""The desk's page about who may answer for a patient: who does, whom the record names, a new link, an end."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.accounts import ages, granting, proxies
from portal.accounts import service as accounts
from portal.accounts.granting import Offered, Wanted
from portal.accounts.proxies import Grant
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.ehr import service as ehr
from portal.errors import NotAllowed, NotFound
from portal.fhir.resources import Json, objects_at, text_at
from portal.fhir.values import codes_of, name_of
from portal.intake import service as intake
from portal.review.proposing import Desk

PARENTS = frozenset(
    {"PRN", "MTH", "FTH", "NMTH", "NFTH", "STPMTH", "STPFTH", "STPPRN", "PRNFOST", "MTHFOST", "FTHFOST"}
)
GUARDIANS = frozenset({"GUARD"})
REPRESENTATIVES = frozenset({"HPOWATT", "POWATT", "DPOWATT"})
ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@dataclass(frozen=True)
class Listed:
    """A RelatedPerson of the record. `asked`: somebody may answer already, or was asked to, as this person."""

    reference: str
    name: str
    born: str
    relation: str
    words: str
    asked: bool


@dataclass(frozen=True)
class Page:
    """Everything the page shows. `reading` says how the record's list was come by."""

    visit_id: str
    name: str
    born: str
    grown_up: bool
    age: int
    grants: list[Grant]
    listed: list[Listed]
    reading: ehr.Reading

    def person(self, reference: str) -> Listed | None:
        return next((each for each in self.listed if each.reference == reference), None)


def opened(actor: Actor, visit_id: str, desk: Desk) -> Page:
    """For those who may invite; audited. NotFound for a visit of another clinic."""
    patient_id = _owner(actor, visit_id)
    person = accounts.patient(actor, patient_id).person
    reading = ehr.read(actor, patient_id, ehr.Kind.RELATED, max_age=desk.fresh)
    grants = proxies.of_patient(actor, patient_id)
    audit.seen(actor, Event.PROXIES_SEEN, subject=f"patients:{patient_id}", patient_id=patient_id)
    return Page(
        visit_id=visit_id,
        name=str(person.get("name") or ""),
        born=str(person.get("birthDate") or ""),
        grown_up=ages.grown_up(person, actor.clinic_id),
        age=ages.of_age(actor.clinic_id),
        grants=grants,
        listed=_listed(reading.resources, {each.reference for each in grants if each.open}),
        reading=reading,
    )


def offer(actor: Actor, visit_id: str, wanted: Wanted, days: int) -> Offered:
    """A link for somebody; as a person of the record only when the record, as it was read last, has them as active."""
    patient_id = _owner(actor, visit_id)
    kept = ehr.read(actor, patient_id, ehr.Kind.RELATED, fetch=False).resources
    known = {each.reference for each in _listed(kept, set())}
    reference = wanted.reference if wanted.reference in known else ""
    given = {name: held for name, held in vars(wanted).items() if name != "reference"}
    return granting.offer(actor, patient_id, Wanted(**given, reference=reference), days)


def end(actor: Actor, visit_id: str, grant_id: str, reason: str) -> None:
    granting.revoke(actor, _owner(actor, visit_id), grant_id, reason[:500])


def _owner(actor: Actor, visit_id: str) -> str:
    if not actor.may(Permission.INVITE):
        raise NotAllowed
    found = intake.owner(actor, visit_id)
    if found is None:
        raise NotFound
    return found


def _listed(resources: Iterable[Json], asked: set[str]) -> list[Listed]:
    return [
        Listed(
            reference=f"RelatedPerson/{each['id']}",
            name=name_of(each),
            born=text_at(each, "birthDate"),
            relation=relation_of(each),
            words=", ".join(filter(None, (text_at(held, "text") for held in objects_at(each, "relationship")))),
            asked=f"RelatedPerson/{each['id']}" in asked,
        )
        for each in resources
        if each.get("resourceType") == "RelatedPerson" and each.get("active") is not False and each.get("id")
    ]


def relation_of(person: Json) -> str:
    """What the record calls them, as one of our relations; a carer where it says anything else."""
    codes = {code for held in objects_at(person, "relationship") for system, code in codes_of(held) if system == ROLES}
    for relation, said in (
        ("parent", PARENTS),
        ("guardian", GUARDIANS),
        ("representative", REPRESENTATIVES),
    ):
        if codes & said:
            return relation
    return "carer"
