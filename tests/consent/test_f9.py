"""F9: a canary for each label, kept back by the patient, looked for in every way out there is (bar 92, 94).

One submission holds, for each label, an answer, a question that the answer switches on, a total that counts it and an
observation that the form would make of it; the record holds a labelled result, and the patient has asked about it. Then every
page of every kind of staff is opened, what is accepted is put together for the record, and the audit trail is read.
"""

import json
import re
from dataclasses import fields, replace
from email.message import EmailMessage
from types import SimpleNamespace

import pytest

from portal import db
from portal.accounts.models import Patient
from portal.actors import Actor, Role
from portal.audit import exporting, telling
from portal.audit.models import AuditRow
from portal.clock import now
from portal.consent import service as consent
from portal.db import session
from portal.delivery.models import OutboxItem
from portal.library import service as library
from portal.notices import service as notices
from portal.notices.mail import Letter
from tests import make
from tests.conftest import csrf
from tests.consent.f9 import (
    INITIAL,
    KEEPS,
    LABELS,
    LAUNCH,
    POLICY,
    STAFF,
    URL,
    Person,
    World,
    _choose,
    canary,
    form,
    leaks,
    ways_out,
)
from tests.consent.f9 import world as world  # the fixture
from tests.house.doors import DOORS


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # what is shown does not depend on where it is kept
def test_nothing_that_is_kept_back_comes_out_anywhere(world: World) -> None:
    opened, sinks = 0, ways_out(world, world.keeper)
    db.close()
    for role, email in STAFF.items():
        client = world.enter(email)
        for sink, path in sinks.items():
            if sink in DOORS and role not in (DOORS[sink].roles or STAFF):
                continue  # refused at the door: tests/house/test_matrix.py
            answer = client.get(path)
            assert answer.status_code < 500, (email, sink, answer.status_code)
            assert not sink.startswith("question ") or answer.status_code != 200, (email, sink)
            assert not leaks(answer.get_data(as_text=True)), (email, sink)
            opened += answer.status_code == 200
    print(f"{len(LABELS)} labels × {len(sinks)} ways out × {len(STAFF)} kinds of staff: {opened} pages, 0 canaries")
    assert opened > 40 and {"review.desk", "review.submission", "delivery.held", "trail.entries"} <= set(sinks)


MAY_BE_MAILED = {"id", "kind", "to", "language", "clinic", "phone", "link", "stop", "sender", "said", "when"}
"""All that a message is made of. Whoever adds to it says here why nothing of anybody's health can be in it: `said` is one of our
own sentences about a way to sign in (portal.notices.wording.HAPPENED), `when` the time of that."""


def test_no_message_says_anything_of_it(world: World) -> None:
    assert {each.name for each in fields(Letter)} == MAY_BE_MAILED
    box: list[EmailMessage] = []
    config = replace(world.app.config["SETTINGS"], mail_from="desk@example.org", quiet_hours=(0, 0))
    make.visit(_patient(world), 3, appointment_id="later")
    db.close()
    notices.run(config, SimpleNamespace(send=box.append))
    parts = [part for each in box for part in each.walk() if part.get_content_maintype() == "text"]
    said = b"".join(part.get_payload(decode=True) for part in parts).decode()
    print(f"{len(box)} mails, 0 canaries")
    assert box and not leaks(said + "".join(str(each["Subject"]) for each in box))


def test_the_audit_as_it_leaves_the_house_says_nothing_of_it(world: World) -> None:
    clinician = world.enter(STAFF[Role.CLINICIAN])
    clinician.get(f"/desk/submissions/{world.keeper.submission_id}")
    db.close()
    officer = Actor(Role.PRIVACY_OFFICER, world.clinic_id)
    site = telling.Site("http://localhost")
    told = json.dumps(list(exporting.events(officer, site, now().date(), now().date())), default=str)
    assert world.keeper.patient_id in told and not leaks(told)


def test_nothing_labelled_is_written_into_a_form_by_itself(world: World) -> None:
    """prefill: a form that asks the record for results gets none, so none can travel on inside an answer without its label."""
    query = {
        "language": "application/x-fhir-query",
        "expression": "Observation?patient={{%patient.id}}",
        "name": "seen",
    }
    first = {"language": "text/fhirpath", "expression": "%seen.entry.resource.value.first()"}
    asks = {
        **form(),
        "url": f"{URL}/prefill",
        "extension": [
            {"url": LAUNCH, "extension": [{"url": "name", "valueCoding": {"code": "patient"}}, {"url": "type", "valueCode": "Patient"}]},
            {"url": "http://hl7.org/fhir/StructureDefinition/variable", "valueExpression": query},
        ],
        "item": [{"linkId": "a", "type": "string", "text": "A", "extension": [{"url": INITIAL, "valueExpression": first}]}],
    }  # fmt: skip
    visit_id = make.visit(_patient(world), 3, appointment_id="later").id
    make.ask(world.clinic_id, json.dumps(asks).encode(), "prefill.json")
    slug = next(each.slug for each in library.asked(world.clinic_id) if each.slug != "f9")
    db.close()
    client = world.enter("keeper@example.org")
    shown = client.get(f"/visits/{visit_id}/forms/{slug}", follow_redirects=True)
    assert shown.status_code == 200 and 'name="' in shown.get_data(as_text=True)
    assert not leaks(shown.get_data(as_text=True))


