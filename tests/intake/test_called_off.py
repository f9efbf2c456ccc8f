"""A visit that was cancelled while it was prepared: every page of it says so, and what was being typed is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal import db
from portal.db import session, transaction
from portal.intake.models import Visit
from tests.intake.forms_app import FormsApp, Page, forms_app
from tests.intake.make_forms import control, form, item

RAW = form(
    item("page", "group", "You", extension=[control("page")], item=[item("job", "string", "Your job", required=True)]),
    item("last", "group", "The end", extension=[control("page")], item=[item("more", "text", "Anything else?")]),
)
SAID = "This visit was cancelled"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormsApp]:
    with forms_app(tmp_path_factory.mktemp("off"), {}) as made:
        yield made


@pytest.fixture
def page(clinic: FormsApp) -> Page:
    """A page that was opened before the clinic cancelled the visit."""
    _becomes(clinic, "expected")
    clinic.use({"asks": RAW})
    page = clinic.open("asks", "you")
    _becomes(clinic, "cancelled")
    return page


def _becomes(clinic: FormsApp, state: str) -> None:
    with clinic.app.app_context():
        with transaction():
            session().get_one(Visit, clinic.visit_id).state = state
        db.close()


@pytest.mark.parametrize("step", ["continue", "later", "update", "leave"])
@pytest.mark.parametrize("typed", ["Baker", ""])
def test_what_was_being_typed_is_kept_and_the_next_page_says_why_it_is_not_needed(
    clinic: FormsApp, page: Page, step: str, typed: str
) -> None:
    name = next(control.name for control in page.controls if control.kind == "text")
    then = clinic.post(page, step, {name: typed})
    assert then.path == f"/visits/{clinic.visit_id}" and SAID in then.text
    assert "Read what you wrote" in then.text and "Prepare your visit" not in then.text
    check = clinic.client.get(f"/visits/{clinic.visit_id}/check").get_data(as_text=True)
    assert (
        SAID in check
        and "Check your answers" not in check
        and (typed or "Not answered") in check
        and ">Change<" not in check
    )
    _becomes(clinic, "expected")
    assert clinic.open("asks", page.path.rpartition("/")[2]).named(name)[0].value == typed


def test_a_live_page_is_not_told_that_all_is_well(clinic: FormsApp, page: Page) -> None:
    name = next(control.name for control in page.controls if control.kind == "text")
    sent = {**page.sent({name: "Baker"}), "step": "update"}
    answer = clinic.client.post(page.path, data=sent, headers={"X-Fragment": "1"}, follow_redirects=True)
    assert answer.history and answer.request.path == f"/visits/{clinic.visit_id}"


@pytest.mark.parametrize("path", ["forms/asks", "forms/asks/you", "confirm/medication", "sign/asks"])
def test_no_page_of_it_asks_anything_any_more(clinic: FormsApp, page: Page, path: str) -> None:
    answer = clinic.client.get(f"/visits/{clinic.visit_id}/{path}", follow_redirects=True)
    assert answer.request.path == f"/visits/{clinic.visit_id}" and SAID in answer.get_data(as_text=True)
