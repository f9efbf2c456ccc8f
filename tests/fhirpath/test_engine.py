"""What callers rely on: results, variables, hosts, types, precision, and errors that point."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from portal.fhirpath import (
    FhirDate,
    FhirDateTime,
    FhirPathError,
    FhirPathEvaluationError,
    FhirPathSyntaxError,
    FhirPathUnsupported,
    Host,
    Node,
    Quantity,
    ResponseIndex,
    compile,
    node,
)
from portal.fhirpath.ast import Call, Member, Path, Variable

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=2)))
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "birthDate": "1974-12",
    "_birthDate": {"extension": [{"url": "urn:x", "valueString": "about"}]},
    "name": [{"family": "Lovelace", "given": ["Ada", "Augusta"]}],
    "contact": [{"name": {"family": "Byron"}}],
    "managingOrganization": {"reference": "#org"},
    "contained": [{"resourceType": "Organization", "id": "org", "name": "Clinic"}],
}
RESPONSE: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "item": [
        {
            "linkId": "w",
            "answer": [
                {"valueQuantity": {"value": Decimal("70.0"), "system": "http://unitsofmeasure.org", "code": "kg"}}
            ],
        },
        {"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueCoding": {"system": "s", "code": "often"}}]}]},
    ],
}


def evaluated(expression: str, data: Any = PATIENT, **more: Any) -> list[Any]:
    return compile(expression).evaluate(data, more.pop("variables", {}), now=NOW, **more)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("name.given", ["Ada", "Augusta"]),
        ("birthDate", [FhirDate.parse("1974-12")]),
        ("birthDate.extension('urn:x').value", ["about"]),
        ("birthDate + 1 month", [FhirDate.parse("1975-01")]),
        ("birthDate.substring(0, 4)", ["1974"]),
        ("contact is BackboneElement", [True]),
        ("managingOrganization.resolve().name", ["Clinic"]),
        ("1.10 + 2.20", [Decimal("3.30")]),
        ("2.5.round()", [Decimal(3)]),
        ("7 div 2 + 7 mod 2", [4]),
        ("now()", [FhirDateTime.parse("2026-11-21T09:30:00.000+02:00")]),
        ("today() > @2026-11-20", [True]),
        ("{} or true", [True]),
        ("({} and true).empty()", [True]),
        ("1 'kg' = 1000 'g'", [True]),
        ("(37 'Cel').toQuantity('[degF]')", [Quantity(Decimal("98.6"), "[degF]")]),
        (
            "%ucum & '|' & %`ext-birthPlace`",
            ["http://unitsofmeasure.org|http://hl7.org/fhir/StructureDefinition/birthPlace"],
        ),
        ("name.select(given | family).count()", [3]),
        ("defineVariable('n', name.first()).select(%n.family)", ["Lovelace"]),
        ("(1 | 3 | 2).sort($this desc)", [3, 2, 1]),
    ],
)
def test_an_expression_gives_its_values(expression: str, expected: list[Any]) -> None:
    assert evaluated(expression) == expected


def test_a_decimal_keeps_its_digits() -> None:
    (found,) = evaluated("item.where(linkId = 'w').answer.value.value", RESPONSE)
    assert str(found) == "70.0"


def test_a_complex_result_is_the_raw_json() -> None:
    (found,) = evaluated("item.where(linkId = 'w').answer.value", RESPONSE)
    assert found is RESPONSE["item"][0]["answer"][0]["valueQuantity"]


def test_items_keep_their_type_for_the_next_expression() -> None:
    (item,) = compile("item.where(linkId = 'w').answer.value").evaluate_items(RESPONSE)
    assert isinstance(item, Node)
    assert evaluated("%w > 69000 'g'", RESPONSE, variables={"w": item}) == [True]
    assert evaluated("%w is Quantity", RESPONSE, variables={"w": item}) == [True]
    assert evaluated("%w > 69000 'g'", RESPONSE, variables={"w": item.value}) == [True]


def test_an_element_without_a_resource_type_can_be_given_its_type() -> None:
    item = node(RESPONSE["item"][0], "QuestionnaireResponse.item")
    assert compile("answer.value is Quantity").evaluate(item) == [True]
    assert compile("answer.value.value").evaluate(RESPONSE["item"][0]) == [Decimal("70.0")]


def test_free_variables_are_those_the_caller_must_give() -> None:
    assert compile("%a + %b.where($this > %a) | defineVariable('c').select(%c)").free_variables == {"a", "b"}


def test_a_missing_variable_is_an_error_and_an_empty_one_is_not() -> None:
    with pytest.raises(FhirPathEvaluationError):
        evaluated("%nothing")
    assert evaluated("%nothing", variables={"nothing": None}) == []


def test_the_time_must_be_given() -> None:
    with pytest.raises(FhirPathError):
        compile("now()").evaluate(PATIENT)


def test_a_value_without_a_zone_is_in_the_zone_of_now() -> None:
    assert evaluated("@2026-11-21T09:30:00 = @2026-11-21T07:30:00Z") == [True]
    assert compile("@2026-11-21T09:30:00 = @2026-11-21T07:30:00Z").evaluate(PATIENT) == []
    assert compile("now() = now()").evaluate(PATIENT, now=datetime(2026, 1, 1, tzinfo=UTC)) == [True]


def test_the_tree_of_a_look_up_is_flat() -> None:
    tree = compile("%resource.repeat(item).where(linkId = 'x').answer.value").ast
    assert isinstance(tree, Path)
    assert isinstance(tree.head, Variable)
    assert [type(step) for step in tree.steps] == [Call, Call, Member, Member]


@pytest.mark.parametrize(
    ("expression", "position"),
    [
        ("1 + 1 foo )", 6),
        ("", 0),
        ("name..given", 5),
        ("'open", 0),
        ("name.where(", 11),
        ("@2014-13", 0),
        ("nonsense(1)", 0),
        ("1 is Nonsense", 2),
    ],
)
def test_a_mistake_is_refused_with_its_place(expression: str, position: int) -> None:
    with pytest.raises(FhirPathSyntaxError) as refused:
        compile(expression)
    assert refused.value.position == position


@pytest.mark.parametrize(
    "profile", ["https://example.org/StructureDefinition/Patient", "http://hl7.org/fhir/StructureDefinition/bp"]
)
def test_a_profile_that_nobody_here_can_check_is_refused_by_name(profile: str) -> None:
    with pytest.raises(FhirPathUnsupported, match=profile) as refused:
        compile(f"name.conformsTo('{profile}')")
    assert refused.value.position == 5
    with pytest.raises(FhirPathEvaluationError, match=profile):
        compile("conformsTo(%profile)").evaluate({}, {"profile": profile})


@pytest.mark.parametrize(("sound", "conforms"), [(True, True), (None, True), (False, False)])
def test_what_conforms_to_a_type_is_of_it_and_built_as_it_asks(sound: bool | None, conforms: bool) -> None:
    class Looking(Host):
        def sound(self, resource: dict[str, Any]) -> bool | None:
            return sound

    said = compile("conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')")
    assert said.evaluate({"resourceType": "Patient"}, context=Looking()) == [conforms]
    assert said.evaluate({"resourceType": "Person"}, context=Looking()) == [False]
    name = compile("name.conformsTo('http://hl7.org/fhir/StructureDefinition/Element')")
    assert name.evaluate({"resourceType": "Patient", "name": [{"text": "A"}]}, context=Looking()) == [True]


class Clinic(Host):
    """Answers what the tests ask."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def items_by_link_id(self, node: Node, how: str, link_id: str) -> list[Any] | None:
        self.asked.append((how, link_id))
        return [{"linkId": link_id, "answer": [{"valueString": "from the index"}]}]

    def resolve(self, reference: str) -> dict[str, Any] | None:
        return {"resourceType": "Practitioner", "id": reference}

    def member_of(self, coded: dict[str, Any] | str, value_set: str) -> bool | None:
        return coded == "yes" if value_set == "urn:vs" else None

    def terminology(self, operation: str, arguments: list[list[Any]]) -> dict[str, Any] | None:
        return {"resourceType": "ValueSet", "url": arguments[0][0], "expansion": {"contains": [{"code": operation}]}}


