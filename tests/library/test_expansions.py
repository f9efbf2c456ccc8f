"""Lists from the terminology server: read by the worker, kept with their date, never asked for by a patient's page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from portal.actors import Actor, system
from portal.clock import now
from portal.ehr import service as ehr
from portal.library import expansions
from portal.library import service as library
from portal.sandbox.config import Client
from tests import make
from tests.intake.forms_app import FormsApp, forms_app
from tests.intake.make_forms import form, item
from tests.sandbox_server import Sandbox, running_sandbox

URL = "https://springfield.example/fhir/ValueSet/pharmacies"
ASKS = form(item("where", "choice", "Which pharmacy?", answerValueSet=URL))
UNHELPFUL = "The list of answers is not at hand just now. Write it in your own words."


def keep(clinic_id: str, raw: dict[str, Any] = ASKS) -> library.FormVersion:
    version_id = make.ask(clinic_id, json.dumps(raw).encode())
    return library.version(system(clinic_id), version_id)


class Server:
    """A terminology server that answers with what it is given, and counts."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.url = httpserver.url_for("/tx").rstrip("/")
        self.answer: Any = (200, expansion("Aspirin", "Ibuprofen"))
        self.asked: list[str] = []
        httpserver.expect_request("/tx/ValueSet/$expand").respond_with_handler(self._respond)

    def _respond(self, request: Request) -> Response:
        self.asked.append(request.args["url"])
        status, body = self.answer
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(text, status, content_type="application/fhir+json")


def expansion(*names: str, **more: Any) -> dict[str, Any]:
    contains = [{"system": "urn:x", "code": name.lower(), "display": name} for name in names]
    return {
        "resourceType": "ValueSet",
        "url": URL,
        "expansion": {"timestamp": "2026-01-01", "contains": contains, **more},
    }


@pytest.fixture
def server(httpserver: HTTPServer) -> Server:
    return Server(httpserver)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[FormsApp]:
    with forms_app(tmp_path, {}) as made:
        yield made


def state(actor: Actor, version: library.FormVersion) -> library.ListState:
    [found] = library.states(actor, version)
    return found


def test_a_list_is_kept_with_its_date_and_the_patient_chooses_from_it(clinic: FormsApp, server: Server) -> None:
    version, staff = keep(clinic.clinic_id), system(clinic.clinic_id)
    before = clinic.open("form")
    assert UNHELPFUL in before.text
    assert state(staff, version).trouble == "It has not been asked for yet."
    assert library.refresh(staff, server.url) == 1
    after = clinic.open("form")
    assert "Aspirin" in after.text
    assert UNHELPFUL not in after.text
    found = state(staff, version)
    assert (found.size, found.source, found.trouble) == (2, server.url, "")
    assert server.asked == [URL], "no page has asked"


def test_a_list_that_is_at_hand_is_read_again_after_a_week_and_stays_in_use_when_that_fails(
    clinic: FormsApp, server: Server
) -> None:
    version, staff = keep(clinic.clinic_id), system(clinic.clinic_id)
    library.refresh(staff, server.url)
    assert library.refresh(staff, server.url) == 0
    server.answer = (503, {})
    with time_machine.travel(now() + timedelta(days=8), tick=False):
        assert library.refresh(staff, server.url) == 1
        assert library.refresh(staff, server.url) == 0, "not again within the hour"
    found = state(staff, version)
    assert (found.at_hand, found.size) == (True, 2)
    assert found.trouble == "The server was busy."
    assert "Aspirin" in clinic.open("form").text


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ((404, {}), "The server does not know this list."),
        ((200, expansion()), "The server says that nothing is in it."),
        ((200, expansion("A", total=5_000)), "It holds more than 2,000 answers."),
        ((200, expansion(*map(str, range(2_001)))), "It holds more than 2,000 answers."),
        ((200, {"resourceType": "Patient"}), expansions.UNREADABLE),
        ((200, "<html>"), expansions.UNREADABLE),
        ((302, {}), "The server refused to give this list."),
        (
            (200, {"resourceType": "ValueSet", "expansion": {"contains": [7, {"code": ["x"]}, {}]}}),
            expansions.WORDS["empty"],
        ),
    ],
)
def test_what_cannot_be_had_is_told_to_staff_and_the_patient_writes_their_own_words(
    clinic: FormsApp, server: Server, answer: Any, trouble: str
) -> None:
    version, staff = keep(clinic.clinic_id), system(clinic.clinic_id)
    server.answer = answer
    library.refresh(staff, server.url)
    assert (state(staff, version).at_hand, state(staff, version).trouble) == (False, trouble)
    page = clinic.open("form")
    assert UNHELPFUL in page.text
    name = next(each.name for each in page.controls if "pharmacy" in page.labels.get(each.ident, ""))
    kept = clinic.post(page, "update", {name: "The one by the river"})
    assert kept.named(name)[0].value == "The one by the river"


def test_what_lies_under_other_codes_is_taken_and_what_only_holds_others_is_not() -> None:
    from portal.ehr.definitions import _flat

    inner = {"code": "b", "system": "urn:x", "display": "B", "designation": [{"language": "es", "value": "Be"}]}
    entry = {"abstract": True, "code": "a", "contains": [inner, {"code": "c", "inactive": True}]}
    [coding] = _flat(entry, 0)
    assert coding["code"] == "b"
    assert coding["_display"]["extension"][0]["extension"][1]["valueString"] == "Be"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.mark.usefixtures("app")
def test_without_a_terminology_server_the_clinics_own_is_asked(sandbox: Sandbox) -> None:
    own = make.clinic(forms=())
    staff = system(own.id)
    version = keep(own.id)
    library.refresh(staff, "")
    assert state(staff, version).trouble == "No server is connected that could be asked."
    connection = ehr.register(staff, name="Record", base_url=sandbox.base_url, client_id="previsit")
    sandbox.stop()
    sandbox.config = replace(sandbox.config, clients=(Client("previsit", ehr.jwks(connection.id)),))
    sandbox.start()
    library.fetch(staff, version, "")
    assert (state(staff, version).size, state(staff, version).source) == (4, "the clinic's server")
    listed = ehr.forms_there(staff, "journey")
    assert isinstance(listed, list)
    assert [each.title for each in listed] == ["Before a journey"]
    content = ehr.form_there(staff, listed[0].id)
    assert isinstance(content, bytes)
    assert library.bring_in(staff, content, origin="server", name="x").results[0].outcome == library.TAKEN
    assert ehr.form_there(staff, "no-such") == ehr.Reason.GONE
    assert ehr.forms_there(staff, "nothing like it") == []
