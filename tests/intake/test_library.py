"""The clinic's own folder of forms: what is used, what is refused and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.errors import Misconfigured
from portal.intake import library
from tests.intake.forms_app import forms_app
from tests.intake.make_forms import coding, form, item


@pytest.fixture(autouse=True)
def _ours_again() -> Iterator[None]:
    yield
    library.install(None)


def write(folder: Path, **forms: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, raw in forms.items():
        (folder / f"{name}.json").write_text(raw if isinstance(raw, str) else json.dumps(raw))
    return folder


def test_without_a_folder_the_health_history_is_asked() -> None:
    library.install(None)
    assert [entry.slug for entry in library.assigned()] == ["health-history"]


def test_every_form_of_the_clinics_folder_is_asked(tmp_path: Path) -> None:
    folder = write(tmp_path / "forms", A_Form=form(item("1", "string")), second=form(item("1", "boolean")))
    assert library.install(folder).refused == ()
    assert [entry.slug for entry in library.assigned()] == ["a-form", "second"]


def test_a_refused_form_is_named_with_item_and_reason_and_the_others_are_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = form(item("same", "string"), item("same", "string"))
    folder = write(tmp_path / "forms", good=form(item("1", "string")), twice=twice, broken="{")
    found = library.install(folder)
    assert list(found.entries) == ["good"]
    refused = {each.file: each.reason for each in found.refused}
    assert "same" in refused["twice.json"]
    assert set(refused) == {"twice.json", "broken.json"}
    assert "twice.json" in capsys.readouterr().out


def test_a_folder_without_a_usable_form_or_without_being_one_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"no \.json file"):
        library.install(write(tmp_path / "empty"))
    with pytest.raises(Misconfigured, match=r"bad\.json"):
        library.install(write(tmp_path / "bad", bad=form(item("1", "nothing"))))
    with pytest.raises(Misconfigured, match="not a folder"):
        library.install(tmp_path / "nowhere")


def test_value_sets_beside_the_forms_give_them_their_answers(tmp_path: Path) -> None:
    contains = [coding("a", "Ache")["valueCoding"]]
    values = {"resourceType": "ValueSet", "url": "https://clinic.example/vs", "status": "active"}
    folder = write(
        tmp_path / "forms",
        asks=form(item("1", "choice", answerValueSet="https://clinic.example/vs")),
        values={**values, "expansion": {"timestamp": "2026-01-01T00:00:00Z", "contains": contains}},
    )
    with forms_app(tmp_path, folder) as clinic:
        page = clinic.open("asks")
        assert page.status == 200
        assert "Ache" in page.text
