"""The fault matrix: what goes wrong, at which step, and which test proves what must come of it.

Rows F-01 to F-22, columns submit, review, send, labs. A cell is the name of a test below tests/ ("file::test"), or SEND for a
story of its own in test_fault_matrix.py under the row's name; a column that is not named is one where the fault means nothing.
"""

from pathlib import Path

SEND = "test_fault_matrix"
JOURNEY = "journeys/test_when_the_clinic_is_down.py::test_"
TYPED = "journeys/test_nothing_typed_is_lost.py::test_"
DECIDES = "journeys/test_a_person_decides.py::test_"
READINGS = "ehr/test_readings.py::test_"
LIMITS = "ehr/test_bar_40_limits.py::test_"
ANSWERS = "ehr/test_bar_41_44_answers.py::test_"
REVIEW = "review/test_service.py::test_"
KILL = "delivery/test_kill.py::test_"
HERE = "delivery/test_fault_matrix.py::test_"
DOWN = JOURNEY + "with_the_clinic_down_everything_but_delivery_works_and_it_is_delivered_once_later"
LAST_GOOD = READINGS + "bar_88_after_a_failure_the_last_good_reading_comes_back_with_its_age"

MATRIX: dict[str, dict[str, str]] = {
    "F-01 not reachable for hours or days": {
        "submit": DOWN,
        "review": DOWN,
        "send": SEND,
        "labs": "labs/test_pages.py::test_when_the_clinic_is_away_the_last_reading_is_shown_with_its_age",
    },
    "F-02 slow": {
        "submit": DOWN,
        "review": DOWN,
        "send": SEND,
        "labs": LIMITS + "a_body_that_drips_ends_by_the_total_limit",
    },
    "F-03 flapping": {"send": SEND, "labs": LAST_GOOD},
    "F-04 answer lost after the commit": {"send": SEND},
    "F-05 a page of HTML": {
        "send": SEND,
        "labs": READINGS + "bar_88_a_failure_is_could_not_look_with_its_reason_and_never_none",
    },
    "F-06 truncated, bad gzip, bad JSON": {"send": SEND, "labs": LIMITS + "a_truncated_body_is_no_answer"},
    "F-07 wrong type, id or patient": {
        "send": SEND,
        "labs": "ehr/test_bar_42_wrong_patient.py::test_bar_42_an_entry_that_is_not_provably_theirs_is_dropped",
    },
    "F-08 token expired or revoked": {
        "send": SEND,
        "labs": "ehr/test_smart_rows.py::test_row_13_api_use__one_refresh_and_one_retry_on_401__no_more",
    },
    "F-09 part of it, or a short answer": {"send": SEND},
    "F-10 kill -9": {
        "submit": HERE + "what_was_acknowledged_survives_a_kill",
        "review": REVIEW + "a_fault_at_any_step_of_finishing_leaves_nothing_behind",
        "send": KILL + "a_worker_killed_here_loses_nothing_doubles_nothing_and_nobody_is_told_falsely",
    },
    "F-11 disk full": {
        "submit": HERE + "what_cannot_be_saved_is_said_and_the_text_stays_on_the_page",
        "review": HERE + "an_acceptance_that_finds_no_room_is_refused_whole",
        "send": SEND,
        "labs": READINGS + "bar_97_when_the_audit_trail_cannot_be_written_nothing_is_shown",
    },
    "F-12 database locked": {
        "submit": HERE + "what_cannot_be_saved_is_said_and_the_text_stays_on_the_page",
        "review": HERE + "what_cannot_be_saved_is_said_and_the_text_stays_on_the_page",
        "send": SEND,
        "labs": "test_db.py::test_a_lock_that_is_not_let_go_is_said_plainly",
    },
    "F-13 clock jumps": {
        "submit": HERE + "a_clock_that_runs_back_signs_nobody_out",
        "send": SEND,
        "labs": ANSWERS + "a_senseless_age_counts_as_none",
    },
    "F-14 two reviewers": {
        "review": REVIEW + "the_second_reviewer_is_told_who_was_faster_and_when",
        "send": REVIEW + "twenty_reviewers_at_once_make_one_decision_and_one_delivery",
    },
    "F-15 sent twice": {
        "submit": TYPED + "a_double_click_another_tab_and_the_back_button_send_once_under_one_reference",
        "send": SEND,
    },
    "F-16 two tabs or devices": {
        "submit": TYPED + "two_tabs_of_one_page_are_merged_and_a_clash_is_shown_with_both_texts"
    },
    "F-17 form changed or retired meanwhile": {
        "submit": "intake/test_library.py::test_a_draft_goes_on_with_its_own_version_when_a_newer_one_is_asked",
        "review": REVIEW + "an_open_submission_shows_what_is_to_decide_and_what_was_confirmed",
        "send": SEND,
    },
    "F-18 patient merged, or more than one match": {
        "submit": DECIDES + "somebody_who_looks_like_two_people_is_held_until_a_clerk_says_who_it_is",
        "review": DECIDES + "somebody_who_looks_like_two_people_is_held_until_a_clerk_says_who_it_is",
        "send": SEND,
        "labs": READINGS + "when_the_tie_changes_nothing_of_the_old_record_is_shown",
    },
    "F-19 consent taken back meanwhile": {
        "review": REVIEW + "what_the_patient_does_not_share_is_not_shown_and_not_sent",
        "send": SEND,
        "labs": "consent/test_service.py::test_e26_taking_back_is_one_step_and_stops_everything_at_once",
    },
    "F-20 restored from a backup": {"submit": HERE + "after_a_restore_it_is_said_up_to_when_it_reaches", "send": SEND},
    "F-21 another server at the address": {
        "send": SEND,
        "labs": READINGS + "bar_90_the_worker_notices_that_the_server_is_another",
    },
    "F-22 a worker that wakes late": {
        "send": KILL + "a_worker_that_sleeps_past_its_lease_wakes_to_find_itself_fenced_off"
    },
}
STORIES = [row for row, cells in MATRIX.items() if cells.get("send") == SEND]
NAMED = sorted({cell for cells in MATRIX.values() for cell in cells.values() if cell != SEND})
TESTS = Path(__file__).resolve().parents[1]


def stands(cell: str) -> bool:
    """Whether the test that a cell names is there."""
    file, _, name = cell.partition("::")
    path = TESTS / file
    return path.exists() and f"def {name}(" in path.read_text()
