"""The clinic's own sign-in in the world of the house's tests: described, never reached; a permission given, a question left open."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from portal.accounts import renewing
from portal.accounts.models import Account, SecurityNote
from portal.actors import Actor, Role, system
from portal.clock import now
from portal.db import new_id, session, transaction
from portal.ehr import grants, launches, registration
from portal.ehr.launch_models import FROM_EHR, EhrUser, Launch
from portal.ehr.models import Connection
from portal.ehr.smart import Granted

BROWSER = "the-browser-of-this-world"


def open_to_people(connection: Connection, admin: Actor) -> None:
    """Patients and staff may sign in there; its description is at hand, so that no page has to ask for it."""
    registration.register(
        admin, connection.id, client_id="previsit-people", method="none", for_patients=True, for_staff=True
    )
    with transaction():
        connection.discovered_at = now()
        connection.discovery = {
            "issuer": connection.base_url,
            "token_endpoint": f"{connection.base_url}/token",
            "authorization_endpoint": f"{connection.base_url}/authorize",
            "jwks_uri": f"{connection.base_url}/jwks",
            "code_challenge_methods_supported": ["S256"],
        }


def connected(patient: Actor, connection_id: str, fhir_id: str) -> None:
    """This patient has given us their own permission."""
    granted = Granted(f"token-{fhir_id}", "patient/Patient.rs", now() + timedelta(hours=1), {"refresh_token": "r"})
    with transaction() as current:
        grants.store(patient, current.get_one(Connection, connection_id), fhir_id, granted)


def asked_who_they_are(connection_id: str, owner: str) -> str:
    """A member of staff came from the EHR and has not yet said who they are; the id of that question."""
    connection = session().get_one(Connection, connection_id)
    with transaction() as current:
        row = Launch(
            clinic_id=connection.clinic_id,
            connection_id=connection.id,
            kind=FROM_EHR,
            state_hash=launches.hashed(new_id()),
            browser_hash=launches.hashed(BROWSER),
            source="",
            scope="launch openid fhirUser",
            redirect_uri="http://localhost/launch/callback/x",
            made_at=now(),
            expires_at=now() + timedelta(days=1),
            used_at=now(),
            held={"verifier": "v", "nonce": "n"},
            answered={"issuer": "i", "subject": owner, "user": f"Practitioner/{owner}", "patient": owner},
        )
        current.add(row)
    return row.id


def tied(connection_id: str, owner: str) -> str:
    """Somebody on the staff is a user of the clinic's system; the id of that tie."""
    connection = session().get_one(Connection, connection_id)
    staff = select(Account.id).where(Account.clinic_id == connection.clinic_id, Account.patient_id.is_(None))
    account_id = session().scalars(staff.limit(1)).one()
    with transaction() as current:
        row = EhrUser(
            clinic_id=connection.clinic_id,
            connection_id=connection.id,
            account_id=account_id,
            user=f"Practitioner/tied-{owner}",
            made_at=now(),
            made_by="",
            live=1,
        )
        current.add(row)
    return row.id


def ways_in(clinic_id: str, patient_id: str) -> dict[str, str]:
    """A link back into this person's account, and somebody who works at their clinic."""
    works = select(Account.id).where(Account.clinic_id == clinic_id, Account.role == Role.FRONT_DESK.value)
    account = session().scalars(select(Account).where(Account.patient_id == patient_id)).one()
    way = renewing.offer(system(clinic_id), account, factors_too=False, open_for=timedelta(days=1))
    with transaction():
        session().execute(delete(SecurityNote))
    return {"way back": way.token, "member": session().scalars(works).one()}
