"""Reading through one's answers: drawn as the design system draws a summary list, and nothing left out."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.components import Components
from portal.intake import checked
from portal.pages import words
from portal.questionnaire import Row, Section

RUDE = '<b> & "friends"'


def row(
    number: int, *answers: str, state: str = "answered", trail: tuple[str, ...] = (), read_only: bool = False
) -> Row:
    return Row(
        "a-page", f"q{number}", f"Question {number} {RUDE}?", answers, str(number), state, trail, None, read_only
    )


ROWS = [
    row(1, RUDE, "two"),
    row(2, "worked out", read_only=True),
    row(3, state="missing", trail=("A part", f"Another {RUDE}")),
    row(4, "yes", trail=("A part",)),
]
EMPTY = [row(number, state="empty") for number in range(10, 14)]


def address(page_key: str) -> str:
    return f"/visits/1/forms/a/{page_key}?from=check&more=1"


def as_the_library_draws(rows: list[Row], title: str) -> str:
    ui = Components(words)
    made = []
    for each in rows:
        trail = [part for part in each.trail if part != title]
        act = {"href": f"{address(each.page_key)}#{each.name}", "text": "Change", "visuallyHiddenText": each.question}
        made.append(
            {
                "key": {"text": ": ".join([*trail, each.question])},
                "value": {"text": ", ".join(each.answers) or "Not answered"},
                "actions": None if each.read_only else {"items": [act]},
            }
        )
    return str(ui.summary_list({"rows": made}))


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[1:2], ROWS + EMPTY[:3]])
def test_rows_are_those_of_the_design_system(app: Flask, rows: list[Row]) -> None:
    with app.test_request_context("/"):
        drawn = checked.sections([Section("a-page", "A part", rows)], address)
        assert str(drawn) == f'<h2 class="nhsuk-heading-m">A part</h2>\n{as_the_library_draws(rows, "A part")}'


def test_many_questions_without_an_answer_are_folded_and_still_there(app: Flask) -> None:
    with app.test_request_context("/"):
        drawn = str(checked.sections([Section("a-page", "Other", ROWS + EMPTY)], address))
        assert as_the_library_draws(ROWS, "Other") in drawn
        assert as_the_library_draws(EMPTY, "Other") in drawn.partition("4 questions without an answer")[2]


def test_what_is_worked_out_and_has_no_value_is_no_row(app: Flask) -> None:
    with app.test_request_context("/"):
        drawn = checked.sections([Section("a-page", "A part", [row(1, read_only=True, state="empty")])], address)
        assert "Question 1" not in drawn
