"""Signatures of a response: what must be signed, what exactly was signed, and whether it is still that. Pure.

A typed name proves nothing by itself. What makes it worth something is that it cannot come loose from what was signed: the
signature carries the words as they were shown and a digest of the answers (questions and values, in order; not the words
around them, which change with the language), so that anyone who holds the response can see that not one answer was changed
since. Who signed is whoever was signed in, and when is the server's clock; neither is typed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portal.fhir import exact

from . import extensions as ext
from .definition import Form
from .extensions import Json

SIGNATURE = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature"
FORMAT = "application/json"
SELF = "self"
"""The capacity of a patient who signs for themself; of anybody else it is as what they answer for the patient."""
ANY_SIGNATURE: Json = {
    "system": "urn:iso-astm:E1762-95:2013",
    "code": "1.2.840.10065.1.12.1.1",
    "display": "Author's Signature",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What a signature is asked for: the whole form (`link_id` is "") or one item, with the kinds of signature it is."""

    link_id: str
    text: str
    kinds: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as it was given. `name` was typed, `by` is the account's; `at` is an instant; `words` are what was shown.

    `digest` is of the answers; `capacity` says for whom: "self" is the patient.
    """

    name: str
    by: str
    account_id: str
    at: str
    capacity: str
    language: str
    words: str
    digest: str
    salt: str
    """so that nobody can guess the answers from a fingerprint of the signature"""


def needed(form: Form) -> tuple[Part, ...]:
    """The parts of a form that must be signed."""
    known: dict[str, tuple[Part, ...]] = form.cache("signing")
    if "parts" not in known:
        known["parts"] = _needed(form)
    return known["parts"]


def _needed(form: Form) -> tuple[Part, ...]:
    found = [(item, ext.values(item.extensions, "signatureRequired")) for item in (form.root, *form.all_items)]
    return tuple(
        Part("" if item is form.root else item.link_id, str(item.raw.get("text") or ""), _kinds(values))
        for item, values in found
        if values
    )


def _kinds(values: list[Any]) -> tuple[Json, ...]:
    codings = [coding for value in values if isinstance(value, dict) for coding in value.get("coding") or ()]
    return tuple(coding for coding in codings if isinstance(coding, dict)) or (ANY_SIGNATURE,)


def digest(response: Json) -> str:
    """SHA-256 of the answers of a response: the form's canonical, each linkId, each value; nested and in order."""
    said = [response.get("questionnaire"), [_item(item) for item in response.get("item") or ()]]
    return hashlib.sha256(exact.dumps(said).encode()).hexdigest()


def _item(item: Json) -> list[Any]:
    answers = [
        [*_value(answer), [_item(inner) for inner in answer.get("item") or ()]] for answer in item.get("answer") or ()
    ]
    return [item.get("linkId"), answers, [_item(inner) for inner in item.get("item") or ()]]


def _value(answer: Json) -> list[Any]:
    for name, value in answer.items():
        if name.startswith("value"):
            return [name, _core(value)]
    reasons = [each.get("valueCode") or each.get("valueCodeableConcept") for each in answer.get("extension") or ()]
    return ["", reasons]


def _core(value: Any) -> Any:
    """Of a coding only its code: its words are the form's, in one language or another."""
    if isinstance(value, dict) and value.get("code"):
        return {name: held for name, held in value.items() if name in ("system", "code", "value", "comparator")}
    return value


def signature(signed: Signed, kinds: tuple[Json, ...]) -> Json:
    """FHIR Signature; `data` is the JSON of what was signed."""
    kept = {
        "name": signed.name,
        "capacity": signed.capacity,
        "language": signed.language,
        "words": signed.words,
        "answers-sha256": signed.digest,
        "salt": signed.salt,
    }
    return {
        "type": list(kinds),
        "when": signed.at,
        "who": {"identifier": {"system": "urn:previsit:account", "value": signed.account_id}, "display": signed.by},
        "targetFormat": "application/fhir+json",
        "sigFormat": FORMAT,
        "data": base64.b64encode(exact.dumps(kept).encode()).decode(),
    }


def fingerprint(signed: Signed) -> str:
    """What tells this signature from every other one, for the audit trail."""
    return hashlib.sha256(str(signature(signed, ())["data"]).encode()).hexdigest()


def attached(response: Json, form: Form, signed: Signed) -> Json:
    """The response with the signature where the form asks for it: on the whole, and on items that are in the response."""
    parts = {part.link_id: {"url": SIGNATURE, "valueSignature": signature(signed, part.kinds)} for part in needed(form)}
    made = _with_items(response, parts)
    return _with(made, parts[""]) if "" in parts else made


def _with_items(holder: Json, parts: dict[str, Json]) -> Json:
    if "item" not in holder:
        return holder
    items = [_with_items(item, parts) for item in holder["item"]]
    marked = [_with(item, parts[item["linkId"]]) if item.get("linkId") in parts else item for item in items]
    return {**holder, "item": marked}


def _with(element: Json, extension: Json) -> Json:
    return {**element, "extension": [*element.get("extension", []), extension]}


def by(response: Any, reference: str) -> Any:
    """The response with the patient named as the record knows them: who signed, or for whom somebody else did."""
    if isinstance(response, list):
        return [by(each, reference) for each in response]
    if not isinstance(response, dict):
        return response
    held = response.get("valueSignature")
    if isinstance(held, dict) and (signed := _read(held)):
        itself = {"who": {"reference": reference, **held["who"]}}
        another = {"who": {"type": "RelatedPerson", **held["who"]}, "onBehalfOf": {"reference": reference}}
        return {**response, "valueSignature": {**held, **(itself if signed.capacity == SELF else another)}}
    return {name: by(value, reference) if name in ("item", "extension") else value for name, value in response.items()}


def signatures(response: Json) -> Iterator[tuple[str, Signed]]:
    """(linkId, "" for the whole) of each signature that this portal put there; what cannot be read is left out."""
    stack: list[Json] = [response]
    while stack:
        element = stack.pop(0)
        for extension in element.get("extension") or ():
            held = extension.get("valueSignature") if isinstance(extension, dict) else None
            read = _read(held) if isinstance(held, dict) and extension.get("url") == SIGNATURE else None
            if read is not None:
                yield str(element.get("linkId") or ""), read
        stack += element.get("item") or []


def _read(held: Json) -> Signed | None:
    try:
        kept = exact.loads(base64.b64decode(str(held.get("data") or ""), validate=True))
        who = held["who"]
        return Signed(
            name=str(kept["name"]),
            by=str(who.get("display") or ""),
            account_id=str(who.get("identifier", {}).get("value") or ""),
            at=str(held["when"]),
            capacity=str(kept["capacity"]),
            language=str(kept["language"]),
            words=str(kept["words"]),
            digest=str(kept["answers-sha256"]),
            salt=str(kept["salt"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def intact(response: Json, signed: Signed) -> bool:
    """Whether the answers are still those that were signed."""
    return digest(response) == signed.digest
