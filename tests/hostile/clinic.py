"""A small clinic worked over HTTP only: one patient with a visit and a form, a clinician, a front desk; each step as a browser takes it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

import portal
from portal import db
from portal.actors import Role
from portal.ehr import service as ehr
from tests import make
from tests.house.reading import Page, Sheet
from tests.house.settling import read
from tests.house.world import VISITORS, Visitor, World

FORM = {
    "resourceType": "Questionnaire",
    "url": "https://forms.example.org/short",
    "version": "1",
    "name": "Short",
    "title": "A short form",
    "status": "active",
    "item": [{"linkId": "why", "type": "string", "text": "Why do you come?", "required": True}],
}
PATIENT, CLINICIAN, DESK = VISITORS[2], VISITORS[5], VISITORS[4]


def opened(folder: Path) -> World:
    """The clinic before anything has happened."""
    world = World(
        portal.create_app(make.settings(folder, f"sqlite:///{folder / 'clinic.db'}")),
        f"sqlite:///{folder / 'clinic.db'}",
    )
    world.connect()
    db.migrate()
    clinic = make.clinic(forms=())
    make.ask(clinic.id, json.dumps(FORM).encode(), "short.json")
    staff = {
        role: make.staff(clinic, role, role.value) for role in (Role.ADMINISTRATOR, Role.CLINICIAN, Role.FRONT_DESK)
    }
    world.people = {role.value: account.id for role, account in staff.items()}
    connection = ehr.register(
        make.staff_actor(staff[Role.ADMINISTRATOR]),
        name="The record",
        base_url="http://127.0.0.1:9/fhir",
        client_id="previsit",
        algorithms=("ES384",),
    )
    patient = make.patient(clinic, connection_id=connection.id, fhir_id="ana")
    world.people["ana"] = make.patient_account(patient).id
    read(patient, connection.id, "ana", "kestrel", 1)
    world.things["ana"] = {"visit": make.visit(patient, appointment_id="a1").id}
    world.save()
    return world


@dataclass
class Browser:
    """One person at a page. Forms that were once on the screen can be sent again later, as from another tab."""

    world: World
    who: Visitor
    chance: Random
    client: FlaskClient = field(init=False)
    sheets: list[tuple[str, Sheet]] = field(default_factory=list)
    sent: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self.world.client(self.who)

    def look(self, path: str) -> tuple[str, Page]:
        """The page at the end of the redirections, and its forms kept for later."""
        answer = self.client.get(path, follow_redirects=True)
        self.statuses.append(answer.status_code)
        page = Page(answer.get_data(as_text=True))
        here = answer.request.path
        self.sheets += [(form.action or here, form) for form in page.posts() if (form.action or here) not in ASIDE]
        return here, page

    def post(self, path: str, pairs: list[tuple[str, str]]) -> int:
        self.sent.append((path, pairs))
        kept = [(name, value) for name, value in pairs if name != "csrf_token"]
        answer = self.client.post(path, data=MultiDict([*kept, *self.world.csrf.items()]))
        self.statuses.append(answer.status_code)
        if answer.status_code == 303 and "/sign-in" in answer.location:
            self.client = self.world.client(self.who)
        return answer.status_code

    def submit(self, path: str, sheet: Sheet, *, ideal: bool, button: str = "") -> int:
        """Fill a form in, as somebody who says yes to everything or as somebody who tries this and that."""
        fields = dict(sheet.fields)
        for name in sheet.typed:
            fields[name] = self._said(sheet, name, fields.get(name, ""), ideal)
        chosen = [each for each in sheet.buttons if each[1] == button] or sheet.buttons
        press = (chosen[0] if ideal or button else self.chance.choice(chosen)) if chosen else None
        pairs = [
            (name, value) for name, value in fields.items() if value is not None and (not press or name != press[0])
        ]
        return self.post(path, pairs + ([press] if press else []))

    def _said(self, sheet: Sheet, name: str, stands: str, ideal: bool) -> Any:
        options = sheet.options.get(name)
        if not options:
            return stands or ("Because of my knee" if ideal or self.chance.random() < 0.6 else "")
        usual = next((each for each in GOOD if each in options), options[0])
        return usual if ideal else self.chance.choice([*options, None])


GOOD = ("same", "accept", "yes", "none", "true")
ASIDE = {"/sign-out", "/language", "/still-here"}


def complete(patient: Browser, visit_id: str) -> None:
    """Everything that this visit asks for, page after page, and sent."""
    hub = f"/visits/{visit_id}"
    for section in ("confirm", "forms/short", "consent"):
        path = f"{hub}/{section}"
        for _ in range(14):
            here, page = patient.look(path)
            sheets = [form for form in page.posts() if (form.action or here) not in ASIDE and form.typed]
            if not sheets or patient.submit(sheets[0].action or here, sheets[0], ideal=True, button="continue") != 303:
                break
            following = patient.client.get(path).location
            if not following or following.endswith(here):
                break
    patient.post(f"{hub}/check", [])
