"""How long a page took, and what was put right on it: noted with the answers, never an answer, at no further statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.intake import pace
from portal.intake.pace import AWAY, Place, Touch, Turn

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PAGE = Place("one", "two")


def test_a_page_counts_from_when_it_was_shown_or_last_saved() -> None:
    first = pace.after(None, Turn(AT), PAGE, None, AT + timedelta(seconds=40))
    again = pace.after(first, Turn(AT), PAGE, AT + timedelta(seconds=40), AT + timedelta(seconds=50))
    assert (first["pages"], again["pages"]) == ({"one": 40}, {"one": 50})
    assert again["next"] == "two"


def test_a_page_that_was_left_or_has_no_time_is_not_timed_for_good() -> None:
    for turn, late in ((Turn(AT), AWAY + timedelta(seconds=1)), (Turn(None), timedelta(seconds=1))):
        left = pace.after(None, turn, PAGE, None, AT + late)
        later = pace.after(left, Turn(AT + late), PAGE, AT + late, AT + late + timedelta(seconds=5))
        assert left["pages"] == later["pages"] == {"one": None}


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 700)), max_size=8))
def test_the_time_of_a_page_is_never_more_than_went_by(steps: list[tuple[int, int]]) -> None:
    note, clock, saved = None, AT, None
    for before_shown, spent in steps:
        shown = clock + timedelta(seconds=before_shown)
        clock = shown + timedelta(seconds=spent)
        note, saved = pace.after(note, Turn(shown), PAGE, saved, clock), clock
    if note is not None:
        timed = note["pages"]["one"]
        assert (timed is None) == any(spent > 600 for _, spent in steps)
        assert timed is None or timed == sum(spent for _, spent in steps)


def test_a_prefilled_answer_is_kept_until_it_is_changed() -> None:
    kept = pace.after(
        None, Turn(AT), PAGE, None, AT, [Touch("a", True, False), Touch("b", True, True), Touch("c", False, True)]
    )
    assert kept["given"] == {"a": "kept", "b": "changed"}
    assert pace.after(kept, Turn(AT), PAGE, AT, AT, [Touch("a", False, True)])["given"]["a"] == "changed"


def test_what_was_put_right_counts_only_where_a_problem_was_shown() -> None:
    silent = pace.after(None, Turn(AT), PAGE, None, AT, wrong=["a"])
    shown = pace.after(None, Turn(AT, goes_on=True), PAGE, None, AT, wrong=["a"])
    change = [Touch("a", False, True), Touch("b", False, True)]
    assert pace.after(silent, Turn(AT), PAGE, AT, AT, change)["mended"] == {}
    assert pace.after(shown, Turn(AT), PAGE, AT, AT, change)["mended"] == {"a": 1}
    assert (shown["next"], silent["next"]) == ("one", "two")
