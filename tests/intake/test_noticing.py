"""An answer that cannot wait: what is safe to do now stands on the next page, and on every page of the visit after it."""

from __future__ import annotations

import pytest

from portal.questionnaire import load
from tests.forms.filling import RAW
from tests.intake.forms_app import FormsApp, forms_app

TOLD = "thoughts of being better off dead"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> FormsApp:
    with forms_app(tmp_path_factory.mktemp("urgent"), {"phq-9": load(RAW["phq-9"])}) as made:
        yield made


def test_it_is_said_at_once_with_and_without_script_and_stays_until_the_answer_changes(clinic: FormsApp) -> None:
    page = clinic.open("phq-9")
    last = page.named("q11")
    assert last and TOLD not in page.text
    script = clinic.client.post(
        page.path,
        data={**page.sent({"q11": last[1].value}), "step": "update"},
        headers={"X-Fragment": "1"},
        content_type="multipart/form-data",
    )
    assert TOLD in script.get_data(as_text=True)
    following = clinic.post(clinic.open("phq-9"), "continue")
    assert following.path == f"/visits/{clinic.visit_id}"
    assert TOLD in following.text
    assert "020 7946 0000" in following.text
    assert TOLD in clinic.client.get(f"/visits/{clinic.visit_id}/check").get_data(as_text=True)
    clinic.post(clinic.open("phq-9"), "continue", {"q11": last[0].value})
    assert TOLD not in clinic.client.get(f"/visits/{clinic.visit_id}").get_data(as_text=True)
