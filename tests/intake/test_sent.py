"""What was sent can be read again and printed: as it was frozen, whatever is changed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.intake import changing
from tests.intake.confirming_home import RECORD, Home

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def home(app: Flask) -> Iterator[Home]:
    yield Home(*RECORD)
    db.close()


def test_everything_that_was_sent_can_be_read_again(home: Home, sign_in: Callable[..., FlaskClient]) -> None:
    home.all_right(answers={"Metformin": "changed"}, typed={"Metformin": {"text": "only in the evening"}})
    reference, visit = home.sends().reference, f"/visits/{home.visit.id}"
    ana = sign_in("ana@example.org")
    page = unescape(ana.get(f"{visit}/sent").get_data(as_text=True))
    assert reference in page and "one in the morning" in page and "only in the evening" in page
    assert "Penicillin" in page and "a@example.org" in page and "No longer" not in page
    assert f"{visit}/sent" in ana.get(f"{visit}/receipt").get_data(as_text=True)
    changing.take_back(home.me, visit.rpartition("/")[2])
    assert "only in the evening" in ana.get(f"{visit}/sent").get_data(as_text=True)


def test_before_anything_is_sent_there_is_nothing_to_read(home: Home, sign_in: Callable[..., FlaskClient]) -> None:
    assert sign_in("ana@example.org").get(f"/visits/{home.visit.id}/sent").status_code == 404
