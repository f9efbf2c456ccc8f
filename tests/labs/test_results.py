"""Results as a person reads them: as sent, with their own range, and shown as what they are."""

# ruff: noqa: E501 - tables of JSON as sent

import pytest

from portal.labs.assembling import assemble
from portal.labs.ranges import ranges_of, standing
from portal.labs.times import when
from portal.labs.values import value_of
from portal.labs.words import flag
from tests.labs.make import interpretation, observation, parsed, quantity, reference, report


def only(*resources, **options):
    (found,) = assemble(resources, **options)
    return found


def row(**changes):
    return only(observation(**changes)).results[0]


@pytest.mark.parametrize(
    ("sent", "text", "unit"),
    [
        ('{"valueQuantity": {"value": 1.10, "unit": "mg/dL"}}', "1.10", "mg/dL"),
        ('{"valueQuantity": {"value": 5, "comparator": "<", "unit": "mg/L"}}', "<5", "mg/L"),
        ('{"valueQuantity": {"value": 60, "comparator": ">=", "unit": "mL/min"}}', "≥60", "mL/min"),
        ('{"valueQuantity": {"value": 0.0000001, "code": "mol/L"}}', "0.0000001", "mol/L"),
        ('{"valueQuantity": {"value": 7.350, "code": "1"}}', "7.350", ""),
        ('{"valueInteger": 3}', "3", ""),
        ('{"valueString": "<5 cells/µL & rising"}', "<5 cells/µL & rising", ""),
        ('{"valueBoolean": true}', "Yes", ""),
        ('{"valueRange": {"low": {"value": 2, "unit": "/HPF"}, "high": {"value": 5, "unit": "/HPF"}}}', "2–5", "/HPF"),
        ('{"valueRange": {"low": {"value": 100}}}', "≥ 100", ""),
        ('{"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 80}}}', "1:80", ""),
        ('{"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 320, "comparator": ">"}}}', "1:>320", ""),
        (
            '{"valueRatio": {"numerator": {"value": 30, "unit": "mg"}, "denominator": {"value": 1, "unit": "g"}}}',
            "30 mg / 1 g",
            "",
        ),
        (
            '{"valueCodeableConcept": {"text": "Trace", "coding": [{"code": "x", "display": "Trace amount"}]}}',
            "Trace",
            "",
        ),
        (
            '{"valueSampledData": {"origin": {"value": 0, "unit": "mV"}, "period": 10, "dimensions": 1, "data": "1 2 E 4"}}',
            "4",
            "mV",
        ),
        ('{"valueTime": "14:30:00"}', "14:30:00", ""),
        ('{"valuePeriod": {"start": "2026-01", "end": "2026-02"}}', "2026-01 – 2026-02", ""),
        ('{"valueReference": {"reference": "Specimen/3"}}', "reference: Specimen/3", ""),
        ('{"valueQuantity": ["not", "a", "quantity"]}', "not, a, quantity", ""),
    ],
)
def test_a_value_is_shown_as_it_was_sent(sent, text, unit):
    found = value_of(parsed(sent))
    assert (found.text, found.unit, found.present) == (text, unit, True)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("{}", "No value was sent."),
        ('{"dataAbsentReason": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed"}]}}', "The test was not done."),
        ('{"dataAbsentReason": {"text": "Specimen haemolysed"}}', "Specimen haemolysed"),
        ('{"dataAbsentReason": {"text": "Clotted", "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "error"}]}}', "The measurement failed. Clotted"),
        ('{"valueQuantity": {"unit": "mg/dL", "_value": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "error"}]}}}', "The measurement failed."),
        ('{"_valueString": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}}', "Held back by the clinic's system."),
    ],
)  # fmt: skip
def test_a_missing_value_says_why(sent, words):
    found = value_of(parsed(sent))
    assert (found.reason, found.present) == (words, False)


