"""What the bundled forms work out: totals and bands at every boundary, for staff and never for the patient."""

from __future__ import annotations

from typing import Any

import pytest

from tests.forms.filling import ADULT, begun, codes, nodes, said


def spread(name: str, questions: int, most: int, total: int) -> dict[str, Any]:
    """Answers to so many questions that add up to the total."""
    made = {}
    for number in range(1, questions + 1):
        made[f"{name}-{number}"] = min(most, total)
        total -= made[f"{name}-{number}"]
    assert total == 0
    return made


PHQ = [
    (0, "minimal"),
    (4, "minimal"),
    (5, "mild"),
    (9, "mild"),
    (10, "moderate"),
    (14, "moderate"),
    (15, "moderately-severe"),
    (19, "moderately-severe"),
    (20, "severe"),
    (27, "severe"),
]
GAD = [*PHQ[:6], (15, "severe"), (21, "severe")]


@pytest.mark.parametrize(
    ("slug", "name", "questions", "total", "severity"),
    [("phq-9", "phq", 9, *each) for each in PHQ] + [("gad-7", "gad", 7, *each) for each in GAD],
)
def test_mood_and_worry_are_added_up(slug: str, name: str, questions: int, total: int, severity: str) -> None:
    found = codes(said(begun(slug), spread(name, questions, 3, total)))
    assert (found["score"], found["severity"]) == ([total], [severity])


@pytest.mark.parametrize(("slug", "name", "questions"), [("phq-9", "phq", 9), ("gad-7", "gad", 7)])
def test_a_part_of_the_answers_makes_no_total(slug: str, name: str, questions: int) -> None:
    found = codes(said(begun(slug), spread(name, questions - 1, 3, 6)))
    assert not {"score", "severity"} & found.keys()


@pytest.mark.parametrize("slug", ["phq-9", "gad-7"])
def test_how_difficult_it_is_is_asked_only_of_those_who_have_a_problem(slug: str) -> None:
    name, questions = ("phq", 9) if slug == "phq-9" else ("gad", 7)
    asked = [{node.link_id for node in nodes(said(begun(slug), spread(name, questions, 3, total)))} for total in (0, 1)]
    assert ["difficulty" in each for each in asked] == [False, True]


@pytest.mark.parametrize(
    ("gender", "answers", "score", "result"),
    [
        ("female", {"audit-1": 0}, 0, "negative"),
        ("female", {"audit-1": 1, "audit-2": 1, "audit-3": 0}, 2, "negative"),
        ("female", {"audit-1": 1, "audit-2": 1, "audit-3": 1}, 3, "positive"),
        ("male", {"audit-1": 1, "audit-2": 1, "audit-3": 1}, 3, "negative"),
        ("male", {"audit-1": 2, "audit-2": 1, "audit-3": 1}, 4, "positive"),
        ("other", {"audit-1": 3, "audit-2": 0, "audit-3": 0}, 3, "positive"),
    ],
)
def test_drinking(gender: str, answers: dict[str, int], score: int, result: str) -> None:
    found = codes(said(begun("audit-c", {**ADULT, "gender": gender}), answers))
    assert (found["score"], found["result"]) == ([score], [result])


def test_of_somebody_of_whom_nothing_is_known_there_is_a_total_and_no_verdict() -> None:
    """What is too much depends on the sex; the desk's own rule takes the total as everybody's but men's."""
    found = codes(said(begun("audit-c"), {"audit-1": 4, "audit-2": 4, "audit-3": 4}))
    assert found["score"] == [12] and "result" not in found


def test_who_never_drinks_is_asked_nothing_more_and_half_an_answer_makes_no_total() -> None:
    assert {node.link_id for node in nodes(said(begun("audit-c"), {"audit-1": 0}))} == {"page", "audit-1"}
    assert "score" not in codes(said(begun("audit-c"), {"audit-1": 1, "audit-2": 1}))


@pytest.mark.parametrize(
    ("answers", "needs"),
    [
        ({"living": 0, "problems": [7], "food-1": 2, "food-2": 2, "transport": 1, "utilities": 1}, []),
        ({"living": 1}, ["living"]),
        ({"living": 2}, ["living"]),
        ({"problems": [0, 6]}, ["living"]),
        ({"food-1": 1}, ["food"]),
        ({"food-2": 0}, ["food"]),
        ({"transport": 0}, ["transport"]),
        ({"utilities": 0}, ["utilities"]),
        ({"utilities": 2, "living": 2, "food-1": 0}, ["living", "food", "utilities"]),
    ],
)
def test_social_needs(answers: dict[str, Any], needs: list[str]) -> None:
    assert codes(said(begun("ahc-hrsn"), answers)).get("needs", []) == needs


@pytest.mark.parametrize(
    ("places", "score", "unsafe"),
    [((0, 0, 0, 0), 4, "below"), ((4, 2, 0, 0), 10, "below"), ((4, 2, 1, 0), 11, "unsafe")],
)
def test_safety(places: tuple[int, ...], score: int, unsafe: str) -> None:
    answers = {f"safety-{number}": place for number, place in enumerate(places, 1)}
    found = codes(said(begun("ahc-hrsn"), answers))
    assert (found["score"], found["unsafe"]) == ([score], [unsafe])


@pytest.mark.parametrize(("places", "score"), [((0, 0), 0), ((1, 2), 3), ((3, 3), 6)])
def test_the_short_mood_questions(places: tuple[int, int], score: int) -> None:
    found = codes(said(begun("health-history", ADULT), {"phq-1": places[0], "phq-2": places[1]}))
    assert found["phq-score"] == [score]


@pytest.mark.parametrize("slug", ["phq-9", "gad-7", "audit-c", "ahc-hrsn", "health-history"])
def test_the_patient_sees_no_total_neither_on_a_page_nor_among_the_answers_to_check(slug: str) -> None:
    worked_out = {"score", "severity", "result", "unsafe", "needs", "phq-score"}
    filling = begun(slug, ADULT)
    assert not worked_out & {node.link_id for node in nodes(filling)}
    assert not worked_out & {row.link_id for section in filling.summary("en") for row in section.rows}


AGES = {
    "2026-05-01": {"term", "milk", "baby-does"},
    "2024-11-01": {"term", "eats", "toddler-does", "dentist"},
    "2022-01-01": {"term", "eats", "preschool-does", "school"},
    "2018-01-01": {"eats", "school"},
    "2012-01-01": {"eats", "school", "alone"},
}
BY_AGE = {"term", "milk", "eats", "baby-does", "toddler-does", "preschool-does", "school", "alone", "dentist"}


@pytest.mark.parametrize("born", sorted(AGES))
def test_a_child_is_asked_what_fits_the_age(born: str) -> None:
    shown = {node.link_id for node in nodes(begun("paediatric-intake", {**ADULT, "birthDate": born}))}
    older = {"dentist"} if born < "2025" else set()
    assert shown & BY_AGE == AGES[born] | older


def test_without_a_record_the_age_is_what_the_family_says() -> None:
    assert not {"school", "term"} & {node.link_id for node in nodes(begun("paediatric-intake"))}
    told = said(begun("paediatric-intake"), {"born": {"valueDate": "2018-01-01"}})
    assert "school" in {node.link_id for node in nodes(told)}
