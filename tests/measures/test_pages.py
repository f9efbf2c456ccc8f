"""What the page, the table and the report say of a clinic's past: sums that add up, nothing about anybody, and none yet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B.measure import Measure
from fhir.resources.R4B.measurereport import MeasureReport
from flask.testing import FlaskClient
from sqlalchemy import select

import portal
from portal import db
from portal.accounts import sessions
from portal.accounts.models import Account, Patient
from portal.actors import Role, system
from portal.audit.models import AuditRow
from portal.clock import now
from portal.db import session, transaction
from portal.demo.answering import at
from portal.errors import NotAllowed, NotFound
from portal.fhir import exact
from portal.intake.models import Submission
from portal.keeping.erasing import erase
from portal.measures import cells, days, entries, report, service, sheet, telling
from portal.measures.models import MeasuredDay
from portal.measures.periods import holding
from portal.measures.words import Names
from tests import make
from tests.measures.conftest import UNTIL, Past

MONTH = holding(UNTIL.date() - timedelta(days=4), "month")
ASKED = f"?per=month&from={MONTH.start}"
Json = dict[str, Any]


def the_month(of: Past) -> cells.Figures:
    found = service.measures(of.actor(Role.ADMINISTRATOR), "month", MONTH.start).chosen
    assert found is not None
    return found


def browser(of: Past, role: Role = Role.ADMINISTRATOR) -> FlaskClient:
    client = portal.create_app(of.config).test_client()
    db.connect(of.config.database, of.config.keys)
    token = sessions.begin(session().query(Account).filter(Account.role == role.value).one())
    with client.session_transaction() as held:
        held |= {"_user_id": token, "_fresh": True}
    return client


def test_the_numbers_are_those_of_the_rows(with_past: Past) -> None:
    figures = the_month(with_past)
    sent = [
        row
        for row in session().scalars(select(Submission).where(Submission.round == 1)).unique()
        if MONTH.start
        <= row.sent_at.date()
        < MONTH.end  # the clinic is in London, and nobody sends around midnight there
    ]
    facts = [fact for row in sent for fact in row.document["facts"] if fact["answer"] in cells.ANSWERS]
    assert figures.true("sent", "", "").many == len(sent) >= 5
    assert figures.true("facts", "", "all").many == len(facts) > 0
    assert figures.true("facts", "", "same").many == sum(fact["answer"] == "same" for fact in facts)
    timed = [figures.true("form", "facts", value).many for value in ("all", "untimed")]
    assert timed[0] > 0 and sum(timed) == len(sent)
    for what in ("decisions", "taken", "decided", "delivered", "arrived"):
        assert figures.true(what, "", "all").many > 0, what
    for each in cells.ties(figures.counts):
        assert figures.true(*each.total).many == sum(figures.true(*part).many for part in each.parts), each


def test_a_day_is_counted_once_and_stays_when_its_people_are_erased(with_past: Past) -> None:
    before = days.counted_days(with_past.clinic_id)
    last = max(before)
    assert now().date() - last <= timedelta(days=2)
    days.take(system(with_past.clinic_id))
    before = days.counted_days(with_past.clinic_id)
    assert days.take(system(with_past.clinic_id)) == 0
    for patient_id in list(session().scalars(select(Patient.id))):
        erase(patient_id, "asked", even_unfinished=True)
    with at(now() + timedelta(days=2)):
        assert days.take(system(with_past.clinic_id)) == 2
    after = days.counted_days(with_past.clinic_id)
    assert {day: after[day] for day in before} == before and len(after) == len(before) + 2
    with pytest.raises(NotAllowed):
        days.take(with_past.actor(Role.ADMINISTRATOR))


def test_a_broken_row_is_said_and_the_rest_is_counted(with_past: Past) -> None:
    with transaction() as current:
        for day in current.scalars(select(MeasuredDay)):
            current.delete(day)
        rows = current.scalars(select(Submission)).unique()
        row = next(each for each in rows if each.sent_at.date() == max(MONTH.start, each.sent_at.date()) < MONTH.last)
        row.document_sealed = row.document_sealed[:-1] + bytes([row.document_sealed[-1] ^ 1])
    while days.take(system(with_past.clinic_id)):
        pass
    figures = the_month(with_past)
    assert figures.true("unread", "sent", "").many == 1
    assert figures.true("sent", "", "").many >= 5 and figures.true("facts", "", "all").many
    assert "could not be read" in browser(with_past).get(f"/desk/measures{ASKED}").text


def test_the_page_says_it_in_words_pictures_and_tables(with_past: Past) -> None:
    page = browser(with_past).get(f"/desk/measures{ASKED}")
    figures = the_month(with_past)
    spared = figures.of("spared", "", "all")
    assert page.status_code == 200 and f"{MONTH.start:%B %Y}" in page.text
    assert (f"Patients did not have to answer {spared} questions" in page.text) == bool(spared)
    assert ("Patients did not have to answer" in page.text) == bool(spared)
    assert ("Nothing that could be told about" in page.text) == (not telling.told_first(figures))
    pictures = re.findall(r'<svg class="pv-trend__picture"[^>]*role="img" aria-label="([^"]+)"', page.text)
    assert len(pictures) >= 5 and all(f"{MONTH.start:%b}" in words for words in pictures)
    assert "not shown" in page.text and "How you feel" not in page.text
    assert "The last days could not be counted" not in page.text
    with at(now() + timedelta(days=9)):
        assert "The last days could not be counted" in browser(with_past).get("/desk/measures?per=month").text


def test_there_is_none_yet_before_a_period_is_over(with_past: Past) -> None:
    client, running = browser(with_past), holding(now().date(), "month").start
    for address in ("?per=year", f"?from={running}", "?from=2031-01-01", "?from=1", "/table?from=0001-01-01"):
        assert client.get(f"/desk/measures{address}").status_code == 404, address
    with transaction() as current:
        for day in current.scalars(select(MeasuredDay)):
            current.delete(day)
    assert "None yet" in client.get("/desk/measures").text
    assert client.get("/desk/measures/table").status_code == client.get("/desk/measures/report").status_code == 302


def test_only_those_who_watch_over_the_clinic_see_it_and_it_is_written_down(with_past: Past) -> None:
    for role in (Role.CLINICIAN, Role.FRONT_DESK):
        assert browser(with_past, role).get("/desk/measures").status_code == 403
        with pytest.raises(NotAllowed):
            service.measures(with_past.actor(role), "month")
    with pytest.raises(NotFound):
        service.measures(with_past.actor(Role.ADMINISTRATOR), "decade")
    client = browser(with_past)
    client.get("/desk/measures?per=month")
    client.get("/desk/measures/table?per=month")
    noted = session().scalars(select(AuditRow.event).where(AuditRow.event.like("measures%")).order_by(AuditRow.seq))
    assert list(noted)[-2:] == ["measures-seen", "measures-exported"]


def test_another_clinic_has_its_own(with_past: Past) -> None:
    other = make.clinic("hillside", "Hillside Clinic", forms=())
    actor = make.staff_actor(make.staff(other, Role.ADMINISTRATOR, email="a@hillside.example"))
    assert service.measures(actor, "month").chosen is None
    assert days.take(system(other.id)) == 0


def test_the_table_is_a_table_and_says_why_a_cell_is_empty(with_past: Past) -> None:
    answer = browser(with_past).get(f"/desk/measures/table{ASKED}")
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert tuple(head) == sheet.HEAD and all(len(row) == len(head) for row in rows)
    figures = the_month(with_past)
    listed = list(entries.entries(figures))
    assert len(rows) == len(listed)
    for row, entry in zip(rows, listed, strict=True):
        assert (row[5] == "", row[7] != "yes") == (entry.number is None,) * 2
        assert not any(cell[:1] in "=+-@\t\r" for cell in row if cell)


def test_a_form_called_like_a_formula_stays_words(with_past: Past) -> None:
    class Odd(Names):
        def of(self, what: str, thing: str) -> str:
            return '=HYPERLINK("http://x","y")'

    rows = list(csv.reader(io.StringIO(sheet.written(the_month(with_past), Odd(with_past.clinic_id)))))
    assert any(row[3].startswith("'=") for row in rows) and not any(row[3].startswith("=") for row in rows)


def test_the_report_is_a_measure_report_of_the_measure(with_past: Past) -> None:
    client = browser(with_past)
    made = exact.loads(client.get(f"/desk/measures/report{ASKED}").data)
    measure = exact.loads(client.get("/desk/measures/measure").data)
    MeasureReport.model_validate_json(exact.dumps(made))
    Measure.model_validate_json(exact.dumps(measure))
    assert made["measure"] == f"{measure['url']}|{measure['version']}" and "subject" not in made
    assert made["type"] == "summary" and made["period"] == {"start": str(MONTH.start), "end": str(MONTH.last)}
    codes = [group["code"]["text"] for group in measure["group"]]
    assert [group["code"]["text"] for group in made["group"]] == [
        code for code in codes if code in {group["code"]["text"] for group in made["group"]}
    ] or {group["code"]["text"] for group in made["group"]} <= set(codes)
    masked = [each for each in _all(made) if each.get("_count") == report.MASKED]
    hidden = [each for each in entries.entries(the_month(with_past)) if each.number is None and not each.timed]
    assert len(masked) == len(hidden) > 0 and not any("count" in each for each in masked)


def _all(value: Any) -> list[Json]:
    if isinstance(value, dict):
        return [value, *(found for each in value.values() for found in _all(each))]
    return [found for each in value for found in _all(each)] if isinstance(value, list) else []


def test_nothing_of_anybody_is_in_any_of_it(with_past: Past) -> None:
    people = [row.person for row in session().scalars(select(Patient))]
    words = {part for person in people for part in str(person["name"]).split()} | {
        str(person["birthDate"]) for person in people
    }
    words |= {str(person["email"]) for person in people} | {"Penicillin", "Latex", "Metformin", "Asthma", "Elm Street"}
    words |= set(session().scalars(select(Patient.id))) | set(session().scalars(select(Submission.id)))
    client = browser(with_past)
    ways: list[Callable[[], str]] = [
        lambda: client.get(f"/desk/measures{ASKED}").text,
        lambda: client.get(f"/desk/measures/table{ASKED}").text,
        lambda: client.get(f"/desk/measures/report{ASKED}").text,
        lambda: exact.dumps([row for row in session().scalars(select(MeasuredDay.counts))]),
    ]
    for way in ways:
        text = way()
        assert len(text) > 1000 and not [word for word in words if word in text]
