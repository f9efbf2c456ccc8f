"""Who a person could be: the union of the server's own matching and several searches, bounded, and honest about what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.ehr import capabilities
from portal.ehr.candidates import GRADE, MOST, candidates
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError
from portal.ehr.http import Limits, Wire
from portal.ehr.looked_for import Candidates, Ending, Key, Opinion, Person
from portal.ehr.reading import Reason, State

from .hostile import Hostile, Say, Seen, say
from .make import searchset

BORN = "1980-01-02"
JO = Person("Canary", "Jo Ann", BORN, (("http://example.org/mrn", "41"),), "(217) 555-0107", "Jo@Example.org", "female")


def person(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": BORN, "name": [{"family": "Canary"}], **more}


def statement(*, operations: list[dict[str, str]] | None = None, params: tuple[str, ...] = ()) -> dict[str, Any]:
    patient = {
        "type": "Patient",
        "operation": operations or [],
        "searchParam": [{"name": each} for each in params],
    }
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": [patient]}]}


WITH_MATCH = capabilities.parse(
    statement(operations=[{"name": "match", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-match"}])
)


def search_by(server: Hostile, **answers: Any) -> None:
    """`answers`: by the parameter that tells the question apart, the Patients (or an answer) to give."""

    def answer(seen: Seen) -> Say:
        asked = seen.form
        told = next(
            (name for name in answers if name in asked and (name not in ("given", "family") or "birthdate" in asked)),
            None,
        )
        found = answers[told] if told else []
        return found if isinstance(found, Say) else say(searchset(server.base, f"Patient?{seen.body.decode()}", *found))

    server.on["POST /fhir/Patient/_search"] = answer


def matching(server: Hostile, *graded: tuple[dict[str, Any], Any, Any], **bundle: Any) -> None:
    entries = []
    for resource, grade, score in graded:
        extension = [{"url": GRADE, "valueCode": grade}] if grade else []
        search = {"mode": "match", "extension": extension, **({"score": score} if score is not None else {})}
        entries.append({"resource": resource, "search": search})
    server.on["POST /fhir/Patient/$match"] = say(
        {"resourceType": "Bundle", "type": "searchset", "entry": entries, **bundle}
    )


def ask(
    server: Hostile, who: Person = JO, can: capabilities.Capabilities = capabilities.UNKNOWN, **more: Any
) -> Candidates:
    client = FhirClient(server.base, Wire(server.base), None, Limits(read=2, total=3))
    return candidates(client, who, can, **more)


def ids(found: Candidates) -> set[str]:
    return {each["id"] for each in found.resources}


def test_each_key_finds_its_own_and_each_record_comes_once(server: Hostile) -> None:
    both = person("p1", identifier=[{"system": "http://example.org/mrn", "value": "41"}])
    search_by(
        server,
        identifier=[both],
        family=[both, person("p2")],
        given=[person("p3")],
        phone=[person("p4", birthDate="1999-01-01", telecom=[{"system": "phone", "value": "+1 217 555 0107"}])],
        email=[person("p5", birthDate="", telecom=[{"system": "email", "value": "jo@example.org"}])],
    )
    found = ask(server)
    assert ids(found) == {"p1", "p2", "p3", "p4", "p5"}
    assert len(found.resources) == 5
    assert found.complete
    assert [each.key for each in found.looks] == [
        Key.IDENTIFIER, Key.FAMILY, Key.GIVEN, Key.PHONE, Key.EMAIL, Key.NAME,
    ]  # fmt: skip


def test_what_a_server_sends_though_it_is_not_what_was_asked_is_left_out(server: Hostile) -> None:
    stray = person("p9", birthDate="1950-01-01", telecom=[{"system": "phone", "value": "000"}])
    search_by(server, identifier=[stray], family=[stray], given=[stray], phone=[stray], email=[stray])
    assert ids(ask(server)) == set()
    assert ask(server).reading.state is State.NONE


def test_more_than_one_page_is_said_and_is_no_complete_look(server: Hostile) -> None:
    search_by(server, family=[person(f"p{number}") for number in range(MOST)])
    found = ask(server)
    assert [(each.key, each.ending) for each in found.cut] == [(Key.FAMILY, Ending.CUT)]
    assert not found.complete
    assert found.reading.reason is Reason.TOO_MUCH


def test_many_of_the_same_name_alone_are_said_and_do_not_make_the_rest_doubtful(server: Hostile) -> None:
    crowd = [person(f"p{number}", birthDate="1950-05-05") for number in range(MOST)]

    def answer(seen: Seen) -> Say:
        only_name = "birthdate" not in seen.form and "family" in seen.form
        return say(searchset(server.base, f"Patient?{seen.body.decode()}", *(crowd if only_name else [])))

    server.on["POST /fhir/Patient/_search"] = answer
    found = ask(server)
    assert [each.key for each in found.cut] == [Key.NAME]
    assert found.complete


def test_a_key_that_the_server_does_not_know_leaves_the_others(server: Hostile) -> None:
    search_by(server, phone=Say(400, b"{}", {}), family=[person("p1")])
    found = ask(server)
    assert ids(found) == {"p1"}
    assert not found.complete  # somebody with this phone could have been missed: nobody is tied by rule
    can = capabilities.parse(statement(params=("family", "given", "birthdate", "email", "identifier")))
    assert ask(server, can=can).complete  # it says so itself: then it was never a way to find anybody


def test_sound_is_asked_only_where_the_server_says_that_it_knows_it(server: Hostile) -> None:
    search_by(server, phonetic=[person("p7")])
    assert ids(ask(server)) == set()
    every = ("family", "given", "birthdate", "email", "phone", "identifier", "phonetic")
    assert ids(ask(server, can=capabilities.parse(statement(params=every)))) == {"p7"}


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_server_that_lets_nobody_look_is_asked_once(server: Hostile, status: int) -> None:
    server.on["POST /fhir/Patient/_search"] = Say(status, b"", {})
    with pytest.raises(EhrError):
        ask(server)
    assert len(server.seen) == 1


def test_there_is_a_bound_to_the_time_and_what_was_not_asked_is_said(server: Hostile) -> None:
    search_by(server, family=[person("p1")])
    found = ask(server, seconds=-1)
    assert {each.ending for each in found.looks} == {Ending.NO_TIME}
    assert found.reading.state is State.COULD_NOT_LOOK
    assert found.reading.reason is Reason.SLOW
    assert server.seen == []


@pytest.mark.parametrize(("scope", "looked"), [("system/Patient.r", False), ("system/Patient.rs", True), (None, True)])
def test_without_the_right_to_search_nobody_is_asked(server: Hostile, scope: str | None, looked: bool) -> None:
    search_by(server)
    assert ask(server, can=WITH_MATCH, granted=scope).looked is looked
    assert bool(server.seen) is looked


def test_match_is_asked_as_the_standard_says_and_its_grades_come_back(server: Hostile) -> None:
    search_by(server, family=[person("p1"), person("p2")])
    matching(server, (person("p1"), "certain", 0.97), (person("p3"), "possible", 0.4))
    found = ask(server, can=WITH_MATCH)
    assert ids(found) == {"p1", "p2", "p3"}
    assert found.asked_match
    assert found.opinions == {"Patient/p1": Opinion("certain", 0.97), "Patient/p3": Opinion("possible", 0.4)}
    parts = {each["name"]: each for each in json.loads(server.seen[0].body)["parameter"]}
    assert server.seen[0].path == "/fhir/Patient/$match"
    assert parts["onlyCertainMatches"]["valueBoolean"] is False
    assert parts["count"]["valueInteger"] == MOST
    told = parts["resource"]["resource"]
    assert (told["name"][0]["family"], told["birthDate"], told["gender"]) == ("Canary", BORN, "female")


OTHER_SHAPES: dict[str, dict[str, Any]] = {
    "no grade and no score": {"entry": [{"resource": person("p1")}]},
    "a score of the wrong kind": {"entry": [{"resource": person("p1"), "search": {"score": "high"}}]},
    "an outcome beside it": {
        "entry": [
            {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
            {"resource": person("p1"), "search": {"mode": "match", "score": 1}},
        ]
    },
    "a collection": {"type": "collection", "entry": [{"resource": person("p1"), "search": {"score": 1.5}}]},
    "another type among them": {
        "entry": [{"resource": {"resourceType": "Group", "id": "g"}}, {"resource": person("p1")}]
    },
    "a search that is no object": {"entry": [{"resource": person("p1"), "search": "match"}]},
}


@pytest.mark.parametrize("shape", OTHER_SHAPES, ids=str)
def test_other_servers_shapes_of_the_answer_are_read(server: Hostile, shape: str) -> None:
    search_by(server)
    server.on["POST /fhir/Patient/$match"] = say({"resourceType": "Bundle", "type": "searchset", **OTHER_SHAPES[shape]})
    assert ids(ask(server, can=WITH_MATCH)) == {"p1"}


REFUSALS: dict[str, Say] = {
    "404": Say(404, b"", {}),
    "501": Say(501, b"", {}),
    "400: only certain ones are told here": Say(400, b"{}", {}),
    "403: not this operation": Say(403, b"", {}),
    "500: no rules are set up": Say(500, b"", {}),
    "no Bundle": say({"resourceType": "Parameters"}),
    "a transaction's answer": say({"resourceType": "Bundle", "type": "transaction-response"}),
    "a page": Say(200, b"<html>", {"Content-Type": "text/html"}),
}


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_a_match_that_does_not_work_leaves_the_searches(server: Hostile, case: str) -> None:
    server.on["POST /fhir/Patient/$match"] = REFUSALS[case]
    search_by(server, family=[person("p1")])
    found = ask(server, can=WITH_MATCH)
    assert ids(found) == {"p1"}
    assert (found.asked_match, found.complete) == (False, True)


def test_where_a_candidate_was_merged_into_is_read_too(server: Hostile) -> None:
    old = person("p1", link=[{"type": "replaced-by", "other": {"reference": "Patient/p2"}}])
    search_by(server, family=[old])
    server.fhir("Patient/p2", person("p2", birthDate="1981-01-02"))
    assert ids(ask(server)) == {"p1", "p2"}


@pytest.mark.parametrize(
    "reference", ["Patient/gone", "RelatedPerson/7", "#x", "https://elsewhere.example/fhir/Patient/1"]
)
def test_a_merge_that_leads_nowhere_changes_nothing(server: Hostile, reference: str) -> None:
    search_by(server, family=[person("p1", link=[{"type": "replaced-by", "other": {"reference": reference}}])])
    assert ids(ask(server)) == {"p1"}


STATEMENTS: dict[str, tuple[dict[str, Any], bool]] = {
    "by name": (statement(operations=[{"name": "match"}]), True),
    "with a dollar": (statement(operations=[{"name": "$match"}]), True),
    "by its definition": (
        statement(
            operations=[{"name": "m", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-match|4.0.1"}]
        ),
        True,
    ),
    "for the whole server": (
        {
            "fhirVersion": "4.0.1",
            "rest": [
                {
                    "resource": [{"type": "Patient"}],
                    "operation": [{"name": "match", "definition": "/OperationDefinition/Patient-match"}],
                }
            ],
        },
        True,
    ),
    "HAPI without its person index": (statement(operations=[{"name": "everything"}, {"name": "mdm-submit"}]), False),
    "nothing": (statement(), False),
}


@pytest.mark.parametrize("case", STATEMENTS, ids=str)
def test_whether_a_server_offers_match(case: str) -> None:
    said, offered = STATEMENTS[case]
    can = capabilities.parse(said)
    assert can.operates("Patient", "match") is offered
    assert capabilities.from_json(capabilities.to_json(can)) == can
