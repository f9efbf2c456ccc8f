"""Vectors E22–E25: what is hidden leaves no trace in a response, in what depends on it, in counts, or inside other resources."""

import json
import random

from portal.consent import codes
from portal.consent.decision import Policy, Resource, decide
from portal.consent.describing import REDACTED, describe, sift
from portal.consent.provisions import read
from portal.consent.redaction import INLINE_LABEL, closure, item_labels, labelled, parts, redact
from tests.consent.make import BASE, ZONE, ask, consent, inner, label, labels, permit

NO_PSY = consent(permit(inner("deny", securityLabel=[label("PSY")])))
RULES = [read(NO_PSY, base=BASE, zone=ZONE)]
CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
ENABLE = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression"
VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"


def item(link_id, *names, **changes):
    marks = [{"url": INLINE_LABEL, "valueCoding": label(name)} for name in names]
    expressions = changes.pop("expressions", [])
    return {"linkId": link_id, "type": "string", "extension": marks + expressions, **changes}


def expression(url, text, name=None):
    return {
        "url": url,
        "valueExpression": {"language": "text/fhirpath", "expression": text, **({"name": name} if name else {})},
    }


def form(*items, **changes):
    return {"resourceType": "Questionnaire", "url": "urn:form", "status": "active", "item": list(items), **changes}


def response(*items):
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "status": "completed",
        "text": {"status": "generated", "div": "<div>I feel low</div>"},
        "item": list(items),
    }


def said(link_id, value, *children):
    return {"linkId": link_id, "answer": [{"valueString": value, **({"item": list(children)} if children else {})}]}


def hidden_in(questionnaire):
    asked = Resource(type="QuestionnaireResponse", labels=labels("N"), parts=parts(questionnaire))
    made = decide(ask(of=asked), RULES, Policy.DENY)
    assert made.permit
    return made.redact


def count(answered):
    return sum(1 for _ in answered.get("item", []))


def test_e22_a_hidden_item_leaves_no_trace():
    questionnaire = form(item("sleep", "N"), item("mood-secret", "PSY"), item("diet", "N"))
    whole = response(said("sleep", "well"), said("mood-secret", "low"), said("diet", "mixed"))
    shown = redact(whole, hidden_in(questionnaire), questionnaire)
    assert count(shown) == 2
    assert shown["meta"]["security"] == [REDACTED]
    assert "mood-secret" not in json.dumps(shown) and "low" not in json.dumps(shown)
    assert count(whole) == 3, "the original is not touched"


def test_nothing_hidden_leaves_the_response_as_it_was():
    questionnaire = form(item("sleep", "N"))
    whole = response(said("sleep", "well"))
    assert redact(whole, hidden_in(questionnaire), questionnaire) == whole


def test_labels_are_inherited_from_the_group_and_from_the_form():
    group = item("g", "PSY", type="group", item=[item("a"), item("b", "HIV")])
    found = item_labels(form(group, item("c")))
    assert found["a"] == labels("PSY") and found["b"] == labels("PSY", "HIV")
    assert found["c"] == labels("R"), "nobody said: restricted"
    assert item_labels(form(item("c"), meta={"security": [label("N")]}))["c"] == labels("N")


def test_the_labels_travel_with_the_answers():
    made = labelled(response(said("mood", "low")), form(item("mood", "PSY", "R")))
    assert [each["valueCoding"]["code"] for each in made["item"][0]["extension"]] == ["PSY", "R"]


def test_e23_what_a_hidden_answer_switches_on_is_hidden_too():
    questionnaire = form(
        item("mood", "PSY"),
        item("since", "N", enableWhen=[{"question": "mood", "operator": "exists", "answerBoolean": True}]),
        item("why", "N", enableWhen=[{"question": "since", "operator": "exists", "answerBoolean": True}]),
        item("expr", "N", expressions=[expression(ENABLE, "%resource.item.where(linkId='mood').answer.value = 'low'")]),
        item("diet", "N"),
    )
    assert closure(questionnaire, ["mood"]) == {"mood", "since", "why", "expr"}


