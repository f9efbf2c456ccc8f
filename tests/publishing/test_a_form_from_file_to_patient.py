"""An administrator brings a form in, reads its report, tries it, sees what changed, has it asked; a patient gets it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal import db
from portal.actors import Role, system
from portal.library import service as library
from portal.publishing.routes import language_name
from tests import make
from tests.conftest import csrf
from tests.intake.forms_app import FormsApp, Page, forms_app
from tests.intake.make_forms import SDC, coding, control, form, item

FORMS = "/admin/forms"
YES, NO = coding("yes"), coding("no")
SPANISH = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/translation",
            "extension": [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "¿Fuma?"}],
        }
    ]
}
SUM = {
    "url": f"{SDC}sdc-questionnaire-calculatedExpression",
    "valueExpression": {
        "language": "text/fhirpath",
        "expression": "%resource.descendants().where(linkId='many').answer.value * 7",
    },
}
RAW = form(
    item("page", "group", "Smoking", extension=[control("page")], item=[
        item("smoke", "choice", "Do you smoke?", required=True, answerOption=[YES, NO], _text=SPANISH),
        item("many", "integer", "How many a day?", enableWhen=[
            {"question": "smoke", "operator": "=", "answerCoding": YES["valueCoding"]}]),
        item("week", "integer", "In a week", readOnly=True, extension=[SUM]),
    ]),
    item("last", "group", "The end", extension=[control("page")], item=[item("more", "text", "Anything else?")]),
    language="en",
    title="Smoking <b>habits</b>",
)  # fmt: skip


class Admin:
    """An administrator's browser."""

    def __init__(self, portal: FormsApp, email: str = "admin@example.org") -> None:
        self.client: FlaskClient = portal.app.test_client()
        path = "/at/riverside/sign-in"
        sent = {"email": email, "password": make.PASSWORD, "csrf_token": csrf(self.client, path)}
        assert self.client.post(path, data=sent).status_code == 303

    def open(self, path: str) -> Page:
        answer = self.client.get(path, follow_redirects=True)
        return Page(answer.status_code, answer.get_data(as_text=True), answer.request.path)

    def post(self, path: str, data: dict[str, Any]) -> Page:
        token = csrf(self.client, f"{FORMS}/new")
        answer = self.client.post(
            path, data={"csrf_token": token, **data}, content_type="multipart/form-data", follow_redirects=True
        )
        return Page(answer.status_code, answer.get_data(as_text=True), answer.request.path)

    def bring(self, content: Any, name: str = "smoking.json") -> Page:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.post(f"{FORMS}/new", {"file": (BytesIO(data), name)})

    def press(self, page: Page, typed: dict[str, Any] | None = None, **pressed: str) -> Page:
        """The preview's form sent back as a browser would."""
        answer = self.client.post(
            page.path,
            data={**page.sent(typed or {}), **(pressed or {"step": "continue"})},
            content_type="multipart/form-data",
        )
        return Page(answer.status_code, answer.get_data(as_text=True), page.path)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FormsApp]:
    folder: Path = tmp_path_factory.mktemp("publishing")
    with forms_app(folder, {}) as made:
        clinic = db.session().get_one(_clinic(), made.clinic_id)
        make.staff(clinic, Role.ADMINISTRATOR, "Jo Park", "admin@example.org")
        make.staff(clinic, Role.CLINICIAN, "Dr Lee", "clinician@example.org")
        yield made


def _clinic() -> Any:
    from portal.accounts.models import Clinic

    return Clinic


@pytest.fixture(scope="module")
def admin(portal: FormsApp) -> Admin:
    return Admin(portal)


def named(page: Page, words: str) -> str:
    return next(each.name for each in page.controls if words in page.labels.get(each.ident, "") + each.legend)


def value(page: Page, name: str, words: str) -> str:
    """The value of the radio with these words."""
    return next(each.value for each in page.named(name) if words in page.labels.get(each.ident, ""))


