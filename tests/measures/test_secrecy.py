"""No number about fewer than five people can be worked out from all that is shown, in whatever order it came out."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.measures import cells, tally
from portal.measures.cells import At
from portal.measures.periods import Period, ended, holding, tree
from portal.measures.secrecy import FEWEST, Number, Sum, kept_back, solved
from portal.measures.tally import ALL, Counts


def worked_out(sums: list[Sum[object]], shown: set[object], hidden: set[object]) -> set[object]:
    """The attacker: whole-number fractions, every sum, Gauss. Which hidden cells have one solution only."""
    unknown = sorted(hidden, key=str)
    rows = []
    for each in sums:
        if {*each.cells} <= shown | hidden:
            row = [Fraction((cell == each.total) - each.parts.count(cell)) for cell in unknown]
            rows.append(row)
    place = 0
    for column in range(len(unknown)):
        pivot = next((index for index in range(place, len(rows)) if rows[index][column]), None)
        if pivot is None:
            continue
        rows[place], rows[pivot] = rows[pivot], rows[place]
        lead = rows[place][column]
        rows[place] = [value / lead for value in rows[place]]
        for index, row in enumerate(rows):
            if index != place and row[column]:
                rows[index] = [value - row[column] * other for value, other in zip(row, rows[place], strict=True)]
        place += 1
    return {
        unknown[next(index for index, value in enumerate(row) if value)]
        for row in rows
        if sum(1 for value in row if value) == 1
    }


def test_a_total_does_not_give_away_its_small_part() -> None:
    numbers = {"all": Number(20, 20), "a": Number(2, 2), "b": Number(7, 7), "c": Number(11, 11)}
    hidden = kept_back(numbers, [Sum("all", ("a", "b", "c"))], [numbers])
    assert hidden == {"a", "b"}


def test_five_hidden_ones_do_not_add_up_to_five() -> None:
    numbers = {"all": Number(5, 5), **{each: Number(1, 1) for each in "abcde"}}
    assert kept_back(numbers, [Sum("all", tuple("abcde"))], [numbers]) == set(numbers)


def test_what_was_shown_is_not_taken_back() -> None:
    numbers = {
        "w1": Number(9, 9),
        "w2": Number(3, 3),
        "w3": Number(8, 8),
        "w4": Number(12, 12),
        "month": Number(32, 32),
    }
    weeks = [[each] for each in ("w1", "w2", "w3")]
    hidden = kept_back(numbers, [Sum("month", ("w1", "w2", "w3", "w4"))], [*weeks, ["w4", "month"]])
    assert hidden == {"w2", "w4"}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9))
def test_nothing_hidden_in_a_table_over_time_can_be_worked_out(seed: int, most: int) -> None:
    chance = Random(seed)
    weeks, answers = [f"w{each}" for each in range(4)], ["x", "y", "z"]
    many = {(week, answer): chance.choice([0, 0, *range(most + 1)]) for week in weeks for answer in answers}
    many |= {(week, ALL): sum(many[week, each] for each in answers) for week in weeks}
    many |= {("month", each): sum(many[week, each] for week in weeks) for each in (*answers, ALL)}
    numbers = {cell: Number(number, number) for cell, number in many.items()}
    sums = [Sum((time, ALL), tuple((time, each) for each in answers)) for time in (*weeks, "month")]
    sums += [Sum(("month", each), tuple((week, each) for week in weeks)) for each in (*answers, ALL)]
    last = [cell for cell in numbers if cell[0] in ("w3", "month")]
    batches = [[cell for cell in numbers if cell[0] == week] for week in weeks[:3]] + [last]
    hidden = kept_back(numbers, sums, batches)
    assert {cell for cell, number in numbers.items() if 0 < number.many < FEWEST} <= hidden
    assert not worked_out(sums, set(numbers) - hidden, set(hidden))
    assert not solved(sums, hidden)
    out: set[object] = set()
    for batch in batches:  # and at no time before
        out |= set(batch)
        assert not worked_out(sums, out - hidden, out & hidden)


def a_clinic(chance: Random, first: date, days: int, busy: int) -> dict[date, Counts]:
    """Days of a clinic, by the same counting as a real one's."""
    found = {}
    for number in range(days):
        day = first + timedelta(days=number)
        lines = []
        for person in range(chance.randint(0, busy)):
            whose = f"{day}-{person}"
            lines += [("sent", "", "", whose), ("form", "facts", str(chance.randint(5, 900)), whose)]
            lines += [("facts", kind, chance.choice(cells.ANSWERS), whose) for kind in ("contact", "allergy")]
            if chance.random() < 0.3:
                lines += [("given", "form:a/1", chance.choice(["kept", "changed"]), whose)]
            lines += [("visits", "", (end := chance.choice(cells.ENDS)), whose)]
            lines += [("left", chance.choice(["facts/allergy", "form:a/-"]), "", whose)] if end == "left" else []
            lines += [("decisions", "", chance.choice(cells.VERDICTS), whose)]
        found[day] = tally.counted(lines)
    return found


