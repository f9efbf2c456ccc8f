"""Builders: a clinic with a patient tied to a server's record, and resources of that patient."""

from dataclasses import dataclass
from typing import Any

from portal.accounts.models import Clinic, Patient
from portal.actors import Actor, Role
from portal.db import new_id, session, transaction
from portal.ehr import service
from portal.ehr.models import Connection

Json = dict[str, Any]


@dataclass
class Place:
    """One clinic: who administers it, who works there, and its system."""

    clinic_id: str
    admin: Actor
    clerk: Actor
    system: Actor

    def connect(self, base_url: str, **more: Any) -> Connection:
        more = {"name": "Hillside record", "client_id": "previsit", "algorithms": ("ES384",)} | more
        return service.register(self.admin, base_url=base_url, **more)

    def patient(self, connection: Connection | None, fhir_id: str | None) -> Actor:
        """A patient of this clinic tied to `Patient/<fhir_id>`, acting for themself."""
        with transaction():
            row = Patient(
                clinic_id=self.clinic_id,
                connection_id=connection.id if connection else None,
                fhir_id=fhir_id,
                person={
                    "name": "Jo Example",
                    "birthDate": "1980-01-02",
                    "email": None,
                    "phone": None,
                    "language": "en",
                },
            )
            session().add(row)
            session().flush()
            return Actor(Role.PATIENT, self.clinic_id, account_id=new_id(), patient_id=row.id, name="Jo Example")


def place() -> Place:
    with transaction() as current:
        clinic = Clinic(
            slug=new_id(), name="Hillside", timezone="Europe/London", language="en", phone="1", key_ring="k"
        )
        current.add(clinic)
        current.flush()
        made = clinic.id
    return Place(
        made,
        Actor(Role.ADMINISTRATOR, made, account_id=new_id(), name="Ann Admin"),
        Actor(Role.FRONT_DESK, made, account_id=new_id(), name="Sam Clerk"),
        Actor(Role.SYSTEM, made, name="Previsit"),
    )


def condition(name: str, patient: str = "p1", **more: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": name,
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"text": "Asthma"},
        **more,
    }


def searchset(base: str, query: str, *resources: Json, next_url: str | None = None, **more: Any) -> Json:
    """A searchset Bundle that says it used `query` (`Condition?patient=p1`)."""
    links = [{"relation": "self", "url": f"{base}/{query}"}]
    if next_url:
        links.append({"relation": "next", "url": next_url})
    entries = [{"resource": each, "search": {"mode": "match"}} for each in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries, **more}
