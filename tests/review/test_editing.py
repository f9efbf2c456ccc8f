"""Accept in other words: the same rules, both wordings kept, the patient told, delivered as edited, said in Provenance."""

from typing import Any

import pytest

from portal.db import session
from portal.fhir.structure import problems
from portal.intake.models import Status, Submission
from portal.review import service
from portal.review.editing import MOST_WORDS, differs, reworded, said
from portal.review.marking import marked
from portal.review.models import Decision, Verdict
from portal.review.proposal import Answer
from portal.review.service import Choice
from tests import make
from tests.review.builders import ASTHMA, METFORMIN, PATIENT, PENICILLIN, STATEMENT, fact, new, one, phone
from tests.review.conftest import DESK, World
from tests.review.test_pages import path, post, text
from tests.review.test_pages import seen as tokens
from tests.review.test_service import ORDINARY, decide, opened, payload

KINDS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a phone": (phone("changed", "555 0199 (work)"), {"text": "555 0199"}),
    "a new contact": (new("contact", "call my sister 555 0777 123"), {"text": "555 0777 123"}),
    "how a prescription is taken": (fact("medication", METFORMIN, "changed", "Metformin", "one"), {"text": "1 a day"}),
    "how an entry is taken": (fact("medication", STATEMENT, "changed", "Vitamin D", "two"), {"text": "2 a day"}),
    "a new medicine": (new("medication", "Ibuprofin", "somtimes"), {"text": "Ibuprofen", "more": "sometimes"}),
    "an allergy": (fact("allergy", PENICILLIN, "changed", "Penicillin", "mild"), {"text": "A mild rash in 2019"}),
    "a new allergy": (new("allergy", "latecs"), {"text": "Latex", "more": "itching"}),
    "a condition": (fact("condition", ASTHMA, "changed", "Asthma", "better"), {"text": "Better since May"}),
    "a new condition": (new("condition", "High presure", "2019"), {"text": "High blood pressure", "more": "2019"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_made_anew_by_its_own_rule(name: str) -> None:
    told, words = KINDS[name]
    made = reworded(one(told), words, "Dr Lee")
    assert not made.issues
    assert made.proposal.change is not None
    assert not problems(made.proposal.change.resource)
    assert words["text"] in said(made.proposal)
    assert made.proposal.key == one(told).key
    assert made.proposal.title == one(told).title, "what the patient called it"


@pytest.mark.parametrize("name", [name for name, (told, _) in KINDS.items() if told["answer"] == "changed"])
def test_a_note_in_the_clinics_words_is_not_put_into_the_patients_mouth(name: str) -> None:
    told, words = KINDS[name]
    change = reworded(one(told), words, "Dr Lee").proposal.change
    assert change
    notes = [each for each in change.resource.get("note", []) if words["text"] in each["text"]]
    for note in notes:
        assert note["authorString"] == "Dr Lee"
        assert "authorReference" not in note
        assert told["change"]["text"] in note["text"], "and what the patient wrote stands beside it"


def test_only_what_the_patient_wrote_can_be_worded_otherwise() -> None:
    for answer in (Answer.SAME, Answer.STOPPED, Answer.UNSURE):
        proposal = one(fact("condition", ASTHMA, answer.value, "Asthma"))
        assert proposal.words == ()
        assert reworded(proposal, {"text": "Something"}, "Dr Lee").issues


WRONG = {
    "nothing": {"text": "   "},
    "too much": {"text": "x" * (MOST_WORDS + 1)},
    "what may be anything": {"text": "x y"},
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_words_that_the_rules_refuse_of_a_patient_are_refused_of_staff(words: dict[str, str]) -> None:
    assert reworded(one(new("contact", "555 0777 123")), words, "Dr Lee").issues


def test_words_for_what_the_record_already_says_write_nothing() -> None:
    found = reworded(one(new("condition", "Astma")), {"text": "Asthma"}, "Dr Lee")
    assert [issue.params["why"] for issue in found.issues] == ["The record already says this."]


def test_words_that_bring_up_a_danger_must_be_looked_at_first() -> None:
    proposal = one(new("allergy", "the diabetes tablet"))
    first = reworded(proposal, {"text": "Metformin"}, "Dr Lee")
    assert "The record lists a medicine of this name. Check at once." in str(first.issues[0].params["why"])
    again = reworded(proposal, {"text": "Metformin"}, "Dr Lee", first.proposal.fingerprint)
    assert not again.issues
    other = reworded(proposal, {"text": "Metformin 500"}, "Dr Lee", first.proposal.fingerprint)
    assert other.issues, "what was looked at were other words"


def edit(world: World, submission: str, title: str, **words: str) -> service.Decided:
    item = next(each for each in opened(world, submission).items if each.proposal.title == title)
    choice = Choice(item.proposal.key, Verdict.EDIT, "", item.seen, words)
    return service.decide(world.actor(), submission, [choice], DESK)


def finished(world: World, title: str, *facts: Any, **words: str) -> str:
    submission = world.submit(*facts)
    decide(world, submission)
    assert edit(world, submission, title, **words).saved == 1
    assert service.finish(world.actor(), submission, DESK).to is Status.ACCEPTED
    return submission


def test_it_is_delivered_as_edited_and_both_wordings_are_kept(world: World) -> None:
    submission = finished(world, "Latex", *ORDINARY, text="Natural rubber latex", more="itching")
    resources = [entry["resource"] for entry in payload()["entry"]]  # type: ignore[attr-defined]
    (allergy,) = [each for each in resources if each["resourceType"] == "AllergyIntolerance"]
    assert allergy["code"] == {"text": "Natural rubber latex"}
    row = session().query(Decision).filter_by(verdict=Verdict.EDIT.value).one()
    assert row.detail["edit"] == {"text": "Natural rubber latex", "more": "itching"}
    assert ["Allergy or intolerance", "", "", "Latex"] in row.detail["shown"]["rows"]
    (item,) = [each for each in opened(world, submission).items if each.proposal.title == "Latex"]
    assert item.standing
    assert item.standing.made == "Natural rubber latex; itching"


def test_provenance_says_who_told_it_who_worded_it_and_what_was_told(world: World) -> None:
    finished(world, "Mobile phone", phone("changed", "555 0199 (work)"), text="555 0199")
    resources = [entry["resource"] for entry in payload()["entry"]]  # type: ignore[attr-defined]
    provenances = [each for each in resources if each["resourceType"] == "Provenance"]
    (mine,) = [each for each in provenances if each["target"] == [{"reference": "Patient/7"}]]
    roles = [(each["type"]["coding"][0]["code"], each["who"].get("display", "")) for each in mine["agent"]]
    assert [role for role, _ in roles] == ["informant", "author", "verifier", "assembler"]
    assert dict(roles)["author"] == dict(roles)["verifier"] == "Dr Lee"
    assert mine["entity"] == [
        {"role": "revision", "what": {"display": "The patient said: Mobile phone: 555 0199 (work)"}}
    ]
    for each in provenances:
        assert not problems(each)
        if each is not mine:
            assert each["agent"][0]["type"]["coding"][0]["code"] == "author"
            assert "revision" not in str(each.get("entity"))


def test_two_changes_to_one_resource_of_which_one_is_worded_otherwise_stay_one_write(world: World) -> None:
    facts = (phone("changed", "555 0199 (work)"), new("contact", "ada2@example.org"))
    finished(world, "Mobile phone", *facts, text="555 0199")
    puts = [entry for entry in payload()["entry"] if entry["request"]["method"] == "PUT"]  # type: ignore[attr-defined]
    (patient,) = [entry["resource"] for entry in puts if entry["resource"]["resourceType"] == "Patient"]
    values = [each["value"] for each in patient["telecom"]]
    assert values == ["555 0199", "ada@example.org", "ada2@example.org"]


def test_the_patient_reads_what_the_clinic_changed_and_what_it_left_out_in_the_words_staff_chose(world: World) -> None:
    submission = world.submit(*ORDINARY)
    decide(world, submission)
    edit(world, submission, "Latex", text="Natural rubber latex", more="itching")
    decide(
        world, submission, verdict=Verdict.REJECT, reason="Asthma stays while you have an inhaler <b>.", only="Asthma"
    )
    service.finish(world.actor(), submission, DESK)
    last = session().get_one(Submission, submission).history[-1]
    assert last.why["changed"] == [
        {"key": "new-allergy-1", "title": "Latex", "said": "Latex; itching", "now": "Natural rubber latex; itching"}
    ]
    make.patient_account(world.patient, "ada@example.org")
    page = text(world.enter("ada@example.org"), f"/visits/{world.visit.id}/receipt")
    for words in ("What your clinic changed", "You wrote: “Latex; itching”", "“Natural rubber latex; itching”"):
        assert words in page
    assert "Your clinic says: “Asthma stays while you have an inhaler &lt;b&gt;.”" in page


def test_the_same_words_are_a_plain_yes(world: World) -> None:
    submission = world.submit(*ORDINARY)
    assert edit(world, submission, "Latex", text=" Latex ", more="itching").saved == 1
    assert session().query(Decision).one().verdict == Verdict.ACCEPT
    assert not differs(one(new("allergy", "Latex", "itching")), {"text": "Latex", "more": "itching "})


def test_the_page_keeps_what_was_typed_and_asks_for_one_more_look(world: World) -> None:
    submission = world.submit(new("allergy", "the diabetes tablet"))
    client = world.signed_in()
    ((key, token),) = tokens(text(client, path(submission))).items()
    form = {f"seen-{key}": token, f"verdict-{key}": "edit", f"edit-{key}-text": "Metformin", f"edit-{key}-more": ""}
    answer = post(client, path(submission), step="save", **form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Look once more: The record lists a medicine of this name." in page
    assert 'value="Metformin"' in page
    (looked,) = [each.split('"')[0] for each in page.split(f'name="looked-{key}" value="')[1:]]
    assert post(client, path(submission), step="save", **form, **{f"looked-{key}": looked}).status_code == 303
    assert "Accepted in other words" in text(client, path(submission))


def test_a_decision_in_other_words_is_made_again_when_the_record_moves(world: World) -> None:
    submission = world.submit(phone("changed", "555 0199 (work)"))
    edit(world, submission, "Mobile phone", text="555 0199")
    moved = {**PATIENT, "telecom": [{"system": "phone", "use": "mobile", "value": "555 0123"}]}
    world.record(contact=({**moved, "meta": {"versionId": "4"}},))
    (item,) = opened(world, submission).items
    assert item.settled is None
    assert item.standing
    assert item.standing.outdated
    assert "555 0199" in item.standing.edit["text"], "and what was typed is still there"


MARKS = {
    "one word": ("1 tablet twice a day", "1 tablet once a day", "1 tablet [twice] a day", "1 tablet [once] a day"),
    "two words in a row": ("4 Mill Lane, Riverton", "9 Hill Lane, Riverton", "[4 Mill] Lane, Riverton", "[9 Hill] Lane, Riverton"),
    "nothing in common": ("Asthma", "COPD", "[Asthma]", "[COPD]"),
    "the same": ("Asthma", "Asthma", "Asthma", "Asthma"),
    "something more": ("Metformin 500 mg", "Metformin 500 mg tablet", "Metformin 500 mg", "Metformin 500 mg[ tablet]"),
    "nothing there": ("", "Latex", "", "[Latex]"),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKS)
def test_the_words_that_differ_are_marked_on_both_sides(name: str) -> None:
    one_, other, *expected = MARKS[name]
    sides = marked(one_, other)
    shown = ["".join(f"[{part.text}]" if part.differs else part.text for part in side) for side in sides]
    assert shown == expected
    assert ["".join(part.text for part in side) for side in sides] == [one_, other], "no letter is lost"


def test_a_screen_reader_hears_which_words_differ(world: World) -> None:
    page = text(world.signed_in(), path(world.submit(phone("changed", "555 0199"))))
    assert '<del><span class="nhsuk-u-visually-hidden">[differs: </span>0100' in page
    assert '<ins><span class="nhsuk-u-visually-hidden">[differs: </span>0199' in page
