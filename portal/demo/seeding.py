"""The demo's people and forms: made on the first start; what is there already stays."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from portal import db, settings
from portal.accounts import granting, proxy_links
from portal.accounts import service as accounts
from portal.accounts.granting import Wanted
from portal.actors import Actor, Role, Scope, system
from portal.clock import now
from portal.ehr import registration
from portal.ehr import service as ehr
from portal.fhir import exact
from portal.intake import service as intake
from portal.library import service as library
from portal.sandbox.seeds import people

CLIENT_ID = "previsit"
CLINIC = "Springfield Family Clinic"
PASSWORD = "synthetic people only"
STAFF = (
    (Role.FRONT_DESK, "Sam Taylor", "desk@demo.example"),
    (Role.CLINICIAN, "Dr Lee", "clinician@demo.example"),
    (Role.ADMINISTRATOR, "Jo Park", "admin@demo.example"),
    (Role.PRIVACY_OFFICER, "Pat Quinn", "privacy@demo.example"),
    (Role.AUDITOR, "Alex Reid", "auditor@demo.example"),
)
WITH_ACCOUNT = {
    "kwame-mensah": "kwame@demo.example",
    "priya-raman": "priya@demo.example",
    "mei-chen": "mei@demo.example",
    "lucia-ortega": "lucia@demo.example",
}
INVITED = "ana-morales"
CHILD, MOTHER, FATHER = "noah-bennett", "grace-bennett", ("Tom Bennett", "1986-09-02", "tom@demo.example")
"""A child who is answered for: by the father, who has an account, and by the mother, who has a link and is in the record."""
NOT_LISTED: dict[str, str | None] = {
    "name": "Maria Garcia",
    "birthDate": "1990-03-04",
    "email": "maria@demo.example",
    "phone": None,
    "language": "en",
}
NEW_PATIENT = "New patient visit"
ASKED = {
    "health-history": library.Rule(order=10, from_age=18),
    "paediatric-intake": library.Rule(order=10, to_age=17),
    "medication-allergy-history": library.Rule(order=20, kinds=(NEW_PATIENT,)),
    "consent-to-treatment": library.Rule(order=30, kinds=(NEW_PATIENT,)),
    "phq-9": library.Rule(required=False, order=40, kinds=("Follow-up visit",), from_age=12),
    "gad-7": library.Rule(required=False, order=41, kinds=("Follow-up visit",), from_age=12),
    "audit-c": library.Rule(required=False, order=42, kinds=("General check-up",), from_age=18, months=12),
    "ahc-hrsn": library.Rule(required=False, order=43, kinds=("General check-up",), from_age=18, months=12),
}


@dataclass(frozen=True)
class Place:
    """Where the demo lives: its folder and two ports of this machine."""

    instance: Path
    portal_port: int
    clinic_port: int

    @property
    def portal_url(self) -> str:
        """By name: browsers bind a passkey to a name, never to a number."""
        return f"http://localhost:{self.portal_port}"

    @property
    def clinic_url(self) -> str:
        return f"http://127.0.0.1:{self.clinic_port}/fhir"

    @property
    def faults_url(self) -> str:
        return f"http://127.0.0.1:{self.clinic_port}/$fault"

    @property
    def jwks(self) -> Path:
        return self.instance / "client-jwks.json"

    @property
    def callback(self) -> Path:
        return self.instance / "client-callback.txt"

    @property
    def sandbox(self) -> Path:
        """The file of the synthetic clinic."""
        return self.instance / "sandbox" / "clinic.sqlite3"

    @property
    def links(self) -> Path:
        return self.instance / "demo.json"


def prepare_database(place: Place, environ: dict[str, str]) -> None:
    config = settings.read(environ)
    db.connect(config.database, config.keys)
    db.migrate()
    accounts.check_key_ring()
    clinic_id = first_clinic() or _add_clinic()
    connection = ehr.connection_for(clinic_id) or ehr.register(
        system(clinic_id), name="Springfield record system", base_url=place.clinic_url, client_id=CLIENT_ID
    )
    if registration.of(connection.id) is None:
        registration.register(
            system(clinic_id),
            connection.id,
            client_id=CLIENT_ID,
            method="private_key_jwt",
            for_patients=True,
            for_staff=True,
        )
    place.jwks.write_text(exact.dumps(ehr.jwks(connection.id)))
    place.callback.write_text(f"{place.portal_url}/launch/callback/{connection.id}")
    _ask_forms(system(clinic_id))


def _ask_forms(actor: Actor) -> None:
    """The forms that come along, asked before the visits they are for; what a person has decided since stays."""
    library.supply(actor)
    for kept in library.every(actor):
        if not kept.steps and kept.form.slug in ASKED:
            library.activate(actor, kept.newest.id, ASKED[kept.form.slug], carry=False)


def first_clinic() -> str | None:
    return next((clinic.id for clinic in accounts.clinics()), None)


def _add_clinic() -> str:
    return accounts.add_clinic("springfield", CLINIC, "America/Chicago", "en", "+1 217 555 0100").id


def seed(place: Place) -> None:
    """Bring the clinic's appointments in and make the demo people's accounts; what is there already stays."""
    clinic_id = first_clinic()
    assert clinic_id is not None  # _prepare_database has made one
    actor = system(clinic_id)
    found = intake.synchronise(actor)
    if found.reason:
        print(f"The clinic's appointments could not be read: {found.reason}")
    if place.links.exists():
        return
    if connection := ehr.connection_for(clinic_id):
        ehr.test(actor, connection.id)
    for role, name, email in STAFF:
        accounts.add_staff(clinic_id, role, name, email, PASSWORD)
    visits = intake.upcoming(actor, now() - timedelta(days=1), now() + timedelta(days=365))
    known = {row.fhir_id: row for row in accounts.patients(actor, {visit.patient_id for visit in visits}).values()}
    links: dict[str, str | dict[str, str]] = {}
    for fhir_id, email in WITH_ACCOUNT.items():
        if fhir_id in known:
            _join(actor, known[fhir_id].id, known[fhir_id].person["birthDate"], email)
    if INVITED in known:
        made = accounts.invite(actor, known[INVITED].id, 14)
        links[INVITED] = {"token": made.token, "code": made.code}
    if CHILD in known:
        links[MOTHER] = _parents(actor, known[CHILD].id)
    walk_in = accounts.expect_patient(actor, None, None, NOT_LISTED)
    tomorrow = now() + timedelta(days=1)
    detail: dict[str, str | None] = {"what": NEW_PATIENT, "with": None, "where": None}
    intake.expect(actor, walk_in.id, intake.Expected(None, None, tomorrow, False, detail))
    _join(actor, walk_in.id, "1990-03-04", "maria@demo.example")
    place.links.write_text(exact.dumps(links))


def _parents(actor: Actor, child_id: str) -> str:
    """The father's account, and a link for the mother."""
    name, born, email = FATHER
    scope = tuple(Scope)
    wanted = Wanted(name, born, relation="parent", scope=scope, reason="Birth certificate and passport shown")
    token = granting.offer(actor, child_id, wanted, 1).token
    proxy_links.join(token, proxy_links.prove(token, born), email, PASSWORD, "en")
    mother = next(person for person in people() if person.id == MOTHER)
    wanted = Wanted(mother.name, mother.born, relation="parent", scope=scope, reference="RelatedPerson/grace-for-noah")
    return granting.offer(actor, child_id, wanted, 14).token


def _join(actor: Actor, patient_id: str, birth_date: str, email: str) -> None:
    made = accounts.invite(actor, patient_id, 1)
    accounts.join(made.token, accounts.prove(made.token, made.code, birth_date), email, PASSWORD, "en", ("en", "es"))
