"""What a result can be, as servers really send it: every value is shown as sent, and nothing that was sent is left out."""

# ruff: noqa: E501 - tables

import pytest

from portal.labs.assembling import assemble
from portal.labs.ranges import ranges_of, standing
from portal.labs.times import measured
from portal.labs.values import value_of
from tests.labs.make import observation, parsed, reference, report

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.value"
NONE = "No value was sent."

VALUES = [
    # the numbers of quantities: digit for digit, whatever their size and sign
    ('{"valueQuantity":{"value":-3.50,"unit":"mmol/L"}}', "-3.50 mmol/L"),
    ('{"valueQuantity":{"value":123456789012345678.90}}', "123456789012345678.90"),
    ('{"valueQuantity":{"value":1.50e-3,"unit":"g"}}', "0.00150 g"),
    ('{"valueQuantity":{"value":0.0}}', "0.0"),
    ('{"valueQuantity":{"value":"5.10","unit":"mmol/L"}}', "5.10 mmol/L"),
    ('{"valueQuantity":{"value":90,"comparator":">=","unit":"mL/min"}}', "≥90 mL/min"),
    ('{"valueQuantity":{"value":90,"comparator":"~","unit":"mL/min"}}', "~ 90 mL/min"),
    ('{"valueQuantity":{"value":5,"code":"{score}"}}', "5 {score}"),
    ('{"valueQuantity":{"value":5,"code":"1"}}', "5"),
    ('{"valueQuantity":{"value":null,"unit":"mg"}}', f"{NONE} mg"),
    ('{"valueQuantity":{"unit":"mg"}}', f"{NONE} mg"),
    ('{"valueDecimal":1.10}', "1.10"),
    ('{"valueInteger":-7}', "-7"),
    ('{"valueInteger64":"9007199254740993"}', "9007199254740993"),
    # titres, ranges and ratios, also half of them
    ('{"valueString":"1:320"}', "1:320"),
    ('{"valueRatio":{"numerator":{"value":1,"comparator":"<"},"denominator":{"value":320}}}', "<1:320"),
    ('{"valueRatio":{"numerator":{"value":3.0,"unit":"mg"}}}', "3.0 mg / ?"),
    ('{"valueRatio":{}}', NONE),
    ('{"valueRange":{"low":{"value":1.0,"unit":"cm"},"high":{"value":2.50,"unit":"m"}}}', "1.0 cm – 2.50 m"),
    ('{"valueRange":{"high":{"value":1.0,"unit":"m"}}}', "≤ 1.0 m"),
    ('{"valueRange":{}}', NONE),
    # words, codes, times
    ('{"valueString":"👍🏽 مرحبا <5"}', "👍🏽 مرحبا <5"),
    ('{"valueString":"  "}', NONE),
    ('{"valueCodeableConcept":{"coding":[{"code":"LA6576-8"}]}}', "LA6576-8"),
    ('{"valueCodeableConcept":{}}', NONE),
    ('{"valueCoding":{"code":"x","display":"Detected"}}', "Detected"),
    ('{"valueReference":{"reference":"MolecularSequence/1","display":"Sequence"}}', "reference: MolecularSequence/1; display: Sequence"),
    ('{"valuePeriod":{"end":"2026-05-04"}}', "? – 2026-05-04"),
    ('{"valuePeriod":{}}', NONE),
    ('{"valueBoolean":"true"}', "true"),
    # where the reason stands why there is none
    ('{"_valueString":{"extension":[{"url":"%s","valueCode":"asked-declined"}]}}'.replace("%s", ABSENT), "Asked, and declined."),
    ('{"valueCodeableConcept":{"extension":[{"url":"%s","valueCode":"masked"}]}}'.replace("%s", ABSENT), "Held back by the clinic's system."),
    # a value of a later version of FHIR, as an R4 server carries it
    ('{"extension":[{"url":"%s","valueQuantity":{"value":1.10,"unit":"g"}}]}'.replace("%s", R5), "1.10 g"),
    ('{"extension":[{"url":"%s","valueAttachment":{"title":"Scan"}}]}'.replace("%s", R5), "Scan"),
    ('{"extension":[{"url":"urn:other","valueString":"no value of the result"}]}', NONE),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "shown"), VALUES)
def test_a_value_is_shown_as_it_was_sent(sent, shown):
    assert value_of(parsed(sent)).spoken == shown
    component = observation(component=[{"code": {"text": "Part"}, **parsed(sent)}])
    ((_whole, part),) = [each.rows for each in assemble([component])]
    assert part.value.spoken == shown


