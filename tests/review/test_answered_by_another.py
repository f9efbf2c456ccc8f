"""What somebody answers for a patient says so: to the desk, in the record, in consents; and two who contradict each other are seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from portal.accounts.models import Patient
from portal.actors import Actor
from portal.consent import service as consent
from portal.fhir.structure import problems
from portal.intake import confirming, differing, drafts, sending
from portal.intake.block_page import Said
from portal.intake.models import Submission, Visit
from portal.intake.sections import PAGES, SECTIONS, page_of
from portal.review.attention import CONTRADICTED, Around, attention
from portal.review.conflicts import contradictions
from portal.review.finishing import author_of
from portal.review.payload import build
from portal.review.provenance import Person
from tests import make
from tests.accounts.proxying import actor_for, child, proxy
from tests.review.builders import ASTHMA, SUBJECT, Json, fact, new, one
from tests.review.test_payload import DOCTOR, RESPONSE
from tests.review.test_payload import sending as sent

AGE = timedelta(minutes=15)
NONE = Said(any=dict.fromkeys(SECTIONS, "none"))
"""Nothing is recorded, and there is nothing."""


def said(answer: str, *names: str, block: str = "allergy") -> Said:
    return Said(any={**NONE.any, block: answer}, added={block: [{"what": name, "more": ""} for name in names]})


CHOICES = {"share": "yes", "sensitive": "yes", "emergency": "yes", "results": "yes", "research": "no", "until": "open"}
MOTHER = {"reference": "RelatedPerson/grace", "display": "Grace Bennett"}


class Home:
    def __init__(self) -> None:
        clinic = make.clinic(forms=())
        self.noah: Patient = child(clinic, connection_id="c" * 16, fhir_id="noah")
        self.visit: Visit = make.visit(self.noah)
        mother = proxy(self.noah, relation="parent", reference="RelatedPerson/grace")
        father = proxy(self.noah, "Tom Bennett", "tom@example.org", relation="parent")
        helper = proxy(self.noah, "Paul Reed", "paul@example.org", relation="carer", scope=("forms",))
        self.mother, self.father, self.helper = (actor_for(each, self.noah) for each in (mother, father, helper))

    def says(self, actor: Actor, **sections: Said) -> None:
        for key in sections:
            seen = confirming.page(actor, self.visit, page_of(key), AGE).version
            assert not confirming.save(actor, self.visit.id, page_of(key), sections[key], seen, AGE).issues, key

    def everything(self, actor: Actor) -> None:
        self.says(actor, **dict.fromkeys(PAGES, NONE))

    def chooses(self, actor: Actor, **choices: str) -> None:
        shown = consent.sheet_for(actor, "en").sha256
        given = consent.give(actor, {**CHOICES, **choices}, language="en", seen=shown, visit_id=self.visit.id)
        assert given.version, given.issues

    def sends(self, actor: Actor) -> Submission:
        made = sending.submit(actor, self.visit.id, "en", AGE)
        assert made.submission, made.missing
        return made.submission


@pytest.fixture
def home(app: Flask) -> Iterator[Home]:
    with app.app_context():
        yield Home()


def test_what_is_sent_says_who_answered_and_as_what(home: Home) -> None:
    home.everything(home.mother)
    home.chooses(home.mother)
    document = home.sends(home.mother).document
    assert document["by"]["name"] == "Grace Bennett"
    assert document["by"]["behalf"] == {"relation": "parent", "reference": "RelatedPerson/grace"}
    assert document["conflicts"] == []
    author = author_of(document, "Patient/noah")
    assert author.agent() == {"who": MOTHER, "onBehalfOf": {"reference": "Patient/noah"}}


def test_somebody_the_record_does_not_know_is_named_by_their_account_here(home: Home) -> None:
    home.everything(home.father)
    home.chooses(home.father)
    who = author_of(home.sends(home.father).document, "Patient/noah").who()
    assert who == {
        "type": "RelatedPerson",
        "identifier": {"system": "urn:previsit:account", "value": home.father.account_id},
        "display": "Tom Bennett",
    }


def test_a_patient_who_answers_alone_is_named_as_before(home: Home) -> None:
    me = make.patient_actor(home.noah)
    home.everything(me)
    home.chooses(me)
    document = home.sends(me).document
    assert "behalf" not in document["by"]
    assert author_of(document, SUBJECT).agent() == {"who": {"reference": SUBJECT, "display": "Noah Bennett"}}


def test_who_may_not_decide_about_sharing_is_not_asked_and_can_send(home: Home) -> None:
    kinds = [task.kind for task in sending.tasks(home.helper, home.visit)]
    assert "consent" not in kinds and "consent" in [task.kind for task in sending.tasks(home.mother, home.visit)]
    home.everything(home.helper)
    assert home.sends(home.helper).document["consent_version_id"] is None


def test_the_response_its_facts_and_its_provenance_name_the_person_who_answered() -> None:
    author = Person("Grace Bennett", reference="RelatedPerson/grace", for_patient=SUBJECT)
    allergy, asthma = (
        one(new("allergy", "Latex", "itching")),
        one(fact("condition", ASTHMA, "changed", "Asthma", "new")),
    )
    bundle = build(sent([(allergy, DOCTOR), (asthma, DOCTOR)], author=author))
    assert problems(bundle) == []
    by_type: dict[str, list[Json]] = {}
    for entry in bundle["entry"]:
        by_type.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    [response] = by_type["QuestionnaireResponse"]
    assert response["subject"] == {"reference": SUBJECT}
    assert response["source"] == response["author"] == MOTHER
    [added] = by_type["AllergyIntolerance"]
    assert added["patient"] == {"reference": SUBJECT} and added["asserter"] == MOTHER
    authors = [agent for each in by_type["Provenance"] for agent in each["agent"] if _is(agent, "author")]
    assert authors and all(each["who"] == MOTHER and each["onBehalfOf"] == {"reference": SUBJECT} for each in authors)
    verifiers = [agent for each in by_type["Provenance"] for agent in each["agent"] if _is(agent, "verifier")]
    assert verifiers and all("onBehalfOf" not in each for each in verifiers)


def test_without_anybody_in_between_nothing_names_another() -> None:
    bundle = build(sent([(one(new("allergy", "Latex")), DOCTOR)]))
    assert "onBehalfOf" not in str(bundle) and "RelatedPerson" not in str(bundle)
    assert RESPONSE["questionnaire"] in str(bundle)


def test_a_consent_names_who_gave_it_and_keeps_doing_so_when_it_is_delivered(home: Home) -> None:
    home.chooses(home.mother)
    made = consent.current(home.mother)
    assert made is not None and made.row.capacity == "proxy"
    sent_on = consent.resource_for_delivery(home.mother, made.id)
    assert sent_on["performer"] == [MOTHER] and sent_on["patient"]["reference"] == "Patient/noah"
    assert problems({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": sent_on}]}) == []


def test_the_same_choices_of_two_parents_are_two_versions_that_agree(home: Home) -> None:
    home.chooses(home.mother)
    home.chooses(home.father)
    assert len(consent.history(home.mother)) == 2 and consent.contradictions(home.mother) == []


def test_two_parents_who_contradict_each_other_are_seen(home: Home) -> None:
    home.everything(home.mother)
    home.says(home.father, allergy=said("yes", "Peanuts"))
    home.chooses(home.mother)
    home.chooses(home.father, share="no")
    document = home.sends(home.father).document
    found = contradictions(document)
    assert (found[0].section, found[0].title) == ("Allergies", "Whether there are any")
    assert [(word.by, word.says) for word in found[0].words] == [
        ("Tom Bennett", "Yes, there are some"),
        ("Grace Bennett", "None"),
    ]
    assert "Sharing" in {each.section for each in found}
    assert CONTRADICTED in attention(document, Around())


def test_who_adds_to_what_another_wrote_contradicts_nobody_and_who_takes_away_does(home: Home) -> None:
    home.everything(home.mother)
    home.says(home.mother, allergy=said("yes", "Peanuts"))
    home.says(home.father, allergy=said("yes", "Peanuts", "Latex"))
    home.chooses(home.mother)
    assert _conflicts(home) == []
    home.says(home.mother, allergy=said("yes", "Latex"))
    assert _conflicts(home) == ["What is missing in the record"]
    home.says(home.father, allergy=said("yes", "Latex"))
    assert _conflicts(home) == [], "they agree again"


def test_the_patients_own_last_word_stands_alone(home: Home) -> None:
    home.everything(home.mother)
    home.says(make.patient_actor(home.noah, "a" * 16), allergy=said("unsure"))
    assert _conflicts(home) == []
    home.says(home.father, allergy=said("none"))
    assert _conflicts(home) == ["Whether there are any"], "somebody undid what the patient said"


def _conflicts(home: Home) -> list[str]:
    row = drafts.draft(home.visit, confirming.TASK)
    assert row is not None
    return [each.title for each in contradictions({"conflicts": differing.found(row.document)})]


def _is(agent: Json, code: str) -> bool:
    return bool(agent["type"]["coding"][0]["code"] == code)
