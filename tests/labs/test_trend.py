"""One analyte over time, drawn no prettier than it is."""

from decimal import Decimal

import pytest

from portal.labs.assembling import assemble
from portal.labs.chart import chart
from portal.labs.trend import series
from portal.labs.units import convert
from tests.labs.make import observation, quantity, reference

CODE = "http://loinc.org|2823-3"


def line(*observations, **options):
    return series(assemble(observations), **options)[CODE]


def year(number, value, **changes):
    return observation(f"o{number}", at=f"20{number:02}-06-01", valueQuantity=quantity(value), **changes)


def test_points_run_from_old_to_new_and_keep_their_digits():
    found = line(year(24, "4.10"), year(22, "4.0"), year(26, "5.2"))
    assert [(point.when.text, point.result.value.text) for point in found.points] == [
        ("2022-06-01", "4.0"),
        ("2024-06-01", "4.10"),
        ("2026-06-01", "5.2"),
    ]
    assert found.latest.value.text == "5.2" and found.unit == "mmol/L"


def test_withdrawn_results_are_not_on_the_line():
    assert len(line(year(24, "4"), year(25, "99", status="entered-in-error"), year(26, "5")).points) == 2


def test_a_result_in_two_reports_counts_once():
    from tests.labs.make import report

    made = [year(24, "4"), year(25, "5"), report("a", ("o24", "o25")), report("b", ("o25",))]
    assert len(series(assemble(made))[CODE].points) == 2


def test_another_unit_is_converted_only_when_ucum_allows_it_and_it_is_said():
    grams = observation(
        "g",
        at="2020-01-01",
        valueQuantity=quantity("4100", "umol/L"),
        referenceRange=[reference("3500", "5100", "umol/L")],
    )
    found = line(grams, year(26, "4.2"), convert=convert)
    assert (found.points[0].number, found.points[0].usual.low, found.points[0].converted) == (
        Decimal("4.1"),
        Decimal("3.5"),
        True,
    )
    assert found.points[0].result.value.text == "4100" and found.converted
    mass = observation("m", at="2020-01-01", valueQuantity=quantity("16", "mg/dL"))
    aside = line(mass, year(26, "4.2"), convert=convert)
    assert len(aside.points) == 1 and [each.key for each in aside.aside] == ["Observation/m"]


@pytest.mark.parametrize("units", [("mg/dL", "nonsense!"), ("", "mg/dL"), ("mg/dL", "mmol/L")])
def test_what_ucum_does_not_allow_is_not_converted(units):
    assert convert(Decimal(1), *units) is None


def test_text_and_missing_values_stand_aside_and_leave_a_gap():
    found = line(
        year(22, "4"),
        observation("x", at="2023-06-01"),
        observation("y", at="2024-06-01", valueString="haemolysed"),
        year(26, "5"),
    )
    assert [each.text for each in found.gaps] == ["2023-06-01"] and [each.key for each in found.aside] == [
        "Observation/y"
    ]
    assert len(chart(found).lines) == 2, "the line is broken where there was no number"


def test_a_censored_value_is_drawn_as_a_limit_and_no_line_goes_through_it():
    found = line(
        year(22, "4"),
        observation("c", at="2023-06-01", valueQuantity=quantity("3", comparator="<")),
        year(24, "5"),
        year(26, "5"),
    )
    drawn = chart(found)
    assert [mark.censored for mark in drawn.marks] == ["", "<", "", ""]
    assert [len(each) for each in drawn.lines] == [1, 2]


def test_each_range_is_drawn_over_its_own_time():
    old, new = [reference("3.0", "5.0")], [reference("3.5", "5.1")]
    found = line(
        year(20, "4", referenceRange=old),
        year(22, "4", referenceRange=old),
        year(24, "4", referenceRange=new),
        year(26, "4"),
    )
    bands = chart(found).bands
    assert found.ranges_change and [(str(band.low), str(band.high)) for band in bands] == [
        ("3.0", "5.0"),
        ("3.5", "5.1"),
    ]
    assert bands[0].right == bands[1].left and bands[1].right < chart(found).right, "no range, no band"


def test_everything_stays_inside_the_picture():
    found = line(*(year(number, value) for number, value in enumerate(["0.001", "1000", "-5", "4"], 20)))
    drawn = chart(found)
    assert all(drawn.left <= mark.x <= drawn.right and drawn.top <= mark.y <= drawn.bottom for mark in drawn.marks)
    assert len(drawn.ticks) >= 3 and len({tick.text for tick in drawn.ticks}) == len(drawn.ticks)


def test_equal_values_on_one_day_can_be_drawn():
    same = [observation(str(number), at="2026-01-01", valueQuantity=quantity("4")) for number in range(3)]
    assert len(chart(line(*same)).marks) == 3


@pytest.mark.parametrize(
    "units", [("meq/L", "mmol/L"), ("[iU]/mL", "/mL"), ("mosm/kg", "mmol/kg"), ("Cel", "K"), ("Cel", "[degF]")]
)
def test_what_depends_on_the_substance_or_has_its_own_zero_is_not_converted(units):
    assert convert(Decimal(1), *units) is None


def test_units_of_the_same_substance_are_converted():
    assert convert(Decimal("1.5"), "g/L", "mg/dL") == 150
    assert convert(Decimal("5.0"), "10*9/L", "10*3/uL") == 5
    assert convert(Decimal(120), "m[iU]/L", "[iU]/mL") == Decimal("0.00012")
    assert convert(Decimal(4), "meq/L", "eq/L") == Decimal("0.004")
