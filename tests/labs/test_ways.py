"""Ranges for whom, what is waiting, what is new, what was an early result, and what is taken away."""

# ruff: noqa: E501 - tables

import json
import re
from datetime import date
from decimal import Decimal

import pytest

from portal.labs.assembling import assemble
from portal.labs.chart import chart
from portal.labs.overview import Overview
from portal.labs.ranges import Person, ranges_of, standing
from portal.labs.since import news
from portal.labs.trend import series
from portal.labs.units import convert
from portal.labs.values import value_of
from tests.labs.make import interpretation, observation, quantity, reference, report
from tests.labs.test_pages import choose, close, page, words

MAN, WOMAN = {"code": "male"}, {"code": "female"}
GENDER = "http://hl7.org/fhir/administrative-gender"


def held(low, high, *, sex=None, ages=None, unit="a", **more):
    """A range for a sex, or for ages in a unit."""
    made = reference(low, high, **more)
    if sex:
        made["appliesTo"] = [{"coding": [{"system": GENDER, **sex}]}]
    if ages:
        made["age"] = {
            side: {"value": age, "code": unit}
            for side, age in zip(("low", "high"), ages, strict=True)
            if age is not None
        }
    return made


@pytest.mark.parametrize(
    ("person", "ranges", "word"),
    [
        (Person("female"), [held("12", "16", sex=WOMAN), held("13", "17", sex=MAN)], "Within the range"),
        (Person("male"), [held("12", "16", sex=WOMAN), held("13", "17", sex=MAN)], "Below the range"),
        (Person(), [held("12", "16", sex=WOMAN), held("13", "17", sex=MAN)], None),
        (Person("", date(1990, 1, 1)), [held("12", "16", ages=(18, 65)), held("13", "17", ages=(66, None))], "Within the range"),
        (Person("", date(1950, 1, 1)), [held("12", "16", ages=(18, 65)), held("13", "17", ages=(66, None))], "Below the range"),
        (Person("", date(2008, 3, 2)), [held("12", "16", ages=(18, None)), held("13", "17", ages=(None, 17))], "Within the range"),
        (Person("", date(2008, 3, 3)), [held("12", "16", ages=(18, None)), held("13", "17", ages=(None, 17))], "Below the range"),
        (Person("", date(2025, 12, 1)), [held("12", "16", ages=(3, 6), unit="mo"), held("13", "17", ages=(7, 11), unit="mo")], "Within the range"),
        (Person("", date(2026, 2, 20)), [held("12", "16", ages=(0, 10), unit="d"), held("13", "17", ages=(11, 28), unit="d")], "Within the range"),
        (Person(), [held("12", "16", ages=(18, 65))], None),
        (Person("female", date(1990, 1, 1)), [held("12", "16", sex=WOMAN, ages=(18, 65)), held("1", "2", sex=MAN)], "Within the range"),
        (Person("female"), [{**held("12", "16"), "appliesTo": [{"text": "pregnant"}]}], None),
        (Person("female"), [{**held("12", "16", sex=WOMAN), "appliesTo": [{"text": "pregnant"}, {"coding": [{"system": GENDER, **MAN}]}]}, held("13", "17")], "Below the range"),
    ],
)  # fmt: skip
def test_of_several_ranges_the_one_that_is_surely_theirs_counts(person, ranges, word):
    sent = {"valueQuantity": quantity("12.5"), "referenceRange": ranges}
    found = standing(value_of(sent), ranges_of(sent, person, date(2026, 3, 2)))
    assert (found and found.word) == word


def test_a_day_that_is_not_said_decides_no_age():
    sent = observation(at="2026", valueQuantity=quantity("9"), referenceRange=[held("1", "2", ages=(18, 65))])
    (shown,) = assemble([sent], person=Person("", date(1990, 1, 1)))
    assert shown.results[0].ranges[0].mine is None and shown.results[0].flag is None


def year(number, value, **changes):
    return observation(f"o{number}", at=f"20{number:02}-06-01", valueQuantity=quantity(value), **changes)


def test_a_range_in_another_unit_is_moved_with_the_value_or_left_out():
    other = reference("3500", "5100", "umol/L")
    foreign = reference("3", "5", "mg/dL")
    found = series(
        assemble([year(24, "4", referenceRange=[other]), year(25, "4", referenceRange=[foreign]), year(26, "5")]),
        convert,
    )["http://loinc.org|2823-3"]
    assert [point.usual and (point.usual.low, point.usual.high) for point in found.points] == [
        (Decimal("3.5"), Decimal("5.1")),
        None,
        None,
    ]


