"""What the forms of a submission say about the record: the resources their authors had extracted, one by one. Pure.

Nothing here is written anywhere: each becomes a proposal (portal/review/taking_over.py) that waits for a person.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial

from portal.consent import codes
from portal.consent.redaction import closure, item_labels
from portal.fhir import exact
from portal.fhir.resources import Json, object_at, objects_at, text_at, type_of
from portal.fhir.values import codes_of
from portal.questionnaire import Context, Form, FormRefused, extract, load

PREFIX = "extract:"
URN = "urn:ietf:rfc:3986"
_WHOLE = re.compile(r"%(resource|questionnaire)\b(?!\.(subject|author|source|authored|encounter|identifier)\b)")


@dataclass(frozen=True)
class Choice:
    """A question that was answered with one of the form's own options."""

    link_id: str
    chosen: Json
    options: tuple[Json, ...]


def said_of(option: Json) -> str:
    """An option as the form words it."""
    return text_at(option, "display") or text_at(option, "code")


@dataclass(frozen=True)
class Told:
    """One resource that a form says. `full_url` names it for good: an amended answer says the same one again.

    `response` is the identifier (system|value) of the response it was told in, `form` the form's title, `labels` the
    sensitivity of what was answered; `wanted` is the resource ("Patient/7") that the form means to change, or "";
    `choice` is the question it was chosen at, where it is a coded one, and `otherwise` what another of its options would have said.
    """

    full_url: str
    resource: Json
    response: str
    form: str
    labels: tuple[Json, ...] = ()
    wanted: str = ""
    choice: Choice | None = None
    otherwise: Callable[[str], Json | None] | None = field(default=None, compare=False, repr=False)

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
    context = Context(now=at, launch={"patient": patient} if patient else {})
    made = extract(form, response, context)
    identifier = object_at(response, "identifier")
    for entry in objects_at(made.bundle, "entry"):
        resource, full_url = object_at(entry, "resource"), text_at(entry, "fullUrl")
        if text_at(entry, "request", "method") == "PATCH":
            continue  # changes of a record that nobody here has seen: the answers themselves are read, and the author was told
        source = made.sources.get(full_url, "")
        choice = _choice(form.raw, source, resource, response)
        yield Told(
            full_url=full_url,
            resource=_named(resource, full_url),
            response=f"{text_at(identifier, 'system')}|{text_at(identifier, 'value')}",
            form=form.title("en"),
            labels=_labels(form.raw, source, response),
            wanted=_wanted(resource, text_at(entry, "request", "url")),
            choice=choice,
            otherwise=partial(_otherwise, form, response, context, full_url, choice) if choice else None,
        )


def _otherwise(form: Form, response: Json, context: Context, full_url: str, choice: Choice, label: str) -> Json | None:
    """What the form would have said of another of its options; None where it says nothing then, or does not offer it."""
    option = next((each for each in choice.options if said_of(each) == label), None)
    if option is None:
        return None
    other = copy.deepcopy(response)
    next(_at(other, choice.link_id))["valueCoding"] = option
    made = objects_at(extract(form, other, context).bundle, "entry")
    found = next((object_at(each, "resource") for each in made if each.get("fullUrl") == full_url), None)
    return _named(found, full_url) if found else None


def _wanted(resource: Json, url: str) -> str:
    return url if url == f"{type_of(resource)}/{resource.get('id')}" else ""


def _named(resource: Json, full_url: str) -> Json:
    """With an identifier that stays the same when the answer is amended."""
    ours = {"system": URN, "value": full_url}
    held = [each for each in objects_at(resource, "identifier") if each != ours]
    return {"resourceType": type_of(resource), "identifier": [ours, *held], **_rest(resource)}


def _rest(resource: Json) -> Json:
    return {name: held for name, held in resource.items() if name not in ("resourceType", "identifier")}


def _choice(raw: Json, link_id: str, resource: Json, response: Json) -> Choice | None:
    """The one question, of the part that a coded result was made of, that offers codings and was answered with one."""
    part = next((each for each in _items(raw) if each.get("linkId") == link_id), None)
    if part is None or not resource.get("valueCodeableConcept"):
        return None
    found = []
    for item in (part, *_items(part)):
        options = [held for option in objects_at(item, "answerOption") if (held := object_at(option, "valueCoding"))]
        given = [each for each in _at(response, text_at(item, "linkId")) if options]
        if len(given) == 1 and codes_of({"coding": [object_at(given[0], "valueCoding")]}):
            found.append(Choice(text_at(item, "linkId"), object_at(given[0], "valueCoding"), tuple(options)))
    return found[0] if len(found) == 1 else None


def _at(response: Json, link_id: str) -> Iterator[Json]:
    """The answers to one question, wherever it stands."""
    for item in _all(response):
        if item.get("linkId") == link_id:
            yield from objects_at(item, "answer")


def _all(holder: Json) -> Iterator[Json]:
    for item in objects_at(holder, "item"):
        yield item
        yield from _all(item)
        for answer in objects_at(item, "answer"):
            yield from _all(answer)


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