def test_the_whole_way_of_a_form_from_a_file_to_a_patient(portal: FormsApp, admin: Admin) -> None:
    """Given a new form, when it is brought in, tried and asked, then a patient gets it, and a newer version moves them over."""
    report = admin.bring(RAW)
    assert report.status == 200
    assert "It can be used, and was brought in" in report.text
    assert re.search(r"Questions\s*4", report.text)
    assert "English, Español" in report.text
    assert "<b>habits" not in report.html
    assert "calculatedExpression" in report.text
    first = report.path
    assert admin.client.get(f"{first}/file").get_data() == json.dumps(RAW).encode()
    assert portal.open("smoking").status == 404, "nobody is asked before somebody says so"

    _tried(portal, admin, first)

    hidden = {"seen": "0", "required": "yes", "order": "10", "kinds": "diabetes review\r\n\r\nCheck-up"}
    asked = admin.post(f"{first}/ask", hidden)
    assert "Required before “diabetes review” and “Check-up”." in asked.text
    assert "Jo Park" in asked.text
    slug = library.asked(portal.clinic_id)[0].slug
    page = portal.open(slug)
    smoke = named(page, "Do you smoke?")
    portal.post(page, "later", {smoke: value(page, smoke, "Yes")})

    newer = json.loads(json.dumps(RAW))
    newer["version"] = "2"
    newer["item"][0]["item"][1]["text"] = "How many in a day?"
    changed = admin.bring(newer)
    assert "What changed since version 1" in changed.text
    assert "The words were “How many a day?”." in changed.text
    decide = admin.open(f"{changed.path}/ask")
    assert "1 question is asked again" in decide.text
    assert decide.named("kinds")[0].value == "diabetes review\r\nCheck-up", "the rule that holds now is offered"
    admin.post(f"{changed.path}/ask", {**hidden, "seen": "1", "carry": "carry"})
    moved = portal.open(slug)
    assert "Please answer: “How many in a day?”" in moved.text
    assert [each.on for each in moved.named(smoke) if each.value == value(moved, smoke, "Yes")] == [True]

    stale = admin.post(f"{changed.path}/ask", {**hidden, "seen": "1"})
    assert stale.status == 409
    assert re.search(r"Not saved: .*Jo Park, .* Version 2 is asked", stale.text)
    assert stale.named("kinds")[0].value.split() == ["diabetes", "review", "Check-up"], "nothing typed is lost"
    assert stale.named("seen")[0].value == "2", "sent again it holds"
    form_path = changed.path.partition("/versions")[0]
    admin.post(f"{form_path}/stop", {"seen": "2"})
    history = admin.open(form_path).text
    assert re.search(
        r"Version 1 is asked.*Version 2 is asked.*Drafts of older versions move over.*no longer asked", history
    )
    assert portal.open(slug).status == 200, "what was begun can be finished"


def _tried(portal: FormsApp, admin: Admin, first: str) -> None:
    """The preview asks as a patient's page does, in each language, and leaves nothing behind."""
    page = admin.open(f"{first}/preview")
    assert "Preview: this is what a patient sees" in page.text
    assert "How many a day?" not in page.text
    refused = admin.press(page)
    assert (refused.status, "Do you smoke? Answer this question" in refused.text) == (422, True)
    smoke = named(page, "Do you smoke?")
    live = admin.press(page, {smoke: value(page, smoke, "Yes")}, step="update")
    many = named(live, "How many a day?")
    worked_out = admin.press(live, {many: "3"}, step="update")
    assert "21" in worked_out.text
    unread = admin.press(worked_out, {many: "some"})
    assert (unread.status, unread.named(many)[0].value) == (422, "some")
    spanish = admin.press(worked_out, {}, language="es")
    assert "¿Fuma?" in spanish.text
    assert 'lang="es"' in spanish.html
    assert spanish.named(many)[0].value == "3"
    last = admin.press(spanish)
    assert "Anything else?" in last.text
    end = admin.press(last)
    assert "The end of the form" in end.text
    assert '"valueInteger": 21' in end.text
    back = admin.press(end, step="back")
    assert "Anything else?" in back.text
    again = admin.press(back, step="again")
    assert not [each for each in again.named(smoke) if each.on and each.value]
    assert not library.asked(portal.clinic_id)


@pytest.mark.parametrize(
    "change", [{"state": "forged"}, {"state": ""}, {"page": "nowhere"}, {"spoken": "xx"}, {"shown": "q99"}]
)
def test_a_crafted_preview_begins_anew_or_stays_where_it_is(admin: Admin, change: dict[str, str]) -> None:
    path = admin.bring(RAW).path
    page = admin.open(f"{path}/preview?language=tlh")
    assert page.status == 200
    assert admin.press(page, change, step="update").status == 200


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "There is nothing in it."),
        (b"<html><body>Sign in</body></html>", "FHIR R4 JSON or XML"),
        (b"<Questionnaire xmlns='http://hl7.org/fhir'>", "The XML cannot be read"),
        (b"<Patient xmlns='http://hl7.org/fhir'/>", "not a Questionnaire"),
        (b"{", "not JSON"),
        (b'{"resourceType": "Patient"}', "not a Questionnaire"),
        (b'{"resourceType": "Questionnaire", "item": NaN}', "NaN"),
        (b'{"resourceType": "Questionnaire", "item": ' + b"[" * 50_000, "nested deeper"),
        (
            {**RAW, "item": [item("same", "string"), item("same", "string")]},
            "Item same: the linkId is used by more than one",
        ),
        ({**RAW, "item": [item("<b>1</b>", "nonsense")]}, "is not an item type of FHIR R4"),
        ({**RAW, "item": 7}, "shape"),
        ({**RAW, "title": "changed"}, "here already, with other content"),
        ({**RAW, "copyright": "x" * 2_200_000}, "larger than 2 MB"),
    ],
    ids=lambda each: str(each)[:50],
)
def test_an_upload_that_cannot_be_used_is_refused_in_words(admin: Admin, content: Any, says: str) -> None:
    admin.bring(RAW)
    page = admin.bring(content)
    assert page.status == 422
    assert says in page.text or says == "shape"
    assert "<b>1</b>" not in page.html
    assert page.html.count("larger than") <= 1 and "<title>Error: This cannot be used" in page.html
    assert f"{FORMS}/new" in page.links  # what to do next


