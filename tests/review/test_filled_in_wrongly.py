"""A form in work that was filled in from somebody else's record: what nobody confirmed goes, what was confirmed is marked and told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.accounts.models import Patient
from portal.db import session
from portal.intake import drafts, filling, library, pace, sending, withdrawing
from portal.intake.models import Visit
from portal.questionnaire import load, origin
from portal.questionnaire.nodes import questions
from portal.review import service
from tests import make
from tests.intake.make_forms import control, item
from tests.intake.make_forms import form as made_form
from tests.intake.test_recorded import LAUNCH, initially, searched
from tests.library import shelf
from tests.review.at_the_clinic import at_the_clinic, untied
from tests.review.conftest import World
from tests.review.test_pages import path, text

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FRESH, SLUG = timedelta(days=1), "health-history"
SEARCHED = made_form(
    item("page", "group", "From the record", extension=[control("page")], item=[
        item("count", "integer", extension=[initially("%conditions.entry.count()")]),
        item("pills", "string", repeats=True, extension=[initially("%pills.entry.resource.medication.text")]),
    ]),
    item("own", "group", "Your own", extension=[control("page")], item=[item("words", "string")]),
    extension=[
        LAUNCH,
        searched("conditions", "Condition?patient={{%patient.id}}"),
        searched("pills", "MedicationRequest?patient={{%patient.id}}"),
    ],
)  # fmt: skip


def filled_in(work: filling.Work, key: str) -> dict[str, list[Any]]:
    """What came from the record on this page, by name."""
    return {node.name: node.answers for node in questions(work.filling.nodes(key)) if any(map(origin, node.answers))}


def kept(visit: Visit) -> dict[str, Any]:
    row = drafts.of_visit(visit)[library.task(SLUG)]
    return dict(row.document)


@pytest.mark.parametrize("form", ["by the patient", "by searches"])
@pytest.mark.parametrize("confirmed", [False, True], ids=["not seen", "confirmed"])
def test_what_was_filled_in_from_another_record_goes_or_is_marked(
    world: World, tmp_path: Path, confirmed: bool, form: str
) -> None:
    if form == "by searches":
        shelf.put(world.clinic_id, SLUG, load(SEARCHED))
    with at_the_clinic(world, tmp_path):
        _, patient_id = untied(world, phone="+1 217 555 0108")
        staff = world.actor()
        service.link(staff, patient_id, "Patient/maria-garcia-b", "Guessed")
        patient = session().get_one(Patient, patient_id)
        visit, person = make.visit(patient, in_days=4), make.patient_actor(patient, "a" * 16)
        work = filling.work(person, visit, SLUG, "en", FRESH)
        places = [key for key in work.filling.keys if filled_in(work, key)]
        assert places, "this form fills something in from the record"
        page = places[0] if confirmed else next(key for key in work.filling.keys if key not in places)
        shown = {node.name: node.answers for node in questions(work.filling.nodes(page)) if not node.read_only}
        before = filled_in(work, page)
        seen = {name: filling.digest(answers) for name, answers in shown.items()}
        filling.save_page(person, work, page, shown, seen, turn=pace.Turn(goes_on=True))
        assert service.undo(staff, patient_id, "She was born in March") == []
        session().expire_all()
        again = filling.work(person, visit, SLUG, "en", FRESH)
        still = {name for key in again.filling.keys for name in filled_in(again, key)}
        if not confirmed:
            assert still == set()
            assert not kept(visit).get(withdrawing.NOTE)
            return
        marked = kept(visit)[withdrawing.NOTE]
        assert still == set(), "on the pages that were not saved"
        assert len(marked) >= len(before) > 0
        told = withdrawing.standing(drafts.of_visit(visit), [again])
        assert told == [each["text"] for each in marked.values()]
        filling.save_page(person, filling.work(person, visit, SLUG, "en", FRESH), page, {}, {})
        assert kept(visit)[withdrawing.NOTE] == marked, "the next save keeps the mark"
        assert sending.tasks(person, visit)
        submission = world.submit(patient=patient, visit=make.visit(patient, in_days=5), withdrawn=told)
        assert "Ask them to check again" in text(world.signed_in(), path(submission))
