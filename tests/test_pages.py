"""What every page owes a reader: told at once where there is a problem; nothing typed lost with a change of language."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal.intake import differing
from portal.pages import TEMPLATES
from tests import make

PAGES = [
    path
    for path in sorted(TEMPLATES.rglob("*.html"))
    if re.search(r"^{%-? extends ", path.read_text(encoding="utf-8"), re.MULTILINE) and path.stem != "staff"
]
MARKS_A_PROBLEM = re.compile(r"error_summary\(|ui\.error_summary")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_a_page_has_one_heading_and_its_title_says_first_that_there_is_a_problem(path: Path) -> None:
    """The title is what a screen reader says first, and what stands in the tab."""
    page = path.read_text(encoding="utf-8")
    title = re.search(r"{% block title %}(.*?){% endblock %}", page, re.DOTALL)
    assert title and title[1].strip()
    assert "<h1" in page or "heading(" in page
    if MARKS_A_PROBLEM.search(page):
        assert re.search(r'{% if [^%]+ %}{{ _\("Error"\) }}: {% endif %}', title[1]), path


def test_the_page_that_is_posted_comes_back_in_the_other_language(client: FlaskClient) -> None:
    """Also with what its address says besides, for example where to go after signing in."""
    make.clinic()
    page = client.get("/sign-in?next=/results").text
    assert 'action="/language?next=/sign-in%3Fnext%3D/results"' in page
    again = client.post("/sign-in?next=/results", data={"csrf_token": _token(page)})
    assert again.status_code == 422
    assert "<title>Error: " in again.text
    assert 'action="/language?next=/sign-in%3Fnext%3D/results"' in again.text


def test_a_stale_page_says_what_happened_and_leads_back_to_itself(client: FlaskClient) -> None:
    answer = client.post("/sign-in?next=/results", data={"csrf_token": "stale"})
    assert answer.status_code == 400
    assert 'href="/sign-in?next=/results"' in answer.text


def test_who_answers_sees_what_somebody_else_answered_before() -> None:
    said = {"a1": {"by": "Tom", "at": "2026-05-01"}, "a2": {"by": "Grace", "at": "2026-05-02"}}
    entry = {"said": {"key": said}}
    assert [differing.by_another(entry, "key", who) for who in ("a1", "a2")] == ["Grace", ""]
    assert differing.by_another(entry, "another", "a1") == differing.by_another({}, "key", "a1") == ""


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_page_that_stops_staff_stands_in_their_bar_and_one_that_stops_a_patient_does_not(
    sign_in: Callable[[str], FlaskClient],
) -> None:
    clinic = make.clinic()
    make.staff(clinic)
    make.patient_account(make.patient(clinic))
    clerk, ana = sign_in("clinician@example.org"), sign_in("ana@example.org")
    for path in ("/admin/staff", "/desk/submissions/nothing", "/nothing"):
        mine, hers = clerk.get(path), ana.get(path)
        assert mine.status_code in (403, 404) and hers.status_code in (403, 404)
        assert 'href="/desk"' in mine.text and "ask your clinic" not in mine.text
        assert 'href="/desk"' not in hers.text