@pytest.mark.parametrize(
    ("code", "says"), [("es", "Español"), ("ar", "العربية"), ("fr-CH", "Français (Suisse)"), ("xx", "xx"), ("", "")]
)
def test_a_language_is_called_as_it_calls_itself(code: str, says: str) -> None:
    assert language_name(code).casefold() == says.casefold()


def test_no_file_and_a_file_beyond_what_is_taken_get_words_too(admin: Admin) -> None:
    assert admin.post(f"{FORMS}/new", {}).status == 422
    assert admin.bring(b"x" * (5 * 1024 * 1024)).status == 422
    assert admin.bring(b"x" * (13 * 1024 * 1024)).status == 413


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"order": "0"}, "Give a place from 1 to 99."),
        ({"order": "five"}, "Write a whole number in digits."),
        ({"order": "٥"}, "Write a whole number in digits."),
        ({"from_age": "131"}, "Give an age in whole years"),
        ({"from_age": "20", "to_age": "10"}, "The second age must not be lower"),
        ({"months": "0"}, "Give a number of months"),
        ({"kinds": "\n".join(str(number) for number in range(31))}, "Give up to 30 kinds of visit"),
        ({"months": "9" * 5_000}, "Write a whole number in digits."),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_rule_that_makes_no_sense_is_refused_beside_its_box(admin: Admin, typed: dict[str, str], says: str) -> None:
    path = admin.bring(RAW).path
    page = admin.post(f"{path}/ask", {"order": "50", **typed})
    assert (page.status, says in page.text) == (422, True)


def test_a_clinician_reads_and_tries_forms_and_changes_none(portal: FormsApp, admin: Admin) -> None:
    path = admin.bring(RAW).path
    clinician = Admin(portal, "clinician@example.org")
    assert "Bring in a form" not in clinician.open(FORMS).text
    shown = clinician.open(path)
    assert (shown.status, "Ask this version" in shown.text) == (200, False)
    assert clinician.open(f"{path}/preview").status == 200
    assert clinician.client.get(f"{path}/ask").status_code == 403


def test_without_a_connection_the_search_says_why_there_is_nothing(admin: Admin) -> None:
    page = admin.post(f"{FORMS}/search", {"title": "mood"})
    assert (page.status, "Your clinic has not connected its system." in page.text) == (200, True)
    assert admin.post(f"{FORMS}/fetch", {"chosen": "../Patient/1"}).status == 422


def test_the_list_says_what_is_asked_and_what_is_ready(portal: FormsApp, admin: Admin) -> None:
    library.supply(system(portal.clinic_id))
    page = admin.open(FORMS)
    assert "Comes with Previsit" in page.text
    assert "Mood questionnaire (PHQ-9)" in page.text


ODD = {"url": "http://vendor.example/odd", "valueBoolean": True}


def test_a_report_names_the_questions_by_their_words_and_what_patients_read_untranslated(admin: Admin) -> None:
    raw = form(
        item("1", "string", "Where do you <i>live</i>?", extension=[ODD]), item("2", "boolean", "Alone?", _text=SPANISH)
    )
    report = admin.bring({**raw, "language": "en", "url": "urn:reported"})
    assert "It can be asked all the same" in report.text
    assert re.search(r"“Where do you <i>live</i>\?” ?Item 1, http://vendor.example/odd: ", report.text)
    assert "2 of 3 texts are not translated: Español" in report.text
    refused = admin.bring({**raw, "item": [item("x", "blob", "How <b>many</b>?")], "version": "2"})
    assert re.search(r"“How <b>many</b>\?” ?Item x: ", refused.text)
    assert "<b>many" not in refused.html


def test_a_version_that_is_taken_leads_to_the_one_that_is_here(admin: Admin) -> None:
    kept = admin.bring(RAW).path
    assert kept in admin.bring({**RAW, "title": "changed"}).links