@pytest.mark.parametrize("busy", [1, 4, 15])
def test_a_quarter_of_a_clinic_keeps_its_small_numbers_to_itself(busy: int) -> None:
    first, whole = date(2026, 4, 17), holding(date(2026, 4, 17), "quarter")
    days = a_clinic(Random(busy), first, 80, busy)
    before: set[At] = set()
    for until in (date(2026, 5, 8), date(2026, 6, 1), date(2026, 7, 1)):
        found = cells.quarter(whole, days, first, until)
        assert set(found) == {each for each in tree(whole) if first < each.end <= until}
        hidden = {At(period, cell) for period, figures in found.items() for cell in figures.hidden}
        assert before <= hidden, "what was kept back came out later"
        assert before == {
            at for at in hidden if at.period.end <= max((each.period.end for each in before), default=first)
        }
        before = hidden
        for period, figures in found.items():
            for what, things in figures.counts.items():
                for thing, values in things.items():
                    for value in values:
                        small = figures.true(what, thing, value).small
                        timed = what in tally.TIMED and value != ALL
                        assert timed or not small or figures.of(what, thing, value) is None
            assert figures.period is period


def test_the_sum_of_the_parts_is_the_whole() -> None:
    first = date(2026, 1, 1)
    days = a_clinic(Random(3), first, 90, 9)
    found = cells.quarter(holding(first, "quarter"), days, first, date(2026, 4, 1))
    for period, figures in found.items():
        for each in cells.ties(figures.counts):
            parts = [figures.true(*part).many for part in each.parts]
            assert figures.true(*each.total).many == sum(parts), (period, each)
        for cell in {cell for each in cells.ties(figures.counts) for cell in each.cells}:
            parts = [found[part].true(*cell) for part in period.parts()]
            assert not parts or figures.true(*cell) == Number(*map(sum, zip(*parts, strict=True)))


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.sampled_from(["week", "month", "quarter"]))
def test_periods_lie_whole_in_the_next_larger_one(day: date, kind: str) -> None:
    found = holding(day, kind)
    assert found.start <= day < found.end and found.before().end == found.start
    parts = found.parts()
    assert not parts or (parts[0].start, parts[-1].end) == (found.start, found.end)
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert not parts or holding(day, parts[0].kind) in parts


def test_only_what_is_over_is_a_period() -> None:
    assert ended(date(2026, 10, 10), date(2026, 11, 22), "month") == [
        Period(date(2026, 10, 1), date(2026, 11, 1), "month")
    ]
    assert [each.start.day for each in ended(date(2026, 11, 1), date(2026, 11, 22), "week")] == [1, 8, 15]


@given(st.lists(st.integers(0, 10**6), max_size=40))
def test_half_of_all_times_lie_between_the_quartiles(times: list[int]) -> None:
    counts = tally.counted([("page", "a/b", str(each), str(index)) for index, each in enumerate(times)])
    values = counts.get("page", {}).get("a/b", {})
    found = tally.middle(values)
    kept = sorted(int(tally.rounded(each)) for each in times)
    assert (found is None) == (not times)
    if found:
        assert sum(each <= found.middle for each in kept) * 2 >= len(kept)
        assert sum(each >= found.middle for each in kept) * 2 >= len(kept)
        assert sum(found.low <= each <= found.high for each in kept) * 2 >= len(kept)
        assert found.low <= found.middle <= found.high
        assert all(abs(int(tally.rounded(each)) - each) <= each / 20 for each in times)
