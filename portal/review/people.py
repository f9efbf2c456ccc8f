"""What a patient's answer about the people around them would change: whom to call, the pharmacy, the care team. Pure.

Whom to call stands in Patient.contact or is a RelatedPerson; each is changed where it stands, a new one goes to Patient.contact,
R4's place for it. R4 has no place for a preferred pharmacy: where the record carries HL7's extension it is kept there, else it is
text that somebody enters by hand. In a care team somebody who left stays with the day on which they left.
"""

from collections.abc import Callable, Sequence
from functools import partial

from portal.fhir import codes
from portal.fhir.resources import Json, object_at, objects_at, text_at, type_of, version_of
from portal.fhir.values import concept_text, name_of, name_text, reference_text, telecom_value
from portal.review.alike import plain
from portal.review.proposal import Answer, Change, Edit, Risk, Row
from portal.review.ruling import (
    ALREADY,
    CLINICAL,
    CORRECTS,
    GONE,
    NO_LONGER,
    Case,
    Rules,
    Ruling,
    noted,
    nothing,
    partial_date,
    same,
    unsure,
    update,
)

REPLACES = "Replaces this in the record."
ADDS = "Adds this to the record."
IS_THERE = "Somebody of this name is there already: this replaces what is different."
ENDS = "Marks this as over. It stays in the record."
NOTES = "Adds the patient's words to the entry as a note."
NO_PATIENT = "The patient's own entry could not be read, so this cannot be prepared yet."
NO_PLACE = "The record has no place of its own for a pharmacy. Enter it by hand if it matters."
NO_TEAM = "The record has no care team to add this to. Enter it by hand if it matters."
BY_HAND = "This part of the record is not written from here. Enter it by hand if it matters."
EMERGENCY = {"coding": [{"system": CLINICAL + "v2-0131", "code": "C", "display": "Emergency Contact"}]}
"""What the entry is for: the question was whom to call. Who they are to the patient stays in the patient's words."""

ELEMENTS = {"person": "contact", "pharmacy": "extension", "careteam": "participant"}
"""The list in which a part of a Patient or CareTeam stands."""


# -- one part of a resource --------------------------------------------------------------------------------------------


def members(kind: str, resource: Json | None) -> list[Json]:
    held = objects_at(resource, ELEMENTS[kind])
    return [each for each in held if kind != "pharmacy" or text_at(each, "url") == codes.PREFERRED_PHARMACY]


def shown(kind: str, member: Json | None) -> str:
    """What one of them is called."""
    if not member:
        return ""
    if kind == "person":
        return name_text(object_at(member, "name"))
    if kind == "careteam":
        return reference_text(object_at(member, "member"))
    inner = [each for each in objects_at(member, "extension") if text_at(each, "url") == "pharmacy"]
    return reference_text(object_at(inner[0], "valueReference")) if inner else ""


def part(case: Case, held: Json | None) -> Json | None:
    """The part of `held` the fact is about: the one that is called as the fact was labelled; of one that was added, who is there
    by that name, or by the name of an earlier round."""
    if type_of(held) not in ("Patient", "CareTeam"):
        return None
    if case.answer is Answer.ADDED:
        return _there(case, members(case.kind, held), partial(shown, case.kind))
    same = [each for each in members(case.kind, held) if plain(shown(case.kind, each)) == plain(case.label)]
    return same[0] if len(same) == 1 or (same and case.kind != "person") else _by_number(same, case)


def _there(case: Case, held: Sequence[Json], called: Callable[[Json], str]) -> Json | None:
    current = [each for each in held if not object_at(each, "period").get("end") and each.get("active") is not False]
    names = [plain(name) for name in (case.text, case.told) if name]
    found = [each for name in names for each in current if plain(called(each)) == name]
    return found[0] if found else None


def _by_number(same: list[Json], case: Case) -> Json | None:
    """Of several people with one name, the one with the number that the patient saw."""
    found = [each for each in same if telecom_value(each, "phone", "sms") in case.detail.split(", ")]
    return found[0] if found else None


def moved(case: Case) -> bool:
    """Whether the record has something else there than when the patient was asked."""
    if case.answer is Answer.ADDED or case.then is None:
        return False
    if type_of(case.then) in ("Patient", "CareTeam"):
        return part(case, case.then) != part(case, case.now)
    return _bare(case.then) != _bare(case.now)


def _bare(resource: Json | None) -> Json | None:
    return resource and {name: held for name, held in resource.items() if name not in ("meta", "text")}


def rows(case: Case) -> tuple[Row, ...]:
    """What it was when the patient was asked, what it is now, what the patient says."""
    then, now, said = _lines(case, case.then), _lines(case, case.now), _said(case)
    names = dict.fromkeys([*then, *now, *said])
    made = (Row(name, then.get(name, ""), now.get(name, ""), said.get(name, "")) for name in names)
    return tuple(row for row in made if row.then or row.now or row.said)


