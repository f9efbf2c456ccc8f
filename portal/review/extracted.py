"""What the forms of a submission say about the record: the resources their authors had extracted, one by one. Pure.

Nothing here is written anywhere: each becomes a proposal (portal/review/taking_over.py) that waits for a person.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from portal.consent import codes
from portal.consent.redaction import closure, item_labels
from portal.fhir import exact
from portal.fhir.resources import Json, object_at, objects_at, text_at, type_of
from portal.questionnaire import Context, Form, FormRefused, extract, load

PREFIX = "extract:"
URN = "urn:ietf:rfc:3986"
_WHOLE = re.compile(r"%(resource|questionnaire)\b(?!\.(subject|author|source|authored|encounter|identifier)\b)")


@dataclass(frozen=True)
class Told:
    """One resource that a form says. `full_url` names it for good: an amended answer says the same one again.

    `response` is the identifier (system|value) of the response it was told in, `form` the form's title, `labels` the
    sensitivity of what was answered; `wanted` is the resource ("Patient/7") that the form means to change, or "".
    """

    full_url: str
    resource: Json
    response: str
    form: str
    labels: tuple[Json, ...] = ()
    wanted: str = ""

    @property
    def fact(self) -> str:
        return PREFIX + self.full_url


def told(document: Json, responses: Iterable[Json], *, patient: Json, subject: str, at: datetime) -> list[Told]:
    """Everything the responses say, in their order; forms that ask for no extraction, or cannot be read any more, say nothing.

    `responses` are those the patient lets go to the record, so that what they keep back is in nothing that is made of them.
    """
    forms = document.get("questionnaires") or {}
    found: list[Told] = []
    for response in responses:
        form = form_of(forms.get(text_at(response, "questionnaire")))
        if form is not None and _says_something(form):
            found += _of(form, {**response, "subject": {"reference": subject}}, patient, at)
    return found


def form_of(raw: Json | None) -> Form | None:
    """The form compiled, once for each version; None when it is not at hand or no longer accepted."""
    try:
        return _compiled(exact.dumps(raw)) if raw else None
    except FormRefused:
        return None


@lru_cache(maxsize=64)
def _compiled(text: str) -> Form:
    return load(exact.loads(text))


def _says_something(form: Form) -> bool:
    asked = {
        "observationExtract",
        "definitionExtract",
        "itemExtractionContext",
        "templateExtract",
        "templateExtractBundle",
    }
    return any(asked & set(item.extensions) for item in (form.root, *form.all_items))


def _of(form: Form, response: Json, patient: Json, at: datetime) -> Iterator[Told]:
    made = extract(form, response, Context(now=at, launch={"patient": patient} if patient else {}))
    identifier = object_at(response, "identifier")
    for entry in objects_at(made.bundle, "entry"):
        resource, full_url = object_at(entry, "resource"), text_at(entry, "fullUrl")
        yield Told(
            full_url=full_url,
            resource=_named(resource, full_url),
            response=f"{text_at(identifier, 'system')}|{text_at(identifier, 'value')}",
            form=form.title("en"),
            labels=_labels(form.raw, made.sources.get(full_url, ""), response),
            wanted=_wanted(resource, text_at(entry, "request", "url")),
        )


def _wanted(resource: Json, url: str) -> str:
    return url if url == f"{type_of(resource)}/{resource.get('id')}" else ""


def _named(resource: Json, full_url: str) -> Json:
    """With an identifier that stays the same when the answer is amended."""
    ours = {"system": URN, "value": full_url}
    held = [each for each in objects_at(resource, "identifier") if each != ours]
    return {"resourceType": type_of(resource), "identifier": [ours, *held], **_rest(resource)}


def _rest(resource: Json) -> Json:
    return {name: held for name, held in resource.items() if name not in ("resourceType", "identifier")}


def _labels(raw: Json, link_id: str, response: Json) -> tuple[Json, ...]:
    """The sensitivity labels of the answers a resource was made of, however many steps away."""
    marks = item_labels(raw)
    answered = set(_answered(response))
    made_of = _made_of(raw, link_id, marks)
    found = []
    for label in sorted({each for labels in marks.values() for each in codes.sensitivities(labels)}):
        about = {each for each, labels in marks.items() if label in labels and each in answered}
        if about and made_of & closure(raw, about):
            system, _, code = label.rpartition("|")
            found.append({"system": system, "code": code})
    return tuple(found)


def _made_of(raw: Json, link_id: str, links: Mapping[str, object]) -> set[str]:
    """The linkIds that a resource may have been made of: the item's own part of the form, and what its expressions name."""
    part = next((each for each in _items(raw) if each.get("linkId") == link_id), raw)
    inside = {str(each["linkId"]) for each in (part, *_items(part)) if each.get("linkId")}
    text = exact.dumps([part.get("extension", []), _templates(raw, part)])
    if not _WHOLE.search(text):
        return inside
    named = {each for each in links if f"'{each}'" in text}
    return inside | (named or set(links))


def _templates(raw: Json, part: Json) -> list[Json]:
    text = exact.dumps(part.get("extension", []))
    return [each for each in objects_at(raw, "contained") if f'"#{each.get("id")}"' in text]


def _items(holder: Json) -> Iterator[Json]:
    for item in objects_at(holder, "item"):
        yield item
        yield from _items(item)


def _answered(response: Json) -> Iterator[str]:
    stack: list[Json] = objects_at(response, "item")
    while stack:
        item = stack.pop()
        answers: Sequence[Json] = objects_at(item, "answer")
        if answers:
            yield text_at(item, "linkId")
        stack += objects_at(item, "item") + [child for answer in answers for child in objects_at(answer, "item")]
