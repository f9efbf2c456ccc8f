"""The portal beside a running sandbox clinic with all its people."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal import db
from portal.accounts import service as accounts
from portal.actors import Actor, Role
from portal.ehr import service as ehr
from portal.sandbox.config import Client
from tests import make
from tests.sandbox_server import Sandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@dataclass
class World:
    """One clinic connected to the sandbox, and a way to be one of its people."""

    clinic_id: str
    sandbox: Sandbox
    connection_id: str
    enter: Any

    def person(self, fhir_id: str | None, name: str = "Somebody") -> tuple[Actor, FlaskClient]:
        """The patient behind a record of the sandbox, signed in; None for one whom nobody has tied to a record yet."""
        email = f"{fhir_id or 'untied'}@example.org"
        clinic = accounts.clinic(self.clinic_id)
        patient = make.patient(clinic, name, connection_id=self.connection_id if fhir_id else None, fhir_id=fhir_id)
        make.patient_account(patient, email)
        actor = make.patient_actor(patient)
        db.close()
        return actor, self.enter(email)


@pytest.fixture
def world(app, sandbox, sign_in) -> Iterator[World]:
    clinic = make.clinic()
    admin = make.staff_actor(make.staff(clinic, Role.ADMINISTRATOR, "Jo Park"))
    made = ehr.register(
        admin, base_url=sandbox.base_url, name="Riverside record", client_id="previsit", algorithms=("ES384",)
    )
    found = World(clinic.id, sandbox, made.id, sign_in)
    before = sandbox.config
    sandbox.stop()
    sandbox.config = replace(before, clients=(*before.clients, Client("previsit", ehr.jwks(made.id))))
    sandbox.start()
    db.close()
    yield found
    sandbox.fault("none")
    sandbox.config = before
