"""choiceColumn: what an answer is called by, and what else is told of each, of resources and of codes."""

from __future__ import annotations

from typing import Any

from tests.questionnaire.make import SDC, answered, every, filling, form, option, q, sdc, values


def column(path: str, label: str = "", *, shown: bool = False, spanish: str = "") -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"url": "path", "valueString": path}, {"url": "forDisplay", "valueBoolean": shown}]
    if label:
        inner = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": spanish}]
        said = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": inner}]}
        parts.append({"url": "label", "valueString": label, **({"_valueString": said} if spanish else {})})
    return {"url": SDC + "choiceColumn", "extension": parts}


DOCTORS = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Practitioner", "id": "1", "name": [{"family": "King", "given": ["Ada"]}], "birthDate": "1990-05"}},
        {"resource": {"resourceType": "Practitioner", "id": "2", "name": [{"family": "Bo"}], "active": True}},
    ],
}  # fmt: skip
COLUMNS = [
    column("name.first().family", shown=True),
    column("name.given.first()", shown=True),
    column("birthDate", "Born", spanish="Nacida"),
    column("active", "Works here"),
    column("telecom.value", "Phone"),
]


def fetched(query: str) -> dict[str, Any]:
    return DOCTORS


def asked(kind: str, **fields: Any) -> Any:
    query = {"language": "application/x-fhir-query", "expression": "Practitioner?active=true"}
    extension = [{"url": SDC + "answerExpression", "valueExpression": query}, *COLUMNS]
    return form(q("a", kind, ext=extension, **fields))


def test_a_resource_is_called_by_its_columns_and_the_others_stand_beside() -> None:
    made = asked("reference")
    assert made.features.not_honoured == ()
    for language, beside in (("en-GB", "Born: May 1990"), ("es", "Nacida: mayo de 1990")):
        held = filling(made, fetch=fetched, language=language)
        listed = every(held)["a"].options
        assert (listed[0].label, listed[0].beside) == ("King Ada", beside)
        assert (listed[1].label, listed[1].beside[-3:].strip()) == ("Bo", "Yes" if language != "es" else "Sí")
        chosen = answered(held, a=listed[0].value)
        assert every(chosen)["a"].options[0].selected
        assert values(chosen.response("completed"))["a"] == [{"reference": "Practitioner/1", "display": "King Ada"}]


def test_codes_have_columns_too_and_keep_their_display() -> None:
    columns = [column("code", "Code"), column("display", shown=True)]
    made = form(q("a", "choice", answerOption=[option("x", "Ex"), option("y")], ext=columns))
    listed = every(filling(made))["a"].options
    assert [(one.label, one.beside, one.value) for one in listed] == [
        ("Ex", "Code: x", {"valueCoding": option("x", "Ex")["valueCoding"]}),
        ("y", "Code: y", {"valueCoding": option("y")["valueCoding"]}),
    ]


def test_columns_that_cannot_be_read_change_nothing() -> None:
    made = form(q("a", "choice", answerOption=[option("x", "Ex")], ext=[column("((", "Bad"), sdc("choiceColumn", "x")]))
    assert [(one.label, one.beside) for one in every(filling(made))["a"].options] == [("Ex", "")]
