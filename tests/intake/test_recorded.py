"""A form on the patient's own pages fills itself in from the clinic's record: by observations and by its own searches, with where
and when each was read; never from what could not be looked up, from a screening, or from results that are not for this person."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from portal.accounts import service as accounts
from portal.accounts.models import Patient
from portal.actors import Actor, Role, Scope
from portal.consent import service as consent
from portal.db import session
from portal.ehr import service as ehr
from portal.intake import drafts, filling, held, library, pace, recorded
from portal.library import reading as books
from portal.questionnaire import load, populate
from portal.questionnaire.nodes import questions
from tests import make
from tests.accounts.proxying import actor_for, proxy
from tests.accounts.test_answering import CHOICES
from tests.intake.make_forms import SDC, control, form, item
from tests.intake.test_cost import GROWTH, LARGE, PAGE, SMALL, calls
from tests.labs.conftest import World, sandbox, world  # noqa: F401 - fixtures
from tests.library import shelf

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FRESH, SLUG = timedelta(hours=1), "asked"
LOINC = "http://loinc.org"


def expression(text: str, name: str = "", language: str = "text/fhirpath") -> dict[str, Any]:
    return {"language": language, "expression": text, **({"name": name} if name else {})}


def searched(name: str, query: str) -> dict[str, Any]:
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/variable",
        "valueExpression": expression(query, name, "application/x-fhir-query"),
    }


def initially(text: str) -> dict[str, Any]:
    return {"url": f"{SDC}sdc-questionnaire-initialExpression", "valueExpression": expression(text)}


def observed(link_id: str, code: str, kind: str = "decimal") -> dict[str, Any]:
    period = {"url": f"{SDC}sdc-questionnaire-observationLinkPeriod", "valueDuration": {"value": 1, "code": "a"}}
    return item(link_id, kind, code=[{"system": LOINC, "code": code}], extension=[period])


LAUNCH = {
    "url": f"{SDC}sdc-questionnaire-launchContext",
    "extension": [
        {"url": "name", "valueCoding": {"code": "patient"}},
        {"url": "type", "valueCode": "Patient"},
    ],
}
FORM = form(
    item("page", "group", "About you", extension=[control("page")], item=[
        item("born", "date", extension=[initially("%patient.birthDate")]),
        observed("weight", "29463-7"),
        observed("sugar", "4548-4"),
        observed("mood", "44261-6"),
        item("conditions", "string", repeats=True, extension=[initially("%conditions.entry.resource.code.text")]),
        item("count", "integer", extension=[initially("%conditions.entry.count()")]),
        item("goals", "boolean", extension=[initially("%goals.entry.exists()")]),
        item("heart", "boolean", extension=[initially("%heart.entry.exists()")]),
        item("here", "string", extension=[initially("'the form'")]),
        item("named", "string", extension=[initially("%ours")]),
    ]),
    item("later", "group", "Later", extension=[control("page")], item=[observed("again", "29463-7")]),
    extension=[
        LAUNCH,
        searched("conditions", "Condition?patient={{%patient.id}}"),
        {
            "url": "http://hl7.org/fhir/StructureDefinition/variable",
            "valueExpression": expression("'by its name'", "ours"),
        },
        searched("goals", "Goal?patient={{%patient.id}}"),
        searched("heart", "Observation?patient={{%patient.id}}&code=8867-4"),
    ],
)  # fmt: skip
Opened = tuple[Actor, Patient, Any, filling.Work]


@pytest.fixture(autouse=True)
def _asked(world: World) -> None:  # noqa: F811
    shelf.take_everything_off(world.clinic_id)
    shelf.put(world.clinic_id, SLUG, load(FORM))


def person(world: World, fhir_id: str = "ana-morales") -> tuple[Actor, Patient, Any]:  # noqa: F811
    actor, _ = world.person(fhir_id)
    patient = session().get_one(Patient, actor.patient_id)
    return actor, patient, make.visit(patient)


def said(work: filling.Work) -> dict[str, Any]:
    """What the form was filled in with, by linkId."""
    nodes = [node for key in work.filling.keys for node in questions(work.filling.nodes(key))]
    return {
        node.link_id: [next(v for k, v in answer.items() if k.startswith("value")) for answer in node.answers]
        for node in nodes
        if node.origin is not None
    }


def opened(actor: Actor, visit: Any) -> filling.Work:
    return filling.work(actor, visit, SLUG, "en", FRESH)


def test_the_record_fills_in_what_it_knows_and_nothing_else(world: World) -> None:  # noqa: F811
    actor, _, visit = person(world)
    found = said(opened(actor, visit))
    assert str(found["weight"][0]) == str(found["again"][0]) == "71.5"
    assert str(found["sugar"][0]) == "6.9", "the newest"
    assert sorted(found["conditions"]) == ["Essential hypertension", "Type 2 diabetes mellitus"]
    assert found["count"] == [2]
    assert "mood" not in found
    assert "goals" not in found, "of a kind that is not read, nobody says that there are none"
    assert "heart" not in found, "it may be of a category that is not read"


def test_each_says_from_where_of_when_and_when_it_was_read(world: World) -> None:  # noqa: F811
    actor, client = world.person("ana-morales")
    visit = make.visit(session().get_one(Patient, actor.patient_id))
    page = client.get(f"/visits/{visit.id}/forms/{SLUG}", follow_redirects=True).get_data(as_text=True)
    words = re.sub(r"<[^>]+>", " ", page)
    assert re.search(r"Filled in from Riverside record: of \d+ \w+ 20\d\d, read today at \d\d:\d\d\.", words)
    assert re.search(
        r"Filled in from Riverside record, read today at \d\d:\d\d\. Change it if it is not right\.", words
    )
    assert words.count("Filled in for you.") == 2, "of what is the form's own, by whatever name"


def test_what_could_not_be_looked_up_is_not_none(world: World) -> None:  # noqa: F811
    actor, _, visit = person(world, "oliver-lindqvist")
    world.sandbox.fault("html")
    assert said(opened(actor, visit)).keys() == {"here", "named"}


def test_an_old_reading_says_how_old_it_is(world: World) -> None:  # noqa: F811
    actor, patient, visit = person(world)
    opened(actor, visit)
    before = ehr.read(actor, patient.id, ehr.Kind.VITALS, fetch=False)
    world.sandbox.fault("html")
    work = filling.work(actor, visit, SLUG, "en", timedelta(0))
    [weight] = [node for node in questions(work.filling.nodes(work.filling.keys[0])) if node.link_id == "weight"]
    assert weight.origin and before.read_at
    assert weight.origin.read <= before.read_at.isoformat(timespec="seconds")


def test_results_that_a_patient_does_not_want_shown_are_not_filled_in(world: World) -> None:  # noqa: F811
    actor, _, visit = person(world)
    seen = consent.sheet_for(actor, "en").sha256
    assert consent.give(actor, {**CHOICES, "results": "no"}, language="en", seen=seen, visit_id=visit.id).version
    found = said(opened(actor, visit))
    assert not {"weight", "sugar", "again"} & found.keys()
    assert found["count"] == [2]


@pytest.mark.parametrize("first", [True, False], ids=["nothing saved", "saved by the patient"])
def test_who_may_not_see_results_is_not_told_them_by_a_form(world: World, first: bool) -> None:  # noqa: F811
    actor, patient, visit = person(world)
    helper = actor_for(proxy(patient, scope=(Scope.FORMS,)), patient)
    if not first:
        work = opened(actor, visit)
        assert filling.save_page(actor, work, work.filling.keys[0], {}, {}).work
        filling.put_away(opened(actor, visit))
    theirs = opened(helper, visit)
    assert not {"weight", "sugar", "again"} & said(theirs).keys()
    assert "71.5" not in str(theirs.filling.draft())
    filling.put_away(theirs)
    mine = said(opened(actor, visit))
    assert "again" in mine, "what the patient was shown is still there for them"
    kept = drafts.of_visit(visit).get(library.task(SLUG))
    assert (kept is None) is first


def test_the_author_is_told_what_is_looked_for_in_vain(world: World) -> None:  # noqa: F811
    admin = make.staff_actor(
        make.staff(accounts.clinic(world.clinic_id), Role.ADMINISTRATOR, "Kim Lee", "kim@example.org")
    )
    [form] = books.every(admin)
    [told] = [row["reason"] for row in books.checked(admin, form.versions[0].id)["not_honoured"]]
    assert told.startswith("it looks for Goal in the patient's record")


def test_what_was_filled_in_is_somebodys_word_once_they_go_on_with_it_or_change_it(world: World) -> None:  # noqa: F811
    actor, _, visit = person(world)
    work = opened(actor, visit)
    page, before = work.filling.keys[0], said(work)
    shown = {node.name: node.answers for node in questions(work.filling.nodes(page))}
    names = {node.link_id: node.name for node in questions(work.filling.nodes(page))}
    seen = {name: filling.digest(answers) for name, answers in shown.items()}
    typed = {**shown, names["weight"]: [{"valueDecimal": 80}], names["mood"]: [{"valueDecimal": 3}]}
    saved = filling.save_page(actor, work, page, typed, seen).work
    assert said(saved).keys() == before.keys() - {"weight"}, "brought up to date only"
    assert page not in saved.touched
    again = opened(actor, visit)
    assert said(again).keys() == before.keys() - {"weight"}
    seen = {name: filling.digest(answers) for name, answers in typed.items()}
    gone_on = filling.save_page(actor, again, page, typed, seen, turn=pace.Turn(goes_on=True)).work
    assert said(gone_on).keys() == {"again"}, "on the page that nobody has seen"
    assert page in gone_on.touched


PLAIN = form(item("born", "date", extension=[initially("%patient.birthDate")]), extension=[LAUNCH])


def test_a_form_is_filled_in_once_while_the_record_stands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    shelf.take_everything_off(world.clinic_id)
    shelf.put(world.clinic_id, SLUG, load(PLAIN))
    actor, patient, visit = person(world)
    times: list[str] = []

    def counted(*asked: Any) -> Any:
        times.append(SLUG)
        return populate(*asked)

    monkeypatch.setattr(filling, "populate", counted)

    def looked(who: Actor = actor, language: str = "en", max_age: timedelta = FRESH) -> int:
        before = len(times)
        work = filling.work(who, visit, SLUG, language, max_age)
        assert said(work)["born"] == ["1984-03-12"]
        filling.put_away(work)
        return len(times) - before

    assert [looked(), looked(), looked()] == [1, 0, 0]
    assert looked(language="es") == 1
    assert looked() == 1
    assert looked(actor_for(proxy(patient), patient)) == 1, "each person has their own"
    assert looked() == 0
    ehr.refresh(actor, patient.id, [ehr.Kind.PATIENT])
    assert looked() == 1, "the record was read anew"
    assert looked(max_age=timedelta(microseconds=1)) == 1, "what was read is too old"
    work = opened(actor, visit)
    filling.save_page(actor, work, work.filling.keys[0], {}, {})
    assert looked() == 0, "what is saved is not filled in again"


def test_what_could_not_be_looked_up_is_looked_up_again(world: World) -> None:  # noqa: F811
    shelf.take_everything_off(world.clinic_id)
    shelf.put(world.clinic_id, SLUG, load(PLAIN))
    actor, patient, visit = person(world)
    world.sandbox.fault("html")
    work = opened(actor, visit)
    assert said(work) == {}
    filling.put_away(work)
    world.sandbox.fault("none")
    ehr.refresh(actor, patient.id, [ehr.Kind.PATIENT])
    assert said(opened(actor, visit))["born"] == ["1984-03-12"]
    held.drop_all()


def test_looking_at_a_form_in_which_nothing_was_saved_costs_little_whatever_the_form(world: World) -> None:  # noqa: F811
    shelf.take_everything_off(world.clinic_id)
    for slug, raw in (("small", SMALL), ("large", LARGE)):
        shelf.put(world.clinic_id, slug, load(raw))
    actor, client = world.person("ana-morales")
    form = f"/visits/{make.visit(session().get_one(Patient, actor.patient_id)).id}/forms"
    nothing = calls(lambda: client.get("/pulse"))
    few, many = (calls(partial(client.get, f"{form}/{slug}/{PAGE}")) for slug in ("small", "large"))
    assert few > nothing
    assert many <= few * GROWTH
    assert many <= nothing * 4.4
    held.drop_all()


TAKEN_BACK = [
    ({"resourceType": "Observation", "status": "final"}, False),
    ({"resourceType": "Observation", "status": "entered-in-error"}, True),
    ({"resourceType": "Condition", "verificationStatus": {"coding": [{"code": "confirmed"}]}}, False),
    ({"resourceType": "Condition", "verificationStatus": {"coding": [{"code": "refuted"}]}}, True),
    ({"resourceType": "Condition", "verificationStatus": "refuted"}, False),
    ({"resourceType": "Patient"}, False),
]


def test_what_the_record_takes_back_fills_nothing_in() -> None:
    assert [recorded._is_mistake(resource) for resource, _ in TAKEN_BACK] == [taken for _, taken in TAKEN_BACK]
