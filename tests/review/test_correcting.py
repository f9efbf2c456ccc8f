"""What went to a wrong record, corrected from the desk at the synthetic clinic: once, and only while nobody else changed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.accounts.models import Patient
from portal.actors import Role
from portal.audit.events import Event
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import session
from portal.delivery import service as delivery
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.delivery.tools import Tools
from portal.ehr import service as ehr
from portal.errors import Conflict, NotAllowed, NotFound
from portal.fhir import exact
from portal.review import correcting, service
from portal.review.correcting import BY_STATUS, MOVED, NOT_REACHED, VERIFIED, Left, marked
from portal.review.models import TieVerdict
from portal.review.untying import decided
from portal.working import tools
from tests import make
from tests.conftest import csrf
from tests.review.at_the_clinic import accept_all, at_the_clinic, read, untied
from tests.review.builders import Json, fact, new
from tests.review.conftest import DESK, World

CHANGED = MOVED.partition(" It says")[0]
ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
B = "maria-garcia-b"
EIGHT = "+1 217 555 0108"


class Wrong:
    """Somebody whose answers went to the record of another Maria, and whose tie was taken back since."""

    def __init__(self, world: World, url: str, *facts: Json) -> None:
        self.world, self.url, self.actor = world, url, world.actor()
        _, self.patient_id = untied(world, phone=EIGHT)
        service.link(self.actor, self.patient_id, f"Patient/{B}", "Guessed")
        patient = session().get_one(Patient, self.patient_id)
        there = self.held("Patient", B)
        self.phone = next(each["value"] for each in there["telecom"] if each["system"] == "phone")
        said = fact("contact", there, "changed", "Mobile phone", "+1 217 555 0999", self.phone)
        visit = make.visit(patient, in_days=3)
        self.submission = world.submit(new("allergy", "Latex"), said, patient=patient, visit=visit)
        accept_all(world, self.submission)
        self.work()
        assert service.undo(self.actor, self.patient_id, "She was born in March") == []

    def held(self, kind: str, name: str) -> Json:
        return ehr.client_for(self.world.connection).read(kind, name)

    def at(self, reference: str) -> Json:
        return self.held(*reference.split("/"))

    def left(self, kind: str) -> Left:
        (each,) = [each for each in service.corrections(self.actor)[0].written if each.type == kind]
        return each

    @property
    def tie(self) -> str:
        return service.corrections(self.actor)[0].tie_id

    def correct(self, kind: str, *, anyway: bool = False) -> list[str]:
        place = self.left(kind).place
        return [issue.text() for issue in service.correct(self.actor, self.tie, place, anyway=anyway)]

    def work(self, times: int = 1) -> None:
        """The worker, at once and with no wait for the server's bound."""
        usual: Tools = tools(self.world.app.config["SETTINGS"])
        for turn in range(times):
            later = timedelta(minutes=5 * turn)
            send_next(replace(usual, timing=replace(usual.timing, bound=0.0), clock=lambda by=later: now() + by))

    def change(self, reference: str, **elements: Any) -> None:
        """As somebody does in the clinic's own system."""
        kind, name = reference.split("/")
        body = exact.dumps({**self.at(reference), **elements}).encode()
        assert ehr.client_for(self.world.connection).update(kind, name, body).status == 200

    def fault(self, mode: str, **more: Any) -> None:
        requests.post(f"{self.url}/$fault", json={"mode": mode, **more}, timeout=5).raise_for_status()


@pytest.fixture
def wrong(world: World, tmp_path: Path) -> Iterator[Wrong]:
    with at_the_clinic(world, tmp_path) as url:
        yield Wrong(world, url)


def of(kind: str) -> Json:
    concept = {"coding": [{"code": "active"}]}
    return {"resourceType": kind, "id": "1", "status": "final", "clinicalStatus": concept, "code": {"text": "x"}}


@pytest.mark.parametrize("kind", sorted(BY_STATUS | VERIFIED.keys()))
def test_every_type_that_can_say_so_is_marked_as_entered_in_error(kind: str) -> None:
    made = marked(of(kind))
    assert "entered-in-error" in exact.dumps(made)
    if kind in VERIFIED:
        assert "clinicalStatus" not in made


