"""What a patient reads of the trail: who looked stands out, what they did themselves is folded, equal lines are one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask

from portal import db
from portal.actors import Role
from portal.audit import service as audit
from portal.audit import wording
from portal.audit.events import PLAIN, Event
from portal.audit.reading import stretches
from portal.audit.service import Entry
from tests import make

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def entry(minute: int, who: str, sentence: str = "%(who)s opened a form.", *, own: bool = False) -> Entry:
    role = Role.PATIENT if own else Role.CLINICIAN
    return Entry(str(minute), AT + timedelta(minutes=minute), who, role, sentence, False, own=own)


def test_equal_lines_in_a_row_are_one_and_own_acts_stand_together() -> None:
    entries = [
        entry(9, "Lee"),
        entry(8, "Lee"),
        entry(7, "Ana", own=True),
        entry(6, "Ana", "%(who)s signed in.", own=True),
        entry(5, "Kim"),
        entry(4, "Lee"),
    ]
    told = [(each.own, [(line.newest.who, line.count) for line in each.lines]) for each in stretches(entries)]
    assert told == [(False, [("Lee", 2)]), (True, [("Ana", 1), ("Ana", 1)]), (False, [("Kim", 1), ("Lee", 1)])]
    assert sum(each.count for each in stretches(entries)) == len(entries)


def test_an_emergency_never_stands_in_one_line_with_anything_else() -> None:
    usual = entry(2, "Lee")
    urgent = Entry("1", AT, "Lee", Role.CLINICIAN, usual.sentence, False, emergency=True)
    assert [len(each.lines) for each in stretches([usual, urgent])] == [2]


def test_on_the_page_the_patient_is_you_and_whoever_looked_has_a_name(app: Flask, sign_in) -> None:  # type: ignore[no-untyped-def]
    clinic = make.clinic(forms=())
    ana, doctor = make.patient(clinic), make.staff_actor(make.staff(clinic))
    patient_id = ana.id
    make.patient_account(ana)
    client = sign_in("ana@example.org")
    for _ in range(4):
        client.get("/consent")
    audit.seen(doctor, Event.SUBMISSION_SEEN, subject="submissions:1", patient_id=patient_id)
    db.close()
    page = client.get("/who-looked").get_data(as_text=True)
    assert "Dr Lee opened your answers to prepare your visit." in page and "You signed in." in page
    assert "What you did yourself" in page and page.index("Dr Lee opened") < page.index("What you did yourself")


def test_every_sentence_can_be_said_to_you() -> None:
    """With "You" in front no verb is left in the third person."""
    third = (" wants ", " has ", " is ", " and was refused", " their own ")
    own = {
        Event.REMINDERS_WANTED,
        Event.ACCESS_DENIED,
        Event.RECORD_CONNECTED,
        Event.EMERGENCY_ASKED,
        Event.RECORD_READ,
    }
    assert not [each for each in own if any(word in PLAIN[each].partition(".")[0] for word in third)]


def test_every_event_has_words_for_staff_that_tell_it_from_every_other() -> None:
    assert set(wording.TOLD) == set(Event)
    assert len(set(wording.TOLD.values())) == len(Event)
    assert wording.told("of-another-version") == "of another version"
