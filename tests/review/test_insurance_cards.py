"""The picture of an insurance card at the desk and in the clinic's record: seen, decided, delivered once, replaced, kept back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest

from portal import db
from portal.accounts.models import Patient
from portal.actors import Role
from portal.clock import now
from portal.db import session, transaction
from portal.delivery.sender import send_next
from portal.delivery.states import State
from portal.ehr import service as ehr
from portal.intake import service as intake
from portal.intake.models import CardPicture, Status
from portal.review import insurance_card, service
from portal.review.models import Verdict
from portal.review.proposals import proposals
from portal.review.service import Choice
from portal.working import tools
from tests.review.at_the_clinic import accept_all, at_the_clinic, read
from tests.review.blocks import COVER
from tests.review.builders import SAID_AT, SUBJECT, Json, document, fact, new, record
from tests.review.conftest import DESK, World

FRONT, BACK = b"\xff\xd8\xff the front", b"\xff\xd8\xff the back"


def card(of: str, side: str = "front", picture: str = "c" * 16, **more: str) -> Json:
    about = {"insurer": "Prairie Health", "member": "", "at": "2026-11-20T09:00:00+00:00", "hash": "x", **more}
    return {"key": f"card-{picture}", "picture": picture, "of": of, "side": side, "size": 12, **about}


def told(*cards: Json, facts: tuple[Json, ...], **more: object) -> Json:
    return {**document(*facts), "cards": list(cards), **more}


COVERAGE = fact("coverage", COVER, "same", "Prairie Health")


def only(said: Json, now_: tuple[Json, ...] | None = (COVER,), **more: object) -> list:
    made = proposals(said, record(coverage=now_), subject=SUBJECT, said_at=SAID_AT, **more)
    return [each for each in made if each.kind == "card"]


def test_each_side_is_a_document_of_the_insurance_it_is_of() -> None:
    front, back = only(told(card("Coverage/k1"), card("Coverage/k1", "back", "d" * 16), facts=(COVERAGE,)))
    for made, side in ((front, "Front"), (back, "Back")):
        assert made.change and (made.change.method, made.change.url) == ("POST", "DocumentReference")
        resource = made.change.resource
        assert resource["type"]["coding"][0]["code"] == "64290-0"
        assert resource["context"]["related"] == [{"reference": "Coverage/k1"}]
        assert resource["description"] == f"{side} of the insurance card"
        assert "data" not in resource["content"][0]["attachment"]
    assert not front.clinical and not front.unremarkable and front.open
    assert {row.name: row.now for row in front.beside} == {"Plan": "Gold", "Member number": "PH-1"}
    assert front.fingerprint != back.fingerprint


def test_it_is_called_as_the_patient_saw_it_where_the_record_names_the_insurer_elsewhere() -> None:
    there = {**COVER, "payor": [{"reference": "Organization/prairie"}]}
    (made,) = only(told(card("Coverage/k1"), facts=(COVERAGE,)), (there,))
    assert made.title == "Prairie Health"


WHERE: dict[str, tuple[Json, tuple[Json, ...] | None, str]] = {
    "an insurance that is added": (new("coverage", "Acme"), (COVER,), "urn:previsit:insurance:new-coverage-1"),
    "one that is added and is in the record meanwhile": (
        new("coverage", "prairie health"),
        (COVER,),
        "Coverage/k1",
    ),
    "one with another number": (
        {**new("coverage", "Prairie Health"), "change": {"text": "Prairie Health", "member": "PH-2"}},
        (COVER,),
        "urn:previsit:insurance:new-coverage-1",
    ),
    "another insurer than the record has": (
        {**COVERAGE, "answer": "changed", "change": {"insurer": "Acme", "plan": "", "member": ""}},
        (COVER,),
        "urn:previsit:insurance:Coverage/k1",
    ),
    "a corrected number": (
        {**COVERAGE, "answer": "changed", "change": {"insurer": "Prairie Health", "plan": "", "member": "9"}},
        (COVER,),
        "Coverage/k1",
    ),
    "a record that could not be read": (COVERAGE, None, "urn:previsit:insurance:Coverage/k1"),
}


@pytest.mark.parametrize("case", WHERE)
def test_which_insurance_it_is_of(case: str) -> None:
    said, there, where = WHERE[case]
    (made,) = only(told(card(said["key"]), facts=(said,)), there)
    assert made.change and made.change.resource["context"]["related"][0]["reference"] == where


def test_a_card_of_what_another_record_says_is_not_shown() -> None:
    assert only(told(card("Coverage/else"), facts=(COVERAGE,))) == []


def test_where_the_server_takes_no_documents_a_person_files_it() -> None:
    (made,) = only(
        told(card("Coverage/k1"), facts=(COVERAGE,)), writable=lambda kind, verb: kind != "DocumentReference"
    )
    assert made.change is None and made.open and made.reasons == (insurance_card.BY_HAND,)


# -- with the clinic ---------------------------------------------------------------------------------------------------

ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def at_clinic(world: World, tmp_path: Path) -> Iterator[World]:
    with at_the_clinic(world, tmp_path):
        with transaction():
            row = session().get_one(Patient, world.patient_id)
            row.connection_id, row.fhir_id = world.connection_id, "maria-garcia-a"
        yield world
    db.close()


def given(world: World, content: bytes, side: str) -> Json:
    with transaction() as current:
        made = CardPicture(
            clinic_id=world.clinic_id,
            patient_id=world.patient_id,
            visit_id=world.visit_id,
            given_at=now(),
            sent_at=now(),
            about={"side": side, "by": "Maria", "size": len(content), "hash": digest(content)},
            picture=b64encode(content).decode(),
        )
        current.add(made)
        current.flush()
        name = made.id
    return card("new-coverage-1", side, name, hash=digest(content)) | {"size": len(content)}


def digest(content: bytes) -> str:
    return b64encode(sha1(content, usedforsecurity=False).digest()).decode()


def deliver(world: World) -> None:
    outcome = send_next(tools(world.app.config["SETTINGS"]))
    assert outcome and outcome.kind == State.CONFIRMED, outcome


def documents(world: World) -> list[Json]:
    return sorted(read(world, "DocumentReference", "maria-garcia-a"), key=lambda each: each["description"])


ADDED = new("coverage", "Acme Health")


@ONE
def test_accepted_it_is_in_the_record_once_bound_to_the_insurance_with_who_gave_it(at_clinic: World) -> None:
    cards = [given(at_clinic, FRONT, "front"), given(at_clinic, BACK, "back")]
    submission = at_clinic.submit(ADDED, cards=cards)
    accept_all(at_clinic, submission)
    deliver(at_clinic)
    (coverage,) = [each for each in read(at_clinic, "Coverage", "maria-garcia-a") if each["status"] == "draft"]
    back, front = documents(at_clinic)
    for held, content in ((back, BACK), (front, FRONT)):
        attachment = held["content"][0]["attachment"]
        assert b64decode(attachment["data"]) == content
        assert (attachment["hash"], attachment["size"]) == (digest(content), len(content))
        assert held["context"]["related"] == [{"reference": f"Coverage/{coverage['id']}"}]
        assert held["author"] == [{"reference": "Patient/maria-garcia-a"}]
        client = ehr.client_for(at_clinic.connection)
        (who,) = client.search("Provenance", [("target", f"DocumentReference/{held['id']}")]).matches
        assert [agent["who"].get("display") for agent in who["agent"]] == ["Adaeze Okafor", "Dr Lee", "Previsit"]


@ONE
def test_opened_again_the_same_picture_is_not_sent_twice_and_a_new_one_takes_its_place(at_clinic: World) -> None:
    first = given(at_clinic, FRONT, "front")
    submission = at_clinic.submit(ADDED, cards=[first])
    accept_all(at_clinic, submission)
    deliver(at_clinic)
    reopen(at_clinic, submission)
    again = at_clinic.submit(ADDED, cards=[first, given(at_clinic, BACK, "back")])
    accept_all(at_clinic, again)
    deliver(at_clinic)
    assert [each["description"].split()[0] for each in documents(at_clinic)] == ["Back", "Front"]
    reopen(at_clinic, again)
    better = at_clinic.submit(ADDED, cards=[given(at_clinic, FRONT + b"!", "front")])
    accept_all(at_clinic, better)
    deliver(at_clinic)
    old, newer = sorted(
        (each for each in documents(at_clinic) if each["description"].startswith("Front")),
        key=lambda each: each["status"],
        reverse=True,
    )
    assert (old["status"], newer["status"]) == ("superseded", "current")
    assert newer["relatesTo"] == [{"code": "replaces", "target": {"reference": f"DocumentReference/{old['id']}"}}]
    assert b64decode(old["content"][0]["attachment"]["data"]) == FRONT, "what was there stays readable"


def reopen(world: World, submission: str) -> None:
    with transaction():
        intake.move(world.actor(), intake.submission(world.actor(), submission), Status.CHANGING)


@ONE
def test_an_insurance_that_is_rejected_leaves_the_picture_without_it(at_clinic: World) -> None:
    submission, actor = at_clinic.submit(ADDED, cards=[given(at_clinic, FRONT, "front")]), at_clinic.actor()
    view = service.open_submission(actor, submission, DESK)
    choices = [
        Choice(each.proposal.key, verdict, "Not insured there", each.seen)
        for each in view.items
        for verdict in [Verdict.ACCEPT if each.proposal.kind == "card" else Verdict.REJECT]
    ]
    assert service.decide(actor, submission, choices, DESK).saved == 2
    assert service.finish(actor, submission, DESK).to is Status.ACCEPTED
    deliver(at_clinic)
    (held,) = documents(at_clinic)
    assert "context" not in held


# -- the page ----------------------------------------------------------------------------------------------------------


@ONE
def test_staff_see_it_beside_the_insurance_and_ask_for_a_better_one(world: World) -> None:
    front = given(world, FRONT, "front")
    submission = world.submit(new("coverage", "Acme Health"), cards=[front])
    clerk = world.signed_in(Role.FRONT_DESK)
    page = clerk.get(f"/desk/submissions/{submission}").get_data(as_text=True)
    address = f"/desk/submissions/{submission}/files/{front['picture']}"
    assert f'src="{address}"' in page and "Front of the insurance card that the patient gave" in page
    assert "Ask for a better picture" in page and "The front of this card cannot be read." in page
    shown = clerk.get(address)
    assert (shown.status_code, shown.data, shown.mimetype) == (200, FRONT, "image/jpeg")
    actor = world.actor(Role.FRONT_DESK)
    items = service.open_submission(actor, submission, DESK).items
    choices = [Choice(each.proposal.key, Verdict.ASK, "Again, please.", each.seen) for each in items]
    service.decide(actor, submission, choices, DESK)
    assert service.finish(actor, submission, DESK).to is Status.RETURNED
    returned = service.open_submission(actor, submission, DESK)
    asked = returned.submission.history[-1].why["questions"]
    assert [each["key"] for each in asked if each["key"].startswith("card-")] == [front["key"]]


@ONE
def test_a_picture_of_another_submission_is_nowhere(world: World) -> None:
    front = given(world, FRONT, "front")
    submission = world.submit(new("coverage", "Acme Health"))
    address = f"/desk/submissions/{submission}/files/{front['picture']}"
    assert world.signed_in().get(address).status_code == 404
