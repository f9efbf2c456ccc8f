"""A patient asks about a result: into the clinic's queue, an answer back, sealed, audited, and only as far as consent reaches."""

import re
from types import SimpleNamespace

import pytest

from portal import db
from portal.actors import Role
from portal.audit.models import AuditRow
from portal.consent import service as consent
from portal.conversations import Act, Conversation, ConversationStep, State
from portal.db import session
from portal.ehr.models import RecordReading
from portal.errors import Conflict, NotAllowed, NotFound
from portal.labs import questions, service
from tests import make
from tests.conftest import csrf
from tests.consent.make import label
from tests.labs.make import observation, quantity

POLICY = consent.Policy.BASIC_NORMAL
ALL = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "open"}
WORDS = "Is 4.10 something to worry about?"


@pytest.fixture
def world(app, sign_in):
    """A patient whose record has just been read, and the people of the clinic."""
    clinic = make.clinic()
    connection = make_connection(clinic)
    patient = make.patient(clinic, connection_id=connection, fhir_id="ana")
    account = make.patient_account(patient)
    plain = observation("1", subject={"reference": "Patient/ana"}, valueQuantity=quantity("4.10"))
    private = observation("2", code="1-8", name="Acyclovir", subject={"reference": "Patient/ana"}, valueString="x")
    keep(patient, connection, [plain, {**private, "meta": {"security": [label("HIV")]}}])
    roles = {Role.CLINICIAN: "Dr Lee", Role.FRONT_DESK: "Sam Clerk", Role.ADMINISTRATOR: "Jo Park"}
    people = {role: make.staff_actor(make.staff(clinic, role, name)) for role, name in roles.items()}
    me = make.patient_actor(patient, account.id)
    overview = service.results(me)
    places = {row.key: overview.place_of(row) for _, report in overview.reports for row in report.rows}
    db.close()
    yield SimpleNamespace(
        clinic=clinic, me=me, patient_id=patient.id, enter=sign_in, places=places, doctor=people[Role.CLINICIAN],
        clerk=people[Role.FRONT_DESK], admin=people[Role.ADMINISTRATOR], plain=places["Observation/1"],
        private=places["Observation/2"],
    )  # fmt: skip


def make_connection(clinic):
    from portal.ehr import service as ehr

    admin = make.staff_actor(make.staff(clinic, Role.ADMINISTRATOR, "First Admin", "first@example.org"))
    return ehr.register(
        admin, base_url="http://127.0.0.1:9/r4", name="Riverside record", client_id="previsit", algorithms=("ES384",)
    ).id


def keep(patient, connection_id, resources, fhir_id="ana"):
    from portal.clock import now

    with db.transaction() as current:
        current.add(
            RecordReading(
                clinic_id=patient.clinic_id,
                patient_id=patient.id,
                connection_id=connection_id,
                fhir_id=fhir_id,
                kind="labs",
                complete=True,
                read_at=now(),
                tried_at=now(),
                document={"resources": resources, "beside": []},
            )
        )


def ask(world, place=None, text=WORDS):
    made, issues = questions.ask(world.me, place or world.plain, text, POLICY)
    assert made, issues
    return made


def test_words_go_there_and_back(world):
    choose(world)
    asked = ask(world)
    rows, waiting = questions.queue(world.doctor, POLICY)
    assert [(row.name, row.question.document["value"]) for row in rows] == [("Ana Morales", "4.10 mmol/L")]
    assert waiting == 1
    questions.settle(world.doctor, asked.id, Act.ANSWERED, "No, that is usual.", 1, POLICY)
    seen = questions.one(world.me, asked.id)
    assert seen.state == State.ANSWERED
    assert [(step.document["by"], step.document["text"]) for step in seen.steps] == [
        ("Ana Morales", WORDS),
        ("Dr Lee", "No, that is usual."),
    ]
    again, issues = questions.ask_more(world.me, asked.id, "Thank you. And next year?", 2)
    assert not issues and again.state == State.OPEN
    questions.settle(world.clerk, asked.id, Act.CLOSED, "Talked by telephone.", 3, POLICY)
    assert questions.one(world.me, asked.id).state == State.CLOSED
    with pytest.raises(Conflict):
        questions.ask_more(world.me, asked.id, "One more thing", 4)


def test_a_clerk_closes_and_does_not_answer_and_others_do_neither(world):
    asked = ask(world)
    for who, act in ((world.clerk, Act.ANSWERED), (world.admin, Act.ANSWERED), (world.admin, Act.CLOSED)):
        with pytest.raises(NotAllowed):
            questions.settle(who, asked.id, act, "Words", 1, POLICY)