BESIDE = [
    ('{"valueQuantity":{"value":5},"valueString":"see note"}', "5", "see note"),
    ('{"valueQuantity":{"value":5},"dataAbsentReason":{"text":"The sample was old"}}', "5", "The sample was old"),
    ('{"valueCodeableConcept":{"text":"POS","coding":[{"display":"Positive"},{"display":"Detected"},{"display":"POS"}]}}', "POS", "Positive; Detected"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "shown", "beside"), BESIDE)
def test_what_stands_beside_a_value_is_not_lost(sent, shown, beside):
    found = value_of(parsed(sent))
    assert (found.text, found.long) == (shown, beside)


def test_nothing_is_concluded_from_a_sign_or_a_limit_that_is_not_exact():
    exact = {"referenceRange": [reference(None, "5")]}
    assert standing(value_of(parsed('{"valueQuantity":{"value":5,"unit":"mmol/L","code":"mmol/L"}}')), ranges_of(exact))
    odd = value_of(parsed('{"valueQuantity":{"value":5,"comparator":"~","unit":"mmol/L","code":"mmol/L"}}'))
    assert odd.number is None and standing(odd, ranges_of(exact)) is None
    below = {"referenceRange": [{"high": {"value": 5, "comparator": "<", "unit": "mmol/L"}}]}
    assert standing(value_of({"valueQuantity": {"value": 5, "unit": "mmol/L"}}), ranges_of(below)) is None


def test_bare_codes_of_whom_a_range_is_for_become_words():
    woman = {"coding": [{"system": "http://snomed.info/sct", "code": "248152002"}]}
    ages = {"low": {"value": 18, "unit": "yr"}, "high": {"value": 65, "code": "a"}}
    (found,) = ranges_of({"referenceRange": [{**reference("1", "2"), "appliesTo": [woman], "age": ages}]})
    assert (found.applies, found.age, found.age_unit) == (("women",), "18–65", "years")
    mixed = {"low": {"value": 18, "unit": "mo", "code": "mo"}, "high": {"value": 65, "unit": "a", "code": "a"}}
    (found,) = ranges_of({"referenceRange": [{**reference("1", "2"), "age": mixed}]})
    assert (found.age, found.age_unit) == ("18 mo–65 a", "")


TIMES = [
    ({"effectiveInstant": "2026-01-01T00:00:00.123456789Z"}, "2026-01-01T00:00:00.123456789Z", None),
    ({"effectiveTiming": {"event": ["2026-01-03", "2026-01-01"]}}, "2026-01-01", "2026-01-03"),
    ({"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2026-01-01", "end": "2026-01-05"}}}}, "2026-01-01", "2026-01-05"),
    ({"effectiveTiming": {"code": {"text": "twice a day"}}}, "twice a day", None),
    ({"effectivePeriod": {"end": "2026-01-05"}}, "2026-01-05", None),
    ({"effectiveDateTime": "2026-13-45"}, "2026-13-45", None),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "start", "end"), TIMES)
def test_every_shape_of_a_time_is_told(sent, start, end):
    found = measured(sent)
    assert found.text == start and (found.until.text if found.until else None) == end


def test_who_reported_it_is_named_wherever_they_stand():
    inside = [
        {"resourceType": "Practitioner", "id": "p", "name": [{"prefix": ["Dr"], "given": ["Ann"], "family": "Lee"}]},
        {
            "resourceType": "PractitionerRole",
            "id": "r",
            "practitioner": {"reference": "#p"},
            "organization": {"display": "Harbour"},
        },
    ]
    beside = {"resourceType": "Organization", "id": "o", "name": "Capital Laboratory"}
    made = observation(
        valueString="x",
        contained=inside,
        performer=[{"reference": "#r"}, {"reference": "Organization/o"}, {"reference": "Practitioner/unknown"}],
        note=[{"authorReference": {"reference": "#p"}, "text": "Fasting"}],
        focus=[{"display": "Unborn child"}],
    )
    ((row,),) = [each.rows for each in assemble([made, beside])]
    assert row.performers == ("Dr Ann Lee, Harbour", "Capital Laboratory")
    assert [(each.author, each.text) for each in row.notes] == [("Dr Ann Lee", "Fasting")]
    assert row.about == "Unborn child"


def test_what_only_the_narrative_says_is_said():
    said = {
        "status": "additional",
        "div": "<div><p>Growth of <b>E. coli</b></p><script>x()</script><img src='//evil'/></div>",
    }
    whole = report(results=(), result=None, text=said)
    (found,) = assemble([whole])
    assert found.words == "Growth of E. coli" and not found.results
    (told,) = assemble([report(results=(), result=None, text=said, conclusion="Infection")])
    assert told.words == "" and told.conclusion == "Infection"
    ((row,),) = [each.rows for each in assemble([observation(text=said)])]
    assert row.words == "Growth of E. coli"
    ((row,),) = [each.rows for each in assemble([observation(text=said, valueString="x")])]
    assert row.words == ""