def test_totals_and_variables_made_from_a_hidden_answer_are_hidden_too():
    questionnaire = form(
        item("phq", "N", type="group", item=[item("q1", "PSY"), item("q2", "N")]),
        item("total", "N", expressions=[expression(CALCULATED, "%score + 1")]),
        item(
            "of-group",
            "N",
            expressions=[expression(CALCULATED, "%resource.item.where(linkId='phq').item.answer.value.sum()")],
        ),
        item("of-all", "N", expressions=[expression(CALCULATED, "%resource.descendants().answer.count()")]),
        item(
            "of-q2",
            "N",
            expressions=[expression(CALCULATED, "item.where(linkId='phq').item.where(linkId='q2').answer.value")],
        ),
        item("about-diet", "N", expressions=[expression(CALCULATED, "%diet.value + '!'")]),
        item("diet", "N"),
        extension=[
            expression(VARIABLE, "%first * 2", "score"),
            expression(VARIABLE, "%resource.repeat(item).where(linkId='q1').answer.value", "first"),
            expression(VARIABLE, "%resource.item.where(linkId='diet').answer", "diet"),
        ],
    )
    assert closure(questionnaire, ["q1"]) == {"q1", "total", "of-group", "of-all"}


def test_what_stands_inside_a_hidden_answer_goes_and_an_emptied_group_with_it():
    group = {"linkId": "g", "item": [said("mood", "low", said("detail", "since May"))]}
    shown = redact(response(group, said("diet", "mixed")), ["mood"])
    assert [each["linkId"] for each in shown["item"]] == ["diet"]
    assert "text" not in shown


def observation(own, *names, **changes):
    return {"resourceType": "Observation", "id": own, "meta": {"security": [label(name) for name in names]}, **changes}


def allowed(resource):
    return decide(ask(of=describe(resource, BASE, default=labels("N"))), RULES, Policy.DENY).permit


def test_e24_counts_order_and_sums_are_made_after_hiding():
    stored = [observation("1", "N"), observation("2", "PSY"), observation("3")]
    with_hidden, without = sift(stored, allowed), sift([stored[0], stored[2]], allowed)
    assert with_hidden == without and len(with_hidden) == 2


def test_e25_a_labelled_resource_inside_another_is_taken_out_with_what_points_to_it():
    report = {
        "resourceType": "DiagnosticReport",
        "id": "d",
        "text": {"div": "<div>everything</div>"},
        "contained": [observation("in", "PSY", valueString="secret"), observation("ok", "N")],
        "result": [{"reference": "#in"}, {"reference": "#ok"}],
    }
    (shown,) = sift([report], allowed)
    assert "secret" not in json.dumps(shown) and "#in" not in json.dumps(shown) and "text" not in shown
    assert shown["result"] == [{"reference": "#ok"}] and REDACTED in shown["meta"]["security"]


def test_e25_an_included_resource_with_a_label_is_not_in_the_answer():
    assert [each["id"] for each in sift([observation("1"), observation("inc", "PSY", "R")], allowed)] == ["1"]


def test_a_resource_is_described_by_what_it_says():
    made = describe(
        {
            "resourceType": "Observation",
            "id": "7",
            "identifier": [{"system": "urn:lab", "value": "9"}],
            "performer": [{"reference": "Practitioner/p"}],
            "encounter": {"reference": "Encounter/e"},
            "effectivePeriod": {"start": "2026-01-01", "end": "2026-01-02"},
            "issued": "2026-02-01T00:00:00Z",
        },
        BASE,
    )
    assert made.identities == {f"{BASE}/Observation/7", "urn:lab|9"}
    assert made.authors == {f"{BASE}/Practitioner/p"} and f"{BASE}/Encounter/e" in made.related
    assert made.dates == ("2026-01-01", "2026-01-02") and made.labels == frozenset()
    assert codes.level(made.labels).endswith("|R")


def test_resources_of_any_shape_are_described_and_sifted():
    chance = random.Random(7)
    whole = {
        "resourceType": "DiagnosticReport",
        "id": "d",
        "meta": {"security": [label("N")]},
        "identifier": [{"system": "urn:x", "value": "1"}],
        "performer": [{"reference": "Practitioner/p"}],
        "effectivePeriod": {"start": "2026", "end": "2027"},
        "contained": [observation("in", "PSY", performer=[{"actor": {"reference": "#x"}}])],
        "result": [{"reference": "#in"}],
    }
    for _ in range(3000):
        sent = damaged(whole, chance)
        if isinstance(sent, dict):
            shown = sift([sent], allowed)
            assert describe(sent, BASE).labels is not None
            assert "secret" not in json.dumps(shown)
    hidden = {"resourceType": "Observation", "meta": {"security": [label("PSY"), 7, None]}}
    assert sift([hidden], allowed) == []


def damaged(value, chance):
    if chance.random() < 0.08:
        return chance.choice([None, [], {}, 7, True, "x", [None], [[]], {"security": 7}, {"reference": 3}, -1.5])
    if isinstance(value, dict):
        return {name: damaged(held, chance) for name, held in value.items()}
    return [damaged(held, chance) for held in value] if isinstance(value, list) else value
