"""What a patient's answer about how to reach them would change: one element of their Patient resource. Pure.

A changed phone or e-mail keeps its use and rank and gets the new value. A changed address keeps its use and is text alone:
what a person types on one line is not guessed apart into street, city and postal code. One that is no longer theirs stays,
marked `old`, so that nobody wonders where it went.
"""

from portal.fhir.resources import Json, objects_at, text_at, type_of
from portal.fhir.values import address_text, telecom_kind
from portal.review.alike import plain
from portal.review.proposal import Answer, Change, Edit, Risk, Row
from portal.review.ruling import ALREADY, CORRECTS, COULD_BE_ANY, NO_LONGER, Case, Rules, Ruling, same, unsure

REPLACES = "Replaces this in the record."
ADDS = "Adds this to the record."
OLD = "Marks this as no longer in use. It stays in the record."
NO_PATIENT = "The patient's own entry could not be read, so this cannot be prepared yet."
NAMES = {"phone": "Phone", "email": "E-mail", "address": "Address"}


def rows(case: Case) -> tuple[Row, ...]:
    """One line: what it was when the patient was asked, what it is now, what the patient says."""
    then, now = _element(case, case.then), _element(case, case.now)
    name = _name(then or now, case)
    said = {Answer.CHANGED: case.text, Answer.ADDED: case.text, Answer.STOPPED: NO_LONGER}.get(case.answer, "")
    return (Row(name, _show(then), _show(now), said),)


def moved(case: Case) -> bool:
    """Whether the record has something else there than when the patient was asked."""
    if case.answer is Answer.ADDED:
        return False
    return _show(_element(case, case.then)) != _show(_element(case, case.now))


def changed(case: Case) -> Ruling:
    before = _element(case, case.now)
    if case.now is None or before is None:
        return added(case)
    if _equal(_show(before), case.text):
        return Ruling(reasons=(ALREADY,))
    return Ruling(REPLACES, _replaced(case.now, before, case.text))


def stopped(case: Case) -> Ruling:
    before = _element(case, case.now)
    if case.now is None or before is None or before.get("use") == "old":
        return Ruling(reasons=(ALREADY,))
    after = {**before, "use": "old", "period": {**before.get("period", {}), "end": case.said_at[:10]}}
    return Ruling(OLD, _put(case.now, Edit(_list(_sort(case, before)), before, after)))


def added(case: Case) -> Ruling:
    if case.now is None:
        return Ruling(risk=Risk.LOOK, reasons=(NO_PATIENT,))
    if any(_equal(_show(each), case.text) for each in _elements(case.now)):
        return Ruling(reasons=(ALREADY,))
    sort = sort_of(case.text)
    if sort is None:
        return Ruling(risk=Risk.LOOK, reasons=(COULD_BE_ANY,))
    before = _element(case, case.now)
    if before is not None and _sort(case, before) == sort:
        return Ruling(CORRECTS, _replaced(case.now, before, case.text))
    after = {"text": case.text} if sort == "address" else {"system": sort, "value": case.text}
    return Ruling(ADDS, _put(case.now, Edit(_list(sort), None, after)))


def sort_of(text: str) -> str | None:
    """phone, email or address, when a text can be only one of them."""
    digits = sum(letter.isdigit() for letter in text)
    letters = sum(letter.isalpha() for letter in text)
    if text.count("@") == 1 and not any(letter.isspace() for letter in text.strip()):
        return "email"
    if digits >= 6 and letters <= 3:
        return "phone"
    return "address" if letters > 5 and ("," in text or "\n" in text or digits) else None


def _put(now: Json, edit: Edit) -> Change:
    return Change("PUT", f"Patient/{now['id']}", edit.apply(now), text_at(now, "meta", "versionId") or None, edit)


def _replaced(now: Json, before: Json, text: str) -> Change:
    if "system" in before:
        return _put(now, Edit("telecom", before, {**before, "value": text}))
    return _put(now, Edit("address", before, {**_kept(before), "text": text}))


def _list(sort: str) -> str:
    return "address" if sort == "address" else "telecom"


def _elements(patient: Json) -> list[Json]:
    return [*objects_at(patient, "telecom"), *objects_at(patient, "address")]


def _element(case: Case, held: Json | None) -> Json | None:
    """The telecom or address the fact is about: the one that reads as the fact was labelled, else the same kind and use; of one
    that was added, what stands there of an earlier round."""
    if held is None:
        return None
    if case.answer is Answer.ADDED:
        return next((each for each in _elements(held) if case.told and _equal(_show(each), case.told)), None)
    if type_of(held) != "Patient":
        return held
    shown = [plain(case.label), plain(case.detail)]
    exact = next((each for each in _elements(held) if plain(_show(each)) and plain(_show(each)) in shown), None)
    if exact is not None or case.then is None or held is case.then:
        return exact
    asked = _element(case, case.then)
    if asked is None:
        return None
    alike = [each for each in _elements(held) if _kind(each) == _kind(asked)]
    return alike[0] if len(alike) == 1 else None


def _kind(element: Json) -> tuple[str, str]:
    return text_at(element, "system") or "address", text_at(element, "use")


def _sort(case: Case, element: Json | None) -> str:
    if element is None:
        return sort_of(case.text) or ""
    return text_at(element, "system") or "address"


def _name(element: Json | None, case: Case) -> str:
    if element is None:
        return NAMES.get(sort_of(case.text) or "", "Contact")
    return telecom_kind(element) if "system" in element else "Address"


def _show(element: Json | None) -> str:
    return text_at(element, "value") or address_text(element or {})


def _kept(address: Json) -> Json:
    return {name: address[name] for name in ("id", "use", "type") if name in address}


def _equal(one: str, other: str) -> bool:
    return plain(one).replace(" ", "") == plain(other).replace(" ", "")


RULES: Rules = {
    Answer.SAME: same,
    Answer.CHANGED: changed,
    Answer.STOPPED: stopped,
    Answer.UNSURE: unsure,
    Answer.ADDED: added,
}
