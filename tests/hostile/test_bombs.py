"""Small inputs that want to become large (F12): each is refused in words within 0.3 s, at every door that takes it."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage

from portal.authoring import files as authored
from portal.authoring.exits import CannotRead
from portal.ehr import answers, identity
from portal.ehr.errors import EhrError
from portal.ehr.http import Answer
from portal.fhir import exact
from portal.intake import files
from portal.library import opening
from portal.questionnaire.report import of_form
from tests.hostile.bombs import FORMS, JSON, PACKED, RULES, TOKENS, XML, form, question
from tests.house.addresses import ways
from tests.house.world import VISITORS, World

SOON = 0.3
MOST_MEMORY = 120_000_000
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@contextmanager
def soon() -> Iterator[None]:
    began = time.process_time()
    yield
    took = time.process_time() - began
    assert took < SOON, f"{took:.2f} s"


def refused_by_the_clinics_client(content: bytes) -> None:
    answer = Answer(200, {"Content-Type": "application/fhir+json"}, content)
    with pytest.raises(EhrError):
        answers.resource(answer, kind="Patient", now=NOW)


def refused_by_the_library(content: bytes) -> None:
    parcel = opening.parcel(content, {})
    assert parcel.trouble or (parcel.forms and not any(each.form for each in parcel.forms))
    assert all(each.refusals for each in parcel.forms)


def refused_by_the_commands(tmp_path: Path) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        file = tmp_path / "bomb"
        file.write_bytes(content)
        with pytest.raises(CannotRead):
            authored.resource(str(file))

    return read


SHAPES = {"a text", "a number", "null", "a list", "no type", "a type that is no text"}
"""JSON that can be read and is no resource: a command says so later, by what it wanted."""


@pytest.mark.parametrize("name", JSON)
def test_json(name: str, tmp_path: Path) -> None:
    for refused in (refused_by_the_clinics_client, refused_by_the_library):
        with soon():
            refused(JSON[name])
    if name not in SHAPES:
        with soon(), pytest.raises(exact.UnreadableJson):
            exact.loads(JSON[name])
        with soon():
            refused_by_the_commands(tmp_path)(JSON[name])


@pytest.mark.parametrize("name", XML)
def test_xml(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("socket.socket.connect", lambda *address: asked.append(address))
    for refused in (refused_by_the_commands(tmp_path), refused_by_the_library, refused_by_the_clinics_client):
        with soon():
            refused(XML[name])
    assert not asked


@pytest.mark.parametrize("name", PACKED)
def test_packed_bytes_are_never_unpacked(name: str, tmp_path: Path) -> None:
    tracemalloc.start()
    for refused in (refused_by_the_library, refused_by_the_clinics_client, refused_by_the_commands(tmp_path)):
        with soon():
            refused(PACKED[name])
    for claimed in ("application/json", "image/png", "application/pdf", ""):
        with soon():
            held = files.attachment(FileStorage(BytesIO(PACKED[name]), filename="x", content_type=claimed))
        assert "problem" in held or held["contentType"] in {claimed, "application/octet-stream"}
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < MOST_MEMORY


@pytest.fixture(scope="module")
def good() -> float:
    """The seconds that the largest good form costs."""
    whole = form(item=[question(str(number)) for number in range(1_999)])
    return seconds(lambda: opening.parcel(whole, {}).forms[0].form)


def seconds(act: Callable[[], object]) -> float:
    """Of processor time, the least of three: what else happens on the machine is not counted."""
    took = []
    for _ in range(3):
        began = time.process_time()
        act()
        took.append(time.process_time() - began)
    return min(took)


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str, good: float) -> None:
    """A form that is only too much for its rules costs no more to refuse than the largest good one costs to take."""
    assert seconds(lambda: refused_by_the_library(FORMS[name])) < max(SOON, 2 * good)


@pytest.mark.parametrize("name", RULES)
def test_rules_of_forms_that_could_cost_without_end_are_left_out_and_said(name: str) -> None:
    with soon():
        [opened] = opening.parcel(RULES[name], {}).forms
    assert opened.form and of_form(opened.form)["not_honoured"]


@pytest.mark.parametrize("name", TOKENS)
def test_tokens(name: str) -> None:
    with soon(), pytest.raises(identity.NotProven):
        identity.check(TOKENS[name], {"keys": []}, issuer="i", client_id="c", nonce="n", base="b", now=NOW)


def test_every_bomb_at_the_doors_of_the_running_portal(world: World) -> None:
    """As an upload of a form, as a body, as packed content: refused in words, and the neighbours' page is there as before."""
    administrator, patient = VISITORS[7], VISITORS[2]
    client, neighbour = world.client(administrator), world.client(patient)
    bring = next(way for way in ways(world.app, "POST") if way.endpoint == "publishing.bring").path(
        world, administrator
    )
    home = next(way for way in ways(world.app, "GET") if way.endpoint == "intake.home").path(world, patient)
    thrown = 0
    for kind, bombs in (("application/json", JSON), ("application/xml", XML), ("application/gzip", PACKED)):
        for name, content in list(bombs.items())[::4]:
            head = {"Content-Encoding": "gzip", "X-CSRFToken": world.csrf["csrf_token"]}
            with soon():
                assert 400 <= client.post(bring, data=content, content_type=kind, headers=head).status_code < 500, name
            given = {**world.csrf, "file": (BytesIO(content), "form.json", kind)}
            with soon():
                answer = client.post(bring, data=given, content_type="multipart/form-data")
            assert answer.status_code < 500, name
            thrown += 2
    assert neighbour.get(home).status_code == 200
    assert thrown >= 38


def test_there_are_enough_of_them() -> None:
    doors = len(JSON) * 4 + len(XML) * 3 + len(PACKED) * 7 + len(FORMS) + len(RULES) + len(TOKENS)
    assert sum(map(len, (JSON, XML, PACKED, FORMS, RULES, TOKENS))) >= 110 and doors >= 300
