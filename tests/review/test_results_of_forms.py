"""A result that a form tells, as the desk and the patient read it: on the clinic's day, with its unit, in the patient's words."""

from __future__ import annotations

import pytest

from portal.db import session
from portal.fhir.values import codes_of
from portal.intake.models import Submission
from portal.review import proposing, service
from tests.intake.make_forms import SDC, form, item
from tests.review.answering import of_form, whole
from tests.review.conftest import DESK, World
from tests.review.test_editing import edit
from tests.review.test_pages import path, text

HOURS = {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
         "valueCoding": {"system": "http://unitsofmeasure.org", "code": "h", "display": "hours"}}  # fmt: skip
EXTRACT = {"url": f"{SDC}sdc-questionnaire-observationExtract", "valueBoolean": True}
ASLEEP = {"system": "http://loinc.org", "code": "93832-4", "display": "Sleep duration"}
SLEEP = form(item("1", "decimal", "Hours asleep", code=[ASLEEP], extension=[EXTRACT, HOURS]), version="2.0")


def sent(world: World, authored: str = "") -> str:
    raw, response = of_form(SLEEP, {"linkId": "1", "answer": [{"valueDecimal": 6.5}]})
    return world.submit(**whole((raw, {**response, **({"authored": authored} if authored else {})})))


@pytest.mark.parametrize(
    "authored",
    ["2026-11-23T00:41:00+00:00", "2026-11-22T18:41:00-06:00", "2026-11-23T00:41:00Z", "2026-11-22T05:30:00Z"],
)
def test_a_result_is_of_the_day_it_was_at_the_clinic(world: World, authored: str) -> None:
    world.clinic.timezone = "America/Chicago"
    session().commit()
    [told] = proposing.told_by(world.actor(), session().get_one(Submission, sent(world, authored)), DESK)
    assert told.resource["effectiveDateTime"].startswith("2026-11-2" + ("1" if "05:30" in authored else "2"))


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", ["survey"]),
        ("exam", ["exam", "survey"]),
        ("survey", ["survey"]),
        ("social-history", ["social-history"]),
        ("vital-signs", ["vital-signs"]),
        ("laboratory", ["laboratory"]),
    ],
)
def test_a_result_is_of_a_kind_that_the_record_is_searched_for_so_that_an_amended_one_is_found(
    world: World, said: str, told: list[str]
) -> None:
    kind = {"coding": [{"system": CATEGORY, "code": said}]}
    named = (
        [{"url": f"{SDC}sdc-questionnaire-observation-extract-category", "valueCodeableConcept": kind}] if said else []
    )
    asked = item("1", "decimal", "Hours asleep", code=[ASLEEP], extension=[EXTRACT, HOURS, *named])
    submission = world.submit(**whole(of_form(form(asked), {"linkId": "1", "answer": [{"valueDecimal": 6.5}]})))
    _, [made] = proposing.every_proposal(world.actor(), submission, DESK)
    assert made.change
    assert [code for each in made.change.resource["category"] for _, code in codes_of(each)] == told


def test_a_result_in_other_words_keeps_its_unit_and_the_patient_reads_only_what_they_wrote(world: World) -> None:
    submission = sent(world)
    page = text(world.signed_in(), path(submission))
    assert "Result (hours)" in page
    assert "Version 2.0" in page, "which version was answered"
    assert edit(world, submission, "Hours asleep", value="5").saved == 1
    service.finish(world.actor(), submission, DESK)
    [told] = session().get_one(Submission, submission).history[-1].why["changed"]
    assert (told["said"], told["now"]) == ("6.5 hours", "5 hours")
