"""What is held of a filling between two requests: by whom it is taken, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from portal.intake import held
from portal.questionnaire import Context, Filling, load
from tests.intake.test_cost import SMALL
from tests.questionnaire.make import NOW, context


@pytest.fixture
def filling() -> Iterator[Filling]:
    held.drop_all()
    yield Filling(load(SMALL), None, context())
    held.drop_all()


def taken(filling: Filling, version: int = 3, at: Context | None = None) -> Filling | None:
    return held.take("a", version, filling.form, at or context())


def test_whoever_takes_a_filling_has_it_alone(filling: Filling) -> None:
    held.put("a", 3, filling)
    assert taken(filling) is filling
    assert taken(filling) is None


def test_a_filling_that_was_overtaken_is_thrown_away(filling: Filling) -> None:
    held.put("a", 3, filling)
    assert taken(filling, version=4) is None
    assert taken(filling, version=3) is None


def test_a_filling_goes_on_in_its_own_form_and_language_only(filling: Filling) -> None:
    held.put("a", 3, filling)
    assert taken(filling, at=context(language="es")) is None
    held.put("a", 3, filling)
    assert held.take("a", 3, load(SMALL), context()) is None


def test_a_filling_goes_on_at_the_time_it_is_taken(filling: Filling) -> None:
    held.put("a", 3, filling)
    later = context(now=NOW + timedelta(days=1))
    found = taken(filling, at=later)
    assert found is not None
    assert found.context is later


def test_what_is_not_asked_for_is_dropped(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "LASTS", -1.0)
    held.put("a", 3, filling)
    assert taken(filling) is None
    held.put("a", 3, filling)
    held._sweep()
    assert not held._held


def test_only_so_much_is_held(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MOST_ITEMS", 2 * len(filling.form.all_items))
    for name in "abc":
        held.put(name, 3, filling)
    assert list(held._held) == ["b", "c"]