def _lines(case: Case, held: Json | None) -> dict[str, str]:
    if held is None:
        return {}
    if case.kind == "person":
        one = _related(case) or part(case, held) if type_of(held) == "Patient" else held
        return person_lines(one) if one else {}
    found = part(case, held)
    if case.answer is Answer.ADDED:
        return {NAMES[case.kind]: shown(case.kind, found)} if found else {}
    gone = type_of(held) in ("Patient", "CareTeam") and members(case.kind, held) and found is None
    return {} if gone else {NAMES[case.kind]: shown(case.kind, found) or case.label}


NAMES = {"pharmacy": "Pharmacy", "careteam": "Looks after the patient"}


def person_lines(one: Json) -> dict[str, str]:
    """The comparable lines of a RelatedPerson or of an entry of Patient.contact."""
    name = name_of(one) if isinstance(one.get("name"), list) else name_text(object_at(one, "name"))
    told = [each for each in objects_at(one, "relationship") if text_at(each, "text")]
    relation = ", ".join(map(concept_text, told or objects_at(one, "relationship")))
    return {"Name": name, "Relation": relation, "Phone": telecom_value(one, "phone", "sms")}


def _said(case: Case) -> dict[str, str]:
    if case.answer is Answer.STOPPED:
        return {"Status": NO_LONGER}
    if case.answer not in (Answer.CHANGED, Answer.ADDED):
        return {}
    if case.kind == "person":
        name = case.text if case.answer is Answer.ADDED else case.also.get("name", "")
        return {"Name": name, "Relation": case.also.get("relation", ""), "Phone": case.also.get("phone", "")}
    return {NAMES[case.kind]: ", ".join(filter(None, (case.text, case.more)))}


def _put(now: Json, edit: Edit) -> Change:
    return Change("PUT", f"{type_of(now)}/{now['id']}", edit.apply(now), version_of(now), edit)


# -- whom to call ------------------------------------------------------------------------------------------------------


def person_changed(case: Case) -> Ruling:
    if case.now is None:
        return nothing(case, Risk.LOOK, GONE)
    before = case.now if type_of(case.now) == "RelatedPerson" else part(case, case.now)
    if before is None:
        return nothing(case, Risk.LOOK, GONE)
    change = _correction(case, case.now, before)
    return Ruling(REPLACES, change) if change else Ruling(reasons=(ALREADY,))


def _correction(case: Case, now: Json, before: Json) -> Change | None:
    """What is different about `before`, a RelatedPerson or an entry of the Patient `now`; None where nothing is."""
    after = _corrected(before, case)
    different = {name: after[name] for name in after if after[name] != before.get(name)}
    if not different:
        return None
    return update(before, **different) if "resourceType" in before else _put(now, Edit("contact", before, after))


def _corrected(before: Json, case: Case) -> Json:
    """Only what is different: a name in the patient's words, a relation beside what the entry is for, the first number."""
    now, after = person_lines(before), dict(before)
    name, relation, number = (case.also.get(each, "") for each in ("name", "relation", "phone"))
    name = case.text if case.answer is Answer.ADDED else name
    if name and plain(name) != plain(now["Name"]):
        after["name"] = [{"text": name}] if isinstance(before.get("name"), list) else {"text": name}
    if relation and plain(relation) != plain(now["Relation"]):
        roles = [each for each in objects_at(before, "relationship") if not text_at(each, "text")]
        after["relationship"] = [*roles, {"text": relation}]
    if number and number != now["Phone"]:
        after["telecom"] = _with_number(objects_at(before, "telecom"), now["Phone"], number)
    return after


def _with_number(held: list[Json], old: str, number: str) -> list[Json]:
    told = [{**each, "value": number} if text_at(each, "value") == old and old else each for each in held]
    return told if told != held else [*held, {"system": "phone", "value": number}]


def person_stopped(case: Case) -> Ruling:
    end = {"end": case.said_at[:10]}
    if case.now is not None and type_of(case.now) == "RelatedPerson":
        if case.now.get("active") is False:
            return Ruling(reasons=(ALREADY,))
        return Ruling(
            ENDS, update(case.now, active=False, period={**case.now.get("period", {}), **end}), risk=Risk.LOOK
        )
    before = part(case, case.now)
    if case.now is None or before is None:
        return Ruling(reasons=(ALREADY,))
    after = {**before, "period": {**before.get("period", {}), **end}}
    return Ruling(ENDS, _put(case.now, Edit("contact", before, after)), risk=Risk.LOOK)


