"""Lists that only a terminology server has: searched, checked, and never in the way when it cannot be asked."""

from __future__ import annotations

from typing import Any

from portal.questionnaire import parse
from tests.questionnaire.make import answered, codes, every, filling, form, hl7, q, sdc

DRUGS = [
    {"system": "rx", "code": str(number), "display": name}
    for number, name in enumerate(["Aspirin", "Ibuprofen", "Paracetamol"])
]
SET = "https://example.org/ValueSet/drugs"


class Server:
    """Holds a few drugs, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def expand(
        self, value_set: str, *, filter: str = "", count: int = 0, server: str = ""
    ) -> list[dict[str, Any]] | None:
        self.asked.append((value_set, filter, server))
        found = [drug for drug in DRUGS if filter.lower() in drug["display"].lower()]
        return found[:count] if count else found

    def contains(self, value_set: str, coding: dict[str, Any], *, server: str = "") -> bool | None:
        return any(drug["code"] == coding.get("code") for drug in DRUGS)


class Silent(Server):
    def expand(self, value_set: str, *, filter: str = "", count: int = 0, server: str = "") -> None:
        return None

    def contains(self, value_set: str, coding: dict[str, Any], *, server: str = "") -> None:
        return None


PREFERRED = sdc("preferredTerminologyServer", "") | {"valueUrl": "https://tx.example.org"}
PREFERRED.pop("valueExpression")
FORM = form(q("drug", "choice", answerValueSet=SET, required=True, ext=[PREFERRED]))


def test_what_is_typed_is_searched_at_the_preferred_server() -> None:
    server = Server()
    found = filling(FORM, terminology=server).search("q1", "para")
    assert [str(option.label) for option in found] == ["Paracetamol"]
    assert server.asked[-1] == (SET, "para", "https://tx.example.org")


def test_an_answer_is_checked_against_the_server() -> None:
    filled = answered(filling(FORM, terminology=Server()), drug={"valueCoding": DRUGS[0]})
    assert filled.check() == []
    wrong = filled.answer({"q1": [{"valueCoding": {"system": "rx", "code": "99"}}]})
    assert codes(wrong.check()) == [("drug", "option")]


def test_a_server_that_cannot_be_asked_stops_nobody_and_is_told_to_staff() -> None:
    filled = filling(FORM, terminology=Silent())
    assert filled.search("q1", "para") == []
    assert filled.check() == []
    assert [trouble.what for trouble in filled.troubles] == ["answerValueSet"]
    unsure = filled.answer({"q1": [{"valueCoding": DRUGS[0]}]}).check()
    assert [(issue.code, issue.severity) for issue in unsure] == [("option-unknown", "information")]
    assert [(missed.link_id, missed.feature) for missed in FORM.features.not_honoured] == [("drug", "answerValueSet")]


def test_what_was_found_elsewhere_is_posted_as_a_coding() -> None:
    node = every(filling(FORM, terminology=Silent()))["drug"]
    assert (node.control, node.lookup) == ("autocomplete", True)
    assert parse.answer(node, DRUGS[1])[0] == [{"valueCoding": DRUGS[1]}]


def test_candidates_are_offered_as_options() -> None:
    candidates = sdc("candidateExpression", "%patient.generalPractitioner")
    made = form(q("who", "reference", ext=[candidates]))
    doctors = [
        {"reference": "Practitioner/1", "display": "Dr One"},
        {"reference": "Practitioner/2", "display": "Dr Two"},
    ]
    node = every(filling(made, launch={"patient": {"resourceType": "Patient", "generalPractitioner": doctors}}))["who"]
    assert [str(option.label) for option in node.options] == ["Dr One", "Dr Two"]
    assert node.control == "radios"


def test_a_title_may_be_worked_out_and_stays_text() -> None:
    expression = {
        "extension": [
            hl7(
                "cqf-expression",
                valueExpression={"language": "text/fhirpath", "expression": "'For ' + %patient.name.first().family"},
            )
        ]
    }
    made = form(q("a"), _title=expression)
    filled = filling(made, launch={"patient": {"resourceType": "Patient", "name": [{"family": "<b>"}]}})
    assert filled.title == "For <b>"


def test_words_for_a_list_that_is_not_at_hand_are_an_answer_to_be_coded_later() -> None:
    silent = filling(FORM, terminology=Silent())
    answers, issues = parse.answer(every(silent)["drug"], "a blue pill")
    assert (answers, issues) == ([{"valueCoding": {"display": "a blue pill"}}], [])
    assert [issue.severity for issue in silent.answer({"q1": answers}).check()] == ["information"]
    assert codes(filling(FORM, terminology=Server()).answer({"q1": answers}).check()) == [("drug", "option")]


def test_a_code_of_a_system_that_a_list_has_nothing_of_cannot_be_in_it() -> None:
    countries = {
        "resourceType": "ValueSet",
        "id": "v",
        "compose": {"include": [{"system": "urn:iso:std:iso:3166"}, {"valueSet": ["#w"]}]},
    }
    regions = {"resourceType": "ValueSet", "id": "w", "compose": {"include": [{"system": "urn:iso:std:iso:3166:-2"}]}}
    unit = hl7("questionnaire-unitValueSet", valueCanonical="#v")
    made = form(q("a", "choice", answerValueSet="#v"), q("b", "quantity", ext=[unit]), contained=[countries, regions])

    def told(system: str) -> list[tuple[str, str]]:
        code = {"system": system, "code": "AU"}
        answers = {"q1": [{"valueCoding": code}], "q2": [{"valueQuantity": {"value": 1, "unit": "AU", **code}}]}
        return [(issue.link_id, issue.code) for issue in filling(made).answer(answers).check() if issue.blocks]

    assert told("http://unitsofmeasure.org") == [("a", "option"), ("b", "unit")]
    assert told("urn:iso:std:iso:3166") == told("urn:iso:std:iso:3166:-2") == []
