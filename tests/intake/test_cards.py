"""Pictures of insurance cards on the confirm page: added, seen, replaced, removed, kept when the page is refused, sent, remembered."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from portal import db
from portal.accounts.models import Clinic
from portal.clock import now
from portal.db import session, transaction
from portal.intake import cards, sending
from portal.intake.models import CardPicture, Submission
from tests import make
from tests.conftest import csrf
from tests.hostile.test_uploads import BOMBS, SECRET, photograph
from tests.intake.confirming_home import OURS, PATIENT, RECORD, Home, Json

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PRAIRIE: Json = {
    "resourceType": "Coverage",
    "id": "k1",
    "meta": {"versionId": "1"},
    "status": "active",
    "beneficiary": OURS,
    "payor": [{"display": "Prairie Health"}],
    "subscriberId": "PH-1",
}


@pytest.fixture
def home(app: Flask) -> Iterator[Home]:
    yield Home(*RECORD, PRAIRIE)
    db.close()


@pytest.fixture
def ana(home: Home, sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("ana@example.org")


def jpeg(colour: str = "white", size: tuple[int, int] = (90, 60)) -> tuple[BytesIO, str]:
    made = BytesIO()
    Image.new("RGB", size, colour).save(made, "JPEG")
    return BytesIO(made.getvalue()), "IMG 0042.jpg"


def place(home: Home) -> str:
    (line,) = home.page("coverage").blocks[0].lines
    return line.name


def post(client: FlaskClient, home: Home, **form: Any) -> Any:
    """The coverage page as a browser posts it: with whatever stands hidden in it."""
    path = f"{home.path}/coverage"
    shown = client.get(path).get_data(as_text=True)
    hidden = dict(re.findall(r'name="([^"]+-kept)" value="([^"]+)"', shown))
    version = re.findall(r'name="version" value="(\d+)"', shown)[0]
    data = {"csrf_token": csrf(client, path), "version": version, "step": "save", **hidden, **form}
    return client.post(path, data=data, content_type="multipart/form-data")


def lying() -> list[CardPicture]:
    session().expire_all()
    return list(session().query(CardPicture))


def test_the_front_and_the_back_are_kept_shown_and_only_a_picture(home: Home, ana: FlaskClient) -> None:
    name = place(home)
    answer = post(
        ana,
        home,
        **{
            f"{name}-answer": "same",
            f"{name}-front": (BytesIO(photograph("image/jpeg") + SECRET), "x.jpg"),
            f"{name}-back": (BytesIO(photograph("image/png")), "y.png"),
        },
    )
    assert answer.status_code == 303
    page = ana.get(f"{home.path}/coverage").get_data(as_text=True)
    assert [alt for alt in ("Front of the card: Prairie Health", "Back of the card: Prairie Health") if alt in page]
    pictures = re.findall(r'src="(/visits/[^"]+/cards/[^"]+)"', page)
    assert len(pictures) == 2
    for address in pictures:
        found = ana.get(address)
        assert (found.status_code, found.mimetype) == (200, "image/jpeg")
        assert found.headers["Content-Disposition"].startswith("attachment")
        assert SECRET not in found.data and not Image.open(BytesIO(found.data)).getexif()
    assert all(SECRET not in row.picture_sealed and row.sent_at is None for row in lying())


@pytest.mark.parametrize("odd", [*BOMBS, "a page", "nothing", "heic"])
def test_what_is_no_picture_is_refused_beside_its_place_and_nothing_else_is_lost(
    home: Home, ana: FlaskClient, odd: str
) -> None:
    other = {"a page": b"<html><script>alert(1)</script>", "nothing": b"", "heic": b"\0\0\0\x18ftypheic" + bytes(40)}
    content = BOMBS.get(odd, other.get(odd, b""))
    name = place(home)
    answer = post(
        ana,
        home,
        **{f"{name}-answer": "same", f"{name}-front": (BytesIO(content), "x.jpg"), f"{name}-back": jpeg()},
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and f'id="{name}-front-error"' in page
    assert f'href="#{name}-front"' in page and f'name="{name}-back-kept"' in page
    assert [row.about["side"] for row in lying()] == ["back"]
    assert home.page("coverage").lines[0].answer == "same", "the answer is saved"


def test_a_page_that_is_refused_or_grows_keeps_the_picture_with_its_row(home: Home, ana: FlaskClient) -> None:
    name = place(home)
    refused = post(ana, home, **{"coverage-added-0-member": "M-7", "coverage-added-0-front": jpeg()})
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    (kept,) = re.findall(r'name="coverage-added-0-front-kept" value="([^"]+)"', page)
    grown = post(
        ana,
        home,
        **{"step": "add-coverage", "coverage-added-0-what": "Acme", "coverage-added-0-front-kept": kept},
    )
    assert f'name="coverage-added-0-front-kept" value="{kept}"' in grown.get_data(as_text=True)
    moved = {"coverage-added-0-front-kept": "", "coverage-added-1-what": "Acme", "coverage-added-1-front-kept": kept}
    assert post(ana, home, **{f"{name}-answer": "same"}, **moved).status_code == 303
    (row,) = home.page("coverage").blocks[0].added
    assert (row["what"], row["front"]) == ("Acme", kept)


def test_replacing_and_removing_delete_what_was_there(home: Home, ana: FlaskClient) -> None:
    name = place(home)
    post(ana, home, **{f"{name}-answer": "same", f"{name}-front": jpeg(), f"{name}-back": jpeg()})
    first = {row.about["side"]: row.id for row in lying()}
    post(ana, home, **{f"{name}-answer": "same", f"{name}-front": jpeg("red"), f"{name}-back-remove": "yes"})
    (left,) = lying()
    assert left.about["side"] == "front" and left.id not in first.values()
    assert home.page("coverage").lines[0].cards == {"front": left.id}


def test_nobody_else_sees_it_or_puts_it_into_their_own_page(
    home: Home, ana: FlaskClient, sign_in: Callable[..., FlaskClient]
) -> None:
    post(ana, home, **{f"{place(home)}-answer": "same", f"{place(home)}-front": jpeg()})
    (row,) = lying()
    card, picture = row.id, f"/visits/{row.visit_id}/cards/{row.id}"
    other = make.patient(
        session().get_one(Clinic, home.ana.clinic_id), "Eve", connection_id=home.connection, fhir_id="p2"
    )
    make.patient_account(other, "eve@example.org")
    theirs = make.visit(other).id
    me, eve = make.patient_actor(other, "e" * 16), sign_in("eve@example.org")
    assert eve.get(picture).status_code == 404
    assert eve.get(f"/visits/{theirs}/cards/{card}").status_code == 404
    places, _ = cards.keep(me, theirs, {"x": cards.Posted(kept={"front": card})})
    assert places == {}


def sent(home: Home) -> Submission:
    home.all_right()
    return home.sends()


def test_what_is_sent_names_the_insurance_and_is_bound_to_it(home: Home, ana: FlaskClient) -> None:
    name = place(home)
    more = {"coverage-added-0-what": "Acme", "coverage-added-0-member": "A-9", "coverage-added-0-back": jpeg("blue")}
    post(ana, home, **{f"{name}-answer": "same", f"{name}-front": jpeg()}, **more)
    (stray,) = cards.keep(
        home.me, home.visit.id, {"x": cards.Posted(taken={"front": {"data": "", "size": 0, "hash": ""}})}
    )[0].values()
    document = sent(home).document
    told = {(each["of"], each["side"], each["insurer"], each["member"]) for each in document["cards"]}
    assert told == {("Coverage/k1", "front", "Prairie Health", ""), ("new-coverage-1", "back", "Acme", "A-9")}
    kept = {row.id: row for row in lying()}
    assert set(kept) == {each["picture"] for each in document["cards"]} and stray["front"] not in kept
    assert all(row.sent_at for row in kept.values())
    for each in document["cards"]:
        assert each["size"] == len(b64decode(kept[each["picture"]].picture))
    assert "picture" not in str(document["facts"]), "what was typed is told without it"
    assert "front" not in next(fact for fact in document["facts"] if fact["key"] == "new-coverage-1")["change"]


def test_insurance_that_is_over_needs_no_card(home: Home, ana: FlaskClient) -> None:
    name = place(home)
    post(ana, home, **{f"{name}-answer": "stopped", f"{name}-front": jpeg()})
    assert sent(home).document["cards"] == [] and not lying()


def test_the_next_visit_says_which_picture_the_clinic_has_unless_it_could_not_use_it(
    home: Home, ana: FlaskClient
) -> None:
    name = place(home)
    more = {"coverage-added-0-what": "Acme", "coverage-added-0-member": "A-9", "coverage-added-0-front": jpeg()}
    post(ana, home, **{f"{name}-answer": "same", f"{name}-front": jpeg()}, **more)
    first = sent(home)
    acme = {**PRAIRIE, "id": "k2", "payor": [{"display": "ACME"}], "subscriberId": "A-9"}
    home.records(PATIENT, PRAIRIE, acme)
    home.visit = make.visit(home.ana, in_days=5)
    known = {line.label: line.pictured for line in home.page("coverage", again=("coverage",)).blocks[0].lines}
    assert {label: [each.side for each in found] for label, found in known.items()} == {
        "Prairie Health": ["front"],
        "ACME": ["front"],
    }
    with transaction():
        key = next(each["key"] for each in first.document["cards"] if each["of"] == "Coverage/k1")
        sending.move(home.me, first, sending.Status.RETURNED, {"questions": [{"key": key, "question": "Again?"}]})
    known = {line.label: line.pictured for line in home.page("coverage", again=("coverage",)).blocks[0].lines}
    assert not known["Prairie Health"] and known["ACME"]


def test_a_card_of_another_number_is_not_taken_for_this_one(home: Home) -> None:
    fact = home.page("coverage").lines[0].shown
    card = cards.Earlier("new-coverage-1", "prairie  health", "PH-1", "front", now())
    assert card.shows(fact)
    assert not replace(card, member="PH-10").shows(fact)
    assert not replace(card, member="").shows(fact)


def test_pictures_that_belong_to_nothing_are_bounded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "MOST", 2)
    taken = {"front": {"data": "", "size": 0, "hash": ""}}
    for _ in range(2):
        assert not cards.keep(home.me, home.visit.id, {"x": cards.Posted(taken=taken)})[1]
    assert [issue.code for issue in cards.keep(home.me, home.visit.id, {"x": cards.Posted(taken=taken)})[1]] == [
        "file-many"
    ]


def test_where_the_record_could_not_be_read_a_card_goes_with_what_is_added(home: Home, ana: FlaskClient) -> None:
    home.records(PATIENT)
    saved = post(
        ana, home, **{"coverage-any": "yes", "coverage-added-0-what": "Acme", "coverage-added-0-front": jpeg()}
    )
    assert saved.status_code == 303
    assert [each["of"] for each in sent(home).document["cards"]] == ["new-coverage-1"]
