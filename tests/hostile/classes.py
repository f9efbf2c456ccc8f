"""Classes of weakness found in products like this one, each with the tests that would find it here: `python -m tests.hostile.classes`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Weakness:
    """One class. `seen` are advisories of it (CVE or GHSA), most of OpenEMR in 2026; `tests` are file::function."""

    name: str
    seen: tuple[str, ...]
    tests: tuple[str, ...]


MATRIX = "house/test_matrix.py::test_every_cell_gives_its_outcome"
REPLAY = "hostile/test_replay.py::test_another_persons_requests_show_and_change_nothing_of_theirs"
ONE_ID = "hostile/test_replay.py::test_one_id_of_theirs_in_ones_own_request_shows_and_changes_nothing"
SINKS = "hostile/test_sinks.py::test_what_is_typed_arrives_as_a_value_or_not_at_all"
BROWSER = "hostile/test_in_a_browser.py::test_nothing_runs_nothing_is_asked_for_and_no_page_breaks"
STARTS = "house/test_matrix.py::test_a_way_in_that_nobody_was_let_through_stops_the_start"

CLASSES = (
    Weakness("Missing authorization: a route that forgot to ask", ("CVE-2026-25164", "CVE-2026-34053"),
             (STARTS, MATRIX, "house/test_matrix.py::test_every_way_in_has_a_row_and_every_row_of_an_open_room_a_way_in")),
    Weakness("Somebody else's object by its id", ("CVE-2026-25147", "CVE-2026-25744", "CVE-2026-25745", "CVE-2026-34055", "CVE-2025-67645"),
             (MATRIX, REPLAY, ONE_ID)),
    Weakness("Opening a thing switches whose record is open", ("CVE-2026-27943",), (ONE_ID, MATRIX)),
    Weakness("A second way to the same thing, unguarded: print, export, fragment", ("CVE-2026-25930", "CVE-2026-34055"), (MATRIX, STARTS)),
    Weakness("Fields that were never asked for are taken", ("CVE-2026-24890", "CVE-2026-25744"),
             ("hostile/test_replay.py::test_no_column_can_be_set_by_naming_it",)),
    Weakness("Another compartment through the FHIR server", ("CVE-2026-24487",),
             ("ehr/test_bar_42_wrong_patient.py::test_bar_42_an_entry_that_is_not_provably_theirs_is_dropped",
              "ehr/test_bar_42_wrong_patient.py::test_bar_42_what_comes_by_include_is_checked_too")),
    Weakness("An explicit no that another yes overrides", ("CVE-2026-33302",),
             ("consent/test_against_reference.py::*", "consent/test_pcf_vectors.py::*")),
    Weakness("SQL put together from what was sent", ("CVE-2026-24908", "CVE-2026-23627"),
             ("house/test_source.py::test_sql_is_never_put_together_from_text", SINKS)),
    Weakness("Stored and reflected script", ("CVE-2026-32121", "GHSA-pgvq-f22q-2whp", "GHSA-qvf6-6xc6-9qv7", "GHSA-cp37-pmfx-5mhm"),
             (BROWSER, "house/test_odd_input.py::test_text_stays_text_on_every_page",
              "house/test_odd_input.py::test_what_is_typed_and_comes_back_stays_text",
              "house/test_source.py::test_html_is_put_together_in_the_named_places_only",
              "house/test_headers.py::test_every_answer_has_the_policy_and_is_kept_by_nobody")),
    Weakness("Paths from what was sent; archives that climb out", ("CVE-2026-24488", "GHSA-rppw-f689-6hrm", "CVE-2023-24057"),
             (SINKS, "hostile/test_uploads.py::test_a_name_says_what_the_file_is_and_nothing_else",
              "hostile/test_bombs.py::test_packed_bytes_are_never_unpacked")),
    Weakness("Files that run: uploads shown on our pages", (),
             ("hostile/test_uploads.py::test_whatever_is_given_comes_back_as_a_file_to_keep_that_runs_nowhere",
              "hostile/test_uploads.py::test_archives_and_programs_are_refused_whatever_they_claim_to_be",
              "hostile/test_uploads.py::test_a_picture_is_kept_without_what_a_camera_writes_beside_it")),
    Weakness("Commands and code from what was sent; unpacked objects", ("GHSA-6pmc-3xm7-pm86", "CVE-2023-43208"),
             (SINKS, "house/test_source.py::test_nothing_that_was_typed_can_be_run")),
    Weakness("The server asks where it was told to", ("GHSA-5pc3-2crw-96rv", "GHSA-v9v3-q973-xp2h", "CVE-2026-34360"),
             ("ehr/test_bar_29_30_addresses.py::test_bar_29_no_socket_opens_to_an_unregistered_address", SINKS,
              "hostile/test_whole_app.py::test_nothing_breaks_hangs_tells_or_asks_elsewhere")),
    Weakness("Credentials go to another place", ("CVE-2026-34359", "CVE-2026-34361"),
             ("ehr/test_bar_29_30_addresses.py::test_bar_30_a_redirect_is_not_followed",
              "ehr/test_bar_29_30_addresses.py::test_bar_30_what_lies_under_the_registered_base_is_inside")),
    Weakness("Sessions that do not end, or that another page begins", ("CVE-2026-25476", "CVE-2018-15152", "CVE-2021-32101"),
             ("test_front_door.py::test_a_session_ends_by_itself_and_no_request_can_talk_around_it",
              "test_front_door.py::test_a_captured_cookie_is_worthless_after_signing_out", MATRIX)),
    Weakness("Requests forged from another site; pages that change when read", (),
             ("house/test_csrf.py::test_a_token_that_is_not_the_sessions_own_gets_400_and_changes_nothing",
              "house/test_gets.py::test_a_page_that_is_read_changes_nothing")),
    Weakness("Who is known here is told by answers", (),
             ("test_front_door.py::test_an_unknown_address_and_a_wrong_password_look_the_same", MATRIX)),
    Weakness("XML that reads files, asks, or grows", ("CVE-2026-55471", "CVE-2024-52007", "CVE-2024-46984"),
             ("hostile/test_bombs.py::test_xml",)),
    Weakness("Small inputs that become large", ("CVE-2026-39373", "CVE-2023-25577", "CVE-2024-49767"),
             ("hostile/test_bombs.py::test_json", "hostile/test_bombs.py::test_forms",
              "hostile/test_uploads.py::test_a_picture_that_is_none_or_too_much_is_refused_at_once",
              "ehr/test_bar_40_limits.py::test_a_gzip_bomb_is_stopped_at_ten_megabytes_of_content")),
    Weakness("Patterns and expressions without end", (),
             ("fhirpath/test_hostile.py::test_an_expression_without_end_is_stopped",
              "hostile/test_bombs.py::test_rules_of_forms_that_could_cost_without_end_are_left_out_and_said")),
    Weakness("Tokens that are believed", ("CVE-2025-59420",), ("hostile/test_bombs.py::test_tokens", "ehr/test_row_09_id_token.py::*")),
    Weakness("Formulas in tables that are taken away", (), ("hostile/test_sinks.py::test_a_cell_of_a_table_never_begins_a_formula",)),
    Weakness("Lines put into heads and logs; addresses built from a query", (), (SINKS,)),
    Weakness("A step left out, sent twice, or in another order", (), ("hostile/test_walks.py::test_any_order_of_steps_keeps_the_rules",)),
    Weakness("A cache or another site keeps or frames the page", ("CVE-2023-30861",),
             ("house/test_headers.py::test_every_answer_has_the_policy_and_is_kept_by_nobody",)),
)  # fmt: skip


def missing() -> Iterator[str]:
    """Tests that are named and not there."""
    for weakness in CLASSES:
        for test in weakness.tests:
            path, _, name = test.partition("::")
            there = functions(TESTS / path)
            if not there or (name != "*" and name not in there):
                yield test


def functions(path: Path) -> set[str]:
    if not path.exists():
        return set()
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def table() -> str:
    lines = [
        f"{each.name}\n    seen: {', '.join(each.seen) or 'elsewhere'}\n    here: {', '.join(each.tests)}"
        for each in CLASSES
    ]
    advisories = {one for each in CLASSES for one in each.seen}
    tests = {one for each in CLASSES for one in each.tests}
    return "\n".join([*lines, f"{len(CLASSES)} classes, {len(advisories)} advisories, {len(tests)} tests"])


if __name__ == "__main__":
    print(table())
