"""What a submission says beside somebody else's record: facts read under a tie that was wrong are not shown or proposed. Pure."""

from collections.abc import Collection

from portal.fhir.resources import Json, key_of, object_at, objects_at, text_at, type_of

SUBJECTS = ("subject", "patient", "beneficiary")


def theirs(document: Json, records: Collection[str]) -> Json:
    """The document without the facts that were read from another record than these (`Patient/7`); `hidden` counts them."""
    facts = objects_at(document, "facts")
    kept = [each for each in facts if _is_of(object_at(each, "source", "resource"), records)]
    return document if len(kept) == len(facts) else {**document, "facts": kept, "hidden": len(facts) - len(kept)}


def _is_of(resource: Json, records: Collection[str]) -> bool:
    if not resource:
        return True
    said = key_of(resource) if type_of(resource) == "Patient" else _subject(resource)
    return not said.startswith("Patient/") or said in records


def _subject(resource: Json) -> str:
    """`Patient/7`, however long the reference; "" where the resource names nobody."""
    found = next((text for name in SUBJECTS if (text := text_at(resource, name, "reference"))), "")
    return "/".join(found.partition("/_history/")[0].split("/")[-2:])
