"""A coded answer of a form exchanged at the desk for another of the form's own, and the other human parts of what a form says."""

from typing import Any

import pytest

from portal.fhir.structure import problems
from portal.review import human
from portal.review.editing import reworded, said
from portal.review.human import Unfit
from portal.review.proposal import Proposal
from tests.forms.filling import RAW
from tests.review.answering import answered, beside, whole
from tests.review.builders import Json, record

SMOKING = "health-history"


def the(slug: str, answers: dict[str, Any]) -> Proposal:
    (made,) = beside(whole(answered(slug, answers)), record(surveys=()))
    return made


def offered(slug: str) -> dict[str, list[Json]]:
    """Of a bundled form: every question that offers codings, with them."""
    found, items = {}, list(RAW[slug]["item"])
    while items:
        item = items.pop()
        items += item.get("item", [])
        found[item["linkId"]] = [each["valueCoding"] for each in item.get("answerOption", ()) if "valueCoding" in each]
    return {name: codings for name, codings in found.items() if codings}


@pytest.mark.parametrize(
    ("label", "code"), [("No, never", "266919005"), ("No, I stopped", "8517006"), ("Yes", "77176002")]
)
def test_another_answer_of_the_form_writes_what_the_form_would_have_said_of_it(label: str, code: str) -> None:
    made = the(SMOKING, {"smoking": 1})
    assert made.options == tuple(each["display"] for each in offered(SMOKING)["smoking"])
    assert made.words == (("choice", "No, I stopped"),)
    other = reworded(made, {"choice": label}, "Dr Lee")
    assert not other.issues
    change = other.proposal.change
    assert change is not None and not problems(change.resource)
    assert change.resource["valueCodeableConcept"]["coding"][0]["code"] == code
    assert (other.proposal.key, other.proposal.title, other.proposal.options) == (made.key, made.title, made.options)
    assert said(made).startswith("Ex-smoker"), "what the patient said is not touched"


def test_what_the_form_does_not_offer_is_refused_with_the_reason() -> None:
    for label in ("Sometimes", "I prefer not to say"):
        (issue,) = reworded(the(SMOKING, {"smoking": 1}), {"choice": label}, "Dr Lee").issues
        assert "makes no entry of that answer" in issue.text()


def test_a_total_offers_no_choice() -> None:
    made = the("phq-9", {f"phq-{number}": 1 for number in range(1, 10)})
    assert made.options == () == made.words


RESOURCES: dict[str, tuple[Json, dict[str, str]]] = {
    "an allergy": (
        {
            "resourceType": "AllergyIntolerance",
            "code": {"coding": [{"code": "1"}], "text": "latecs"},
            "reaction": [{"manifestation": [{"text": "ich"}]}],
        },
        {"text": "Latex", "more": "Itching"},
    ),
    "a medicine": (
        {
            "resourceType": "MedicationStatement",
            "medicationCodeableConcept": {"text": "asprin"},
            "dosage": [{"text": "one"}],
        },
        {"text": "Aspirin", "more": "1 a day"},
    ),
    "a relative": (
        {
            "resourceType": "FamilyMemberHistory",
            "relationship": {"text": "mum"},
            "condition": [{"code": {"text": "hart"}}],
        },
        {"text": "Mother", "more": "Heart disease"},
    ),
    "an operation": (
        {"resourceType": "Procedure", "code": {"text": "apendix"}, "performedDateTime": "2019"},
        {"text": "Appendix removed", "when": "2018-05"},
    ),
    "a vaccine": (
        {"resourceType": "Immunization", "vaccineCode": {"text": "flue"}, "occurrenceString": "last year"},
        {"text": "Influenza", "when": "2025-10"},
    ),
    "a condition": (
        {"resourceType": "Condition", "code": {"text": "sugar"}, "onsetString": "long ago"},
        {"text": "Diabetes", "when": "2001"},
    ),
    "a measurement": (
        {"resourceType": "Observation", "valueQuantity": {"value": 70, "unit": "kg"}},
        {"value": "71.5"},
    ),
    "a word": ({"resourceType": "Observation", "valueString": "tyred"}, {"value": "Tired"}),
}


@pytest.mark.parametrize("name", RESOURCES)
def test_every_human_part_of_what_a_form_says_is_worded_by_itself(name: str) -> None:
    resource, words = RESOURCES[name]
    before = dict(human.fields(resource))
    assert before.keys() == words.keys()
    for part, text in words.items():
        made = dict(human.fields(human.put(resource, {part: text})))
        assert made == {**before, part: text}, "one part changed, the others as they were"
    assert human.put(resource, before) == resource, "the same words change nothing, and keep the code"
    assert "coding" not in str(human.put(resource, words)), "nobody guesses a code for other words"


def test_a_number_stays_a_number() -> None:
    with pytest.raises(Unfit, match="number"):
        human.put(RESOURCES["a measurement"][0], {"value": "about 70"})
