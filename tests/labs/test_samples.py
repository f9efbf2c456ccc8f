"""Time series: the measurements that the samples mean, what could not be measured, and an honest picture of both."""

import json
from decimal import Decimal

import pytest

from portal.labs.values import value_of
from portal.labs.wave import MOST_POINTS, wave


def series(data, **more):
    held = {"origin": {"value": 0, "unit": "mV"}, "period": 10, "dimensions": 1, "data": data, **more}
    return value_of(json.loads(json.dumps({"valueSampledData": held}), parse_float=Decimal))


def test_a_sample_is_origin_and_factor_and_words_for_what_is_missing():
    found = series("-2 E 3 U L", origin={"value": 2048, "unit": "mV"}, factor=1.5).samples
    assert found.lines == ((Decimal("2045.0"), None, Decimal("2052.5"), None, None),)
    assert (found.count, found.least, found.most) == (5, "2045", "2052.5")
    assert found.missing == {"error": 1, "above": 1, "below": 1} and found.words == ("-2", "E", "3", "U", "L")
    assert found.lasted_words == "40 ms" and found.formula == "2048 + 1.5 × n; 10 ms"


def test_several_dimensions_are_several_lines():
    found = series("1 10 2 20 3 30", dimensions=2).samples
    assert found.lines == ((1, 2, 3), (10, 20, 30)) and found.count == 3
    assert len(wave(found).lanes) == 2


@pytest.mark.parametrize("data", ["", "E E E", "7", None, "x y", "1e999 2"])
def test_what_cannot_be_drawn_is_not(data):
    found = series(data)
    assert found.kind == "sampled" and (not found.samples.drawable or found.samples.numbers)


def test_a_line_is_broken_where_nothing_was_measured():
    (lane,) = wave(series("1 2 E 3 4").samples).lanes
    assert [len(run.split()) for run in lane.runs] == [2, 2]
    assert (lane.least, lane.most) == ("1", "4")


def test_of_a_long_series_no_peak_is_lost():
    numbers = [0] * 20_000
    numbers[13_579], numbers[4_321] = 99, -99
    drawn = wave(series(" ".join(map(str, numbers))).samples)
    (lane,) = drawn.lanes
    heights = [float(point.split(",")[1]) for run in lane.runs for point in run.split()]
    assert drawn.thinned and len(heights) <= 2 * MOST_POINTS
    assert min(heights) == lane.top and max(heights) == lane.bottom


@pytest.mark.parametrize(
    ("more", "words"), [({"period": 500}, "1 s"), ({"period": 90_000}, "3 min"), ({"period": None}, "")]
)
def test_how_long_it_took_is_said_in_a_unit_that_fits(more, words):
    assert series("1 2 3", **more).samples.lasted_words == words
