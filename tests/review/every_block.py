"""A clinic's record with something in every block, over HTTP, and a patient who says something about all of it: by their own pages,
through the desk and the worker, into the record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from portal.accounts.models import Patient
from portal.actors import Actor, Role, system
from portal.consent import service as consent
from portal.db import session, transaction
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.ehr import service as ehr
from portal.fhir.resources import key_of
from portal.intake import asking, changing, confirming, sending
from portal.intake.block_page import FactLine, Said
from portal.intake.sections import PAGES, SECTIONS
from portal.library import service as library
from portal.sandbox.clinic import NAME
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.server import server
from portal.working import tools
from tests import make
from tests.intake.confirming_home import CHOICES
from tests.ports import free_port
from tests.review.at_the_clinic import accept_all
from tests.review.blocks import ALL, HERE
from tests.review.builders import ASTHMA, METFORMIN, PENICILLIN, STATEMENT, Json
from tests.review.conftest import World

NOW = timedelta(0)
RECORD: tuple[Json, ...] = (
    HERE,
    METFORMIN,
    STATEMENT,
    PENICILLIN,
    ASTHMA,
    *(each for name, held in ALL.items() if name != "contact" for each in held),
)


@contextmanager
def clinic(world: World, folder: Path) -> Iterator[None]:
    """The clinic's server with RECORD, enforcing scopes and versions; the world's patient is the one in it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ehr.pause(world.actor(Role.ADMINISTRATOR), world.connection_id, "moved")
    made = ehr.register(system(world.clinic_id), name="Riverside record", base_url=f"{url}/fhir", client_id="previsit")
    world.connection_id = made.id
    config = SandboxConfig(folder / "clinic", url, (Client("previsit", ehr.jwks(made.id)),), seed=False)
    running = server(config, "127.0.0.1", port)
    with running.app.extensions[NAME].store.writing() as unit:  # type: ignore[attr-defined]
        for each in RECORD:
            unit.update(each, each["id"])
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    with transaction():
        session().get_one(Patient, world.patient_id).connection_id = made.id
        for each in library.asked(world.clinic_id):
            library.deactivate(system(world.clinic_id), each.form_id)
        blocks = {key: asking.Rule(asking.ALWAYS, 0) for key in SECTIONS}
        asking.set_asked(system(world.clinic_id), asking.Asked(blocks, asking.WORDS_COUNT))
    try:
        yield
    finally:
        running.shutdown()
        running.server_close()


def patient(world: World) -> Actor:
    return make.patient_actor(world.patient, "a" * 16)


Speaks = Callable[[str, FactLine], tuple[str, dict[str, str]]]
"""What the patient says of one fact of a block: the answer and what is typed."""


def goes_through(world: World, speaks: Speaks, added: dict[str, dict[str, str]] | None = None) -> None:
    """Every page of "confirm what we have", and sends it."""
    me, visit = patient(world), world.visit
    for key in PAGES:
        page = confirming.page(me, visit, key, NOW)
        said = {line.name: speaks(block.key, line) for block in page.blocks for line in block.lines}
        rows = {block.key: [added[block.key]] for block in page.blocks if added and block.key in added}
        wanted = Said(
            {name: answer for name, (answer, _) in said.items()},
            {name: typed for name, (_, typed) in said.items()},
            rows,
            {block.key: "yes" if block.key in rows else "none" for block in page.blocks if block.asks_any},
        )
        saved = confirming.save(me, visit.id, key, wanted, page.version, NOW)
        if saved.issues:
            raise AssertionError(saved.issues)
    given = consent.sheet_for(me, "en").sha256
    assert consent.give(me, CHOICES, language="en", seen=given, visit_id=visit.id).version
    sent = sending.submit(me, visit.id, "en", NOW)
    if sent.submission is None:
        raise AssertionError(sent.missing)


def reviewed(world: World) -> str:
    """The desk accepts everything of what was sent last."""
    latest = max(sending.drafts.latest_submissions([world.visit]).values(), key=lambda each: each.round)
    accept_all(world, latest.id)
    return latest.id


def delivered(world: World) -> None:
    outcome = send_next(tools(world.app.config["SETTINGS"]))
    if outcome is None or outcome.kind != State.CONFIRMED:
        raise AssertionError(outcome)


def opened_again(world: World) -> None:
    changing.reopen(patient(world), world.visit_id)


def record(world: World) -> dict[str, Json]:
    """Everything about the patient that the clinic holds now, by reference; no Provenance and no Consent."""
    client = ehr.client_for(world.connection)
    kinds = dict.fromkeys(each["resourceType"] for each in RECORD)
    found = [client.read("Patient", "7")]
    for kind in kinds:
        if kind != "Patient":
            asked = "beneficiary" if kind == "Coverage" else "patient"
            found += client.search(kind, [(asked, "Patient/7"), ("_count", "50")], uncached=True).matches
    return {key_of(each): each for each in found}


def who_said(world: World, reference: str) -> list[Json]:
    return list(ehr.client_for(world.connection).search("Provenance", [("target", reference)], uncached=True).matches)
