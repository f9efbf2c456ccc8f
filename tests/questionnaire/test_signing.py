"""What a signature holds on to: every answer, and nothing but the answers."""

from __future__ import annotations

import base64
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from portal.consent.redaction import labelled, redact
from portal.fhir import exact
from portal.fhir.structure import problems
from portal.questionnaire import Filling, load, signing
from portal.questionnaire.signing import SIGNATURE, Signed
from tests.forms.filling import RAW, begun, context, said
from tests.intake.make_forms import CORE, form, item

ASKED = {"url": f"{CORE}questionnaire-signatureRequired", "valueCodeableConcept": {"coding": [signing.ANY_SIGNATURE]}}
RESPONSE: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "questionnaire": "https://clinic.example/forms/test|1",
    "status": "completed",
    "item": [
        {"linkId": "a", "text": "A?", "answer": [{"valueCoding": {"system": "s", "code": "c", "display": "Yes"}}]},
        {"linkId": "b", "answer": [{"valueDecimal": Decimal("1.10"), "item": [{"linkId": "d", "answer": [{"valueString": "x"}]}]}]},
        {"linkId": "g", "item": [{"linkId": "h", "answer": [{"valueBoolean": True}, {"valueBoolean": False}]}]},
    ],
}  # fmt: skip


def signed(response: dict[str, Any], **more: str) -> Signed:
    made = Signed(
        "Ana Diaz", "Ana Diaz", "a" * 16, "2026-11-22T10:00:00+00:00", "self", "en", "What was shown", "", "00"
    )
    return replace(made, digest=signing.digest(response), **more)


CHANGES: dict[str, Any] = {
    "another code": lambda r: r["item"][0]["answer"][0]["valueCoding"].update(code="d"),
    "another system": lambda r: r["item"][0]["answer"][0]["valueCoding"].update(system="t"),
    "another precision": lambda r: r["item"][1]["answer"][0].update(valueDecimal=Decimal("1.1")),
    "an inner answer": lambda r: r["item"][1]["answer"][0]["item"][0]["answer"][0].update(valueString="y"),
    "the order of answers": lambda r: r["item"][2]["item"][0]["answer"].reverse(),
    "an answer more": lambda r: r["item"][2]["item"][0]["answer"].append({"valueBoolean": True}),
    "a question less": lambda r: r["item"].pop(),
    "another question": lambda r: r["item"][0].update(linkId="z"),
    "another form": lambda r: r.update(questionnaire="https://clinic.example/forms/test|2"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_of_an_answer_is_noticed(what: str) -> None:
    before = signed(RESPONSE)
    assert signing.intact(RESPONSE, before)
    changed = deepcopy(RESPONSE)
    CHANGES[what](changed)
    assert not signing.intact(changed, before)


def test_what_is_no_answer_may_differ() -> None:
    """The language of the questions, labels put on for consent, who it is about, when it was sent."""
    other = labelled(deepcopy(RESPONSE), form(item("a", "choice")))
    other["item"][0] |= {"text": "¿A?"}
    other["item"][0]["answer"][0]["valueCoding"]["display"] = "Sí"
    other |= {"subject": {"reference": "Patient/1"}, "authored": "2026-11-23", "status": "amended"}
    assert signing.intact(other, signed(RESPONSE))


def test_the_signature_is_sound_fhir_and_reads_back() -> None:
    asked = load(form(item("a", "string"), extension=[ASKED]))
    response = Filling(asked, None, context()).response("completed")
    before = signed(response)
    made = signing.attached(response, asked, before)
    assert problems(made) == []
    assert list(signing.signatures(made)) == [("", before)]
    (extension,) = made["extension"]
    assert extension["url"] == SIGNATURE
    assert extension["valueSignature"]["type"] == [signing.ANY_SIGNATURE]
    kept = exact.loads(base64.b64decode(extension["valueSignature"]["data"]))
    assert (kept["words"], kept["name"], kept["answers-sha256"]) == ("What was shown", "Ana Diaz", before.digest)


def test_an_item_that_is_signed_carries_the_signature_itself() -> None:
    asked = load(form(item("a", "string", extension=[ASKED]), item("b", "string")))
    assert [(part.link_id, part.kinds) for part in signing.needed(asked)] == [("a", (signing.ANY_SIGNATURE,))]
    response = {**RESPONSE, "item": [{"linkId": "a", "answer": [{"valueString": "x"}]}, {"linkId": "b"}]}
    made = signing.attached(response, asked, signed(response))
    assert "extension" not in made
    assert ["extension" in each for each in made["item"]] == [True, False]
    assert [link_id for link_id, _ in signing.signatures(made)] == ["a"]


def test_the_patient_is_named_as_the_record_knows_them_as_who_signed_or_for_whom_it_was_signed() -> None:
    asked = load(form(item("a", "string"), extension=[ASKED]))
    response = Filling(asked, None, context()).response("completed")
    own = signing.by(signing.attached(response, asked, signed(response)), "Patient/7")
    assert own["extension"][0]["valueSignature"]["who"]["reference"] == "Patient/7"
    other = signing.attached(response, asked, signed(response, capacity="parent"))
    held = signing.by(other, "Patient/7")["extension"][0]["valueSignature"]
    assert held["onBehalfOf"] == {"reference": "Patient/7"}
    assert held["who"]["type"] == "RelatedPerson"
    assert "reference" not in held["who"]


@pytest.mark.parametrize(
    "data", [None, "", "no base64!", base64.b64encode(b"[]").decode(), base64.b64encode(b"{}").decode()]
)
def test_somebody_elses_signature_is_passed_over(data: str | None) -> None:
    held = {"type": [], "when": "2026-01-01T00:00:00Z", "who": {"display": "X"}, "data": data}
    assert list(signing.signatures({"extension": [{"url": SIGNATURE, "valueSignature": held}]})) == []
    assert list(signing.signatures({"extension": [{"url": SIGNATURE, "valueSignature": "x"}, {"url": 1}, "y"]})) == []


def test_the_fingerprint_tells_signatures_apart_and_cannot_be_guessed_from_the_answers() -> None:
    one, other = signed(RESPONSE), signed(RESPONSE, salt="01")
    assert signing.fingerprint(one) != signing.fingerprint(other)
    assert len(signing.fingerprint(one)) == 64


def test_a_signature_goes_when_an_answer_is_kept_back() -> None:
    raw = RAW["consent-to-treatment"]
    filled = said(begun("consent-to-treatment"), {"treatment": 0, "questions": 0})
    response = filled.response("completed")
    made = signing.attached(response, filled.form, signed(response))
    assert list(signing.signatures(redact(made, {"treatment"}, raw))) == []
    assert [kept for _, kept in signing.signatures(redact(made, set(), raw))] == [signed(response)]
