"""What was accepted of the things a form says, in the delivery: with where it comes from, and without what was not accepted."""

from __future__ import annotations

import copy
from typing import Any

from portal.delivery import bundle as delivery_bundle
from portal.fhir.structure import problems
from portal.questionnaire import extract, load, signing
from portal.questionnaire.extract_template import PATCH
from portal.review.payload import Accepted, Sending, build
from portal.review.proposal import Proposal
from portal.review.provenance import Person
from tests.forms.filling import ADULT, context
from tests.review.answering import answer, answered, beside, filled_by, of_form, template, whole
from tests.review.builders import SAID_AT, SUBJECT, Json, new, record

DOCTOR = Person("Dr Ana Reyes", account_id="d" * 16)
MOOD = {f"phq-{number}": 1 for number in range(1, 10)}


def sent(document: Json, accepted: list[Proposal], submission: str = "0" * 16) -> Json:
    return build(
        Sending(
            submission_id=submission,
            subject=SUBJECT,
            said_at=SAID_AT,
            recorded="2026-11-20T10:00:00Z",
            author=Person("Ada", reference=SUBJECT),
            finished_by=DOCTOR,
            responses=document["responses"],
            consent=None,
            accepted=[Accepted(each, DOCTOR) for each in accepted],
        )
    )


def of(bundle: Json, kind: str) -> list[Json]:
    return [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_an_accepted_result_leads_to_the_answers_it_was_made_of() -> None:
    document = whole(answered("phq-9", MOOD), answered("audit-c", {"audit-1": 0}))
    made = beside(document, record(surveys=()))
    bundle = sent(document, made)
    assert problems(bundle) == [] == delivery_bundle.problems(bundle)
    answers = {entry["fullUrl"]: entry["resource"]["questionnaire"] for entry in of(bundle, "QuestionnaireResponse")}
    assert len(of(bundle, "Observation")) == 2
    for entry in of(bundle, "Observation"):
        (source,) = [each["reference"] for each in entry["resource"]["derivedFrom"]]
        assert ("phq-9" in answers[source]) == ("PHQ-9" in entry["resource"]["code"]["text"])
        (provenance,) = [
            each["resource"]
            for each in of(bundle, "Provenance")
            if each["resource"]["target"] == [{"reference": entry["fullUrl"]}]
        ]
        assert provenance["entity"] == [{"role": "source", "what": {"reference": source}}]
        assert [agent["who"]["display"] for agent in provenance["agent"]] == ["Ada", "Dr Ana Reyes", "Previsit"]


def test_only_what_was_accepted_is_sent() -> None:
    document = whole(answered("phq-9", MOOD), answered("medication-allergy-history", {"reaction-to": [0, 2]}))
    made = beside(document, record(surveys=()))
    assert len(made) == 3
    latex = [each for each in made if each.title == "Latex"]
    bundle = sent(document, latex)
    assert of(bundle, "Observation") == []
    assert [entry["resource"]["code"]["text"] for entry in of(bundle, "AllergyIntolerance")] == ["Latex"]
    assert of(sent(document, []), "AllergyIntolerance") == []


def test_the_same_thing_has_the_same_identity_whichever_round_is_accepted() -> None:
    def identity(answers: dict[str, Any], submission: str) -> Any:
        document = whole(answered("phq-9", answers))
        (entry,) = of(sent(document, beside(document, record(surveys=())), submission), "Observation")
        return entry["resource"]["identifier"], entry["request"]["ifNoneExist"]

    assert identity(MOOD, "a" * 16) == identity({**MOOD, "phq-1": 3}, "b" * 16)


def test_what_a_confirmed_fact_changes_has_no_form_to_lead_to() -> None:
    document = whole(answered("phq-9", MOOD), facts=(new("allergy", "Nickel"),))
    bundle = sent(document, [each for each in beside(document, record(surveys=())) if not each.form])
    assert all("entity" not in entry["resource"] for entry in of(bundle, "Provenance"))


def test_parts_of_a_panel_lead_to_those_that_were_accepted_and_to_nothing_else() -> None:
    raw, response = copy.deepcopy(answered("phq-9", MOOD))
    document = whole((raw, response))
    (made,) = beside(document, record(surveys=()))
    assert made.change is not None
    panel = {"resourceType": "Observation", "hasMember": [{"reference": made.fact.removeprefix("extract:")}]}
    panel |= {"status": "final", "code": {"text": "Panel"}, "identifier": [{"system": "urn:x", "value": "1"}]}
    change = type(made.change)("POST", "Observation", panel)
    above = Proposal(**{**made.__dict__, "fact": "extract:urn:uuid:panel", "key": "p" * 16, "change": change})
    both = of(sent(document, [made, above]), "Observation")
    assert both[1]["resource"]["hasMember"] == [{"reference": both[0]["fullUrl"]}]
    (alone,) = of(sent(document, [above]), "Observation")
    assert "hasMember" not in alone["resource"]


def test_a_signature_names_the_patient_as_the_record_does() -> None:
    raw, response = answered("consent-to-treatment", {"treatment": 0, "questions": 0})
    mark = signing.Signed("Ada", "Ada", "a" * 16, SAID_AT, "self", "en", "Words", signing.digest(response), "0")
    bundle = sent(whole((raw, signing.attached(response, load(raw), mark))), [])
    (entry,) = of(bundle, "QuestionnaireResponse")
    assert problems(bundle) == []
    (extension,) = entry["resource"]["extension"]
    assert extension["valueSignature"]["who"]["reference"] == SUBJECT
    assert [signing.intact(entry["resource"], signed) for _, signed in signing.signatures(entry["resource"])] == [True]


def test_a_patch_of_what_nobody_here_has_seen_is_no_proposal() -> None:
    value = {"name": "value", "_valueString": filled_by("answer.value")}
    operation = {"name": "operation", "part": [{"name": "type", "valueCode": "replace"}, value]}
    raw = template("Parameters", parameter=[operation])
    raw["item"][0]["extension"][0]["extension"].append({"url": PATCH, "valueString": "'Condition/1'"})
    given = of_form(raw, answer("Nickel"))
    assert extract(load(raw), given[1], context(ADULT)).bundle["entry"][0]["request"]["method"] == "PATCH"
    assert beside(whole(given)) == []
