"""The desk's page of answered forms: what they say, what they worked out, who signed, what cannot wait."""

from portal.actors import Role
from portal.consent import service as consent
from portal.questionnaire import load, signing
from portal.review import opening, service
from tests import make
from tests.review.answering import answered, whole
from tests.review.conftest import DESK, World
from tests.review.test_pages import path, seen, text


def test_what_a_form_says_is_a_card_of_its_own_and_its_result_is_read_beside_the_answers(world: World) -> None:
    mood = {f"phq-{number}": 2 for number in range(1, 10)}
    forms = answered("phq-9", mood), answered("medication-allergy-history", {"reaction-to": [0]})
    submission = world.submit(**whole(*forms))
    page = text(world.signed_in(), path(submission))
    assert "2 things to decide" in page
    assert "From the form: Mood questionnaire (PHQ-9)" in page
    assert "Adds this result to the record, as told by the patient." in page
    assert "Moderately severe (15 to 19)" in page
    assert "The patient was not shown this." in page


def test_the_front_desk_leaves_what_a_form_says_to_a_clinician(world: World) -> None:
    submission = world.submit(**whole(answered("phq-9", {f"phq-{number}": 2 for number in range(1, 10)})))
    page = text(world.signed_in(Role.FRONT_DESK), path(submission))
    assert "A clinician decides this." in page or "PHQ-9 total" not in page
    assert seen(page) == {}


def test_a_signed_form_shows_who_signed_what_and_whether_it_is_still_that(world: World) -> None:
    raw, response = answered("consent-to-treatment", {"treatment": 0, "questions": 0})
    name, at = "<b>Ada</b> Okafor", "2026-11-22T10:00:00+00:00"
    mark = signing.Signed(
        name, "Adaeze Okafor", "a" * 16, at, "self", "en", "The <i>words</i>", signing.digest(response), "0"
    )
    made = signing.attached(response, load(raw), mark)
    page = text(world.signed_in(), path(world.submit(**whole((raw, made)))))
    assert "“&lt;b&gt;Ada&lt;/b&gt; Okafor”, by Adaeze Okafor for themself" in page
    assert "The &lt;i&gt;words&lt;/i&gt;" in page
    assert "Changed after signing" not in page
    made["item"][0]["item"][0]["answer"][0]["valueCoding"] = {"system": "urn:x", "code": "no"}
    page = text(world.signed_in(), path(world.submit(**whole((raw, made)))))
    assert "Changed after signing" in page


PSY = "http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY"


def test_an_answer_that_cannot_wait_stands_first_in_the_queue_and_on_the_page(world: World) -> None:
    urgent = [{"key": "self-harm", "words": "Thoughts of <b>harm</b>. Speak today.", "labels": [PSY]}]
    submission = world.submit(urgent=urgent)
    client = world.signed_in()
    assert "Something here needs a clinician today" in text(client, "/desk")
    assert "Thoughts of &lt;b&gt;harm&lt;/b&gt;. Speak today." in text(client, path(submission))
    assert "Look at this today" not in text(client, path(world.submit()))


def test_what_it_is_about_is_told_only_to_those_who_may_see_the_answer(world: World) -> None:
    urgent = [
        {"key": "self-harm", "words": "A secret", "labels": [PSY]},
        {"key": "x", "words": "No secret", "labels": []},
    ]
    submission = world.submit(urgent=urgent)
    assert service.open_submission(world.actor(), submission, DESK).urgent == ["A secret", "No secret"]
    person = make.patient_actor(world.patient, "a" * 16)
    answers = {"share": "yes", "sensitive": "no", "results": "yes", "research": "no", "until": "open"}
    seen = consent.sheet_for(person, "en").sha256
    assert consent.give(person, answers, language="en", seen=seen, visit_id=world.visit.id).version
    assert service.open_submission(world.actor(), submission, DESK).urgent == ["No secret", opening.KEPT_BACK]
