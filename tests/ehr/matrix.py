"""The SMART client matrix: each row, each point of it, and the tests that hold it.

`python -m tests.ehr.matrix` runs them all and prints row, point, tests, passed; it fails when a point has no test, or one
that does not pass. A test belongs to a point when its name begins with it (`test_row_04_redirect_handling__state_replayed…`);
points that another room's tests hold name those.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EHR = "tests/ehr"
DELIVERY = "tests/delivery"


@dataclass(frozen=True, eq=False)
class Row:
    """A row: its number and slug begin its tests' names; `points` are what it asks, `elsewhere` the tests under another name."""

    number: int
    slug: str
    points: tuple[str, ...]
    elsewhere: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def name(self, point: str) -> str:
        return f"test_row_{self.number:02}_{self.slug}__{point}"


MATRIX = (
    Row(
        1,
        "discovery",
        (
            "accept_json",
            "relative_endpoints",
            "missing_or_invalid_document",
            "without_s256_refused",
            "cached_and_fetched_again_on_endpoint_failure",
            "no_other_host",
        ),
    ),
    Row(
        2,
        "authorize",
        (
            "response_type_and_client_id",
            "redirect_uri_exact",
            "scope_minimal_without_wildcards",
            "state_unpredictable",
            "aud_is_the_base_exactly",
            "pkce_s256",
            "launch_echoed",
            "launch_omitted_standalone",
            "openid_and_fhir_user_together",
            "post_when_the_server_says_so",
        ),
    ),
    Row(
        3,
        "launch_entry",
        ("iss_not_registered_is_refused_without_a_request", "missing_launch", "missing_iss", "two_tabs_at_once"),
    ),
    Row(
        4,
        "redirect_handling",
        (
            "state_missing_or_mismatched",
            "state_replayed",
            "state_of_a_foreign_session",
            "error_is_shown",
            "error_is_not_reflected",
            "no_open_redirect",
            "rfc_9207_iss_mismatch",
            "code_without_a_session",
            "duplicate_parameters",
        ),
    ),
    Row(
        5,
        "token_request",
        (
            "form_encoded_post",
            "grant_code_redirect_and_verifier",
            "public_names_itself_and_sends_no_authentication",
            "basic_with_url_encoded_id_and_secret",
            "never_both_ways",
        ),
    ),
    Row(
        6,
        "private_key_jwt",
        ("rs384_and_es384", "jti_unique_also_on_retry", "assertion_on_code_and_refresh_too"),
    ),
    Row(
        7,
        "jwks",
        ("public_and_cacheable", "public_members_only", "unique_kid_per_algorithm", "rotation_overlaps", "https"),
        {
            "unique_kid_per_algorithm": (f"{EHR}/test_smart_rows.py::test_row_07_jwks__public_members_only",),
            "https": ("tests/test_settings.py::test_a_setting_that_cannot_stand_is_named",),
        },
    ),
    Row(
        8,
        "token_response",
        (
            "token_type_in_any_case",
            "missing_expires_in",
            "extra_members_kept",
            "narrower_scope",
            "patient_missing_stops",
            "patient_differing_stops_and_alerts",
            "banner_and_style_tolerated",
            "fhir_context_without_role_is_launch",
            "not_json_error_members_and_error_pages",
            "what_is_no_token",
        ),
    ),
    Row(
        9,
        "id_token",
        (
            "signature_by_the_servers_key_only",
            "algorithms_that_are_believed",
            "header_that_brings_keys_or_conditions",
            "iss_aud_exp_iat_nonce",
            "jwks_fetched_once_more_on_an_unknown_kid",
            "fhir_user_absolute_or_relative",
        ),
    ),
    Row(
        10,
        "refresh",
        (
            "grant_type_and_refresh_token",
            "scope_never_wider",
            "new_refresh_token_replaces_the_old",
            "kept_if_the_server_gives_none",
            "one_at_a_time_under_concurrency",
            "invalid_grant",
            "none_without_offline_access",
            "proactive_before_expiry",
            "once_after_a_401",
            "revocation",
        ),
    ),
    Row(
        11,
        "token_errors",
        (
            "terminal_or_worth_another_try",
            "of_a_code_end_that_sign_in",
            "retry_after_and_rate_limit",
            "bounded_backoff",
            "time_outs",
            "nothing_secret_is_told",
        ),
    ),
    Row(
        12,
        "backend_services",
        (
            "system_scopes_by_need",
            "client_credentials_request",
            "no_refresh_token_expected",
            "token_cached_until_shortly_before_it_expires",
        ),
    ),
    Row(
        13,
        "api_use",
        (
            "bearer_header",
            "one_refresh_and_one_retry_on_401",
            "no_retry_on_403",
            "foreign_references_never_followed",
            "next_links_on_the_same_base_only",
            "scopes_v1_and_v2",
        ),
        {
            "bearer_header": (
                f"{EHR}/test_bar_29_30_addresses.py::test_bar_30_the_token_is_in_the_header_and_never_in_the_address",
            ),
            "foreign_references_never_followed": (
                f"{EHR}/test_bar_29_30_addresses.py::test_bar_30_references_and_attachments_are_never_fetched",
                f"{EHR}/test_bar_29_30_addresses.py::test_bar_30_a_redirect_is_not_followed",
            ),
            "next_links_on_the_same_base_only": (
                f"{EHR}/test_bar_29_30_addresses.py::test_bar_30_a_next_link_elsewhere_is_not_followed",
            ),
        },
    ),
    Row(
        14,
        "push",
        (
            "without_a_token_nothing_is_sent",
            "transaction_replayed_after_a_lost_response",
            "server_without_if_none_exist",
            "rollback_on_one_bad_entry",
            "entry_412_or_409",
            "piece_by_piece_without_transaction",
            "if_match_with_an_opaque_version",
            "location_absolute_or_relative",
            "operation_outcome_in_any_status",
            "total_and_entry_absent",
            "unknown_parameter_400",
            "not_modified_304_and_gone_410",
            "values_fully_encoded",
            "xml_or_charset_content_types",
            "gzip_slow_and_truncated",
            "two_hundred_entries",
        ),
        {
            "transaction_replayed_after_a_lost_response": (
                f"{DELIVERY}/test_sandbox.py::test_a_lost_reply_is_found_after_the_bound_and_never_sent_twice",
            ),
            "rollback_on_one_bad_entry": (
                f"{DELIVERY}/test_sender.py::test_what_is_refused_is_held_with_the_servers_words_and_never_tried_again_by_itself",
            ),
            "entry_412_or_409": (
                f"{DELIVERY}/test_classify.py::test_a_failed_condition_is_a_conflict_as_soon_as_something_was_to_be_updated",
            ),
            "piece_by_piece_without_transaction": (
                f"{DELIVERY}/test_piecewise.py::test_everything_arrives_once_in_an_order_in_which_references_resolve",
            ),
            "location_absolute_or_relative": (
                f"{DELIVERY}/test_classify.py::test_absolute_locations_are_understood",
                f"{DELIVERY}/test_classify.py::test_where_everything_landed_is_kept_with_its_version",
            ),
            "operation_outcome_in_any_status": (
                f"{DELIVERY}/test_classify.py::test_every_other_status_has_its_class_whatever_the_body",
            ),
            "total_and_entry_absent": (
                f"{EHR}/test_bar_41_44_answers.py::test_an_empty_searchset_without_entry_or_total_is_an_empty_result",
            ),
            "values_fully_encoded": (f"{EHR}/test_bar_41_44_answers.py::test_values_are_fully_percent_encoded",),
            "gzip_slow_and_truncated": (
                f"{EHR}/test_bar_40_limits.py::test_a_gzipped_answer_is_read",
                f"{EHR}/test_bar_40_limits.py::test_a_body_that_drips_ends_by_the_total_limit",
                f"{EHR}/test_bar_40_limits.py::test_a_truncated_body_is_no_answer",
                f"{EHR}/test_truncations.py::test_cut_at_any_byte_it_is_no_answer_and_whole_it_is_read",
                f"{EHR}/test_truncations.py::test_packed_and_ended_only_by_the_closing_line_a_cut_is_still_noticed",
            ),
        },
    ),
    Row(
        15,
        "storage",
        ("sealed_at_rest", "nothing_in_cookies", "https_outside_this_machine"),
        {
            "https_outside_this_machine": (
                f"{EHR}/test_bar_29_30_addresses.py::test_bar_29_an_administrator_can_register_only_what_a_clinics_system_can_be",
                "tests/test_settings.py::test_a_setting_that_cannot_stand_is_named",
            ),
        },
    ),
)


