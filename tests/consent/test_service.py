"""Choosing, taking back and deciding, on a real database; vectors E26–E28 and E33."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
import time_machine

from portal.actors import Role, system
from portal.audit.models import AuditRow
from portal.clock import now
from portal.consent import codes, redaction, service
from portal.consent.choices import check, settled, sheet
from portal.consent.decision import Policy
from portal.consent.models import ConsentVersion
from portal.db import session
from portal.errors import NotFound
from portal.fhir import exact
from portal.fhir.structure import problems
from tests import make
from tests.consent.make import inner, label

ALL_YES = {"share": "yes", "sensitive": "yes", "results": "yes", "research": "no", "until": "year"}
NORMAL = Policy.BASIC_NORMAL
OBSERVATION = {"resourceType": "Observation", "id": "1"}
RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [
        {"linkId": "diet", "answer": [{"valueString": "mixed"}]},
        {"linkId": "mood", "answer": [{"valueString": "low"}]},
    ],
}
FORM = {
    "resourceType": "Questionnaire",
    "status": "active",
    "item": [
        {"linkId": "diet", "type": "string"},
        {
            "linkId": "mood",
            "type": "string",
            "extension": [{"url": redaction.INLINE_LABEL, "valueCoding": label("PSY")}],
        },
    ],
}


@pytest.fixture
def world(app):
    """One clinic with a patient, a doctor and a clerk."""
    with app.app_context():
        clinic = make.clinic()
        patient = make.patient(clinic)
        doctor = make.staff_actor(make.staff(clinic))
        clerk = make.staff_actor(make.staff(clinic, Role.FRONT_DESK, "Sam Clerk"))
        yield SimpleNamespace(
            clinic=clinic, patient=patient, me=make.patient_actor(patient), doctor=doctor, clerk=clerk
        )


def give(world, **changes):
    options = {key: changes.pop(key) for key in ("visit_id", "visit_on", "language") if key in changes}
    language = options.setdefault("language", "en")
    made = service.give(world.me, {**ALL_YES, **changes}, seen=service.sheet_for(world.me, language).sha256, **options)
    assert made.version, made.issues
    return made.version


def may(world, actor, document=OBSERVATION, **options):
    return service.permits(actor, world.patient.id, document, policy=options.pop("policy", NORMAL), **options).permit


def item(world, *documents):
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": each} for each in documents]}
    return SimpleNamespace(clinic_id=world.clinic.id, patient_id=world.patient.id, payload=exact.dumps(bundle))


def test_nothing_is_chosen_before_somebody_chooses(world):
    assert service.current(world.me) is None and service.task_state(world.me, "v1") == service.TaskState(False)
    assert may(world, world.doctor) and not may(world, world.clerk), "the installation's policy"
    assert not may(world, world.doctor, policy=Policy.DENY)


def test_every_question_must_be_answered_and_without_sharing_two_are_not_asked():
    shown = sheet("Riverside Clinic", "en")
    assert [issue.where for issue in check({}, shown)] == ["share", "sensitive", "results", "research", "until"]
    assert [issue.where for issue in check({"share": "no"}, shown)] == ["results", "until"]
    assert settled({"share": "no", "research": "yes", "junk": "x"}) == {
        "share": "no",
        "sensitive": "no",
        "research": "no",
    }
    assert [issue.where for issue in check({**ALL_YES, "until": "forever"}, shown)] == ["until"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_language_has_every_word_and_its_own_hash(language):
    shown, other = sheet("Riverside Clinic", language), sheet("Another Clinic", language)
    assert shown.sha256 != other.sha256 and "Riverside Clinic" in shown.text and "{" not in shown.text
    assert all(option.label and option.means for question in shown.questions for option in question.options)
    assert sheet("Riverside Clinic", "xx").language == "en"


def test_choices_become_consents_that_are_valid_fhir_and_name_the_exact_text(world):
    made = give(world, sensitive="no")
    sent = service.resource_for_delivery(system(world.clinic.id), made.id)
    assert problems(sent) == []
    assert sent["status"] == "active" and sent["category"][0]["coding"][0]["code"] == "59284-0"
    assert sent["policy"][0]["uri"].endswith(service.sheet_for(world.me, "en").sha256)
    assert sent["identifier"][0]["value"] == f"{made.id}-care"
    for plain in made.row.document["consents"].values():
        assert problems(plain) == []
    assert "(x) Keep these to myself." in made.text and "(x) Share these as well." not in made.text


def test_a_delivered_consent_points_to_the_patient_in_the_record(world):
    world.patient.fhir_id, world.patient.connection_id = "p7", "c" * 16
    sent = service.resource_for_delivery(system(world.clinic.id), give(world).id)
    assert sent["patient"]["reference"] == "Patient/p7" == sent["performer"][0]["reference"]


def test_sharing_lets_the_clinic_read_and_nobody_elses_purpose(world):
    give(world)
    assert may(world, world.doctor) and may(world, world.clerk)
    assert not may(world, world.doctor, purpose="HRESCH") and not may(world, world.doctor, purpose="BTG")


def test_not_sharing_stops_everybody_but_the_patient(world):
    give(world, share="no")
    assert not may(world, world.doctor) and not may(world, world.clerk) and may(world, world.me)
    assert not service.may_send(item(world, OBSERVATION), NORMAL).permitted


def test_research_is_a_question_by_itself(world):
    give(world, research="yes", sensitive="no")
    assert may(world, world.doctor, purpose="HRESCH")
    sensitive = {**OBSERVATION, "meta": {"security": [label("HIV")]}}
    assert not may(world, world.doctor, sensitive, purpose="HRESCH") and not may(world, world.doctor, sensitive)


def test_what_is_kept_back_is_left_out_of_what_the_clinic_sees(world):
    give(world, sensitive="no")
    seen = service.redacted(world.doctor, world.patient.id, RESPONSE, FORM, policy=NORMAL)
    assert [each["linkId"] for each in seen["item"]] == ["diet"]
    own = service.redacted(world.me, world.patient.id, RESPONSE, FORM, policy=NORMAL, purpose="PATRQT")
    assert [each["linkId"] for each in own["item"]] == ["diet", "mood"], "what is kept from the clinic is still theirs"


def test_what_is_kept_back_stays_back_when_the_time_is_over(world):
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False):
        give(world, sensitive="no", until="visit", visit_on=date(2026, 12, 1))
        assert may(world, world.doctor)
        assert not service.current(world.me).ends_soon
    with time_machine.travel("2026-12-17T12:00:00Z", tick=False):
        assert service.current(world.me).ends_soon, "a notice two weeks before"
    with time_machine.travel("2026-12-31T23:30:00Z", tick=False):
        assert may(world, world.doctor), "the whole last day"
    with time_machine.travel("2027-01-01T00:00:00Z", tick=False):
        assert not may(world, world.doctor), "nothing is shared by default after a choice has run out"
        assert service.current(world.me).standing == "ended"


def test_results_are_not_read_when_the_patient_says_no(world):
    assert service.shows_results(world.me).permit
    give(world, results="no")
    assert not service.shows_results(world.me).permit
    give(world, results="yes")
    assert service.shows_results(world.me).permit


def test_versions_are_appended_and_the_old_one_is_untouched(world):
    first = give(world)
    sealed = first.row.document_sealed
    second = give(world, research="yes")
    assert [(each.row.number, each.standing) for each in service.history(world.me)] == [(2, "active"), (1, "replaced")]
    assert session().get(ConsentVersion, first.id).document_sealed == sealed and second.id != first.id


def test_the_same_choices_sent_twice_are_one_version(world):
    assert give(world).id == give(world).id and len(service.history(world.me)) == 1


def test_e26_taking_back_is_one_step_and_stops_everything_at_once(world):
    give(world, research="yes")
    waiting = item(world, OBSERVATION)
    assert service.may_send(waiting, NORMAL).permitted
    taken = service.withdraw(world.me, language="en")
    assert taken.standing == "withdrawn" and taken.choices["results"] == "yes"
    assert not may(world, world.doctor) and not may(world, world.doctor, purpose="HRESCH")
    assert service.may_send(waiting, NORMAL) == service.Passage(False, "consent"), "E26: not sent"
    assert service.withdraw(world.me, language="en").id == taken.id


def test_nothing_can_be_taken_back_that_was_never_given(world):
    with pytest.raises(NotFound):
        service.withdraw(world.me, language="en")


def test_a_delivery_with_an_answer_that_may_no_longer_go_is_not_sent(world):
    give(world)
    labelled = service.redacted(world.doctor, world.patient.id, RESPONSE, FORM, policy=NORMAL)
    assert service.may_send(item(world, labelled), NORMAL).permitted
    give(world, sensitive="no")
    assert not service.may_send(item(world, labelled), NORMAL).permitted
    again = service.redacted(world.doctor, world.patient.id, RESPONSE, FORM, policy=NORMAL)
    assert service.may_send(item(world, again), NORMAL).permitted


def test_each_visit_asks_anew(world):
    give(world, visit_id="visit-one")
    assert service.task_state(world.me, "visit-one").done and not service.task_state(world.me, "visit-two").done
    assert service.task_state(world.me, "visit-two").rows[0].answer == "Yes, share them."


def test_words_that_changed_must_be_read_again(world):
    made = service.give(world.me, ALL_YES, language="en", seen="another text")
    assert made.version is None and made.issues[0].code == "wording"


def test_a_refusal_is_written_down_with_its_basis(world):
    made = give(world, share="no")
    assert not may(world, world.doctor)
    row = session().query(AuditRow).filter(AuditRow.event == "consent-decided").one()
    assert row.detail["basis"] == [f"{made.id}-care/1 provision deny"] and row.patient_id == world.patient.id


def test_choices_of_one_clinic_say_nothing_in_another(world):
    give(world, share="no")
    other = make.clinic("hillside", "Hillside Clinic")
    stranger = make.patient(other, "Ana Morales")
    doctor = make.staff_actor(make.staff(other, email="other@example.org"))
    assert service.permits(doctor, stranger.id, OBSERVATION, policy=NORMAL).permit
    with pytest.raises(NotFound):
        service.resource_for_delivery(doctor, service.current(world.me).id)
    with pytest.raises(NotFound):
        service.version(make.patient_actor(stranger), service.current(world.me).id)


def test_e28_a_past_choice_stands_when_whoever_made_it_is_gone(world):
    give(world)
    assert may(world, world.doctor)
    nobody = make.patient_actor(world.patient)
    assert service.current(nobody).row.document["by"]["capacity"] == "self"


def test_e33_only_the_portals_own_clock_counts(world):
    """No way in takes a time: the decision is made with the clock of this process."""
    with time_machine.travel(now(), tick=False):
        give(world, until="year")
    with time_machine.travel(now() + timedelta(days=400), tick=False):
        assert not may(world, world.doctor, {**OBSERVATION, "effectiveDateTime": "2020-01-01", "now": "2020-01-01"})


def test_lists_are_made_of_what_may_be_seen(world):
    give(world, sensitive="no")
    stored = [OBSERVATION, {**OBSERVATION, "id": "2", "meta": {"security": [label("PSY")]}}]
    seen = service.visible(world.doctor, world.patient.id, stored, policy=NORMAL)
    assert [each["id"] for each in seen] == ["1"]
    assert codes.level(frozenset()).endswith("|R") and inner("deny")["type"] == "deny"