@pytest.mark.parametrize(
    ("code", "word", "severity", "side"),
    [("H", "High", 1, 1), ("HU", "Very high", 2, 1), ("HH", "Critically high", 3, 1), ("L", "Low", 1, -1), ("LU", "Very low", 2, -1), ("LL", "Critically low", 3, -1), ("N", "Within the range", 0, 0)],
)  # fmt: skip
def test_an_interpretation_is_a_word_a_symbol_and_one_of_three_severities(code, word, severity, side):
    found = flag(interpretation(code)[0])
    assert (found.word, found.severity, found.side) == (word, severity, side) and found.symbol


def test_an_interpretation_nobody_knows_keeps_the_laboratorys_words():
    assert flag({"text": "Sinus rhythm"}).word == "Sinus rhythm"
    assert flag({"coding": [{"system": "http://snomed.info/sct", "code": "N"}]}).word == "N"
    assert flag({}) is None


def test_the_most_serious_of_several_marks_leads():
    found = row(valueQuantity=quantity("9.1"), interpretation=interpretation("A") + interpretation("HH"))
    assert found.flag.word == "Critically high" and len(found.flags) == 2


@pytest.mark.parametrize(
    ("value", "comparator", "word"),
    [
        ("3.4", None, "Below the range"),
        ("3.5", None, "Within the range"),
        ("5.10", None, "Within the range"),
        ("5.2", None, "Above the range"),
        ("3.5", "<", "Below the range"),
        ("4", "<", None),
        ("5.1", ">", "Above the range"),
        ("4", ">", None),
    ],
)
def test_without_a_mark_the_results_own_range_tells_when_it_can(value, comparator, word):
    held = quantity(value, **({"comparator": comparator} if comparator else {}))
    found = row(valueQuantity=held, referenceRange=[reference("3.5", "5.1")]).flag
    assert (found and found.word) == word and (found is None or found.from_range)


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        [reference("1", "2"), reference("3", "4")],
        [reference("1", "2", unit="mg/dL")],
        [{**reference("1", "2"), "appliesTo": [{"text": "women"}]}],
        [{**reference("1", "2"), "age": {"low": {"value": 18, "unit": "a"}}}],
        [{**reference("1", "2"), "type": {"coding": [{"code": "therapeutic"}]}}],
        [{"text": "see comment"}],
    ],
)
def test_nothing_is_said_of_a_range_that_may_not_be_this_persons(ranges):
    held = {"valueQuantity": quantity("9"), "referenceRange": ranges}
    assert standing(value_of(held), ranges_of(held)) is None


def test_every_range_is_kept_with_whom_it_is_for():
    found = ranges_of(
        {
            "referenceRange": [
                {
                    **reference("12", "16", "g/dL"),
                    "appliesTo": [{"text": "Women"}],
                    "age": {"low": {"value": 18, "unit": "years"}},
                },
                {"text": "Higher in pregnancy", "type": {"coding": [{"code": "normal"}]}},
            ]
        }
    )
    assert (found[0].applies, found[0].age, found[0].age_unit, found[0].unit) == (("Women",), "≥ 18", "years", "g/dL")
    assert (found[1].text, found[1].type_words) == ("Higher in pregnancy", "usual")


def test_a_corrected_result_tells_what_it_replaces():
    now = observation(status="corrected", issued="2026-05-04T09:00:00Z", valueQuantity=quantity("4.2"))
    before = observation(issued="2026-05-03T09:00:00Z", valueQuantity=quantity("5.1"))
    found = only(now, earlier={"Observation/1": [before, now]}).results[0]
    assert found.changed and [(each.value.spoken, each.reported.text) for each in found.replaced] == [
        ("5.1 mmol/L", "2026-05-03T09:00:00Z")
    ]


@pytest.mark.parametrize(
    ("status", "withdrawn"),
    [("preliminary", False), ("cancelled", True), ("entered-in-error", True), ("registered", False)],
)
def test_a_status_is_shown_as_what_it_is(status, withdrawn):
    found = row(status=status, valueQuantity=quantity("9"))
    assert found.status_words and found.status_short and found.withdrawn is withdrawn