def person_added(case: Case) -> Ruling:
    if case.now is None:
        return Ruling(risk=Risk.LOOK, reasons=(NO_PATIENT,))
    before = _related(case) or part(case, case.now)
    if before is not None:  # there already: only what is told otherwise, for a person to look at
        change = _correction(case, case.now, before)
        effect = CORRECTS if case.told else IS_THERE
        return Ruling(effect, change, risk=Risk.LOOK) if change else Ruling(reasons=(ALREADY,))
    relation, number = case.also.get("relation", ""), case.also.get("phone", "")
    after: Json = {
        "relationship": [EMERGENCY, *([{"text": relation}] if relation else [])],
        "name": {"text": case.text},
    }
    if number:
        after["telecom"] = [{"system": "phone", "value": number}]
    return Ruling(ADDS, _put(case.now, Edit("contact", None, after)))


def _related(case: Case) -> Json | None:
    """A RelatedPerson who is there by the name of somebody added."""
    related = [each for each in case.listed if type_of(each) == "RelatedPerson"]
    return _there(case, related, name_of) if case.answer is Answer.ADDED else None


# -- the pharmacy ------------------------------------------------------------------------------------------------------


def pharmacy_changed(case: Case) -> Ruling:
    """A prescription that names another pharmacy is the prescriber's, and stays."""
    patient = _patient(case)
    held = members("pharmacy", patient)
    if patient is None or not held:
        return nothing(case, Risk.LOOK, NO_PLACE)
    if plain(case.text) in {plain(shown("pharmacy", each)) for each in held}:
        return Ruling(reasons=(ALREADY,))
    before = part(case, patient) or (held[0] if case.answer is Answer.CHANGED else None)
    return Ruling(
        REPLACES if before else ADDS, _put(patient, Edit("extension", before, _preferred(case.text, held[0])))
    )


def _preferred(name: str, like: Json) -> Json:
    """As an entry of the record is made, with the name in place of the organisation: which one it is, the desk says."""
    others = [each for each in objects_at(like, "extension") if text_at(each, "url") != "pharmacy"]
    chosen = {"url": "pharmacy", "valueReference": {"display": name}}
    return {"url": codes.PREFERRED_PHARMACY, "extension": [chosen, *others]}


def _patient(case: Case) -> Json | None:
    return next((each for each in case.listed if type_of(each) == "Patient"), None)


def by_hand(case: Case) -> Ruling:
    return nothing(case, Risk.LOOK, BY_HAND)


# -- the care team -----------------------------------------------------------------------------------------------------


def team_changed(case: Case) -> Ruling:
    if case.now is None or type_of(case.now) != "CareTeam":
        return by_hand(case) if case.now else nothing(case, Risk.LOOK, GONE)
    return Ruling(NOTES, update(case.now, note=noted(case, f"Patient says about {case.label}")), risk=Risk.LOOK)


def team_stopped(case: Case) -> Ruling:
    if case.now is None or type_of(case.now) != "CareTeam":
        return by_hand(case) if case.now else nothing(case, Risk.LOOK, GONE)
    before = part(case, case.now)
    if before is None:
        return Ruling(reasons=(ALREADY,))
    end = partial_date(case.also.get("when", "")) or case.said_at[:10]
    after = {**before, "period": {**before.get("period", {}), "end": end}}
    return Ruling(ENDS, _put(case.now, Edit("participant", before, after)), risk=Risk.LOOK)


def team_added(case: Case) -> Ruling:
    teams = [each for each in case.listed if type_of(each) == "CareTeam" and text_at(each, "status") == "active"]
    if not teams:
        return nothing(case, Risk.LOOK, NO_TEAM)
    there = next(((team, one) for team in teams if (one := part(case, team))), None)
    role: Json = {"role": [{"text": case.more}]} if case.more else {}
    if there is None:
        return Ruling(ADDS, _put(teams[0], Edit("participant", None, {**role, "member": {"display": case.text}})))
    team, before = there
    after = {**before, **({} if _has_role(before, case.more) else role)}
    if plain(shown("careteam", before)) != plain(case.text):
        after["member"] = {"display": case.text}
    if after == before or not case.told:
        return Ruling(reasons=(ALREADY,))
    return Ruling(CORRECTS, _put(team, Edit("participant", before, after)), risk=Risk.LOOK)


def _has_role(member: Json, role: str) -> bool:
    return plain(role) in map(plain, map(concept_text, objects_at(member, "role")))


PERSON: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: person_stopped,
    Answer.CHANGED: person_changed,
    Answer.ADDED: person_added,
}
PHARMACY: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: by_hand,
    Answer.CHANGED: pharmacy_changed,
    Answer.ADDED: pharmacy_changed,
}
CARETEAM: Rules = {
    Answer.SAME: same,
    Answer.UNSURE: unsure,
    Answer.STOPPED: team_stopped,
    Answer.CHANGED: team_changed,
    Answer.ADDED: team_added,
}