@ONE
def test_what_we_made_is_marked_and_what_we_changed_is_put_back_each_once(wrong: Wrong) -> None:
    before = wrong.left("Patient")
    assert (before.can, before.before) == ("back", f"Mobile phone: {wrong.phone}"), before
    allergy = wrong.left("AllergyIntolerance")
    assert allergy.can == "error"
    for kind in ("AllergyIntolerance", "Patient", "QuestionnaireResponse"):
        assert wrong.correct(kind) == []
        assert wrong.correct(kind) == [], "pressed twice it is asked for once"
        assert wrong.left(kind).under_way
    wrong.work(4)
    assert all(each.done for each in service.corrections(wrong.actor)[0].written if each.type != "Consent")
    stands = wrong.at(allergy.reference)
    assert stands["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in stands
    assert stands["meta"]["versionId"] == "2"
    phones = [each["value"] for each in wrong.held("Patient", B)["telecom"]]
    assert wrong.phone in phones and "+1 217 555 0999" not in phones
    told = ehr.client_for(wrong.world.connection).search("Provenance", [("target", allergy.reference)]).matches
    (marks,) = [each for each in told if each["activity"]["coding"][0]["code"] == "NULLIFY"]
    assert [each["who"].get("display") for each in marks["agent"]] == ["Dr Lee", "Previsit"]
    assert marks["reason"] == [{"text": correcting.MARKED}]
    events = [each.event for each in session().query(AuditRow).filter_by(clinic_id=wrong.world.clinic_id)]
    assert events.count(Event.RECORD_CORRECTED.value) == 3
    assert service.to_correct(wrong.actor) == 1, "until a person says that all of it is corrected"
    assert wrong.correct("Patient") == [], "done is done"


@ONE
def test_what_somebody_changed_since_is_left_to_people(wrong: Wrong) -> None:
    allergy = wrong.left("AllergyIntolerance")
    wrong.change(allergy.reference, criticality="high")
    (said,) = wrong.correct("AllergyIntolerance")
    assert said.startswith(CHANGED) and "Latex" in said
    assert wrong.at(allergy.reference)["criticality"] == "high"
    assert wrong.left("AllergyIntolerance").at is None
    assert wrong.correct("Patient") == []
    wrong.change(
        f"Patient/{B}", active=True, gender="female", birthDate="1990-03-05"
    )  # between the press and the worker
    wrong.work(2)
    stopped = wrong.left("Patient")
    assert stopped.stopped and stopped.overtaken
    assert wrong.held("Patient", B)["birthDate"] == "1990-03-05"


@ONE
def test_a_stopped_correction_is_made_all_the_same_and_their_change_is_kept(wrong: Wrong) -> None:
    allergy = wrong.left("AllergyIntolerance").reference
    fax = {"system": "fax", "value": "+1 217 555 0444"}
    theirs = {"birthDate": "1990-03-05", "telecom": [*wrong.held("Patient", B)["telecom"], fax]}
    for kind, reference, change in (
        ("AllergyIntolerance", allergy, {"criticality": "high"}),
        ("Patient", f"Patient/{B}", theirs),
    ):
        assert wrong.correct(kind) == []
        wrong.change(reference, **change)
        wrong.work(2)
        assert wrong.left(kind).overtaken
        assert wrong.correct(kind)[0].startswith(CHANGED)
        assert wrong.correct(kind, anyway=True) == [], "asked for again"
        assert wrong.left(kind).under_way
        wrong.work(2)
    assert wrong.left("AllergyIntolerance").done and wrong.left("Patient").done
    stands = wrong.at(allergy)
    assert (stands["criticality"], stands["verificationStatus"]["coding"][0]["code"]) == ("high", "entered-in-error")
    person = wrong.held("Patient", B)
    numbers = [each["value"] for each in person["telecom"]]
    assert person["birthDate"] == "1990-03-05" and fax["value"] in numbers
    assert wrong.phone in numbers and "+1 217 555 0999" not in numbers


@ONE
def test_a_stopped_correction_is_seen_on_both_pages_and_left_there_lets_the_rest_go(wrong: Wrong) -> None:
    client = wrong.world.signed_in(Role.FRONT_DESK)
    assert wrong.correct("Patient") == []
    wrong.change(f"Patient/{B}", birthDate="1990-03-05")
    wrong.work(2)
    stopped = wrong.left("Patient")
    assert stopped.at is not None
    page = client.get("/corrections").get_data(as_text=True)
    assert "Stopped: somebody changed it there" in page and "Leave it as it is there" in page
    held = client.get(f"/desk/held/{stopped.at.item_id}").get_data(as_text=True)
    assert "See under Corrections what it says now" in held and "took their choices back" not in held
    data = {"csrf_token": csrf(client, "/corrections"), "place": str(stopped.place)}
    where = f"/desk/corrections/{wrong.tie}/correct"
    looked = client.post(where, data=data)
    assert looked.status_code == 422 and "Put back only what we changed" in looked.get_data(as_text=True)
    assert wrong.correct("AllergyIntolerance") == []
    wrong.work(2)
    waiting = wrong.left("AllergyIntolerance")
    assert waiting.under_way and waiting.at is not None, "it waits behind the one that was stopped"
    assert delivery.waits_for(waiting.at) == stopped.at.item_id and delivery.waits_for(stopped.at) == ""
    assert client.post(where, data={**data, "do": "leave"}).status_code == 303
    assert wrong.left("Patient").left_so
    wrong.work(4)
    assert wrong.left("AllergyIntolerance").done
    assert wrong.held("Patient", B)["birthDate"] == "1990-03-05"
    assert "+1 217 555 0999" in [each["value"] for each in wrong.held("Patient", B)["telecom"]], "left as it is"
    assert "Left as it is there" in client.get("/corrections").get_data(as_text=True)


@ONE
@pytest.mark.parametrize("mode", ["lost_reply", "down", "unavailable"])
def test_an_answer_that_is_lost_corrects_it_once_all_the_same(wrong: Wrong, mode: str) -> None:
    reference = wrong.left("AllergyIntolerance").reference
    assert wrong.correct("AllergyIntolerance") == []
    wrong.fault(mode, times=1, method="POST", path="/fhir")
    wrong.work(4)
    assert wrong.left("AllergyIntolerance").done
    assert wrong.at(reference)["meta"]["versionId"] == "2"


@ONE
def test_a_clinic_that_does_not_answer_changes_nothing_here(wrong: Wrong) -> None:
    wrong.fault("down")
    assert wrong.correct("AllergyIntolerance") == [NOT_REACHED]
    wrong.fault("none")
    assert wrong.left("AllergyIntolerance").at is None
    assert wrong.correct("AllergyIntolerance") == []


@ONE
def test_a_correction_is_nobodys_answer(wrong: Wrong) -> None:
    """It is not stopped by another undo, not taken for what stands in the right record, and asks no consent."""
    wrong.correct("QuestionnaireResponse")
    service.link(wrong.actor, wrong.patient_id, "Patient/maria-garcia-a", "Asked on the phone")
    wrong.work(2)
    assert wrong.left("QuestionnaireResponse").done
    accept_all(wrong.world, wrong.submission)
    wrong.work(2)
    view = service.open_submission(wrong.actor, wrong.submission, DESK)
    assert view.delivery is not None and view.delivery.state is State.CONFIRMED
    assert read(wrong.world, "QuestionnaireResponse", "maria-garcia-a")[0]["status"] == "completed"
    assert service.undo(wrong.actor, wrong.patient_id, "Once more") == []
    rows = [each for each in decided(wrong.actor, wrong.patient_id) if each.verdict == TieVerdict.UNDO]
    assert not any(each["reference"].endswith(wrong.left("Consent").reference) for each in rows[1].detail["written"])
    assert all("maria-garcia-b" not in each["reference"] for each in rows[1].detail["written"])


@ONE
def test_who_may_not_match_corrects_nothing_and_what_is_not_there_is_not_found(wrong: Wrong) -> None:
    tie = wrong.tie
    with pytest.raises(NotAllowed):
        service.correct(wrong.world.actor(Role.ADMINISTRATOR), tie, 0)
    for place in (-1, 99):
        with pytest.raises(NotFound):
            service.correct(wrong.actor, tie, place)
    with pytest.raises(NotFound):
        service.correct(wrong.actor, "nothing", 0)
    service.mend(wrong.actor, tie, "By hand")
    with pytest.raises(Conflict):
        service.correct(wrong.actor, tie, 0)


@ONE
def test_the_page_offers_it_says_where_it_stands_and_why_not(wrong: Wrong) -> None:
    client = wrong.world.signed_in(Role.FRONT_DESK)
    page = client.get("/corrections").get_data(as_text=True)
    assert page.count("Mark as entered in error") >= 2 and "Put back what was there" in page
    assert f"Before: Mobile phone: {wrong.phone}" in page
    token, where = csrf(client, "/corrections"), f"/desk/corrections/{wrong.tie}/correct"
    allergy = wrong.left("AllergyIntolerance")
    wrong.change(allergy.reference, criticality="low", code={"text": "<b>Latex"})
    refused = client.post(where, data={"csrf_token": token, "place": str(allergy.place)})
    assert refused.status_code == 422
    words = refused.get_data(as_text=True)
    assert words.count(CHANGED) == 2, "in the summary and beside it"
    assert "&lt;b&gt;Latex" in words and "<b>Latex" not in words
    assert client.post(where, data={"csrf_token": token, "place": "x"}).status_code == 404
    assert client.post(where, data={"csrf_token": token, "place": str(wrong.left("Patient").place)}).status_code == 303
    assert "On its way" in client.get("/corrections").get_data(as_text=True)
    wrong.work(2)
    assert "Put back" in client.get("/corrections").get_data(as_text=True)
