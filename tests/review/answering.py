"""Submissions that carry answered forms, for the tests of what forms say about the record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from portal.questionnaire import Filling, load
from portal.review.extracted import Told, told
from portal.review.proposal import Proposal
from portal.review.proposals import proposals
from portal.review.section import Record
from portal.review.taking_over import Writable
from tests.forms.filling import ADULT, RAW, begun, context, said
from tests.review.builders import SAID_AT, SUBJECT, Json, record

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
LABEL = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
SMOKER = {"system": "http://snomed.info/sct", "code": "77176002", "display": "Smoker"}
SMOKES: Json = {
    "resourceType": "Observation",
    "id": "o1",
    "meta": {"versionId": "4"},
    "status": "final",
    "category": [{"coding": [{"code": "social-history"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "72166-2"}]},
    "subject": {"reference": SUBJECT},
    "effectiveDateTime": "2020-01-05",
    "valueCodeableConcept": {"coding": [SMOKER]},
}


def whole(*responses: tuple[Json, Json], facts: tuple[Json, ...] = ()) -> Json:
    """A submission's document with these (form, response) pairs."""
    return {
        "facts": list(facts),
        "sections": {},
        "responses": [response for _, response in responses],
        "questionnaires": {response["questionnaire"]: raw for raw, response in responses},
    }


def answered(slug: str, answers: Mapping[str, Any], visit: str = "v1") -> tuple[Json, Json]:
    """A bundled form and a response to it, as intake sends it."""
    return RAW[slug], _sent(said(begun(slug, ADULT), answers), visit)


def of_form(raw: Json, *items: Json, visit: str = "v1") -> tuple[Json, Json]:
    """Any form, and a response with these items."""
    filling = Filling(load(raw), {"resourceType": "QuestionnaireResponse", "item": list(items)}, context(ADULT))
    return raw, _sent(filling, visit)


def _sent(filling: Filling, visit: str) -> Json:
    identifier = {"system": "urn:previsit:response", "value": f"{visit}/{filling.form.url}"}
    return filling.response("completed", authored=SAID_AT, identifier=identifier)


def say(document: Json) -> list[Told]:
    return told(document, document["responses"], patient=ADULT, subject=SUBJECT, at=AT)


def beside(document: Json, now: Record | None = None, writable: Writable | None = None) -> list[Proposal]:
    """The proposals of the document beside a record."""
    return proposals(
        document,
        record() if now is None else now,
        subject=SUBJECT,
        said_at=SAID_AT,
        told=say(document),
        writable=writable or (lambda kind, verb: True),
    )


def template(kind: str, **elements: Any) -> Json:
    """A form with one question, whose answer fills this resource by a template."""
    return {
        "resourceType": "Questionnaire",
        "url": f"https://clinic.example/{kind}",
        "version": "1",
        "status": "active",
        "title": "A clinic's own form",
        "contained": [{"resourceType": kind, "id": "made", **elements}],
        "item": [
            {
                "linkId": "q",
                "type": "string",
                "text": "What is it?",
                "extension": [
                    {
                        "url": f"{SDC}templateExtract",
                        "extension": [{"url": "template", "valueReference": {"reference": "#made"}}],
                    }
                ],
            }
        ],
    }


def filled_by(expression: str) -> Json:
    return {"extension": [{"url": f"{SDC}templateExtractValue", "valueString": expression}]}


def answer(text: str) -> Json:
    return {"linkId": "q", "answer": [{"valueString": text}]}
