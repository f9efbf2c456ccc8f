"""What stands in memory between two requests is bounded by its weight, however many forms and people there are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from portal import db, engines
from portal.db import session, transaction
from portal.intake import held
from portal.library import shelf
from portal.questionnaire import Filling, load
from tests import make
from tests.library.shelf import put
from tests.questionnaire.make import context, q, raw_form


@pytest.fixture
def nothing_held() -> Iterator[None]:
    held.drop_all()
    yield
    held.drop_all()


def test_compiled_forms_are_held_as_long_as_all_of_them_weigh_little(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = make.clinic(forms=())
    versions = [put(clinic.id, f"f{n}", load(raw_form(q(f"q{n}"), url=f"urn:f{n}"))) for n in range(5)]
    heavy = put(clinic.id, "heavy", load(raw_form(q("h", text="long " * 400), url="urn:heavy")))
    weight = len(shelf.content(clinic.id, versions[0]))
    monkeypatch.setattr(shelf, "MOST_WEIGHT", weight * 3)
    monkeypatch.setattr(shelf, "_compiled", OrderedDict())
    monkeypatch.setattr(shelf, "_weights", {})
    for version in (*versions, versions[3]):
        shelf.compiled(clinic.id, version, None)
    mine = [key[1] for key in shelf._compiled if key[0] == clinic.id]
    assert mine == [versions[2], versions[4], versions[3]], "the last used, as many as weigh no more"
    assert shelf.compiled(clinic.id, versions[3], None) is shelf.compiled(clinic.id, versions[3], None)
    kept = shelf.compiled(clinic.id, heavy, None)
    assert list(shelf._compiled) == [(clinic.id, heavy, None)], "one is always kept"
    assert shelf.compiled(clinic.id, heavy, None) is kept
    assert "q0" in shelf.compiled(clinic.id, versions[0], None).by_link
    assert shelf._weights.keys() == shelf._compiled.keys()


def test_fillings_of_many_forms_are_let_go_before_their_forms_weigh_much(
    nothing_held: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST_OF_FORMS", 12)
    forms = [load(raw_form(*(q(f"{n}.{m}") for m in range(4)), url=f"urn:f{n}")) for n in range(5)]
    for number, form in enumerate(forms):
        for person in range(3):
            held.put(f"{number}-{person}", 1, Filling(form, None, context()))
    there = [
        (number, person)
        for number, form in enumerate(forms)
        for person in range(3)
        if held.take(f"{number}-{person}", 1, form, context())
    ]
    assert there == [(number, person) for number in (2, 3, 4) for person in range(3)], (
        "people who share a form cost it once"
    )


def test_a_filling_heavier_than_all_that_may_be_held_is_held_alone(
    nothing_held: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST_OF_FORMS", 3)
    form = load(raw_form(*(q(str(n)) for n in range(9))))
    held.put("a", 1, Filling(form, None, context()))
    held.put("b", 1, Filling(load(raw_form(q("x"))), None, context()))
    assert held.take("a", 1, form, context()) is None
    held.put("a", 1, Filling(form, None, context()))
    assert held.take("a", 1, form, context())


def test_sqlite_learns_how_large_its_tables_are_and_goes_on(app: Flask) -> None:
    clinic = make.clinic()
    for number in range(30):
        make.patient(clinic, f"Person {number}", fhir_id=f"p{number}")
    engines.weigh(db.engine())
    if db.engine().dialect.name == "sqlite":
        known = session().execute(text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'patients'")).scalars().all()
        assert known and all(line.startswith("30") for line in known)
    with transaction():
        make.patient(clinic, "One More", fhir_id="more")
