"""What may be accepted together with others is what is let in; everything else is looked at by itself, and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal import attention
from portal.attention.results import finding
from portal.review import service
from portal.review.matching import certain
from portal.review.proposal import Proposal, Risk
from portal.review.proposals import proposals
from portal.review.together import AGAIN, ANSWERED_FOR, NO_CODE, NO_RULE, NOT_PLAIN, SAID_TWICE, TIE_IN_DOUBT, Around
from tests import make
from tests.forms.filling import ADULT, NOW
from tests.review.answering import answer, answered, filled_by, of_form, say, template, whole
from tests.review.blocks import ALL, about, added
from tests.review.builders import SAID_AT, SUBJECT, Json, document, new, phone, record
from tests.review.conftest import DESK, World
from tests.review.test_pages import path, text
from tests.review.test_service import opened

OURS = attention.rules(None, "")
MAN = {**ADULT, "gender": "male"}


def beside(said: Json, *, around: str = "", patient: Json = ADULT) -> list[Proposal]:
    known = Around(around, lambda entry: OURS.finding(entry, patient, NOW))
    return proposals(
        said,
        record(**ALL, surveys=()),
        subject=SUBJECT,
        said_at=SAID_AT,
        told=say({"responses": [], **said}),
        around=known,
    )


def mood(*places: int) -> dict[str, int]:
    return {f"phq-{number}": place for number, place in enumerate(places, 1)}


def worry(*places: int) -> dict[str, int]:
    return {f"gad-{number}": place for number, place in enumerate(places, 1)}


SCREENS: dict[str, tuple[str, dict[str, Any], Json, bool]] = {
    "PHQ-9 of 9": ("phq-9", mood(2, 2, 2, 1, 1, 1, 0, 0, 0), ADULT, True),
    "PHQ-9 of 10": ("phq-9", mood(2, 2, 2, 2, 1, 1, 0, 0, 0), ADULT, False),
    "GAD-7 of 9": ("gad-7", worry(3, 3, 3, 0, 0, 0, 0), ADULT, True),
    "GAD-7 of 10": ("gad-7", worry(3, 3, 3, 1, 0, 0, 0), ADULT, False),
    "PHQ-2 of 2": ("health-history", mood(1, 1), ADULT, True),
    "PHQ-2 of 3": ("health-history", mood(1, 2), ADULT, False),
    "AUDIT-C of 3, a woman": ("audit-c", {"audit-1": 1, "audit-2": 1, "audit-3": 1}, ADULT, False),
    "AUDIT-C of 3, a man": ("audit-c", {"audit-1": 1, "audit-2": 1, "audit-3": 1}, MAN, True),
    "AUDIT-C of 4, a man": ("audit-c", {"audit-1": 2, "audit-2": 1, "audit-3": 1}, MAN, False),
    "AUDIT-C of 3, nobody knows": ("audit-c", {"audit-1": 1, "audit-2": 1, "audit-3": 1}, {}, False),
    "no transport": ("ahc-hrsn", {"transport": 0}, ADULT, False),
    "transport": ("ahc-hrsn", {"transport": 1}, ADULT, True),
    "smokes": ("health-history", {"smoking": 2}, ADULT, False),
    "used to smoke": ("health-history", {"smoking": 1}, ADULT, True),
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_positive_screen_is_looked_at_by_itself_and_says_why(name: str) -> None:
    slug, answers, patient, plain = SCREENS[name]
    (made,) = beside(whole(answered(slug, answers)), patient=patient)
    assert made.unremarkable is plain
    assert (made.risk is Risk.LOOK and bool(made.reasons)) is not plain


def test_every_result_that_a_bundled_form_makes_is_known_to_a_rule_or_looked_at() -> None:
    """Height and weight as somebody says them may be in the wrong unit: no rule calls them plain."""
    known = {code for rule in OURS.known for code in rule.codes}
    assert {"44261-6", "55758-7", "70274-6", "75626-2", "95614-4", "72166-2"} <= known
    assert not {"3138-5", "3142-7"} & known


WEIGHT = {"linkId": "q", "answer": [{"valueString": "70"}]}


def result(**more: Any) -> Json:
    return {"resourceType": "Observation", "code": {"coding": [{"code": "44261-6"}]}, "valueInteger": 3, **more}


def marked(code: str) -> Json:
    return {"interpretation": [{"coding": [{"code": code, "display": "High"}]}]}


@pytest.mark.parametrize(
    ("entry", "plain"),
    [
        (result(), True),
        (result(**marked("N")), True),
        (result(**marked("H")), False),
        (result(**marked("A")), False),
        (result(component=[{"valueInteger": 3, **marked("LL")}]), False),
        (result(interpretation=[{"text": "worrying"}]), False),
        (result(valueInteger=None), False),
        (result(valueInteger=12), False),
        (result(code={"coding": [{"code": "1-1"}]}), False),
        (result(code={"text": "A score of our own"}), False),
    ],
)
def test_only_a_known_ordinary_result_is_plain(entry: Json, plain: bool) -> None:
    entry = {name: held for name, held in entry.items() if held is not None}
    assert finding(OURS.known, entry, {}, NOW).plain is plain


def test_a_rule_that_cannot_be_worked_out_calls_nothing_plain() -> None:
    (rule,) = [each for each in OURS.known if each.key == "phq-9"]
    broken = replace(rule, plain=attention.fhirpath.compile("%nothing", attention.fhirpath.R4))
    assert not finding((broken,), result(), {}, NOW).plain


LET_IN = {
    "a changed phone": phone("changed", "555 0199"),
    "another e-mail": new("contact", "new@example.org"),
    "somebody new to call": added("person", "Rosa Diaz", phone="555 0777"),
    "a relative's new number": about("person", "changed", phone="555 0888"),
}
ALONE: dict[str, tuple[Json, str]] = {
    "a medicine in words": (new("medication", "Ibuprofen"), NO_CODE),
    "a condition in words": (new("condition", "Migraine"), NO_CODE),
    "an illness of a relative": (added("family", "Sister", more="Asthma"), NO_CODE),
    "a vaccination": (added("immunization", "Tetanus", more="2019"), NO_CODE),
    "a phone that is no more": (phone("stopped"), NOT_PLAIN),
}


@pytest.mark.parametrize("name", LET_IN)
def test_how_to_reach_people_is_let_in(name: str) -> None:
    (made,) = beside(document(LET_IN[name]))
    assert made.unremarkable


@pytest.mark.parametrize("name", ALONE)
def test_what_nobody_has_let_in_is_looked_at_by_itself(name: str) -> None:
    said, why = ALONE[name]
    (made,) = beside(document(said))
    assert (made.unremarkable, made.alone) == (False, why)


def test_a_result_that_no_rule_knows_is_looked_at_and_so_is_one_said_twice() -> None:
    raw = template("Observation", code={"text": "Mood today"}, **{"_valueString": filled_by("answer.value")})
    (unknown,) = beside(whole(of_form(raw, answer("fine"))))
    assert (unknown.unremarkable, unknown.alone) == (False, NO_RULE)
    one, other = answered("phq-9", mood(1, 1, 1, 0, 0, 0, 0, 0, 0)), answered("phq-9", mood(*[0] * 9), "v2")
    twice = beside({**whole(one), "responses": [one[1], other[1]]})
    assert [each.alone for each in twice] == [SAID_TWICE, SAID_TWICE]


@pytest.mark.parametrize(
    ("relation", "why"), [("carer", ANSWERED_FOR), ("representative", ANSWERED_FOR), ("parent", "")]
)
def test_what_another_adult_says_for_the_patient_is_looked_at(relation: str, why: str) -> None:
    said = {**document(phone("changed", "555 0199")), "by": {"name": "Rosa", "behalf": {"relation": relation}}}
    (made,) = beside(said)
    assert made.alone == why


def test_what_is_sent_again_is_looked_at(world: World) -> None:
    facts = phone("changed", "555 0199"), new("contact", "new@example.org")
    assert len(opened(world, world.submit(*facts)).bulk) == 2
    view = opened(world, world.submit(*facts))
    assert (view.bulk, view.one_by_one) == ([], AGAIN)
    assert AGAIN in text(world.signed_in(), path(view.submission.id))


def test_a_tie_that_only_a_person_made_lets_nothing_in() -> None:
    agrees = {"given": "agrees", "family": "agrees", "birth_date": "agrees"}
    assert not certain(agrees)
    assert certain({**agrees, "phone": "agrees"})
    assert not certain({**agrees, "phone": "agrees", "gender": "differs"})
    (made,) = beside(document(phone("changed", "555 0199")), around=TIE_IN_DOUBT)
    assert made.alone == TIE_IN_DOUBT


def test_what_was_let_in_when_the_page_was_drawn_is_asked_again_when_it_is_saved(world: World) -> None:
    positive = whole(answered("phq-9", mood(*[2] * 8, 0)), facts=(phone("changed", "555 0199"),))
    visit = make.visit(world.patient, in_days=4)
    submission = world.submit(visit=visit, **positive)
    view = service.open_submission(world.actor(), submission, DESK)
    listed = [(item.proposal.key, item.seen) for item in view.items]
    decided = service.accept_unremarkable(world.actor(), submission, listed, DESK)
    assert decided.saved == 1
    assert [each.title for each in decided.lost] == ["PHQ-9 total, of 27"]
    assert "PHQ-9 of 10 or more" in text(world.signed_in(), path(submission))
