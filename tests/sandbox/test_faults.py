"""The bad days: each fault as a client meets it, and that the clinic is well again afterwards."""

from __future__ import annotations

import time

import pytest
import requests

from tests.sandbox.asking import Asking, patient
from tests.sandbox_server import Sandbox


@pytest.mark.parametrize("mode", ["down", "lost_reply"])
def test_the_connection_closes_without_an_answer(ask: Asking, clinic: Sandbox, mode: str) -> None:
    clinic.fault(mode)
    with pytest.raises(requests.ConnectionError):
        ask.get("Patient")
    clinic.fault("none")
    assert ask.get("Patient").status_code == 200


def test_down_does_nothing_but_a_lost_reply_was_carried_out(ask: Asking, clinic: Sandbox) -> None:
    for mode, kept in (("down", 0), ("lost_reply", 1)):
        clinic.fault(mode, times=1)
        with pytest.raises(requests.ConnectionError):
            ask("POST", "Patient", patient())
        assert len(ask.ids("Patient")) == kept


@pytest.mark.parametrize(
    ("mode", "status"), [("unavailable", 503), ("throttled", 429), ("error", 500), ("expired", 401)]
)
def test_an_error_of_the_server(ask: Asking, clinic: Sandbox, mode: str, status: int) -> None:
    clinic.fault(mode, times=1, seconds=7)
    broken = ask.get("Patient")
    assert (broken.status_code, broken.headers["Retry-After"]) == (status, "7")
    assert broken.json()["resourceType"] == "OperationOutcome"
    assert ask.get("Patient").status_code == 200


def test_slow_is_slow_and_still_right(ask: Asking, clinic: Sandbox) -> None:
    clinic.fault("slow", seconds=0.4)
    began = time.monotonic()
    assert ask.get("Patient").status_code == 200
    assert time.monotonic() - began >= 0.4


def test_flaky_breaks_every_third_request_in_two_ways_by_turns(ask: Asking, clinic: Sandbox) -> None:
    clinic.fault("flaky", every=3)
    met: list[int | str] = []
    for _ in range(6):
        try:
            met.append(ask.get("Patient").status_code)
        except requests.ConnectionError:
            met.append("reset")
    assert met == [200, 200, "reset", 200, 200, 500]


def test_a_page_of_html_where_fhir_should_be(ask: Asking, clinic: Sandbox) -> None:
    clinic.fault("html")
    answer = ask.get("Patient")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_half_an_answer(ask: Asking, clinic: Sandbox) -> None:
    clinic.fault("truncated")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask.get("metadata")


def test_a_fault_can_be_for_one_kind_of_request(ask: Asking, clinic: Sandbox) -> None:
    clinic.fault("error", method="POST", path="/fhir/Patient")
    assert ask("POST", "Patient", patient()).status_code == 500
    assert ask("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}}).status_code == 201
    assert ask.get("Patient").status_code == 200


def test_requests_seen_tell_what_came_and_never_what_was_searched_for(ask: Asking, clinic: Sandbox) -> None:
    ask.get("Patient?family=secret")
    clinic.fault("error", times=1)
    ask("POST", "Patient", patient())
    seen = clinic.requests_seen()
    assert [(one["method"], one["path"], one["status"]) for one in seen[-2:]] == [
        ("GET", "/fhir/Patient", 200),
        ("POST", "/fhir/Patient", 500),
    ]
    assert "secret" not in str(seen)


@pytest.mark.parametrize(
    "wanted",
    [
        {"mode": "fire"},
        {},
        [],
        {"mode": "slow", "seconds": "x"},
        {"mode": "flaky", "every": 0},
        {"mode": "down", "a": 1},
    ],
)
def test_a_fault_that_is_none_is_refused(clinic: Sandbox, wanted: object) -> None:
    answer = requests.post(f"{clinic.url}/$fault", json=wanted, timeout=5)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


def test_a_page_of_another_site_cannot_switch_faults(clinic: Sandbox) -> None:
    """A form of a foreign page can only send simple content types, and these are not listened to."""
    answer = requests.post(
        f"{clinic.url}/$fault", data='{"mode":"down"}', headers={"Content-Type": "text/plain"}, timeout=5
    )
    assert answer.status_code == 415
    assert requests.get(f"{clinic.url}/$fault", timeout=5).json()["mode"] == "none"
