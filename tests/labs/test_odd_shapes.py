"""Damaged resources: there is always a page, and what could be read is still on it."""

import random

from portal.labs.assembling import assemble
from portal.labs.chart import chart
from portal.labs.grid import grid
from portal.labs.trend import series
from tests.labs.make import interpretation, observation, quantity, reference, report

JUNK = [
    None,
    [],
    {},
    7,
    True,
    "x",
    [None],
    [[]],
    [7],
    {"coding": "?"},
    {"coding": [None]},
    {"value": "?"},
    -1.5,
    {"reference": 3},
]


def whole():
    first = observation(
        "1",
        valueQuantity=quantity("4.10"),
        referenceRange=[reference("3.5", "5.1", age={"low": {"value": 18}})],
        interpretation=interpretation("H"),
        performer=[{"display": "Lab"}],
        specimen={"reference": "#s"},
        contained=[{"resourceType": "Specimen", "id": "s", "type": {"text": "Blood"}}],
        note=[{"text": "Fasting"}],
        component=[{"code": {"text": "part"}, "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 8}}}],
        hasMember=[{"reference": "Observation/2"}],
    )
    second = observation(
        "2", valueRange={"low": quantity("1"), "high": quantity("2")}, effectivePeriod={"start": "2026"}
    )
    third = observation("3", valueSampledData={"origin": quantity("0"), "period": 10, "data": "1 2"})
    return [first, second, third, report("r", ("1", "2", "3"), conclusion="Fine", presentedForm=[{"title": "PDF"}])]


def damaged(value, chance):
    if chance.random() < 0.05:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {
            name: held if name == "resourceType" else damaged(held, chance)
            for name, held in value.items()
            if chance.random() > 0.02
        }
    if isinstance(value, list):
        return [damaged(held, chance) for held in value]
    return value


def test_whatever_a_server_sends_is_shown_as_far_as_it_can_be_read():
    chance = random.Random(20261122)
    unread = 0
    for _ in range(3000):
        sent = [each for each in (damaged(resource, chance) for resource in whole()) if isinstance(each, dict)]
        reports = assemble(sent)
        known = series(reports)
        for each in known.values():
            if each.points:
                chart(each)
        for each in reports:
            grid(each, known)
            unread += "cannot read" in each.name
            assert each.rows is not None and each.notable is not None
        observations = sum(resource.get("resourceType") == "Observation" for resource in sent)
        assert len({id(row) for each in reports for row in each.rows}) >= (1 if observations else 0)
    print(unread)


def test_a_result_of_an_impossible_shape_is_named_as_such():
    (shown,) = assemble([observation("1", referenceRange=[{"appliesTo": 7}])])
    assert "cannot read" in shown.results[0].name
    (shown,) = assemble([observation("1", performer=[{"reference": "#x"}], contained="not a list")])
    assert shown.results[0].name == "Potassium" and not shown.results[0].performers


def test_a_broken_range_does_not_hide_the_value():
    (shown,) = assemble(
        [observation("1", valueQuantity=quantity("4.10"), referenceRange=[{"low": {"value": "three"}}])]
    )
    assert shown.results[0].value.text == "4.10" and shown.results[0].ranges[0].low.text == "three"
