"""The synthetic clinic behind a desk's connection, with or without `$match`, and people whom the portal cannot tell."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from portal.accounts.models import Patient
from portal.actors import Role, system
from portal.db import session
from portal.ehr import service as ehr
from portal.review import service
from portal.review.models import Verdict
from portal.review.service import Choice
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.server import server
from tests import make
from tests.ports import free_port
from tests.review.builders import Json, new
from tests.review.conftest import DESK, World

MARIA = {"birthDate": "1990-03-04", "email": None, "phone": None}


@contextmanager
def at_the_clinic(world: World, folder: Path, *, match: bool = True) -> Iterator[str]:
    """The clinic's address; our connection points there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ehr.pause(world.actor(Role.ADMINISTRATOR), world.connection_id, "moved")
    made = ehr.register(system(world.clinic_id), name="Riverside record", base_url=f"{url}/fhir", client_id="previsit")
    world.connection_id = made.id
    config = SandboxConfig(folder / "clinic", url, (Client("previsit", ehr.jwks(made.id)),), match=match)
    running = server(config, "127.0.0.1", port)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield url
    finally:
        running.shutdown()
        running.server_close()


def untied(world: World, *facts: Json, name: str = "Maria Garcia", **person: str | None) -> tuple[str, str]:
    """(submission id, patient id) of somebody the portal cannot tell."""
    stranger = make.patient(world.clinic, name, **{**MARIA, **person})
    submission = world.submit(*(facts or (new("allergy", "Latex"),)), patient=stranger, visit=make.visit(stranger))
    return submission, stranger.id


def tied_to(patient_id: str) -> str | None:
    session().expire_all()
    return session().get_one(Patient, patient_id).fhir_id


def accept_all(world: World, submission: str) -> None:
    """Decide and finish, as one reviewer would."""
    actor = world.actor()
    view = service.open_submission(actor, submission, DESK)
    choices = [Choice(each.proposal.key, Verdict.ACCEPT, "", each.seen) for each in view.items if each.settled is None]
    decided = service.decide(actor, submission, choices, DESK)
    if (decided.lost, decided.issues, decided.saved) != ([], [], len(choices)):
        raise AssertionError(decided)
    finished = service.finish(actor, submission, DESK)
    if finished.to is None:
        raise AssertionError(finished)


def read(world: World, kind: str, patient: str) -> list[Json]:
    client = ehr.client_for(world.connection)
    return list(client.search(kind, [("patient", patient), ("_count", "50")]).matches)


def asked(url: str) -> list[str]:
    """The addresses asked for at the clinic so far."""
    seen = requests.get(f"{url}/$requests", timeout=5).json()
    return [each["path"] for each in seen]