def test_these_ways_out_do_show_what_is_shared(world: World) -> None:
    """That the canaries can be seen at all: shared again, they stand on the page and in the questions."""
    _choose(make.patient_actor(_patient(world)), {**KEEPS, "sensitive": "yes"})
    db.close()
    client, sinks = world.enter(STAFF[Role.CLINICIAN]), ways_out(world, world.keeper)
    for sink in ("review.submission", "result_questions.listed", "question 0"):
        assert leaks(client.get(sinks[sink]).get_data(as_text=True)), sink


def test_what_is_accepted_carries_nothing_of_it(world: World) -> None:
    client = world.enter(STAFF[Role.CLINICIAN])
    path = f"/desk/submissions/{world.keeper.submission_id}"
    done = client.post(path, data={"step": "finish", "csrf_token": csrf(client, path)})
    assert done.status_code == 303, done.get_data(as_text=True)
    db.close()
    item = session().query(OutboxItem).filter_by(patient_id=world.keeper.patient_id).one()
    sent = json.loads(item.payload)
    kinds = [entry["resource"]["resourceType"] for entry in sent["entry"]]
    assert "QuestionnaireResponse" in kinds and "Consent" in kinds
    answers = next(
        each["resource"] for each in sent["entry"] if each["resource"]["resourceType"] == "QuestionnaireResponse"
    )
    assert [each["linkId"] for each in answers["item"]] == ["plain"]
    assert {"code": "REDACTED"}.items() <= answers["meta"]["security"][-1].items() if "meta" in answers else True
    assert not leaks(item.payload) and not re.search("secret-|then-|total-", item.payload)
    assert consent.may_send(item, POLICY).permitted, "what is left may go"
    told = [json.dumps(row.detail) for row in session().query(AuditRow).filter_by(patient_id=world.keeper.patient_id)]
    assert told and not leaks(" ".join(told))


def plain(text: str, person: Person, name: str) -> str:
    """A page without what is different between any two people, sessions and requests."""
    for own in (person.submission_id, person.patient_id):
        text = text.replace(own, "ID")
    text = re.sub(r'name="csrf_token" value="[^"]*"|data-token="[^"]*"|data-left="\d+"|datetime="[^"]*"', "", text)
    text = re.sub(r"\bPatient/\w+|\b[0-9a-f]{16}\b|PV-[A-Z0-9-]+|\b\d{1,2}:\d{2}\b", "", text)
    return text.replace(name, "NAME")


def test_a_person_who_keeps_answers_back_looks_like_one_who_never_answered(world: World) -> None:
    """Counts, totals, order, empty groups and dependent questions: the two pages are the same, letter for letter."""
    for role in (Role.CLINICIAN, Role.FRONT_DESK):
        client = world.enter(STAFF[role])
        pages = []
        for person, name in ((world.keeper, "keeper"), (world.silent, "silent")):
            for path in (f"/desk/submissions/{person.submission_id}", f"/desk?show=all&patient={person.patient_id}"):
                answer = client.get(path)
                assert answer.status_code == 200
                pages.append(plain(answer.get_data(as_text=True), person, name))
        assert pages[0] == pages[2], role
        listed = [re.sub(r'(?s)<ul class="pv-tiles">.*?</ul>', "", page) for page in (pages[1], pages[3])]
        assert listed[0] == listed[1], role


def test_the_one_who_chose_still_has_all_of_it_and_is_told_what_is_kept_back(world: World) -> None:
    client = world.enter("keeper@example.org")
    shown = client.get("/results").get_data(as_text=True) + client.get("/results/print").get_data(as_text=True)
    taken = client.get("/results/download").get_data(as_text=True)
    for name in LABELS:
        assert canary(name, "value") in shown and canary(name, "value") in taken
    assert "not the more private ones" in client.get("/consent").get_data(as_text=True)
    for each in world.keeper.question_ids:
        assert client.get(f"/results/questions/{each}").status_code == 200


def test_when_results_are_refused_no_page_and_no_copy_has_them(world: World) -> None:
    """page, list, count, search, trend, print, download, question: the patient said that this site must not read them."""
    client = world.enter("keeper@example.org")
    listed = client.get("/results").get_data(as_text=True)
    reports = re.findall(r'href="(/results/[0-9a-f]{16})"', listed)
    places = re.findall(r'href="(/results/ask/[0-9a-f]{16})"', client.get(reports[0]).get_data(as_text=True))
    me = make.patient_actor(_patient(world))
    _choose(me, {**KEEPS, "results": "no"})
    db.close()
    for path in ("/results", "/results/print"):
        answer = client.get(path)
        assert answer.status_code == 200
        # the patient's own questions stay theirs; nothing read from the clinic is on the page
        assert not re.findall(r"canary-\w+-value", answer.get_data(as_text=True)), path
    for path in (*reports, *places, "/results/download"):
        assert client.get(path).status_code == 404, path


def _patient(world: World) -> Patient:
    return session().get_one(Patient, world.keeper.patient_id)