def test_a_withdrawn_result_is_not_among_the_notable():
    made = [
        observation("1", status="entered-in-error", valueQuantity=quantity("9"), interpretation=interpretation("HH"))
    ]
    assert only(report(), *made).notable == ()


def test_a_report_keeps_the_laboratorys_order_and_says_what_it_could_not_find():
    found = only(report(results=("2", "gone", "1")), observation("1"), observation("2"))
    assert [each.key for each in found.results] == ["Observation/2", "Observation/1"] and found.missing == 1


@pytest.mark.parametrize(
    "address", ["Observation/1", "https://ehr.example.org/r4/Observation/1/_history/2", "urn:uuid:1"]
)
def test_a_result_is_found_however_it_is_referred_to(address):
    found = only(report(result=[{"reference": address}]), observation("1"))
    assert found.results[0].key == "Observation/1" and found.missing == 0


def test_contained_results_are_found():
    inside = observation("in", valueString="seen")
    assert only(report(result=[{"reference": "#in"}], contained=[inside])).results[0].value.text == "seen"


def test_a_report_that_names_no_results_finds_those_of_the_same_order():
    order = [{"reference": "ServiceRequest/5"}]
    found = only(report(result=None, basedOn=order), observation("1", basedOn=order))
    assert [each.key for each in found.results] == ["Observation/1"]


def test_a_panel_opens_into_its_members_and_components():
    panel = observation(
        "p",
        code="85354-9",
        hasMember=[{"reference": "Observation/m"}],
        component=[{"code": {"text": "Upper"}, "valueQuantity": quantity("120")}],
    )
    found = only(report(results=("p", "m")), panel, observation("m"))
    assert [each.key for each in found.results] == ["Observation/p"], "a member stands in its panel only"
    assert found.results[0].bare and [each.key for each in found.rows] == [
        "Observation/p",
        "Observation/m",
        "Observation/p.0",
    ]


def test_panels_that_contain_each_other_end():
    one = observation("1", hasMember=[{"reference": "Observation/2"}])
    two = observation("2", hasMember=[{"reference": "Observation/1"}])
    assert {each.key for made in assemble([one, two]) for each in made.rows} == {"Observation/1", "Observation/2"}


def test_results_without_a_report_stand_by_themselves_by_day():
    found = assemble(
        [observation("1", at="2026-03-01"), observation("2", at="2026-03-01"), observation("3", at="2026-04")]
    )
    assert [(len(each.results), each.own) for each in found] == [(1, False), (2, False)], "newest first"


@pytest.mark.parametrize(
    ("sent", "precision"), [("2026", "year"), ("2026-03", "month"), ("2026-03-02", "day"), ("2026-03-02T08:10:00-05:00", "moment"), ("sometime", "text"), ("2026-13", "text")]
)  # fmt: skip
def test_a_date_is_no_more_exact_than_it_was_said(sent, precision):
    assert when(sent).precision == precision and when(sent).text == sent
    assert when(None) is None


def test_a_report_carries_who_made_it_from_what_and_what_they_concluded():
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Venous blood"}}
    made = report(
        performer=[{"display": "Harbour Laboratory"}],
        specimen=[{"reference": "Specimen/s"}],
        conclusion="Nothing to worry about.",
        conclusionCode=[{"text": "Normal"}],
        presentedForm=[{"contentType": "application/pdf", "title": "Full report"}],
    )
    found = only(made, observation("1", note=[{"text": "Fasting"}]), specimen)
    assert (found.performers, found.specimens, found.conclusion) == (
        ("Harbour Laboratory",),
        ("Venous blood",),
        "Nothing to worry about.",
    )
    assert found.documents[0].title == "Full report" and [each.text for each in found.results[0].notes] == ["Fasting"]


def test_a_name_a_person_knows_has_the_long_name_behind_it():
    found = row()
    assert (found.name, found.long_name) == ("Potassium", "Potassium [Moles/volume] in Serum or Plasma")
    assert row(code="99999-9", name="Something rare").name == "Something rare"