def test_two_people_at_once_do_not_both_answer(world):
    asked = ask(world)
    questions.settle(world.doctor, asked.id, Act.ANSWERED, "First", 1, POLICY)
    with pytest.raises(Conflict):
        questions.settle(world.doctor, asked.id, Act.ANSWERED, "Second", 1, POLICY)
    assert len(questions.one(world.me, asked.id).steps) == 2


def test_the_same_words_sent_twice_are_one_question_and_there_is_an_end_to_questions(world):
    assert ask(world).id == ask(world).id
    for number in range(questions.MOST_OPEN - 1):
        ask(world, text=f"Question {number}")
    made, issues = questions.ask(world.me, world.plain, "One too many", POLICY)
    assert made is None and issues[0].code == "many"


@pytest.mark.parametrize(("text", "code"), [("  ", "required"), ("x" * 2001, "long"), ("a\x00b", "odd")])
def test_words_that_cannot_be_sent_say_why(world, text, code):
    made, issues = questions.ask(world.me, world.plain, text, POLICY)
    assert made is None and issues[0].code == code


def choose(world, **changes):
    shown = consent.sheet_for(world.me, "en")
    assert consent.give(world.me, {**ALL, **changes}, language="en", seen=shown.sha256).version


def test_who_shares_nothing_is_told_before_writing_and_nothing_is_sent(world):
    choose(world, share="no")
    assert not questions.about(world.me, world.plain, POLICY).reaches
    made, issues = questions.ask(world.me, world.plain, WORDS, POLICY)
    assert made is None and issues[0].code == "consent"


def test_a_question_disappears_from_the_desk_with_the_consent_and_is_not_counted(world):
    choose(world)
    asked, private = ask(world), ask(world, world.private)
    assert len(questions.queue(world.doctor, POLICY)[0]) == 2
    choose(world, sensitive="no")
    rows, waiting = questions.queue(world.doctor, POLICY)
    assert [row.question.id for row in rows] == [asked.id] and waiting == 1
    with pytest.raises(NotFound):
        questions.opened(world.doctor, private.id, POLICY)
    assert questions.one(world.me, private.id).document["name"] == "Acyclovir", "it is still theirs"


def test_nobody_elses_question_can_be_opened(world):
    asked = ask(world)
    other = make.clinic("hillside", "Hillside Clinic")
    stranger = make.patient_actor(make.patient(world.clinic, "Ben Other"))
    far = make.staff_actor(make.staff(other, email="far@example.org"))
    for look in (lambda: questions.one(stranger, asked.id), lambda: questions.opened(far, asked.id, POLICY)):
        with pytest.raises(NotFound):
            look()
    with pytest.raises(NotFound):
        questions.ask(stranger, world.plain, WORDS, POLICY)


def test_it_rests_sealed_and_everything_is_written_down(world):
    asked_id = ask(world).id
    questions.opened(world.doctor, asked_id, POLICY)
    questions.settle(world.doctor, asked_id, Act.ANSWERED, "Usual.", 1, POLICY)
    db.close()
    for table in (Conversation, ConversationStep):
        for row in session().query(table):
            assert b"4.10" not in row.document_sealed and b"worry" not in row.document_sealed
    told = [row.event for row in session().query(AuditRow).filter(AuditRow.subject == f"conversations:{asked_id}")]
    assert told == ["result-asked", "result-question-seen", "result-answered"]


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.get_data(as_text=True)))


def test_the_pages_of_both_sides(world):
    ana = world.enter("ana@example.org")
    path = f"/results/ask/{world.plain}"
    assert "Not for emergencies" in words(ana.get(path))
    empty = ana.post(path, data={"text": " ", "csrf_token": csrf(ana, path)})
    assert empty.status_code == 422 and "Write your words first" in words(empty)
    sent = ana.post(path, data={"text": WORDS, "csrf_token": csrf(ana, path)})
    assert sent.status_code == 303
    assert "Waiting for the clinic" in words(ana.get(sent.location))
    lee = world.enter("clinician@example.org")
    assert "Is 4.10 something" in words(lee.get("/desk/questions"))
    for view in ("to answer", "closed"):
        shown = lee.get("/desk/questions", query_string={"show": "open" if view == "to answer" else view}).text
        assert re.findall(r"▾</span> ([^<]+)<", shown) == [view], "the chosen view is marked for the eye, no other"
    there = f"/desk/questions/{sent.location.rpartition('/')[2]}"
    late = lee.post(there, data={"step": "answer", "text": "Fine", "version": "0", "csrf_token": csrf(lee, there)})
    assert late.status_code == 409 and "Something was written here meanwhile" in words(late)
    assert (
        lee.post(
            there, data={"step": "answer", "text": "Fine", "version": "1", "csrf_token": csrf(lee, there)}
        ).status_code
        == 303
    )
    assert "The clinic answered you" in words(ana.get("/results"))
    assert "Fine" in words(ana.get(sent.location))