@pytest.mark.parametrize(
    ("expression", "how"),
    [
        ("%resource.repeat(item).where(linkId = 'q').answer.value", "repeat"),
        ("%resource.descendants().where('q' = linkId).answer.value", "descendants"),
        ("item.where($this.linkId = 'q').answer.value", "item"),
        ("QuestionnaireResponse.item.where(linkId='q').answer.value", "item"),
    ],
)
def test_a_host_with_an_index_is_asked_instead_of_walking(expression: str, how: str) -> None:
    host = Clinic()
    assert evaluated(expression, RESPONSE, context=host) == ["from the index"]
    assert host.asked == [(how, "q")]


def test_a_host_resolves_and_knows_value_sets() -> None:
    host = Clinic()
    assert evaluated("'Practitioner/1'.resolve() is Practitioner", context=host) == [True]
    assert evaluated("'yes'.memberOf('urn:vs')", context=host) == [True]
    assert evaluated("'yes'.memberOf('urn:unknown')", context=host) == []
    assert evaluated("%terminologies.expand('urn:vs').expansion.contains.code", context=host) == ["expand"]
    assert evaluated("%terminologies.expand('urn:vs')") == []


WEIGHT = "http://hl7.org/fhir/StructureDefinition/itemWeight"
OFTEN = {"system": "s", "code": "often"}
FORMS = {
    "on the option": {
        "answerOption": [{"valueCoding": OFTEN, "extension": [{"url": WEIGHT, "valueDecimal": Decimal(3)}]}]
    },
    "on the coding": {
        "answerOption": [{"valueCoding": {**OFTEN, "extension": [{"url": WEIGHT, "valueDecimal": Decimal(3)}]}}]
    },
    "in a contained value set": {"answerValueSet": "#vs"},
}