def test_what_treatment_aims_at_is_drawn_beside_what_is_usual():
    goal = {**reference(high="4"), "type": {"coding": [{"code": "treatment"}]}}
    made = [year(number, "4.5", referenceRange=[reference("3.5", "5.1"), goal]) for number in (24, 25)]
    drawn = chart(series(assemble(made))["http://loinc.org|2823-3"])
    assert [(band.low, band.high) for band in drawn.goals] == [(None, Decimal(4))]
    assert [(str(band.low), str(band.high)) for band in drawn.bands] == [("3.5", "5.1")]


@pytest.mark.parametrize(
    ("made", "waiting"),
    [
        (report(status="registered", result=None), True),
        (report(status="registered", result=None, conclusion="All fine"), False),
        (report(status="registered", result=None, presentedForm=[{"title": "Scan"}]), False),
        (report(status="registered", results=("gone",)), False),
        (report(status="partial", result=None), False),
        (report(status="final", result=None), False),
    ],
)
def test_waiting_is_only_what_has_nothing_in_it(made, waiting):
    (found,) = assemble([made])
    assert found.waiting is waiting


def test_a_registered_result_with_a_value_is_not_waiting():
    made = [report(status="registered"), observation(status="registered", valueQuantity=quantity("4"))]
    assert not assemble(made)[0].waiting
    assert assemble([report(status="registered"), observation(status="registered")])[0].waiting


def test_a_value_that_was_preliminary_is_said_to_be_the_early_one_and_each_value_is_told_once():
    now = observation(valueQuantity=quantity("4.2"))
    earlier = [
        observation(status="final", valueQuantity=quantity("4.20"), issued="2026-03-04"),
        observation(status="preliminary", valueQuantity=quantity("5.1"), issued="2026-03-03"),
        observation(status="preliminary", valueQuantity=quantity("5.1"), issued="2026-03-02"),
    ]
    (shown,) = assemble([now], {"Observation/1": earlier})
    assert [(each.value.text, each.early) for each in shown.results[0].replaced] == [("4.20", False), ("5.1", True)]


def test_a_part_of_a_panel_tells_what_it_replaces():
    def pressure(upper):
        return observation("p", component=[{"code": {"text": "Upper"}, "valueQuantity": quantity(upper)}])

    (shown,) = assemble([pressure("120")], {"Observation/p": [pressure("210")]})
    assert [each.value.text for each in shown.results[0].components[0].replaced] == ["210"]


def test_what_is_new_since_a_day_has_what_was_before_and_what_was_corrected():
    old, new = year(24, "4"), year(26, "5", interpretation=interpretation("H"))
    late = observation(
        "c", code="718-7", at="2024-01-01", issued="2026-07-01", status="corrected", valueQuantity=quantity("9")
    )
    reports = assemble([old, new, late])
    found = news(reports, series(reports), date(2026, 5, 1))
    assert [
        (each.result.value.text, each.before and each.before.value.text, each.corrected) for each in found.changes
    ] == [
        ("5", "4", False),
        ("9", None, True),
    ]
    assert found.notable == 1 and not news(reports, series(reports), date(2026, 8, 1)).changes


@pytest.mark.parametrize(("code", "urgent"), [("HH", True), ("LL", True), ("AA", True), ("TOX", True), ("H", False), ("<", False), ("HX", False)])  # fmt: skip
def test_only_what_the_laboratory_calls_critical_asks_to_act_now(code, urgent):
    reports = assemble([observation(valueQuantity=quantity("9"), interpretation=interpretation(code))])
    assert bool(reports[0].urgent) is urgent
    shown = Overview("known", reports=(("0" * 16, reports[0]),))
    assert bool(shown.urgent(reports[0].when.order)) is urgent


def test_the_file_to_take_away_is_what_was_read_digit_for_digit(world):
    me, client = world.person("kwame-mensah")
    answer = client.get("/results/download")
    assert answer.status_code == 200 and answer.content_type.startswith("application/fhir+json")
    assert (
        "attachment" in answer.headers["Content-Disposition"] and answer.headers["X-Content-Type-Options"] == "nosniff"
    )
    text = answer.get_data(as_text=True)
    bundle = json.loads(text)
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert bundle["type"] == "collection" and {"Observation", "DiagnosticReport"} <= kinds
    assert re.search(r'"value":\s*1\.10\b', text) and re.search(r'"value":\s*1\.20\b', text)
    choose(me, results="no")
    close()
    assert client.get("/results/download").status_code == 404


def test_one_page_holds_everything_there_is(world):
    _, client = world.person("kwame-mensah")
    listed = words(page(client, "/results/print"))
    for value in ("1.36", "&lt;3", "8.9", "0.98"):
        assert value in listed
    assert "Save as PDF" in listed and "Ask about it" not in listed