def names_in(path: Path) -> Iterator[str]:
    """The names of the tests in a file."""
    for each in ast.parse(path.read_text()).body:
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
            yield each.name


def named() -> dict[str, str]:
    """Every test of this folder that is named for a row: its name and where it is."""
    return {
        name: f"{EHR}/{path.name}::{name}"
        for path in sorted(HERE.glob("test_*.py"))
        for name in names_in(path)
        if name.startswith("test_row_")
    }


def held() -> dict[tuple[Row, str], list[str]]:
    """The tests of each point, as pytest names them."""
    known = named()
    return {
        (row, point): [at for name, at in known.items() if name.startswith(row.name(point))]
        + list(row.elsewhere.get(point, ()))
        for row in MATRIX
        for point in row.points
    }


class _Count:
    """Counts what passed and what did not, by test function."""

    def __init__(self) -> None:
        self.passed: dict[str, int] = {}
        self.failed: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.partition("[")[0]
        if report.failed:
            self.failed[name] = self.failed.get(name, 0) + 1
        elif report.when == "call" and report.passed:
            self.passed[name] = self.passed.get(name, 0) + 1


def main(arguments: Sequence[str] = ()) -> int:
    """Run every test of the matrix and print it. 0 when each point has tests and all of them pass."""
    found, count = held(), _Count()
    wanted = sorted({each for tests in found.values() for each in tests})
    pytest.main(["--no-header", "--tb=short", *arguments, *wanted], plugins=[count])
    bad = 0
    for row in MATRIX:
        print(f"\n{row.number:2} {row.slug.replace('_', ' ')}")
        for point in row.points:
            tests = found[row, point]
            passed, failed = (sum(each.get(name, 0) for name in tests) for each in (count.passed, count.failed))
            good = bool(tests) and passed > 0 and not failed
            bad += not good
            mark = "ok  " if good else "FAIL"
            print(f"   {mark} {point.replace('_', ' '):52} {len(tests):3} tests {passed:4} passed {failed or ''}")
    total = sum(count.passed.values())
    print(
        f"\n{len(MATRIX)} rows, {len(found)} points, {len(wanted)} tests, {total} cases passed, {bad} points not held"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