@pytest.mark.parametrize("where", FORMS)
def test_a_score_is_found_where_the_form_keeps_it(where: str) -> None:
    concept = {"code": "often", "extension": [{"url": WEIGHT, "valueDecimal": Decimal(3)}]}
    form = {
        "resourceType": "Questionnaire",
        "contained": [
            {"resourceType": "ValueSet", "id": "vs", "compose": {"include": [{"system": "s", "concept": [concept]}]}}
        ],
        "item": [{"linkId": "g", "item": [{"linkId": "a", **FORMS[where]}]}],
    }
    for text in (
        "%resource.repeat(item).answer.weight().sum()",
        "%resource.descendants().where(linkId='a').answer.value.ordinal()",
    ):
        assert evaluated(text, RESPONSE, variables={"questionnaire": form}, context=ResponseIndex()) == [3]


def test_a_score_on_the_answer_itself_comes_first() -> None:
    coding = {**OFTEN, "extension": [{"url": WEIGHT, "valueDecimal": Decimal("1.5")}]}
    data = {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "a", "answer": [{"valueCoding": coding}]}]}
    assert evaluated("item.answer.value.weight()", data) == [Decimal("1.5")]


def test_equal_elements_count_once_in_repeat_with_and_without_an_index() -> None:
    twice = {"linkId": "r", "answer": [{"valueInteger": 2}]}
    data = {"resourceType": "QuestionnaireResponse", "item": [twice, dict(twice)]}
    for host in (None, ResponseIndex()):
        assert evaluated("repeat(item).where(linkId='r').answer.value", data, context=host) == [2]
        assert evaluated("item.where(linkId='r').answer.value", data, context=host) == [2, 2]


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("<div xmlns='http://www.w3.org/1999/xhtml'><p>Hello</p></div>", True),
        ("<div><script>alert(1)</script></div>", False),
        ("<div onclick='x()'>Hello</div>", False),
        ("<div></div>", False),
        ("Hello", False),
    ],
)
def test_html_checks_hold_to_the_rules_of_narratives(text: str, sound: bool) -> None:
    data = {"resourceType": "Patient", "text": {"status": "generated", "div": text}}
    assert evaluated("text.`div`.htmlChecks()", data) == [sound]


PEOPLE = {
    "resourceType": "Bundle",
    "entry": [
        {"fullUrl": "https://a.org/Patient/1", "resource": {"resourceType": "Patient", "id": "1"}},
        {"resource": {"resourceType": "Patient", "id": "2"}},
        {"fullUrl": "https://a.org/Patient/3", "resource": {"resourceType": "Patient", "id": "9"}},
        {"fullUrl": "https://a.org/Patient/4"},
        None,
        {
            "fullUrl": "https://a.org/List/l",
            "resource": {
                "resourceType": "List",
                "entry": [{"item": {"reference": f"Patient/{n}"}} for n in range(1, 5)],
            },
        },
    ],
}


@pytest.mark.parametrize(
    ("expression", "ids"),
    [
        ("'Patient/1'.resolve()", ["1"]),
        ("'https://a.org/Patient/1'.resolve()", ["1"]),
        ("'Patient/2'.resolve()", ["2"]),
        ("'Patient/3'.resolve()", []),
        ("'Patient/4'.resolve()", []),
        ("entry.resource.ofType(List).entry.item.resolve()", ["1", "2"]),
    ],
)
def test_a_reference_in_a_bundle_means_the_entry_that_is_that_resource(expression: str, ids: list[str]) -> None:
    """Not another one that only lies at an address like it."""
    assert [one["id"] for one in compile(expression).evaluate(PEOPLE)] == ids


@pytest.mark.parametrize("text", ['iif(true, "a", "b")', "name.where(use = \u2018usual\u2019)"])
def test_other_quotation_marks_are_told(text: str) -> None:
    with pytest.raises(FhirPathSyntaxError, match="single straight quotation marks"):
        compile(text)
