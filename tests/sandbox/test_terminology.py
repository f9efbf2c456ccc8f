"""ValueSet/$expand of the synthetic clinic: whole, filtered, cut, and refused in words."""

from __future__ import annotations

import pytest

from tests.sandbox.asking import Asking, words
from tests.sandbox_server import Sandbox

URL = "https://springfield.example/fhir/ValueSet/countries"


def codes(answer: object) -> list[str]:
    return [each["code"] for each in answer.json()["expansion"]["contains"]]  # type: ignore[attr-defined]


def test_a_value_set_is_expanded_by_its_url_and_by_its_id(read: Asking) -> None:
    by_url, by_id = read.get(f"ValueSet/$expand?url={URL}"), read.get("ValueSet/countries/$expand")
    assert by_url.status_code == by_id.status_code == 200
    assert codes(by_url) == codes(by_id)
    assert by_url.json()["expansion"]["total"] == len(codes(by_url)) > 50
    assert "compose" not in by_url.json()
    assert by_url.json()["expansion"]["contains"][4]["designation"] == [{"language": "es", "value": "Brasil"}]


def test_a_filter_a_count_and_an_offset_narrow_it(read: Asking) -> None:
    assert codes(read.get(f"ValueSet/$expand?url={URL}&filter=united")) == ["GB"]
    assert codes(read.get(f"ValueSet/$expand?url={URL}&count=2&offset=1")) == ["AU", "BD"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("url=urn:nothing", 404), (f"url={URL}&count=-1", 400), (f"url={URL}&property=x", 400)],
)
def test_what_cannot_be_expanded_is_refused_in_words(read: Asking, query: str, status: int) -> None:
    answer = read.get(f"ValueSet/$expand?{query}")
    assert answer.status_code == status
    assert words(answer)


def test_it_needs_leave_to_read_value_sets(full_clinic: Sandbox) -> None:
    answer = Asking(full_clinic, scope="system/Patient.rs").get(f"ValueSet/$expand?url={URL}")
    assert answer.status_code == 403
