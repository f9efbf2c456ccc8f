"""Spanish: nothing a patient reads is without it, what is put into a text stands in both, and the right reader gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from flask import Flask
from flask.testing import FlaskClient

from portal import errors, pages, problems
from portal.accounts import routes as door
from portal.accounts import service as accounts
from portal.accounts.models import Account
from portal.actors import Role, system
from portal.audit.events import PLAIN
from portal.consent.wording import WORDING
from portal.db import session
from portal.ehr import facts
from portal.ehr.reading import WORDS, Kind
from portal.fhir import codes, dosage, values
from portal.intake import sending
from portal.intake.sections import PAGES, SECTIONS
from portal.labs import names, words
from portal.questionnaire.issues import MESSAGES
from portal.translations import extract
from tests import make
from tests.conftest import csrf

PLACES = re.compile(r"%\((\w+)\)([sd])|%?\{(\w+)\}|(%%)")
SPANISH = extract.written("es")


def forms_of(message: Message) -> list[tuple[str, str]]:
    """(English, Spanish) of a text, of each of its forms where it counts."""
    if isinstance(message.id, str):
        assert isinstance(message.string, str)
        return [(message.id, message.string)]
    assert not isinstance(message.string, str) and message.string
    return list(zip(message.id, message.string, strict=True))


def said(text: str) -> str:
    message = SPANISH.get(text)
    assert message is not None, f"{text!r} is not in the catalogue"
    return str(message.string)


def test_every_text_a_patient_may_read_has_spanish_words() -> None:
    assert extract.untranslated(extract.brought_up_to_date("es")) == []


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    said_somewhere = {message.id for message in extract.found() if message.id}
    assert {message.id for message in SPANISH if message.id} - said_somewhere == set()


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (extract.FOLDER / "es" / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    assert pairs(compiled) == pairs(SPANISH)


def pairs(catalog: Catalog) -> dict[str, list[tuple[str, str]]]:
    return {forms_of(message)[0][0]: forms_of(message) for message in catalog if message.id}


def test_what_is_put_into_a_text_stands_in_both_languages() -> None:
    """And a blank at the edge of one is at the edge of the other."""
    both = [pair for message in SPANISH if message.id for pair in forms_of(message)]
    assert len(both) > 1_000
    assert not [pair for pair in both if sorted(PLACES.findall(pair[0])) != sorted(PLACES.findall(pair[1]))]
    assert not [pair for pair in both if pair[0].strip() != pair[0] and pair[1].strip() == pair[1]]


def of_tables() -> Iterator[str]:
    """The texts of the tables, read from the running program and not from its source."""
    yield from [*PLAIN.values(), *MESSAGES.values(), *WORDS.values()]
    yield from [*codes.CRITICALITY.values(), *codes.SEVERITY.values(), *values.TELECOM.values()]
    yield from [*dosage.TIMES.values(), *dosage.WHEN.values(), *dosage.DAYS.values(), *dosage.CODES.values()]
    yield from [text for pair in dosage.UNITS.values() for text in pair]
    yield from [text for pair in problems.WORDS.values() for text in pair]
    yield from pages.ROLE_NAMES.values()
    yield from [text for title, lines in door.ABOUT.values() for text in (title, *lines)]
    yield from [flag.word for flag in (*words.FLAGS.values(), words.ABOVE, words.BELOW, words.WITHIN)]
    for section in SECTIONS.values():
        yield from section.texts
    yield from [page.title for page in PAGES.values()]
    for kind in kinds(errors.PortalError):
        if kind.__module__ in ("portal.errors", "portal.intake.drafts"):
            yield from (kind.title, kind.sentence)


def kinds(of: type[errors.PortalError]) -> Iterator[type[errors.PortalError]]:
    yield of
    for each in of.__subclasses__():
        yield from kinds(each)


def test_the_texts_of_every_table_are_found() -> None:
    texts = {text for text in of_tables() if text and text != "%(text)s"}
    assert len(texts) > 300
    assert not [text for text in sorted(texts) if not said(text)]


def test_every_test_and_panel_we_have_a_name_for_has_one_in_spanish() -> None:
    assert len(names.NAMES) > 50
    assert all(said(text) for text in names.NAMES.values())


def test_the_consent_sheet_says_the_same_things_in_both_languages() -> None:
    english, spanish = WORDING["en"], WORDING["es"]
    assert english.keys() == spanish.keys()
    assert all(("{clinic}" in text) == ("{clinic}" in spanish[key]) for key, text in english.items())


def test_the_catalogues_are_part_of_the_package(app: Flask) -> None:
    (folder,) = map(Path, app.extensions["babel"].translation_directories)
    assert folder.is_relative_to(pages.PACKAGE)
    assert (folder / "es" / "LC_MESSAGES" / "messages.mo").is_file()


def test_a_spanish_browser_is_met_in_spanish(app: Flask, client: FlaskClient) -> None:
    make.clinic()
    page = client.get("/sign-in", headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}).get_data(as_text=True)
    assert '<html lang="es"' in page and "Iniciar sesión" in page and "Sign in" not in page


def test_a_press_on_the_language_changes_the_pages_from_then_on(app: Flask, client: FlaskClient) -> None:
    make.clinic()
    token = csrf(client, "/sign-in")
    client.post("/language?next=/privacy", data={"language": "es", "csrf_token": token})
    page = client.get("/privacy").get_data(as_text=True)
    assert '<html lang="es"' in page and "su clínica" in page
    client.post("/language?next=/privacy", data={"language": "en", "csrf_token": csrf(client, "/sign-in")})
    spanish_browser = client.get("/privacy", headers={"Accept-Language": "es"}).get_data(as_text=True)
    assert '<html lang="en"' in spanish_browser, "what was chosen goes before what the browser says"


def test_the_staff_read_english_whatever_the_browser_says(app: Flask, client: FlaskClient) -> None:
    make.staff(make.clinic(), Role.FRONT_DESK)
    form = {"email": "front-desk@example.org", "password": make.PASSWORD, "csrf_token": csrf(client, "/sign-in")}
    client.post("/sign-in", data=form)
    client.set_cookie("language", "es")
    assert '<html lang="en"' in client.get("/desk").get_data(as_text=True)


@pytest.mark.parametrize(
    ("on_record", "chosen", "language"),
    [("es-US", None, "es"), ("es", "en", "en"), ("fr", None, "en"), (None, None, "en"), ("en", "es", "es")],
)
def test_a_new_account_speaks_what_the_record_says_the_person_prefers_unless_they_chose(
    app: Flask, client: FlaskClient, on_record: str | None, chosen: str | None, language: str
) -> None:
    patient = make.patient(make.clinic(), language=on_record)
    made = accounts.invite(system(patient.clinic_id), patient.id, 14)
    if chosen:
        client.set_cookie("language", chosen)
    path = f"/join/{made.token}"
    proof = {"code": made.code, "day": "27", "month": "3", "year": "1985"}
    client.post(path, data={**proof, "csrf_token": csrf(client, path)})
    account = {"email": "ana@example.org", "password": make.PASSWORD, "csrf_token": csrf(client, f"{path}/account")}
    client.post(f"{path}/account", data=account)
    assert session().query(Account).one().profile["language"] == language
    assert f'<html lang="{language}"' in client.get("/visits").get_data(as_text=True)


def test_dates_are_said_as_people_say_them(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "es-US"}):
        assert pages.day(date(2026, 5, 3)) == "3 de mayo de 2026"
        assert pages.month(date(2026, 5, 3)) == "mayo de 2026"
    with app.test_request_context(headers={"Accept-Language": "en-US"}):
        assert pages.day(date(2026, 5, 3)) == "3 May 2026"


def test_no_words_stay_no_words(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "es"}):
        assert pages.words("") == ""


def test_how_a_medicine_is_taken_is_said_in_spanish() -> None:
    timing = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "when": ["CM"]}}
    request = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Metformin"},
        "dosageInstruction": [{"timing": timing, "asNeededBoolean": True}],
    }
    (fact,) = facts.facts(Kind.MEDICATIONS, [request], say=said)
    assert (fact.label, fact.detail) == ("Metformin", "dos veces por día, con el desayuno, cuando lo necesite")


def test_every_task_of_a_visit_is_in_the_catalogue() -> None:
    source = Path(str(sending.__file__)).read_text()
    titles = re.findall(r'Task\(\s*"\w+",\s*"([^"]+)"', source)
    assert titles and all(said(title) for title in titles)
