"""Every public form as pages: nothing raises, every question is asked once by name, and what is sent back is what stood there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from flask import Flask

import portal
from portal import db
from portal.questionnaire import Filling, Form, FormRefused, load, populate
from tests import make
from tests.corpus.corpus import forms, needed, read, registry
from tests.intake.drawing import context, drawn, faults, filled, form_of, lost, wrong_everywhere
from tests.intake.forms_app import FormsApp, forms_app

pytestmark = needed
FORMS = [path for path in forms() if path.endswith(".json")]
OVER_HTTP = 60
"""Every so many-th form is walked over HTTP."""
EMPTY = 4
"""Every so many-th form is drawn without answers too."""


@lru_cache(maxsize=8)
def opened(path: str) -> Form | None:
    try:
        return load(read(path), registry=registry())
    except (ValueError, FormRefused):
        return None


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("templates")
    app = portal.create_app(make.settings(folder, f"sqlite:///{folder / 'previsit.db'}"))
    with app.test_request_context("/"):
        yield app
    db.dispose()


@pytest.mark.parametrize("path", FORMS)
def test_every_question_of_the_form_is_asked_by_name_and_comes_back_as_it_stood(templates: Flask, path: str) -> None:
    form = opened(path)
    if form is None:
        pytest.skip("not a form, or refused with its reason")
    filling = filled(Filling(form, populate(form, context()), context()))
    for page in filling.pages:
        nodes = filling.nodes(page.key, wrong_everywhere(filling.nodes(page.key)))
        fields = form_of(nodes)
        shown = drawn(templates, nodes, fields, page.title)
        assert not [*faults(shown, nodes, fields), *lost(nodes, shown)], page.key


@pytest.mark.parametrize("path", FORMS[::EMPTY])
def test_the_form_is_asked_without_answers_too(templates: Flask, path: str) -> None:
    form = opened(path)
    if form is None:
        pytest.skip("not a form, or refused with its reason")
    filling = Filling(form, populate(form, context()), context())
    for page in filling.pages:
        nodes = filling.nodes(page.key)
        fields = form_of(nodes)
        shown = drawn(templates, nodes, fields, page.title)
        assert not [*faults(shown, nodes, fields), *lost(nodes, shown)], page.key


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormsApp]:
    sample = {f"form-{number}": form for number, path in enumerate(FORMS[::OVER_HTTP]) if (form := opened(path))}
    folder: Path = tmp_path_factory.mktemp("walked")
    with forms_app(folder, sample) as portal_of_forms:
        yield portal_of_forms


@pytest.mark.parametrize("number", range(len(FORMS[::OVER_HTTP])))
def test_the_form_is_walked_over_http(walked: FormsApp, number: int) -> None:
    slug = f"form-{number}"
    walked_form = opened(FORMS[::OVER_HTTP][number])
    if walked_form is None:
        pytest.skip("not a form, or refused with its reason")
    page = walked.open(slug)
    if page.status == 404:
        assert not Filling(walked_form, populate(walked_form, context()), context()).pages, "nothing is asked"
        return
    for _ in range(5):
        if "/forms/" not in page.path:
            return
        assert page.status == 200
        kept = walked.post(page)
        assert kept.status == 200, "saving what stands there is never refused"
        assert kept.sent({})["version"] == page.sent({})["version"], "nothing changed by sending it back"
        following = walked.post(kept, "continue")
        assert following.status in (200, 422)
        if following.status == 422:
            errors = [link[1:] for link in following.links if link.startswith("#q")]
            assert errors
            assert not set(errors) - set(following.ids), "every line of the summary leads to its question"
            return
        page = following
